"""Normative per-unit cost of a service, with the rows of its calculation."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation, User
from config.fields import no_overlap, ordered
from config.states import StateTable, VersionedState
from config.versions import versioned
from contracts.models.catalogue import Service, Territory

NORM_STATES = StateTable(
    moves={"draft": frozenset({"approved", "withdrawn"}), "approved": frozenset({"withdrawn"})},
    # An imported norm cost was approved elsewhere.
    initial=frozenset({"draft", "approved"}),
)


class NormCost(VersionedState):
    """Norm cost of one unit. ``unit_rate`` has 4 places; ``valid_to`` is exclusive; blank territory or class: any.

    Approved by another person than its author; two approved norms of one key never hold on the same day.
    ``inputs`` and ``steps`` are what the calculation used and showed (formula_id names it), so that it can be
    recomputed and read aloud. ``reason`` says why it is known only now, of a norm that puts days already served right.
    """

    STATES = NORM_STATES

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="norm_costs")
    territory = models.ForeignKey(Territory, on_delete=models.PROTECT, null=True, blank=True)
    recipient_class = models.CharField(max_length=64, blank=True)
    unit_rate = models.DecimalField(max_digits=14, decimal_places=4)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    act = models.CharField(max_length=300, blank=True)
    reason = models.CharField(max_length=1000, blank=True, default="", db_default="")
    formula_id = models.CharField(max_length=32, blank=True)
    inputs = models.JSONField(default=dict)
    steps = models.JSONField(default=list)
    author = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="norms_drafted")
    approver = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="norms_approved")
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            no_overlap(
                "norm_cost_no_overlap",
                "service",
                Coalesce("territory_id", 0),
                "recipient_class",
                condition=models.Q(status="approved"),
            ),
            ordered("norm_cost_range"),
            models.CheckConstraint(name="norm_cost_positive", condition=models.Q(unit_rate__gt=0)),
            models.CheckConstraint(
                name="norm_cost_four_eyes",
                condition=models.Q(author__isnull=True) | ~models.Q(author=models.F("approver")),
            ),
        ]
        triggers = [
            *NORM_STATES.triggers("norm_cost"),
            *versioned("norm_cost", "status", "valid_from", "valid_to", "unit_rate"),
        ]
        verbose_name = _("norm cost")

    def __str__(self) -> str:
        return f"{self.service_id} {self.unit_rate} {self.valid_from}"
