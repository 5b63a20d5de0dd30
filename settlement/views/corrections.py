"""Corrections of closed months: prepared and looked at, approved, read by providers and recipients, disputed."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from config.accounts.access import Access, requires
from config.clock import local_date
from config.errors import NotFound
from contracts.models import Service
from contracts.queries import provider_of
from contracts.views.pages import access_of, one_of, page_of, perform, perform_with_reason, private_pdf, submitted
from settlement import correction_queries as queries
from settlement import documents
from settlement.actions import correction_objections, corrections
from settlement.finance_forms import CorrectionForm, ObjectionForm, ReasonForm, month_of_text
from settlement.models import Correction
from settlement.models.ledger import ACCOUNT_TITLES
from settlement.revision_queries import own_revisions
from vouchers.models import Recipient
from vouchers.queries import address_for

BUDGET_KINDS = {
    "spending": _("Spent"),
    "reservation": _("Set aside for certificates"),
    "commitment": _("Promised by contracts"),
}


@requires("corrections.view")
def correction_list(request: HttpRequest) -> HttpResponse:
    """Corrections of the office; a provider sees those of its own claims."""
    access, q = access_of(request), request.GET.get("q", "").strip()
    context = {"page": page_of(request, queries.corrections(access, q)), "q": q, "own": access.may("claims.submit")}
    return render(request, "settlement/corrections/list.html", context)


@requires("corrections.propose")
def correction_new(request: HttpRequest) -> HttpResponse:
    """See what the facts known today make of a closed month, and keep it for the second person."""
    access = access_of(request)
    months = queries.correctable_months(access.office())
    form = CorrectionForm(request.POST or None, months=months, initial=_asked(request))
    made, refusal = submitted(
        request,
        form,
        lambda: corrections.propose_correction(
            organisation=access.office(),
            month=month_of_text(form.cleaned_data["month"]) or months[0],
            ground=form.cleaned_data["ground"],
            reason=form.cleaned_data["reason"],
            actor=access.actor,
            at=access.now(),
        ),
    )
    if made is not None:
        words = gettext("This is what would change. Nothing is posted until another person approves it.")
        messages.success(request, words)
        return redirect("settlement:correction", made.pk)
    context = {"form": form, "refusal": refusal, "months": months}
    return render(request, "settlement/corrections/new.html", context, status=409 if refusal else 200)


def _asked(request: HttpRequest) -> dict[str, str]:
    """What the page of the changed fact has filled in."""
    return {name: request.GET.get(name, "")[:1000] for name in ("month", "ground", "reason")}


@requires("corrections.view")
def correction_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The document: line by line was, becomes, difference; what is booked; who is told; who signs."""
    access, q = access_of(request), request.GET.get("q", "").strip()
    correction = one_of(queries.corrections(access), pk)
    lines = queries.lines_of(correction, access, q)
    page = page_of(request, lines)
    context = {
        "correction": correction,
        "q": q,
        "page": page,
        "shown": queries.with_titles(page),
        "sums": queries.sums_of(queries.lines_of(correction, access)),
        "claims": list(queries.claims_of_correction(correction, access)),
        "until": queries.disputable_until(correction) if correction.status == "approved" else None,
        "provider": provider_of(access.user) if access.may("claims.submit") else None,
    }
    if not access.may("claims.submit"):
        context |= _office_part(access, correction)
    return render(request, "settlement/corrections/detail.html", context)


def _certificates(correction: Correction) -> list[dict[str, Any]]:
    """Balances that move, with the services by name."""
    rows = correction.plan["certificates"]
    services = Service.objects.filter(
        organisation=correction.organisation_id, code__in={row["service"] for row in rows}
    )
    names = {service.code: service.name for service in services}
    return [row | {"service": names.get(row["service"], row["service"])} for row in rows]


def _office_part(access: Access, correction: Correction) -> dict[str, Any]:
    waits = correction.status == "proposed"
    own = waits and correction.proposed_by_id == access.actor.user_id
    plan = correction.plan
    return {
        "office": True,
        "accounts": [
            row | {"title": str(ACCOUNT_TITLES[row["kind"]]) % {"whose": row["whose"]}} for row in plan["accounts"]
        ],
        "budget": [row | {"words": BUDGET_KINDS[row["kind"]]} for row in plan["budget"]],
        "certificates": _certificates(correction),
        "notices": plan["notices"],
        "overspent": plan["overspent"],
        "left_out": queries.in_words(plan["left_out"]),
        "providers": queries.providers_of_correction(correction),
        "recipients": queries.recipients_of_correction(correction)[: queries.RECIPIENTS_SHOWN],
        "recipient_count": queries.recipients_of_correction(correction).count(),
        "objections": [
            (row, _may_answer(access, correction, row.submitted_by_id))
            for row in correction.objections.select_related("recipient", "answer__answered_by").order_by("pk")
        ],
        "own": own,
        "may_approve": waits and not own and access.may("corrections.approve"),
        "may_cancel": waits and (access.may("corrections.approve") or access.may("corrections.propose")),
        "cancel_form": ReasonForm(),
    }


def _may_answer(access: Access, correction: Correction, submitted_by: int) -> bool:
    part = (correction.proposed_by_id, correction.approved_by_id, submitted_by)
    return access.may("corrections.answer") and access.user.pk not in part


@require_POST
@requires("corrections.approve")
def correction_approve(request: HttpRequest, pk: int) -> HttpResponse:
    """Post what was seen."""
    access = access_of(request)
    return perform(
        request,
        lambda: corrections.approve_correction(
            organisation=access.office(),
            correction_id=pk,
            content_sha256=request.POST.get("seen", ""),
            actor=access.actor,
            at=access.now(),
        ),
        done=_("The correction is posted in the open month. Providers and recipients can read their notices."),
        to="settlement:correction",
        key=pk,
    )


@require_POST
@requires("corrections.approve", "corrections.propose")
def correction_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a correction up, with the reason."""
    access = access_of(request)
    return perform_with_reason(
        request,
        ReasonForm(request.POST),
        lambda reason: corrections.cancel_correction(
            organisation=access.office(),
            correction_id=pk,
            reason=reason,
            actor=access.actor,
            at=access.now(),
        ),
        done=_("The correction is given up; nothing was posted. It can be prepared again."),
        to="settlement:correction",
        key=pk,
    )


ANSWERS = {"uphold": True, "refuse": False}


@require_POST
@requires("corrections.answer")
def objection_answer(request: HttpRequest, pk: int, objection: int, step: str) -> HttpResponse:
    """Answer a recipient, with the reason."""
    access = access_of(request)
    return perform_with_reason(
        request,
        ReasonForm(request.POST),
        lambda reason: correction_objections.answer_objection(
            organisation=access.office(),
            objection_id=objection,
            upheld=ANSWERS[step],
            reason=reason,
            actor=access.actor,
            at=access.now(),
        ),
        done=_("The answer is kept; the recipient reads it."),
        to="settlement:correction",
        key=pk,
    )


@requires("corrections.view")
def provider_notice(request: HttpRequest, pk: int, provider: int) -> HttpResponse:
    """The notice to a provider as PDF."""
    access = access_of(request)
    correction = _approved(queries.corrections(access).filter(pk=pk).first())
    lines = queries.lines_of(correction, access).filter(provider=provider)
    first = lines.first()
    if first is None:
        raise NotFound()
    until = queries.disputable_until(correction)
    paper = documents.correction_notice(correction, lines, until, first.provider.name)
    return private_pdf(paper, correction.number)


@requires("corrections.view", "corrections.own")
def recipient_notice(request: HttpRequest, pk: int, recipient: int) -> HttpResponse:
    """The notice to a recipient as PDF: who keeps the register prints it, the recipient opens the own one; others see
    it with the name masked.
    """
    access = access_of(request)
    if access.may("claims.submit"):
        raise NotFound()
    office = access.may("corrections.view")
    rows = queries.corrections(access) if office else queries.own_corrections(access.user)
    correction = _approved(rows.filter(pk=pk).first())
    person = one_of(Recipient.objects.filter(organisation=correction.organisation), recipient)
    lines = queries.lines_of_recipient(correction, person)
    if not lines.exists() or not (office or person.user_id == access.user.pk):
        raise NotFound()
    until, name = queries.disputable_until(correction), address_for(access, person)
    return private_pdf(documents.correction_notice(correction, lines, until, name, person), correction.number)


def _approved(correction: Correction | None) -> Correction:
    if correction is None or correction.status != "approved":
        raise NotFound()
    return correction


@requires("corrections.own")
def own_list(request: HttpRequest) -> HttpResponse:
    """Corrections that change something for the recipient who is signed in."""
    user = access_of(request).user
    context = {"page": page_of(request, queries.own_corrections(user)), "revisions": own_revisions(user)}
    return render(request, "settlement/corrections/mine.html", context)


@requires("corrections.own")
def own_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """What a correction changes for a recipient, until when it can be disputed, and the answer."""
    access = access_of(request)
    correction = one_of(queries.own_corrections(access.user), pk)
    recipient = Recipient.objects.get(user=access.user)
    form = ObjectionForm(request.POST or None)
    made, refusal = submitted(
        request,
        form,
        lambda: correction_objections.object_to_correction(
            recipient=recipient,
            correction_id=correction.pk,
            reason=form.cleaned_data["reason"],
            actor=access.actor,
            at=access.now(correction.organisation),
        ),
    )
    if made is not None:
        messages.success(request, gettext("Your objection is with the office. The answer will stand on this page."))
        return redirect("settlement:own_correction", pk)
    lines = queries.lines_of_recipient(correction, recipient)
    today = local_date(access.now(correction.organisation), correction.organisation.zone)
    objection = correction.objections.filter(recipient=recipient).select_related("answer").first()
    until = queries.disputable_until(correction)
    page = page_of(request, lines)
    context = {
        "correction": correction,
        "recipient": recipient,
        "page": page,
        "shown": queries.with_titles(page),
        "sums": queries.sums_of(lines),
        "until": until,
        "objection": objection,
        "answer": getattr(objection, "answer", None),
        "may_object": objection is None and today <= until,
        "form": form,
        "refusal": refusal,
    }
    return render(request, "settlement/corrections/own.html", context, status=409 if refusal else 200)
