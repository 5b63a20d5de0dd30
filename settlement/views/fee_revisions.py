"""Fees decided anew for past months: looked at and approved, what they mean for settled months, read and disputed."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from config.accounts.access import Access, requires
from config.clock import local_date
from contracts.views.pages import access_of, one_of, page_of, perform, perform_with_reason, private_pdf, submitted
from settlement import documents
from settlement import revision_queries as queries
from settlement.finance_forms import ObjectionForm, ReasonForm
from vouchers.actions import fee_objections, fee_revisions
from vouchers.actions.recipients import read_special
from vouchers.models import FeeObjection, FeeRevision
from vouchers.queries import address_for, name_for


@requires("fees.view")
def revision_list(request: HttpRequest) -> HttpResponse:
    """Fees decided anew, newest first."""
    access, q = access_of(request), request.GET.get("q", "").strip()
    context = {"page": page_of(request, queries.revisions(access, q)), "q": q}
    return render(request, "settlement/fee_revisions/list.html", context)


@requires("fees.view")
def revision_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The decision beside those that it replaces, the settled months that it touches, who signs."""
    access = access_of(request)
    return _page(request, access, one_of(queries.revisions(access), pk))


@require_POST
@requires("fees.decide", "fees.approve", "fees.explain")
def revision_steps(request: HttpRequest, pk: int) -> HttpResponse:
    """The same page with the calculation, for who signs or checks it; the reading is recorded."""
    access = access_of(request)
    revision = one_of(queries.revisions(access), pk)
    read_special(recipient=revision.recipient, fields=[], in_tables=["fee_steps"], actor=access.actor, at=access.now())
    return _page(request, access, revision, explained=True)


def _page(request: HttpRequest, access: Access, revision: FeeRevision, explained: bool = False) -> HttpResponse:
    waits = revision.status == "proposed"
    own = access.user.pk in (revision.proposed_by_id, revision.recipient.user_id)
    may_explain = any(access.may(name) for name in ("fees.decide", "fees.approve", "fees.explain"))
    context = {
        "revision": revision,
        "shown_name": name_for(access, revision.recipient),
        "replaced": as_shown(revision),
        "months": queries.settled_months(revision) if revision.status != "cancelled" else [],
        "holds": revision.status == "approved",
        "explained": explained,
        "may_explain": may_explain and not explained and bool(revision.steps),
        "unverified": _unverified(revision),
        # Whoever reads the correction needs no income of a recipient: the decision itself says why.
        "correction_reason": revision.number,
        "own": waits and own,
        "may_approve": waits and not own and access.may("fees.approve"),
        "may_cancel": waits and (access.may("fees.approve") or access.may("fees.decide")),
        **_objection(access, revision),
    }
    return render(request, "settlement/fee_revisions/detail.html", context)


def _unverified(revision: FeeRevision) -> set[str]:
    """Parameters behind the calculation whose value nobody has checked against the act."""
    return {row["key"] for row in revision.parameters if row.get("unverified")}


def as_shown(revision: FeeRevision) -> list[dict[str, Any]]:
    """Decisions that are replaced, with their days as days; the last one is included."""
    return [
        row
        | {
            "first": date.fromisoformat(row["valid_from"]),
            "last": row["valid_to"] and date.fromordinal(date.fromisoformat(row["valid_to"]).toordinal() - 1),
        }
        for row in revision.replaced
    ]


def _objection(access: Access, revision: FeeRevision) -> dict[str, Any]:
    rows = FeeObjection.objects.filter(revision=revision).select_related("answer__answered_by")
    found = rows.first()
    part = (revision.proposed_by_id, revision.approved_by_id, found and found.submitted_by_id)
    return {
        "until": fee_revisions.disputable_until(revision) if revision.status == "approved" else None,
        "objection": found,
        "answer": getattr(found, "answer", None),
        "may_answer": access.may("corrections.answer") and access.user.pk not in part,
    }


@require_POST
@requires("fees.approve")
def revision_approve(request: HttpRequest, pk: int) -> HttpResponse:
    """Let the decision hold."""
    access = access_of(request)
    return perform(
        request,
        lambda: fee_revisions.approve_fee_revision(
            organisation=access.office(), revision_id=pk, actor=access.actor, at=access.now()
        ),
        done=_("The fee is decided anew. The recipient is told; settled months are put right by a correction."),
        to="settlement:fee_revision",
        key=pk,
    )


@require_POST
@requires("fees.approve", "fees.decide")
def revision_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Give it up, with the reason."""
    access = access_of(request)
    return perform_with_reason(
        request,
        ReasonForm(request.POST),
        lambda reason: fee_revisions.cancel_fee_revision(
            organisation=access.office(), revision_id=pk, reason=reason, actor=access.actor, at=access.now()
        ),
        done=_("It is given up; the decisions hold as they were."),
        to="settlement:fee_revision",
        key=pk,
    )


ANSWERS = {"uphold": True, "refuse": False}


@require_POST
@requires("corrections.answer")
def revision_answer(request: HttpRequest, pk: int, objection: int, step: str) -> HttpResponse:
    """Answer the recipient, with the reason."""
    access = access_of(request)
    return perform_with_reason(
        request,
        ReasonForm(request.POST),
        lambda reason: fee_objections.answer_fee_objection(
            organisation=access.office(),
            objection_id=objection,
            upheld=ANSWERS[step],
            reason=reason,
            actor=access.actor,
            at=access.now(),
        ),
        done=_("The answer is kept; the recipient reads it."),
        to="settlement:fee_revision",
        key=pk,
    )


@requires("fees.view", "corrections.own")
def revision_notice(request: HttpRequest, pk: int) -> HttpResponse:
    """The notice to the recipient as PDF: who keeps the register prints it, the recipient opens the own one; others see
    it with the name masked.
    """
    access = access_of(request)
    rows = queries.revisions(access) if access.may("fees.view") else queries.own_revisions(access.user)
    revision = one_of(rows.filter(status="approved"), pk)
    until = fee_revisions.disputable_until(revision)
    name = address_for(access, revision.recipient)
    pdf = documents.fee_revision_notice(revision, as_shown(revision), until, name)
    return private_pdf(pdf, revision.number)


@requires("corrections.own")
def own_revision(request: HttpRequest, pk: int) -> HttpResponse:
    """What was decided anew for a recipient, until when it can be disputed, and the answer."""
    access = access_of(request)
    revision = one_of(queries.own_revisions(access.user), pk)
    form = ObjectionForm(request.POST or None)
    made, refusal = submitted(
        request,
        form,
        lambda: fee_objections.object_to_fee(
            recipient=revision.recipient,
            revision_id=pk,
            reason=form.cleaned_data["reason"],
            actor=access.actor,
            at=access.now(revision.organisation),
        ),
    )
    if made is not None:
        messages.success(request, gettext("Your objection is with the office. The answer will stand on this page."))
        return redirect("settlement:own_fee_revision", pk)
    context = {
        "revision": revision,
        "replaced": as_shown(revision),
        "unverified": _unverified(revision),
        "form": form,
        "refusal": refusal,
        **_objection(access, revision),
    }
    today = local_date(access.now(revision.organisation), revision.organisation.zone)
    context["may_object"] = context["objection"] is None and today <= context["until"]
    return render(request, "settlement/fee_revisions/own.html", context, status=409 if refusal else 200)
