"""Budget lines and the append-only sub-ledger of what is set aside on them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from djmoney.models.fields import MoneyField

from config.accounts.models import Organisation, User
from config.fields import AppendOnlyModel, append_only
from contracts.models.catalogue import CURRENCY_CHOICES


class BudgetLine(models.Model):
    """An appropriation of a year by programme (ТПКВКМБ), economic code (КЕКВ) and source."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    code = models.CharField(max_length=64)
    year = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=255, blank=True)
    programme = models.CharField(max_length=64, blank=True)
    economic_code = models.CharField(max_length=16, blank=True)
    source = models.CharField(max_length=64, blank=True)
    amount = MoneyField(max_digits=16, decimal_places=2, default_currency="UAH", currency_choices=CURRENCY_CHOICES)

    class Meta:
        verbose_name = _("budget line")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "code", "year"], name="budget_line_once"),
            models.CheckConstraint(name="budget_line_amount", condition=models.Q(amount__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.year}"


class BudgetEntry(AppendOnlyModel):
    """A movement on a budget line in minor units of its currency.

    Kinds: commitment (grant agreements), reservation (certificates), spending (adjudicated claims). Positive sets
    aside, negative gives back. free = amount - sum of all entries; a trigger refuses a statement that leaves it
    negative. ``label`` is the "app.model:pk" of the cause.
    """

    KINDS = [
        ("commitment", _("commitment")),
        ("reservation", _("reservation")),
        ("spending", _("spending")),
    ]

    budget_line = models.ForeignKey(BudgetLine, on_delete=models.PROTECT, related_name="entries")
    kind = models.CharField(max_length=12, choices=KINDS)
    amount_minor = models.BigIntegerField()
    label = models.CharField(max_length=80)
    occurred_on = models.DateField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True)

    class Meta:
        indexes = [
            models.Index(fields=["budget_line", "kind"], name="budget_entry_line"),
            models.Index(fields=["label"], name="budget_entry_label"),
        ]
        constraints = [
            models.CheckConstraint(name="budget_entry_not_zero", condition=~models.Q(amount_minor=0)),
        ]
        triggers = append_only("budget_entry")

    def __str__(self) -> str:
        return f"{self.budget_line_id} {self.kind} {self.amount_minor}"


class ClosedBudgetLine(AppendOnlyModel):
    """A line of a closed year: nothing is set aside or spent on it any more, ``successor`` takes what comes late.

    ``unspent_minor``: what was neither spent nor carried and goes back to the budget, minor units.
    """

    budget_line = models.OneToOneField(BudgetLine, on_delete=models.PROTECT, related_name="closing")
    successor = models.ForeignKey(BudgetLine, on_delete=models.PROTECT, related_name="predecessors")
    unspent_minor = models.BigIntegerField()
    closed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="closed_budget_line_successor", condition=~models.Q(budget_line=models.F("successor"))
            ),
            models.CheckConstraint(name="closed_budget_line_unspent", condition=models.Q(unspent_minor__gte=0)),
        ]
        triggers = append_only("closed_budget_line")

    def __str__(self) -> str:
        return f"{self.budget_line_id} {self.successor_id}"
