"""Chapter 5: recipients with assessments, incomes and fee decisions; individual plans; certificates.

The rule book's examples EX-UA-1 to EX-UA-13 are persons of the register; the settlement example of 5.2 is another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal as D

from django.utils.translation import gettext_noop

from config.demo.chapters.ground import DAY, HOME, REHAB, TRIP
from config.demo.chapters.intake import Intake, Need, Register, decide, pensioner, registered, settle
from config.demo.people import TERRITORIES, demo_recipient
from config.demo.stage import Stage, moment
from vouchers.actions.assessments import FeeInputs, FeeUndetermined, decide_fee
from vouchers.models import Recipient
from vouchers.rules.co_payment import FreeCategory, PlannedService
from vouchers.rules.income import FamilyMember, IncomeRecord

APPLIED = date(2025, 10, 6)
WINDOW = date(2025, 4, 1)  # the quarter before the month before October: April to June
AUTUMN = Intake(APPLIED, WINDOW, starts=date(2025, 11, 1), last=date(2026, 10, 31))

TURBOTA_HOME, TERCENTR_HOME, DAY_CARE, REHABILITATION = (1, 150), (151, 280), (281, 320), (321, 370)
WITH_TRIPS = (321, 350)
PEOPLE = REHABILITATION[1]
WORKED_EXAMPLE = "R-5.2"


HOME_TURBOTA = Need(HOME, D("85.00"), D("19.5"))
HOME_TERCENTR = Need(HOME, D("92.00"), D("19.5"))
EXAMPLE_PLAN = Need(HOME, D("85.00"), D("20"))


def needs_of(number: int) -> tuple[Need, ...]:
    """What the person with this number needs."""
    if number <= TURBOTA_HOME[1]:
        return (HOME_TURBOTA,)
    if number <= TERCENTR_HOME[1]:
        return (HOME_TERCENTR,)
    if number <= DAY_CARE[1]:
        return (Need(DAY, D("440.00"), D("22")),)
    rehabilitation = Need(REHAB, D("158.00"), D("14"))
    if number <= WITH_TRIPS[1]:
        return rehabilitation, Need(TRIP, D("180.00"), D("6"))
    return (rehabilitation,)


def numbers(group: tuple[int, int]) -> list[str]:
    """Register codes of a group."""
    return [f"R-{number:04d}" for number in range(group[0], group[1] + 1)]


def settle_people(stage: Stage) -> None:
    """Everybody gets on the register, is assessed, pays by income, has a plan and a certificate."""
    register = Register.of(stage)
    done = set(
        Recipient.objects.filter(organisation=stage.organisation, certificates__isnull=False).values_list(
            "code", flat=True
        )
    )
    # Olena pays nothing, Petro a share.
    cast = {1: stage.people["olena"], 165: stage.people["petro"]}
    for number in range(1, PEOPLE + 1):
        if number % 20 == 1:
            stage.say(15 + number * 30 // PEOPLE, gettext_noop("Recipients, fees and certificates"))
        person = demo_recipient(number)
        if person.code not in done:
            settle(stage, AUTUMN, person, needs_of(number), register, cast.get(number))
    for example in examples():
        if example.code not in done:
            _settle_example(stage, example, register)


@dataclass(frozen=True)
class Example:
    """A person of the rule book. ``reviewed``: inputs of the decision of the next year (EX-UA-6, EX-UA-7)."""

    code: str
    title: str
    birth_date: date
    inputs: FeeInputs
    need: Need = EXAMPLE_PLAN
    reviewed: FeeInputs | None = None
    free_category: str = ""


def _plan(units: str = "20", above: str = "0", tariff: str = "85.00") -> tuple[PlannedService, ...]:
    return (PlannedService(HOME, D(tariff), D(units), D(above)),)


def _alone(code: str, title: str, income: str, **more: object) -> Example:
    inputs = FeeInputs(
        application_date=APPLIED,
        lost_ability=True,
        members=(pensioner(D(income), WINDOW),),
        services=more.pop("services", _plan()),  # type: ignore[arg-type]
    )
    return Example(code, title, date(1950, 3, 1), inputs, **more)  # type: ignore[arg-type]


def examples() -> Iterator[Example]:
    """The persons of the worked examples of the fee, and the one of the worked example of a claim."""
    yield _alone("EX-UA-01", "Рівно два прожиткові мінімуми", "4722.00")
    yield _alone("EX-UA-02", "На копійку більше", "4722.01")
    next_year = FeeInputs(
        application_date=date(2026, 1, 2),
        lost_ability=True,
        members=(pensioner(D("6000.00"), date(2025, 7, 1)),),
        services=_plan(),
    )
    yield _alone("EX-UA-03", "Частка платить сама; з 2026 року менше (EX-UA-6)", "6000.00", reviewed=next_year)
    yield _alone("EX-UA-04", "Рівно чотири прожиткові мінімуми", "9444.00")
    yield _alone("EX-UA-05", "Понад чотири прожиткові мінімуми", "9444.01")
    yield _child()
    yield _imputed()
    yield _disabled()
    yield _counselled()
    yield _mother_only()
    yield _alone("EX-UA-12", "Чотири години понад стандарт", "6000.00", services=_plan("20", "4"))
    yield _without_statement()
    yield _alone(
        WORKED_EXAMPLE,
        "Приклад розрахунку 5.2",
        "6000.00",
        services=_plan("19.5", tariff="95.00"),
        need=Need(HOME, D("95.00"), D("19.5"), D("16")),
    )


def _disabled() -> Example:
    return Example(
        "EX-UA-09",
        "Інвалідність I групи",
        date(1955, 5, 5),
        FeeInputs(
            application_date=APPLIED,
            lost_ability=True,
            members=(pensioner(D("15000.00"), WINDOW),),
            services=_plan(),
            member_categories=((FreeCategory("DISABILITY_I", "Довідка МСЕК (вигадана)"),),),
        ),
        free_category="DISABILITY_I",
    )


def _counselled() -> Example:
    return Example(
        "EX-UA-10",
        "Консультування безоплатне для всіх",
        date(1980, 2, 2),
        FeeInputs(
            application_date=APPLIED,
            members=(pensioner(D("50000.00"), WINDOW),),
            services=(PlannedService("002.0", D("120.00"), D(1), free_for_all=True),),
        ),
        need=Need("002.0", D("120.00"), D(1), granted=D(0)),
    )


def _mother_only() -> Example:
    return Example(
        "EX-UA-11",
        "Сім'я: категорія лише в матері",
        date(1972, 7, 7),
        FeeInputs(
            application_date=APPLIED,
            members=(
                FamilyMember("mother", is_recipient=True, incomes=(IncomeRecord(D("15000.00"), WINDOW, 3),)),
                FamilyMember("father", able_bodied=True, incomes=(IncomeRecord(D("30000.00"), WINDOW, 3),)),
            ),
            services=_plan(),
            member_categories=((FreeCategory("DISABILITY_I", "Довідка МСЕК (вигадана)"),), ()),
        ),
    )


def _without_statement() -> Example:
    return Example(
        "EX-UA-13",
        "Довідки про доходи немає",
        date(1948, 8, 8),
        FeeInputs(
            application_date=APPLIED,
            lost_ability=True,
            members=(FamilyMember("recipient", is_recipient=True, statement_missing=True),),
            services=_plan(),
        ),
    )


def _child() -> Example:
    def family(first: date) -> tuple[FamilyMember, ...]:
        month = (date(first.year, first.month + offset, 1) for offset in range(3))
        incomes = tuple(
            IncomeRecord(amount, day) for amount, day in zip((D(30000), D(31000), D(32500)), month, strict=True)
        )
        return (
            FamilyMember("child", is_recipient=True, is_minor=True),
            FamilyMember("mother", able_bodied=True, incomes=(IncomeRecord(D(30000), first, 3),)),
            FamilyMember(
                "father",
                able_bodied=True,
                incomes=tuple(IncomeRecord(r.amount - D(10000), r.first_month) for r in incomes),
            ),
        )

    services = (PlannedService(HOME, D("96.00"), D("62.5")),)
    return Example(
        "EX-UA-07",
        "Дитина чотирьох років, сім'я з трьох осіб",
        date(2021, 6, 15),
        FeeInputs(application_date=APPLIED, members=family(WINDOW), services=services),
        need=Need(HOME, D("85.00"), D("20")),
        reviewed=FeeInputs(application_date=date(2026, 1, 2), members=family(date(2025, 7, 1)), services=services),
    )


def _imputed() -> Example:
    return Example(
        "EX-UA-08",
        "Без доходів, працездатне подружжя без доходів",
        date(1980, 1, 10),
        FeeInputs(
            application_date=APPLIED,
            members=(
                FamilyMember("recipient", is_recipient=True),
                FamilyMember("spouse", able_bodied=True),
            ),
            services=_plan(),
        ),
    )


def _settle_example(stage: Stage, example: Example, register: Register) -> None:
    recipient = registered(
        stage,
        AUTUMN,
        code=example.code,
        full_name=f"Прикладна Особа ({example.title})",
        birth_date=example.birth_date,
        place=register.places[TERRITORIES[0][0]],
        free_category=example.free_category,
    )
    try:
        decide(stage, AUTUMN, recipient, example.inputs, (example.need,), register)
    except FeeUndetermined as refusal:
        stage.notes[example.code] = refusal.sentence
        return
    if example.reviewed is not None:
        decide_fee(
            recipient=recipient,
            inputs=example.reviewed,
            valid_from=date(2026, 1, 1),
            book=register.book,
            actor=stage.actor("sofiia"),
            at=moment(2025, 12, 15),
        )
