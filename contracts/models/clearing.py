"""Agreements between municipalities about certificates used elsewhere."""

from __future__ import annotations

from datetime import date

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation, User
from config.fields import no_overlap, ordered
from config.periods import Period
from config.versions import VersionedModel, versioned
from contracts.models.catalogue import Territory


class ClearingAgreement(VersionedModel):
    """Certificates of ``home`` are accepted by providers of ``host``, and ``home`` refunds the budget part.

    One row a direction. ``norm`` says whose norm cost caps the refund. Guests count as living in ``territory`` of the
    host, where its norm costs need one. In force once a person of each side signed. ``valid_to`` is exclusive.
    """

    NORMS = [("home", _("norm cost of the issuer")), ("host", _("norm cost where the visit takes place"))]

    home = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    host = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    norm = models.CharField(max_length=4, choices=NORMS)
    territory = models.ForeignKey(Territory, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    home_signed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    home_signed_at = models.DateTimeField(null=True, blank=True)
    host_signed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    host_signed_at = models.DateTimeField(null=True, blank=True)
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("agreement between municipalities")
        constraints = [
            no_overlap("clearing_agreement_no_overlap", "home", "host"),
            ordered("clearing_agreement_range"),
            models.CheckConstraint(name="clearing_agreement_two_sides", condition=~models.Q(home=models.F("host"))),
            models.CheckConstraint(
                name="clearing_agreement_four_eyes",
                condition=models.Q(home_signed_by__isnull=True)
                | models.Q(host_signed_by__isnull=True)
                | ~models.Q(home_signed_by=models.F("host_signed_by")),
            ),
        ]
        triggers = [
            *versioned("clearing_agreement", "valid_from", "valid_to"),
            pgtrigger.ReadOnly(
                name="clearing_agreement_written_once", fields=["home", "host", "norm", "territory", "valid_from"]
            ),
        ]

    def __str__(self) -> str:
        return f"{self.home.code}/{self.host.code} {self.valid_from:%Y-%m-%d}"

    @property
    def last_day(self) -> date | None:
        """The last day that counts, as people write it."""
        return Period(self.valid_from, self.valid_to).last_day

    @property
    def signed(self) -> bool:
        """Whether both sides signed."""
        return self.home_signed_by_id is not None and self.host_signed_by_id is not None
