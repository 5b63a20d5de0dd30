"""Norm costs: drafted, approved by another person, ended, withdrawn."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from config.accounts.access import Access, requires
from config.clock import local_date
from config.errors import NotPermitted
from contracts import queries
from contracts.actions import norms
from contracts.actions.past_norms import approve_past_norm, settled_by_norm
from contracts.forms import NormCostForm, NormEndForm, NormWithdrawalForm
from contracts.models import NormCost
from contracts.settled_queries import refunded_by_norm
from contracts.views.pages import access_of, one_of, page_of, perform, stepped, submitted
from contracts.views.past_days import touched_part


def norms_shown(access: Access) -> QuerySet[NormCost]:
    """What a bidder may read is decided; a draft tells next year's price to those inside alone."""
    rows = queries.norm_costs(access.office())
    return rows if access.may("norms.view_drafts") else rows.filter(status="approved")


@requires("norms.view")
def norm_list(request: HttpRequest) -> HttpResponse:
    """Norm costs of the organisation."""
    q = request.GET.get("q", "").strip()
    rows = norms_shown(access_of(request))
    if q:
        rows = rows.filter(service__name_uk__icontains=q) | rows.filter(service__code__startswith=q)
    return render(request, "contracts/norms.html", {"page": page_of(request, rows), "q": q})


@requires("norms.view")
def norm_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A norm cost with the rows of its calculation and the parameters they rest on."""
    access = access_of(request)
    norm = one_of(norms_shown(access).select_related("author", "approver", "organisation"), pk)
    draft, past = norm.status == "draft", norm.reason != ""
    ends = queries.norm_ended_by(norm) if draft and not past else None
    replaced = queries.norm_replaced_by(norm) if draft and past else None
    second = draft and norm.author_id != access.user.pk
    today = access.today()
    used = list(norm.inputs.get("parameters", {}).values())
    context = {
        "norm": norm,
        "parameters": used,
        "recomputed": norms.recomputed(norm),
        "unverified": {row["key"] for row in used if row["unverified"]},
        "may_approve": second and not past and access.may("norms.approve"),
        "may_put_right": second and past and access.may("past_days.approve"),
        "may_end": access.may("norms.approve") and norm.status == "approved" and norm.valid_to is None,
        "may_withdraw": may_withdraw(access, norm),
        "last_day": norm.valid_to and norm.valid_to - timedelta(days=1),
        "ends": ends,
        "ends_on": norm.valid_from - timedelta(days=1),
        # The days until today are decided: a successor begins tomorrow at the earliest.
        "too_early": ends is not None and norm.valid_from <= today,
        "replaced": replaced,
        "replaced_whole": replaced is not None and replaced.valid_from == norm.valid_from,
    }
    if past and access.may("norms.view_drafts"):
        context |= touched_part(norm, norm.organisation, settled_by_norm(norm), norm.act)
        until = queries.norm_would_end(norm) if draft else norm.valid_to
        context["refunded"] = [] if norm.status == "withdrawn" else refunded_by_norm(norm, until)
    return render(request, "contracts/norm.html", context)


@requires("norms.draft")
def norm_new(request: HttpRequest) -> HttpResponse:
    """Draft a norm cost from its components."""
    access = access_of(request)
    office = access.office()
    form = NormCostForm(request.POST or None, organisation=office)
    norm, refusal = submitted(
        request,
        form,
        lambda: norms.draft_norm_cost(
            organisation=office,
            service=form.cleaned_data["service"],
            territory=form.cleaned_data["territory"],
            facts=form.facts(),
            valid_from=form.cleaned_data["valid_from"],
            act=form.cleaned_data["act"],
            reason=form.cleaned_data["reason"],
            actor=access.actor,
            at=access.now(),
        ),
    )
    if norm is not None:
        return redirect("contracts:norm", norm.pk)
    context = {"form": form, "refusal": refusal, "title": _("New norm cost"), "back": "contracts:norms"}
    return render(request, "contracts/form.html", context)


@require_POST
@requires("norms.approve")
def norm_approve(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve a draft as the second person."""
    access = access_of(request)
    norm = one_of(NormCost.objects.filter(organisation=access.office()), pk)
    return perform(
        request,
        lambda: norms.approve_norm_cost(norm=norm, actor=access.actor, at=access.now()),
        done=_("The norm cost is approved. Competitions and contracts may rely on it."),
        to="contracts:norm",
        key=pk,
    )


@require_POST
@requires("past_days.approve")
def norm_put_right(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve a norm cost of past days as the second person."""
    access = access_of(request)
    norm = one_of(NormCost.objects.filter(organisation=access.office()), pk)
    return perform(
        request,
        lambda: approve_past_norm(norm=norm, actor=access.actor, at=access.now()),
        done=_("The norm cost holds from its day. Closed months change by their corrections only."),
        to="contracts:norm",
        key=pk,
    )


def may_withdraw(access: Access, norm: NormCost) -> bool:
    """A draft: who drafts or approves; an approved norm before its first day: who approves."""
    if norm.status == "draft":
        return access.may("norms.draft") or access.may("norms.approve")
    today = local_date(access.now(), norm.organisation.zone)
    return norm.status == "approved" and access.may("norms.approve") and today < norm.valid_from


@requires("norms.approve")
def norm_end(request: HttpRequest, pk: int) -> HttpResponse:
    """End an approved norm on a day to come."""
    access = access_of(request)
    norm = one_of(queries.norm_costs(access.office()), pk)
    form = NormEndForm(request.POST or None)
    return stepped(
        request,
        form,
        lambda: norms.end_norm_cost(
            norm=norm,
            valid_to=form.cleaned_data["last_day"] + timedelta(days=1),
            basis=form.cleaned_data["basis"],
            actor=access.actor,
            at=access.now(),
        ),
        done=_("The norm cost ends on that day. From the next day on there is none until another is approved."),
        title=norm.service.name,
        back="contracts:norm",
        key=pk,
        submit=_("End the norm cost"),
        danger=True,
        notes=[_("After its last day contracts and certificates of this service need another approved norm cost.")],
    )


@requires("norms.draft", "norms.approve")
def norm_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Withdraw a draft, or an approved norm before its first day."""
    access = access_of(request)
    norm = one_of(queries.norm_costs(access.office()).select_related("organisation"), pk)
    if norm.status == "approved" and not access.may("norms.approve"):
        raise NotPermitted()
    form = NormWithdrawalForm(request.POST or None)
    return stepped(
        request,
        form,
        lambda: norms.withdraw_norm_cost(
            norm=norm, reason=form.cleaned_data["reason"], actor=access.actor, at=access.now()
        ),
        done=_("The norm cost is withdrawn."),
        title=norm.service.name,
        back="contracts:norm",
        key=pk,
        submit=_("Withdraw"),
        danger=True,
        notes=[_("A norm cost that this one has ended stays ended.")] if norm.status == "approved" else [],
    )
