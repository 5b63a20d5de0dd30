"""A number of the law: its values over time, what was decided by it, and a new value by two persons."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from config.accounts.access import Access, requires
from config.accounts.models import Organisation
from config.errors import NotFound, NotPermitted
from config.law_words import act_words, article_words, parameter_title, value_words
from contracts import queries
from contracts.actions import parameters as actions
from contracts.actions.past_parameters import approve_past_parameter, settled_by_value
from contracts.forms import ConfirmationForm, ParameterForm, RefusalForm
from contracts.models import NormCost, Parameter, ParameterProposal
from contracts.parameter_use import is_read
from contracts.parameters import with_confirmations
from contracts.views.pages import access_of, one_of, page_of, perform, stepped, submitted
from contracts.views.past_days import touched_part
from settlement.models import AdjudicationRun
from vouchers.models import FeeAssessment


@requires("parameters.view")
def parameter(request: HttpRequest, pk: int) -> HttpResponse:
    """One value with its source, what was decided by it, and the other values of its key."""
    access = access_of(request)
    row, rows = _value(access, pk)
    waiting = queries.parameter_proposals(access.office()).filter(key=row.key, status="draft")
    page = page_of(request, queries.rows_of_key(access.office(), row.key))
    page.object_list = with_confirmations(access.office(), page.object_list)
    context = {
        "row": row,
        "read": is_read(row.key),
        "rows": page,
        "today": access.today(),
        "used": _uses(access.office(), row),
        "waiting": waiting,
        "evidence": dict(Parameter.EVIDENCE),
        "unit": actions.unit_of(rows),
    }
    return render(request, "contracts/parameter.html", context)


def _value(access: Access, pk: int) -> tuple[Parameter, list[Parameter]]:
    """A value and all values of its key, the reader's municipality's and national ones. Raises: NotFound."""
    office = access.office()
    row = one_of(Parameter.objects.all(), pk)
    rows = with_confirmations(office, queries.rows_of_key(office, row.key))
    found = next((other for other in rows if other.pk == pk), None)
    if found is None:
        raise NotFound()
    return found, rows


def _uses(office: Organisation, row: Parameter) -> list[tuple[Any, int]]:
    """Kinds of decisions that rest on the value, with how many."""
    used = [{"id": row.pk}]
    norms = NormCost.objects.filter(organisation=office, inputs__parameters__contains={row.key: {"id": row.pk}})
    fees = FeeAssessment.objects.filter(recipient__organisation=office, parameters__contains=used)
    runs = AdjudicationRun.objects.filter(organisation=office, parameters__contains=used)
    return [
        (_("Norm costs"), norms.count()),
        (_("Fee decisions"), fees.count()),
        (_("Adjudication runs"), runs.count()),
    ]


@requires("parameters.edit")
def parameter_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down a new value of the key of this one; another person approves it."""
    access = access_of(request)
    row, rows = _value(access, pk)
    shape, unit = actions.shape_of_rows(rows), actions.unit_of(rows)
    source = {"act": act_words(row.act), "article": article_words(row.article) if row.act else "", "evidence": "V-TEXT"}
    form = ParameterForm(request.POST or None, shape=shape, unit=unit, initial={"value": row.value, **source})
    proposal, refusal = submitted(
        request,
        form,
        lambda: actions.propose_parameter(
            organisation=access.office(),
            key=row.key,
            value=form.cleaned_data["value"],
            valid_from=form.cleaned_data["valid_from"],
            source=form.source(),
            reason=form.cleaned_data["reason"],
            actor=access.actor,
            at=access.now(),
        ),
    )
    if proposal is not None:
        return redirect("parameter_proposal", proposal.pk)
    context = {
        "form": form,
        "refusal": refusal,
        "title": capfirst(parameter_title(row.key)),
        "back": "parameter",
        "key": pk,
        "submit": _("Hand over for approval"),
        "notes": [_("The value holds for your municipality once another person has approved it.")],
    }
    return render(request, "contracts/form.html", context, status=409 if refusal else 200)


@requires("parameters.edit")
def parameter_confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down where an unverified value was found; another person approves."""
    access = access_of(request)
    row, _rows = _value(access, pk)
    initial = {"act": act_words(row.act), "article": article_words(row.article) if row.act else ""}
    form = ConfirmationForm(request.POST or None, initial=initial)
    proposal, refusal = submitted(
        request,
        form,
        lambda: actions.propose_confirmation(
            organisation=access.office(), parameter=row, source=form.source(), actor=access.actor, at=access.now()
        ),
    )
    if proposal is not None:
        return redirect("parameter_proposal", proposal.pk)
    value = _("%(value)s, in force from %(day)s") % {
        "value": value_words(row.value),
        "day": date_format(row.valid_from, "DATE_FORMAT"),
    }
    context = {
        "form": form,
        "refusal": refusal,
        "title": capfirst(parameter_title(row.key)),
        "back": "parameter",
        "key": pk,
        "submit": _("Hand over for approval"),
        "notes": [value, _("The value stays as it is. It counts as verified once another person has approved.")],
    }
    return render(request, "contracts/form.html", context, status=409 if refusal else 200)


@requires("parameters.view")
def parameter_proposal(request: HttpRequest, pk: int) -> HttpResponse:
    """A value that was written down, beside the one that it would follow."""
    access = access_of(request)
    proposal = one_of(queries.parameter_proposals(access.office()), pk)
    rows = list(queries.rows_of_key(access.office(), proposal.key))
    own_work = proposal.author_id == access.user.pk
    waits = proposal.status == "draft"
    context = {
        "proposal": proposal,
        "confirms": next((row for row in rows if proposal.confirms(row)), None),
        "present": _present(rows, proposal),
        "evidence": dict(Parameter.EVIDENCE),
        "may_approve": waits and access.may("parameters.approve") and not own_work and not proposal.reason,
        "may_put_right": waits and access.may("past_days.approve") and not own_work and bool(proposal.reason),
        "may_withdraw": waits and _may_withdraw(access, proposal),
        "own_work": waits and own_work,
    }
    if proposal.reason:
        context |= touched_part(proposal, access.office(), settled_by_value(proposal), proposal.act)
    return render(request, "contracts/parameter_proposal.html", context)


def _present(rows: list[Parameter], proposal: ParameterProposal) -> Parameter | None:
    """What holds on the day before the first day of the proposal; rows come with those that win at the top."""
    start = proposal.valid_from
    return next((r for r in rows if r.valid_from < start and (r.valid_to is None or r.valid_to >= start)), None)


def _may_withdraw(access: Access, proposal: ParameterProposal) -> bool:
    return proposal.author_id == access.user.pk or access.may("parameters.approve")


@require_POST
@requires("parameters.approve")
def parameter_approve(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve a value as the second person."""
    access = access_of(request)
    proposal = one_of(queries.parameter_proposals(access.office()), pk)
    return perform(
        request,
        lambda: actions.approve_parameter(proposal=proposal, actor=access.actor, at=access.now()),
        done=_("The value is approved and counts from its first day."),
        to="parameter_proposal",
        key=pk,
    )


@require_POST
@requires("past_days.approve")
def parameter_put_right(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve a value of past days as the second person."""
    access = access_of(request)
    proposal = one_of(queries.parameter_proposals(access.office()), pk)
    return perform(
        request,
        lambda: approve_past_parameter(proposal=proposal, actor=access.actor, at=access.now()),
        done=_("The value holds from its day. Closed months change by their corrections only."),
        to="parameter_proposal",
        key=pk,
    )


@requires("parameters.edit", "parameters.approve")
def parameter_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a proposal back, or refuse it with a reason."""
    access = access_of(request)
    proposal = one_of(queries.parameter_proposals(access.office()), pk)
    if not _may_withdraw(access, proposal):
        raise NotPermitted()
    form = RefusalForm(request.POST or None)
    return stepped(
        request,
        form,
        lambda: actions.withdraw_parameter(
            proposal=proposal, reason=form.cleaned_data["reason"], actor=access.actor, at=access.now()
        ),
        done=_("The value is not taken over. The present one stays."),
        title=parameter_title(proposal.key),
        back="parameter_proposal",
        key=pk,
        submit=_("Do not take it over"),
        danger=True,
    )
