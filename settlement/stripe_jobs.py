"""Background work with Stripe: one call each, idempotent."""

from __future__ import annotations

from config.clock import business_now
from config.office.jobs import job
from config.office.models import Job
from settlement.actions.fee_refunds import SEND_REFUND, send_refund
from settlement.actions.runs import SEND_TRANSFERS
from settlement.actions.stripe_events import (
    HANDLE_EVENT,
    events_waiting_for,
    handle_event,
    office_of,
    returns_waiting_for,
)
from settlement.actions.transfers import send_transfers as send_transfers_of
from settlement.models import FeeRefund, PaymentRun


@job(HANDLE_EVENT)
def handle(row: Job) -> None:
    """A message of Stripe, then those that came before what they speak of."""
    first = row.payload["event_id"]
    office = office_of(first)
    at = business_now(office.clock_offset if office else None)
    handle_event(event_id=first, at=at)
    for later in events_waiting_for(first):
        handle_event(event_id=later, at=at)


@job(SEND_REFUND)
def refund(row: Job) -> None:
    """An approved refund of a card payment."""
    found = FeeRefund.objects.select_related("receipt__notice__organisation").get(pk=row.payload["refund_id"])
    send_refund(refund_id=found.pk, at=business_now(found.receipt.notice.organisation.clock_offset))


@job(SEND_TRANSFERS)
def send_transfers(row: Job) -> None:
    """The transfers of a released run, then what was taken back of them before we knew that they had gone."""
    run = PaymentRun.objects.select_related("organisation").get(pk=row.payload["run_id"])
    at = business_now(run.organisation.clock_offset)
    send_transfers_of(organisation=run.organisation, run_id=run.pk, at=at)
    for early in returns_waiting_for(run):
        handle_event(event_id=early, at=at)
