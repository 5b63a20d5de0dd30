"""Visits drawn to be verified with their recipients, and workers and recipients who stand close."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from config.accounts.access import requires
from contracts.views.pages import access_of, one_of, page_of, perform, stepped
from settlement import examination_queries as queries
from settlement.actions import examinations
from settlement.fact_forms import VerificationForm
from settlement.finance_forms import ReasonForm
from settlement.models import ClosenessHint, VerificationResult


@require_POST
@requires("claims.adjudicate")
def run_examine(request: HttpRequest, pk: int) -> HttpResponse:
    """Draw visits of a run that nobody has looked through, one that came with a package for example."""
    access = access_of(request)
    return perform(
        request,
        lambda: examinations.examine_run(organisation=access.office(), run_id=pk, actor=access.actor, at=access.now()),
        done=_("The visits are drawn. A case worker asks the recipients."),
        to="settlement:adjudication_run",
        key=pk,
    )


@requires("verifications.view")
def verification_list(request: HttpRequest) -> HttpResponse:
    """Drawn visits, what was learnt of them, and how often it was not as claimed, by provider."""
    access, q, state = access_of(request), request.GET.get("q", "").strip(), request.GET.get("state", "")
    states = {"open": _("not verified yet"), **dict(VerificationResult.OUTCOMES)}
    state = state if state in states else ""
    context = {
        "page": page_of(request, queries.drawn_visits(access.office(), q=q, state=state)),
        "providers": queries.verified_by_provider(access.office()),
        "q": q,
        "state": state,
        "states": list(states.items()),
        "hidden": {"state": state},
        "may_record": access.may("verifications.record"),
    }
    return render(request, "settlement/runs/verifications.html", context)


@requires("verifications.record")
def verification_record(request: HttpRequest, pk: int) -> HttpResponse:
    """What the recipient says of a drawn visit."""
    access = access_of(request)
    visit = one_of(queries.drawn_visits(access.office()), pk)
    form = VerificationForm(request.POST or None, initial={"checked_on": access.today()})
    return stepped(
        request,
        form,
        lambda: examinations.record_verification(
            organisation=access.office(), visit_id=visit.pk, actor=access.actor, at=access.now(), **form.cleaned_data
        ),
        done=_("Noted. It changes no payment by itself: finance asks money back by a case, with notice and reply."),
        title=_("Visit of %(day)s at %(recipient)s")
        % {
            "day": f"{visit.claim_line.service_date:%d.%m.%Y}",
            "recipient": visit.claim_line.certificate.recipient if visit.claim_line.certificate else "—",
        },
        back="settlement:verifications",
        key=None,
    )


@requires("claims.clear", "runs.view")
def hint_list(request: HttpRequest) -> HttpResponse:
    """Workers and recipients who stand close, with their figures."""
    access, q, kind = access_of(request), request.GET.get("q", "").strip(), request.GET.get("kind", "")
    kinds = dict(ClosenessHint.KINDS)
    kind = kind if kind in kinds else ""
    context = {
        "page": page_of(request, queries.hints(access.office(), q=q, kind=kind)),
        "words": queries.HINT_WORDS,
        "counts": queries.hint_counts(access.office()),
        "q": q,
        "kind": kind,
        "kinds": list(kinds.items()),
        "hidden": {"kind": kind},
        "may_answer": access.may("claims.clear"),
    }
    return render(request, "settlement/runs/hints.html", context)


@requires("claims.clear")
def hint_feedback(request: HttpRequest, pk: int) -> HttpResponse:
    """Say why there is nothing in a hint."""
    access = access_of(request)
    hint = one_of(queries.hints(access.office()), pk)
    form = ReasonForm(request.POST or None)
    return stepped(
        request,
        form,
        lambda: examinations.give_hint_feedback(
            organisation=access.office(),
            hint_id=hint.pk,
            reason=form.cleaned_data["reason"],
            actor=access.actor,
            at=access.now(),
        ),
        done=_("Noted, so that the next reader knows."),
        title=_("Nothing in it: %(worker)s and %(recipient)s") % {"worker": hint.worker, "recipient": hint.recipient},
        back="settlement:hints",
        key=None,
    )
