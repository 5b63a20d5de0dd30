"""A norm cost put right as of days already served: drafted with the reason, approved by another (NRM-1)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction

from config.audit.actors import Actor
from config.audit.recording import action, record
from config.locks import lock_rows
from config.transactions import step
from contracts.actions.norms import NormOverlap, refuse_days_left
from contracts.actions.past_days import NothingPutRight, check_past_day, check_second_person, tell_correctors, touched
from contracts.actions.refunds_told import tell_refunded
from contracts.models import NormCost
from contracts.queries import norm_replaced_by, norm_would_end, norms_of_key
from contracts.settled_queries import Settled, settled_lines


@action
def approve_past_norm(*, norm: NormCost, actor: Actor, at: datetime) -> NormCost:
    """The draft holds from its past day, known from now on; runs and receipts of before keep what they knew.

    The norm of the same key that held on its first day ends the day before, or is withdrawn when it began on that very
    day; the draft holds as long as that one would have, at most until the next one begins.
    Raises: PastReasonMissing, DayToCome, FourEyes for its author, RelatedPerson to a provider paid for such days,
    NormLeavesDays, NothingPutRight, NormOverlap, InvalidMove.
    Municipalities whose visits were refunded by it are told: they work the refunds out anew.
    Locks: the draft, the approved norms of its key, so that of two drafts the later sees the earlier.
    Audit: norm_cost.put_right. Source: NRM-1.
    """
    norm = lock_rows(NormCost.objects.filter(pk=norm.pk).select_related("organisation", "service"))[0]
    norm.check_move("approved")
    check_past_day(norm.organisation, norm.valid_from, norm.reason, at)
    lock_rows(norms_of_key(norm))
    until, settled = norm_would_end(norm), settled_by_norm(norm)
    check_second_person(norm.organisation, norm.author_id, settled.providers, actor, at)
    refuse_days_left(norm)
    replaced = _replaced(norm)
    _approve(norm, replaced, until, actor, at)
    before: dict[str, Any] = {"before": replaced.unit_rate} if replaced else {}
    record(
        "norm_cost.put_right",
        norm,
        *([replaced] if replaced else []),
        actor=actor,
        at=at,
        unit_rate=norm.unit_rate,
        **before,
        valid_from=norm.valid_from,
        reason=norm.reason,
        **touched(settled),
    )
    tell_correctors(norm, norm.organisation, "norm_cost.put_right", settled, norm.reason, at)
    tell_refunded(norm, at=at)
    return norm


def settled_by_norm(norm: NormCost) -> Settled:
    """Lines decided for days on which a norm of past days holds or would hold."""
    until = norm_would_end(norm) if norm.status == "draft" else norm.valid_to
    return settled_lines(
        norm.organisation, since=norm.valid_from, until=until, service=norm.service, rate=norm.unit_rate
    )


def _replaced(norm: NormCost) -> NormCost | None:
    """Raises: NothingPutRight when the norm that holds on the first day says the same."""
    replaced = norm_replaced_by(norm)
    if replaced is not None and replaced.unit_rate == norm.unit_rate:
        raise NothingPutRight(day=f"{norm.valid_from:%d.%m.%Y}")
    return replaced


@step
def _approve(norm: NormCost, replaced: NormCost | None, until: date | None, actor: Actor, at: datetime) -> None:
    try:
        with transaction.atomic():
            if replaced is not None and replaced.valid_from < norm.valid_from:
                replaced.change(at=at, valid_to=norm.valid_from)
            elif replaced is not None:
                replaced.move_to("withdrawn", at=at)
            norm.move_to("approved", at=at, approver_id=actor.user_id, valid_to=until)
    except IntegrityError as error:
        raise NormOverlap(service=norm.service) from error
