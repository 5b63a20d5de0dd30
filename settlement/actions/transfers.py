"""Payments of a run that go as transfers of Stripe instead of the bank file.

A payment counts as sent before Stripe is asked: whatever dies on the way, nobody takes it for unpaid.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from django.db.models import QuerySet

from config.accounts.models import Organisation
from config.audit.actors import SYSTEM, Actor
from config.audit.recording import action, nothing_to_record, record
from config.clock import local_date
from config.office.jobs import enqueue
from config.transactions import step
from settlement.actions.fees import open_day
from settlement.actions.payments import (
    confirm_payments,
    drop_payment,
    lock_payments,
    payment_order,
    return_payments,
    send_payments,
)
from settlement.actions.runs import BY_TRANSFER, SEND_TRANSFERS, lock_run
from settlement.gateways.base import GatewayError, OutcomeUnknown, PaymentOrder
from settlement.gateways.stripe import StripeGateway
from settlement.hold_queries import held_payments
from settlement.models import Payment, PaymentRun


def send_transfers(*, organisation: Organisation, run_id: int, at: datetime) -> None:
    """Send the transfers of a released run and keep what became of each. What is done is not done again.

    Raises: OutcomeUnknown after all were tried, when of some nobody knows: run it again.
    """
    run = begin_transfers(organisation=organisation, run_id=run_id, at=at)
    unknown: OutcomeUnknown | None = None
    for order in _orders(run):
        try:
            StripeGateway().submit(order)
        except OutcomeUnknown as error:
            unknown = error
        except GatewayError as error:
            keep_outcome(run=run, reference=order.instructions[0].reference, refusal=str(error), at=at)
        else:
            keep_outcome(run=run, reference=order.instructions[0].reference, refusal="", at=at)
    if unknown is not None:
        raise unknown


def _orders(run: PaymentRun) -> list[PaymentOrder]:
    """An order for each payment of which we do not know the end, so that each is answered for by itself."""
    whole = payment_order(run, BY_TRANSFER)
    waiting = set(run.payments.filter(gateway=BY_TRANSFER, status="sent").values_list("reference", flat=True))
    return [replace(whole, instructions=(item,)) for item in whole.instructions if item.reference in waiting]


@action
def begin_transfers(*, organisation: Organisation, run_id: int, actor: Actor = SYSTEM, at: datetime) -> PaymentRun:
    """Count the transfers of a run as sent; what is held stays as it is. Idempotent.
    Locks: claims, run, payments. Posts: payment.sent. Audit: payment_run.sent.
    """
    on = local_date(at, organisation.zone)
    payments = lock_payments(_free(organisation, on).filter(payment_run=run_id))
    run = lock_run(organisation, run_id)
    still = [payment for payment in payments if payment.status == "prepared"]
    if not still or run.status != "released":
        nothing_to_record()
        return run
    send_payments(still, on=on, actor=actor, at=at)
    record("payment_run.sent", run, *still, actor=actor, at=at, total=sum(item.amount.amount for item in still))
    return run


def _free(organisation: Organisation, on: date) -> QuerySet[Payment]:
    """Transfers that wait and that nobody holds on the day."""
    waiting = Payment.objects.filter(organisation=organisation, gateway=BY_TRANSFER, status="prepared")
    return waiting.exclude(pk__in=held_payments(waiting, organisation, on).values("pk"))


@step
def queue_transfers(organisation: Organisation, *, cause: str, at: datetime) -> None:
    """Ask for the transfers of released runs that nobody holds any more, once for each cause."""
    free = _free(organisation, local_date(at, organisation.zone)).filter(payment_run__status="released")
    for run_id in free.order_by("payment_run").values_list("payment_run", flat=True).distinct():
        enqueue(SEND_TRANSFERS, key=f"{run_id}:{cause}", run_id=run_id)


@action
def send_after_holds(*, organisation: Organisation, actor: Actor = SYSTEM, at: datetime) -> None:
    """Ask for the transfers whose hold ended with its last day. Idempotent within a day."""
    queue_transfers(organisation, cause=f"{local_date(at, organisation.zone)}", at=at)
    nothing_to_record()


@action
def keep_outcome(*, run: PaymentRun, reference: str, refusal: str, actor: Actor = SYSTEM, at: datetime) -> None:
    """A transfer was carried out, or refused for good. Idempotent. Locks: claims, run, payment.
    Posts: transfer.confirmed or payment.failed. Audit: payment.transferred, payment.failed.
    """
    rows = lock_payments(Payment.objects.filter(payment_run=run, reference=reference))
    payment = rows[0]
    if payment.status != "sent":
        nothing_to_record()
        return
    if refusal:
        drop_payment(rows, actor=actor, at=at)
        record("payment.failed", payment, run, actor=actor, at=at, reason=refusal)
        return
    day = local_date(at, run.organisation.zone)
    confirm_payments(rows, on={payment.pk: day}, event="transfer.confirmed", actor=actor, at=at)
    record("payment.transferred", payment, run, actor=actor, at=at, account=payment.iban)


@step
def return_transfer(payment: Payment, *, on: date, actor: Actor, at: datetime) -> bool:
    """A transfer was taken back; whether that was news. Posts: transfer.returned, in the open month."""
    rows = lock_payments(Payment.objects.filter(pk=payment.pk))
    if rows[0].status != "confirmed":
        return False
    day = open_day(payment.organisation, on, at)
    return_payments(rows, on={payment.pk: day}, event="transfer.returned", actor=actor, at=at)
    return True
