"""The yearly plan of needs that competitions point to."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from djmoney.models.fields import MoneyField

from config.accounts.models import Organisation, User
from contracts.models import BudgetLine, Service
from contracts.models.catalogue import CURRENCY_CHOICES


class ProcurementPlan(models.Model):
    """What the organisation needs in a year, from the needs of its population."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    year = models.PositiveSmallIntegerField()
    population_urban = models.PositiveIntegerField(default=0)
    population_rural = models.PositiveIntegerField(default=0)
    staffing = models.JSONField(default=dict)
    rationale = models.TextField(blank=True)
    approved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True)
    approved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("plan of needs")
        constraints = [models.UniqueConstraint(fields=["organisation", "year"], name="procurement_plan_once")]

    def __str__(self) -> str:
        return str(self.year)


class PlanItem(models.Model):
    """A need: units of a service in the year, its expected value and the way it is met."""

    WAYS = [
        ("social_order", _("social order")),
        ("project_contest", _("project contest")),
        ("own_provider", _("own provider")),
        ("register", _("any provider of the register")),
    ]

    plan = models.ForeignKey(ProcurementPlan, on_delete=models.PROTECT, related_name="items")
    number = models.PositiveSmallIntegerField()
    service = models.ForeignKey(Service, on_delete=models.PROTECT, null=True, blank=True)
    title = models.CharField(max_length=255)
    way = models.CharField(max_length=16, choices=WAYS)
    recipients_planned = models.PositiveIntegerField(default=0)
    units_planned = models.DecimalField(max_digits=16, decimal_places=3, default=0)
    budget_line = models.ForeignKey(BudgetLine, on_delete=models.PROTECT, related_name="plan_items")
    value = MoneyField(max_digits=16, decimal_places=2, default_currency="UAH", currency_choices=CURRENCY_CHOICES)

    class Meta:
        verbose_name = _("planned need")
        constraints = [models.UniqueConstraint(fields=["plan", "number"], name="plan_item_once")]

    def __str__(self) -> str:
        return self.title
