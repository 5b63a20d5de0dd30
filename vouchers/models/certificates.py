"""Electronic service certificates, their append-only movements, and redemptions."""

from __future__ import annotations

from datetime import date

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation, User
from config.fields import AppendOnlyModel, append_only, ordered
from config.periods import Period
from config.states import StateTable, VersionedState
from config.versions import VersionedModel, versioned
from contracts.models import BudgetLine, Provider, Service, Worker
from vouchers.models.recipients import Recipient

CERTIFICATE_STATES = StateTable(
    moves={
        "draft": frozenset({"issued", "cancelled"}),
        "issued": frozenset({"active", "cancelled", "expired"}),
        "active": frozenset({"suspended", "exhausted", "expired", "cancelled", "replaced"}),
        "suspended": frozenset({"active", "expired", "cancelled", "replaced"}),
        "exhausted": frozenset({"active", "expired", "cancelled", "replaced"}),
    },
    initial=frozenset({"draft", "active", "cancelled", "replaced"}),
)

# States that end with the last day.
ENDING = ("issued", "active", "suspended", "exhausted")

REDEMPTION_STATES = StateTable(
    moves={
        "authorised": frozenset({"confirmed", "voided", "expired"}),
        "confirmed": frozenset({"reversed"}),
    },
    # Reported visits and imported ones arrive as evidence in the state they were given.
    initial=frozenset({"authorised", "confirmed", "voided", "expired", "reversed"}),
)


class Certificate(VersionedState):
    """An entitlement to units of named services. Days are half-open; ``status_from`` is the first day of a
    cancellation or replacement (absent: always). One with a ``home`` is what this municipality knows of a certificate
    of another, used by its providers: units are taken from that one.

    ``short_code`` is for phone and hand entry; ``token_hash`` the fingerprint of the signed QR payload's id, so that a
    lost database shows no usable secret; ``pin_hash`` a password hash.
    """

    STATES = CERTIFICATE_STATES

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    number = models.CharField(max_length=64)
    recipient = models.ForeignKey(Recipient, on_delete=models.PROTECT, related_name="certificates")
    budget_line = models.ForeignKey(BudgetLine, on_delete=models.PROTECT, null=True, blank=True)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    status_from = models.DateField(null=True, blank=True)
    short_code = models.CharField(max_length=16, unique=True, null=True, blank=True)
    token_hash = models.CharField(max_length=64, unique=True, null=True, blank=True)
    pin_hash = models.CharField(max_length=160, blank=True)
    pin_failures = models.PositiveSmallIntegerField(default=0)
    pin_locked_until = models.DateTimeField(null=True, blank=True)
    replaces = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True)
    home = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="guests")
    issued_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True)
    issued_at = models.DateTimeField(null=True, blank=True)
    # Expected budget part reserved when issued, less what was returned unused, minor units; movements are budget
    # entries. The difference to their sum is what settled claims took.
    reserved_minor = models.BigIntegerField(default=0)
    # How the reservation was computed, row by row, as it was read when the certificate was issued.
    reservation_steps = models.JSONField(default=list, db_default=[])

    class Meta:
        verbose_name = _("certificate")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "number"], name="certificate_once"),
            models.UniqueConstraint(fields=["home", "organisation"], name="certificate_guest_once"),
            # The host reserves nothing and hands out no code: both are the issuer's.
            models.CheckConstraint(
                name="certificate_guest",
                condition=models.Q(home__isnull=True)
                | models.Q(budget_line__isnull=True, short_code__isnull=True, token_hash__isnull=True),
            ),
            ordered("certificate_range"),
        ]
        triggers = [
            *CERTIFICATE_STATES.triggers("certificate"),
            *versioned("certificate", "status", "status_from", "valid_from", "valid_to", recorded=None),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def last_day(self) -> date | None:
        """The last day that counts, as people write it."""
        return Period(self.valid_from, self.valid_to).last_day

    def state_on(self, day: date) -> str:
        """The state as it is shown on a day: over when the last day has passed, also before that is written down."""
        over = self.valid_to is not None and self.valid_to <= day
        return "expired" if over and self.status in ENDING else self.status


class CertificateSuspension(VersionedModel):
    """Days on which a certificate rests. ``to_date`` is exclusive."""

    certificate = models.ForeignKey(Certificate, on_delete=models.PROTECT, related_name="suspensions")
    from_date = models.DateField()
    to_date = models.DateField(null=True, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["certificate", "from_date"], name="certificate_suspension_once"),
            ordered("certificate_suspension_range", "from_date", "to_date"),
        ]
        triggers = versioned("certificate_suspension", "from_date", "to_date")

    def __str__(self) -> str:
        return f"{self.certificate_id} {self.from_date}"

    @property
    def last_day(self) -> date | None:
        """The last day that counts, as people write it."""
        return Period(self.from_date, self.to_date).last_day


class CertificateLine(models.Model):
    """Units of one service on a certificate (3 places).

    ``expected_minor``: the line's part of the reservation, minor units.
    """

    certificate = models.ForeignKey(Certificate, on_delete=models.PROTECT, related_name="lines")
    service = models.ForeignKey(Service, on_delete=models.PROTECT)
    units = models.DecimalField(max_digits=14, decimal_places=3)
    expected_minor = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["certificate", "service"], name="certificate_line_once"),
            models.CheckConstraint(name="certificate_line_positive", condition=models.Q(units__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.certificate_id} {self.service_id}"


class Redemption(VersionedState):
    """One use of a certificate at a provider.

    Online: authorised against the balance, then confirmed (possibly less). Reported and offline: evidence, kept as
    it was written: codes as text plus the resolved keys, absent when unknown. ``units_milli`` are thousandths.
    """

    CHANNELS = [("online", _("online")), ("offline", _("offline")), ("reported", _("reported"))]
    STATES = REDEMPTION_STATES

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    code = models.CharField(max_length=64)
    channel = models.CharField(max_length=8, choices=CHANNELS)
    certificate_number = models.CharField(max_length=64, blank=True)
    provider_code = models.CharField(max_length=64, blank=True)
    worker_code = models.CharField(max_length=64, blank=True)
    service_code = models.CharField(max_length=64, blank=True)
    certificate = models.ForeignKey(
        Certificate, on_delete=models.PROTECT, null=True, blank=True, related_name="redemptions"
    )
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, null=True, blank=True)
    worker = models.ForeignKey(Worker, on_delete=models.PROTECT, null=True, blank=True)
    service = models.ForeignKey(Service, on_delete=models.PROTECT, null=True, blank=True)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    units_milli = models.BigIntegerField(null=True)
    authorised_milli = models.BigIntegerField(null=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    # The word that a package gave for the status where it is none of ours; it confirms nothing.
    status_written = models.CharField(max_length=200, blank=True, default="", db_default="")
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True)
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("redemption")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "code"], name="redemption_once"),
        ]
        indexes = [
            models.Index(fields=["provider", "starts_at"], name="redemption_provider"),
            models.Index(fields=["organisation", "starts_at"], name="redemption_recent"),
        ]
        triggers = [
            *REDEMPTION_STATES.triggers("redemption"),
            # Only a confirmed visit is worth anything: what went before it needs no version.
            *versioned("redemption", "status", "units_milli", condition=pgtrigger.Q(old__status="confirmed")),
        ]

    def __str__(self) -> str:
        return self.code


class CertificateEntry(AppendOnlyModel):
    """A movement on a certificate line, in thousandths of its unit.

    Kinds: issued (+), held (-), released (+, gives back a hold), captured (-), restored (+, reversal), expired (-),
    cancelled (-). balance = sum; capturing writes released (+held) and captured (-used) together. A trigger refuses a
    statement that leaves a balance negative.
    """

    KINDS = [
        ("issued", _("issued")),
        ("held", _("held")),
        ("released", _("released")),
        ("captured", _("captured")),
        ("restored", _("restored")),
        ("expired", _("expired")),
        ("cancelled", _("cancelled")),
    ]

    certificate_line = models.ForeignKey(CertificateLine, on_delete=models.PROTECT, related_name="entries")
    kind = models.CharField(max_length=12, choices=KINDS)
    units_milli = models.BigIntegerField()
    redemption = models.ForeignKey(Redemption, on_delete=models.PROTECT, null=True, blank=True, related_name="entries")
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="certificate_entry_not_zero", condition=~models.Q(units_milli=0)),
            models.UniqueConstraint(
                fields=["redemption", "kind"],
                name="certificate_entry_once",
                condition=models.Q(redemption__isnull=False),
            ),
        ]
        triggers = append_only("certificate_entry")

    def __str__(self) -> str:
        return f"{self.certificate_line_id} {self.kind} {self.units_milli}"
