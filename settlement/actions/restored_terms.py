"""Giving a late claim its term back for a good cause: one person proposes, another confirms (CLM-32)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, record
from config.errors import DomainError, FourEyes, NotFound
from config.locks import lock_rows
from config.office.storage import attach
from config.transactions import step
from contracts.actions.check_facts import refuse_related
from settlement.actions.claim_notices import tell_provider
from settlement.actions.claims import File, locked_claim
from settlement.actions.runs import person
from settlement.models import Claim, RestoredTerm
from settlement.term_queries import days_late, last_day_of, last_second

EVIDENCE = "term_evidence"


class TermNotLate(DomainError):
    """Nothing is missed."""

    code = "TERM_NOT_LATE"
    message = _("The claim «%(number)s» came in time: the last day for its month is %(until)s. Nothing has to be done.")


class TermClaimDecided(DomainError):
    """The term of a claim matters until it is judged."""

    code = "TERM_CLAIM_NOT_WAITING"
    message = _(
        "The claim «%(number)s» does not wait for a run any more, or takes another one back. A term is restored before "
        "the claim is judged. After that an appeal leads there: upheld, it puts the lines into a new claim, whose term "
        "can be restored before the next run."
    )


class TermAsked(DomainError):
    """One proposal at a time, one decision."""

    code = "TERM_ASKED"
    message = _("For the claim «%(number)s» this is proposed or decided already. Reload the page.")


class TermDecided(DomainError):
    """Once is enough."""

    code = "TERM_DECIDED"
    message = _("Somebody has decided about the term of «%(number)s» already. Reload the page.")


class TermReasonMissing(DomainError):
    """A decision that needs words."""

    code = "TERM_REASON_MISSING"
    message = _("Write the reason: the provider reads it, and so does the auditor.")
    http_status = 400


@action
def propose_term(
    *, organisation: Organisation, claim_id: int, reason: str, actor: Actor, at: datetime, files: Sequence[File] = ()
) -> RestoredTerm:
    """Propose that a claim that came late for a good cause counts as submitted on the last day of its window.

    Raises: NotFound, TermReasonMissing, TermClaimDecided, TermNotLate, RelatedPerson, TermAsked. Locks: claim.
    Audit: claim.term_proposed.
    """
    if not reason.strip():
        raise TermReasonMissing()
    claim = locked_claim(organisation, claim_id)
    _last_moment(claim, at)
    refuse_related(organisation=organisation, actor=actor, providers=[claim.provider_id], at=at)
    if RestoredTerm.objects.filter(claim=claim).exclude(status="refused").exists():
        raise TermAsked(number=claim.number)
    term = RestoredTerm.objects.create(
        claim=claim, reason=reason.strip()[:1000], submitted_at=claim.submitted_at or claim.recorded_at,
        proposed_by_id=person(actor), proposed_at=at, status="proposed", status_at=at,
    )  # fmt: skip
    for name, content, kind in files:
        attach(
            organisation=organisation, to=claim, kind=EVIDENCE, name=name, content=content, content_type=kind,
            uploaded_by_id=actor.user_id, at=at,
        )  # fmt: skip
    record("claim.term_proposed", claim, actor=actor, at=at, number=claim.number, reason=term.reason,
           submitted_at=term.submitted_at.isoformat(), files=len(files))  # fmt: skip
    return term


@action
def confirm_term(*, organisation: Organisation, term_id: int, actor: Actor, at: datetime) -> RestoredTerm:
    """From now on the claim counts as submitted in the last second of its last day; the real time stays beside it.

    Raises: NotFound, TermDecided, TermClaimDecided, TermNotLate, RelatedPerson, FourEyes for who proposed it or handed
    the claim in. Locks: claim, proposal. Audit: claim.term_restored.
    """
    term, claim = _open(organisation, term_id, actor, at)
    term.counts_as_submitted_at = _last_moment(claim, at)
    _decide(term, "confirmed", actor, at)
    moments = {"submitted_at": term.submitted_at, "counts_as_submitted_at": term.counts_as_submitted_at}
    told = {"number": claim.number, **{name: moment.isoformat() for name, moment in moments.items()}}
    tell_provider(claim, "claim.term_restored", told, at=at)
    record("claim.term_restored", claim, actor=actor, at=at, reason=term.reason, **told)
    return term


@action
def refuse_term(*, organisation: Organisation, term_id: int, reason: str, actor: Actor, at: datetime) -> RestoredTerm:
    """The claim stays late. Raises: NotFound, TermReasonMissing, TermDecided, TermClaimDecided, TermNotLate,
    RelatedPerson, FourEyes. Locks: claim, proposal. Audit: claim.term_refused.
    """
    if not reason.strip():
        raise TermReasonMissing()
    term, claim = _open(organisation, term_id, actor, at)
    term.answer = reason.strip()[:300]
    _decide(term, "refused", actor, at)
    tell_provider(claim, "claim.term_refused", {"number": claim.number, "reason": term.answer}, at=at)
    record("claim.term_refused", claim, actor=actor, at=at, number=claim.number, reason=term.answer)
    return term


def _open(organisation: Organisation, term_id: int, actor: Actor, at: datetime) -> tuple[RestoredTerm, Claim]:
    """A proposal that nobody has decided and its claim, both locked, for a person who had no part in either."""
    found = RestoredTerm.objects.filter(pk=term_id, claim__organisation=organisation).first()
    if found is None:
        raise NotFound()
    claim = locked_claim(organisation, found.claim_id)
    (term,) = lock_rows(RestoredTerm.objects.filter(pk=term_id))
    if term.status != "proposed":
        raise TermDecided(number=claim.number)
    _last_moment(claim, at)
    if person(actor) in (term.proposed_by_id, claim.submitted_by_id):
        raise FourEyes()
    refuse_related(organisation=organisation, actor=actor, providers=[claim.provider_id], at=at)
    return term, claim


def _last_moment(claim: Claim, at: datetime) -> datetime:
    """When a late claim would still have been in time. Raises: TermClaimDecided, TermNotLate."""
    if claim.status != "submitted" or claim.reverses_id:
        raise TermClaimDecided(number=claim.number)
    until = last_day_of(claim.organisation, claim.period, at)
    if days_late(claim, until) <= 0:
        raise TermNotLate(number=claim.number, until=until)
    return last_second(claim.organisation, until)


@step
def _decide(term: RestoredTerm, status: str, actor: Actor, at: datetime) -> None:
    """Everything in one statement: the database refuses half a decision, and a second one."""
    term.check_move(status)
    term.status, term.status_at = status, at
    term.decided_by_id, term.decided_at = person(actor), at
    term.save(update_fields=["status", "status_at", "decided_by", "decided_at", "answer", "counts_as_submitted_at"])
