"""Payment runs with their approvals, and payments of one provider each."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _
from djmoney.models.fields import MoneyField

from config.accounts.models import Organisation, User
from config.fields import AppendOnlyModel, append_only
from config.states import StatefulModel, StateTable
from contracts.models import Provider
from contracts.models.catalogue import CURRENCY_CHOICES
from settlement.models.claims import Remittance

PAYMENT_RUN_STATES = StateTable(
    moves={
        "proposed": frozenset({"approved", "cancelled"}),
        # What was signed changed: the signatures no longer count.
        "approved": frozenset({"released", "cancelled", "proposed"}),
        "released": frozenset({"closed"}),
        # A match that was undone leaves a payment unanswered again.
        "closed": frozenset({"released"}),
    },
    initial=frozenset({"proposed"}),
)

PAYMENT_STATES = StateTable(
    moves={
        "prepared": frozenset({"sent", "failed"}),
        # What comes back has been carried out before: a return needs the confirmation first.
        "sent": frozenset({"confirmed", "failed"}),
        # Back only when a person undoes the match that moved it.
        "confirmed": frozenset({"returned", "sent"}),
        "returned": frozenset({"confirmed"}),
    },
    initial=frozenset({"prepared"}),
)


class PaymentRun(StatefulModel):
    """A batch of payable remittances. ``approvals_needed`` and ``release_apart`` (who approved does not release) are
    copied from the parameters when it is proposed; ``content_sha256`` is what every approver sees.

    ``follows``: the run whose held or returned remittances this one takes up.
    """

    STATES = PAYMENT_RUN_STATES

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    number = models.CharField(max_length=64)
    period = models.DateField()
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="payment_runs_proposed")
    proposed_at = models.DateTimeField()
    released_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="payment_runs_released"
    )
    execution_date = models.DateField(null=True, blank=True)
    approvals_needed = models.PositiveSmallIntegerField(default=1)
    release_apart = models.BooleanField(default=False, db_default=False)
    follows = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="followed_by")
    total = MoneyField(max_digits=16, decimal_places=2, default_currency="UAH", currency_choices=CURRENCY_CHOICES)
    content_sha256 = models.CharField(max_length=64)
    message_id = models.CharField(max_length=35, blank=True)

    class Meta:
        verbose_name = _("payment run")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "number"], name="payment_run_once"),
            models.CheckConstraint(
                name="payment_run_release_four_eyes", condition=~models.Q(released_by=models.F("proposed_by"))
            ),
        ]
        triggers = PAYMENT_RUN_STATES.triggers("payment_run")

    def __str__(self) -> str:
        return self.number


class PaymentRunApproval(AppendOnlyModel):
    """A signature under what a run paid then; it counts only while the run's content is the same. Triggers refuse the
    proposer's own. ``reason``: why money goes again to an account that the bank has returned it from.
    """

    payment_run = models.ForeignKey(PaymentRun, on_delete=models.PROTECT, related_name="approvals")
    approved_by = models.ForeignKey(User, on_delete=models.PROTECT)
    approved_at = models.DateTimeField()
    content_sha256 = models.CharField(max_length=64)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["payment_run", "approved_by", "content_sha256"], name="payment_run_approval_once"
            ),
        ]
        triggers = append_only("payment_run_approval")

    def __str__(self) -> str:
        return f"{self.payment_run_id} {self.approved_by_id}"


class Payment(StatefulModel):
    """One money movement to one provider. ``reference`` is the end-to-end id; ``rf_reference`` ISO 11649."""

    STATES = PAYMENT_STATES

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    payment_run = models.ForeignKey(PaymentRun, on_delete=models.PROTECT, related_name="payments")
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="payments")
    reference = models.CharField(max_length=35)
    rf_reference = models.CharField(max_length=25, blank=True)
    iban = models.CharField(max_length=34)
    amount = MoneyField(max_digits=16, decimal_places=2, default_currency="UAH", currency_choices=CURRENCY_CHOICES)
    sent_at = models.DateTimeField(null=True, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    gateway = models.CharField(max_length=16, default="bank_file")
    gateway_reference = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = _("payment")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "reference"], name="payment_once"),
            models.CheckConstraint(name="payment_positive", condition=models.Q(amount__gt=0)),
        ]
        triggers = [
            *PAYMENT_STATES.triggers("payment"),
            # Undone matches cancel out.
            pgtrigger.Trigger(
                name="payment_failed_unmoved",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("status"),
                condition=pgtrigger.Q(old__status="sent", new__status="failed"),
                func="""
    IF (SELECT COALESCE(sum(amount_minor), 0) FROM settlement_match WHERE payment_id = NEW.id) <> 0 THEN
        RAISE EXCEPTION 'the bank carried out a part of payment %: it has not failed', NEW.reference
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_failed_unmoved';
    END IF;
    RETURN NEW;
    """,
            ),
        ]

    def __str__(self) -> str:
        return self.reference


# The other half of ``clawback_debt_allowed``.
_NOT_ASKED_BACK = """
    PERFORM 1 FROM settlement_claim c WHERE c.id = (SELECT claim_id FROM settlement_remittance
        WHERE id = NEW.remittance_id) FOR UPDATE;
    IF EXISTS (SELECT 1 FROM settlement_clawbackdebt d JOIN settlement_clawbackcase k ON k.id = d.case_id
               WHERE d.remittance_id = NEW.remittance_id AND k.outcome <> 'dropped') THEN
        RAISE EXCEPTION 'remittance % is asked back by a case', NEW.remittance_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'remittance_not_asked_back';
    END IF;
    RETURN NEW;
"""


class PaymentRemittance(models.Model):
    """Which remittances a run pays. A remittance is in one live payment only: ``live`` is cleared when the payment
    fails or is returned, or its run is cancelled, and the remittance may be paid again.
    """

    payment_run = models.ForeignKey(PaymentRun, on_delete=models.PROTECT, related_name="items")
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, null=True, blank=True, related_name="items")
    remittance = models.ForeignKey(Remittance, on_delete=models.PROTECT, related_name="payment_items")
    live = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["remittance"], name="remittance_paid_once", condition=models.Q(live=True)),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="remittance_not_asked_back",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("live"),
                condition=pgtrigger.Q(new__live=True),
                func=_NOT_ASKED_BACK,
            )
        ]

    def __str__(self) -> str:
        return f"{self.payment_run_id} {self.remittance_id}"
