"""Money asked back from a provider: found, heard, decided, taken off later remittances or repaid. Minor units."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation, User
from config.fields import AppendOnlyModel, append_only
from config.states import StatefulModel, StateTable
from contracts.models import Provider
from settlement.models.claims import Claim, Remittance
from settlement.models.statements import StatementLine

CLAWBACK_STATES = StateTable(
    moves={
        "found": frozenset({"noticed", "dropped"}),
        "noticed": frozenset({"answered", "upheld", "dropped"}),
        "answered": frozenset({"upheld", "dropped"}),
        "upheld": frozenset({"settled", "appealed"}),
        # What is paid back can still be appealed within the term; what is given back then becomes due again.
        "settled": frozenset({"appealed"}),
        "appealed": frozenset({"upheld", "settled", "overturned"}),
    },
    initial=frozenset({"found"}),
)


class Clawback(StatefulModel):
    """A claim was paid too much, as somebody found. ``amount_minor`` is what is asked, ``upheld_minor`` the decision.

    The provider owes ``upheld_minor`` from the decision on, unless an appeal overturns it; what remains of it is that
    less offsets and repayments. Offsets begin after ``return_by``; an appeal suspends them.
    """

    STATES: ClassVar[StateTable] = CLAWBACK_STATES

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    number = models.CharField(max_length=64)
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="clawbacks")
    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="clawbacks")
    amount_minor = models.BigIntegerField()
    ground = models.CharField(max_length=400)
    found_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="clawbacks_found")
    found_at = models.DateTimeField()
    noticed_at = models.DateTimeField(null=True, blank=True)
    reply_by = models.DateField(null=True, blank=True)
    reply = models.CharField(max_length=1000, blank=True)
    replied_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="clawbacks_replied"
    )
    replied_at = models.DateTimeField(null=True, blank=True)
    upheld_minor = models.BigIntegerField(default=0)
    decision = models.CharField(max_length=400, blank=True)
    decided_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="clawbacks_decided"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    return_by = models.DateField(null=True, blank=True)
    appeal_by = models.DateField(null=True, blank=True)
    appeal = models.CharField(max_length=1000, blank=True)
    appealed_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="clawbacks_appealed"
    )
    appealed_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(max_length=400, blank=True)
    answered_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="clawbacks_answered"
    )
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("clawback")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "number"], name="clawback_once"),
            models.CheckConstraint(name="clawback_positive", condition=models.Q(amount_minor__gt=0)),
            models.CheckConstraint(
                name="clawback_upheld",
                condition=models.Q(upheld_minor__gte=0, upheld_minor__lte=models.F("amount_minor")),
            ),
            models.CheckConstraint(
                name="clawback_four_eyes",
                condition=models.Q(decided_by__isnull=True) | ~models.Q(decided_by=models.F("found_by")),
            ),
            models.CheckConstraint(
                name="clawback_appeal_four_eyes",
                condition=models.Q(answered_by__isnull=True) | ~models.Q(answered_by=models.F("decided_by")),
            ),
        ]
        triggers = CLAWBACK_STATES.triggers("clawback")

    def __str__(self) -> str:
        return self.number


class ClawbackOffset(AppendOnlyModel):
    """What a remittance was lowered by for a clawback; negative when an overturned one is given back with it."""

    clawback = models.ForeignKey(Clawback, on_delete=models.PROTECT, related_name="offsets")
    remittance = models.ForeignKey(Remittance, on_delete=models.PROTECT, related_name="clawback_offsets")
    amount_minor = models.BigIntegerField()
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("offset of a clawback")
        constraints = [
            models.UniqueConstraint(fields=["clawback", "remittance"], name="clawback_offset_once"),
            models.CheckConstraint(name="clawback_offset_not_zero", condition=~models.Q(amount_minor=0)),
        ]
        triggers = append_only("clawback_offset")

    def __str__(self) -> str:
        return f"{self.clawback_id} {self.remittance_id} {self.amount_minor}"


class ClawbackRepayment(AppendOnlyModel):
    """Money that the provider paid back, with the line of the bank statement that shows it."""

    clawback = models.ForeignKey(Clawback, on_delete=models.PROTECT, related_name="repayments")
    statement_line = models.OneToOneField(StatementLine, on_delete=models.PROTECT, related_name="clawback_repayment")
    amount_minor = models.BigIntegerField()
    received_on = models.DateField()
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("repayment of a clawback")
        constraints = [
            models.CheckConstraint(name="clawback_repayment_positive", condition=models.Q(amount_minor__gt=0)),
        ]
        triggers = append_only("clawback_repayment")

    def __str__(self) -> str:
        return f"{self.clawback_id} {self.amount_minor}"
