"""Plans of needs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from config.accounts.access import requires
from contracts.views.pages import access_of, one_of, page_of, perform, submitted
from procurement import queries
from procurement.actions import planning
from procurement.forms import PlanForm, PlanItemForm


@requires("plans.view")
def plan_list(request: HttpRequest) -> HttpResponse:
    """Plans by year."""
    q = request.GET.get("q", "").strip()
    page = page_of(request, queries.plans(access_of(request).office(), q))
    return render(request, "procurement/plans.html", {"page": page, "q": q})


@requires("plans.view")
def plan_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A plan with its needs, their competitions and the staff that the norms ask for."""
    access = access_of(request)
    plan = one_of(queries.plans(access.office()).select_related("approved_by"), pk)
    context = {
        "plan": plan,
        "items": queries.plan_items(plan),
        "decide_by": queries.decision_deadlines(access.office(), plan.year),
        "may_edit": access.may("plans.edit") and plan.approved_at is None,
    }
    return render(request, "procurement/plan.html", context)


@requires("plans.edit")
def plan_new(request: HttpRequest) -> HttpResponse:
    """Open the plan of a year."""
    access = access_of(request)
    form = PlanForm(request.POST or None)
    plan, refusal = submitted(
        request,
        form,
        lambda: planning.create_plan(
            organisation=access.office(), actor=access.actor, at=access.now(), **form.cleaned_data
        ),
    )
    if plan is not None:
        return redirect("procurement:plan", plan.pk)
    context = {"form": form, "refusal": refusal, "title": _("New plan"), "back": "procurement:plans"}
    return render(request, "contracts/form.html", context)


@requires("plans.edit")
def plan_item_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Add a need to a plan."""
    access = access_of(request)
    office = access.office()
    plan = one_of(queries.plans(office), pk)
    form = PlanItemForm(request.POST or None, organisation=office)
    item, refusal = submitted(
        request,
        form,
        lambda: planning.add_plan_item(plan=plan, actor=access.actor, at=access.now(), **form.cleaned_data),
    )
    if item is not None:
        return redirect("procurement:plan", plan.pk)
    context = {"form": form, "refusal": refusal, "title": _("New need"), "back": "procurement:plan", "key": pk}
    return render(request, "contracts/form.html", context)


@require_POST
@requires("plans.edit")
def plan_approve(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve a plan."""
    access = access_of(request)
    plan = one_of(queries.plans(access.office()), pk)
    return perform(
        request,
        lambda: planning.approve_plan(plan=plan, actor=access.actor, at=access.now()),
        done=_("The plan is approved. Competitions may now be prepared from it."),
        to="procurement:plan",
        key=pk,
    )
