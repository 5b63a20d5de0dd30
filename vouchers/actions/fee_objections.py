"""A recipient objects to a fee decided anew within the term; a person who had no part in it answers."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, record
from config.clock import local_date
from config.errors import DomainError, FourEyes, NotFound, NotPermitted
from config.locks import lock_rows
from vouchers.actions.fee_revisions import disputable_until
from vouchers.models import FeeObjection, FeeObjectionAnswer, FeeRevision, Recipient


class FeeObjectionLate(DomainError):
    """The term is over."""

    code = "FEE_OBJECTION_LATE"
    message = _("You could object to this decision until %(until)s. Ask the office to look at it of its own accord.")


class FeeObjectionMade(DomainError):
    """A decision is disputed once."""

    code = "FEE_OBJECTION_MADE"
    message = _("You have objected to this decision already. The answer will stand on this page.")


class FeeObjectionAnswered(DomainError):
    """One answer."""

    code = "FEE_OBJECTION_ANSWERED"
    message = _("This objection is answered already. Reload the page to read the answer.")


@action
def object_to_fee(*, recipient: Recipient, revision_id: int, reason: str, actor: Actor, at: datetime) -> FeeObjection:
    """Dispute a fee decided anew.

    Time: within ``claim.appeal_days`` working days after it was approved.
    Raises: NotFound, FeeObjectionLate, FeeObjectionMade. Locks: the revision. Audit: fee_revision.disputed.
    """
    rows = lock_rows(FeeRevision.objects.filter(pk=revision_id, recipient=recipient, status="approved"))
    if not rows:
        raise NotFound()
    if actor.user_id is None:
        raise NotPermitted()
    revision = rows[0]
    if FeeObjection.objects.filter(revision=revision).exists():
        raise FeeObjectionMade()
    until = disputable_until(revision)
    if local_date(at, revision.organisation.zone) > until:
        raise FeeObjectionLate(until=f"{until:%d.%m.%Y}")
    made = FeeObjection.objects.create(revision=revision, reason=reason, submitted_by_id=actor.user_id, recorded_at=at)
    record(
        "fee_revision.disputed", recipient, revision, made, actor=actor, at=at, number=revision.number, reason=reason
    )
    return made


@action
def answer_fee_objection(
    *, organisation: Organisation, objection_id: int, upheld: bool, reason: str, actor: Actor, at: datetime
) -> FeeObjectionAnswer:
    """Answer an objection. When it is upheld, the fee is decided anew once more.

    Raises: NotFound, FourEyes, FeeObjectionAnswered. Locks: the revision. Audit: fee_revision.objection_answered.
    """
    objection = FeeObjection.objects.filter(pk=objection_id, revision__organisation=organisation).first()
    if objection is None:
        raise NotFound()
    revision = lock_rows(FeeRevision.objects.filter(pk=objection.revision_id))[0]
    if FeeObjectionAnswer.objects.filter(objection=objection).exists():
        raise FeeObjectionAnswered()
    if actor.user_id in (None, objection.submitted_by_id, revision.proposed_by_id, revision.approved_by_id):
        raise FourEyes()
    answer = FeeObjectionAnswer.objects.create(
        objection=objection, upheld=upheld, reason=reason, answered_by_id=actor.user_id, recorded_at=at
    )
    record(
        "fee_revision.objection_answered",
        revision.recipient,
        revision,
        actor=actor,
        at=at,
        number=revision.number,
        outcome="satisfied" if upheld else "declined",
        reason=reason,
    )
    return answer
