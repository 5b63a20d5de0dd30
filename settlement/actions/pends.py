"""Lines that wait for a person: one proposes to lift a pend, another confirms or refuses; somebody is put in charge."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Membership, Organisation
from config.audit.actors import Actor
from config.audit.recording import action, record
from config.errors import DomainError, FourEyes, NotFound
from config.roles import PERMISSIONS
from config.transactions import step
from contracts.actions.check_facts import refuse_related
from settlement.actions.claims import locked_claim
from settlement.actions.runs import person
from settlement.models import (
    Adjudication,
    AdjudicationRun,
    Claim,
    ClaimLine,
    Clearance,
    Finding,
    KeptPend,
    PendAssignment,
    PendProposal,
)
from settlement.pend_queries import open_proposals


class NotPended(DomainError):
    """Only a pend of the latest adjudication can be decided."""

    code = "NOT_PENDED"
    message = _("The line %(line)s does not wait because of %(check)s. Reload the page to see its present state.")


class ClaimTakenBack(DomainError):
    """Nothing follows from a pend of a claim that is taken back."""

    code = "PEND_CLAIM_TAKEN_BACK"
    message = _(
        "The claim «%(number)s» is taken back, so nothing can be decided about its lines any more. Where a correction "
        "had it judged again, decide about the same line of the claim that stands for it."
    )


class AlreadyProposed(DomainError):
    """One proposal at a time."""

    code = "ALREADY_PROPOSED"
    message = _("%(who)s has proposed already to lift this pend. Another person confirms or refuses it.")


class DecidesNothing(DomainError):
    """Pends are for people who may decide about them."""

    code = "DECIDES_NOTHING"
    message = _("This person may not decide about pends here. Choose a colleague of the finance department.")


@action
def propose_clearance(
    *, organisation: Organisation, claim_line_id: int, check_code: str, reason: str, actor: Actor, at: datetime
) -> PendProposal:
    """Propose with a reason to lift a pend; nothing changes until another person confirms.

    Raises: NotFound, ClaimTakenBack, NotPended, RelatedPerson, AlreadyProposed. Locks: claim.
    Audit: pend.clearance_proposed.
    """
    line, claim, run_id = _pended_line(organisation, claim_line_id, check_code)
    refuse_related(organisation=organisation, actor=actor, providers=[claim.provider_id], at=at)
    standing = open_proposals([line.pk]).get((line.pk, check_code))
    if standing:
        raise AlreadyProposed(who=standing.proposed_by)
    proposal = PendProposal.objects.create(
        run_id=run_id,
        claim_line=line,
        check_code=check_code,
        proposed_by_id=person(actor),
        reason=reason,
        recorded_at=at,
    )
    record(
        "pend.clearance_proposed",
        claim,
        proposal,
        actor=actor,
        at=at,
        line=line.line,
        check=check_code,
        reason=reason,
    )
    return proposal


@action
def confirm_clearance(*, organisation: Organisation, proposal_id: int, actor: Actor, at: datetime) -> Clearance:
    """A second person lifts the pend: the line is judged again in the month's next run.

    Raises: NotFound, ClaimTakenBack, NotPended, RelatedPerson, FourEyes for the proposer. Locks: claim.
    Audit: pend.cleared.
    """
    proposal = PendProposal.objects.select_related("proposed_by").filter(pk=proposal_id).first()
    if proposal is None:
        raise NotFound()
    line, claim, _run = _pended_line(organisation, proposal.claim_line_id, proposal.check_code)
    refuse_related(organisation=organisation, actor=actor, providers=[claim.provider_id], at=at)
    if open_proposals([line.pk]).get((line.pk, proposal.check_code)) != proposal:
        raise NotPended(line=line.line, check=proposal.check_code)
    if actor.user_id == proposal.proposed_by_id:
        raise FourEyes()
    clearance = _lift(claim, proposal, actor, at)
    record(
        "pend.cleared",
        claim,
        clearance,
        actor=actor,
        at=at,
        line=line.line,
        check=proposal.check_code,
        reason=proposal.reason,
        proposed_by=proposal.proposed_by.username,
    )
    return clearance


@step
def _lift(claim: Claim, proposal: PendProposal, actor: Actor, at: datetime) -> Clearance:
    try:
        with transaction.atomic():
            return Clearance.objects.create(
                organisation=claim.organisation,
                run=_following_run(claim),
                claim_line_id=proposal.claim_line_id,
                check_code=proposal.check_code,
                decided_by=actor.username,
                confirmed_by_id=person(actor),
                proposal=proposal,
                reason=proposal.reason,
                recorded_at=at,
            )
    except IntegrityError as error:
        if "clearance_once" not in str(error):
            raise
        raise NotPended(line=proposal.claim_line.line, check=proposal.check_code) from error


@action
def keep_pend(
    *, organisation: Organisation, claim_line_id: int, check_code: str, reason: str, actor: Actor, at: datetime
) -> KeptPend:
    """A person decides that a pend stays, and refuses the proposal to lift it if there is one; the provider reads the
    reason. Nothing is posted: a pend pays nothing.

    Raises: NotFound, ClaimTakenBack, NotPended, RelatedPerson. Locks: claim. Audit: pend.kept.
    """
    line, claim, run_id = _pended_line(organisation, claim_line_id, check_code)
    refuse_related(organisation=organisation, actor=actor, providers=[claim.provider_id], at=at)
    kept = KeptPend.objects.create(
        run_id=run_id,
        claim_line=line,
        check_code=check_code,
        decided_by_id=person(actor),
        reason=reason,
        proposal=open_proposals([line.pk]).get((line.pk, check_code)),
        recorded_at=at,
    )
    record("pend.kept", claim, kept, actor=actor, at=at, line=line.line, check=check_code, reason=reason)
    return kept


@action
def assign_pend(
    *,
    organisation: Organisation,
    claim_line_id: int,
    check_code: str,
    assigned_to_id: int | None,
    actor: Actor,
    at: datetime,
) -> PendAssignment:
    """Put a person in charge of a pend, or nobody.

    Raises: NotFound, ClaimTakenBack, NotPended, DecidesNothing. Locks: claim. Audit: pend.assigned.
    """
    line, claim, run_id = _pended_line(organisation, claim_line_id, check_code)
    if assigned_to_id is not None and not _may_decide(organisation, assigned_to_id):
        raise DecidesNothing()
    row = PendAssignment.objects.create(
        run_id=run_id,
        claim_line=line,
        check_code=check_code,
        assigned_to_id=assigned_to_id,
        assigned_by_id=person(actor),
        recorded_at=at,
    )
    who = row.assigned_to.username if row.assigned_to else ""
    record("pend.assigned", claim, row, actor=actor, at=at, line=line.line, check=check_code, assigned_to=who)
    return row


def _may_decide(organisation: Organisation, user_id: int) -> bool:
    roles = PERMISSIONS["claims.clear"]
    return Membership.objects.filter(user=user_id, organisation=organisation, role__in=roles).exists()


def _pended_line(organisation: Organisation, claim_line_id: int, check_code: str) -> tuple[ClaimLine, Claim, int]:
    """The line, its locked claim and the run that pended it. Raises: NotFound, ClaimTakenBack, NotPended."""
    line = ClaimLine.objects.filter(pk=claim_line_id, claim__organisation=organisation).first()
    if line is None:
        raise NotFound()
    claim = locked_claim(organisation, line.claim_id)
    if claim.status == "reversed" or claim.reversals_in_force().exists():
        raise ClaimTakenBack(number=claim.number)
    latest = Adjudication.objects.filter(claim_line=line, claim_id=line.claim_id).order_by("-pk").first()
    if latest is None or latest.outcome != "pended" or not _is_open(line, latest.run_id, check_code):
        raise NotPended(line=line.line, check=check_code)
    return line, claim, latest.run_id


def _is_open(line: ClaimLine, run_id: int, check_code: str) -> bool:
    found = Finding.objects.filter(run_id=run_id, claim_line=line, severity="P", check_code=check_code).exists()
    # Lifted already, and not judged again yet.
    return found and not Clearance.objects.filter(claim_line=line, check_code=check_code).exists()


def _following_run(claim: Claim) -> int:
    runs = AdjudicationRun.objects.filter(organisation=claim.organisation, period=claim.period)
    return (runs.aggregate(last=Max("number"))["last"] or 0) + 1
