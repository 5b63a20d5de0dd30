"""Facts about providers, services and grants that only some checks of claims ask for (CLM-29, 33, 34, 44, 45, 50)."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from config.accounts.models import User
from config.fields import AppendOnlyModel, append_only, no_overlap, ordered
from config.versions import VersionedModel, versioned
from contracts.models.agreements import Contract
from contracts.models.catalogue import Service
from contracts.models.parties import STRIPE_ACCOUNT, Provider

WEEKDAYS = [
    (0, _("Monday")),
    (1, _("Tuesday")),
    (2, _("Wednesday")),
    (3, _("Thursday")),
    (4, _("Friday")),
    (5, _("Saturday")),
    (6, _("Sunday")),
]


class ProviderSchedule(VersionedModel):
    """Weekdays on which a provider does not serve: ``days_off`` has bit 0 for Monday. ``valid_to`` is exclusive."""

    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="schedules")
    days_off = models.PositiveSmallIntegerField()
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("schedule of the provider")
        constraints = [
            no_overlap("provider_schedule_no_overlap", "provider"),
            ordered("provider_schedule_range"),
            models.CheckConstraint(name="provider_schedule_week", condition=models.Q(days_off__lt=128)),
        ]
        triggers = versioned("provider_schedule", "valid_from", "valid_to")

    def __str__(self) -> str:
        return f"{self.provider_id} {self.valid_from}"


class ProviderAccount(AppendOnlyModel):
    """An account that took the place of the one of its kind before it. That of the registration was proven with it.

    ``iban`` is the number of whatever kind, as on payments. ``reason`` and a paper say who asked for the change.
    """

    BANK, STRIPE = "bank", "stripe"
    KINDS = [(BANK, _("Bank account")), (STRIPE, _("Account at Stripe"))]

    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="accounts")
    kind = models.CharField(max_length=8, choices=KINDS, default=BANK, db_default=BANK)
    iban = models.CharField(max_length=34)
    reason = models.CharField(max_length=300, blank=True, default="", db_default="")
    since = models.DateField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("new account of the provider")
        constraints = [
            models.CheckConstraint(
                name="provider_account_shape",
                condition=models.Q(kind="bank") | models.Q(kind="stripe", iban__regex=STRIPE_ACCOUNT),
            )
        ]
        triggers = append_only("provider_account")

    def __str__(self) -> str:
        return f"{self.provider_id} {self.since}"


class ProviderRelation(VersionedModel):
    """A person of the office who stands close to a provider, and may judge nothing of it. ``valid_to`` is exclusive."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="provider_relations")
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="relations")
    reason = models.CharField(max_length=300)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("conflict of interest")
        constraints = [
            no_overlap("provider_relation_no_overlap", "user", "provider"),
            ordered("provider_relation_range"),
        ]
        triggers = versioned("provider_relation", "valid_from", "valid_to")

    def __str__(self) -> str:
        return f"{self.user_id} {self.provider_id}"


class RequiredEvidence(VersionedModel):
    """Days on which claims for a service need an act signed by the recipients. ``valid_to`` is exclusive."""

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="required_evidence")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("service that needs a signed act")
        constraints = [
            no_overlap("required_evidence_no_overlap", "service"),
            ordered("required_evidence_range"),
        ]
        triggers = versioned("required_evidence", "valid_from", "valid_to")

    def __str__(self) -> str:
        return f"{self.service_id} {self.valid_from}"


class ServiceIncompatibility(AppendOnlyModel):
    """Two services that nobody gets from public money at the same time."""

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="+")
    other = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=300)
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("services that exclude each other")
        constraints = [
            models.UniqueConstraint(fields=["service", "other"], name="service_incompatibility_once"),
            models.CheckConstraint(name="service_incompatibility_two", condition=~models.Q(service=models.F("other"))),
        ]
        triggers = append_only("service_incompatibility")

    def __str__(self) -> str:
        return f"{self.service_id} {self.other_id}"


class GrantItem(AppendOnlyModel):
    """An item of a grant's approved budget: what may be claimed, when, and up to which amount (2 places)."""

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="grant_items")
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="+")
    amount = models.DecimalField(max_digits=16, decimal_places=2)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("item of the grant's budget")
        constraints = [
            models.UniqueConstraint(fields=["contract", "service"], name="grant_item_once"),
            models.CheckConstraint(name="grant_item_positive", condition=models.Q(amount__gt=0)),
            ordered("grant_item_range"),
        ]
        triggers = append_only("grant_item")

    def __str__(self) -> str:
        return f"{self.contract_id} {self.service_id}"
