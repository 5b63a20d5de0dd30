"""Adjudication for finance and the auditor: runs, starting one, returns and reversals."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from config.accounts.access import requires
from config.errors import DomainError, NotFound
from config.office.models import Job
from contracts.views.pages import access_of, one_of, page_of, perform_with_reason
from settlement import finance_queries, line_queries, queries
from settlement.actions import claims as claim_actions
from settlement.actions.adjudication import adjudicate_claims
from settlement.actions.examinations import examine_run
from settlement.actions.run_orders import ADJUDICATE, order_adjudication
from settlement.finance_forms import ReasonForm
from settlement.forms import AdjudicationForm
from settlement.models import Claim, ClaimLine

# More lines than a page may wait for are judged by a worker.
LINES_AT_ONCE = 20_000


@requires("runs.view")
def run_list(request: HttpRequest) -> HttpResponse:
    """Runs, and the months with something to judge."""
    access, q = access_of(request), request.GET.get("q", "").strip()
    jobs = Job.objects.filter(
        kind=ADJUDICATE, payload__organisation_id=access.office().pk, state__in=["waiting", "running", "failed"]
    )
    context = {
        "page": page_of(request, finance_queries.adjudication_runs(access.office(), q)),
        "q": q,
        "months": line_queries.months_to_judge(access),
        "jobs": jobs.order_by("-id")[:3],
    }
    return render(request, "settlement/runs/list.html", context)


@require_POST
@requires("claims.adjudicate")
def run_start(request: HttpRequest) -> HttpResponse:
    """Judge the submitted claims of a month."""
    access, form = access_of(request), AdjudicationForm(request.POST)
    if not form.is_valid():
        messages.error(request, str(_("Choose a month, then try again.")))
        return redirect("settlement:adjudication_runs")
    office, period = access.office(), form.cleaned_data["period"]
    order: dict[str, Any] = {
        "organisation": office,
        "period": period,
        "as_of": access.today(),
        "actor": access.actor,
        "at": access.now(),
    }
    if lines_waiting(office.pk, period) > LINES_AT_ONCE:
        order_adjudication(**order)
        messages.info(request, str(_("A large month: it is judged in the background, this page shows how far it is.")))
        return redirect("settlement:adjudication_runs")
    try:
        run = adjudicate_claims(**order)
        if run is not None:
            examine_run(organisation=office, run_id=run.pk, actor=access.actor, at=order["at"])
    except DomainError as error:
        messages.error(request, error.sentence)
        return redirect("settlement:adjudication_runs")
    if run is None:
        messages.info(request, str(_("Nothing waits to be judged in this month.")))
        return redirect("settlement:adjudication_runs")
    messages.success(request, str(_("The month is judged. Each line says what was decided and why.")))
    return redirect("settlement:adjudication_run", run.pk)


def lines_waiting(organisation_id: int, period: date) -> int:
    """Lines of submitted claims of a month."""
    return ClaimLine.objects.filter(
        claim__organisation=organisation_id, claim__period=period, claim__status="submitted"
    ).count()


@requires("runs.view")
def run_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A run: totals, by claim, by check, and what it relied on."""
    run = one_of(finance_queries.adjudication_runs(access_of(request).office()), pk)
    context = {
        "run": run,
        "page": page_of(request, finance_queries.remittances_of_run(run)),
        "providers": line_queries.providers_of_run(run),
        "checks": queries.checks_of_run(run),
        "outcomes": line_queries.outcomes_of_run(run),
        "left": Claim.objects.filter(organisation=run.organisation_id, period=run.period, status="submitted").count(),
    }
    return render(request, "settlement/runs/detail.html", context)


OFFICE_STEPS = {
    "return": (claim_actions.return_claim, _("The claim is returned to the provider for correction.")),
    "reverse": (
        claim_actions.reverse_claim,
        _("A reversing claim is submitted; the next run of the month takes the claim back."),
    ),
}


@require_POST
@requires("claims.adjudicate")
def claim_step(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    """Return or reverse a claim, with the reason."""
    access = access_of(request)
    if step not in OFFICE_STEPS:
        raise NotFound()
    call, done = OFFICE_STEPS[step]
    return perform_with_reason(
        request,
        ReasonForm(request.POST),
        lambda reason: call(
            organisation=access.office(),
            claim_id=pk,
            reason=reason,
            actor=access.actor,
            at=access.now(),
        ),
        done=done,
        to="settlement:claim",
        key=pk,
    )
