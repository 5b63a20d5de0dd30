"""Assessment of needs and of the recipient's share by income."""

from __future__ import annotations

from datetime import date

from django.db import models
from django.utils.translation import gettext_lazy as _

from config.accounts.models import User
from config.fields import EncryptedTextField, no_overlap, ordered
from config.periods import Period
from config.versions import VersionedModel, versioned
from vouchers.models.recipients import Recipient


class NeedsAssessment(models.Model):
    """Outcome of assessing a person's needs. ``findings`` are of a special category: encrypted, reads are logged."""

    recipient = models.ForeignKey(Recipient, on_delete=models.PROTECT, related_name="assessments")
    number = models.CharField(max_length=64)
    assessed_on = models.DateField()
    dependency_level = models.CharField(max_length=32, blank=True)
    findings = EncryptedTextField(blank=True, default="")
    recommended = models.JSONField(default=list)
    assessed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["recipient", "number"], name="needs_assessment_once")]

    def __str__(self) -> str:
        return self.number


class FeeAssessment(VersionedModel):
    """How a recipient pays: F free, D differentiated up to ``monthly_limit``, C in full.

    Starts on the first of a month; ``valid_to`` is exclusive; never two on one day. ``inputs``, ``parameters``
    (ids with versions) and ``steps`` are stored so that the decision can be recomputed and read aloud.
    """

    MODES = [("F", _("free")), ("D", _("differentiated fee")), ("C", _("full cost"))]

    recipient = models.ForeignKey(Recipient, on_delete=models.PROTECT, related_name="fee_assessments")
    mode = models.CharField(max_length=1, choices=MODES)
    monthly_limit = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    decision = models.CharField(max_length=200, blank=True)
    formula_id = models.CharField(max_length=32, blank=True)
    income_member = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    inputs = models.JSONField(default=dict)
    parameters = models.JSONField(default=list)
    steps = models.JSONField(default=list)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True)
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("fee decision")
        constraints = [
            no_overlap("fee_assessment_no_overlap", "recipient"),
            ordered("fee_assessment_range"),
            models.CheckConstraint(name="fee_assessment_month", condition=models.Q(valid_from__day=1)),
            models.CheckConstraint(
                name="fee_assessment_limit",
                condition=~models.Q(mode="D") | models.Q(monthly_limit__gte=0),
            ),
        ]
        # A decision made anew for the same days takes the row's place: what it rested on is kept with its figures.
        triggers = versioned(
            "fee_assessment",
            *("mode", "monthly_limit", "valid_from", "valid_to", "decision", "formula_id", "income_member"),
            *("inputs", "parameters", "steps", "decided_by_id"),
        )

    def __str__(self) -> str:
        return f"{self.recipient_id} {self.mode} {self.valid_from}"

    @property
    def last_day(self) -> date | None:
        """The last day that counts, as people write it."""
        return Period(self.valid_from, self.valid_to).last_day
