"""Complaints about a competition; an open one keeps the award from becoming a contract."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from config.accounts.models import User
from config.states import StatefulModel, StateTable
from contracts.models import Provider
from procurement.models.competitions import Tender

COMPLAINT_STATES = StateTable(
    moves={"submitted": frozenset({"satisfied", "declined", "withdrawn"})},
    initial=frozenset({"submitted"}),
)


class Complaint(StatefulModel):
    """A bidder's complaint and its answer."""

    STATES = COMPLAINT_STATES

    tender = models.ForeignKey(Tender, on_delete=models.PROTECT, related_name="complaints")
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT)
    text = models.TextField()
    submitted_at = models.DateTimeField()
    submitted_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    answer = models.TextField(blank=True)
    answered_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("complaint")
        triggers = COMPLAINT_STATES.triggers("complaint")

    def __str__(self) -> str:
        return f"{self.tender_id} {self.provider_id}"
