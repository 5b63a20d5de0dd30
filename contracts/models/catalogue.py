"""Territories, services and their published prices."""

from __future__ import annotations

from datetime import date

from django.db import models
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from djmoney.models.fields import MoneyField

from config.accounts.models import Organisation
from config.fields import no_overlap, ordered
from config.periods import Period
from contracts.models.parties import Provider

CURRENCY_CHOICES = [("UAH", "UAH"), ("RUB", "RUB"), ("EUR", "EUR"), ("USD", "USD")]


class Territory(models.Model):
    """A part of the municipality, urban or rural."""

    KINDS = [("urban", _("urban")), ("rural", _("rural"))]

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    code = models.CharField(max_length=64)
    name = models.CharField(max_length=255)
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True)
    kind = models.CharField(max_length=8, choices=KINDS)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "code"], name="territory_once")]

    def __str__(self) -> str:
        return self.name


class Service(models.Model):
    """A social service of the organisation's catalogue.

    Units have 3 decimal places; ``granularity`` is the smallest billable step of the unit; the three ceilings are
    per recipient. ``provisional``: the code is ours, the classifier's own code was not verified.
    """

    UNITS = [("hour", _("hour")), ("visit", _("visit")), ("day", _("day")), ("trip", _("trip"))]
    FORMS = [
        ("home", _("at home")),
        ("semi_residential", _("semi-residential")),
        ("residential", _("residential")),
        ("remote", _("remote")),
    ]
    LEVELS = [("simple", _("simple")), ("complex", _("complex")), ("auxiliary", _("auxiliary"))]

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    code = models.CharField(max_length=64)
    name_uk = models.CharField(max_length=255)
    name_ru = models.CharField(max_length=255, blank=True)
    name_en = models.CharField(max_length=255, blank=True)
    level = models.CharField(max_length=16, choices=LEVELS, blank=True)
    form = models.CharField(max_length=20, choices=FORMS, blank=True)
    unit = models.CharField(max_length=8, choices=UNITS)
    granularity = models.DecimalField(max_digits=14, decimal_places=3)
    units_per_day_max = models.DecimalField(max_digits=14, decimal_places=3, null=True, blank=True)
    units_per_month_max = models.DecimalField(max_digits=14, decimal_places=3, null=True, blank=True)
    amount_per_year_max = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True)
    group_size_max = models.PositiveIntegerField(null=True, blank=True)
    basic = models.BooleanField(default=False)
    free_for_all = models.BooleanField(default=False)
    one_off = models.BooleanField(default=False)
    cpv = models.CharField(max_length=16, blank=True)
    provisional = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("service")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "code"], name="service_once"),
            models.CheckConstraint(name="service_granularity", condition=models.Q(granularity__gt=0)),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """Name in the reader's language, Ukrainian when it has none."""
        language = (translation.get_language() or "uk")[:2]
        return getattr(self, f"name_{language}", "") or self.name_uk


class CpvCode(models.Model):
    """A code of the common procurement vocabulary (ДК 021)."""

    code = models.CharField(max_length=16, primary_key=True)
    name_uk = models.CharField(max_length=400)
    name_ru = models.CharField(max_length=400, blank=True)
    name_en = models.CharField(max_length=400, blank=True)

    def __str__(self) -> str:
        return self.code


class TariffSet(models.Model):
    """Prices approved by one decision. Approved prices are data; recomputed ones never overwrite them."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT)
    code = models.CharField(max_length=64)
    name = models.CharField(max_length=255)
    basis = models.CharField(max_length=300)
    basis_date = models.DateField(null=True, blank=True)
    hour_rate = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    rounding_step = models.DecimalField(max_digits=6, decimal_places=2, default="0.01")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    evidence = models.CharField(max_length=16, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "code"], name="tariff_set_once"),
            ordered("tariff_set_range"),
        ]

    def __str__(self) -> str:
        return self.name


class TariffSetItem(models.Model):
    """One priced action of a set, with the recomputed price beside the published one."""

    tariff_set = models.ForeignKey(TariffSet, on_delete=models.PROTECT, related_name="items")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=255)
    minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    published = MoneyField(max_digits=14, decimal_places=2, default_currency="UAH", currency_choices=CURRENCY_CHOICES)
    computed = MoneyField(
        max_digits=14,
        decimal_places=2,
        default_currency="UAH",
        currency_choices=CURRENCY_CHOICES,
        null=True,
        blank=True,
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tariff_set", "position"], name="tariff_item_once")]

    def __str__(self) -> str:
        return self.name


class Tariff(models.Model):
    """A provider's public price of a unit of a service, for a person or a family. ``valid_to`` is exclusive."""

    # The same words are units elsewhere.
    PAYERS = [("person", pgettext_lazy("payer", "person")), ("family", pgettext_lazy("payer", "family"))]

    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="tariffs")
    service = models.ForeignKey(Service, on_delete=models.PROTECT)
    payer_kind = models.CharField(max_length=8, choices=PAYERS, default="person")
    unit_rate = MoneyField(max_digits=14, decimal_places=4, default_currency="UAH", currency_choices=CURRENCY_CHOICES)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    basis = models.CharField(max_length=300)

    class Meta:
        constraints = [
            no_overlap("tariff_no_overlap", "provider", "service", "payer_kind"),
            ordered("tariff_range"),
        ]

    def __str__(self) -> str:
        return f"{self.provider_id} {self.service_id} {self.unit_rate}"

    @property
    def last_day(self) -> date | None:
        """The last day that counts, as people write it."""
        return Period(self.valid_from, self.valid_to).last_day
