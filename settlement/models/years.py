"""The closing of a year: prepared by one person, approved by another."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation, User
from config.states import StatefulModel, StateTable

YEAR_STATES = StateTable(
    moves={"proposed": frozenset({"approved", "cancelled"})},
    initial=frozenset({"proposed"}),
)


class YearClosing(StatefulModel):
    """A year to be closed, as it was prepared. ``plan`` is what the second person signs (``content_sha256``): rows of
    budget lines and of providers with unused money, the rules by which it was made. Minor units.

    An approved year takes no posting any more: the database refuses entries dated in it.
    """

    STATES = YEAR_STATES

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    year = models.PositiveSmallIntegerField()
    plan = models.JSONField()
    content_sha256 = models.CharField(max_length=64)
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    approved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("closing of a year")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "year"],
                name="year_closing_once",
                condition=models.Q(status__in=["proposed", "approved"]),
            ),
            models.CheckConstraint(
                name="year_closing_four_eyes", condition=~models.Q(proposed_by=models.F("approved_by"))
            ),
            models.CheckConstraint(
                name="year_closing_signed",
                condition=~models.Q(status="approved") | models.Q(approved_by__isnull=False),
            ),
        ]
        triggers = YEAR_STATES.triggers("year_closing")

    def __str__(self) -> str:
        return str(self.year)
