"""Letters about decided claims: made by a worker, once for each decision, kept as attachments."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Max

from config.audit.actors import Actor
from config.audit.recording import action, nothing_to_record, record
from config.office.jobs import enqueue
from config.office.models import Attachment, Job
from config.office.storage import attach, attachments_of
from settlement.claim_letter import claim_letter
from settlement.models import Adjudication, Claim

WRITE_LETTER = "settlement.write_letter"
LETTER = "letter"


def decision_of(claim: Claim) -> int | None:
    """The run that last judged the claim; a letter tells what stood after it."""
    found: int | None = Adjudication.objects.filter(claim=claim).aggregate(last=Max("run_id"))["last"]
    return found


def letter_of(claim: Claim) -> Attachment | None:
    """The letter about the present decision, if made."""
    return attachments_of(claim).filter(kind=_kind(claim)).first()


def letter_job(claim: Claim) -> Job | None:
    """The job that makes the letter about the present decision, if ordered."""
    return Job.objects.filter(key=f"{WRITE_LETTER}:{_key(claim)}").first()


@action
def order_letter(*, claim: Claim, actor: Actor, at: datetime) -> Job:
    """Have the letter made by a worker. Idempotent: one job a decision. Audit: when the letter is kept."""
    nothing_to_record()
    return enqueue(
        WRITE_LETTER,
        key=_key(claim),
        claim_id=claim.pk,
        username=actor.username,
        user_id=actor.user_id,
        at=at.isoformat(),
    )


def write_letter(*, claim: Claim, actor: Actor, at: datetime) -> Attachment:
    """Make the letter unless it is there, then keep it.

    The PDF is made before the transaction: a long claim takes seconds. Idempotent. Audit: claim.letter_written.
    """
    made = letter_of(claim)
    return made or keep_letter(claim=claim, kind=_kind(claim), pdf=claim_letter(claim), actor=actor, at=at)


@action
def keep_letter(*, claim: Claim, kind: str, pdf: bytes, actor: Actor, at: datetime) -> Attachment:
    """Attach the letter; one that was kept meanwhile stays. Audit as said above."""
    locked = Claim.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=claim.pk)
    kept = attachments_of(locked).filter(kind=kind).first()
    if kept is not None:
        nothing_to_record()
        return kept
    record("claim.letter_written", locked, actor=actor, at=at, number=locked.number)
    return attach(
        organisation=locked.organisation,
        to=locked,
        kind=kind,
        name=f"{locked.number}.pdf",
        content=pdf,
        content_type="application/pdf",
        uploaded_by_id=actor.user_id,
        at=at,
    )


def _key(claim: Claim) -> str:
    return f"{claim.pk}:{decision_of(claim)}"


def _kind(claim: Claim) -> str:
    return f"{LETTER}-{decision_of(claim)}"
