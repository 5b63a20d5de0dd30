"""Reads of the end of a year: what still stands on its budget lines, what of it goes over, who holds unused money."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from config.accounts.models import Organisation
from config.periods import add_working_days
from contracts.models import BudgetLine, ClosedBudgetLine
from contracts.parameters import ParameterBook, ParameterValue
from contracts.queries import working_calendar
from settlement.models import YearClosing

CARRY, RETURN_DAY, RETURN_WORKING_DAYS = "yearend.carry", "yearend.return", "yearend.return_working_days"
# Registered obligations go over; any other value lets them lapse.
REGISTERED = "REGISTERED_ONLY"

# For a budget line of a closed year the last open successor steps in: ``OPEN_LINE`` joins it as ``o`` to
# a line given as SQL, and ``o.line_id`` is empty for a line of an open year.
TAKEN_OVER = """
WITH RECURSIVE taken_over (closed_id, line_id) AS (
    SELECT budget_line_id, successor_id FROM contracts_closedbudgetline
    UNION ALL
    SELECT t.closed_id, n.successor_id
    FROM taken_over t JOIN contracts_closedbudgetline n ON n.budget_line_id = t.line_id
)
"""
OPEN_LINE = """LEFT JOIN taken_over o ON o.closed_id = {0}
    AND NOT EXISTS (SELECT 1 FROM contracts_closedbudgetline n WHERE n.budget_line_id = o.line_id)"""

# What stands on the lines of a year beside spending, by cause, and whether it goes over to the next year's line:
# agreements in force beyond the year and ended certificates (whose last visits are not claimed yet) if the rule says
# so; certificates in force always: they promised it to a person; what a later line already gave back, so that both
# sides meet there.
STANDING = """
SELECT e.budget_line_id, e.kind, e.label, sum(e.amount_minor)::bigint AS amount,
    sum(e.amount_minor) < 0 OR CASE WHEN e.kind = 'commitment' THEN %(carry)s AND EXISTS (
        SELECT 1 FROM contracts_contract k WHERE 'contracts.contract:' || k.id = e.label AND k.status = 'active'
          AND (k.valid_to IS NULL OR k.valid_to > %(next)s))
    ELSE %(carry)s OR EXISTS (
        SELECT 1 FROM vouchers_certificate c WHERE 'vouchers.certificate:' || c.id = e.label
          AND c.status IN ('issued', 'active', 'suspended', 'exhausted')) END AS carried
FROM contracts_budgetentry e JOIN contracts_budgetline b ON b.id = e.budget_line_id
WHERE b.organisation_id = %(organisation)s AND b.year = %(year)s AND e.kind <> 'spending'
GROUP BY e.budget_line_id, e.kind, e.label HAVING sum(e.amount_minor) <> 0
"""
_LINES = f"""
SELECT b.id, b.code, b.name, (b.amount * 100)::bigint,
    COALESCE((SELECT sum(e.amount_minor) FROM contracts_budgetentry e
              WHERE e.budget_line_id = b.id AND e.kind = 'spending'), 0)::bigint,
    COALESCE(sum(s.amount) FILTER (WHERE s.carried AND s.kind = 'commitment'), 0)::bigint,
    COALESCE(sum(s.amount) FILTER (WHERE s.carried AND s.kind = 'reservation'), 0)::bigint,
    COALESCE(sum(s.amount) FILTER (WHERE NOT s.carried), 0)::bigint
FROM contracts_budgetline b LEFT JOIN ({STANDING}) s ON s.budget_line_id = b.id
WHERE b.organisation_id = %(organisation)s AND b.year = %(year)s GROUP BY b.id ORDER BY b.code
"""  # noqa: S608  put together from texts of this file
_NAMES = ("id", "code", "name", "appropriation", "spent", "carried_commitments", "carried_reservations", "lapsed")
# Providers who got more than they earned: what was paid and then taken back or asked back, at the end of the year.
_UNUSED = """
SELECT p.code, p.name, sum(o.owed)::bigint
FROM (
    SELECT a.provider_id, sum(x.debit - x.credit) AS owed
    FROM settlement_posting x JOIN settlement_entry e ON e.id = x.entry_id
    JOIN settlement_account a ON a.id = x.account_id
    WHERE a.organisation_id = %(organisation)s AND a.kind IN ('payable', 'recovery') AND e.date < %(next)s
    GROUP BY a.id HAVING sum(x.debit - x.credit) > 0
) o JOIN contracts_provider p ON p.id = o.provider_id
GROUP BY p.id ORDER BY p.code
"""
# Advances of the year's lines of which something is left: none goes over. What waits for its payment goes to nobody.
_ADVANCES = """
SELECT p.code, p.name, b.number, b.status, b.return_until::text, (b.amount_minor
    - (SELECT COALESCE(sum(u.amount_minor), 0) FROM settlement_advanceuse u WHERE u.advance_id = b.id)
    - (SELECT COALESCE(sum(r.amount_minor), 0) FROM settlement_advancereturn r WHERE r.advance_id = b.id))::bigint
FROM settlement_advance b JOIN contracts_provider p ON p.id = b.provider_id
JOIN contracts_budgetline l ON l.id = b.budget_line_id
WHERE b.organisation_id = %(organisation)s AND l.year = %(year)s AND b.status IN ('approved', 'paid', 'due')
ORDER BY p.code, b.number
"""
_OPEN_MONTHS = """
SELECT month FROM (
    SELECT date_trunc('month', date)::date AS month FROM settlement_entry
    WHERE organisation_id = %(organisation)s AND date >= %(first)s AND date < %(next)s
    UNION SELECT period FROM settlement_claim
    WHERE organisation_id = %(organisation)s AND period >= %(first)s AND period < %(next)s
    UNION SELECT %(december)s::date
) m
EXCEPT SELECT month FROM settlement_closedmonth WHERE organisation_id = %(organisation)s ORDER BY 1
"""


@dataclass(frozen=True)
class YearPlan:
    """What closing a year would do. ``lines`` and ``unused`` are plain rows, minor units."""

    year: int
    rules: dict[str, Any]
    lines: list[dict[str, Any]]
    unused: list[dict[str, Any]]

    def as_row(self) -> dict[str, Any]:
        """Plain JSON, as it is kept and signed."""
        return {"year": self.year, "rules": self.rules, "lines": self.lines, "unused": self.unused}

    @property
    def digest(self) -> str:
        """sha256 of what is signed."""
        return hashlib.sha256(json.dumps(self.as_row(), sort_keys=True).encode()).hexdigest()


def first_day(year: int) -> date:
    """The first of January."""
    return date(year, 1, 1)


def year_plan(organisation: Organisation, year: int) -> YearPlan:
    """What closing the year would carry, let lapse and ask back. Raises: ParameterMissing."""
    last = date(year, 12, 31)
    book = ParameterBook.load(organisation, "yearend.")
    carry, back = book.value(CARRY, last), book.get(RETURN_WORKING_DAYS, last) or book.value(RETURN_DAY, last)
    params = standing_params(organisation, year, carry.text)
    lines = [dict(zip(_NAMES, row, strict=True)) for row in _rows(_LINES, params)]
    for line in lines:
        line["unspent"] = line["appropriation"] - line["spent"]
    due = _return_day(organisation, year, back).isoformat()
    unused = [dict(zip(("code", "name", "amount"), row, strict=True)) | {"due": due} for row in _rows(_UNUSED, params)]
    unused += [
        {"code": code, "name": name, "amount": left, "due": until or due, "advance": number}
        for code, name, number, status, until, left in _rows(_ADVANCES, params)
        if status != "approved"
    ]
    return YearPlan(year, {rule.key: rule.as_version() for rule in (carry, back)}, lines, unused)


def unpaid_advances(organisation: Organisation, year: int) -> list[str]:
    """Numbers of granted advances of the year's lines that are not paid."""
    rows = _rows(_ADVANCES, standing_params(organisation, year))
    return [number for _code, _name, number, status, _until, _left in rows if status == "approved"]


def return_day(organisation: Organisation, year: int) -> date:
    """Until when unused money of a year comes back. Raises: ParameterMissing."""
    last = date(year, 12, 31)
    book = ParameterBook.load(organisation, "yearend.")
    return _return_day(organisation, year, book.get(RETURN_WORKING_DAYS, last) or book.value(RETURN_DAY, last))


def standing_params(organisation: Organisation, year: int, carry: str = "") -> dict[str, Any]:
    """Parameters of the statements about a year; ``carry``: the rule in force."""
    return {
        "organisation": organisation.pk,
        "year": year,
        "first": first_day(year),
        "next": first_day(year + 1),
        "december": date(year, 12, 1),
        "carry": carry == REGISTERED,
    }


def _return_day(organisation: Organisation, year: int, rule: ParameterValue) -> date:
    """Until when unused money comes back: a day of the year, or so many working days of the next one."""
    if rule.key == RETURN_WORKING_DAYS:
        return add_working_days(date(year, 12, 31), rule.whole, working_calendar(organisation))
    month, day = rule.text.split("-")
    return date(year, int(month), int(day))


def open_months_of(organisation: Organisation, year: int) -> list[date]:
    """Months of the year that are not closed: those with entries or claims, and December."""
    return [month for (month,) in _rows(_OPEN_MONTHS, standing_params(organisation, year))]


def open_lines(organisation: Organisation, year: int) -> QuerySet[BudgetLine]:
    """Budget lines of a year that are not closed."""
    closed = ClosedBudgetLine.objects.values("budget_line")
    return BudgetLine.objects.filter(organisation=organisation, year=year).exclude(pk__in=closed).order_by("code")


def earlier_open_years(organisation: Organisation, year: int) -> list[int]:
    """Earlier years with a line that moved and is not closed."""
    closed = ClosedBudgetLine.objects.values("budget_line")
    rows = BudgetLine.objects.filter(organisation=organisation, year__lt=year, entries__isnull=False)
    return sorted(set(rows.exclude(pk__in=closed).values_list("year", flat=True)))


def year_closings(organisation: Organisation) -> QuerySet[YearClosing]:
    """Closings of years, newest first."""
    rows = YearClosing.objects.filter(organisation=organisation).select_related("proposed_by", "approved_by")
    return rows.order_by("-year", "-pk")


def _rows(query: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        return cursor.fetchall()
