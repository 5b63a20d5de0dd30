"""One short road of money, row by row: two visits of one certificate, claimed, adjudicated, posted, paid, confirmed.

Rows are made directly: every step has its own tests; here only the joins between them are tried.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from djmoney.money import Money

from config.accounts.models import Organisation, User
from contracts.models import BudgetEntry, BudgetLine, Contract, Provider, Service
from procurement.models import Award, Bid, Tender
from settlement.models import (
    Account,
    Adjudication,
    AdjudicationRun,
    Claim,
    ClaimLine,
    Entry,
    Match,
    Payment,
    PaymentRemittance,
    PaymentRun,
    Posting,
    Remittance,
    Statement,
    StatementLine,
)
from vouchers.models import Certificate, Recipient, Redemption

NOVEMBER = date(2025, 11, 1)
# Two lines: gross 170.00 and 85.00, fee 15.00 on the first.
LINES = ((17000, 1500), (8500, 0))
PAYABLE = sum(gross - fee for gross, fee in LINES)


@dataclass
class Road:
    """The rows of the road."""

    budget_line: BudgetLine
    tender: Tender
    contract: Contract
    certificate: Certificate
    redemptions: list[Redemption]
    claim: Claim
    claim_lines: list[ClaimLine]
    remittance: Remittance
    entry: Entry
    payment: Payment
    statement_line: StatementLine


def build_road(organisation: Organisation, officer: User, at: datetime, *, mark: str = "1") -> Road:
    """The whole road of one organisation; ``mark`` tells roads apart."""
    line = BudgetLine.objects.create(
        organisation=organisation, code=f"B{mark}", year=2025, amount=Money("100000", "UAH")
    )
    service = Service.objects.create(
        organisation=organisation, code=f"S{mark}", name_uk="Догляд вдома", unit="hour", granularity="0.5"
    )
    provider = Provider.objects.create(code=f"ROAD{mark}", name="Турбота", sector="nonprofit")
    tender, contract = _competition(organisation, officer, line, service, provider, at, mark)
    certificate, redemptions = _certificate(organisation, line, service, provider, at, mark)
    claim, lines = _claim(organisation, contract, certificate, redemptions, service, at, mark)
    remittance = _adjudicate(organisation, claim, lines, at)
    entry = _post(organisation, line, remittance, at, mark)
    payment, bank = _pay(organisation, officer, remittance, at, mark)
    return Road(line, tender, contract, certificate, redemptions, claim, lines, remittance, entry, payment, bank)


def _competition(
    organisation: Organisation,
    officer: User,
    line: BudgetLine,
    service: Service,
    provider: Provider,
    at: datetime,
    mark: str,
) -> tuple[Tender, Contract]:
    tender = Tender.objects.create(
        organisation=organisation,
        number=f"T-{mark}",
        kind="social_order",
        title="Догляд вдома 2025",
        service=service,
        budget_line=line,
        value=Money("50000", "UAH"),
        author=officer,
        status="planning",
    )
    contract = Contract.objects.create(
        organisation=organisation,
        number=f"K-{mark}",
        provider=provider,
        budget_line=line,
        basis="award",
        valid_from=date(2025, 1, 1),
        status="active",
    )
    bid = Bid.objects.create(tender=tender, provider=provider, status="draft")
    Award.objects.create(
        tender=tender,
        bid=bid,
        number=f"A-{mark}",
        decided_by=officer,
        decided_at=at,
        standstill_until=at,
        contract=contract,
        status="pending",
    )
    return tender, contract


def _certificate(
    organisation: Organisation, line: BudgetLine, service: Service, provider: Provider, at: datetime, mark: str
) -> tuple[Certificate, list[Redemption]]:
    recipient = Recipient.objects.create(organisation=organisation, code=f"R-{mark}", registered_at=at)
    certificate = Certificate.objects.create(
        organisation=organisation,
        number=f"CERT-{mark}",
        recipient=recipient,
        budget_line=line,
        valid_from=date(2025, 1, 1),
        status="active",
    )
    BudgetEntry.objects.create(
        budget_line=line,
        kind="reservation",
        amount_minor=90000,
        label=f"vouchers.certificate:{certificate.pk}",
        occurred_on=date(2025, 1, 1),
        recorded_at=at,
    )
    redemptions = [
        Redemption.objects.create(
            organisation=organisation,
            code=f"RD-{mark}-{number}",
            channel="online",
            certificate=certificate,
            provider=provider,
            service=service,
            starts_at=at - timedelta(days=20 + number),
            units_milli=2000,
            recorded_at=at,
            status="confirmed",
        )
        for number in (1, 2)
    ]
    return certificate, redemptions


def _claim(
    organisation: Organisation,
    contract: Contract,
    certificate: Certificate,
    redemptions: list[Redemption],
    service: Service,
    at: datetime,
    mark: str,
) -> tuple[Claim, list[ClaimLine]]:
    claim = Claim.objects.create(
        organisation=organisation,
        number=f"CL-{mark}",
        provider=contract.provider,
        contract=contract,
        period=NOVEMBER,
        recorded_at=at,
        status="draft",
    )
    lines = [
        ClaimLine.objects.create(
            claim=claim,
            line=number,
            redemption=redemption,
            certificate=certificate,
            service=service,
            service_date=date(2025, 11, 12),
            units_milli=2000,
            unit_rate_e4=850000,
            amount_e4=gross * 100,
        )
        for number, (redemption, (gross, _fee)) in enumerate(zip(redemptions, LINES, strict=True), 1)
    ]
    claim.move_to("submitted", at=at)
    claim.move_to("adjudicated", at=at)
    return claim, lines


def _adjudicate(organisation: Organisation, claim: Claim, lines: list[ClaimLine], at: datetime) -> Remittance:
    number = AdjudicationRun.objects.filter(organisation=organisation, period=NOVEMBER).count() + 1
    run = AdjudicationRun.objects.create(
        organisation=organisation,
        period=NOVEMBER,
        number=number,
        as_of=at.date(),
        recorded_at=at,
        known_at=at,
        status="done",
    )
    for line, (gross, fee) in zip(lines, LINES, strict=True):
        Adjudication.objects.create(
            run=run,
            claim=claim,
            claim_line=line,
            units_claimed=2000,
            units_allowed=2000,
            rate_claimed=850000,
            rate_allowed=850000,
            amount_claimed=gross,
            gross=gross,
            fee=fee,
            payable=gross - fee,
            outcome="accepted",
        )
    gross, fee = sum(line[0] for line in LINES), sum(line[1] for line in LINES)
    return Remittance.objects.create(
        run=run,
        claim=claim,
        provider=claim.provider,
        amount_claimed=gross,
        reductions=0,
        pended=0,
        gross=gross,
        fee=fee,
        payable=PAYABLE,
    )


def _post(organisation: Organisation, line: BudgetLine, remittance: Remittance, at: datetime, mark: str) -> Entry:
    claim = remittance.claim
    BudgetEntry.objects.create(
        budget_line=line,
        kind="spending",
        amount_minor=PAYABLE,
        label=f"settlement.claim:{claim.pk}",
        occurred_on=NOVEMBER,
        recorded_at=at,
    )
    accounts = {
        kind: Account.objects.create(organisation=organisation, code=f"{kind}:{mark}", kind=kind, currency="UAH")
        for kind in ("expense", "payable", "fee")
    }
    entry = Entry.objects.create(
        organisation=organisation,
        number=f"E-{mark}",
        date=date(2025, 12, 1),
        event="claim.adjudicated",
        label=f"settlement.claim:{claim.pk}",
        key=f"claim.adjudicated:{remittance.run_id}:{claim.pk}",
        recorded_at=at,
    )
    shared = {"entry": entry, "date": entry.date, "currency": "UAH", "claim_id": claim.pk}
    Posting.objects.bulk_create(
        [
            Posting(account=accounts["expense"], debit=remittance.gross, **shared),
            Posting(account=accounts["payable"], credit=PAYABLE, **shared),
            Posting(account=accounts["fee"], credit=remittance.fee, **shared),
        ]
    )
    return entry


def _pay(
    organisation: Organisation, officer: User, remittance: Remittance, at: datetime, mark: str
) -> tuple[Payment, StatementLine]:
    run = PaymentRun.objects.create(
        organisation=organisation,
        number=f"PR-{mark}",
        period=NOVEMBER,
        proposed_by=officer,
        proposed_at=at,
        total=Money("240", "UAH"),
        content_sha256="0" * 64,
        status="proposed",
    )
    payment = Payment.objects.create(
        organisation=organisation,
        payment_run=run,
        provider=remittance.provider,
        reference=f"E2E-{mark}",
        iban="UA213223130000026007233566001",
        amount=Money("240", "UAH"),
        status="prepared",
    )
    PaymentRemittance.objects.create(payment_run=run, payment=payment, remittance=remittance)
    statement = Statement.objects.create(
        organisation=organisation,
        iban=payment.iban,
        statement_id=f"ST-{mark}",
        format="camt.053",
        content_sha256=mark * 64,
        currency="UAH",
        imported_at=at,
        status="imported",
    )
    line = StatementLine.objects.create(
        statement=statement,
        position=1,
        booked_on=date(2025, 12, 12),
        amount_minor=-PAYABLE,
        currency="UAH",
        end_to_end_id=payment.reference,
        status="unmatched",
    )
    Match.objects.create(
        statement_line=line,
        payment=payment,
        kind="payment",
        amount_minor=-PAYABLE,
        rule="end_to_end",
        confidence=100,
        matched_at=at,
    )
    return payment, line


def settled_road(organisation: Organisation, officer: User, at: datetime, *, mark: str = "1") -> Road:
    """A road at whose end the bank has confirmed the payment."""
    road = build_road(organisation, officer, at, mark=mark)
    road.statement_line.move_to("matched", at=at)
    road.payment.move_to("sent", at=at)
    road.payment.move_to("confirmed", at=at)
    return road
