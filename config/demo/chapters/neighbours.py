"""The neighbouring municipality: certificates of each are used in the other, and the two months are set off.

October: two people of the neighbour are visited here, by a provider whose money then waits for the answer to a
complaint; a man of ours is visited there. November: he is visited there again, and one visit is disputed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal as D
from typing import Any

from django.utils.translation import gettext_noop

from config.accounts.actions import create_organisation
from config.accounts.models import Organisation
from config.audit.actors import SYSTEM
from config.demo.calendar import CLOSED, JUDGED, PROPOSED, SUBMITTED, MonthDays
from config.demo.cast import NEIGHBOURS
from config.demo.chapters.claims import judge
from config.demo.chapters.ground import FOUNDED, HOME, admitted, person
from config.demo.chapters.intake import Intake, Need, Register, settle
from config.demo.chapters.norms import draft_norm
from config.demo.chapters.payment import close, hear_the_bank, pay_month, send
from config.demo.chapters.visits import Reported, certificate_numbers, redeem, report
from config.demo.people import demo_recipient
from config.demo.pins import pin_of
from config.demo.stage import Stage, ensure, moment
from config.demo.visits import Visit, home_visits
from contracts.actions.agreements import AgreedLine, conclude_register_contract, sign_contract
from contracts.actions.budgets import add_budget_line
from contracts.actions.catalogue import add_territory
from contracts.actions.clearing import offer_agreement, sign_agreement
from contracts.actions.norms import approve_norm_cost
from contracts.actions.reference import adopt_service_list
from contracts.models import BudgetLine, ClearingAgreement, Contract, Provider, Service, Territory
from settlement.actions.claims import create_claim_from_redemptions, submit_claim
from settlement.actions.clearing import agree_statement, dispute_line, draw_statement
from settlement.actions.holds import lift_hold, place_hold
from settlement.actions.runs import propose_payment_run
from settlement.models import Claim, ClearingStatement, ClosedMonth, PaymentHold, PaymentRun
from vouchers.models import Certificate, Recipient, Redemption

CODE = "kalynivka"
FIRST_CLEARED, SECOND_CLEARED = date(2025, 10, 1), date(2025, 11, 1)
AGREED = moment(2025, 9, 15, 11)
AUTUMN = Intake(date(2025, 9, 8), window=date(2025, 4, 1), starts=FIRST_CLEARED, last=date(2025, 12, 31))
# Here: who serves the guests, at which price, and its people of ours; there: the same.
HERE, PRICE_HERE, OURS = "ZATYSHOK", D("88.00"), (444, 445)
THERE, PRICE_THERE = "SUSIDY", D("84.00")
AWAY, GUESTS = 447, (451, 452)
# Pay of the worker lower than in town: the neighbour's own norm is below the price here and caps what it refunds.
NORM_THERE = (D("8000.00"), D("167"), D("0.80"), D("1.90"), D("2.35"))
LATER = 13  # working days by which a complaint put off the payment of October


def meet_neighbours(stage: Stage) -> None:
    """Another municipality with a provider, agreements in both directions, people who live between the two."""
    stage.say(7, gettext_noop("The neighbouring municipality"))
    beside = neighbour(stage)
    _services(beside)
    _contract(stage, HERE, "larysa", PRICE_HERE)
    _contract(beside, THERE, "stefaniia", PRICE_THERE)
    for home, host, norm in ((stage, beside, "host"), (beside, stage, "home")):
        _agree(home, host, norm)
    for side, people in ((stage, (*OURS, AWAY)), (beside, GUESTS)):
        _people(side, people)


def neighbour(stage: Stage) -> Stage:
    """The stage of the neighbour: its people play the parts that ours are named after."""
    organisation = ensure(
        Organisation.objects.filter(code=CODE),
        lambda: create_organisation(
            code=CODE,
            name="Калинівська сільська територіальна громада (вигадана)",
            jurisdiction="UA",
            registration_code="40000074",
            iban="UA123052990000035400000000003",
            clock_offset=stage.organisation.clock_offset,
            is_demo=True,
            actor=SYSTEM,
            at=FOUNDED,
        ),
    )
    known = {row.username: person(row, organisation) for row in NEIGHBOURS}
    parts = {"bohdan": "yaroslav", "admin": "yaroslav", "sofiia": "zoriana", "halyna": "kateryna", "ivan": "mykhailo"}
    people = known | {part: known[username] for part, username in parts.items()}
    return Stage(organisation=organisation, people=people, say=stage.say)


def _services(beside: Stage) -> None:
    """Budget, territory, services, the norm of home care, a provider of its own."""
    office: dict[str, Any] = {"organisation": beside.organisation}
    ensure(
        BudgetLine.objects.filter(**office),
        lambda: add_budget_line(
            **office,
            code="SOC-CARE",
            year=2025,
            title="Соціальні послуги за сертифікатами",
            programme="0813105",
            economic_code="2240",
            source="місцевий бюджет",
            amount=D("180000.00"),
            actor=beside.actor("halyna"),
            at=FOUNDED,
        ),
    )
    by: dict[str, Any] = office | {"actor": beside.actor("bohdan"), "at": FOUNDED}
    ensure(
        Territory.objects.filter(**office),
        lambda: add_territory(**by, code="KALYNIVKA", title="село Калинівка", kind="rural"),
    )
    if not Service.objects.filter(**office).exists():
        adopt_service_list(**by, limits={})
    norm = draft_norm(
        beside,
        HOME,
        NORM_THERE,
        valid_from=date(2025, 1, 1),
        valid_to=date(2026, 1, 1),
        act="Рішення виконкому вигаданої Калинівської сільської ради № 41 від 18.12.2024",
        at=moment(2024, 12, 16),
    )
    if norm.status == "draft":
        approve_norm_cost(norm=norm, actor=beside.actor("ivan"), at=moment(2024, 12, 16))
    admitted(
        beside, THERE, "ГО «Добрі сусіди» (вигадана)", "nonprofit", "40000090", "UA593052990000026001234567806",
        "stefaniia", (HOME,), 1,
    )  # fmt: skip


def _contract(stage: Stage, provider: str, user: str, price: D) -> None:
    """Home care from October, for whoever chooses the provider; where it has nobody yet, it takes a worker on."""
    owner = Provider.objects.get(code=provider)
    contract = ensure(
        Contract.objects.filter(organisation=stage.organisation, provider=owner),
        lambda: conclude_register_contract(
            organisation=stage.organisation,
            provider=owner,
            budget_line=BudgetLine.objects.get(organisation=stage.organisation, code="SOC-CARE", year=2025),
            lines=[AgreedLine(Service.objects.get(organisation=stage.organisation, code=HOME), price, None)],
            valid_from=FIRST_CLEARED,
            valid_to=date(2026, 1, 1),
            number=f"C-2025-{provider}",
            actor=stage.actor("bohdan"),
            at=AGREED,
        ),
    )
    if contract.status == "pending":
        user_id = stage.people[user].pk
        sign_contract(contract=contract, provider_user_id=user_id, actor=stage.actor("bohdan"), at=moment(2025, 9, 17))


def _agree(home: Stage, host: Stage, norm: str) -> None:
    """Certificates of one are good in the other from October."""
    sides: dict[str, Any] = {"home": home.organisation, "host": host.organisation}
    agreement = ensure(
        ClearingAgreement.objects.filter(**sides),
        lambda: offer_agreement(
            **sides,
            organisation=home.organisation,
            norm=norm,
            valid_from=FIRST_CLEARED,
            last_day=None,
            actor=home.actor("admin"),
            at=AGREED,
        ),
    )
    sign_agreement(
        organisation=host.organisation, agreement_id=agreement.pk, actor=host.actor("admin"), at=moment(2025, 9, 16)
    )


def _people(stage: Stage, people: Iterable[int]) -> None:
    register, codes = Register.of(stage), [demo_recipient(number).code for number in people]
    mine = Recipient.objects.filter(organisation=stage.organisation, code__in=codes)
    done = set(mine.filter(certificates__isnull=False).values_list("code", flat=True))
    places = list(register.places)
    for number in people:
        known = demo_recipient(number)
        if known.code not in done:
            place = known.territory if known.territory in places else places[0]
            settle(stage, AUTUMN, replace(known, territory=place), [Need(HOME, PRICE_HERE, D("21"))], register)


def serve_guests(stage: Stage, days: MonthDays) -> None:
    """October: visits at the door of guests on both sides, and the claims of the two providers."""
    beside, month = neighbour(stage), days.month
    ours = [demo_recipient(number).code for number in OURS]
    _at_the_door(stage, HERE, "larysa", beside, GUESTS, date(2025, 10, 13), date(2025, 10, 24))
    _at_the_door(beside, THERE, "stefaniia", stage, (AWAY,), date(2025, 10, 10), date(2025, 10, 29))
    visits = home_visits(
        recipients=ours, workers=[f"{HERE}-W02"], service=HOME, first=date(2025, 10, 1), last=date(2025, 10, 31)
    )
    known = [Reported(f"Z-{number:03d}", visit) for number, visit in enumerate(visits, 1)]
    numbers = certificate_numbers(stage, AUTUMN.starts)
    report(stage, HERE, "larysa", month, known, numbers, at=days.at(SUBMITTED - 1, 16))
    _claim(stage, HERE, "larysa", month, at=days.at(SUBMITTED, 12))
    _claim(beside, THERE, "stefaniia", month, at=days.at(SUBMITTED, 12))


def _at_the_door(
    stage: Stage, provider: str, user: str, home: Stage, people: Iterable[int], first: date, last: date
) -> None:
    """Visits of another municipality's people at a provider of this one, confirmed by their PIN."""
    owner = Provider.objects.get(code=provider)
    codes = [demo_recipient(number).code for number in people]
    certificates = {
        row.recipient.code: row
        for row in Certificate.objects.filter(
            organisation=home.organisation, valid_from=AUTUMN.starts, recipient__code__in=codes
        ).select_related("recipient", "organisation")
    }
    done = Redemption.objects.filter(provider=owner, channel="online", status="confirmed")
    known = set(done.values_list("certificate__home__recipient__code", "starts_at"))
    visits = home_visits(recipients=codes, workers=[f"{provider}-W01"], service=HOME, first=first, last=last)
    for visit in sorted(visits, key=_begins):
        if (visit.recipient, visit.starts_at) not in known:
            certificate = certificates[visit.recipient]
            redeem(stage, owner, certificate, pin_of(certificate), visit, user=user)


def _begins(visit: Visit) -> tuple[datetime, str]:
    return visit.starts_at, visit.recipient


def _claim(stage: Stage, provider: str, user: str, month: date, *, at: datetime) -> Claim:
    """A claim of every visit of a month that is on record, handed in."""
    owner = Provider.objects.get(code=provider)
    mine: dict[str, Any] = {"organisation": stage.organisation, "provider": owner, "period": month}
    by: dict[str, Any] = {"actor": stage.actor(user), "at": at}
    contract = Contract.objects.get(organisation=stage.organisation, provider=owner)
    made = ensure(Claim.objects.filter(**mine), lambda: create_claim_from_redemptions(**mine, **by, contract=contract))
    if made.status == "draft":
        submit_claim(organisation=stage.organisation, claim_id=made.pk, **by)
    return made


def hold_back(stage: Stage, days: MonthDays) -> None:
    """A recipient complains after the claim was judged: its payment waits."""
    claim = Claim.objects.get(organisation=stage.organisation, provider__code=HERE, period=days.month)
    ensure(
        PaymentHold.objects.filter(claim=claim),
        lambda: place_hold(
            organisation=stage.organisation,
            target=claim,
            reason="Скарга отримувачки від 10.11.2025: просить перевірити дні візитів. Чекаємо на журнал надавача.",
            from_date=days.day(JUDGED),
            actor=stage.actor("halyna"),
            at=days.at(JUDGED, 16),
        ),
    )


def set_off_october(stage: Stage) -> None:
    """The neighbour pays its provider and closes October; the two sides sign what they owe each other."""
    stage.say(12, gettext_noop("Clearing with the neighbouring municipality"))
    beside, days = neighbour(stage), MonthDays.of(stage.organisation, FIRST_CLEARED)
    _settle_month(beside, days)
    statement = _drawn(stage, stage, beside, FIRST_CLEARED, moment(2025, 11, 18, 10))
    for side, at in ((beside, moment(2025, 11, 19, 11)), (stage, moment(2025, 11, 20, 15))):
        agree_statement(organisation=side.organisation, statement_id=statement.pk, actor=side.actor("ivan"), at=at)
    _let_go(stage, days)


def _settle_month(stage: Stage, days: MonthDays) -> None:
    if not ClosedMonth.objects.filter(organisation=stage.organisation, month=days.month).exists():
        judge(stage, days.month, at=days.at(JUDGED, 10))
        hear_the_bank(stage, pay_month(stage, days), days, quiet=True)
        close(stage, days)


def _drawn(drawer: Stage, stage: Stage, beside: Stage, month: date, at: datetime) -> ClearingStatement:
    other = beside if drawer is stage else stage
    return draw_statement(
        organisation=drawer.organisation, other=other.organisation, month=month, actor=drawer.actor("halyna"), at=at
    )


def _let_go(stage: Stage, days: MonthDays) -> None:
    """The visits are proved: another person lifts the hold, and a run of its own pays."""
    hold = PaymentHold.objects.get(organisation=stage.organisation, claim__period=days.month)
    if hold.lifted_at is None:
        lift_hold(
            organisation=stage.organisation,
            hold_id=hold.pk,
            reason="Журнал візитів отримано, отримувачка підтвердила всі дні.",
            actor=stage.actor("ivan"),
            at=moment(2025, 11, 27, 14),
        )
    runs = PaymentRun.objects.filter(organisation=stage.organisation, period=days.month)
    run = runs.filter(payments__provider__code=HERE).first() or (
        propose_payment_run(
            organisation=stage.organisation,
            period=days.month,
            actor=stage.actor("halyna"),
            at=days.at(PROPOSED + LATER, 11),
        ).run
    )
    if run.status in ("proposed", "approved"):
        send(stage, run, days, later=LATER, reason="Платіж, затриманий через скаргу, яку розглянуто.")


def dispute_november(stage: Stage) -> None:
    """The neighbour draws November up; we dispute a visit, it signs anew, and our signature is still to come."""
    beside, days = neighbour(stage), MonthDays.of(stage.organisation, SECOND_CLEARED)
    _at_the_door(beside, THERE, "stefaniia", stage, (AWAY,), date(2025, 11, 3), date(2025, 11, 19))
    _claim(beside, THERE, "stefaniia", days.month, at=days.at(SUBMITTED, 12))
    _settle_month(beside, days)
    statement = _drawn(beside, stage, beside, days.month, days.at(CLOSED, 18))
    line = statement.lines.order_by("-item__claim_line__service_date").first()
    assert line is not None
    if line.disputed_at is None:
        dispute_line(
            organisation=stage.organisation,
            statement_id=statement.pk,
            line_id=line.pk,
            reason="Родина каже, що в середу 19 листопада отримувач був уже вдома, у Вербівці.",
            actor=stage.actor("halyna"),
            at=moment(2025, 12, 16, 11),
        )
    agree_statement(
        organisation=beside.organisation,
        statement_id=statement.pk,
        actor=beside.actor("ivan"),
        at=moment(2025, 12, 16, 14),
    )
