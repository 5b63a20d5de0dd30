"""Contracts (grant agreements included), their priced lines and milestones."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from djmoney.models.fields import MoneyField

from config.accounts.models import Organisation, User
from config.fields import AppendOnlyModel, append_only, ordered
from config.states import StatefulModel, StateTable, VersionedState
from config.versions import VersionedModel, versioned
from contracts.models.budgets import BudgetLine
from contracts.models.catalogue import CURRENCY_CHOICES, Service
from contracts.models.parties import Provider

CONTRACT_STATES = StateTable(
    moves={
        "pending": frozenset({"active", "cancelled"}),
        "active": frozenset({"terminated"}),
    },
    # Imported contracts come in the state they had.
    initial=frozenset({"pending", "active", "cancelled", "terminated"}),
)

MILESTONE_STATES = StateTable(
    moves={
        "scheduled": frozenset({"met", "notMet", "partiallyMet"}),
        "partiallyMet": frozenset({"met", "notMet"}),
    },
    initial=frozenset({"scheduled"}),
)


class Contract(VersionedState):
    """An agreement with a provider (OCDS statuses). ``ceiling`` limits what may be paid in all; blank: no limit.

    ``valid_to`` is exclusive. One currency per contract. A contract served by certificates commits no budget by
    itself (the certificates reserve it); a grant agreement commits its ceiling.
    """

    BASES = [("award", _("award")), ("register", _("register")), ("grant", _("grant"))]
    STATES = CONTRACT_STATES

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    number = models.CharField(max_length=64)
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="contracts")
    budget_line = models.ForeignKey(BudgetLine, on_delete=models.PROTECT, related_name="contracts")
    basis = models.CharField(max_length=12, choices=BASES)
    title = models.CharField(max_length=255, blank=True)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    ceiling = MoneyField(
        max_digits=16,
        decimal_places=2,
        default_currency="UAH",
        currency_choices=CURRENCY_CHOICES,
        null=True,
        blank=True,
    )
    # The word that a package gave for the status where it is none of ours; it says that nobody is served.
    status_written = models.CharField(max_length=200, blank=True, default="", db_default="")
    signed_at = models.DateTimeField(null=True, blank=True)
    signed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    signed_by_provider = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("contract")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "number"], name="contract_once"),
            ordered("contract_range"),
        ]
        triggers = [
            *CONTRACT_STATES.triggers("contract"),
            *versioned("contract", "status", "valid_from", "valid_to", "ceiling", recorded=None),
        ]

    def __str__(self) -> str:
        return self.number


class ContractLine(VersionedModel):
    """Price and volume of a service under a contract; an amendment is a new row.

    ``unit_rate`` has 4 places, ``units_ceiling`` 3; blank dates are the contract's; ``valid_to`` is exclusive.
    """

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="lines")
    service = models.ForeignKey(Service, on_delete=models.PROTECT)
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)
    unit_rate = models.DecimalField(max_digits=14, decimal_places=4)
    units_ceiling = models.DecimalField(max_digits=16, decimal_places=3, null=True, blank=True)
    amendment = models.CharField(max_length=200, blank=True)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["contract", "service", "valid_from"], name="contract_line_once", nulls_distinct=False
            ),
            models.CheckConstraint(name="contract_line_positive", condition=models.Q(unit_rate__gt=0)),
        ]
        triggers = versioned("contract_line", "valid_from", "valid_to", "unit_rate", "units_ceiling", "amendment")

    def __str__(self) -> str:
        return f"{self.contract_id} {self.service_id}"


PAST_TERMS_STATES = StateTable(
    moves={"draft": frozenset({"approved", "withdrawn"})},
    initial=frozenset({"draft"}),
)


class PastTerms(StatefulModel):
    """Terms of a service that held from a day already served, learnt later: one person writes, another approves.

    ``unit_rate`` has 4 places, ``units_ceiling`` 3. ``line``: the terms of the contract that say so once approved.
    """

    STATES = PAST_TERMS_STATES

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="past_terms")
    service = models.ForeignKey(Service, on_delete=models.PROTECT)
    valid_from = models.DateField()
    unit_rate = models.DecimalField(max_digits=14, decimal_places=4)
    units_ceiling = models.DecimalField(max_digits=16, decimal_places=3, null=True, blank=True)
    basis = models.CharField(max_length=200)
    reason = models.CharField(max_length=1000)
    author = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    approver = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    line = models.ForeignKey(ContractLine, on_delete=models.PROTECT, null=True, related_name="past_terms")
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("terms of past days")
        constraints = [
            models.CheckConstraint(name="past_terms_positive", condition=models.Q(unit_rate__gt=0)),
            models.CheckConstraint(name="past_terms_reason", condition=~models.Q(reason="")),
            models.CheckConstraint(
                name="past_terms_four_eyes",
                condition=models.Q(author__isnull=True) | ~models.Q(author=models.F("approver")),
            ),
        ]
        triggers = PAST_TERMS_STATES.triggers("past_terms")

    def __str__(self) -> str:
        return f"{self.contract} {self.valid_from}"


class Milestone(StatefulModel):
    """A dated event in the life of a grant agreement; some release a tranche."""

    STATES = MILESTONE_STATES

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="milestones")
    code = models.CharField(max_length=32)
    title = models.CharField(max_length=255)
    due_date = models.DateField()
    tranche = MoneyField(
        max_digits=16,
        decimal_places=2,
        default_currency="UAH",
        currency_choices=CURRENCY_CHOICES,
        null=True,
        blank=True,
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["contract", "code"], name="milestone_once")]
        triggers = MILESTONE_STATES.triggers("milestone")

    def __str__(self) -> str:
        return self.title


class MilestoneNote(AppendOnlyModel):
    """What was said about a milestone: the provider's report, or the judgement that moved it (OCDS codes)."""

    KINDS = [
        ("report", _("report")),
        ("met", _("met")),
        ("partiallyMet", _("partly met")),
        ("notMet", _("not met")),
    ]

    milestone = models.ForeignKey(Milestone, on_delete=models.PROTECT, related_name="notes")
    kind = models.CharField(max_length=16, choices=KINDS)
    text = models.TextField()
    written_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        triggers = append_only("milestone_note")

    def __str__(self) -> str:
        return f"{self.milestone_id} {self.kind}"
