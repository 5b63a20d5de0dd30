"""Holding payments, and letting them go: the second takes another person."""

from __future__ import annotations

from datetime import date, datetime

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, record
from config.clock import local_date
from config.errors import DomainError, FourEyes, NotFound
from config.locks import lock_rows
from config.transactions import step
from contracts.actions.check_facts import refuse_related
from contracts.models import Contract, Provider
from settlement.actions.runs import OPEN_STATES, person, take_up_changes
from settlement.actions.transfers import queue_transfers
from settlement.hold_queries import held_advances, held_remittances, standing_holds
from settlement.models import (
    Advance,
    Claim,
    Payment,
    PaymentAdvance,
    PaymentHold,
    PaymentRemittance,
    PaymentRun,
    Remittance,
)


class HoldTooLate(DomainError):
    """The money is on its way."""

    code = "HOLD_TOO_LATE"
    message = _("The payment %(reference)s was handed over already. It can be stopped only at the bank.")


class HoldReasonMissing(DomainError):
    """A decision that needs words."""

    code = "HOLD_REASON_MISSING"
    message = _("Write the reason: the provider may ask for it and the auditor will read it.")
    http_status = 400


class HoldEndsBefore(DomainError):
    """No day lies between the ends."""

    code = "HOLD_ENDS_BEFORE"
    message = _("The last day of a hold is not before its first day.")
    http_status = 400


class HoldLifted(DomainError):
    """Once is enough."""

    code = "HOLD_LIFTED"
    message = _("This hold is lifted already. Reload the page.")


class HoldTakenBack(DomainError):
    """What is taken back, and what takes it back, are one sum: held apart, the rest would be paid wrongly."""

    code = "HOLD_TAKEN_BACK"
    message = _(
        "The claim «%(number)s» is taken back or takes another one back, so nothing of it is paid. Hold the claim that "
        "stands for it, the contract or the provider."
    )


@action
def place_hold(
    *,
    organisation: Organisation,
    target: Provider | Contract | Claim | Payment,
    reason: str,
    from_date: date,
    to_date: date | None = None,
    actor: Actor,
    at: datetime,
) -> PaymentHold:
    """Pay nothing of a provider, contract, claim or payment from a day on; ``to_date`` is the first day after.

    Open payment runs give up what is held and lose the signatures under it.
    Raises: NotFound, HoldReasonMissing, HoldEndsBefore, HoldTooLate, HoldTakenBack. Locks: claims, runs.
    Audit: payment_hold.placed.
    """
    if not reason.strip():
        raise HoldReasonMissing()
    if to_date is not None and to_date <= from_date:
        raise HoldEndsBefore()
    if not isinstance(target, Provider) and target.organisation != organisation:
        raise NotFound()
    if isinstance(target, Payment) and target.status != "prepared":
        raise HoldTooLate(reference=target.reference)
    if isinstance(target, Claim):
        _refuse_taken_back(target)
    hold = PaymentHold(organisation=organisation, reason=reason.strip()[:300], from_date=from_date, to_date=to_date)
    setattr(hold, type(target)._meta.model_name or "", target)
    changed = put_in_force(hold, actor=actor, at=at)
    record("payment_hold.placed", hold, target, *changed, actor=actor, at=at, reason=hold.reason, from_date=from_date,
           to_date=to_date)  # fmt: skip
    return hold


@step
def _refuse_taken_back(target: Claim) -> None:
    """A correction that is being approved would leave the hold behind on the claim that it takes back."""
    [claim] = lock_rows(Claim.objects.filter(pk=target.pk))
    if claim.status == "reversed" or claim.reverses_id:
        raise HoldTakenBack(number=claim.number)


@step
def carry_holds(claim: Claim, made: Claim, *, at: datetime) -> list[PaymentHold]:
    """Holds of a claim hold the claim that is judged in its place too, from the same person for the same reason."""
    on = local_date(at, claim.organisation.zone)
    return [
        PaymentHold.objects.create(
            organisation=row.organisation,
            claim=made,
            reason=row.reason,
            from_date=row.from_date,
            to_date=row.to_date,
            placed_by_id=row.placed_by_id,
            recorded_at=at,
        )
        for row in standing_holds(claim.organisation, on).filter(claim=claim).order_by("pk")
    ]


@step
def put_in_force(hold: PaymentHold, *, actor: Actor, at: datetime) -> list[PaymentRun]:
    """Write a hold; returns the open runs that give something up for it. Locks: claims, runs."""
    hold.placed_by_id, hold.recorded_at = person(actor), at
    hold.save()
    return _change_open_runs(hold.organisation, at)


@step
def _change_open_runs(organisation: Organisation, at: datetime) -> list[PaymentRun]:
    """Bring open runs that pay something held into step; returns those that changed."""
    on = local_date(at, organisation.zone)
    held = held_remittances(Remittance.objects.all(), organisation, on)
    items = PaymentRemittance.objects.filter(live=True, remittance__in=held, payment_run__organisation=organisation)
    advances = held_advances(Advance.objects.filter(organisation=organisation), organisation, on)
    more = PaymentAdvance.objects.filter(live=True, advance__in=advances)
    paying = Q(pk__in=items.values("payment_run")) | Q(pk__in=more.values("payment_run"))
    runs = PaymentRun.objects.filter(paying, status__in=OPEN_STATES)
    lock_rows(Claim.objects.filter(remittances__payment_items__payment_run__in=list(runs.values_list("pk", flat=True))))
    return [run for run in lock_rows(runs) if take_up_changes(run, at=at) is not None]


@action
def lift_hold(*, organisation: Organisation, hold_id: int, reason: str, actor: Actor, at: datetime) -> PaymentHold:
    """Let the money go again; transfers that waited for it are sent. Raises: NotFound, HoldReasonMissing, HoldLifted,
    FourEyes for who placed it, RelatedPerson.
    Locks: hold. Audit: payment_hold.lifted.
    """
    if not reason.strip():
        raise HoldReasonMissing()
    rows = lock_rows(PaymentHold.objects.filter(pk=hold_id, organisation=organisation))
    if not rows:
        raise NotFound()
    hold = rows[0]
    if hold.lifted_at is not None:
        raise HoldLifted()
    if hold.placed_by_id == person(actor):
        raise FourEyes()
    target = hold.target
    provider_id = target.pk if isinstance(target, Provider) else target.provider_id
    refuse_related(organisation=organisation, actor=actor, providers=[provider_id], at=at)
    hold.lifted_by_id, hold.lifted_at, hold.lift_reason = actor.user_id, at, reason.strip()[:300]
    hold.save(update_fields=["lifted_by", "lifted_at", "lift_reason"])
    queue_transfers(organisation, cause=f"hold {hold.pk}", at=at)
    record("payment_hold.lifted", hold, hold.target, actor=actor, at=at, reason=hold.lift_reason)
    return hold
