"""Giving money of a fee back: one person asks, another approves, and it goes the way it came."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import SYSTEM, Actor
from config.audit.recording import action, nothing_to_record, record
from config.clock import local_date
from config.errors import DomainError, FourEyes, NotFound
from config.locks import lock_rows
from config.money import from_minor
from config.office.jobs import enqueue
from config.transactions import step
from settlement.actions.fees import lock_notice, lose_refund, settle_refund
from settlement.actions.runs import person
from settlement.gateways import stripe_client
from settlement.gateways.base import GatewayError, OutcomeUnknown
from settlement.models import FeeReceipt, FeeRefund
from settlement.models.fees import NOT_GIVEN

SEND_REFUND = "settlement.send_refund"


class RefundTooLarge(DomainError):
    """More than came in."""

    code = "REFUND_TOO_LARGE"
    message = _("At most %(left)s of this receipt can go back. Enter a sum up to that.")


class RefundReasonMissing(DomainError):
    """A decision that needs words."""

    code = "REFUND_REASON_MISSING"
    message = _("Write why the money goes back: the auditor will read it.")
    http_status = 400


@action
def request_refund(
    *, organisation: Organisation, receipt_id: int, amount_minor: int, reason: str, actor: Actor, at: datetime
) -> FeeRefund:
    """Ask for a part or all of a receipt to go back.

    Raises: NotFound, RefundTooLarge, RefundReasonMissing. Locks: the notice. Audit: fee_refund.requested.
    """
    if not reason.strip():
        raise RefundReasonMissing()
    receipt = FeeReceipt.objects.filter(pk=receipt_id, notice__organisation=organisation).first()
    if receipt is None:
        raise NotFound()
    lock_notice(receipt.notice)
    left = kept(receipt)
    if not 0 < amount_minor <= left:
        raise RefundTooLarge(left=from_minor(left))
    refund = FeeRefund.objects.create(
        receipt=receipt,
        amount_minor=amount_minor,
        reason=reason.strip()[:300],
        requested_by_id=person(actor),
        requested_at=at,
        status="requested",
        status_at=at,
    )
    record("fee_refund.requested", receipt.notice, refund, actor=actor, at=at, amount_minor=amount_minor, reason=reason)
    return refund


def kept(receipt: FeeReceipt) -> int:
    """What of a receipt that holds has not gone back and is not about to, minor units."""
    if receipt.undoes_id or hasattr(receipt, "undone_by"):
        return 0
    live = receipt.refunds.exclude(status__in=NOT_GIVEN)
    return receipt.amount_minor - (live.aggregate(total=Sum("amount_minor"))["total"] or 0)


@action
def approve_refund(*, organisation: Organisation, refund_id: int, actor: Actor, at: datetime) -> FeeRefund:
    """Let the money go: by card at once, by bank when a person has made the transfer and the statement shows it.

    Raises: NotFound, FourEyes, InvalidMove. Locks: the notice, the refund. Audit: fee_refund.approved.
    """
    refund = lock_refund(refund_id, organisation)
    if refund.requested_by_id == person(actor):
        raise FourEyes()
    refund.approved_by_id = actor.user_id
    refund.save(update_fields=["approved_by"])
    refund.move_to("approved", at=at)
    if refund.receipt.method == "card":
        enqueue(SEND_REFUND, key=str(refund.pk), refund_id=refund.pk)
    record("fee_refund.approved", refund.receipt.notice, refund, actor=actor, at=at, amount_minor=refund.amount_minor)
    return refund


@action
def refuse_refund(*, organisation: Organisation, refund_id: int, reason: str, actor: Actor, at: datetime) -> FeeRefund:
    """Leave the money where it is. Raises: NotFound, FourEyes, RefundReasonMissing, InvalidMove.
    Audit: fee_refund.refused.
    """
    if not reason.strip():
        raise RefundReasonMissing()
    refund = lock_refund(refund_id, organisation)
    if refund.requested_by_id == person(actor):
        raise FourEyes()
    refund.move_to("refused", at=at)
    record("fee_refund.refused", refund.receipt.notice, refund, actor=actor, at=at, reason=reason)
    return refund


@step
def lock_refund(refund_id: int, organisation: Organisation | None = None) -> FeeRefund:
    """The refund, locked after its notice. Raises: NotFound."""
    rows = FeeRefund.objects.filter(pk=refund_id).select_related("receipt__notice__organisation")
    found = rows.first()
    if found is None or organisation not in (None, found.receipt.notice.organisation):
        raise NotFound()
    lock_notice(found.receipt.notice)
    return lock_rows(rows)[0]


def send_refund(*, refund_id: int, at: datetime) -> None:
    """Ask Stripe to give the money back, then keep what it answered. The same refund is asked for once.

    Raises: OutcomeUnknown: ask again, the key is the same.
    """
    refund = FeeRefund.objects.select_related("receipt__notice__organisation").get(pk=refund_id)
    if refund.status != "approved":
        return
    try:
        reference, status = stripe_client.refund(
            key=f"fee-refund:{refund.receipt.payment}:{refund.pk}",
            payment=refund.receipt.payment,
            amount_minor=refund.amount_minor,
            facts={"refund": str(refund.pk), "office": refund.receipt.notice.organisation.code},
        )
    except OutcomeUnknown:
        raise
    except GatewayError as error:
        keep_answer(refund_id=refund_id, reference="", status="failed", reason=str(error), at=at)
    else:
        keep_answer(refund_id=refund_id, reference=reference, status=status, at=at)


@action
def keep_answer(
    *, refund_id: int, reference: str, status: str, reason: str = "", actor: Actor = SYSTEM, at: datetime
) -> None:
    """Write down what Stripe says of a refund; a state that is not final leaves it waiting for an event.

    Idempotent. Posts: fee.refunded_card. Audit: fee_refund.settled.
    """
    refund = lock_refund(refund_id)
    on = local_date(at, refund.receipt.notice.organisation.zone)
    if refund.status != "approved" or status not in ("succeeded", "failed", "canceled"):
        nothing_to_record()
        return
    if status == "succeeded":
        settle_refund(refund, on=on, reference=reference, actor=actor, at=at)
    else:
        lose_refund(refund, on=on, actor=actor, at=at)
    record("fee_refund.settled", refund.receipt.notice, refund, actor=actor, at=at, status=refund.status, reason=reason)
