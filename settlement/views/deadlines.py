"""The report of payment deadlines: due, paid, days late."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from config.accounts.access import requires
from config.money import from_minor
from contracts.views.pages import PAGE_SIZE, access_of, page_of
from settlement import clawback_queries, deadline_queries
from settlement.deadline_queries import Deadline
from settlement.views.sheets import sheet, sheet_asked

TITLE = _("Payment deadlines")
HEAD = (
    _("Claim"), _("Provider"), _("Month"), _("To pay"), _("Payment deadline"), _("Paid on"), _("Days late"),
    _("Interest"),
)  # fmt: skip


@requires("payment_runs.view")
def deadlines(request: HttpRequest) -> HttpResponse:
    """What had to be paid by when, of the months of a year; ``late=1``: only what was or is late."""
    access = access_of(request)
    office, q = access.office(), request.GET.get("q", "").strip()
    today = access.today()
    years = deadline_queries.years_with_payables(office)
    year = _year(request.GET.get("year", ""), years, today)
    late = request.GET.get("late", "") == "1"
    rows = deadline_queries.deadlines(office, year, q)
    if late:
        rows = deadline_queries.late_only(rows, today)
    if kind := sheet_asked(request):
        found = deadline_queries.as_deadlines(list(rows), office, today)
        return sheet(kind, f"payment-deadlines-{year}", f"{TITLE} {year}", HEAD, [_cells(row) for row in found])
    page = page_of(request, rows)
    context: dict[str, Any] = {
        "page": page,
        "rows": deadline_queries.as_deadlines(list(page), office, today),
        "q": q,
        "year": year,
        "years": years,
        "late": late,
        "hidden": {"year": year, "late": "1" if late else ""},
        "today": today,
        "terms": clawback_queries.terms(access, q)[:PAGE_SIZE] if access.may("clawbacks.view") else (),
    }
    return render(request, "settlement/finance/deadlines.html", context)


def _year(text: str, years: list[int], today: date) -> int:
    """The asked year when something was judged for it, else the newest one."""
    asked = next((year for year in years if str(year) == text), None)
    return asked or (years[0] if years else today.year)


def _cells(row: Deadline) -> tuple[Any, ...]:
    paying = row.remittance
    interest = "" if row.interest is None else row.interest
    return (
        paying.claim.number,
        paying.provider.name,
        f"{paying.run.period:%Y-%m}",
        from_minor(row.owed),
        row.due,
        row.paid or "",
        row.days_late,
        interest,
    )
