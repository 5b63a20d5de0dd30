"""Messages of Stripe: each is kept once and dealt with once, in whatever order and however late they come."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import connection

from config.accounts.models import Organisation
from config.audit.actors import SYSTEM, Actor
from config.audit.recording import action, nothing_to_record, record
from config.clock import local_date
from config.locks import lock_rows
from config.office.jobs import enqueue
from config.transactions import step
from settlement.actions.fee_refunds import kept, lock_refund
from settlement.actions.fees import lock_notice, lose_refund, receive_by_card, settle_refund
from settlement.actions.transfers import return_transfer
from settlement.gateways.stripe_client import SignedEvent
from settlement.models import FeeCheckout, FeeNotice, FeeReceipt, FeeRefund, Payment, PaymentRun, StripeEvent
from settlement.models.stripe_events import STRANGE, WAITING

HANDLE_EVENT = "settlement.stripe_event"
TRANSFER_BACK = "transfer.reversed"

# Outcomes, beside WAITING and STRANGE. FOREIGN: of another product on the same account.
DONE, REPEATED, IGNORED, FOREIGN = "done", "repeated", "ignored", "foreign"


@action
def keep_event(*, event: SignedEvent, actor: Actor = SYSTEM, at: datetime) -> StripeEvent:
    """Write an event down once and have it dealt with. Audit: stripe_event.received."""
    row, first = StripeEvent.objects.get_or_create(
        event_id=event.event_id[:120],
        defaults={
            "kind": event.kind[:80],
            "created_at": event.created_at,
            "received_at": at,
            "facts": facts_of(event.subject),
        },
    )
    if not first:
        nothing_to_record()
        return row
    enqueue(HANDLE_EVENT, key=row.event_id, event_id=row.pk)
    record("stripe_event.received", row, actor=actor, at=at, kind=row.kind, event_id=row.event_id)
    return row


def facts_of(subject: dict[str, Any]) -> dict[str, Any]:
    """The few values we use; names, addresses and cards of payers are not kept."""
    metadata = subject.get("metadata") or {}
    is_payment = subject.get("object") == "payment_intent"
    amount = subject.get("amount_received") if is_payment else subject.get("amount_total", subject.get("amount"))
    # Of a transfer: whether all of it went back.
    went_back = {"reversed": subject["reversed"]} if "reversed" in subject else {}
    return {
        "id": subject.get("id"),
        "payment": subject.get("id") if is_payment else subject.get("payment_intent"),
        "amount": amount,
        "currency": str(subject.get("currency") or "").upper(),
        "status": subject.get("payment_status") or subject.get("status"),
        **went_back,
        **{key: metadata[key] for key in ("office", "notice", "refund", "reference", "payer") if key in metadata},
    }


_REFUSED = """
INSERT INTO settlement_webhookrefusal (day, reason, count, last_at, last_sha256) VALUES (%s, %s, 1, %s, %s)
ON CONFLICT (day, reason) DO UPDATE SET count = settlement_webhookrefusal.count + 1,
    last_at = EXCLUDED.last_at, last_sha256 = EXCLUDED.last_sha256
"""


@action
def count_refusal(*, reason: str, sha256: str, actor: Actor = SYSTEM, at: datetime) -> None:
    """Count a refused delivery: one row a day and reason, whoever floods us. It changes nothing of ours."""
    with connection.cursor() as cursor:
        cursor.execute(_REFUSED, [local_date(at), reason[:40], at, sha256])
    nothing_to_record()


@action
def handle_event(*, event_id: int, actor: Actor = SYSTEM, at: datetime) -> str:
    """Deal with a kept event and return its outcome. Idempotent: an outcome is final, but for one that waits.

    Posts: fee.paid_by_card, fee.refunded_card, fee.refund_failed, transfer.returned. Locks: the event, then the notice
    or the payment. Audit: stripe_event.handled.
    """
    (row,) = lock_rows(StripeEvent.objects.filter(pk=event_id))
    outcome = row.outcome if row.outcome not in ("", WAITING) else _HANDLERS.get(row.kind, _ignore)(row, at)
    if outcome == row.outcome:
        nothing_to_record()
        return outcome
    row.outcome, row.handled_at = outcome, at
    row.save(update_fields=["outcome", "handled_at"])
    notice = _notice(row)
    record("stripe_event.handled", notice or row, *([row] if notice else []), actor=actor, at=at, outcome=outcome)
    return outcome


def events_waiting_for(event_id: int) -> list[int]:
    """Events that came before what they speak of and now may find it, oldest first."""
    facts = StripeEvent.objects.get(pk=event_id).facts
    rows = StripeEvent.objects.filter(outcome=WAITING, facts__payment=facts["payment"]).exclude(pk=event_id)
    return list(rows.order_by("created_at", "pk").values_list("pk", flat=True)) if facts.get("payment") else []


def returns_waiting_for(run: PaymentRun) -> list[int]:
    """Messages that transfers of the run were taken back which came before the run knew of the transfers."""
    names = run.payments.values_list("reference", flat=True)
    rows = StripeEvent.objects.filter(kind=TRANSFER_BACK, outcome=WAITING, facts__payer=run.organisation.iban)
    return list(rows.filter(facts__reference__in=list(names)).order_by("created_at", "pk").values_list("pk", flat=True))


def _ignore(row: StripeEvent, at: datetime) -> str:
    return IGNORED


@step
def _paid(row: StripeEvent, at: datetime) -> str:
    """A payment went through: told by the session and by the payment intent, in any order."""
    notice, facts = _notice(row), row.facts
    if notice is None:
        return FOREIGN
    if not _right_money(notice, facts) or not facts["payment"]:
        return STRANGE
    on, amount = row.day(notice.organisation), facts["amount"]
    receipt = receive_by_card(notice=notice, payment=facts["payment"], amount_minor=amount, on=on, actor=SYSTEM, at=at)
    _close_checkout(notice, row, at)
    return DONE if receipt else REPEATED


def _session(row: StripeEvent, at: datetime) -> str:
    # A session of a delayed method completes before its money comes; another event tells when it has.
    return _paid(row, at) if row.facts["status"] == "paid" else IGNORED


def _right_money(notice: FeeNotice, facts: dict[str, Any]) -> bool:
    amount = facts["amount"]
    return isinstance(amount, int) and amount > 0 and facts["currency"] == notice.organisation.currency


@step
def _close_checkout(notice: FeeNotice, row: StripeEvent, at: datetime) -> None:
    # A payment intent does not name its session; then it is the notice's open one, if its sum is the same.
    own = FeeCheckout.objects.filter(notice=notice)
    rows = own.filter(session=row.facts["id"]) if row.kind.startswith("checkout.") else own.filter(
        status="open", amount_minor=row.facts["amount"]
    )  # fmt: skip
    for checkout in lock_rows(rows.exclude(status="paid")):
        checkout.move_to("paid", at=at)


@step
def _expired(row: StripeEvent, at: datetime) -> str:
    """A page nobody paid on; one that was paid stays paid."""
    for checkout in lock_rows(FeeCheckout.objects.filter(session=row.facts["id"], status="open")):
        checkout.move_to("expired", at=at)
    return DONE if _notice(row) else FOREIGN


@step
def _refund(row: StripeEvent, at: datetime) -> str:
    """A refund moved on: one of ours, or one that somebody made at Stripe itself."""
    facts = row.facts
    receipt = FeeReceipt.objects.filter(payment=facts["payment"] or "-").select_related("notice__organisation").first()
    if receipt is None:
        return WAITING
    lock_notice(receipt.notice)
    refund = _our_refund(receipt, facts)
    if refund is None and facts["status"] == "succeeded":
        refund = _made_there(receipt, facts, at)
    if refund is None:
        return IGNORED if facts["status"] != "succeeded" else STRANGE
    return _move_refund(refund, row, at)


def _our_refund(receipt: FeeReceipt, facts: dict[str, Any]) -> FeeRefund | None:
    found = receipt.refunds.filter(gateway_reference=facts["id"]).first()
    if found is None and str(facts.get("refund", "")).isdigit():
        found = receipt.refunds.filter(pk=int(facts["refund"]), amount_minor=facts["amount"]).first()
    return lock_refund(found.pk) if found else None


@step
def _made_there(receipt: FeeReceipt, facts: dict[str, Any], at: datetime) -> FeeRefund | None:
    """The money is gone already: the books follow. None when it is more than is left, which a person must look at."""
    amount = facts["amount"]
    if not isinstance(amount, int) or not 0 < amount <= kept(receipt):
        return None
    return FeeRefund.objects.create(
        receipt=receipt, amount_minor=amount, reason="Stripe", requested_at=at, status="requested", status_at=at
    )


@step
def _move_refund(refund: FeeRefund, row: StripeEvent, at: datetime) -> str:
    """Forward only: what has failed stays failed, what is refunded is refunded once."""
    on, status = row.day(refund.receipt.notice.organisation), row.facts["status"]
    if status == "succeeded" and refund.status in ("requested", "approved"):
        settle_refund(refund, on=on, reference=row.facts["id"], actor=SYSTEM, at=at)
        return DONE
    if status in ("failed", "canceled") and refund.status in ("approved", "refunded"):
        lose_refund(refund, on=on, actor=SYSTEM, at=at)
        return DONE
    return REPEATED if status in ("succeeded", "failed", "canceled") else IGNORED


@step
def _transfer_back(row: StripeEvent, at: datetime) -> str:
    """A transfer to a provider was taken back. A part of one has no document here: a person must look at it."""
    facts = row.facts
    payment = Payment.objects.filter(
        gateway="stripe", reference=facts.get("reference", ""), organisation__iban=facts.get("payer", "")
    ).first()
    if payment is None:
        return FOREIGN
    if payment.status in ("prepared", "sent"):
        return WAITING
    if facts.get("reversed") is not True:
        return STRANGE
    on = row.day(payment.organisation)
    return DONE if return_transfer(payment, on=on, actor=SYSTEM, at=at) else REPEATED


def _notice(row: StripeEvent) -> FeeNotice | None:
    facts = row.facts
    rows = FeeNotice.objects.filter(organisation__code=facts.get("office", ""), rf_reference=facts.get("notice", ""))
    return rows.select_related("organisation").first()


_HANDLERS: dict[str, Callable[[StripeEvent, datetime], str]] = {
    "payment_intent.succeeded": _paid,
    "checkout.session.completed": _session,
    "checkout.session.async_payment_succeeded": _session,
    "checkout.session.expired": _expired,
    "refund.created": _refund,
    "refund.updated": _refund,
    "refund.failed": _refund,
    "charge.refund.updated": _refund,
    TRANSFER_BACK: _transfer_back,
}


def office_of(event_id: int) -> Organisation | None:
    """The office whose notice or payment an event names."""
    facts = StripeEvent.objects.get(pk=event_id).facts
    own = Organisation.objects.filter(code=facts.get("office", "")).first()
    return own or Organisation.objects.filter(iban=facts.get("payer") or "-").first()
