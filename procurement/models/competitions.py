"""Competitions: social orders and project contests are kinds of Tender."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from djmoney.models.fields import MoneyField

from config.accounts.models import Organisation, User
from config.states import StatefulModel, StateTable
from contracts.models import BudgetLine, NormCost, Service
from contracts.models.catalogue import CURRENCY_CHOICES
from procurement.models.planning import PlanItem

# OCDS tender statuses.
TENDER_STATES = StateTable(
    moves={
        "planning": frozenset({"planned", "cancelled", "withdrawn"}),
        "planned": frozenset({"active", "cancelled", "withdrawn"}),
        "active": frozenset({"complete", "unsuccessful", "cancelled", "withdrawn"}),
    },
    initial=frozenset({"planning"}),
)


class Tender(StatefulModel):
    """A competition of any kind (OCDS statuses). Bids are unreadable until ``opened_at``.

    ``author`` wrote the documentation; another person approves it (COI-5). ``settings`` holds the parameter values
    (days, quorum, thresholds) copied when it was published, with their versions.
    """

    KINDS = [("social_order", _("social order")), ("project_contest", _("project contest"))]
    STATES = TENDER_STATES

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    number = models.CharField(max_length=64)
    ocid = models.CharField(max_length=64, blank=True)
    kind = models.CharField(max_length=16, choices=KINDS)
    title = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    plan_item = models.ForeignKey(PlanItem, on_delete=models.PROTECT, null=True, blank=True)
    service = models.ForeignKey(Service, on_delete=models.PROTECT, null=True, blank=True)
    norm_cost = models.ForeignKey(NormCost, on_delete=models.PROTECT, null=True, blank=True)
    budget_line = models.ForeignKey(BudgetLine, on_delete=models.PROTECT, related_name="tenders")
    value = MoneyField(max_digits=16, decimal_places=2, default_currency="UAH", currency_choices=CURRENCY_CHOICES)
    units_planned = models.DecimalField(max_digits=16, decimal_places=3, null=True, blank=True)
    contract_from = models.DateField(null=True, blank=True)
    contract_to = models.DateField(null=True, blank=True)
    threshold = models.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True)
    required_documents = models.JSONField(default=list)
    settings = models.JSONField(default=dict)
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="tenders_written")
    approver = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="tenders_approved")
    published_at = models.DateTimeField(null=True, blank=True)
    bids_close_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    evaluated_at = models.DateTimeField(null=True, blank=True)
    # Why it ended without a contract, as the bidders read it.
    closing_reason = models.TextField(blank=True, default="", db_default="")

    class Meta:
        verbose_name = _("competition")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "number"], name="tender_once"),
            models.CheckConstraint(
                name="tender_four_eyes",
                condition=models.Q(approver__isnull=True) | ~models.Q(author=models.F("approver")),
            ),
            models.CheckConstraint(
                name="tender_opened_after_close",
                condition=models.Q(opened_at__isnull=True) | models.Q(opened_at__gte=models.F("bids_close_at")),
            ),
        ]
        triggers = TENDER_STATES.triggers("tender")

    def __str__(self) -> str:
        return f"{self.number} {self.title}"


class Criterion(models.Model):
    """What is judged and with which weight; ``kind``: scored by members, or computed from price or volume."""

    KINDS = [("scored", _("scored")), ("price", _("price")), ("volume", _("volume"))]

    tender = models.ForeignKey(Tender, on_delete=models.CASCADE, related_name="criteria")
    code = models.CharField(max_length=32)
    title = models.CharField(max_length=255)
    kind = models.CharField(max_length=8, choices=KINDS)
    weight = models.DecimalField(max_digits=6, decimal_places=2)
    scale_max = models.PositiveSmallIntegerField(default=5)
    must = models.BooleanField(default=False)
    position = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tender", "code"], name="criterion_once")]

    def __str__(self) -> str:
        return self.title


class CommissionMember(models.Model):
    """A seat in the commission with its declaration of interest (made after the bidders are known).

    ``conflict`` None: not declared yet; True removes the member's scores.
    """

    ROLES = [("chair", _("chair")), ("member", _("member")), ("secretary", _("secretary"))]

    tender = models.ForeignKey(Tender, on_delete=models.CASCADE, related_name="commission")
    user = models.ForeignKey(User, on_delete=models.PROTECT)
    role = models.CharField(max_length=12, choices=ROLES, default="member")
    conflict = models.BooleanField(null=True, blank=True)
    declared_at = models.DateTimeField(null=True, blank=True)
    statement = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tender", "user"], name="commission_member_once")]

    def __str__(self) -> str:
        return f"{self.tender_id} {self.user_id}"
