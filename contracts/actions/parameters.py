"""Own values of parameters: written down by one person, approved by another, never over a value that was."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Min, QuerySet
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, record
from config.errors import DomainError, FourEyes, NotFound
from config.locks import lock_rows
from config.transactions import step
from contracts.actions.past_days import check_past_day
from contracts.models import Parameter, ParameterProposal
from contracts.models.parameters import UNVERIFIED
from contracts.parameters import with_confirmations
from contracts.queries import closed_until, rows_of_key
from contracts.rules.parameter_values import Shape, ValueShape, read_value, shape_of


class ValueMalformed(DomainError):
    """The value does not look like the others of its key."""

    code = "PARAMETER_VALUE"
    message = _("«%(value)s» is no value of this parameter. Write it like the present one: %(example)s.")


class ParameterDayClosed(DomainError):
    """A month that the value would change is closed."""

    code = "PARAMETER_DAY_CLOSED"
    message = _(
        "Months until %(until)s are closed and stay as they were judged. Choose a later first day. If the value was "
        "wrong on days already served, give the reason why that is known only now; another person approves it."
    )


class ParameterOfPastDays(DomainError):
    """Past days are put right by an approval of its own."""

    code = "PARAMETER_OF_PAST_DAYS"
    message = _("This value puts days already served right. It is approved as a correction of past days.")


class ParameterOnRecord(DomainError):
    """Another own value begins on the day."""

    code = "PARAMETER_ON_RECORD"
    message = _("A value of your own from %(day)s is already on record and stays. Choose another first day.")


class ParameterVerified(DomainError):
    """Nothing is left to confirm."""

    code = "PARAMETER_VERIFIED"
    message = _("This value is verified already. Nothing has to be confirmed.")


class EvidenceMissing(DomainError):
    """A confirmation that says nothing was verified."""

    code = "EVIDENCE_MISSING"
    message = _("Say how the value was verified: where it was seen, or who decided it.")


@dataclass(frozen=True)
class Source:
    """Where a value comes from."""

    act: str
    evidence: str
    article: str = ""
    note: str = ""


@action
def propose_parameter(
    *,
    organisation: Organisation,
    key: str,
    value: str,
    valid_from: date,
    source: Source,
    actor: Actor,
    at: datetime,
    reason: str = "",
) -> ParameterProposal:
    """Write down a value of a known key for the municipality; it holds once another person has approved it.

    ``reason``: why it is known only now, of a value for days already served; closed months do not refuse it then.
    Raises: NotFound for a key that no row has, ValueMalformed, ParameterDayClosed, ParameterOnRecord, DayToCome.
    Audit: parameter.proposed.
    """
    rows = list(rows_of_key(organisation, key))
    if not rows:
        raise NotFound()
    if reason:
        check_past_day(organisation, valid_from, reason, at)
    else:
        _check_day(organisation, key, valid_from)
    proposal = ParameterProposal.objects.create(
        organisation=organisation,
        key=key,
        valid_from=valid_from,
        value=_read(shape_of_rows(rows), value, rows[0].value),
        unit=unit_of(rows),
        reason=reason.strip(),
        **_written(source, actor, at),
    )
    _record("parameter.proposed", proposal, actor, at)
    return proposal


@action
def propose_confirmation(
    *, organisation: Organisation, parameter: Parameter, source: Source, actor: Actor, at: datetime
) -> ParameterProposal:
    """Write down where an unverified value was found; it stays as it is, and verified once another person approved.

    Raises: ParameterVerified, EvidenceMissing. Audit: parameter.confirmation_proposed.
    """
    if not with_confirmations(organisation, [parameter])[0].unverified:
        raise ParameterVerified()
    if source.evidence in UNVERIFIED:
        raise EvidenceMissing()
    same = {name: getattr(parameter, name) for name in ("key", "valid_from", "value", "unit")}
    proposal = ParameterProposal.objects.create(organisation=organisation, **same, **_written(source, actor, at))
    _record("parameter.confirmation_proposed", proposal, actor, at, parameter)
    return proposal


def _written(source: Source, actor: Actor, at: datetime) -> dict[str, Any]:
    return {**asdict(source), "author_id": actor.user_id, "recorded_at": at, "status": "draft", "status_at": at}


@action
def approve_parameter(*, proposal: ParameterProposal, actor: Actor, at: datetime) -> Parameter:
    """The value is the municipality's own from its first day; the own value that held then ends the day before.

    The text of a value on record from its own first day confirms that value: nothing is written beside it.

    Time: known from ``at`` on, the end of the earlier one too. Raises: FourEyes for its author, InvalidMove,
    ParameterOfPastDays for one with a reason, ParameterDayClosed, ParameterOnRecord, ParameterVerified.
    Audit: parameter.approved, parameter.confirmed.
    """
    proposal = lock_rows(ParameterProposal.objects.filter(pk=proposal.pk).select_related("organisation"))[0]
    proposal.check_move("approved")
    if proposal.reason:
        raise ParameterOfPastDays()
    if proposal.author_id == actor.user_id:
        raise FourEyes()
    same = value_on_record(proposal)
    proposal.approver_id, proposal.parameter = actor.user_id, None if same else _own_value(proposal, at)
    proposal.save(update_fields=["approver", "parameter"])
    proposal.move_to("approved", at=at)
    parameter = same or proposal.parameter
    assert parameter is not None  # one of both was just found or made
    _record("parameter.confirmed" if same else "parameter.approved", proposal, actor, at, parameter)
    return parameter


def value_on_record(proposal: ParameterProposal) -> Parameter | None:
    """The value that a proposal confirms: the same text from the same day. Raises: ParameterVerified."""
    rows = rows_of_key(proposal.organisation, proposal.key)
    same = rows.filter(valid_from=proposal.valid_from, value=proposal.value).first()
    if same is not None and proposal.status == "draft":
        [same] = with_confirmations(proposal.organisation, [same])
        if not same.unverified:
            raise ParameterVerified()
    return same


def _own_value(proposal: ParameterProposal, at: datetime) -> Parameter:
    lock_rows(own_values(proposal))
    _check_day(proposal.organisation, proposal.key, proposal.valid_from)
    return place_value(proposal, next_own(proposal), at)


def own_values(proposal: ParameterProposal) -> QuerySet[Parameter]:
    """The municipality's own values of the key."""
    return Parameter.objects.filter(organisation=proposal.organisation, key=proposal.key)


def next_own(proposal: ParameterProposal) -> date | None:
    """When the municipality's next own value of the key begins."""
    later = own_values(proposal).filter(valid_from__gt=proposal.valid_from)
    first: date | None = later.aggregate(first=Min("valid_from"))["first"]
    return first


@action
def withdraw_parameter(*, proposal: ParameterProposal, reason: str, actor: Actor, at: datetime) -> ParameterProposal:
    """Take a proposal back, or refuse it. Raises: InvalidMove. Audit: parameter.withdrawn."""
    proposal = lock_rows(ParameterProposal.objects.filter(pk=proposal.pk).select_related("organisation"))[0]
    proposal.move_to("withdrawn", at=at)
    record("parameter.withdrawn", proposal, actor=actor, at=at, parameter=words_of(proposal), reason=reason)
    return proposal


def shape_of_rows(rows: list[Parameter]) -> ValueShape:
    """How a value of the key of these rows looks."""
    return shape_of(unit_of(rows), {row.value for row in rows})


def unit_of(rows: list[Parameter]) -> str:
    """The unit of a key; values that came in a package have none."""
    return next((row.unit for row in rows if row.unit), "")


def _read(shape: ValueShape, value: str, example: str) -> str:
    try:
        return read_value(shape, value)
    except ValueError as error:
        shown = ", ".join(shape.options) if shape.kind in (Shape.CHOICE, Shape.FLAG) else example
        raise ValueMalformed(value=value, example=shown) from error


def _check_day(organisation: Organisation, key: str, valid_from: date) -> None:
    until = closed_until(organisation)
    if until is not None and valid_from < until:
        raise ParameterDayClosed(until=f"{until:%d.%m.%Y}")
    if Parameter.objects.filter(organisation=organisation, key=key, valid_from=valid_from).exists():
        raise ParameterOnRecord(day=f"{valid_from:%d.%m.%Y}")


@step
def place_value(proposal: ParameterProposal, until: date | None, at: datetime) -> Parameter:
    """The municipality's own value, from its first day until another one holds; the caller has locked the own ones.

    Raises: ParameterOnRecord.
    """
    start = proposal.valid_from
    for row in own_values(proposal):
        if row.valid_from < start and (row.valid_to is None or row.valid_to > start):
            row.change(at=at, valid_to=start)
    try:
        with transaction.atomic():
            return Parameter.objects.create(
                organisation=proposal.organisation,
                jurisdiction=proposal.organisation.jurisdiction,
                key=proposal.key,
                valid_from=start,
                valid_to=until,
                value=proposal.value,
                unit=proposal.unit,
                act=proposal.act,
                article=proposal.article,
                evidence=proposal.evidence,
                note=proposal.note,
                recorded_at=at,
                recorded_by_id=proposal.author_id,
            )
    except IntegrityError as error:
        raise ParameterOnRecord(day=f"{start:%d.%m.%Y}") from error


def words_of(proposal: ParameterProposal) -> dict[str, str]:
    """Key and value, as the trail keeps them."""
    return {"key": proposal.key, "value": proposal.value}


def _record(code: str, proposal: ParameterProposal, actor: Actor, at: datetime, *touched: Parameter) -> None:
    said: dict[str, Any] = {"parameter": words_of(proposal), "valid_from": proposal.valid_from}
    said |= {"act": f"{proposal.act} {proposal.article}".strip(), "reason": proposal.reason}
    record(code, proposal, *touched, actor=actor, at=at, **said)
