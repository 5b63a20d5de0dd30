"""Bids and grant applications (a bid of a project contest)."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from djmoney.models.fields import MoneyField

from config.accounts.models import User
from config.fields import EncryptedTextField
from config.states import StatefulModel, StateTable
from contracts.models import Provider
from contracts.models.catalogue import CURRENCY_CHOICES
from procurement.models.competitions import Tender

BID_STATES = StateTable(
    moves={
        "draft": frozenset({"submitted", "withdrawn"}),
        "submitted": frozenset({"opened", "withdrawn", "rejected"}),
        "opened": frozenset({"valid", "rejected"}),
        "valid": frozenset({"rejected"}),
    },
    initial=frozenset({"draft"}),
)


def _money(**options: object) -> MoneyField:
    return MoneyField(
        max_digits=16,
        decimal_places=2,
        default_currency="UAH",
        currency_choices=CURRENCY_CHOICES,
        **options,
    )


class Bid(StatefulModel):
    """An offer. ``sealed`` holds its content encrypted until opening; the plain columns are filled then.

    ``unit_price`` has 4 places. For a project contest the parts of the application hang on the bid and are readable
    by the applicant alone until the contest opens; ``unit_multiplier`` is the multiplier of the form (1000: the form
    is filled in thousands; amounts are stored in whole currency). What the text declares beside its tables (number of
    items, partners of the annotation, size, last page of the contents) is kept to be compared; None: not declared.
    """

    STATES = BID_STATES

    tender = models.ForeignKey(Tender, on_delete=models.PROTECT, related_name="bids")
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="bids")
    number = models.PositiveSmallIntegerField(null=True, blank=True)
    sealed = EncryptedTextField(blank=True, default="")
    sealed_sha256 = models.CharField(max_length=64, blank=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    submitted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True)
    unit_price = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    recipients_offered = models.PositiveIntegerField(null=True, blank=True)
    rejection_code = models.CharField(max_length=16, blank=True)
    rejection_reason = models.TextField(blank=True)
    # Project contests.
    project_title = models.CharField(max_length=400, blank=True)
    summary = models.TextField(blank=True)
    duration_months = models.PositiveSmallIntegerField(null=True, blank=True)
    unit_multiplier = models.PositiveIntegerField(default=1)
    declared_total = _money(null=True, blank=True)
    grant_requested = _money(null=True, blank=True)
    activity_numbers = models.JSONField(default=list)
    earmarks = models.JSONField(default=list)
    declared_item_count = models.PositiveSmallIntegerField(null=True, blank=True)
    partners_declared = models.PositiveSmallIntegerField(null=True, blank=True)
    partners = models.JSONField(default=list)
    pages_declared = models.PositiveSmallIntegerField(null=True, blank=True)
    last_page_referred = models.PositiveSmallIntegerField(null=True, blank=True)
    corrects = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True)

    class Meta:
        verbose_name = _("bid")
        constraints = [
            models.UniqueConstraint(
                fields=["tender", "provider"],
                name="bid_once",
                condition=models.Q(status__in=["submitted", "opened", "valid"]),
            ),
            models.UniqueConstraint(fields=["tender", "number"], name="bid_number_once"),
        ]
        triggers = BID_STATES.triggers("bid")

    def __str__(self) -> str:
        return f"{self.tender_id} {self.provider_id}"


class BidDocument(models.Model):
    """A required annex and whether it is there; the file itself is an Attachment of the bid."""

    bid = models.ForeignKey(Bid, on_delete=models.CASCADE, related_name="documents")
    code = models.CharField(max_length=64)
    title = models.CharField(max_length=255)
    present = models.BooleanField(default=False)
    attachment_sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["bid", "code"], name="bid_document_once")]

    def __str__(self) -> str:
        return self.title


class BidFinding(models.Model):
    """What a check said about a bid, with its figures. Replaced at each check of a draft."""

    SEVERITIES = [("block", _("blocks")), ("warn", _("warns")), ("info", _("for information"))]

    bid = models.ForeignKey(Bid, on_delete=models.CASCADE, related_name="findings")
    position = models.PositiveSmallIntegerField()
    code = models.CharField(max_length=40)
    severity = models.CharField(max_length=8, choices=SEVERITIES)
    text = models.CharField(max_length=400)
    params = models.JSONField(default=dict)
    recorded_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.text


class ProjectBudgetSource(models.Model):
    """A source of project money: grant, own, partner, attracted. ``conditional``: given only if the contest is won."""

    KINDS = [
        ("grant", _("grant")),
        ("own", _("own funds")),
        ("partner", _("partners")),
        ("attracted", _("attracted funds")),
    ]

    bid = models.ForeignKey(Bid, on_delete=models.CASCADE, related_name="sources")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=12, choices=KINDS)
    name = models.CharField(max_length=255)
    amount = _money()
    declared_share = models.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True)
    conditional = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.name


class ProjectBudgetItem(models.Model):
    """An expense item of a project."""

    bid = models.ForeignKey(Bid, on_delete=models.CASCADE, related_name="items")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=400)
    amount = _money()
    from_grant = _money(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class ProjectKpi(models.Model):
    """A result to reach: from baseline to at least target; ``stated_*`` repeat what the text says of it elsewhere."""

    bid = models.ForeignKey(Bid, on_delete=models.CASCADE, related_name="kpis")
    position = models.PositiveSmallIntegerField()
    code = models.CharField(max_length=32)
    name = models.CharField(max_length=255)
    baseline = models.DecimalField(max_digits=16, decimal_places=2)
    target = models.DecimalField(max_digits=16, decimal_places=2)
    stated_baseline = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True)
    stated_target = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True)
    actual = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class ProjectStep(models.Model):
    """A block of the work plan by months, in the order of the text."""

    bid = models.ForeignKey(Bid, on_delete=models.CASCADE, related_name="work_plan")
    position = models.PositiveSmallIntegerField()
    month_from = models.PositiveSmallIntegerField()
    month_to = models.PositiveSmallIntegerField()
    description = models.TextField()
    executors = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.description[:60]
