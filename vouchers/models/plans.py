"""Individual plans: services with monthly volumes and periods."""

from __future__ import annotations

from datetime import date

from django.db import models
from django.utils.translation import gettext_lazy as _

from config.accounts.models import User
from config.fields import no_overlap, ordered
from config.periods import Period
from config.states import StatefulModel, StateTable
from config.versions import VersionedModel, versioned
from contracts.models import Service
from vouchers.models.needs import NeedsAssessment
from vouchers.models.recipients import Recipient

PLAN_STATES = StateTable(
    moves={
        "draft": frozenset({"approved", "cancelled"}),
        "approved": frozenset({"closed"}),
    },
    initial=frozenset({"draft", "approved"}),
)


class IndividualPlan(StatefulModel):
    """The plan of a recipient, approved by a case worker. An imported register has one plan per recipient."""

    STATES = PLAN_STATES

    recipient = models.ForeignKey(Recipient, on_delete=models.PROTECT, related_name="plans")
    assessment = models.ForeignKey(NeedsAssessment, on_delete=models.PROTECT, null=True, blank=True)
    number = models.CharField(max_length=64)
    approved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True)
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("individual plan")
        constraints = [models.UniqueConstraint(fields=["recipient", "number"], name="individual_plan_once")]
        triggers = PLAN_STATES.triggers("individual_plan")

    def __str__(self) -> str:
        return self.number


class PlanLine(VersionedModel):
    """Units of a service a month. ``valid_to`` is exclusive; one line per recipient, service and day."""

    recipient = models.ForeignKey(Recipient, on_delete=models.PROTECT, related_name="plan_lines")
    plan = models.ForeignKey(IndividualPlan, on_delete=models.PROTECT, null=True, related_name="lines")
    service = models.ForeignKey(Service, on_delete=models.PROTECT)
    units_per_month = models.DecimalField(max_digits=14, decimal_places=3)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            no_overlap("plan_line_no_overlap", "recipient", "service"),
            ordered("plan_line_range"),
            models.CheckConstraint(name="plan_line_positive", condition=models.Q(units_per_month__gt=0)),
        ]
        triggers = versioned("plan_line", "units_per_month", "valid_from", "valid_to")

    def __str__(self) -> str:
        return f"{self.recipient_id} {self.service_id}"

    @property
    def last_day(self) -> date | None:
        """The last day that counts, as people write it."""
        return Period(self.valid_from, self.valid_to).last_day
