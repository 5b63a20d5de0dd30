"""Recipients of services; their personal data is encrypted by field."""

from __future__ import annotations

from datetime import date

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation, User
from config.fields import EncryptedTextField, no_overlap, ordered
from config.periods import Period
from config.versions import VersionedModel, versioned
from contracts.models import Territory


class Recipient(models.Model):
    """A person on the register of recipients. ``*_index`` are blind indexes for exact look-up."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    code = models.CharField(max_length=64)
    name = EncryptedTextField(blank=True, default="")
    name_index = models.CharField(max_length=32, blank=True, db_index=True)
    birth_date = models.DateField(null=True, blank=True)
    death_date = models.DateField(null=True, blank=True)
    death_recorded_at = models.DateTimeField(null=True, blank=True)
    tax_id = EncryptedTextField(blank=True, default="")
    tax_id_index = models.CharField(max_length=32, blank=True, db_index=True)
    phone = EncryptedTextField(blank=True, default="")
    address = EncryptedTextField(blank=True, default="")
    # Special category: a proven ground for free services (disability group, victim of violence ...).
    free_category = EncryptedTextField(blank=True, default="")
    user = models.OneToOneField(User, on_delete=models.PROTECT, null=True, blank=True)
    registered_at = models.DateTimeField()

    class Meta:
        verbose_name = _("recipient")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "code"], name="recipient_once"),
            models.UniqueConstraint(
                fields=["organisation", "tax_id_index"],
                name="recipient_tax_id_once",
                condition=~models.Q(tax_id_index=""),
            ),
            models.CheckConstraint(
                name="recipient_death_known",
                condition=models.Q(death_date__isnull=True) | models.Q(death_recorded_at__isnull=False),
            ),
        ]
        # A death is learnt once; its moment is ``death_recorded_at``.
        triggers = [
            pgtrigger.Protect(
                name="recipient_death_once",
                operation=pgtrigger.UpdateOf("death_date", "death_recorded_at"),
                condition=pgtrigger.Q(old__death_date__isnull=False)
                & (
                    pgtrigger.Q(old__death_date__df=pgtrigger.F("new__death_date"))
                    | pgtrigger.Q(old__death_recorded_at__df=pgtrigger.F("new__death_recorded_at"))
                ),
            )
        ]

    def __str__(self) -> str:
        return self.code


class RecipientResidence(VersionedModel):
    """Territory and class of a recipient; a move counts from the first day of the next month."""

    recipient = models.ForeignKey(Recipient, on_delete=models.PROTECT, related_name="residences")
    territory = models.ForeignKey(Territory, on_delete=models.PROTECT, null=True, blank=True)
    recipient_class = models.CharField(max_length=64, blank=True)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            no_overlap("recipient_residence_no_overlap", "recipient"),
            ordered("recipient_residence_range"),
            models.CheckConstraint(name="recipient_residence_month", condition=models.Q(valid_from__day=1)),
        ]
        triggers = versioned("recipient_residence", "territory_id", "recipient_class", "valid_from", "valid_to")

    def __str__(self) -> str:
        return f"{self.recipient_id} {self.valid_from}"


class Absence(VersionedModel):
    """Days a recipient was in hospital, in residential care or away. ``to_date`` is exclusive."""

    KINDS = [("hospital", _("hospital")), ("residential", _("residential care")), ("away", _("away"))]

    recipient = models.ForeignKey(Recipient, on_delete=models.PROTECT, related_name="absences")
    kind = models.CharField(max_length=12, choices=KINDS)
    from_date = models.DateField()
    to_date = models.DateField(null=True, blank=True)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recipient", "kind", "from_date"], name="absence_once"),
            ordered("absence_range", "from_date", "to_date"),
        ]
        triggers = versioned("absence", "kind", "from_date", "to_date")

    def __str__(self) -> str:
        return f"{self.recipient_id} {self.kind} {self.from_date}"

    @property
    def last_day(self) -> date | None:
        """The last day that counts, as people write it."""
        return Period(self.from_date, self.to_date).last_day


class Mandate(models.Model):
    """A representative who may act for a recipient. ``valid_to`` is exclusive."""

    recipient = models.ForeignKey(Recipient, on_delete=models.PROTECT, related_name="mandates")
    name = EncryptedTextField()
    basis = models.CharField(max_length=200)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        verbose_name = _("mandate of a representative")
        constraints = [ordered("mandate_range")]

    def __str__(self) -> str:
        return f"{self.recipient_id} {self.valid_from}"

    @property
    def last_day(self) -> date | None:
        """The last day that counts, as people write it."""
        return Period(self.valid_from, self.valid_to).last_day
