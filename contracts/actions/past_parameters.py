"""An own value of a parameter put right as of days already served: written by one person, approved by another."""

from __future__ import annotations

from datetime import date, datetime

from django.db.models import Q

from config.audit.actors import Actor
from config.audit.recording import action, record
from config.locks import lock_rows
from config.transactions import step
from contracts.actions.parameters import next_own, own_values, place_value, words_of
from contracts.actions.past_days import NothingPutRight, check_past_day, check_second_person, tell_correctors, touched
from contracts.models import Parameter, ParameterProposal
from contracts.queries import rows_of_key
from contracts.settled_queries import Settled, settled_lines


@action
def approve_past_parameter(*, proposal: ParameterProposal, actor: Actor, at: datetime) -> Parameter:
    """The value is the municipality's own from its past day, known from now on, as long as what it replaces would hold.

    At most until the next own one. An own value that begins on that very day says the new text from now on, in place;
    runs of before keep what they knew. Raises: PastReasonMissing, DayToCome, FourEyes for its author, RelatedPerson to
    a provider paid for such days, NothingPutRight, ParameterOnRecord, InvalidMove. Locks: the proposal, the own values
    of the key. Audit: parameter.put_right.
    """
    proposal = lock_rows(ParameterProposal.objects.filter(pk=proposal.pk).select_related("organisation"))[0]
    proposal.check_move("approved")
    check_past_day(proposal.organisation, proposal.valid_from, proposal.reason, at)
    lock_rows(own_values(proposal))
    settled = settled_by_value(proposal)
    check_second_person(proposal.organisation, proposal.author_id, settled.providers, actor, at)
    _refuse_same(proposal)
    same = own_values(proposal).filter(valid_from=proposal.valid_from).first()
    parameter = place_value(proposal, value_would_end(proposal), at) if same is None else _said_anew(same, proposal, at)
    proposal.approver_id, proposal.parameter = actor.user_id, parameter if same is None else None
    proposal.save(update_fields=["approver", "parameter"])
    proposal.move_to("approved", at=at)
    record(
        "parameter.put_right",
        proposal,
        parameter,
        actor=actor,
        at=at,
        parameter=words_of(proposal),
        valid_from=proposal.valid_from,
        act=f"{proposal.act} {proposal.article}".strip(),
        reason=proposal.reason,
        **touched(settled),
    )
    tell_correctors(proposal, proposal.organisation, "parameter.put_right", settled, proposal.reason, at)
    return parameter


def settled_by_value(proposal: ParameterProposal) -> Settled:
    """Lines decided for days on which the value would hold."""
    return settled_lines(proposal.organisation, since=proposal.valid_from, until=value_would_end(proposal))


def value_would_end(proposal: ParameterProposal) -> date | None:
    """The first day after a value of past days: when what it replaces would end, or the next own one begins."""
    held = _held(proposal)
    ends = (next_own(proposal), held.valid_to if held else None)
    return min((end for end in ends if end is not None), default=None)


def _held(proposal: ParameterProposal) -> Parameter | None:
    """The value that counts on the first day."""
    start = proposal.valid_from
    still = Q(valid_to=None) | Q(valid_to__gt=start)
    return rows_of_key(proposal.organisation, proposal.key).filter(still, valid_from__lte=start).first()


def _refuse_same(proposal: ParameterProposal) -> None:
    """Raises: NothingPutRight when the value that holds on the first day says the same."""
    held = _held(proposal)
    if held is not None and held.value == proposal.value:
        raise NothingPutRight(day=f"{proposal.valid_from:%d.%m.%Y}")


@step
def _said_anew(parameter: Parameter, proposal: ParameterProposal, at: datetime) -> Parameter:
    source = {name: getattr(proposal, name) for name in ("act", "article", "evidence", "note")}
    parameter.change(at=at, value=proposal.value, **source)
    return parameter
