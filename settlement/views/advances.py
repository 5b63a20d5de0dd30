"""Advances: the list, one with its life, proposing, approving, paying, asking back."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from config.accounts.access import Access, requires
from config.errors import DomainError, NotFound
from config.money import to_minor
from contracts.views.pages import access_of, one_of, page_of, perform, perform_with_reason
from settlement import advance_papers, advance_queries
from settlement.actions import advances as actions
from settlement.actions import runs
from settlement.actions.advances import Plan
from settlement.actions.undone_lines import undo_advance_return
from settlement.advance_forms import AdvanceForm, AskBackForm
from settlement.finance_forms import ReasonForm
from settlement.models import Advance
from settlement.views.bank_lines import undone

STATES = ["proposed", "approved", "paid", "due", "settled", "cancelled"]


@requires("advances.view")
def advance_list(request: HttpRequest) -> HttpResponse:
    """Advances of the reader's scope, newest first."""
    access = access_of(request)
    q, state = request.GET.get("q", "").strip(), request.GET.get("status", "")
    rows = advance_queries.advances(access, q, state if state in STATES else "")
    waiting = advance_queries.payable_advances(access.office()).count() if access.may("payment_runs.propose") else 0
    context = {
        "page": page_of(request, rows),
        "q": q,
        "status": state,
        "states": STATES[1:] if access.may("claims.submit") else STATES,
        "hidden": {"status": state},
        "waiting": waiting,
    }
    return render(request, "settlement/advances/list.html", context)


@requires("advances.view")
def advance_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One advance: how much, on what ground, how it was paid, used and returned, and what comes next."""
    access = access_of(request)
    row = _advance_of(access, pk)
    context = {
        "advance": row,
        "currency": row.organisation.currency,
        "uses": advance_queries.uses_of(row),
        "returns": advance_queries.returns_of(row),
        "payments": advance_queries.payments_of(row),
        "reason_form": ReasonForm(),
        "ask_form": AskBackForm(),
        **_steps(access, row),
    }
    return render(request, "settlement/advances/detail.html", context)


def _advance_of(access: Access, pk: int) -> Advance:
    return one_of(advance_queries.advances(access), pk)


def _steps(access: Access, row: Advance) -> dict[str, bool]:
    """Buttons of an advance for this reader."""
    moved = row.payment_items.filter(live=True).exists() or row.uses.exists() or row.returns.exists()
    return {
        "may_approve": access.may("advances.approve")
        and row.status == "proposed"
        and row.proposed_by_id != access.user.pk,
        "may_cancel": (access.may("advances.propose") or access.may("advances.approve"))
        and row.status in ("proposed", "approved") and not moved,
        "may_ask_back": access.may("advances.propose") and row.status == "paid",
    }


@requires("advances.propose")
def advance_new(request: HttpRequest) -> HttpResponse:
    """Propose an advance."""
    access = access_of(request)
    form = AdvanceForm(request.POST or None, organisation=access.office(), on=access.today())
    refusal = None
    if request.method == "POST" and form.is_valid():
        try:
            row = _propose(access, form.cleaned_data)
        except DomainError as error:
            refusal = error
        else:
            messages.success(request, str(_("The advance is proposed. Another person now looks at it.")))
            return redirect("settlement:advance", row.pk)
    context = {"form": form, "refusal": refusal}
    return render(request, "settlement/advances/new.html", context, status=400 if refusal or form.errors else 200)


def _propose(access: Access, said: dict[str, Any]) -> Advance:
    return actions.propose_advance(
        organisation=access.office(),
        contract_id=said["contract"].pk,
        amount_minor=to_minor(said["amount"]),
        purpose=said["purpose"],
        use_until=said["use_until"],
        plan=Plan(said["units"], said["tariff"]) if said["units"] else None,
        actor=access.actor,
        at=access.now(),
    )


@require_POST
@requires("advances.approve")
def advance_approve(request: HttpRequest, pk: int) -> HttpResponse:
    """Grant what another person proposed."""
    access = access_of(request)
    return perform(
        request,
        lambda: actions.approve_advance(
            organisation=access.office(), advance_id=pk, actor=access.actor, at=access.now()
        ),
        done=_("The advance is granted. It is paid by the next payment run of advances."),
        to="settlement:advance",
        key=pk,
    )


@require_POST
@requires("advances.propose", "advances.approve")
def advance_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Give up an advance that is not paid, or say no to one that was proposed."""
    access = access_of(request)
    return perform_with_reason(
        request,
        ReasonForm(request.POST),
        lambda reason: actions.cancel_advance(
            organisation=access.office(), advance_id=pk, reason=reason, actor=access.actor, at=access.now()
        ),
        done=_("The advance is cancelled."),
        to="settlement:advance",
        key=pk,
    )


@require_POST
@requires("advances.propose")
def advance_ask_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for what is unused."""
    access, form = access_of(request), AskBackForm(request.POST)
    if not form.is_valid():
        messages.error(request, str(_("Write why the rest is asked back, and a day or none.")))
        return redirect("settlement:advance", pk)
    return perform(
        request,
        lambda: actions.ask_advance_back(
            organisation=access.office(),
            advance_id=pk,
            until=form.cleaned_data["until"],
            reason=form.cleaned_data["reason"],
            actor=access.actor,
            at=access.now(),
        ),
        done=_("The provider is told what to return and until when."),
        to="settlement:advance",
        key=pk,
    )


@require_POST
@requires("payment_runs.propose")
def advance_run(request: HttpRequest) -> HttpResponse:
    """Propose a payment run of every approved advance."""
    access = access_of(request)
    return perform(
        request,
        lambda: runs.propose_advance_run(organisation=access.office(), actor=access.actor, at=access.now()),
        done=_("The payment run is proposed. Another person now looks at it and approves it."),
        to="settlement:payment_runs",
    )


@requires("advances.view")
def advance_letter(request: HttpRequest, pk: int) -> HttpResponse:
    """The letter that asks the rest back, as PDF. Raises: NotFound while nothing was asked back."""
    row = _advance_of(access_of(request), pk)
    if row.return_until is None:
        raise NotFound()
    answer = HttpResponse(advance_papers.return_letter(row), content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{row.number}.pdf"'
    return answer


@requires("statements.match")
def advance_return_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that a line was no money of an advance, with a reason."""
    row = one_of(advance_queries.live_returns(access_of(request).office()), pk)
    title = _("Undo the money of the advance %(number)s") % {"number": row.advance.number}
    return undone(request, row, partial(undo_advance_return, return_id=pk), title)
