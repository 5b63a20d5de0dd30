"""Chapter 9: December in work, so that every role finds something to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal as D

from django.utils.translation import gettext_noop

from config.accounts.models import User
from config.accounts.people_actions import invite_user
from config.demo.chapters.competition import CRITERIA
from config.demo.chapters.ground import DAY, HOME, REHAB
from config.demo.chapters.looking_back import learn_of_hospital
from config.demo.chapters.norms import COMPONENTS, draft_norm
from config.demo.chapters.population import numbers
from config.demo.chapters.tendering import announce, declare_no_conflict
from config.demo.chapters.visits import FIRST, redeem
from config.demo.pins import pin_of
from config.demo.stage import Stage, ensure, moment
from config.demo.visits import home_visits
from config.roles import CASE_WORKER
from contracts.actions.agreements import AgreedLine
from contracts.actions.parameters import Source, propose_parameter
from contracts.actions.past_terms import propose_past_terms
from contracts.models import BudgetLine, Contract, ContractLine, NormCost, ParameterProposal, Provider, Service
from procurement.actions.bids import admit_bid, open_bids, submit_bid
from procurement.actions.competitions import draft_tender
from procurement.models import Bid, Tender
from settlement.actions.runs import propose_payment_run
from settlement.models import PaymentRun
from vouchers.models import Certificate, Redemption

DECEMBER_PEOPLE = (1, 10)


@dataclass(frozen=True)
class Order:
    """A competition for the next year. ``opened``: its bids are opened and wait for scores."""

    title: str
    service: str
    value: D
    units: D
    published: datetime
    closes: datetime
    bids: tuple[tuple[str, str, D], ...] = ()
    opened: bool = False


ORDERS = (
    # Bids have closed: the officer opens them, the members declare.
    Order(
        "Соціальне замовлення: догляд вдома, 2026",
        HOME,
        D("2600000.00"),
        D(30000),
        moment(2025, 11, 10),
        moment(2025, 12, 15, 18),
        (("TURBOTA", "nadiia", D("89.90")), ("OPORA", "taras", D("94.00"))),
    ),
    # Bids are open: the members score.
    Order(
        "Соціальне замовлення: денний догляд, 2026",
        DAY,
        D("760000.00"),
        D(1700),
        moment(2025, 11, 3),
        moment(2025, 12, 8, 18),
        (("TERCENTR", "lidiia", D("441.00")), ("TURBOTA", "nadiia", D("436.50"))),
        opened=True,
    ),
    # Bids are still welcome.
    Order(
        "Соціальне замовлення: соціально-психологічна реабілітація, 2026",
        REHAB,
        D("280000.00"),
        D(1700),
        moment(2025, 12, 8),
        moment(2026, 1, 12, 18),
    ),
)


def begin_december(stage: Stage) -> None:
    """Visits of December, a competition waiting to be judged, the returned payment proposed again."""
    stage.say(95, gettext_noop("December: work in hand"))
    _visits(stage)
    for order in ORDERS:
        tender = _tender(stage, order)
        if order.opened:
            _open(stage, tender)
    _norm_draft(stage)
    _past_days(stage)
    _new_colleague(stage)
    _parameter_draft(stage)
    learn_of_hospital(stage)
    if PaymentRun.objects.filter(organisation=stage.organisation, period=FIRST).count() == 1:
        propose_payment_run(
            organisation=stage.organisation, period=FIRST, actor=stage.actor("halyna"), at=moment(2025, 12, 16, 15)
        )


def _visits(stage: Stage) -> None:
    """Two weeks at the door; the last day's visits still wait to be confirmed."""
    provider = Provider.objects.get(code="TURBOTA")
    workers = [f"TURBOTA-W{number:02d}" for number in range(1, 3)]
    people = numbers(DECEMBER_PEOPLE)
    certificates = {
        row.recipient.code: row
        for row in Certificate.objects.filter(
            organisation=stage.organisation, valid_from=FIRST, recipient__code__in=people
        ).select_related("recipient", "organisation")
    }
    done = set(
        Redemption.objects.filter(
            provider=provider, channel="online", starts_at__gte=moment(2025, 12, 1, 0)
        ).values_list("certificate__recipient__code", "starts_at")
    )
    pins = {code: pin_of(row) for code, row in certificates.items()}
    visits = home_visits(
        recipients=people, workers=workers, service=HOME, first=date(2025, 12, 1), last=date(2025, 12, 17)
    )
    for visit in sorted(visits, key=lambda v: (v.starts_at, v.recipient)):
        today = visit.day == date(2025, 12, 17)
        if today and visit.starts_at > moment(2025, 12, 17, 9):
            continue
        if (visit.recipient, visit.starts_at) not in done:
            certificate = certificates[visit.recipient]
            redeem(stage, provider, certificate, pins[visit.recipient], visit, user="nadiia", confirm=not today)


def _tender(stage: Stage, order: Order) -> Tender:
    service = Service.objects.get(organisation=stage.organisation, code=order.service)
    officer = stage.actor("bohdan")
    tender = ensure(
        Tender.objects.filter(organisation=stage.organisation, title=order.title),
        lambda: draft_tender(
            organisation=stage.organisation,
            kind="social_order",
            title=order.title,
            budget_line=BudgetLine.objects.get(organisation=stage.organisation, code="SOC-CARE", year=2026),
            value=order.value,
            criteria=CRITERIA,
            service=service,
            norm_cost=NormCost.objects.get(
                service=service, territory=None, status="approved", valid_from=date(2025, 1, 1)
            ),
            units_planned=order.units,
            contract_from=date(2026, 1, 1),
            contract_to=date(2027, 1, 1),
            actor=officer,
            at=order.published - timedelta(days=4),
        ),
    )
    announce(
        stage,
        tender,
        approved_at=order.published - timedelta(days=3),
        appointed_at=order.published - timedelta(days=2),
        published_at=order.published,
        bids_close_at=order.closes,
    )
    for provider, user, price in order.bids:
        ensure(
            Bid.objects.filter(tender=tender, provider__code=provider),
            lambda provider=provider, user=user, price=price: submit_bid(  # type: ignore[misc]
                tender=tender,
                provider=Provider.objects.get(code=provider),
                unit_price=price,
                recipients=130,
                documents={},
                note="",
                actor=stage.actor(user),
                at=order.closes - timedelta(days=5),
            ),
        )
    return tender


def _open(stage: Stage, tender: Tender) -> None:
    """Bids are opened and admitted; every member has declared, nobody has scored yet."""
    if tender.opened_at is not None:
        return
    assert tender.bids_close_at is not None
    after = tender.bids_close_at + timedelta(hours=15)
    declare_no_conflict(stage, tender, at=after)
    open_bids(tender=tender, actor=stage.actor("bohdan"), at=after + timedelta(hours=2))
    for bid in Bid.objects.filter(tender=tender, status="opened"):
        admit_bid(bid=bid, actor=stage.actor("bohdan"), at=after + timedelta(hours=3))


def _norm_draft(stage: Stage) -> None:
    """The norm of the next year waits for its approver."""
    pay, units, share, purchases, transport = COMPONENTS[HOME]
    draft_norm(
        stage,
        HOME,
        (pay + D("700.00"), units, share, purchases, transport),
        valid_from=date(2026, 1, 1),
        act="Проєкт рішення виконкому вигаданої Вербівської міської ради",
        at=moment(2025, 12, 11),
    )


def _past_days(stage: Stage) -> None:
    """Papers of November that came late wait for the second person: a norm cost and a price of a contract."""
    pay, units, share, purchases, transport = COMPONENTS[DAY]
    draft_norm(
        stage,
        DAY,
        (pay, units, share, purchases - D("2.00"), transport),
        valid_from=date(2025, 11, 1),
        act="Рішення виконкому вигаданої Вербівської міської ради № 198 від 30.10.2025",
        at=moment(2025, 12, 12),
        reason="Рішення надійшло після закриття листопада: вартість продуктів перерахували",
    )
    contract = Contract.objects.filter(organisation=stage.organisation, provider__code="TURBOTA", status="active")
    line = ContractLine.objects.filter(contract__in=contract, service__code=HOME).latest("pk")
    ensure(
        line.contract.past_terms.all(),
        lambda: propose_past_terms(
            contract=line.contract,
            line=AgreedLine(line.service, line.unit_rate - D("1.00"), line.units_ceiling),
            valid_from=date(2025, 11, 1),
            basis="Додаткова угода № 3 від 29.10.2025",
            reason="Примірник угоди знайшли після закриття листопада",
            actor=stage.actor("bohdan"),
            at=moment(2025, 12, 12, 11),
        ),
    )


def _new_colleague(stage: Stage) -> None:
    """An invitation that nobody has followed yet waits for the administrator."""
    ensure(
        User.objects.filter(username="olha"),
        lambda: invite_user(
            username="olha",
            display_name="Ольга Вигадана",
            roles=(CASE_WORKER,),
            organisation=stage.organisation,
            password=None,
            actor=stage.actor("admin"),
            at=moment(2025, 12, 15, 11),
        ),
    )


def _parameter_draft(stage: Stage) -> None:
    """A later day for claims of the next year waits for its second person."""
    key = "claim.submit_by"
    ensure(
        ParameterProposal.objects.filter(organisation=stage.organisation, key=key),
        lambda: propose_parameter(
            organisation=stage.organisation,
            key=key,
            value="7",
            valid_from=date(2026, 1, 1),
            source=Source("Проєкт рішення виконкому вигаданої Вербівської міської ради", "DESIGN"),
            actor=stage.actor("pavlo"),
            at=moment(2025, 12, 15, 12),
        ),
    )
