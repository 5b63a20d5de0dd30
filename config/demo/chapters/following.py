"""Chapter 9: December in work, so that every role finds something to do."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D

from config.demo.chapters.competition import COMMISSION, CRITERIA
from config.demo.chapters.ground import HOME
from config.demo.chapters.population import numbers
from config.demo.chapters.visits import FIRST, redeem
from config.demo.pins import pin_of
from config.demo.stage import Stage, ensure, moment
from config.demo.visits import home_visits
from contracts.models import BudgetLine, NormCost, Provider, Service
from procurement.actions.bids import submit_bid
from procurement.actions.competitions import appoint_commission, approve_tender, draft_tender, publish_tender
from procurement.models import Bid, Tender
from settlement.actions.runs import propose_payment_run
from settlement.models import PaymentRun
from vouchers.models import Certificate, Redemption

TITLE = "Соціальне замовлення: догляд вдома, 2026"
DECEMBER_PEOPLE = (1, 20)


def begin_december(stage: Stage) -> None:
    """Visits of December, a competition waiting to be judged, the returned payment proposed again."""
    stage.say(95, "Грудень: поточна робота")
    _visits(stage)
    _tender(stage)
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
        Redemption.objects.filter(provider=provider, channel="online", starts_at__gte=moment(2025, 12, 1, 0)).values_list(
            "certificate__recipient__code", "starts_at"
        )
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


def _tender(stage: Stage) -> None:
    service = Service.objects.get(organisation=stage.organisation, code=HOME)
    tender = ensure(
        Tender.objects.filter(organisation=stage.organisation, title=TITLE),
        lambda: draft_tender(
            organisation=stage.organisation,
            kind="social_order",
            title=TITLE,
            budget_line=BudgetLine.objects.get(organisation=stage.organisation, code="SOC-CARE", year=2026),
            value=D("2600000.00"),
            criteria=CRITERIA,
            service=service,
            norm_cost=NormCost.objects.get(service=service, territory=None, status="approved"),
            units_planned=D(30000),
            contract_from=date(2026, 1, 1),
            contract_to=date(2027, 1, 1),
            actor=stage.actor("bohdan"),
            at=moment(2025, 11, 6),
        ),
    )
    if tender.status == "planning":
        approve_tender(tender=tender, actor=stage.actor("oksana"), at=moment(2025, 11, 7))
        tender.refresh_from_db()
    if tender.status == "planned":
        appoint_commission(
            tender=tender,
            chair=stage.people[COMMISSION[0]],
            members=[stage.people[name] for name in COMMISSION[1:]],
            actor=stage.actor("bohdan"),
            at=moment(2025, 11, 7, 12),
        )
        publish_tender(
            tender=tender,
            bids_close_at=moment(2025, 12, 15, 18),
            actor=stage.actor("bohdan"),
            at=moment(2025, 11, 10),
        )
        tender.refresh_from_db()
    for provider, user, price in (("TURBOTA", "nadiia", D("89.90")), ("OPORA", "taras", D("94.00"))):
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
                at=moment(2025, 12, 4),
            ),
        )
