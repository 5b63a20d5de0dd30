"""A fee decided anew for past months: one person proposes it, another approves it, the recipient may object."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation, User
from config.fields import AppendOnlyModel, append_only, ordered
from config.periods import Period
from config.states import StatefulModel, StateTable
from vouchers.models.needs import FeeAssessment
from vouchers.models.recipients import Recipient

REVISION_STATES = StateTable(
    moves={"proposed": frozenset({"approved", "cancelled"})},
    initial=frozenset({"proposed"}),
)


class FeeRevision(StatefulModel):
    """How a recipient should have paid from ``valid_from`` to ``valid_to`` (exclusive; none: no end), known now.

    ``inputs``, ``parameters`` and ``steps`` as in ``FeeAssessment``. ``replaced``: the decisions that hold on those
    days until this one is approved, each with the part of the span that it covers; the second person signs that too.
    """

    STATES = REVISION_STATES

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    recipient = models.ForeignKey(Recipient, on_delete=models.PROTECT, related_name="fee_revisions")
    number = models.CharField(max_length=64)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    reason = models.CharField(max_length=1000)
    mode = models.CharField(max_length=1, choices=FeeAssessment.MODES)
    monthly_limit = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    formula_id = models.CharField(max_length=32, blank=True)
    income_member = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    inputs = models.JSONField(default=dict)
    parameters = models.JSONField(default=list)
    steps = models.JSONField(default=list)
    replaced = models.JSONField(default=list)
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    approved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("fee decided anew")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "number"], name="fee_revision_once"),
            models.UniqueConstraint(
                fields=["recipient"], name="fee_revision_waits_once", condition=models.Q(status="proposed")
            ),
            ordered("fee_revision_range"),
            models.CheckConstraint(name="fee_revision_month", condition=models.Q(valid_from__day=1)),
            models.CheckConstraint(name="fee_revision_reason", condition=~models.Q(reason="")),
            models.CheckConstraint(
                name="fee_revision_limit", condition=~models.Q(mode="D") | models.Q(monthly_limit__gte=0)
            ),
            models.CheckConstraint(
                name="fee_revision_four_eyes", condition=~models.Q(proposed_by=models.F("approved_by"))
            ),
            models.CheckConstraint(
                name="fee_revision_signed",
                condition=~models.Q(status="approved") | models.Q(approved_by__isnull=False),
            ),
        ]
        triggers = REVISION_STATES.triggers("fee_revision")

    def __str__(self) -> str:
        return self.number

    @property
    def period(self) -> Period:
        """The days that are decided anew."""
        return Period(self.valid_from, self.valid_to)


# Whoever proposed or approved the decision, or objects to it, does not answer the objection.
_OTHER_PERSON = """
    IF EXISTS (
        SELECT 1 FROM vouchers_feeobjection o JOIN vouchers_feerevision r ON r.id = o.revision_id
        WHERE o.id = NEW.objection_id AND NEW.answered_by_id IN (o.submitted_by_id, r.proposed_by_id, r.approved_by_id)
    ) THEN
        RAISE EXCEPTION 'an objection is answered by another person' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'fee_objection_other_person';
    END IF;
    RETURN NEW;
"""


class FeeObjection(AppendOnlyModel):
    """The recipient disputes a fee decided anew."""

    revision = models.OneToOneField(FeeRevision, on_delete=models.PROTECT, related_name="objection")
    reason = models.CharField(max_length=1000)
    submitted_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("objection to a fee decided anew")
        constraints = [models.CheckConstraint(name="fee_objection_reason", condition=~models.Q(reason=""))]
        triggers = append_only("fee_objection")

    def __str__(self) -> str:
        return str(self.revision_id)


class FeeObjectionAnswer(AppendOnlyModel):
    """The answer of a person who had no part in the decision. An upheld objection changes nothing by itself: the fee is
    decided anew once more.
    """

    objection = models.OneToOneField(FeeObjection, on_delete=models.PROTECT, related_name="answer")
    upheld = models.BooleanField()
    reason = models.CharField(max_length=1000)
    answered_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("answer to an objection to a fee")
        constraints = [models.CheckConstraint(name="fee_objection_answer_reason", condition=~models.Q(reason=""))]
        triggers = [
            *append_only("fee_objection_answer"),
            pgtrigger.Trigger(
                name="fee_objection_other_person",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=_OTHER_PERSON,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.objection_id}: {self.upheld}"
