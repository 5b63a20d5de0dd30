"""Providers on the register and the people who work for them. A provider serves many organisations."""

from __future__ import annotations

from datetime import date

from django.db import models
from django.utils.translation import gettext_lazy as _

from config.accounts.models import User
from config.fields import EncryptedTextField, ordered
from config.periods import Period
from config.versions import VersionedModel, versioned

# As Stripe writes the number of an account; an IBAN has 34 signs at most.
STRIPE_ACCOUNT, ACCOUNT_LENGTH = "^acct_[A-Za-z0-9]+$", 34


class Provider(VersionedModel):
    """A provider of social services of any ownership. Active days are half-open; absent ends are open."""

    SECTORS = [
        ("state", _("state")),
        ("communal", _("communal")),
        ("nonprofit", _("non-profit")),
        ("private", _("private")),
    ]

    code = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=255)
    sector = models.CharField(max_length=16, choices=SECTORS)
    iban = models.CharField(max_length=34, blank=True)
    # Where payments go that are made as transfers of Stripe; one column for each kind: nobody has two of a kind.
    stripe_account = models.CharField(max_length=ACCOUNT_LENGTH, blank=True, default="", db_default="")
    registration_code = models.CharField(max_length=16, blank=True)
    registered_on = models.DateField(null=True, blank=True)
    vat_payer = models.BooleanField(default=False)
    active_from = models.DateField(null=True, blank=True)
    active_to = models.DateField(null=True, blank=True)
    admitted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("provider")
        constraints = [
            models.UniqueConstraint(
                fields=["stripe_account"],
                name="provider_stripe_account_once",
                condition=~models.Q(stripe_account=""),
            ),
            models.CheckConstraint(
                name="provider_stripe_account_shape",
                condition=models.Q(stripe_account="") | models.Q(stripe_account__regex=STRIPE_ACCOUNT),
            ),
        ]
        triggers = versioned("provider", "active_from", "active_to", recorded=None)

    def __str__(self) -> str:
        return self.name


class ProviderSuspension(VersionedModel):
    """Days on which a provider may not serve. ``to_date`` is exclusive."""

    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="suspensions")
    from_date = models.DateField()
    to_date = models.DateField(null=True, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "from_date"], name="provider_suspension_once"),
            ordered("provider_suspension_range", "from_date", "to_date"),
        ]
        triggers = versioned("provider_suspension", "from_date", "to_date")

    def __str__(self) -> str:
        return f"{self.provider_id} {self.from_date}"


class ProviderUser(VersionedModel):
    """A person who acts for a provider now; who acted before stays among the earlier versions."""

    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="users")
    user = models.OneToOneField(User, on_delete=models.PROTECT, related_name="provider_user")
    appointed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        triggers = versioned("provider_user", "provider_id", "user_id", recorded="appointed_at")

    def __str__(self) -> str:
        return f"{self.user} {self.provider}"


class Worker(models.Model):
    """A worker of a provider."""

    code = models.CharField(max_length=64, unique=True)
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="workers")
    name = EncryptedTextField(blank=True, default="")

    def __str__(self) -> str:
        return self.code


class WorkerQualification(VersionedModel):
    """A service a worker is qualified for, on which days. ``valid_to`` is exclusive."""

    worker = models.ForeignKey(Worker, on_delete=models.PROTECT, related_name="qualifications")
    service = models.ForeignKey("contracts.Service", on_delete=models.PROTECT)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["worker", "service", "valid_from"], name="worker_qualification_once"),
            ordered("worker_qualification_range"),
        ]
        triggers = versioned("worker_qualification", "valid_from", "valid_to")

    def __str__(self) -> str:
        return f"{self.worker_id} {self.service_id}"

    @property
    def last_day(self) -> date | None:
        """The last day that counts, as people write it."""
        return Period(self.valid_from, self.valid_to).last_day
