"""A claim that comes back: returned with a term, and decisions that its provider disputes."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from config.accounts.models import User
from config.fields import AppendOnlyModel, append_only
from settlement.models.claims import AdjudicationRun, Claim, ClaimLine

# Whoever made the decision, or asks for another one, does not answer the appeal against it.
_OTHER_PERSON = """
    IF EXISTS (
        SELECT 1 FROM settlement_appeal a JOIN settlement_adjudicationrun r ON r.id = a.run_id
        WHERE a.id = NEW.appeal_id AND NEW.answered_by_id IN (a.submitted_by_id, r.started_by_id)
    ) OR EXISTS (
        SELECT 1 FROM settlement_appeal a JOIN settlement_claimline l ON l.id = a.claim_line_id
            OR (a.claim_line_id IS NULL AND l.claim_id = a.claim_id)
        JOIN settlement_keptpend k ON k.claim_line_id = l.id
        WHERE a.id = NEW.appeal_id AND k.decided_by_id = NEW.answered_by_id
    ) THEN
        RAISE EXCEPTION 'an appeal is answered by another person' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'appeal_other_person';
    END IF;
    RETURN NEW;
"""


class ClaimReturn(AppendOnlyModel):
    """The office sent a claim back. ``lines`` keeps the version that came, as it was written, whatever replaces it.

    ``correct_by``: the last day on which it can be submitted again. Units thousandths, rates and amounts
    ten-thousandths.
    """

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="returns")
    version = models.PositiveSmallIntegerField()
    submitted_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=400)
    correct_by = models.DateField()
    lines = models.JSONField(default=list)
    returned_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("return of a claim")
        constraints = [
            models.UniqueConstraint(fields=["claim", "version"], name="claim_return_once"),
        ]
        triggers = append_only("claim_return")

    def __str__(self) -> str:
        return f"{self.claim_id}/{self.version}"


class Appeal(AppendOnlyModel):
    """A provider disputes what ``run`` decided about a line, or about all lines of a claim. Evidence is attached."""

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="appeals")
    claim_line = models.ForeignKey(ClaimLine, on_delete=models.PROTECT, null=True, related_name="appeals")
    run = models.ForeignKey(AdjudicationRun, on_delete=models.PROTECT, related_name="appeals")
    reason = models.CharField(max_length=1000)
    submitted_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("appeal")
        constraints = [
            models.UniqueConstraint(
                fields=["claim", "run"], name="appeal_claim_once", condition=models.Q(claim_line__isnull=True)
            ),
            models.UniqueConstraint(fields=["claim_line", "run"], name="appeal_line_once"),
            models.CheckConstraint(name="appeal_reason", condition=~models.Q(reason="")),
        ]
        triggers = append_only("appeal")

    def __str__(self) -> str:
        return f"{self.claim_id}: {self.claim_line_id or '*'}"


class AppealAnswer(AppendOnlyModel):
    """The answer of another person than the one who decided. ``new_claim`` is judged instead of what was decided,
    ``reversal`` takes the old decision back; a line that waits is proposed to be lifted instead.
    """

    appeal = models.OneToOneField(Appeal, on_delete=models.PROTECT, related_name="answer")
    upheld = models.BooleanField()
    reason = models.CharField(max_length=1000)
    answered_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    reversal = models.ForeignKey(Claim, on_delete=models.PROTECT, null=True, related_name="+")
    new_claim = models.ForeignKey(Claim, on_delete=models.PROTECT, null=True, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("answer to an appeal")
        constraints = [models.CheckConstraint(name="appeal_answer_reason", condition=~models.Q(reason=""))]
        triggers = [
            *append_only("appeal_answer"),
            pgtrigger.Trigger(
                name="appeal_other_person", when=pgtrigger.Before, operation=pgtrigger.Insert, func=_OTHER_PERSON
            ),
        ]

    def __str__(self) -> str:
        return f"{self.appeal_id}: {self.upheld}"
