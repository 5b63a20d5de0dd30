"""Organisations, the people who work for them, and the roles they hold."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from config.audit.actors import Actor
from config.roles import ROLE_TITLES


class Organisation(models.Model):
    """A buyer: the municipality or region whose money is spent. Everything but providers belongs to one."""

    JURISDICTIONS = [("UA", "UA"), ("RU", "RU"), ("GENERIC", "GENERIC")]

    code = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=255)
    jurisdiction = models.CharField(max_length=16, choices=JURISDICTIONS, default="UA")
    currency = models.CharField(max_length=3, default="UAH")
    zone = models.CharField(max_length=64, default="Europe/Kyiv")
    registration_code = models.CharField(max_length=16, blank=True)
    # Payments leave from ``iban``; statements of ``other_ibans`` are ours too.
    iban = models.CharField(max_length=34, blank=True)
    other_ibans = models.JSONField(default=list, blank=True)
    # Zero in production; a demonstration plays a past month and its web pages live there.
    clock_offset = models.DurationField(default=timedelta())
    is_demo = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("organisation")

    def __str__(self) -> str:
        return self.name

    @property
    def accounts(self) -> set[str]:
        """Every bank account of the organisation, without spaces."""
        return {iban.replace(" ", "") for iban in (self.iban, *self.other_ibans) if iban}


class User(AbstractUser):
    """A person who signs in. ``username`` is the key; names here are of officials and providers' staff."""

    display_name = models.CharField(max_length=120, blank=True)
    language = models.CharField(max_length=8, default="uk")

    def __str__(self) -> str:
        return self.display_name or self.username

    def as_actor(self) -> Actor:
        """The person as an actor of actions."""
        return Actor(username=self.username, user_id=self.pk)


class Membership(models.Model):
    """A role held in an organisation (providers and recipients hold theirs without one)."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="memberships"
    )
    role = models.CharField(max_length=32, choices=list(ROLE_TITLES.items()))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "organisation", "role"], name="membership_once", nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.role}"


class AccessToken(models.Model):
    """A key with which a person's program calls the interface: their roles, one organisation, until it ends.

    Only the fingerprint of the secret is kept: it has 256 random bits, which no dictionary holds, so a plain SHA-256
    is enough. ``hint`` is the end of the secret, to tell keys apart. Ends and uses are of the wall clock.
    """

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="access_tokens")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="access_tokens")
    title = models.CharField(max_length=80)
    secret_sha256 = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=4)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("access key")

    def __str__(self) -> str:
        return self.title
