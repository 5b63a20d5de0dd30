"""Facts about recipients and visits that only some checks of claims ask for (CLM-23, 29, 30, 43, 47, 49)."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from config.accounts.models import User
from config.fields import AppendOnlyModel, append_only, ordered
from config.versions import VersionedModel, versioned
from contracts.models import Provider, Service
from vouchers.models.certificates import Redemption
from vouchers.models.recipients import Recipient


class OtherFunding(VersionedModel):
    """Days on which somebody else pays for a service of the recipient. ``valid_to`` is exclusive."""

    SOURCES = [
        ("certificate", _("another certificate")),
        ("grant", _("a grant")),
        ("state_task", _("a state task")),
        ("other", _("another source")),
    ]

    recipient = models.ForeignKey(Recipient, on_delete=models.PROTECT, related_name="other_funding")
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="+")
    source = models.CharField(max_length=12, choices=SOURCES)
    reference = models.CharField(max_length=200)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("service paid by somebody else")
        constraints = [ordered("other_funding_range")]
        triggers = versioned("other_funding", "valid_from", "valid_to")

    def __str__(self) -> str:
        return f"{self.recipient_id} {self.service_id}"


class StateTask(VersionedModel):
    """A provider serves under a state task: the service for one recipient, or for all when none is named.

    ``valid_to`` is exclusive.
    """

    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="state_tasks")
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="+")
    recipient = models.ForeignKey(Recipient, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    reference = models.CharField(max_length=200)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("state task")
        constraints = [ordered("state_task_range")]
        triggers = versioned("state_task", "valid_from", "valid_to")

    def __str__(self) -> str:
        return f"{self.provider_id} {self.service_id}"


class EmergencyCase(VersionedModel):
    """A service begun at once, before the papers: its act follows within the term, or it is not paid."""

    recipient = models.ForeignKey(Recipient, on_delete=models.PROTECT, related_name="emergencies")
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="+")
    began_on = models.DateField()
    act_on = models.DateField(null=True, blank=True)
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("emergency service")
        constraints = [
            models.UniqueConstraint(fields=["recipient", "service", "began_on"], name="emergency_case_once"),
        ]
        triggers = versioned("emergency_case", "act_on")

    def __str__(self) -> str:
        return f"{self.recipient_id} {self.began_on}"


class VisitComplaint(VersionedModel):
    """What a recipient complains of about one visit; open until somebody answers."""

    redemption = models.ForeignKey(Redemption, on_delete=models.PROTECT, related_name="complaints")
    text = models.TextField()
    answer = models.TextField(blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("complaint about a visit")
        constraints = [models.CheckConstraint(name="visit_complaint_text", condition=~models.Q(text=""))]
        triggers = versioned("visit_complaint", "answered_at")

    def __str__(self) -> str:
        return f"{self.redemption_id}"


class VisitScan(AppendOnlyModel):
    """When and where the recipient's code was read. Places in hundred-thousandths of a degree (about a metre).

    ``distance_m``: to the recipient's address, measured when it was read, so that no address is kept beside it.
    """

    redemption = models.OneToOneField(Redemption, on_delete=models.PROTECT, related_name="scan")
    scanned_at = models.DateTimeField()
    latitude_e5 = models.IntegerField(null=True, blank=True)
    longitude_e5 = models.IntegerField(null=True, blank=True)
    distance_m = models.PositiveIntegerField(null=True, blank=True)
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("place and time of a scan")
        constraints = [
            models.CheckConstraint(
                name="visit_scan_place",
                condition=models.Q(latitude_e5__isnull=True, longitude_e5__isnull=True)
                | models.Q(latitude_e5__range=(-9_000_000, 9_000_000), longitude_e5__range=(-18_000_000, 18_000_000)),
            ),
        ]
        triggers = append_only("visit_scan")

    def __str__(self) -> str:
        return f"{self.redemption_id}"
