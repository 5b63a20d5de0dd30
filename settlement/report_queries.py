"""Reads of the finance reports: what was allowed by month, provider and service beside its norm; budget by month.

One query each, whatever the number of lines: lines are added up before norms are looked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Sum
from django.db.models.functions import TruncMonth

from config.accounts.models import Organisation
from config.audit.models import AuditEvent
from config.audit.recording import label_of
from config.money import to_minor
from config.periods import add_months, month_end
from contracts.models import BudgetEntry, BudgetLine, Service
from settlement.models import AdjudicationRun
from settlement.run_queries import end_of

KINDS = ("commitment", "reservation", "spending")


@dataclass(frozen=True)
class Allowed:
    """What runs of a month allowed a provider of a service, taken back parts subtracted.

    ``units`` in thousandths, ``gross`` in minor units. ``normed`` is the part of ``units`` for which a norm cost was
    approved, ``normed_gross`` its price, ``norm`` what the norms of its days give, in ten-millionths (units x rate).
    """

    month: date
    provider: str
    service: int
    form: str
    units: int
    gross: int
    normed: int
    normed_gross: int
    norm: int


# A norm of the place comes before one of the whole municipality, as where it is used (NRM-1).
_ALLOWED = """
WITH day AS (
    SELECT u.period, c.provider_id, l.service_id, l.service_date, r.territory_id,
        COALESCE(r.recipient_class, '') AS recipient_class,
        sum(CASE WHEN a.reverses_id IS NULL THEN a.units_allowed ELSE -abs(a.units_allowed) END) AS units,
        sum(a.gross) AS gross
    FROM settlement_adjudicationrun u
    JOIN settlement_adjudication a ON a.run_id = u.id
    JOIN settlement_claimline l ON l.id = a.claim_line_id
    JOIN settlement_claim c ON c.id = a.claim_id
    LEFT JOIN vouchers_certificate k ON k.id = l.certificate_id
    LEFT JOIN vouchers_recipientresidence r ON r.recipient_id = k.recipient_id
        AND r.valid_from <= l.service_date AND (r.valid_to IS NULL OR l.service_date < r.valid_to)
    WHERE u.organisation_id = %(organisation)s AND u.status = 'done' AND u.period >= %(first)s
      AND u.period <= %(last)s AND l.service_id IS NOT NULL AND a.units_allowed <> 0
    GROUP BY 1, 2, 3, 4, 5, 6
)
SELECT d.period, p.name, s.id, s.form, sum(d.units)::bigint, sum(d.gross)::bigint,
    COALESCE(sum(d.units) FILTER (WHERE n.rate IS NOT NULL), 0)::bigint,
    COALESCE(sum(d.gross) FILTER (WHERE n.rate IS NOT NULL), 0)::bigint,
    COALESCE(sum(d.units * n.rate), 0)::bigint
FROM day d
JOIN contracts_provider p ON p.id = d.provider_id
JOIN contracts_service s ON s.id = d.service_id
LEFT JOIN LATERAL (
    SELECT (x.unit_rate * 10000)::bigint AS rate FROM contracts_normcost x
    WHERE x.organisation_id = %(organisation)s AND x.service_id = d.service_id AND x.status = 'approved'
      AND x.valid_from <= d.service_date AND (x.valid_to IS NULL OR d.service_date < x.valid_to)
      AND (x.territory_id IS NULL OR x.territory_id = d.territory_id) AND x.recipient_class IN ('', d.recipient_class)
    ORDER BY x.territory_id IS NULL, x.recipient_class = '' LIMIT 1
) n ON true
GROUP BY d.period, p.id, s.id HAVING sum(d.units) <> 0 OR sum(d.gross) <> 0
ORDER BY d.period, p.name, p.id, s.code
"""


def allowed(organisation: Organisation, first: date, last: date) -> list[Allowed]:
    """By month (first days, both included), provider and service."""
    params: dict[str, Any] = {"organisation": organisation.pk, "first": first, "last": last}
    with connection.cursor() as cursor:
        cursor.execute(_ALLOWED, params)
        return [Allowed(*row) for row in cursor.fetchall()]


@dataclass(frozen=True)
class InLedger:
    """How the ledger has the cost of months, minor units.

    ``claims``: the cost of what runs of the months decided; ``refunded``: what other municipalities owe for the same
    decisions. ``beside``: events that no run decided and whose days are in the months, with what they cost.
    """

    claims: int
    refunded: int
    beside: list[tuple[str, int]]

    @property
    def total(self) -> int:
        """What stands on the costs of budget lines."""
        return self.claims + sum(cost for _event, cost in self.beside)


_IN_LEDGER = """
SELECT e.event, t.kind, sum(p.debit - p.credit)::bigint
FROM settlement_entry e JOIN settlement_posting p ON p.entry_id = e.id JOIN settlement_account t ON t.id = p.account_id
LEFT JOIN settlement_adjudicationrun u ON u.id = CASE WHEN e.event IN ('claim.adjudicated', 'claim.reversed')
    THEN split_part(e.key, ':', 2)::bigint END
WHERE e.organisation_id = %(organisation)s AND CASE WHEN u.id IS NOT NULL
    THEN t.kind IN ('expense', 'neighbour') AND u.period >= %(first)s AND u.period <= %(last)s
    ELSE t.kind = 'expense' AND e.event NOT LIKE 'year.%%' AND e.date >= %(first)s AND e.date <= %(end)s END
GROUP BY e.event, t.kind ORDER BY e.event, t.kind
"""


def in_ledger(organisation: Organisation, first: date, last: date) -> InLedger:
    """The cost of months (first days, both included) as it is in the ledger. One query."""
    params: dict[str, Any] = {"organisation": organisation.pk, "first": first, "last": last, "end": month_end(last)}
    with connection.cursor() as cursor:
        cursor.execute(_IN_LEDGER, params)
        rows = cursor.fetchall()
    judged = ("claim.adjudicated", "claim.reversed")
    return InLedger(
        claims=sum(cost for event, kind, cost in rows if event in judged and kind == "expense"),
        refunded=sum(cost for event, kind, cost in rows if event in judged and kind == "neighbour"),
        beside=[(event, cost) for event, _kind, cost in rows if event not in judged and cost],
    )


def services_of(organisation: Organisation, rows: Iterable[Allowed]) -> dict[int, Service]:
    """Services of the rows by key, in the order of their codes."""
    keys = {row.service for row in rows}
    return {row.pk: row for row in Service.objects.filter(organisation=organisation, pk__in=keys).order_by("code")}


@dataclass(frozen=True)
class BudgetMonth:
    """A budget line at the end of a month, minor units; ``month_spent``: of that month alone."""

    line: BudgetLine
    month: date
    appropriation: int
    month_spent: int
    spending: int
    reservation: int
    commitment: int

    @property
    def free(self) -> int:
        """What may still be set aside."""
        return self.appropriation - self.spending - self.reservation - self.commitment


def budget_months(organisation: Organisation, months: list[date]) -> list[BudgetMonth]:
    """Budget lines of the years of the months, month by month in their own year; three queries."""
    lines = BudgetLine.objects.filter(organisation=organisation, year__in={month.year for month in months})
    moved = _moved(organisation, add_months(months[-1], 1))
    amended = _amendments(organisation)
    found: list[BudgetMonth] = []
    for line in lines.order_by("year", "code"):
        for month in (month for month in months if month.year == line.year):
            end = end_of(month_end(month), organisation)
            before = next((sum_ for at, sum_ in amended.get(label_of(line), []) if at > end), None)
            appropriation = to_minor(line.amount.amount) if before is None else before
            found.append(_at_end_of(line, month, appropriation, moved.get(line.pk, {})))
    return found


def _amendments(organisation: Organisation) -> dict[str, list[tuple[datetime, int]]]:
    """When lines were entered and amended, and what they had before (minor units), by label, in order."""
    codes = ("budget_line.added", "budget_line.amended")
    events = AuditEvent.objects.filter(chain=organisation.code, action__in=codes).order_by("business_at", "sequence")
    found: dict[str, list[tuple[datetime, int]]] = {}
    for event in events:
        before = to_minor(Decimal(event.data.get("before", "0")))
        found.setdefault(event.objects_touched[0], []).append((event.business_at, before))
    return found


def _moved(organisation: Organisation, before: date) -> dict[int, dict[tuple[str, date], int]]:
    rows = BudgetEntry.objects.filter(budget_line__organisation=organisation, occurred_on__lt=before)
    by_month = rows.annotate(month=TruncMonth("occurred_on")).order_by()
    found: dict[int, dict[tuple[str, date], int]] = {}
    sums = by_month.values_list("budget_line_id", "kind", "month").annotate(total=Sum("amount_minor"))
    for line, kind, month, total in sums:
        found.setdefault(line, {})[kind, month] = total
    return found


def _at_end_of(line: BudgetLine, month: date, appropriation: int, moved: dict[tuple[str, date], int]) -> BudgetMonth:
    sums = {kind: sum(total for (of, on), total in moved.items() if of == kind and on <= month) for kind in KINDS}
    return BudgetMonth(line, month, appropriation, moved.get(("spending", month), 0), **sums)


def first_settled_month(organisation: Organisation) -> date | None:
    """The first month that was judged."""
    runs = AdjudicationRun.objects.filter(organisation=organisation, status="done").order_by("period")
    return runs.values_list("period", flat=True).first()
