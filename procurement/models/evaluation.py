"""Scores of the members, the computed result of each bid, and the award."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from config.accounts.models import User
from config.states import StatefulModel, StateTable
from contracts.models import Contract
from procurement.models.bids import Bid
from procurement.models.competitions import CommissionMember, Criterion, Tender

# OCDS award statuses.
AWARD_STATES = StateTable(
    moves={
        "pending": frozenset({"active", "cancelled", "unsuccessful"}),
        "active": frozenset({"cancelled"}),
    },
    initial=frozenset({"pending"}),
)


_NO_RESULT_YET = """
    IF EXISTS (
        SELECT 1 FROM procurement_bid b JOIN procurement_tender t ON t.id = b.tender_id
        WHERE b.id IN (NEW.bid_id, OLD.bid_id) AND t.evaluated_at IS NOT NULL
    ) THEN
        RAISE EXCEPTION 'marks do not change while a result rests on them'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'score_before_result';
    END IF;
    RETURN COALESCE(NEW, OLD);
"""


class Score(models.Model):
    """A member's judgement of a bid by a criterion. A locked score never changes; an edit is a new version.

    While a result is computed from the marks, the database refuses any change of them.
    """

    member = models.ForeignKey(CommissionMember, on_delete=models.PROTECT, related_name="scores")
    bid = models.ForeignKey(Bid, on_delete=models.PROTECT, related_name="scores")
    criterion = models.ForeignKey(Criterion, on_delete=models.PROTECT)
    version = models.PositiveSmallIntegerField(default=1)
    value = models.DecimalField(max_digits=6, decimal_places=2)
    reason = models.TextField(blank=True)
    locked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["member", "bid", "criterion", "version"], name="score_once"),
            models.CheckConstraint(name="score_not_negative", condition=models.Q(value__gte=0)),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="score_before_result",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                func=_NO_RESULT_YET,
            )
        ]

    def __str__(self) -> str:
        return f"{self.member_id} {self.bid_id} {self.value}"


class BidResult(models.Model):
    """The computed total of a bid with the rows of its calculation."""

    bid = models.OneToOneField(Bid, on_delete=models.PROTECT, related_name="result")
    total = models.DecimalField(max_digits=6, decimal_places=2)
    rank = models.PositiveSmallIntegerField()
    parts = models.JSONField(default=dict)
    steps = models.JSONField(default=list)
    formula_id = models.CharField(max_length=32)

    def __str__(self) -> str:
        return f"{self.bid_id} {self.total}"


class Award(StatefulModel):
    """The decision naming a winner; the contract follows after the stand-still."""

    STATES = AWARD_STATES

    tender = models.ForeignKey(Tender, on_delete=models.PROTECT, related_name="awards")
    bid = models.OneToOneField(Bid, on_delete=models.PROTECT, related_name="award")
    number = models.CharField(max_length=64)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT)
    decided_at = models.DateTimeField()
    standstill_until = models.DateTimeField()
    reason = models.TextField(blank=True)
    contract = models.OneToOneField(Contract, on_delete=models.PROTECT, null=True, blank=True, related_name="award")

    class Meta:
        verbose_name = _("award")
        triggers = AWARD_STATES.triggers("award")

    def __str__(self) -> str:
        return self.number


__all__ = ["Award", "BidResult", "Score", "Tender"]
