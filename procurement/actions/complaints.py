"""Complaints about a competition and their answers."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from config.audit.actors import Actor
from config.audit.recording import action, record
from config.errors import DomainError, FourEyes
from config.locks import lock_rows
from contracts.models import Provider
from procurement.actions.competitions import locked
from procurement.actions.people import person_id
from procurement.models import Complaint, Tender


class NotABidder(DomainError):
    """Only a bidder complains."""

    code = "NOT_A_BIDDER"
    message = _("Only a provider that submitted a bid to %(tender)s may complain about it.")
    http_status = 403


class AnswerEmpty(DomainError):
    """An answer has reasons."""

    code = "ANSWER_EMPTY"
    message = _("Give the reasons of the answer: the complainant will read them.")


@action
def submit_complaint(*, tender: Tender, provider: Provider, text: str, actor: Actor, at: datetime) -> Complaint:
    """Complain; no contract is signed until it is answered. Raises: NotABidder. Audit: complaint.submitted."""
    tender = locked(tender)
    if not tender.bids.filter(provider=provider, submitted_at__isnull=False).exists():
        raise NotABidder(tender=tender.number)
    complaint = Complaint.objects.create(
        tender=tender,
        provider=provider,
        text=text,
        submitted_at=at,
        submitted_by_id=person_id(actor),
        status="submitted",
        status_at=at,
    )
    record("complaint.submitted", tender, complaint, provider, actor=actor, at=at)
    return complaint


@action
def answer_complaint(*, complaint: Complaint, outcome: str, answer: str, actor: Actor, at: datetime) -> Complaint:
    """Answer a complaint (``satisfied`` or ``declined``). Raises: FourEyes, AnswerEmpty, InvalidMove.

    The person who decided the award does not answer. Audit: complaint.answered.
    """
    tender = locked(complaint.tender)
    complaint = lock_rows(Complaint.objects.filter(pk=complaint.pk))[0]
    if not answer.strip():
        raise AnswerEmpty()
    if tender.awards.filter(decided_by_id=actor.user_id).exists():
        raise FourEyes()
    complaint.answer, complaint.answered_by_id = answer, actor.user_id
    complaint.save(update_fields=["answer", "answered_by"])
    complaint.move_to(outcome, at=at)
    record("complaint.answered", tender, complaint, actor=actor, at=at, outcome=outcome)
    return complaint
