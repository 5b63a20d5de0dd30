"""Finance reports of months: a page with charts and a table, both as a PDF too, the table as a spreadsheet."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from config.accounts.access import Access, requires
from config.errors import NotFound
from config.periods import add_months, month_of
from contracts.views.pages import access_of
from settlement.finance_forms import MonthsForm
from settlement.printed_tables import shown_table
from settlement.report_queries import first_settled_month
from settlement.reports import KINDS
from settlement.views.papers import table_answer

FILES = ("pdf", "xlsx")


@requires("reports.view")
def report_list(request: HttpRequest) -> HttpResponse:
    """Which reports there are."""
    return render(request, "settlement/reports/list.html", {"kinds": KINDS.items()})


@requires("reports.view")
def report(request: HttpRequest, kind: str) -> HttpResponse:
    """One report of chosen months; ``?file=pdf`` or ``xlsx`` gives its table. Raises: NotFound."""
    access = access_of(request)
    office = access.office()
    if kind not in KINDS:
        raise NotFound()
    form, months = _asked(request, access)
    table = KINDS[kind].make(office, months)
    file = request.GET.get("file", "")
    if file in FILES and not form.errors:
        name = f"{kind}-{months[0]:%Y-%m}-{months[-1]:%Y-%m}"
        return table_answer(table, office, form=file, name=name, made_at=access.now())
    shown = shown_table(table)
    heads = [heading for heading, _column in shown["columns"]]
    context = {
        "kind": kind,
        "kinds": KINDS.items(),
        "about": KINDS[kind],
        "form": form,
        "months": months,
        "shown": shown,
        "sections": [_headed_section(heads, section) for section in shown["sections"]],
        "totals": _headed(heads, shown["totals"]),
    }
    return render(request, "settlement/reports/report.html", context)


def _asked(request: HttpRequest, access: Access) -> tuple[MonthsForm, list[date]]:
    """The months asked for; this year's when nothing, or nothing that can be used, was asked."""
    this = month_of(access.today())
    january = this.replace(month=1)
    since = min(january, first_settled_month(access.office()) or january)
    usual = {"first": january, "last": this}
    asked = MonthsForm(request.GET if "first" in request.GET else None, since=since, until=this, usual=usual)
    chosen = asked.cleaned_data if asked.is_bound and asked.is_valid() else usual
    return asked, _months(chosen["first"], chosen["last"])


def _months(first: date, last: date) -> list[date]:
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return [add_months(first, number) for number in range(count)]


def _headed_section(heads: list[str], section: dict[str, Any]) -> dict[str, Any]:
    rows = [_headed(heads, row) for row in section["rows"]]
    return {"title": section["title"], "rows": rows, "totals": _headed(heads, section["totals"])}


def _headed(heads: list[str], row: list[tuple[str, bool]] | None) -> list[tuple[str, str, bool]] | None:
    """Cells with the heading of their column, which stands beside each on a narrow screen."""
    return None if row is None else [(head, *cell) for head, cell in zip(heads, row, strict=True)]
