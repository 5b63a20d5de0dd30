"""A closed month put right after the fact: one document, prepared by one person and approved by another."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation, User
from config.fields import AppendOnlyModel, append_only
from config.states import StatefulModel, StateTable
from contracts.models import Provider
from settlement.models.claims import AdjudicationRun, Claim, ClaimLine
from vouchers.models import Recipient

CORRECTION_STATES = StateTable(
    moves={"proposed": frozenset({"approved", "cancelled"})},
    initial=frozenset({"proposed"}),
)


class Correction(StatefulModel):
    """What the facts known at ``known_at`` make of a closed month, against what was decided then.

    ``plan`` is what the second person signs beside the lines (``content_sha256``): the accounts that would move, budget
    lines, certificates, notices of fees, and the claims that are left out with the reason. Minor units. An approved
    correction names the run that took the old decisions back and made the new ones, in the open month.
    """

    STATES = CORRECTION_STATES
    GROUNDS = [
        ("income", _("income of the recipient or decision on the fee")),
        ("norm", _("norm cost, price or parameter")),
        ("attendance", _("visits, absences or a death")),
        ("entitlement", _("certificate, plan or contract")),
        ("other", _("something else")),
    ]

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    number = models.CharField(max_length=64)
    month = models.DateField()
    ground = models.CharField(max_length=12, choices=GROUNDS)
    reason = models.CharField(max_length=1000)
    plan = models.JSONField()
    content_sha256 = models.CharField(max_length=64)
    gross_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField()
    payable_minor = models.BigIntegerField()
    known_at = models.DateTimeField()
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    approved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    run = models.OneToOneField(
        AdjudicationRun, on_delete=models.PROTECT, null=True, blank=True, related_name="correction"
    )

    class Meta:
        verbose_name = _("correction of a closed month")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "number"], name="correction_once"),
            models.UniqueConstraint(
                fields=["organisation", "month"],
                name="correction_waits_once",
                condition=models.Q(status="proposed"),
            ),
            models.CheckConstraint(name="correction_month", condition=models.Q(month__day=1)),
            models.CheckConstraint(name="correction_reason", condition=~models.Q(reason="")),
            models.CheckConstraint(
                name="correction_identity",
                condition=models.Q(gross_minor=models.F("fee_minor") + models.F("payable_minor")),
            ),
            models.CheckConstraint(
                name="correction_four_eyes", condition=~models.Q(proposed_by=models.F("approved_by"))
            ),
            models.CheckConstraint(
                name="correction_signed",
                condition=~models.Q(status="approved") | models.Q(approved_by__isnull=False, run__isnull=False),
            ),
        ]
        triggers = CORRECTION_STATES.triggers("correction")

    def __str__(self) -> str:
        return self.number


class CorrectionLine(AppendOnlyModel):
    """A line whose decision changes: was and becomes. Units thousandths, rates ten-thousandths, money minor units.

    ``checks``: codes of the checks that take another sum than before.
    """

    correction = models.ForeignKey(Correction, on_delete=models.PROTECT, related_name="lines")
    claim_line = models.ForeignKey(ClaimLine, on_delete=models.PROTECT, related_name="corrections")
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="+")
    recipient = models.ForeignKey(Recipient, on_delete=models.PROTECT, null=True, related_name="+")
    outcome_was = models.CharField(max_length=8)
    outcome_becomes = models.CharField(max_length=8)
    units_was = models.BigIntegerField()
    units_becomes = models.BigIntegerField()
    rate_was = models.BigIntegerField()
    rate_becomes = models.BigIntegerField()
    gross_was = models.BigIntegerField()
    gross_becomes = models.BigIntegerField()
    fee_was = models.BigIntegerField()
    fee_becomes = models.BigIntegerField()
    payable_was = models.BigIntegerField()
    payable_becomes = models.BigIntegerField()
    checks = models.JSONField(default=list)

    class Meta:
        verbose_name = _("corrected line")
        constraints = [
            models.UniqueConstraint(fields=["correction", "claim_line"], name="correction_line_once"),
            models.CheckConstraint(
                name="correction_line_identity",
                condition=models.Q(gross_was=models.F("fee_was") + models.F("payable_was"))
                & models.Q(gross_becomes=models.F("fee_becomes") + models.F("payable_becomes")),
            ),
        ]
        triggers = append_only("correction_line")

    def __str__(self) -> str:
        return f"{self.correction_id} {self.claim_line_id}"


class CorrectionClaim(AppendOnlyModel):
    """A claim that an approved correction took back (``reversal``) and the copy that was judged instead of it.

    Lines of the copy carry the numbers of the lines that they stand for.
    """

    correction = models.ForeignKey(Correction, on_delete=models.PROTECT, related_name="claims")
    claim = models.OneToOneField(Claim, on_delete=models.PROTECT, related_name="corrected_by")
    reversal = models.OneToOneField(Claim, on_delete=models.PROTECT, related_name="+")
    new_claim = models.OneToOneField(Claim, on_delete=models.PROTECT, related_name="corrects")

    class Meta:
        verbose_name = _("corrected claim")
        triggers = append_only("correction_claim")

    def __str__(self) -> str:
        return f"{self.correction_id} {self.claim_id}"


# Whoever prepared or approved the correction, or objects to it, does not answer the objection.
_OTHER_PERSON = """
    IF EXISTS (
        SELECT 1 FROM settlement_correctionobjection o JOIN settlement_correction c ON c.id = o.correction_id
        WHERE o.id = NEW.objection_id AND NEW.answered_by_id IN (o.submitted_by_id, c.proposed_by_id, c.approved_by_id)
    ) THEN
        RAISE EXCEPTION 'an objection is answered by another person' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'objection_other_person';
    END IF;
    RETURN NEW;
"""


class CorrectionObjection(AppendOnlyModel):
    """A recipient disputes what a correction changes for them. Providers appeal against the decision on the claim."""

    correction = models.ForeignKey(Correction, on_delete=models.PROTECT, related_name="objections")
    recipient = models.ForeignKey(Recipient, on_delete=models.PROTECT, related_name="correction_objections")
    reason = models.CharField(max_length=1000)
    submitted_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("objection to a correction")
        constraints = [
            models.UniqueConstraint(fields=["correction", "recipient"], name="correction_objection_once"),
            models.CheckConstraint(name="correction_objection_reason", condition=~models.Q(reason="")),
        ]
        triggers = append_only("correction_objection")

    def __str__(self) -> str:
        return f"{self.correction_id} {self.recipient_id}"


class ObjectionAnswer(AppendOnlyModel):
    """The answer of a person who had no part in the correction. An upheld objection posts nothing by itself: the facts
    are put right, and another correction of the month takes them up.
    """

    objection = models.OneToOneField(CorrectionObjection, on_delete=models.PROTECT, related_name="answer")
    upheld = models.BooleanField()
    reason = models.CharField(max_length=1000)
    answered_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("answer to an objection")
        constraints = [models.CheckConstraint(name="objection_answer_reason", condition=~models.Q(reason=""))]
        triggers = [
            *append_only("objection_answer"),
            pgtrigger.Trigger(
                name="objection_other_person", when=pgtrigger.Before, operation=pgtrigger.Insert, func=_OTHER_PERSON
            ),
        ]

    def __str__(self) -> str:
        return f"{self.objection_id}: {self.upheld}"
