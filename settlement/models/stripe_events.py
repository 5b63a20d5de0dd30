"""What Stripe tells us, each event once; refused deliveries are counted by day, so that nobody can fill the table."""

from __future__ import annotations

from datetime import date

from django.db import models
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.clock import local_date

# Outcomes that leave money without a document: what the event speaks of is not known, or does not fit.
WAITING, STRANGE = "waiting", "strange"
UNCLEAR = (WAITING, STRANGE)


class StripeEvent(models.Model):
    """A signed event. ``facts`` holds the few values we use, nothing personal of the payer. ``outcome`` is empty until
    it is dealt with; ``waiting`` means that what it speaks of is not known yet.
    """

    event_id = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=80)
    created_at = models.DateTimeField()
    received_at = models.DateTimeField()
    facts = models.JSONField(default=dict)
    outcome = models.CharField(max_length=40, blank=True)
    handled_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("message of Stripe")
        indexes = [models.Index(fields=["received_at"], name="stripe_event_received")]

    def __str__(self) -> str:
        return f"{self.kind} {self.event_id}"

    def day(self, organisation: Organisation) -> date:
        """The day of the event by the office's clock."""
        return local_date(self.created_at + organisation.clock_offset, organisation.zone)


class WebhookRefusal(models.Model):
    """Deliveries of a day that were refused: unsigned, forged, stale, too large or unreadable."""

    day = models.DateField()
    reason = models.CharField(max_length=40)
    count = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()
    last_sha256 = models.CharField(max_length=64)

    class Meta:
        verbose_name = _("refused message to the webhook")
        constraints = [models.UniqueConstraint(fields=["day", "reason"], name="webhook_refusal_once")]

    def __str__(self) -> str:
        return f"{self.day} {self.reason} {self.count}"
