"""What a provider declares of a claim, and what people say of findings of the anti-fraud checks."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, record
from config.errors import DomainError, NotFound
from config.locks import lock_rows
from config.office.storage import attach
from config.transactions import saved_once, step
from settlement.actions.runs import person
from settlement.models import Claim, ClaimDeclaration, FeeReport, Finding, FindingFeedback
from settlement.own_facts_queries import SIGNED_ACT
from settlement.patterns import PATTERNS
from vouchers.models import Recipient


class ClaimHandedIn(DomainError):
    """What was handed in is judged as it came."""

    code = "CLAIM_HANDED_IN"
    message = _("The claim «%(number)s» was handed in; what it declares cannot change any more.")


class NotAPattern(DomainError):
    """Feedback is asked for only where the check looks for patterns."""

    code = "NOT_A_PATTERN"
    message = _(
        "Feedback is given on findings that look for patterns; this one states a fact. Dispute the line instead."
    )


class FeedbackGiven(DomainError):
    """One feedback a finding."""

    code = "FEEDBACK_GIVEN"
    message = _("Somebody has given feedback on this finding already. Reload the page to see it.")


@step
def _draft(organisation: Organisation, claim_id: int, states: tuple[str, ...] = ("draft", "returned")) -> Claim:
    rows = lock_rows(Claim.objects.filter(pk=claim_id, organisation=organisation))
    if not rows:
        raise NotFound()
    if rows[0].status not in states:
        raise ClaimHandedIn(number=rows[0].number)
    return rows[0]


@action
def declare_claim(
    *,
    organisation: Organisation,
    claim_id: int,
    document_number: str,
    total_minor: int | None,
    vat_minor: int,
    actor: Actor,
    at: datetime,
) -> ClaimDeclaration:
    """Number, total without VAT and VAT of the provider's invoice behind a draft. Money: minor units.

    Raises: NotFound, ClaimHandedIn. Locks: claim. Audit: claim.declared.
    """
    claim = _draft(organisation, claim_id)
    row = ClaimDeclaration.objects.create(
        claim=claim,
        document_number=document_number.strip(),
        total_minor=total_minor,
        vat_minor=vat_minor,
        recorded_at=at,
        recorded_by_id=actor.user_id,
    )
    record("claim.declared", claim, row, actor=actor, at=at, number=document_number, total_minor=total_minor)
    return row


@action
def report_fee(
    *,
    organisation: Organisation,
    claim_id: int,
    recipient: Recipient,
    collected_minor: int,
    actor: Actor,
    at: datetime,
) -> FeeReport:
    """What the provider collected from a recipient for the month of a draft. Money: minor units.

    Raises: NotFound, also for a recipient whom the claim does not name; ClaimHandedIn. Locks: claim.
    Audit: claim.fee_reported.
    """
    claim = _draft(organisation, claim_id)
    if not claim.lines.filter(certificate__recipient=recipient).exists():
        raise NotFound()
    row = FeeReport.objects.create(
        claim=claim,
        recipient=recipient,
        collected_minor=collected_minor,
        recorded_at=at,
        recorded_by_id=actor.user_id,
    )
    record("claim.fee_reported", claim, row, actor=actor, at=at, recipient=recipient.code, amount_minor=collected_minor)
    return row


@action
def attach_signed_act(
    *,
    organisation: Organisation,
    claim_id: int,
    name: str,
    content: bytes,
    content_type: str,
    actor: Actor,
    at: datetime,
) -> Claim:
    """The act that the recipients signed; also later, while a line waits for it (CLM-34).

    Raises: NotFound, ClaimHandedIn once nothing of the claim can change. Locks: claim. Audit: claim.act_attached.
    """
    claim = _draft(organisation, claim_id, ("draft", "returned", "submitted", "adjudicated", "disputed"))
    attach(
        organisation=organisation,
        to=claim,
        kind=SIGNED_ACT,
        name=name,
        content=content,
        content_type=content_type,
        uploaded_by_id=actor.user_id,
        at=at,
    )
    record("claim.act_attached", claim, actor=actor, at=at, number=claim.number, name=name)
    return claim


@action
def give_feedback(
    *, organisation: Organisation, finding_id: int, reason: str, actor: Actor, at: datetime
) -> FindingFeedback:
    """There is nothing in a finding that looked for a pattern. It lowers nothing: a pend is lifted by a clearance.

    Raises: NotFound, NotAPattern, FeedbackGiven. Audit: finding.feedback_given.
    """
    finding = Finding.objects.filter(pk=finding_id, run__organisation=organisation).select_related("claim_line").first()
    if finding is None:
        raise NotFound()
    if finding.check_code not in PATTERNS:
        raise NotAPattern()
    row = FindingFeedback(finding=finding, reason=reason, given_by_id=person(actor), recorded_at=at)
    saved_once(row, taken=FeedbackGiven)
    claim = finding.claim_line.claim
    record("finding.feedback_given", claim, row, actor=actor, at=at, check=finding.check_code, reason=reason)
    return row
