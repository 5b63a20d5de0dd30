"""Pages of holds: what is not paid for a reason, placing one, letting it go."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _

from config.accounts.access import requires
from contracts.views.pages import access_of, one_of, page_of, stepped
from settlement import hold_queries
from settlement.actions.holds import lift_hold, place_hold
from settlement.finance_forms import HoldForm, ReasonForm


@requires("payment_runs.view")
def holds(request: HttpRequest) -> HttpResponse:
    """All holds, those in force first."""
    access, q = access_of(request), request.GET.get("q", "").strip()
    page = page_of(request, hold_queries.holds(access.office(), q))
    return render(request, "settlement/finance/holds.html", {"page": page, "q": q})


@requires("payment_holds.edit")
def hold_new(request: HttpRequest) -> HttpResponse:
    """Hold what is paid to a provider, by a contract, for a claim, or one payment."""
    access = access_of(request)
    office = access.office()
    first = {"from_date": access.today(), "kind": request.GET.get("kind", "provider")}
    form = HoldForm(request.POST or None, office=office, initial=first | {"number": request.GET.get("number", "")})
    return stepped(
        request,
        form,
        lambda: place_hold(
            organisation=office,
            target=form.cleaned_data["target"],
            reason=form.cleaned_data["reason"],
            from_date=form.cleaned_data["from_date"],
            to_date=form.cleaned_data["to_date"],
            actor=access.actor,
            at=access.now(),
        ),
        done=_("It is held. Open payment runs that would have paid it wait for approval again, without it."),
        title=_("Hold payments"),
        back="settlement:holds",
        key=None,
        submit=_("Hold"),
    )


@requires("payment_holds.edit")
def hold_lift(request: HttpRequest, pk: int) -> HttpResponse:
    """Let it go: another person than who placed it."""
    access = access_of(request)
    row = one_of(hold_queries.holds(access.office()), pk)
    if row.lifted_at is not None:
        return redirect("settlement:holds")
    form = ReasonForm(request.POST or None)
    return stepped(
        request,
        form,
        lambda: lift_hold(
            organisation=access.office(),
            hold_id=pk,
            reason=form.cleaned_data["reason"],
            actor=access.actor,
            at=access.now(),
        ),
        done=_("The hold is lifted. The next payment run can pay it."),
        title=_("Lift a hold"),
        back="settlement:holds",
        key=None,
        submit=_("Lift the hold"),
        notes=[f"{row.words}: {row.reason_words}"],
    )
