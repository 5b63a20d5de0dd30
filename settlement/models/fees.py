"""Recipients' fees that the office collects for providers: notices, what was charged, received and given back.

Integer minor units of the organisation's currency. Notices, charges and receipts are only ever inserted.
"""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation, User
from config.fields import AppendOnlyModel, append_only
from config.states import StatefulModel, StateTable
from contracts.models import Provider
from settlement.models.statements import StatementLine, takes_of_lines, undone_with_reason
from vouchers.models import Recipient

CHECKOUT_STATES = StateTable(
    moves={"open": frozenset({"paid", "expired"}), "expired": frozenset({"paid"})}, initial=frozenset({"open"})
)

REFUND_STATES = StateTable(
    moves={
        "requested": frozenset({"approved", "refused", "refunded"}),
        "approved": frozenset({"refunded", "failed"}),
        # A bank may send a refund back weeks later; a bank line may have been taken for it by mistake.
        "refunded": frozenset({"failed", "approved"}),
    },
    initial=frozenset({"requested"}),
)

# States of a refund by which nothing goes back.
NOT_GIVEN = ("refused", "failed")

# Writers of one notice wait for each other. Not a row lock: the web's role may not lock rows that it may not change.
NOTICE_LOCK = 7466925

# More may not leave than came in, whoever asks and how many at once.
_REFUND_LIMIT = f"""
PERFORM pg_advisory_xact_lock({NOTICE_LOCK}, notice_id::int) FROM settlement_feereceipt WHERE id = NEW.receipt_id;
IF (SELECT COALESCE(sum(amount_minor), 0) FROM settlement_feerefund
    WHERE receipt_id = NEW.receipt_id AND status NOT IN ('refused', 'failed') AND id <> NEW.id) + NEW.amount_minor
    > (SELECT sum(amount_minor) FROM settlement_feereceipt WHERE NEW.receipt_id IN (id, undoes_id)) THEN
    RAISE EXCEPTION 'refunds of receipt % exceed what was received', NEW.receipt_id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'fee_refund_limit';
END IF;
RETURN NEW;
"""  # noqa: S608 (a number of ours)

# What goes back, or is about to, came with a receipt that holds.
_REFUNDED = f"""
PERFORM pg_advisory_xact_lock({NOTICE_LOCK}, NEW.notice_id::int);
IF NEW.undoes_id IS NOT NULL AND EXISTS (SELECT 1 FROM settlement_feerefund
    WHERE receipt_id = NEW.undoes_id AND status NOT IN ('refused', 'failed')) THEN
    RAISE EXCEPTION 'receipt % goes back in part or whole', NEW.undoes_id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'fee_receipt_refunded';
END IF;
RETURN NEW;
"""  # noqa: S608 (a number of ours)

# A refund leaves with one bank line at a time, and the line is of its sum.
_TRANSFERRED = """
PERFORM 1 FROM settlement_feerefund WHERE id = NEW.refund_id FOR NO KEY UPDATE;
IF NEW.undoes_id IS NULL AND (
    (SELECT COALESCE(sum(amount_minor), 0) FROM settlement_feerefundtransfer WHERE refund_id = NEW.refund_id) <> 0
    OR NEW.amount_minor <> (SELECT -amount_minor FROM settlement_feerefund WHERE id = NEW.refund_id)) THEN
    RAISE EXCEPTION 'refund % left already or is of another sum', NEW.refund_id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'fee_refund_transfer_once';
END IF;
RETURN NEW;
"""


class FeeNotice(AppendOnlyModel):
    """What a recipient is asked to pay for a month. Its sum is that of its charges; ``rf_reference`` is ISO 11649."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    recipient = models.ForeignKey(Recipient, on_delete=models.PROTECT, related_name="fee_notices")
    month = models.DateField()
    number = models.CharField(max_length=64)
    rf_reference = models.CharField(max_length=25)
    issued_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True)
    issued_at = models.DateTimeField()

    class Meta:
        verbose_name = _("fee notice")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "recipient", "month"], name="fee_notice_once"),
            models.UniqueConstraint(fields=["organisation", "number"], name="fee_notice_number_once"),
            models.UniqueConstraint(fields=["organisation", "rf_reference"], name="fee_notice_reference_once"),
            models.CheckConstraint(name="fee_notice_month", condition=models.Q(month__day=1)),
        ]
        triggers = append_only("fee_notice")

    def __str__(self) -> str:
        return self.number


class FeeCharge(AppendOnlyModel):
    """A part of a notice that is one provider's; a later adjudication adds a row, negative when the fee became less."""

    notice = models.ForeignKey(FeeNotice, on_delete=models.PROTECT, related_name="charges")
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="fee_charges")
    amount_minor = models.BigIntegerField()
    charged_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="fee_charge_not_zero", condition=~models.Q(amount_minor=0)),
        ]
        triggers = append_only("fee_charge")

    def __str__(self) -> str:
        return f"{self.notice_id} {self.provider_id} {self.amount_minor}"


class FeeCheckout(StatefulModel):
    """An intention to pay a notice by card. ``key`` goes with every request: the same key is one session."""

    STATES: ClassVar[StateTable] = CHECKOUT_STATES

    notice = models.ForeignKey(FeeNotice, on_delete=models.PROTECT, related_name="checkouts")
    amount_minor = models.BigIntegerField()
    key = models.CharField(max_length=64, unique=True)
    session = models.CharField(max_length=120, blank=True)
    address = models.URLField(max_length=2000, blank=True)
    back = models.URLField(max_length=400)
    expires_at = models.DateTimeField()
    started_by = models.ForeignKey(User, on_delete=models.PROTECT)
    started_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["notice"], name="fee_checkout_open", condition=models.Q(status="open")),
            models.CheckConstraint(name="fee_checkout_positive", condition=models.Q(amount_minor__gt=0)),
        ]
        triggers = CHECKOUT_STATES.triggers("fee_checkout")

    def __str__(self) -> str:
        return self.key


class FeeReceipt(AppendOnlyModel):
    """Money that came for a notice: by card (``payment`` is the payment intent) or with a line of a bank statement.

    A line that was no money for the notice is undone by a row of the opposite amount that names the receipt.
    """

    METHODS = [("card", _("card")), ("bank", _("bank transfer"))]

    notice = models.ForeignKey(FeeNotice, on_delete=models.PROTECT, related_name="receipts")
    method = models.CharField(max_length=4, choices=METHODS)
    amount_minor = models.BigIntegerField()
    payment = models.CharField(max_length=120, blank=True)
    statement_line = models.ForeignKey(
        StatementLine, on_delete=models.PROTECT, null=True, blank=True, related_name="fee_receipts"
    )
    received_on = models.DateField()
    recorded_at = models.DateTimeField()
    reason = models.CharField(max_length=300, blank=True)
    undoes = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="undone_by")

    class Meta:
        verbose_name = _("receipt of a fee")
        constraints = [
            models.UniqueConstraint(fields=["payment"], name="fee_receipt_once", condition=~models.Q(payment="")),
            models.CheckConstraint(
                name="fee_receipt_sign",
                condition=models.Q(undoes__isnull=True, amount_minor__gt=0)
                | models.Q(undoes__isnull=False, amount_minor__lt=0, method="bank"),
            ),
            undone_with_reason("fee_receipt"),
            models.CheckConstraint(
                name="fee_receipt_source",
                condition=models.Q(method="card", statement_line__isnull=True) & ~models.Q(payment="")
                | models.Q(method="bank", statement_line__isnull=False, payment=""),
            ),
        ]
        triggers = [
            *append_only("fee_receipt"),
            pgtrigger.Trigger(
                name="fee_receipt_kept", when=pgtrigger.Before, operation=pgtrigger.Insert, func=_REFUNDED
            ),
            takes_of_lines("fee_receipt", "settlement_feereceipt", "notice_id"),
        ]

    def __str__(self) -> str:
        return f"{self.notice_id} {self.method} {self.amount_minor}"


class FeeRefund(StatefulModel):
    """Money of a receipt that goes back: asked for by one person, approved by another, never above what came in."""

    STATES: ClassVar[StateTable] = REFUND_STATES

    receipt = models.ForeignKey(FeeReceipt, on_delete=models.PROTECT, related_name="refunds")
    amount_minor = models.BigIntegerField()
    reason = models.CharField(max_length=300)
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="fee_refunds_requested")
    requested_at = models.DateTimeField()
    approved_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="fee_refunds_approved"
    )
    gateway_reference = models.CharField(max_length=120, blank=True)
    refunded_on = models.DateField(null=True, blank=True)

    class Meta:
        verbose_name = _("refund of a fee")
        constraints = [
            models.CheckConstraint(name="fee_refund_positive", condition=models.Q(amount_minor__gt=0)),
            models.CheckConstraint(
                name="fee_refund_four_eyes",
                condition=models.Q(approved_by__isnull=True) | ~models.Q(approved_by=models.F("requested_by")),
            ),
            models.UniqueConstraint(
                fields=["gateway_reference"], name="fee_refund_once", condition=~models.Q(gateway_reference="")
            ),
            # What Stripe has given back does not wait again.
            models.CheckConstraint(
                name="fee_refund_gone",
                condition=models.Q(gateway_reference="") | models.Q(status__in=["refunded", "failed"]),
            ),
        ]
        triggers = [
            *REFUND_STATES.triggers("fee_refund"),
            pgtrigger.Trigger(
                name="fee_refund_limit",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                func=_REFUND_LIMIT,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.receipt_id} {self.amount_minor}"


class FeeRefundTransfer(AppendOnlyModel):
    """A bank line that took a refund out. ``amount_minor`` is signed as on the account.

    A line that was not the refund is undone by a row of the opposite amount that names this one.
    """

    refund = models.ForeignKey(FeeRefund, on_delete=models.PROTECT, related_name="transfers")
    statement_line = models.ForeignKey(StatementLine, on_delete=models.PROTECT, related_name="fee_refunds")
    amount_minor = models.BigIntegerField()
    recorded_at = models.DateTimeField()
    reason = models.CharField(max_length=300, blank=True)
    undoes = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="undone_by")

    class Meta:
        verbose_name = _("transfer of a refund")
        constraints = [
            models.CheckConstraint(
                name="fee_refund_transfer_sign",
                condition=models.Q(undoes__isnull=True, amount_minor__lt=0)
                | models.Q(undoes__isnull=False, amount_minor__gt=0),
            ),
            undone_with_reason("fee_refund_transfer"),
        ]
        triggers = [
            *append_only("fee_refund_transfer"),
            pgtrigger.Trigger(
                name="fee_refund_transfer_kept", when=pgtrigger.Before, operation=pgtrigger.Insert, func=_TRANSFERRED
            ),
            takes_of_lines("fee_refund_transfer", "settlement_feerefundtransfer", "refund_id"),
        ]

    def __str__(self) -> str:
        return f"{self.refund_id} {self.amount_minor}"
