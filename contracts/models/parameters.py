"""Dated law: every number of an act is a row with its validity, source and evidence label."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation, User
from config.fields import no_overlap, ordered
from config.states import StatefulModel, StateTable
from config.versions import VersionedModel, versioned

UNVERIFIED = ("MEM", "")


class Parameter(VersionedModel):
    """One value of one key. ``organisation`` empty: national; a municipality's own row wins over it.

    ``valid_to`` is exclusive. ``value`` is text: a decimal, a date part or a word; the reader knows which.
    ``recorded_at`` says since when we know it.
    """

    EVIDENCE = [
        ("V-TEXT", _("seen in the act")),
        ("V-SEC", _("secondary source")),
        ("V-PRACTICE", _("observed practice")),
        ("V-SEED", _("stated in a source document")),
        ("MEM", _("unverified")),
        ("DESIGN", _("our own decision")),
    ]

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, blank=True)
    jurisdiction = models.CharField(max_length=16)
    key = models.CharField(max_length=80)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    value = models.CharField(max_length=200)
    unit = models.CharField(max_length=32, blank=True)
    act = models.CharField(max_length=300, blank=True)
    article = models.CharField(max_length=120, blank=True)
    evidence = models.CharField(max_length=16, blank=True)
    note = models.TextField(blank=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "jurisdiction", "key", "valid_from"],
                name="parameter_once",
                nulls_distinct=False,
            ),
            no_overlap("parameter_no_overlap", Coalesce("organisation_id", 0), "jurisdiction", "key"),
            ordered("parameter_range"),
        ]
        triggers = versioned("parameter", "valid_from", "valid_to", "value", "act", "article", "evidence", "note")

    # Who confirmed the value for the municipality that reads it; see ``contracts.parameters.with_confirmations``.
    confirmation: ParameterProposal | None = None

    def __str__(self) -> str:
        return f"{self.jurisdiction} {self.key} {self.valid_from}"

    @property
    def unverified(self) -> bool:
        """Whether the value must be shown as unverified."""
        return self.evidence in UNVERIFIED and self.confirmation is None


PROPOSAL_STATES = StateTable(
    moves={"draft": frozenset({"approved", "withdrawn"})},
    initial=frozenset({"draft"}),
)


class ParameterProposal(StatefulModel):
    """A value that one person of the municipality wrote down and another one approves; then it is a parameter.

    The parameter is the municipality's own and wins over national rows, which only the files of the product write.
    Approved without a parameter, it confirms the value on record with its key, first day and text; a correction of
    that value ends the confirmation by itself. ``reason`` says why a value of closed months is known only now: such a
    one puts right, also in place, and confirms nothing.
    """

    STATES = PROPOSAL_STATES

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    key = models.CharField(max_length=80)
    valid_from = models.DateField()
    value = models.CharField(max_length=200)
    unit = models.CharField(max_length=32, blank=True)
    act = models.CharField(max_length=300)
    article = models.CharField(max_length=120, blank=True)
    evidence = models.CharField(max_length=16, choices=Parameter.EVIDENCE)
    note = models.TextField(blank=True)
    reason = models.CharField(max_length=1000, blank=True, default="", db_default="")
    author = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="parameters_proposed")
    approver = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="parameters_approved")
    parameter = models.OneToOneField(Parameter, on_delete=models.PROTECT, null=True, related_name="proposal")
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="parameter_four_eyes",
                condition=models.Q(author__isnull=True) | ~models.Q(author=models.F("approver")),
            ),
        ]
        triggers = PROPOSAL_STATES.triggers("parameter_proposal")

    def __str__(self) -> str:
        return f"{self.key} {self.valid_from}"

    @property
    def unverified(self) -> bool:
        """Whether the value will be shown as unverified."""
        return self.evidence == "MEM"

    def confirms(self, row: Parameter) -> bool:
        """Whether it leaves this row as it is: the same text of the key from the same day."""
        same = (self.key, self.valid_from, self.value) == (row.key, row.valid_from, row.value)
        return same and self.parameter_id is None and not self.reason


class CalendarDay(models.Model):
    """A day that differs from the Monday-to-Friday rule. ``organisation`` empty: national."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, blank=True)
    jurisdiction = models.CharField(max_length=16)
    date = models.DateField()
    kind = models.CharField(max_length=8, choices=[("off", _("day off")), ("working", _("working day"))])

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "jurisdiction", "date"], name="calendar_day_once", nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return f"{self.jurisdiction} {self.date} {self.kind}"
