"""A recipient's fee decided anew for past months: right as of those days, known now. One proposes, another approves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, record
from config.clock import local_date
from config.errors import DomainError, FourEyes, NotFound, NotPermitted
from config.law_words import parameter_named
from config.locks import lock_rows
from config.periods import month_of
from config.transactions import step
from contracts.parameters import ParameterBook
from contracts.queries import term_ends
from vouchers.actions.assessments import (
    FeeCalculation,
    FeeInputs,
    FeeStartNotFirst,
    FeeUndetermined,
    burden,
    calculate_fee,
    fee_number,
    inputs_as_json,
    missing_incomes,
)
from vouchers.actions.fee_revision_told import tell_of_revision
from vouchers.actions.guests import refuse_guest_recipient
from vouchers.models import FeeAssessment, FeeRevision, Recipient

FEE_INCREASE, TERM = "correction.fee_increase", "claim.appeal_days"
# What a new decision says of how the recipient pays, and what it rests on.
DECIDED = ("mode", "monthly_limit", "formula_id", "income_member", "inputs", "parameters", "steps")


class RevisionReasonMissing(DomainError):
    """Why the past was different."""

    code = "FEE_REVISION_REASON"
    message = _("Say what became known and from which paper: the recipient and the auditor read it.")


class RevisionNotPast(DomainError):
    """The ordinary decision does it."""

    code = "FEE_REVISION_NOT_PAST"
    message = _("%(valid_from)s lies in the future. For months to come decide the fee the ordinary way.")


class RevisionEndNotLast(DomainError):
    """Decisions end with a month."""

    code = "FEE_REVISION_END"
    message = _("The last day must be the last day of a month, not before the first one. Correct the dates.")


class RevisionOutside(DomainError):
    """Nothing was decided for some of the days."""

    code = "FEE_REVISION_OUTSIDE"
    message = _(
        "No decision covers %(day)s. Decide anew only months for which a fee was decided; for others decide it the "
        "ordinary way."
    )


class RevisionUnchanged(DomainError):
    """The same comes out."""

    code = "FEE_REVISION_UNCHANGED"
    message = _("By this income the recipient pays as was decided for all of these months. Nothing is to be changed.")


class RevisionIncrease(DomainError):
    """A fee rises backwards only where the office allows it."""

    code = "FEE_REVISION_INCREASE"
    message = _(
        "The fee would rise in months that are over, and the parameter «%(parameter)s» does not allow it. Decide the "
        "higher fee from the next month."
    )


class RevisionWaits(DomainError):
    """One at a time."""

    code = "FEE_REVISION_WAITS"
    message = _("%(number)s of this recipient waits for approval. Have it approved or give it up first.")


class RevisionStale(DomainError):
    """What would be replaced is not what was seen."""

    code = "FEE_REVISION_STALE"
    message = _(
        "The decisions for these months have changed since %(number)s was proposed. Give it up and propose it again."
    )


@dataclass(frozen=True)
class Piece:
    """The part of a span that one decision covers; ``end`` is exclusive, none: no end."""

    row: FeeAssessment
    start: date
    end: date | None

    def as_replaced(self) -> dict[str, Any]:
        """Plain JSON: which decision, what it says, for which days."""
        return {
            "id": self.row.pk,
            "decision": self.row.decision,
            "mode": self.row.mode,
            "monthly_limit": None if self.row.monthly_limit is None else str(self.row.monthly_limit),
            "valid_from": self.start.isoformat(),
            "valid_to": self.end and self.end.isoformat(),
        }


@action
def propose_fee_revision(
    *,
    recipient: Recipient,
    inputs: FeeInputs,
    valid_from: date,
    last_day: date | None,
    reason: str,
    actor: Actor,
    at: datetime,
) -> FeeRevision:
    """Decide a fee anew for months within existing decisions (``last_day`` none: to their end); nothing changes before
    another person approves it.

    Raises: GuestRecipient, RevisionReasonMissing, FeeStartNotFirst, RevisionNotPast, RevisionEndNotLast,
    RevisionOutside, RevisionUnchanged, RevisionIncrease, RevisionWaits, FeeUndetermined and those of ``calculate_fee``.
    Locks: the recipient. Audit: fee_revision.proposed. Source: FEE-UA-1.
    """
    refuse_guest_recipient(recipient)
    reason = reason.strip()
    if not reason:
        raise RevisionReasonMissing()
    calculation = calculate_fee(recipient=recipient, inputs=inputs)
    if calculation.outcome.mode == "U":
        raise FeeUndetermined(missing=missing_incomes(calculation))
    recipient = _locked(recipient.pk)
    end = _end_of(valid_from, last_day, local_date(at, recipient.organisation.zone))
    waiting = recipient.fee_revisions.filter(status="proposed").first()
    if waiting is not None:
        raise RevisionWaits(number=waiting.number)
    pieces = pieces_of(recipient, valid_from, end)
    _refuse_pieces(recipient, pieces, calculation, at)
    revision = _keep(recipient, pieces, calculation, inputs, reason, actor, at)
    record("fee_revision.proposed", recipient, revision, actor=actor, at=at, **_said(revision), reason=reason)
    return revision


def _said(revision: FeeRevision) -> dict[str, Any]:
    days = {"valid_from": revision.valid_from, "last_day": revision.period.last_day}
    return {"number": revision.number, **days, "mode": revision.mode}


def _locked(recipient_id: int) -> Recipient:
    return lock_rows(Recipient.objects.select_related("organisation").filter(pk=recipient_id))[0]


def _end_of(start: date, last_day: date | None, today: date) -> date | None:
    if start.day != 1:
        raise FeeStartNotFirst(first=f"{month_of(start):%d.%m.%Y}")
    if start > month_of(today):
        raise RevisionNotPast(valid_from=f"{start:%d.%m.%Y}")
    if last_day is None:
        return None
    end = date.fromordinal(last_day.toordinal() + 1)
    if end.day != 1 or end <= start:
        raise RevisionEndNotLast()
    return end


def pieces_of(recipient: Recipient, start: date, end: date | None) -> list[Piece]:
    """Decisions that cover every day from ``start`` to ``end`` (none: to the end of what is decided), in order.

    Raises: RevisionOutside, with the first day that none covers.
    """
    rows = recipient.fee_assessments.filter(Q(valid_to=None) | Q(valid_to__gt=start)).order_by("valid_from")
    found: list[Piece] = []
    day: date | None = start
    for row in rows.filter(valid_from__lt=end) if end else rows:
        if day is None or row.valid_from > day:
            break
        upto = min((last for last in (row.valid_to, end) if last is not None), default=None)
        found.append(Piece(row, day, upto))
        day = upto
    if not found or (end is not None and day is not None and day < end):
        raise RevisionOutside(day=f"{day:%d.%m.%Y}")
    return found


def _refuse_pieces(recipient: Recipient, pieces: Iterable[Piece], calculation: FeeCalculation, at: datetime) -> None:
    """Refuse what changes nothing, and what would rise in months that are over."""
    pieces, new = list(pieces), burden(calculation.outcome.mode, calculation.monthly_limit)
    if all(burden(piece.row.mode, piece.row.monthly_limit) == new for piece in pieces):
        raise RevisionUnchanged()
    _refuse_rise(recipient.organisation, pieces, new, local_date(at, recipient.organisation.zone))


def _refuse_rise(organisation: Organisation, pieces: Iterable[Piece], new: tuple[int, Decimal], today: date) -> None:
    rises = (new > burden(piece.row.mode, piece.row.monthly_limit) for piece in pieces if piece.start < month_of(today))
    if any(rises) and not _may_rise(organisation, today):
        raise RevisionIncrease(parameter=parameter_named(FEE_INCREASE))


def _may_rise(organisation: Organisation, on: date) -> bool:
    value = ParameterBook.load(organisation, FEE_INCREASE).get(FEE_INCREASE, on)
    return value is not None and value.flag


@step
def _keep(
    recipient: Recipient,
    pieces: list[Piece],
    calculation: FeeCalculation,
    inputs: FeeInputs,
    reason: str,
    actor: Actor,
    at: datetime,
) -> FeeRevision:
    if actor.user_id is None:
        raise NotPermitted()
    start = pieces[0].start
    return FeeRevision.objects.create(
        organisation=recipient.organisation,
        recipient=recipient,
        number=fee_number(recipient, start),
        valid_from=start,
        valid_to=pieces[-1].end,
        reason=reason,
        mode=calculation.outcome.mode,
        monthly_limit=calculation.monthly_limit,
        formula_id=calculation.outcome.formula_id,
        income_member=calculation.income.per_member if calculation.income else None,
        inputs=inputs_as_json(inputs),
        parameters=calculation.parameters,
        steps=calculation.steps,
        replaced=[piece.as_replaced() for piece in pieces],
        proposed_by_id=actor.user_id,
        proposed_at=at,
        status="proposed",
        status_at=at,
    )


@action
def approve_fee_revision(*, organisation: Organisation, revision_id: int, actor: Actor, at: datetime) -> FeeRevision:
    """Make the decision the one that holds on those days, as known from now on; later decisions stay as they are.

    The recipient is told, with the term to object; so is who prepares corrections, here and where the
    recipient's certificate was used, when months are over.
    Raises: NotFound, GuestRecipient, InvalidMove, FourEyes for who proposed it or pays by it, RevisionStale,
    RevisionIncrease.
    Locks: the recipient, the revision. Audit: fee_revision.approved.
    """
    revision = _revision(organisation, revision_id)
    refuse_guest_recipient(revision.recipient)
    recipient = _locked(revision.recipient_id)
    revision = lock_rows(FeeRevision.objects.filter(pk=revision.pk))[0]
    revision.check_move("approved")
    if actor.user_id in (None, revision.proposed_by_id, recipient.user_id):
        raise FourEyes()
    pieces = _still_the_same(recipient, revision)
    # A month that ran when it was proposed may be over by now.
    today = local_date(at, organisation.zone)
    _refuse_rise(organisation, pieces, burden(revision.mode, revision.monthly_limit), today)
    for piece in pieces:
        _replace(piece, revision, at)
    revision.approved_by_id = actor.user_id
    revision.save(update_fields=["approved_by"])
    revision.move_to("approved", at=at)
    tell_of_revision(recipient, revision, disputable_until(revision), at=at)
    record("fee_revision.approved", recipient, revision, actor=actor, at=at, **_said(revision))
    return revision


def _revision(organisation: Organisation, revision_id: int) -> FeeRevision:
    revision = FeeRevision.objects.filter(organisation=organisation, pk=revision_id).first()
    if revision is None:
        raise NotFound()
    return revision


def _still_the_same(recipient: Recipient, revision: FeeRevision) -> list[Piece]:
    try:
        pieces = pieces_of(recipient, revision.valid_from, revision.valid_to)
    except RevisionOutside:
        pieces = []
    if [piece.as_replaced() for piece in pieces] != revision.replaced:
        raise RevisionStale(number=revision.number)
    return pieces


@step
def _replace(piece: Piece, revision: FeeRevision, at: datetime) -> None:
    """A decision that is covered whole gives its row up; another keeps the days before and after."""
    row, new = piece.row, {name: getattr(revision, name) for name in DECIDED}
    new |= {"decision": revision.number, "decided_by_id": revision.proposed_by_id}
    before, after = row.valid_from < piece.start, row.valid_to != piece.end
    if not before and not after:
        row.change(at=at, **new)
        return
    old = {name: getattr(row, name) for name in (*DECIDED, "decision", "decided_by_id")}
    rest = row.valid_to
    row.change(at=at, **({"valid_to": piece.start} if before else {"valid_from": piece.end}))
    _add(row.recipient_id, new, piece.start, piece.end, at)
    if before and after and piece.end is not None:
        _add(row.recipient_id, old, piece.end, rest, at)


@step
def _add(recipient_id: int, said: dict[str, Any], start: date, end: date | None, at: datetime) -> None:
    FeeAssessment.objects.create(recipient_id=recipient_id, valid_from=start, valid_to=end, recorded_at=at, **said)


def disputable_until(revision: FeeRevision) -> date:
    """The last day on which an approved decision can be disputed: working days after it was approved."""
    return term_ends(revision.organisation, TERM, revision.status_at or revision.proposed_at)


@action
def cancel_fee_revision(
    *, organisation: Organisation, revision_id: int, reason: str, actor: Actor, at: datetime
) -> FeeRevision:
    """Give up a decision that is not approved. Raises: NotFound, InvalidMove. Audit: fee_revision.cancelled."""
    revision = lock_rows(FeeRevision.objects.filter(pk=_revision(organisation, revision_id).pk))[0]
    revision.move_to("cancelled", at=at)
    record(
        "fee_revision.cancelled",
        revision.recipient,
        revision,
        actor=actor,
        at=at,
        number=revision.number,
        reason=reason,
    )
    return revision
