"""Appeals: a provider disputes a decision within its term, another person than the one who decided answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, record
from config.clock import local_date
from config.errors import DomainError, FourEyes, NotFound
from config.office.storage import attach
from config.transactions import step
from settlement.actions.claim_copies import copy_claim, copy_lines
from settlement.actions.claim_notices import tell_deciders, tell_provider
from settlement.actions.claim_states import settle_claims
from settlement.actions.claims import File, locked_claim, take_back
from settlement.actions.holds import carry_holds
from settlement.actions.runs import person
from settlement.appeal_queries import DISPUTABLE, appeal_until, disputed_run, has_appeal
from settlement.correction_queries import proposers_of
from settlement.models import (
    Adjudication,
    AdjudicationRun,
    Appeal,
    AppealAnswer,
    Claim,
    ClaimLine,
    Clearance,
    Finding,
    KeptPend,
    PendProposal,
)

EVIDENCE = "appeal_evidence"
REASON_OF_PEND = 400


class NothingDisputed(DomainError):
    """What is allowed in full, or not decided, cannot be disputed."""

    code = "NOTHING_DISPUTED"
    message = _("Nothing of «%(number)s» was refused, reduced or left waiting here, so there is nothing to appeal.")


class AppealLate(DomainError):
    """The term is over."""

    code = "APPEAL_LATE"
    message = _("This decision could be appealed until %(until)s. Ask the office to correct it of its own accord.")


class AppealMade(DomainError):
    """A decision is appealed once."""

    code = "APPEAL_MADE"
    message = _("This decision on «%(number)s» is appealed already. Read the answer on the page of the appeal.")


class AppealAnswered(DomainError):
    """One answer."""

    code = "APPEAL_ANSWERED"
    message = _("This appeal is answered already. Reload the page to read the answer.")


@action
def submit_appeal(
    *,
    organisation: Organisation,
    claim_id: int,
    claim_line_id: int | None,
    reason: str,
    actor: Actor,
    at: datetime,
    files: Sequence[File] = (),
) -> Appeal:
    """Dispute what was decided about a line, or about a whole claim (no line). The claim is disputed from now on.

    Time: within ``claim.appeal_days`` working days after the run, or after a person left a line that waited unpaid.
    Raises: NotFound, NothingDisputed, AppealLate, AppealMade. Locks: claim. Audit: appeal.submitted.
    """
    claim = locked_claim(organisation, claim_id)
    line = _line_of(claim, claim_line_id)
    run = disputable(claim, line, at)
    appeal = Appeal.objects.create(
        claim=claim, claim_line=line, run=run, reason=reason, submitted_by_id=person(actor), recorded_at=at
    )
    for name, content, kind in files:
        attach(
            organisation=organisation, to=appeal, kind=EVIDENCE, name=name, content=content, content_type=kind,
            uploaded_by_id=actor.user_id, at=at,
        )  # fmt: skip
    if claim.status != "disputed":
        claim.move_to("disputed", at=at)
    told: dict[str, Any] = {"number": claim.number, "line": line.line if line else None, "reason": reason}
    tell_deciders(claim, "appeals.answer", "appeal.submitted", told, at=at)
    record("appeal.submitted", claim, appeal, actor=actor, at=at, files=len(files), **told)
    return appeal


def disputable(claim: Claim, line: ClaimLine | None, at: datetime) -> AdjudicationRun:
    """The run whose decision about a claim or line can be appealed now. Raises: NothingDisputed, AppealMade,
    AppealLate.
    """
    run = disputed_run(claim, line) if claim.status in DISPUTABLE else None
    if run is None:
        raise NothingDisputed(number=claim.number)
    if has_appeal(claim, line, run):
        raise AppealMade(number=claim.number)
    until = appeal_until(run, line)
    if local_date(at, claim.organisation.zone) > until:
        raise AppealLate(until=until)
    return run


def _line_of(claim: Claim, claim_line_id: int | None) -> ClaimLine | None:
    if claim_line_id is None:
        return None
    line = claim.lines.filter(pk=claim_line_id).first()
    if line is None:
        raise NotFound()
    return line


@action
def refuse_appeal(
    *, organisation: Organisation, appeal_id: int, reason: str, actor: Actor, at: datetime
) -> AppealAnswer:
    """The decision stays. Raises: NotFound, AppealAnswered, FourEyes. Locks: claim. Audit: appeal.refused."""
    appeal, claim = _open(organisation, appeal_id, actor)
    answer = _answer(appeal, False, reason, _Again(), actor, at)
    _end_dispute(claim, at)
    _tell(claim, appeal, "appeal.refused", reason, at)
    record("appeal.refused", claim, appeal, actor=actor, at=at, number=claim.number, reason=reason)
    return answer


@action
def uphold_appeal(
    *, organisation: Organisation, appeal_id: int, reason: str, actor: Actor, at: datetime
) -> AppealAnswer:
    """The provider is right: what was decided is judged again in the month's next run, by the facts known then.

    Lines that wait get proposals to lift their pends, which a second person confirms. Refused lines are judged again in
    a claim of their own. When something was paid in part, the claim is taken back and judged again as a whole. What is
    judged again counts as submitted when the disputed claim was. What holds the claim holds its copy.
    Raises: NotFound, AppealAnswered, FourEyes, NotReversible. Locks: claim. Audit: appeal.upheld.
    """
    appeal, claim = _open(organisation, appeal_id, actor)
    _end_dispute(claim, at, but=appeal)
    again = _judge_again(claim, appeal, reason, actor, at)
    holds = carry_holds(claim, again.new_claim, at=at) if again.new_claim else []
    answer = _answer(appeal, True, reason, again, actor, at)
    _tell(claim, appeal, "appeal.upheld", reason, at)
    told = {"reversal": again.reversal, "new_claim": again.new_claim}
    numbers = {name: row.number for name, row in told.items() if row}
    record("appeal.upheld", claim, appeal, *holds, actor=actor, at=at, number=claim.number, reason=reason, **numbers)
    return answer


@dataclass(frozen=True)
class _Again:
    """How what was decided is judged again."""

    reversal: Claim | None = None
    new_claim: Claim | None = None


def _open(organisation: Organisation, appeal_id: int, actor: Actor) -> tuple[Appeal, Claim]:
    """An appeal without an answer and its locked claim, for a person who had no part in the decision."""
    appeal = Appeal.objects.filter(pk=appeal_id, claim__organisation=organisation).select_related("run").first()
    if appeal is None:
        raise NotFound()
    claim = locked_claim(organisation, appeal.claim_id)
    if AppealAnswer.objects.filter(appeal=appeal).exists():
        raise AppealAnswered()
    lines = {"claim_line": appeal.claim_line_id} if appeal.claim_line_id else {"claim_line__claim": claim}
    kept = KeptPend.objects.filter(**lines, decided_by=person(actor)).exists()
    decided = {appeal.submitted_by_id, appeal.run.started_by_id, *proposers_of([appeal.run_id])}
    if kept or actor.user_id in decided:
        raise FourEyes()
    return appeal, claim


@step
def _answer(appeal: Appeal, upheld: bool, reason: str, again: _Again, actor: Actor, at: datetime) -> AppealAnswer:
    return AppealAnswer.objects.create(
        appeal=appeal,
        upheld=upheld,
        reason=reason,
        answered_by_id=person(actor),
        reversal=again.reversal,
        new_claim=again.new_claim,
        recorded_at=at,
    )


@step
def _end_dispute(claim: Claim, at: datetime, but: Appeal | None = None) -> None:
    """Back to the state that decisions and payments give, when no other appeal waits."""
    waiting = claim.appeals.filter(answer=None)
    if but is not None:
        waiting = waiting.exclude(pk=but.pk)
    if claim.status != "disputed" or waiting.exists():
        return
    decided = Adjudication.objects.filter(claim=claim, reverses=None)
    lives = decided.filter(Q(units_allowed__gt=0) | Q(outcome="pended")).exists()
    claim.move_to("adjudicated" if lives else "rejected", at=at)
    settle_claims([claim.pk], at=at)
    claim.refresh_from_db(fields=["status"])


@step
def _judge_again(claim: Claim, appeal: Appeal, reason: str, actor: Actor, at: datetime) -> _Again:
    rows = Adjudication.objects.filter(claim=claim, reverses=None).exclude(outcome="accepted")
    if appeal.claim_line_id:
        rows = rows.filter(claim_line=appeal.claim_line_id)
    latest = {row.claim_line_id: row for row in rows.order_by("pk")}
    if any(row.gross for row in latest.values()):
        reversal = take_back(claim, actor=actor, at=at)
        return _Again(reversal, copy_claim(claim, submitted_by_id=appeal.submitted_by_id, actor=actor, at=at))
    for row in latest.values():
        if row.outcome == "pended":
            _propose(row, reason, actor, at)
    refused = [line for line, row in latest.items() if row.outcome == "rejected"]
    if not refused:
        return _Again()
    return _Again(None, copy_lines(claim, refused, submitted_by_id=appeal.submitted_by_id, actor=actor, at=at))


@step
def _propose(row: Adjudication, reason: str, actor: Actor, at: datetime) -> None:
    """Propose to lift every pend of a line that is neither lifted nor proposed."""
    pends = Finding.objects.filter(run_id=row.run_id, claim_line_id=row.claim_line_id, severity="P")
    lifted = Clearance.objects.filter(claim_line_id=row.claim_line_id).values("check_code")
    open_ = PendProposal.objects.filter(claim_line_id=row.claim_line_id, clearance=None, refusal=None)
    PendProposal.objects.bulk_create(
        PendProposal(
            run_id=row.run_id,
            claim_line_id=row.claim_line_id,
            check_code=code,
            proposed_by_id=person(actor),
            reason=reason[:REASON_OF_PEND],
            recorded_at=at,
        )
        for code in pends.exclude(check_code__in=lifted)
        .exclude(check_code__in=open_.values("check_code"))
        .values_list("check_code", flat=True)
    )


@step
def _tell(claim: Claim, appeal: Appeal, code: str, reason: str, at: datetime) -> None:
    line = appeal.claim_line.line if appeal.claim_line else None
    tell_provider(claim, code, {"number": claim.number, "line": line, "reason": reason}, at=at)
