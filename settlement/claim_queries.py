"""Reads around the making of claims: what a provider may claim now, and what checks took from a claim."""

# ruff: noqa: S608  SQL is put together from names in this code; every value is a parameter.

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import F, OuterRef, Subquery

from config.clock import local_date
from contracts.models import Provider
from settlement.models import Claim, Match, Payment, PaymentRemittance
from settlement.models.claims import ASKS_NOTHING
from settlement.models.statements import LIVE

# Confirmed visits that no live claim has, by contract of the provider and month, at the price of the day.
_UNCLAIMED = f"""
SELECT c.id, c.number, o.name, date_trunc('month', r.day)::date AS month, count(*),
    sum((r.units_milli * p.rate + 50000) / 100000), o.currency
FROM (
    SELECT r.*, (r.starts_at AT TIME ZONE g.zone)::date AS day
    FROM vouchers_redemption r JOIN accounts_organisation g ON g.id = r.organisation_id
    WHERE r.provider_id = %(provider)s AND r.status = 'confirmed' AND r.units_milli > 0
      AND NOT EXISTS (SELECT 1 FROM settlement_claimline x JOIN settlement_claim k ON k.id = x.claim_id
                      WHERE x.redemption_id = r.id AND NOT {ASKS_NOTHING})
) r
JOIN contracts_contract c ON c.organisation_id = r.organisation_id AND c.provider_id = %(provider)s
    AND c.status = 'active'
JOIN accounts_organisation o ON o.id = c.organisation_id
CROSS JOIN LATERAL (
    SELECT (l.unit_rate * 10000)::bigint AS rate FROM contracts_contractline l
    WHERE l.contract_id = c.id AND l.service_id = r.service_id AND COALESCE(l.valid_from, c.valid_from) <= r.day
      AND r.day < COALESCE(l.valid_to, c.valid_to, 'infinity')
    ORDER BY COALESCE(l.valid_from, c.valid_from) DESC, l.valid_from DESC NULLS LAST LIMIT 1
) p
GROUP BY c.id, c.number, o.name, o.currency, month ORDER BY month DESC, c.number
"""


@dataclass(frozen=True)
class Unclaimed:
    """Visits of a month that a provider could claim under a contract now; money in minor units."""

    contract_id: int
    contract_number: str
    organisation: str
    period: date
    visits: int
    amount: int
    currency: str


def unclaimed_visits(provider: Provider) -> list[Unclaimed]:
    """What a provider has given and not claimed, newest month first."""
    with connection.cursor() as cursor:
        cursor.execute(_UNCLAIMED, {"provider": provider.pk})
        return [
            Unclaimed(contract, number, office, period, visits, int(amount), currency)
            for contract, number, office, period, visits, amount, currency in cursor.fetchall()
        ]


@dataclass(frozen=True)
class ClaimPayment:
    """What one payment brings of a claim, minor units, and the day on which the bank booked or was handed it."""

    payment: Payment
    amount: int
    on: date | None


def payments_of_claim(claim: Claim) -> list[ClaimPayment]:
    """Payments that were made for a claim, the oldest first: one query."""
    carried = Match.objects.filter(payment=OuterRef("payment"), kind="payment", **LIVE).order_by("-pk")
    items = PaymentRemittance.objects.filter(remittance__claim=claim).exclude(payment=None)
    rows = (
        items.select_related("payment")
        .order_by("payment", "pk")
        .annotate(
            booked=Subquery(carried.values("statement_line__booked_on")[:1]),
            amount=F("remittance__payable"),
        )
    )
    found: dict[int, ClaimPayment] = {}
    for row in rows:
        assert row.payment is not None
        before = found.get(row.payment.pk)
        sent = local_date(row.payment.sent_at, claim.organisation.zone) if row.payment.sent_at else None
        amount = row.amount + (before.amount if before else 0)
        found[row.payment.pk] = ClaimPayment(row.payment, amount, row.booked or sent)
    return list(found.values())


# Findings of the last decision on each line of a claim.
_TAKEN = """
SELECT f.check_code, f.severity, count(*) FILTER (WHERE f.amount > 0), count(*), sum(f.amount)
FROM (SELECT DISTINCT ON (claim_line_id) claim_line_id, run_id FROM settlement_adjudication
      WHERE claim_id = %s AND reverses_id IS NULL ORDER BY claim_line_id, id DESC) a
JOIN settlement_finding f ON f.claim_line_id = a.claim_line_id AND f.run_id = a.run_id
GROUP BY f.check_code, f.severity ORDER BY f.check_code, f.severity
"""


def taken_by_check(claim: Claim) -> list[dict[str, Any]]:
    """What checks took from a claim by the last decision on each line: check, severity, lines, minor units.

    ``lines`` are those from which the check took something, ``found`` all that it found: of a line that one check
    refuses others take nothing more.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TAKEN, [claim.pk])
        return [
            {"check_code": check, "severity": severity, "lines": lines, "found": found, "taken": int(taken)}
            for check, severity, lines, found, taken in cursor.fetchall()
        ]
