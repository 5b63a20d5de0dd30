"""The term of a claim that came late: proposed by one person of finance, decided by another."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from config.accounts.access import Access, requires
from config.errors import NotFound
from contracts.views.pages import access_of, perform, perform_with_reason, stepped
from settlement.actions import restored_terms as actions
from settlement.finance_forms import ReasonForm
from settlement.forms import TermForm
from settlement.models import RestoredTerm
from settlement.term_queries import last_day_of
from settlement.views.appeals import files_of
from settlement.views.claims import claim_of


@requires("claims.restore_term")
def term_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Propose that the claim counts as submitted on the last day of its window."""
    access = access_of(request)
    claim = claim_of(access, pk)
    form = TermForm(request.POST or None, request.FILES or None)
    until = last_day_of(claim.organisation, claim.period, access.now(claim.organisation))
    days = {"day": date_format(until, "SHORT_DATE_FORMAT")}
    return stepped(
        request,
        form,
        lambda: actions.propose_term(
            organisation=claim.organisation,
            claim_id=claim.pk,
            reason=form.cleaned_data["reason"],
            files=files_of(form),
            actor=access.actor,
            at=access.now(claim.organisation),
        ),
        done=_("The proposal is kept. Another person confirms or refuses it before the run of the month."),
        title=_("Restore the term of the claim"),
        back="settlement:claim",
        key=pk,
        submit=_("Propose"),
        multipart=True,
        notes=[_("If another person confirms it, the claim counts as submitted on %(day)s, its last day.") % days],
    )


def _term(access: Access, pk: int) -> RestoredTerm:
    term = RestoredTerm.objects.filter(pk=pk, claim__organisation=access.office()).first()
    if term is None:
        raise NotFound()
    return term


@require_POST
@requires("claims.restore_term")
def term_confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """The second person: the claim counts as submitted in time."""
    access = access_of(request)
    term, shared = _term(access, pk), _shared(access, pk)
    done = _("The claim counts as submitted on its last day. The provider is told.")
    return perform(request, lambda: actions.confirm_term(**shared), done=done, to="settlement:claim", key=term.claim_id)


@require_POST
@requires("claims.restore_term")
def term_refuse(request: HttpRequest, pk: int) -> HttpResponse:
    """The second person: the claim stays late."""
    access = access_of(request)
    term, shared = _term(access, pk), _shared(access, pk)
    return perform_with_reason(
        request,
        ReasonForm(request.POST),
        lambda reason: actions.refuse_term(**shared, reason=reason),
        done=_("The claim stays late. The provider reads your reason."),
        to="settlement:claim",
        key=term.claim_id,
    )


def _shared(access: Access, pk: int) -> dict[str, Any]:
    return {"organisation": access.office(), "term_id": pk, "actor": access.actor, "at": access.now()}
