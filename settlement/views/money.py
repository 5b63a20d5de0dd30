"""Follow the money: a page with a drawing and a table, and the same as JSON."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from config.accounts.access import Access, requires
from config.errors import NotFound
from config.templatetags.show import minor
from contracts.models import BudgetLine
from settlement.clearing_queries import cleared_on_the_road
from settlement.money_trail import MoneyTrail, money_trail, start_exists, starts_numbered
from settlement.money_trail_sql import STARTS


@requires("money.follow")
def money_start(request: HttpRequest) -> HttpResponse:
    """Where to begin: a number that somebody has at hand, or a budget line."""
    access: Access = request.access  # type: ignore[attr-defined]
    q = request.GET.get("q", "").strip()
    found = starts_numbered(access.office(), q) if q else []
    if len(found) == 1:
        return redirect("money", start=found[0]["start"], pk=found[0]["pk"])
    lines = BudgetLine.objects.filter(organisation=access.office()).order_by("-year", "code")
    return render(request, "money/start.html", {"q": q, "found": found, "lines": lines})


@requires("money.follow")
def money_page(request: HttpRequest, start: str, pk: int) -> HttpResponse:
    """The road of one start point. ``?format=json`` gives the figures in minor units. Raises: NotFound."""
    access: Access = request.access  # type: ignore[attr-defined]
    if start not in STARTS or not start_exists(access.office(), start, pk):
        raise NotFound()
    trail = money_trail(organisation=access.office(), start=start, pk=pk)
    clearing = cleared_on_the_road(access.office(), start, pk)
    if request.GET.get("format") == "json":
        return JsonResponse(
            trail.as_json() | {"clearing": clearing}, json_dumps_params={"ensure_ascii": False, "indent": 1}
        )
    here = next((node for level in trail.levels for node in level.nodes if node.is_start), None)
    return render(
        request,
        "money/trail.html",
        {"trail": trail, "here": here, "clearing": clearing, "description": _describe(trail)},
    )


def _describe(trail: MoneyTrail) -> str:
    parts = [f"{level.title}: {minor(level.total, trail.currency)}" for level in trail.levels]
    return _("From the budget down to the bank.") + " " + "; ".join(parts)
