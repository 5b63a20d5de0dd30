"""A small provider begins in November: its contract and norms, its people, the visits that it reports.

What is odd among its visits is weighed in the chapter of evidence.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal as D

from django.utils.translation import gettext_noop

from config.demo.cast import NEWCOMER
from config.demo.chapters.ground import ADAPTATION, CRISIS, HOME, admitted, person
from config.demo.chapters.intake import Intake, Need, Register, settle
from config.demo.chapters.norms import Components, set_norm
from config.demo.chapters.population import APPLIED, WINDOW
from config.demo.chapters.visits import FIRST, REPORTED_AT, Reported, certificate_numbers, report
from config.demo.people import demo_recipient
from config.demo.stage import KYIV, Stage, ensure, moment
from config.demo.visits import Visit
from contracts.actions.agreements import AgreedLine, conclude_register_contract, sign_contract
from contracts.actions.check_facts import require_evidence, set_schedule
from contracts.actions.parameters import Source, approve_parameter, propose_parameter
from contracts.actions.register import add_worker
from contracts.models import (
    BudgetLine,
    Contract,
    ParameterProposal,
    Provider,
    ProviderSchedule,
    RequiredEvidence,
    Service,
    Worker,
)
from vouchers.actions.check_facts import begin_emergency, record_other_funding, record_state_task
from vouchers.actions.mandates import record_mandate
from vouchers.models import EmergencyCase, Mandate, OtherFunding, Recipient, StateTask

CODE, TITLE, NUMBER = "SVITANOK", "ТОВ «Світанок» (вигадане)", "C-2025-SVITANOK"
USER = NEWCOMER.username
PRICES = {HOME: D("94.00"), ADAPTATION: D("56.00"), CRISIS: D("300.00")}
AGREED = moment(2025, 10, 27, 11)
WORKERS = (("W01", "Мальована Дарина"), ("W02", "Гайова Ірина"), ("W03", "Світла Оксана"))
W01, W02, W03 = (f"{CODE}-{code}" for code, _ in WORKERS)
MEETING = Need(ADAPTATION, PRICES[ADAPTATION], D(8))
CARE = Need(HOME, PRICES[HOME], D(16))
URGENT = Need(CRISIS, PRICES[CRISIS], D(2))
NEWCOMERS = Intake(APPLIED, WINDOW, starts=FIRST, last=date(2025, 12, 31))
GROUP, SMALL_GROUP = range(456, 468), range(456, 464)
AT_HOME = (460, 461, 462, 463, 465, 466, 468)
# Who is who among them: who has a relative for a worker, whose care a fund pays, who was helped at once.
KIN, FUNDED, IN_TASK, HELPED_AT_ONCE, PLANNED_HELP = 463, 462, 466, 467, 464
NEIGHBOURS = "R-0051"  # TURBOTA comes to her, too

# Pay of the worker a month, working hours a month, share of contact time, purchases, transport.
GROUP_NORM: Components = (D("12000.00"), D("167"), D("0.80"), D("22.00"), D("4.00"))
GROUP_NORM_LATER: Components = (D("12000.00"), D("167"), D("0.80"), D("18.00"), D("4.00"))
CRISIS_NORM: Components = (D("14000.00"), D("167"), D("0.75"), D("12.00"), D("60.00"))
CHANGED = date(2025, 11, 17)


def open_newcomer(stage: Stage) -> None:
    """What stands on record before anything is claimed."""
    stage.say(63, gettext_noop("A small provider begins"))
    _norms(stage)
    provider = known_provider(stage)
    _workers(stage, provider)
    _contract(stage, provider)
    _people(stage)
    _law(stage, provider)
    _facts(stage, provider)
    certificates = certificate_numbers(stage)
    report(stage, CODE, USER, FIRST, visits(), certificates, at=REPORTED_AT)
    report(stage, "TURBOTA", "nadiia", FIRST, granted_visits(), certificates, at=REPORTED_AT)


def known_provider(stage: Stage) -> Provider:
    """The newcomer on the register; its representative steps onto the stage."""
    stage.people[USER] = person(NEWCOMER, stage.organisation)
    admitted(stage, CODE, TITLE, "private", "40000081", "UA323052990000026001234567807", USER, (), 0)
    return Provider.objects.get(code=CODE)


def recipient(stage: Stage, number: int) -> Recipient:
    """Somebody of the register by number."""
    return Recipient.objects.get(organisation=stage.organisation, code=f"R-{number:04d}")


def service(stage: Stage, code: str) -> Service:
    """A service of the catalogue."""
    return Service.objects.get(organisation=stage.organisation, code=code)


def _norms(stage: Stage) -> None:
    """Two services more; the norm of one of them is lowered inside November."""
    year, act = date(2026, 1, 1), "Рішення виконкому вигаданої Вербівської міської ради № 188 від 23.10.2025"
    before, after = moment(2025, 10, 20), moment(2025, 10, 21)
    for code, components, first, at in (
        (CRISIS, CRISIS_NORM, date(2025, 1, 1), before),
        (ADAPTATION, GROUP_NORM, date(2025, 1, 1), before),
        (ADAPTATION, GROUP_NORM_LATER, CHANGED, after),
    ):
        set_norm(stage, code, components, valid_from=first, valid_to=year, act=act, decided=at)


def _workers(stage: Stage, provider: Provider) -> None:
    for code, name in WORKERS:
        ensure(
            Worker.objects.filter(code=f"{CODE}-{code}"),
            lambda code=code, name=name: add_worker(  # type: ignore[misc]
                organisation=stage.organisation,
                provider=provider,
                code=f"{CODE}-{code}",
                full_name=name,
                services=[service(stage, key) for key in PRICES],
                valid_from=date(2025, 10, 1),
                actor=stage.actor("bohdan"),
                at=AGREED,
            ),
        )


def _contract(stage: Stage, provider: Provider) -> None:
    contract = ensure(
        Contract.objects.filter(organisation=stage.organisation, number=NUMBER),
        lambda: conclude_register_contract(
            organisation=stage.organisation,
            provider=provider,
            budget_line=BudgetLine.objects.get(organisation=stage.organisation, code="SOC-CARE", year=2025),
            lines=[AgreedLine(service(stage, code), price) for code, price in PRICES.items()],
            valid_from=FIRST,
            valid_to=date(2026, 1, 1),
            number=NUMBER,
            actor=stage.actor("bohdan"),
            at=AGREED,
        ),
    )
    if contract.status == "pending":
        sign_contract(
            contract=contract,
            provider_user_id=stage.people[USER].pk,
            actor=stage.actor("bohdan"),
            at=AGREED + timedelta(hours=2),
        )


def _people(stage: Stage) -> None:
    register = Register.of(stage)
    for number in sorted({*GROUP, *AT_HOME}):
        needs = [MEETING] * (number in GROUP) + [CARE] * (number in AT_HOME) + [URGENT] * (number == PLANNED_HELP)
        if not Recipient.objects.filter(code=f"R-{number:04d}", certificates__isnull=False).exists():
            settle(stage, NEWCOMERS, demo_recipient(number), needs, register)
    kin = recipient(stage, KIN)
    ensure(
        Mandate.objects.filter(recipient=kin),
        lambda: record_mandate(
            recipient=kin,
            representative="Гайова Ірина",
            basis="Довіреність (вигадана) від 02.09.2025",
            valid_from=date(2025, 9, 2),
            last_day=None,
            actor=stage.actor("sofiia"),
            at=NEWCOMERS.at(0, 12),
        ),
    )


def _law(stage: Stage, provider: Provider) -> None:
    """The municipality refuses what a state task pays; an urgent visit needs its act; Sunday is a day off."""
    proposal = ensure(
        ParameterProposal.objects.filter(organisation=stage.organisation, key="check.CLM-30.severity"),
        lambda: propose_parameter(
            organisation=stage.organisation,
            key="check.CLM-30.severity",
            value="R",
            valid_from=FIRST,
            source=Source("Рішення виконкому вигаданої Вербівської міської ради № 189 від 23.10.2025", "DESIGN"),
            actor=stage.actor("pavlo"),
            at=moment(2025, 10, 24),
        ),
    )
    if proposal.status == "draft":
        approve_parameter(proposal=proposal, actor=stage.actor("oksana"), at=moment(2025, 10, 24, 15))
    ensure(
        RequiredEvidence.objects.filter(service=service(stage, CRISIS)),
        lambda: require_evidence(
            organisation=stage.organisation,
            service=service(stage, CRISIS),
            valid_from=FIRST,
            valid_to=None,
            actor=stage.actor("bohdan"),
            at=AGREED,
        ),
    )
    ensure(
        ProviderSchedule.objects.filter(provider=provider),
        lambda: set_schedule(
            organisation=stage.organisation,
            provider=provider,
            weekdays_off=[6],
            valid_from=FIRST,
            valid_to=None,
            actor=stage.actor("bohdan"),
            at=AGREED,
        ),
    )


def _facts(stage: Stage, provider: Provider) -> None:
    """Who else pays for care, and who was helped before the papers."""
    worker, home = stage.actor("sofiia"), service(stage, HOME)
    ensure(
        OtherFunding.objects.filter(recipient=recipient(stage, FUNDED)),
        lambda: record_other_funding(
            organisation=stage.organisation,
            recipient=recipient(stage, FUNDED),
            service=home,
            source="grant",
            reference="Благодійна програма (вигадана), лист № 12",
            valid_from=date(2025, 11, 10),
            valid_to=date(2025, 11, 15),
            actor=worker,
            at=moment(2025, 11, 20),
        ),
    )
    ensure(
        StateTask.objects.filter(provider=provider),
        lambda: record_state_task(
            organisation=stage.organisation,
            provider=provider,
            service=home,
            recipient=recipient(stage, IN_TASK),
            reference="Державне завдання (вигадане) № 3",
            valid_from=date(2025, 11, 24),
            valid_to=date(2025, 12, 1),
            actor=worker,
            at=moment(2025, 11, 21),
        ),
    )
    ensure(
        EmergencyCase.objects.filter(recipient=recipient(stage, HELPED_AT_ONCE)),
        lambda: begin_emergency(
            organisation=stage.organisation,
            recipient=recipient(stage, HELPED_AT_ONCE),
            service=service(stage, CRISIS),
            began_on=date(2025, 11, 3),
            act_on=date(2025, 11, 12),
            actor=worker,
            at=moment(2025, 11, 12, 15),
        ),
    )


def visits() -> list[Reported]:
    """The visits of November; odd ones among them."""
    return [Reported(code_of(visit), visit) for visit in sorted(_visits(), key=lambda v: (v.starts_at, v.recipient))]


def code_of(visit: Visit) -> str:
    """The provider's own code: person, day and hour."""
    return f"Z-{visit.recipient[2:]}-{visit.starts_at:%d%H}"


def granted_visits() -> list[Reported]:
    """Two visits of another provider that it will claim under its grant."""
    days = (date(2025, 11, 20), date(2025, 11, 27))
    made = (_visit(468, day, "10:00", "1.5", worker="TURBOTA-W16") for day in days)
    return [Reported(f"T-GRANT-{number}", visit) for number, visit in enumerate(made, 1)]


def _visits() -> Iterator[Visit]:
    yield from _care()
    yield from _meetings()
    for day in (3, 4):
        yield _visit(HELPED_AT_ONCE, _day(day), "17:00", "1", what=CRISIS, worker=W03)
    yield _visit(PLANNED_HELP, _day(12), "17:00", "1", what=CRISIS, worker=W03)


def _care() -> Iterator[Visit]:
    for day in (3, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28):
        yield _visit(460, _day(day), "10:00")
        # On one day the next visit begins ten minutes later, by its scan far away.
        yield _visit(461, _day(day), "11:10" if day == 19 else "12:00")
        yield _visit(FUNDED, _day(day), "14:00")
    yield _visit(460, _day(16), "10:00")  # a Sunday
    for day in (3, 6, 10, 13, 17, 20, 24, 27, 29):
        yield _visit(KIN, _day(day), "15:00", "1.5", worker=W02)
    for day in (4, 11):
        yield _visit(465, _day(day), "14:00")
    for day in (6, 13, 27):
        yield _visit(IN_TASK, _day(day), "10:00")
    for day in (4, 11, 18, 25):
        yield _visit(468, _day(day), "16:00")
    yield _visit(51, _day(10), "08:30")  # while TURBOTA is there


def _meetings() -> Iterator[Visit]:
    for day in (4, 11, 18, 25):
        for number in GROUP if day == 18 else SMALL_GROUP:
            yield _visit(number, _day(day), "10:00", what=ADAPTATION, worker=W03)


def _day(number: int) -> date:
    return date(2025, 11, number)


def _visit(number: int, day: date, starts: str, hours: str = "1", *, what: str = HOME, worker: str = W01) -> Visit:
    start = datetime.combine(day, time.fromisoformat(starts), KYIV)
    return Visit(f"R-{number:04d}", worker, what, start, start + timedelta(hours=float(hours)), D(hours))
