"""What a provider declares of a claim, and what people say of findings (CLM-02, 36 to 43). Amounts in minor units."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from config.accounts.models import User
from config.fields import AppendOnlyModel, append_only
from settlement.models.claims import Claim, Finding
from vouchers.models import Recipient


class ClaimDeclaration(AppendOnlyModel):
    """Number, total and VAT of the provider's own invoice behind a claim; the latest one counts."""

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="declarations")
    document_number = models.CharField(max_length=64, blank=True)
    total_minor = models.BigIntegerField(null=True, blank=True)
    vat_minor = models.BigIntegerField(default=0)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("declaration of a claim")
        constraints = [
            models.CheckConstraint(
                name="claim_declaration_figures",
                condition=models.Q(vat_minor__gte=0)
                & (models.Q(total_minor__isnull=True) | models.Q(total_minor__gte=0)),
            ),
        ]
        triggers = append_only("claim_declaration")

    def __str__(self) -> str:
        return f"{self.claim_id} {self.document_number}"


class FeeReport(AppendOnlyModel):
    """What a provider says it collected from a recipient for the month of a claim; the latest one counts."""

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="fee_reports")
    recipient = models.ForeignKey(Recipient, on_delete=models.PROTECT, related_name="fee_reports")
    collected_minor = models.BigIntegerField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("fee reported as collected")
        constraints = [
            models.CheckConstraint(name="fee_report_figure", condition=models.Q(collected_minor__gte=0)),
        ]
        triggers = append_only("fee_report")

    def __str__(self) -> str:
        return f"{self.claim_id} {self.recipient_id}"


class FindingFeedback(AppendOnlyModel):
    """A person looked into a finding of the anti-fraud checks and says that there is nothing in it.

    It lowers nothing by itself: a pend is still lifted by a clearance.
    """

    finding = models.OneToOneField(Finding, on_delete=models.PROTECT, related_name="feedback", db_constraint=False)
    reason = models.CharField(max_length=400)
    given_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("feedback on a finding")
        constraints = [models.CheckConstraint(name="finding_feedback_reason", condition=~models.Q(reason=""))]
        triggers = append_only("finding_feedback")

    def __str__(self) -> str:
        return f"{self.finding_id}"
