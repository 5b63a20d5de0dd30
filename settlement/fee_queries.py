"""Reads of recipients' fees: notices with what was charged, received, given back and is left. Minor units."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Case, F, IntegerField, Max, OuterRef, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce

from config.accounts.models import Organisation, User
from contracts.models import Provider, Service
from settlement.models import FeeCharge, FeeNotice, FeeReceipt, FeeRefund, Posting
from settlement.models.fees import NOT_GIVEN

# The event of fees that went on to the provider.
PASSED_ON = "fee.passed_on"

# What adjudication has laid on recipients for a month less what their notices say already, by provider.
_UNCHARGED = """
WITH owed AS (
    SELECT c.recipient_id, q.provider_id, sum(a.fee)::bigint AS amount
    FROM settlement_adjudication a
    JOIN settlement_adjudicationrun r ON r.id = a.run_id AND r.status = 'done'
    JOIN settlement_claimline l ON l.id = a.claim_line_id
    JOIN settlement_claim q ON q.id = l.claim_id
    JOIN vouchers_certificate c ON c.id = COALESCE(l.certificate_id, (SELECT k.id FROM vouchers_certificate k
        WHERE k.organisation_id = q.organisation_id AND k.number = l.certificate_number))
    WHERE q.organisation_id = %(office)s AND q.period = %(month)s AND a.fee <> 0
    GROUP BY 1, 2
), charged AS (
    SELECT n.recipient_id, f.provider_id, sum(f.amount_minor)::bigint AS amount
    FROM settlement_feecharge f JOIN settlement_feenotice n ON n.id = f.notice_id
    WHERE n.organisation_id = %(office)s AND n.month = %(month)s GROUP BY 1, 2
)
SELECT recipient_id, provider_id, COALESCE(o.amount, 0) - COALESCE(c.amount, 0) AS amount
FROM owed o FULL JOIN charged c USING (recipient_id, provider_id)
WHERE COALESCE(o.amount, 0) <> COALESCE(c.amount, 0) ORDER BY 1, 2
"""


def uncharged(organisation: Organisation, month: date) -> list[tuple[int, int, int]]:
    """(recipient, provider, amount) that notices of the month do not say yet; negative when a fee became less."""
    with connection.cursor() as cursor:
        cursor.execute(_UNCHARGED, {"office": organisation.pk, "month": month})
        return [(int(recipient), int(provider), int(amount)) for recipient, provider, amount in cursor.fetchall()]


def fee_notices(organisation: Organisation, q: str = "", state: str = "") -> QuerySet[FeeNotice, Any]:
    """Notices of an office, newest month first; search by number, reference or the recipient's code."""
    rows = with_sums(FeeNotice.objects.filter(organisation=organisation))
    if q:
        key = q.replace(" ", "").upper()
        rows = (
            rows.filter(number__istartswith=q)
            | rows.filter(rf_reference=key)
            | rows.filter(recipient__code__istartswith=q)
        )
    if state == "open":
        rows = rows.filter(left_minor__gt=0)
    elif state == "overpaid":
        rows = rows.filter(left_minor__lt=0)
    return rows.order_by("-month", "number")


def own_fee_notices(user: User, state: str = "") -> QuerySet[FeeNotice, Any]:
    """Notices of the recipient who is signed in; ``state`` «open»: those with something left to pay."""
    rows = with_sums(FeeNotice.objects.filter(recipient__user=user))
    if state == "open":
        rows = rows.filter(left_minor__gt=0)
    return rows.order_by("-month")


def with_sums(rows: QuerySet[FeeNotice, FeeNotice]) -> QuerySet[Any, Any]:
    """Notices with charged_minor, received_minor, refunded_minor and left_minor (negative: paid too much)."""
    refunds = FeeRefund.objects.filter(status="refunded")
    return (
        rows.select_related("recipient", "organisation")
        .annotate(
            charged_minor=_sum(FeeCharge.objects.all(), "notice"),
            received_minor=_sum(FeeReceipt.objects.all(), "notice"),
            refunded_minor=_sum(refunds, "receipt__notice"),
        )
        .annotate(left_minor=F("charged_minor") - F("received_minor") + F("refunded_minor"))
    )


def _sum(rows: QuerySet[Any, Any], link: str) -> Coalesce:
    total = rows.filter(**{link: OuterRef("pk")}).order_by().values(link).annotate(total=Sum("amount_minor"))
    return Coalesce(Subquery(total.values("total"), output_field=IntegerField()), Value(0))


def receipts_of(notice: FeeNotice) -> QuerySet[FeeReceipt, Any]:
    """Receipts of a notice, each with what went back or is about to (``given_minor``) and what can (``kept_minor``);
    undone ones and what undoes them stand there too.
    """
    live = FeeRefund.objects.exclude(status__in=NOT_GIVEN)
    parts = ("statement_line__statement", "undone_by", "undoes")
    rows = notice.receipts.select_related(*parts).annotate(given_minor=_sum(live, "receipt"))
    kept = Case(When(undone_by=None, undoes=None, then=F("amount_minor") - F("given_minor")), default=Value(0))
    return rows.annotate(kept_minor=kept).order_by("id")


def refunds_of(notice: FeeNotice) -> QuerySet[FeeRefund, Any]:
    """Refunds of a notice, oldest first."""
    rows = FeeRefund.objects.filter(receipt__notice=notice)
    return rows.select_related("receipt", "requested_by", "approved_by").order_by("id")


@dataclass(frozen=True)
class FeeOfService:
    """A service behind a notice, with its unit: ``units`` thousandths, ``rate`` ten-thousandths, else minor units."""

    provider: str
    service: str
    units: int
    rate: int
    cost: int
    fee: int


# What runs had adjudicated when the notice was last charged; decisions that were taken back cancel out.
_SERVICES = """
SELECT p.name, l.service_id, l.service_code, sum(a.units_allowed)::bigint, a.rate_allowed,
    sum(a.gross)::bigint, sum(a.fee)::bigint
FROM settlement_adjudication a
JOIN settlement_adjudicationrun r ON r.id = a.run_id AND r.status = 'done' AND r.recorded_at <= %(charged_at)s
JOIN settlement_claimline l ON l.id = a.claim_line_id
JOIN settlement_claim q ON q.id = a.claim_id
JOIN contracts_provider p ON p.id = q.provider_id
JOIN vouchers_certificate c ON c.id = COALESCE(l.certificate_id, (SELECT k.id FROM vouchers_certificate k
    WHERE k.organisation_id = q.organisation_id AND k.number = l.certificate_number))
WHERE q.organisation_id = %(office)s AND q.period = %(month)s AND c.recipient_id = %(recipient)s AND a.fee <> 0
GROUP BY 1, 2, 3, 5 HAVING sum(a.fee) <> 0 ORDER BY 1, 3, 5
"""


def services_of(notice: FeeNotice) -> list[FeeOfService]:
    """The services whose fees a notice asks for, by provider, service and price: three queries."""
    charged_at = notice.charges.aggregate(last=Max("charged_at"))["last"]
    asked: dict[str, Any] = {"office": notice.organisation_id, "month": notice.month, "charged_at": charged_at}
    with connection.cursor() as cursor:
        cursor.execute(_SERVICES, asked | {"recipient": notice.recipient_id})
        rows = cursor.fetchall()
    known = Service.objects.in_bulk({row[1] for row in rows})
    return [_fee_of(known.get(row[1]), *row) for row in rows]


def _fee_of(
    service: Service | None, provider: str, _key: int | None, code: str, units: int, rate: int, cost: int, fee: int
) -> FeeOfService:
    name = f"{service.name}, {service.get_unit_display()}" if service else code
    return FeeOfService(provider, name, int(units), int(rate), int(cost), int(fee))


def months_to_charge(organisation: Organisation) -> list[tuple[date, int, bool]]:
    """Months with adjudicated fees in no notice yet: the month, the sum, whether it has notices; the latest twelve."""
    with connection.cursor() as cursor:
        cursor.execute(_MONTHS, {"office": organisation.pk})
        return [(month, int(amount), bool(begun)) for month, amount, begun in cursor.fetchall()]


_MONTHS = """
WITH owed AS (
    SELECT r.period AS month, sum(m.fee)::bigint AS amount FROM settlement_remittance m
    JOIN settlement_adjudicationrun r ON r.id = m.run_id AND r.status = 'done'
    WHERE r.organisation_id = %(office)s GROUP BY 1
), charged AS (
    SELECT n.month, sum(f.amount_minor)::bigint AS amount
    FROM settlement_feecharge f JOIN settlement_feenotice n ON n.id = f.notice_id
    WHERE n.organisation_id = %(office)s GROUP BY 1
)
SELECT month, o.amount - COALESCE(c.amount, 0), c.amount IS NOT NULL FROM owed o LEFT JOIN charged c USING (month)
WHERE o.amount <> COALESCE(c.amount, 0) ORDER BY month DESC LIMIT 12
"""


def collects_fees(organisation: Organisation, month: date) -> bool:
    """Whether the office collects the fees of a month for the providers: it issued notices for it."""
    return FeeNotice.objects.filter(organisation=organisation, month=month).exists()


def has_fees(organisation: Organisation) -> bool:
    """Whether the office collects fees at all."""
    return FeeNotice.objects.filter(organisation=organisation).exists()


# Of each notice, the provider's part of what came and did not go back, as its charges are a part of all charges. What
# came beyond the charges is the payer's; a fraction of a kopiyka waits until the notice is paid.
_RECEIVED = """
WITH part AS (
    SELECT f.notice_id, f.provider_id, sum(f.amount_minor) AS charged
    FROM settlement_feecharge f JOIN settlement_feenotice n ON n.id = f.notice_id
    WHERE n.organisation_id = %(office)s AND f.notice_id IN (
        SELECT notice_id FROM settlement_feecharge WHERE provider_id = %(provider)s)
    GROUP BY 1, 2 HAVING sum(f.amount_minor) > 0
), whole AS (
    SELECT notice_id, sum(charged) AS charged FROM part GROUP BY 1
), came AS (
    SELECT w.notice_id, w.charged,
        COALESCE((SELECT sum(r.amount_minor) FROM settlement_feereceipt r WHERE r.notice_id = w.notice_id), 0)
        - COALESCE((SELECT sum(b.amount_minor) FROM settlement_feerefund b JOIN settlement_feereceipt r
            ON r.id = b.receipt_id WHERE r.notice_id = w.notice_id AND b.status <> ALL(%(not_given)s)), 0) AS kept
    FROM whole w
)
SELECT COALESCE(sum(div(p.charged * LEAST(c.kept, c.charged), c.charged)), 0)
FROM part p JOIN came c USING (notice_id) WHERE p.provider_id = %(provider)s
"""


def received_for(organisation: Organisation, provider: Provider) -> int:
    """Fees that came for a provider and stay, minor units."""
    asked: dict[str, Any] = {"office": organisation.pk, "provider": provider.pk, "not_given": list(NOT_GIVEN)}
    with connection.cursor() as cursor:
        cursor.execute(_RECEIVED, asked)
        return int(cursor.fetchone()[0])


def held_for(organisation: Organisation, provider: Provider) -> int:
    """Fees received for a provider and not passed on, minor units; below 0 when too much was passed on."""
    rows = Posting.objects.filter(account__organisation=organisation, account__kind="held", account__provider=provider)
    sums = rows.filter(entry__event=PASSED_ON).aggregate(credit=Sum("credit"), debit=Sum("debit"))
    return received_for(organisation, provider) + (sums["credit"] or 0) - (sums["debit"] or 0)
