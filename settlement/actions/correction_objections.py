"""A recipient objects to a correction within the term; a person who had no part in it answers."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, record
from config.clock import local_date
from config.errors import DomainError, FourEyes, NotFound
from config.locks import lock_rows
from settlement.actions.runs import person
from settlement.correction_queries import disputable_until
from settlement.models import Correction, CorrectionLine, CorrectionObjection, ObjectionAnswer
from vouchers.models import Recipient


class ObjectionLate(DomainError):
    """The term is over."""

    code = "OBJECTION_LATE"
    message = _("You could object to this correction until %(until)s. Ask the office to look at it of its own accord.")


class ObjectionMade(DomainError):
    """A correction is disputed once."""

    code = "OBJECTION_MADE"
    message = _("You have objected to this correction already. The answer will stand on this page.")


class ObjectionAnswered(DomainError):
    """One answer."""

    code = "OBJECTION_ANSWERED"
    message = _("This objection is answered already. Reload the page to read the answer.")


@action
def object_to_correction(
    *, recipient: Recipient, correction_id: int, reason: str, actor: Actor, at: datetime
) -> CorrectionObjection:
    """Dispute what an approved correction changes for a recipient.

    Time: within ``claim.appeal_days`` working days after it was approved.
    Raises: NotFound, ObjectionLate, ObjectionMade. Locks: the correction. Audit: correction.disputed.
    """
    own = CorrectionLine.objects.filter(recipient=recipient, correction=correction_id)
    rows = lock_rows(Correction.objects.filter(pk=correction_id, status="approved"))
    if not rows or not own.exists():
        raise NotFound()
    correction = rows[0]
    if correction.objections.filter(recipient=recipient).exists():
        raise ObjectionMade()
    until = disputable_until(correction)
    if local_date(at, correction.organisation.zone) > until:
        raise ObjectionLate(until=until)
    made = CorrectionObjection.objects.create(
        correction=correction, recipient=recipient, reason=reason, submitted_by_id=person(actor), recorded_at=at
    )
    record(
        "correction.disputed", correction, made, recipient, actor=actor, at=at, number=correction.number, reason=reason
    )
    return made


@action
def answer_objection(
    *, organisation: Organisation, objection_id: int, upheld: bool, reason: str, actor: Actor, at: datetime
) -> ObjectionAnswer:
    """Answer an objection. When it is upheld, the fact is put right next and another correction takes it up.

    Raises: NotFound, FourEyes, ObjectionAnswered. Locks: the correction. Audit: correction.objection_answered.
    """
    objection = CorrectionObjection.objects.filter(pk=objection_id, correction__organisation=organisation).first()
    if objection is None:
        raise NotFound()
    correction = lock_rows(Correction.objects.filter(pk=objection.correction_id))[0]
    if ObjectionAnswer.objects.filter(objection=objection).exists():
        raise ObjectionAnswered()
    if person(actor) in (objection.submitted_by_id, correction.proposed_by_id, correction.approved_by_id):
        raise FourEyes()
    answer = ObjectionAnswer.objects.create(
        objection=objection, upheld=upheld, reason=reason, answered_by_id=person(actor), recorded_at=at
    )
    record(
        "correction.objection_answered",
        correction,
        objection,
        actor=actor,
        at=at,
        number=correction.number,
        outcome="satisfied" if upheld else "declined",
        reason=reason,
    )
    return answer
