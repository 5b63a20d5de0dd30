"""Advances to providers: money paid before the services, used up by claims of the same contract, the rest comes back.

What stands on an advance is what was granted, less what claims used and what came back. Minor units.
"""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation, User
from config.fields import AppendOnlyModel, append_only
from config.states import StatefulModel, StateTable
from contracts.models import BudgetLine, Contract, Provider
from settlement.models.claims import Remittance
from settlement.models.payments import Payment, PaymentRun
from settlement.models.statements import StatementLine, takes_of_lines, undone_with_reason

ADVANCE_STATES = StateTable(
    moves={
        "proposed": frozenset({"approved", "cancelled"}),
        "approved": frozenset({"paid", "due", "settled", "cancelled"}),
        # Money that the bank brought back, or a match that was wrong: it waits to be paid again.
        "paid": frozenset({"approved", "due", "settled"}),
        "due": frozenset({"approved", "settled"}),
        # A claim that is taken back, or a repayment that was something else.
        "settled": frozenset({"approved", "paid", "due"}),
    },
    initial=frozenset({"proposed"}),
)

# What stands on the advance ``{advance}``, beside what is being written.
_STANDING = """(SELECT a.amount_minor
        - (SELECT COALESCE(sum(u.amount_minor), 0) FROM settlement_advanceuse u WHERE u.advance_id = a.id)
        - (SELECT COALESCE(sum(r.amount_minor), 0) FROM settlement_advancereturn r WHERE r.advance_id = a.id)
    FROM settlement_advance a WHERE a.id = NEW.advance_id AND a.status IN ({states}))"""


# Of an advance that was asked back a run uses no more than what it gives back itself.
_AGAIN = """
        AND NOT EXISTS (SELECT 1 FROM settlement_advance a
            WHERE a.id = NEW.advance_id AND a.status = 'due' AND NEW.amount_minor <= -(
                SELECT COALESCE(sum(u.amount_minor), 0) FROM settlement_advanceuse u
                JOIN settlement_remittance m ON m.id = u.remittance_id
                WHERE u.advance_id = a.id
                  AND m.run_id = (SELECT r.run_id FROM settlement_remittance r WHERE r.id = NEW.remittance_id)))"""


def _limit(name: str, states: str, but: str = "") -> pgtrigger.Trigger:
    """No row takes more than stands on its advance; an advance in another state gives nothing, ``but`` what is said."""
    return pgtrigger.Trigger(
        name=f"{name}_limit",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        func=f"""
    IF NEW.advance_id IS NULL THEN
        RETURN NEW;
    END IF;
    PERFORM 1 FROM settlement_advance a WHERE a.id = NEW.advance_id FOR UPDATE;
    IF NEW.amount_minor > 0 AND NEW.amount_minor > {_STANDING.format(states=states)} IS NOT FALSE{but} THEN
        RAISE EXCEPTION 'more is taken of advance % than stands on it', NEW.advance_id
            USING ERRCODE = 'check_violation', CONSTRAINT = '{name}_limit';
    END IF;
    RETURN NEW;
    """,
    )


class Advance(StatefulModel):
    """Money paid to one provider before its services, under one contract and charged to nobody yet.

    Who proposes never approves. ``planned_units_milli`` and ``tariff_e4`` are the plan that it rests on, if any.
    ``percent_max``: the part of the contract that could be advanced when it was proposed, with ``rule`` as its source.
    ``use_until``: claims of later months do not use it. ``return_until``: set when what is unused was asked back.
    """

    STATES: ClassVar[StateTable] = ADVANCE_STATES

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    number = models.CharField(max_length=64)
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="advances")
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="advances")
    budget_line = models.ForeignKey(BudgetLine, on_delete=models.PROTECT, related_name="advances")
    amount_minor = models.BigIntegerField()
    planned_units_milli = models.BigIntegerField(null=True, blank=True)
    tariff_e4 = models.BigIntegerField(null=True, blank=True)
    purpose = models.CharField(max_length=300)
    use_until = models.DateField()
    rule = models.JSONField(default=dict)
    rf_reference = models.CharField(max_length=35)
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    approved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField(null=True, blank=True)
    return_until = models.DateField(null=True, blank=True)
    return_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = _("advance")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "number"], name="advance_number_once"),
            models.UniqueConstraint(fields=["organisation", "rf_reference"], name="advance_reference_once"),
            models.CheckConstraint(name="advance_positive", condition=models.Q(amount_minor__gt=0)),
            models.CheckConstraint(name="advance_purpose", condition=~models.Q(purpose="")),
            models.CheckConstraint(
                name="advance_four_eyes",
                condition=models.Q(approved_by__isnull=True) | ~models.Q(approved_by=models.F("proposed_by")),
            ),
            models.CheckConstraint(
                name="advance_approved",
                condition=models.Q(
                    approved_by__isnull=True, approved_at__isnull=True, status__in=["proposed", "cancelled"]
                )
                | models.Q(approved_by__isnull=False, approved_at__isnull=False) & ~models.Q(status="proposed"),
            ),
            models.CheckConstraint(
                name="advance_plan",
                condition=models.Q(planned_units_milli__isnull=True, tariff_e4__isnull=True)
                | models.Q(planned_units_milli__gt=0, tariff_e4__gt=0),
            ),
            models.CheckConstraint(
                name="advance_due",
                condition=~models.Q(status="due") | models.Q(return_until__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["organisation", "status"], name="advance_state")]
        triggers = [
            *ADVANCE_STATES.triggers("advance"),
            pgtrigger.Protect(name="advance_kept", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(
                name="advance_written_once",
                fields=[
                    "organisation", "number", "provider", "contract", "budget_line", "amount_minor",
                    "planned_units_milli", "tariff_e4", "purpose", "use_until", "rule", "rf_reference", "proposed_by",
                    "proposed_at",
                ],
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.number

    @property
    def payable(self) -> int:
        """What a payment run pays of it, minor units."""
        return self.amount_minor


class PaymentAdvance(models.Model):
    """Which advances a payment run pays: a run pays advances or remittances. ``live`` as for remittances."""

    payment_run = models.ForeignKey(PaymentRun, on_delete=models.PROTECT, related_name="advance_items")
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, null=True, blank=True, related_name="advance_items")
    advance = models.ForeignKey(Advance, on_delete=models.PROTECT, related_name="payment_items")
    live = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["advance"], name="advance_paid_once", condition=models.Q(live=True)),
        ]

    def __str__(self) -> str:
        return f"{self.payment_run_id} {self.advance_id}"


class AdvanceUse(AppendOnlyModel):
    """What a remittance used of an advance; negative where a claim that is taken back gives it back.

    Without ``advance``: the advance was paid before these books began and came with a package.
    """

    advance = models.ForeignKey(Advance, on_delete=models.PROTECT, null=True, blank=True, related_name="uses")
    remittance = models.ForeignKey(Remittance, on_delete=models.PROTECT, related_name="advance_uses")
    amount_minor = models.BigIntegerField()
    used_on = models.DateField()
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("use of an advance")
        constraints = [
            models.UniqueConstraint(fields=["advance", "remittance"], name="advance_use_once", nulls_distinct=False),
            models.CheckConstraint(name="advance_use_moves", condition=~models.Q(amount_minor=0)),
        ]
        triggers = [*append_only("advance_use"), _limit("advance_use", "'paid'", _AGAIN)]

    def __str__(self) -> str:
        return f"{self.advance_id} {self.amount_minor}"


class AdvanceReturn(AppendOnlyModel):
    """Unused money that came back with a bank line. A line that was something else is undone by a row of the opposite
    amount.
    """

    advance = models.ForeignKey(Advance, on_delete=models.PROTECT, related_name="returns")
    amount_minor = models.BigIntegerField()
    statement_line = models.ForeignKey(StatementLine, on_delete=models.PROTECT, related_name="advance_returns")
    returned_on = models.DateField()
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    recorded_at = models.DateTimeField()
    reason = models.CharField(max_length=300, blank=True)
    undoes = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="undone_by")

    class Meta:
        verbose_name = _("return of an advance")
        constraints = [
            models.CheckConstraint(
                name="advance_return_sign",
                condition=models.Q(undoes__isnull=True, amount_minor__gt=0)
                | models.Q(undoes__isnull=False, amount_minor__lt=0),
            ),
            undone_with_reason("advance_return"),
        ]
        triggers = [
            *append_only("advance_return"),
            _limit("advance_return", "'paid', 'due'"),
            takes_of_lines("advance_return", "settlement_advancereturn", "advance_id"),
        ]

    def __str__(self) -> str:
        return f"{self.advance_id} {self.amount_minor}"


class AdvanceStanding(AppendOnlyModel):
    """What stood on the advances of a contract when a run of a month began: claims use at most that.

    Written by the run, or ``given`` with a package. ``run`` is the number in the month.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    period = models.DateField()
    run = models.PositiveIntegerField()
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="+")
    outstanding_minor = models.BigIntegerField()
    given = models.BooleanField(default=False)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "period", "run", "contract"], name="advance_standing_once"),
            models.CheckConstraint(name="advance_standing_positive", condition=models.Q(outstanding_minor__gt=0)),
            models.CheckConstraint(name="advance_standing_month", condition=models.Q(period__day=1)),
        ]
        triggers = append_only("advance_standing")

    def __str__(self) -> str:
        return f"{self.period:%Y-%m}/{self.run} {self.contract_id}"
