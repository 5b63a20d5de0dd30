"""A term that is given back: a claim that came late for a good cause counts as submitted on the last day."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from config.accounts.models import User
from config.states import StatefulModel, StateTable
from settlement.models.claims import Claim

TERM_STATES = StateTable(
    moves={"proposed": frozenset({"confirmed", "refused"})},
    initial=frozenset({"proposed"}),
)


class RestoredTerm(StatefulModel):
    """One person proposes with the cause, another confirms or refuses. ``submitted_at``: when the claim really came.

    ``counts_as_submitted_at``: the last second of the last day that CLM-32 allows; every check reads it from the
    moment of the decision on. The claim itself keeps the real time.
    """

    STATES = TERM_STATES

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="restored_terms")
    reason = models.CharField(max_length=1000)
    submitted_at = models.DateTimeField()
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(max_length=300, blank=True)
    counts_as_submitted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("restored term of a claim")
        constraints = [
            models.UniqueConstraint(fields=["claim"], name="restored_term_once", condition=~models.Q(status="refused")),
            models.CheckConstraint(name="restored_term_reason", condition=~models.Q(reason="")),
            models.CheckConstraint(
                name="restored_term_four_eyes", condition=~models.Q(proposed_by=models.F("decided_by"))
            ),
            models.CheckConstraint(
                name="restored_term_decided",
                condition=models.Q(status="proposed", decided_by=None, decided_at=None, counts_as_submitted_at=None)
                | models.Q(
                    status="confirmed",
                    decided_by__isnull=False,
                    decided_at__isnull=False,
                    counts_as_submitted_at__lt=models.F("submitted_at"),
                )
                | (
                    models.Q(
                        status="refused",
                        decided_by__isnull=False,
                        decided_at__isnull=False,
                        counts_as_submitted_at=None,
                    )
                    & ~models.Q(answer="")
                ),
            ),
        ]
        triggers = [
            *TERM_STATES.triggers("restored_term"),
            pgtrigger.Protect(name="restored_term_kept", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="restored_term_decided_once",
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__status="proposed"),
            ),
            pgtrigger.ReadOnly(
                name="restored_term_written_once",
                fields=["claim", "reason", "submitted_at", "proposed_by", "proposed_at"],
            ),
        ]

    def __str__(self) -> str:
        return self.claim.number
