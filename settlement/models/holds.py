"""Holds: money that is owed and for a reason not paid for now."""

from __future__ import annotations

import re

import pgtrigger
from django.db import models
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation, User
from contracts.models import Contract, Provider
from settlement.models.claims import Claim
from settlement.models.payments import Payment

KINDS = {Contract: _("Contract"), Claim: _("Claim"), Payment: _("Payment")}
TARGETS = ("provider", "contract", "claim", "payment")

# Why a hold was placed by itself: the kind of the account and its last signs. Read in the reader's language.
ACCOUNT_CHANGED = "account_changed:{kind}:{digits}"
_ACCOUNT_CHANGED = re.compile(r"account_changed:(bank|stripe):(\w{1,4})")
_ACCOUNT_CHANGED_WORDS = {
    "bank": _(
        "The provider's bank account was changed on %(day)s; the new one ends in %(digits)s. Ring the provider on the "
        "number of the contract, have the account confirmed, then lift this hold."
    ),
    "stripe": _(
        "The provider's account at Stripe was changed on %(day)s; the new one ends in %(digits)s. Ring the provider on "
        "the number of the contract, have the account confirmed, then lift this hold."
    ),
}


def _one_target() -> models.Q:
    found = models.Q()
    for target in TARGETS:
        found |= models.Q(**{f"{name}__isnull": name != target for name in TARGETS})
    return found


class PaymentHold(models.Model):
    """What of one provider, contract, claim or payment is not paid from a day on; ``to_date`` (exclusive) may be open.

    Days say when it holds, moments when it was known. It is written once and lifted once, by another person.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, null=True, blank=True, related_name="holds")
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, null=True, blank=True, related_name="holds")
    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, null=True, blank=True, related_name="holds")
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, null=True, blank=True, related_name="holds")
    reason = models.CharField(max_length=300)
    from_date = models.DateField()
    to_date = models.DateField(null=True, blank=True)
    placed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="holds_placed")
    recorded_at = models.DateTimeField()
    lifted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="holds_lifted")
    lifted_at = models.DateTimeField(null=True, blank=True)
    lift_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = _("hold of payments")
        constraints = [
            models.CheckConstraint(name="payment_hold_target", condition=_one_target()),
            models.CheckConstraint(name="payment_hold_reason", condition=~models.Q(reason="")),
            models.CheckConstraint(
                name="payment_hold_days",
                condition=models.Q(to_date__isnull=True) | models.Q(to_date__gt=models.F("from_date")),
            ),
            models.CheckConstraint(
                name="payment_hold_lift",
                condition=models.Q(lifted_by__isnull=True, lifted_at__isnull=True, lift_reason="")
                | (models.Q(lifted_by__isnull=False, lifted_at__isnull=False) & ~models.Q(lift_reason="")),
            ),
            models.CheckConstraint(
                name="payment_hold_four_eyes",
                condition=models.Q(lifted_by__isnull=True) | ~models.Q(lifted_by=models.F("placed_by")),
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="payment_hold_kept", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="payment_hold_lifted_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__lifted_at__isnull=False),
            ),
            pgtrigger.ReadOnly(
                name="payment_hold_written_once",
                fields=["organisation", *TARGETS, "reason", "from_date", "to_date", "placed_by", "recorded_at"],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.target} {self.from_date}"

    @property
    def reason_words(self) -> str:
        """Why, as it is read: what a person wrote as it was written, a hold placed by itself in words."""
        found = _ACCOUNT_CHANGED.fullmatch(self.reason)
        if found is None:
            return self.reason
        day = date_format(self.from_date, "SHORT_DATE_FORMAT")
        return str(_ACCOUNT_CHANGED_WORDS[found[1]]) % {"day": day, "digits": found[2]}

    @property
    def target(self) -> Provider | Contract | Claim | Payment:
        """What is held."""
        found = self.provider or self.contract or self.claim or self.payment
        assert found is not None  # the database demands one
        return found

    @property
    def words(self) -> str:
        """What is held, as people call it: the provider, or the contract, claim or payment with its provider."""
        target = self.target
        if isinstance(target, Provider):
            return str(target)
        return f"{KINDS[type(target)]} {target}, {target.provider}"
