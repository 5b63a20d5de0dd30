"""Closed months that wait for a correction: prepare it, or say why none is needed."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from config.accounts.access import requires
from config.links import may_open, url_of_label
from config.record_names import full_names_of
from contracts.views.pages import access_of, page_of, perform
from settlement.actions.uncorrected import need_no_correction
from settlement.finance_forms import ReasonForm
from settlement.uncorrected_queries import learnt_of, uncorrected_months


@requires("corrections.propose")
def uncorrected(request: HttpRequest) -> HttpResponse:
    """Each month with what became known of it; a constant number of queries."""
    access = access_of(request)
    page = page_of(request, uncorrected_months(access.office()))
    learnt = learnt_of(access.office(), page)
    names = full_names_of([fact.label for facts in learnt.values() for fact in facts])
    rows: list[dict[str, Any]] = []
    for month in page:
        facts = learnt.get(month.pk, [])
        told = [(fact, names[fact.label], _address(fact.label, access.permissions)) for fact in facts]
        # Whoever reads the correction opens the facts themselves for why they are known only now.
        reason, form = "; ".join(name for _fact, name, _at in told), ReasonForm(auto_id=f"month-{month.pk}-%s")
        rows.append({"month": month, "facts": told, "reason": reason, "form": form})
    return render(request, "settlement/corrections/uncorrected.html", {"page": page, "rows": rows})


def _address(label: str, permissions: Any) -> str:
    address = url_of_label(label)
    return address if may_open(address, permissions) else ""


@require_POST
@requires("corrections.propose")
def not_needed(request: HttpRequest, pk: int) -> HttpResponse:
    """Say why, so that nobody is asked again."""
    access, form = access_of(request), ReasonForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    return perform(
        request,
        lambda: need_no_correction(
            organisation=access.office(), month_id=pk, reason=reason, actor=access.actor, at=access.now()
        ),
        done=_("The month no longer waits. Your reason stands in the trail."),
        to="settlement:uncorrected_months",
    )
