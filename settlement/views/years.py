"""Finance pages of the year's end: years, what closing one would do, preparing and approving it."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from config.accounts.access import requires
from config.errors import NotFound
from config.law_words import parameter_title, value_words
from contracts.views.pages import access_of, page_of, perform, perform_with_reason
from settlement import book_queries, year_queries
from settlement.actions import year_close
from settlement.finance_forms import ReasonForm
from settlement.models import YearClosing

SUMS = ("appropriation", "spent", "carried_commitments", "carried_reservations", "lapsed", "unspent")


@requires("years.prepare", "years.close", "ledger.view")
def years(request: HttpRequest) -> HttpResponse:
    """Years with budget lines, and the closings that there were."""
    office = access_of(request).office()
    closings = year_queries.year_closings(office)
    context = {
        "page": page_of(request, closings),
        "closed": set(closings.filter(status="approved").values_list("year", flat=True)),
        "years": book_queries.budget_years(office),
    }
    return render(request, "settlement/finance/years.html", context)


@requires("years.prepare", "years.close", "ledger.view")
def year(request: HttpRequest, year: int) -> HttpResponse:
    """A year: its lines with what goes over and what lapses, who returns money, what is in the way, who signs."""
    access = access_of(request)
    office = access.office()
    if year not in book_queries.budget_years(office):
        raise NotFound()
    closings = year_queries.year_closings(office).filter(year=year)
    closing = closings.exclude(status="cancelled").first()
    plan = closing.plan if closing else year_queries.year_plan(office, year).as_row()
    over = access.today() >= year_queries.first_day(year + 1)
    months = year_queries.open_months_of(office, year) if over else []
    waits = closing is not None and closing.status == "proposed"
    own = waits and closing is not None and closing.proposed_by_id == access.actor.user_id
    context = {
        "year": year,
        "closing": closing,
        "plan": plan,
        "totals": {name: sum(row[name] for row in plan["lines"]) for name in SUMS},
        "unused": [row | {"due": date.fromisoformat(row["due"])} for row in plan["unused"]],
        "rules": [_rule(version) for version in plan["rules"].values()],
        "over": over,
        "open_months": months,
        "own": own,
        "may_prepare": closing is None and over and not months and access.may("years.prepare"),
        "may_approve": waits and not own and access.may("years.close"),
        "may_cancel": waits and (access.may("years.close") or access.may("years.prepare")),
        "cancel_form": ReasonForm(),
    }
    return render(request, "settlement/finance/year.html", context)


def _rule(version: dict[str, Any]) -> tuple[str, str]:
    return parameter_title(version["key"]), value_words(version["value"])


@require_POST
@requires("years.prepare")
def prepare(request: HttpRequest, year: int) -> HttpResponse:
    """Prepare the closing."""
    access = access_of(request)
    return perform(
        request,
        lambda: year_close.propose_year_closing(
            organisation=access.office(), year=year, actor=access.actor, at=access.now()
        ),
        done=_("The closing of the year is prepared. Another person now looks at it and approves it."),
        to="settlement:year",
        key=year,
    )


@require_POST
@requires("years.close")
def approve(request: HttpRequest, year: int) -> HttpResponse:
    """Close the year as it was prepared and seen."""
    access = access_of(request)
    return perform(
        request,
        lambda: year_close.approve_year_closing(
            organisation=access.office(),
            closing_id=_waiting(request, year).pk,
            content_sha256=request.POST.get("seen", ""),
            actor=access.actor,
            at=access.now(),
        ),
        done=_("The year is closed. What it promised went over to the next year or lapsed."),
        to="settlement:year",
        key=year,
    )


@require_POST
@requires("years.close", "years.prepare")
def cancel(request: HttpRequest, year: int) -> HttpResponse:
    """Give the closing up, with the reason."""
    access = access_of(request)
    return perform_with_reason(
        request,
        ReasonForm(request.POST),
        lambda reason: year_close.cancel_year_closing(
            organisation=access.office(),
            closing_id=_waiting(request, year).pk,
            reason=reason,
            actor=access.actor,
            at=access.now(),
        ),
        done=_("The closing of the year is given up. It can be prepared again."),
        to="settlement:year",
        key=year,
    )


def _waiting(request: HttpRequest, year: int) -> YearClosing:
    rows = year_queries.year_closings(access_of(request).office()).filter(year=year, status="proposed")
    closing = rows.first()
    if closing is None:
        raise NotFound()
    return closing
