"""Competitions that end without a contract: cancelled by a decision, or unsuccessful because nobody may win."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from config.accounts.models import User
from config.audit.actors import Actor
from config.audit.recording import action, record
from config.errors import DomainError
from config.locks import lock_rows
from config.office.messages import tell
from config.office.storage import GivenFile, attach
from config.transactions import step
from procurement.actions.awards import AlreadyAwarded, NoWinner, winners_of
from procurement.actions.competitions import locked
from procurement.models import Tender

DECISION = "decision"
UNDECIDED = ("submitted", "opened")


class ReasonMissing(DomainError):
    """Bidders read why."""

    code = "REASON_MISSING"
    message = _("Say why: the bidders will read it.")


class DecisionMissing(DomainError):
    """An announced competition ends by a decision."""

    code = "DECISION_MISSING"
    message = _("Competition %(tender)s is announced: attach the decision that ends it.")


class AlreadyContracted(DomainError):
    """A contract stands on the award."""

    code = "ALREADY_CONTRACTED"
    message = _("Competition %(tender)s has a contract and cannot be cancelled. Terminate the contract instead.")


class WinnerPossible(DomainError):
    """Somebody may still win."""

    code = "WINNER_POSSIBLE"
    message = _(
        "Competition %(tender)s may still have a winner: it is unsuccessful only after bidding has ended, "
        "when no bid is admitted or no admitted bid may win."
    )


@action
def cancel_tender(
    *, tender: Tender, reason: str, actor: Actor, at: datetime, document: GivenFile | None = None
) -> Tender:
    """Cancel a competition that has no contract; awards that wait for their contract end with it.

    Raises: ReasonMissing, DecisionMissing once it is announced, AlreadyContracted, InvalidMove.
    Audit: tender.cancelled. Bidders are told.
    """
    tender = locked(tender)
    if tender.awards.filter(contract__isnull=False).exists():
        raise AlreadyContracted(tender=tender.number)
    for award in lock_rows(tender.awards.filter(status="pending")):
        award.move_to("cancelled", at=at)
    told = _close(tender, "cancelled", reason, document, actor, at)
    record("tender.cancelled", tender, actor=actor, at=at, number=tender.number, reason=reason, told=told)
    return tender


@action
def declare_unsuccessful(
    *, tender: Tender, reason: str, actor: Actor, at: datetime, document: GivenFile | None = None
) -> Tender:
    """End a competition in which nobody may win.

    Raises: ReasonMissing, DecisionMissing, AlreadyAwarded, WinnerPossible, InvalidMove.
    Audit: tender.unsuccessful. Bidders are told.
    """
    tender = locked(tender)
    check_nobody_wins(tender, at)
    told = _close(tender, "unsuccessful", reason, document, actor, at)
    record("tender.unsuccessful", tender, actor=actor, at=at, number=tender.number, reason=reason, told=told)
    return tender


def check_nobody_wins(tender: Tender, at: datetime) -> None:
    """Raises: AlreadyAwarded, WinnerPossible."""
    if tender.awards.filter(status__in=["pending", "active"]).exists():
        raise AlreadyAwarded(tender=tender.number)
    ended = tender.status == "active" and tender.bids_close_at is not None and at >= tender.bids_close_at
    if not ended or tender.bids.filter(status__in=UNDECIDED).exists() or _may_win(tender):
        raise WinnerPossible(tender=tender.number)


def _may_win(tender: Tender) -> bool:
    if not tender.bids.filter(status="valid").exists():
        return False
    if tender.evaluated_at is None:
        return True
    try:
        return bool(winners_of(tender))
    except NoWinner:
        return False


@step
def _close(tender: Tender, status: str, reason: str, document: GivenFile | None, actor: Actor, at: datetime) -> int:
    """Keep why and the decision, move, tell; returns how many people were told."""
    if not reason.strip():
        raise ReasonMissing()
    if document is None and tender.published_at is not None:
        raise DecisionMissing(tender=tender.number)
    tender.closing_reason = reason
    tender.save(update_fields=["closing_reason"])
    tender.move_to(status, at=at)
    if document is not None:
        attach(
            organisation=tender.organisation,
            to=tender,
            kind=DECISION,
            name=document.filename,
            content=document.content,
            content_type=document.content_type,
            uploaded_by_id=actor.user_id,
            at=at,
        )
    return _tell_bidders(tender, status, at)


@step
def _tell_bidders(tender: Tender, status: str, at: datetime) -> int:
    bidders = tender.bids.exclude(status__in=["draft", "withdrawn"]).values("provider")
    people = User.objects.filter(provider_user__provider__in=bidders, is_active=True)
    told = {"number": tender.number, "title": tender.title, "reason": tender.closing_reason}
    return tell(people, tender.organisation_id, tender, f"tender.{status}", told, at=at)
