"""Clawback: money that was paid and is asked back, from the finding to the last kopiyka: for lines of claims, or what a
provider owes of a paid month that was corrected.

Found → notified → replied → decided → recovered → closed; a case that is dropped is closed at once. Minor units.
"""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation, User
from config.fields import AppendOnlyModel, append_only
from config.states import StatefulModel, StateTable
from contracts.models import Contract, Provider
from settlement.models.claims import ClaimLine, Remittance
from settlement.models.statements import StatementLine, takes_of_lines, undone_with_reason

CLAWBACK_STATES = StateTable(
    moves={
        "found": frozenset({"notified", "closed"}),
        "notified": frozenset({"replied", "decided", "closed"}),
        "replied": frozenset({"decided", "closed"}),
        "decided": frozenset({"recovered"}),
        # Money that was taken for the case by mistake is owed again.
        "recovered": frozenset({"closed", "decided"}),
    },
    initial=frozenset({"found"}),
)

# A remittance ``m`` that stands on what a provider owes by a decided case, and no longer against its payments.
ASKED_BACK = """EXISTS (SELECT 1 FROM settlement_clawbackdebt d JOIN settlement_clawbackcase k ON k.id = d.case_id
    WHERE d.remittance_id = m.id AND k.outcome = 'whole')"""
# A remittance ``m`` that is settled: paid by the bank, kept back in full for an earlier case, or set off in one.
SETTLED = f"""(m.payable = 0 AND m.offsets > 0 OR EXISTS (
    SELECT 1 FROM settlement_paymentremittance i JOIN settlement_payment y ON y.id = i.payment_id
    WHERE i.remittance_id = m.id AND i.live AND y.status = 'confirmed') OR {ASKED_BACK})"""  # noqa: S608  a constant
# What is upheld of a case ``k``, minor units.
UPHELD = """(COALESCE((SELECT sum(x.upheld_minor) FROM settlement_clawbackline x WHERE x.case_id = k.id), 0)
    + CASE k.outcome WHEN 'whole' THEN k.debt_minor ELSE 0 END)"""

_LINE_LIMIT = f"""
    PERFORM 1 FROM settlement_claim c WHERE c.id = (SELECT claim_id FROM settlement_claimline
        WHERE id = NEW.claim_line_id) FOR UPDATE;
    IF NOT EXISTS (
        SELECT 1 FROM settlement_clawbackcase k JOIN settlement_claimline l ON l.id = NEW.claim_line_id
        JOIN settlement_claim c ON c.id = l.claim_id
        WHERE k.id = NEW.case_id AND k.status = 'found' AND l.service_date >= k.look_back_from
          AND k.debt_minor = 0 AND c.provider_id = k.provider_id AND c.organisation_id = k.organisation_id
          AND NOT EXISTS (SELECT 1 FROM settlement_claim t WHERE t.reverses_id = c.id AND t.status <> 'withdrawn')
    ) THEN
        RAISE EXCEPTION 'line % cannot be claimed back in this case', NEW.claim_line_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'clawback_line_allowed';
    END IF;
    SELECT COALESCE(sum(a.payable), 0) INTO paid FROM settlement_adjudication a
    JOIN settlement_remittance m ON m.run_id = a.run_id AND m.claim_id = a.claim_id
    WHERE a.claim_line_id = NEW.claim_line_id AND (a.reverses_id IS NOT NULL OR {SETTLED});
    SELECT COALESCE(sum(COALESCE(x.upheld_minor, x.amount_minor)), 0) INTO taken FROM settlement_clawbackline x
    WHERE x.claim_line_id = NEW.claim_line_id;
    IF taken + NEW.amount_minor > paid THEN
        RAISE EXCEPTION 'more is claimed back for line % than was paid', NEW.claim_line_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'clawback_line_limit';
    END IF;
    RETURN NEW;
"""  # noqa: S608  put together from texts of this file

_RECOVERY_LIMIT = f"""
    PERFORM 1 FROM settlement_clawbackcase k WHERE k.id = NEW.case_id FOR UPDATE;
    IF NEW.amount_minor > (
        SELECT {UPHELD}
            - COALESCE((SELECT sum(r.amount_minor) FROM settlement_clawbackrecovery r WHERE r.case_id = k.id), 0)
        FROM settlement_clawbackcase k WHERE k.id = NEW.case_id AND k.status = 'decided'
    ) IS NOT FALSE THEN
        RAISE EXCEPTION 'more is recovered for case % than was decided', NEW.case_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'clawback_recovery_limit';
    END IF;
    RETURN NEW;
"""  # noqa: S608  put together from texts of this file
# A remittance is paid or asked back: who takes it locks its claim first. The rows are written when the case is opened.
_DEBT_FREE = """
    PERFORM 1 FROM settlement_claim c WHERE c.id = (SELECT claim_id FROM settlement_remittance
        WHERE id = NEW.remittance_id) FOR UPDATE;
    IF NOT EXISTS (
        SELECT 1 FROM settlement_clawbackcase k JOIN settlement_remittance m ON m.id = NEW.remittance_id
        JOIN settlement_adjudicationrun r ON r.id = m.run_id
        WHERE k.id = NEW.case_id AND k.status = 'found' AND k.debt_period = r.period AND k.provider_id = m.provider_id
          AND k.organisation_id = r.organisation_id AND m.payable = -NEW.amount_minor
          AND NOT EXISTS (SELECT 1 FROM settlement_paymentremittance i WHERE i.remittance_id = m.id AND i.live)
          AND NOT EXISTS (SELECT 1 FROM settlement_clawbackdebt d JOIN settlement_clawbackcase o ON o.id = d.case_id
                          WHERE d.remittance_id = m.id AND o.outcome <> 'dropped')
    ) THEN
        RAISE EXCEPTION 'remittance % cannot be asked back in this case', NEW.remittance_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'clawback_debt_allowed';
    END IF;
    RETURN NEW;
"""
_DEBT_WHOLE = """
    IF NEW.debt_minor <> (SELECT COALESCE(sum(d.amount_minor), 0) FROM settlement_clawbackdebt d
                          WHERE d.case_id = NEW.id) THEN
        RAISE EXCEPTION 'case % does not rest on what it asks back', NEW.number
            USING ERRCODE = 'check_violation', CONSTRAINT = 'clawback_debt_whole';
    END IF;
    RETURN NEW;
"""


class ClawbackCase(StatefulModel):
    """Money asked back from one provider: for lines of claims under one contract, or what it owes of a paid month,
    ``debt_minor`` of ``debt_period`` (minor units), which no payment takes off while the case stands.

    Who opens a case never decides it. ``look_back_from``: the earliest day of a service that it may rest on.
    ``reply_until`` and ``return_until`` are the last days of their terms; after ``return_until`` the next runs keep
    back what is still owed.
    """

    STATES: ClassVar[StateTable] = CLAWBACK_STATES
    FOUND_BY = [
        ("office", _("the office's own check")),
        ("pattern", _("a pattern in claims")),
        ("monitoring", _("monitoring of quality")),
        ("complaint", _("a complaint")),
        ("audit", _("an audit")),
        ("correction", _("a correction of a paid month")),
    ]
    OUTCOMES = [("whole", _("upheld in whole")), ("part", _("upheld in part")), ("dropped", _("dropped"))]

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    number = models.CharField(max_length=64)
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="clawbacks")
    contract_number = models.CharField(max_length=64, blank=True)
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, null=True, blank=True, related_name="clawbacks")
    found_by = models.CharField(max_length=12, choices=FOUND_BY)
    finding = models.CharField(max_length=1000)
    ground = models.CharField(max_length=300)
    look_back_from = models.DateField()
    debt_period = models.DateField(null=True, blank=True)
    debt_minor = models.BigIntegerField(default=0)
    rf_reference = models.CharField(max_length=35)
    opened_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    notified_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    notified_at = models.DateTimeField(null=True, blank=True)
    reply_until = models.DateField(null=True, blank=True)
    outcome = models.CharField(max_length=8, choices=OUTCOMES, blank=True)
    decision_reason = models.CharField(max_length=1000, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    return_until = models.DateField(null=True, blank=True)

    class Meta:
        verbose_name = _("clawback case")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "number"], name="clawback_number_once"),
            models.UniqueConstraint(fields=["organisation", "rf_reference"], name="clawback_reference_once"),
            models.CheckConstraint(
                name="clawback_four_eyes",
                condition=models.Q(decided_by__isnull=True) | ~models.Q(decided_by=models.F("opened_by")),
            ),
            models.CheckConstraint(
                name="clawback_debt",
                condition=(models.Q(debt_period__isnull=True, debt_minor=0) & ~models.Q(found_by="correction"))
                | (
                    models.Q(debt_period__day=1, debt_minor__gt=0, found_by="correction", contract__isnull=True)
                    & models.Q(contract_number="")
                    & ~models.Q(outcome="part")
                ),
            ),
            models.CheckConstraint(
                name="clawback_notified",
                condition=models.Q(notified_at__isnull=True, reply_until__isnull=True)
                | models.Q(notified_at__isnull=False, reply_until__isnull=False),
            ),
            models.CheckConstraint(
                name="clawback_decision",
                condition=models.Q(
                    outcome="",
                    decision_reason="",
                    decided_by__isnull=True,
                    decided_at__isnull=True,
                    return_until__isnull=True,
                    status__in=["found", "notified", "replied"],
                )
                | (
                    models.Q(decided_by__isnull=False, decided_at__isnull=False)
                    & ~models.Q(decision_reason="")
                    & (
                        models.Q(outcome="dropped", return_until__isnull=True, status="closed")
                        | models.Q(
                            outcome__in=["whole", "part"],
                            return_until__isnull=False,
                            notified_at__isnull=False,
                            status__in=["decided", "recovered", "closed"],
                        )
                    )
                ),
            ),
        ]
        indexes = [models.Index(fields=["organisation", "provider", "status"], name="clawback_provider")]
        triggers = [
            *CLAWBACK_STATES.triggers("clawback"),
            pgtrigger.Protect(name="clawback_kept", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(
                name="clawback_written_once",
                fields=[
                    "organisation", "number", "provider", "contract_number", "contract", "found_by", "finding",
                    "ground", "look_back_from", "debt_period", "debt_minor", "rf_reference", "opened_by", "opened_at",
                ],
            ),
            pgtrigger.Trigger(
                name="clawback_debt_whole",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(new__debt_minor__gt=0) & pgtrigger.Q(old__status__df=pgtrigger.F("new__status")),
                func=_DEBT_WHOLE,
            ),
            pgtrigger.Protect(
                name="clawback_decided_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__decided_at__isnull=False)
                & (
                    pgtrigger.Q(old__decided_at__df=pgtrigger.F("new__decided_at"))
                    | pgtrigger.Q(old__decided_by__df=pgtrigger.F("new__decided_by"))
                    | pgtrigger.Q(old__outcome__df=pgtrigger.F("new__outcome"))
                    | pgtrigger.Q(old__decision_reason__df=pgtrigger.F("new__decision_reason"))
                    | pgtrigger.Q(old__return_until__df=pgtrigger.F("new__return_until"))
                ),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.number


class ClawbackLine(models.Model):
    """A claim line of a case: what is asked back of it, and what the decision upholds (0: nothing).

    The database refuses more than was paid for the line less reversals and earlier cases.
    """

    case = models.ForeignKey(ClawbackCase, on_delete=models.PROTECT, related_name="lines")
    claim_line = models.ForeignKey(ClaimLine, on_delete=models.PROTECT, related_name="clawbacks")
    amount_minor = models.BigIntegerField()
    upheld_minor = models.BigIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "claim_line"], name="clawback_line_once"),
            models.CheckConstraint(name="clawback_line_positive", condition=models.Q(amount_minor__gt=0)),
            models.CheckConstraint(
                name="clawback_line_upheld",
                condition=models.Q(upheld_minor__isnull=True)
                | models.Q(upheld_minor__gte=0, upheld_minor__lte=models.F("amount_minor")),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="clawback_line_limit",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                declare=[("paid", "bigint"), ("taken", "bigint")],
                func=_LINE_LIMIT,
            ),
            pgtrigger.Protect(name="clawback_line_kept", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(name="clawback_line_written_once", fields=["case", "claim_line", "amount_minor"]),
            pgtrigger.Protect(
                name="clawback_line_decided_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__upheld_minor__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.claim_line_id}"


class ClawbackDebt(AppendOnlyModel):
    """A remittance of the month that a case asks back: ``amount_minor`` is what it adds to the debt, the opposite of
    what would be paid for it. All that was unpaid of the provider's month stands here together, so that no payment of
    a later month takes it off; once the case is dropped, it counts as unpaid again.
    """

    case = models.ForeignKey(ClawbackCase, on_delete=models.PROTECT, related_name="debts")
    remittance = models.ForeignKey(Remittance, on_delete=models.PROTECT, related_name="debts")
    amount_minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "remittance"], name="clawback_debt_once"),
            models.CheckConstraint(name="clawback_debt_moves", condition=~models.Q(amount_minor=0)),
        ]
        triggers = [
            *append_only("clawback_debt"),
            pgtrigger.Trigger(
                name="clawback_debt_allowed", when=pgtrigger.Before, operation=pgtrigger.Insert, func=_DEBT_FREE
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.remittance_id}"


class ClawbackReply(AppendOnlyModel):
    """What the provider says to the notice. Evidence is attached."""

    case = models.OneToOneField(ClawbackCase, on_delete=models.PROTECT, related_name="reply")
    text = models.CharField(max_length=2000)
    submitted_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("reply to a clawback")
        constraints = [models.CheckConstraint(name="clawback_reply_text", condition=~models.Q(text=""))]
        triggers = append_only("clawback_reply")

    def __str__(self) -> str:
        return f"{self.case_id}"


class ClawbackRecovery(AppendOnlyModel):
    """Money that came back for a case: with a bank line, or kept back from a remittance (CLM-46).

    A line that was no money for the case is undone by a row of the opposite amount that names the repayment.
    """

    case = models.ForeignKey(ClawbackCase, on_delete=models.PROTECT, related_name="recoveries")
    amount_minor = models.BigIntegerField()
    statement_line = models.ForeignKey(
        StatementLine, on_delete=models.PROTECT, null=True, blank=True, related_name="clawbacks"
    )
    remittance = models.ForeignKey(
        Remittance, on_delete=models.PROTECT, null=True, blank=True, related_name="clawbacks"
    )
    recovered_on = models.DateField()
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    recorded_at = models.DateTimeField()
    reason = models.CharField(max_length=300, blank=True)
    undoes = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="undone_by")

    class Meta:
        verbose_name = _("recovery of a clawback")
        constraints = [
            models.UniqueConstraint(fields=["case", "remittance"], name="clawback_offset_once"),
            # What a run kept back stays.
            models.CheckConstraint(
                name="clawback_recovery_sign",
                condition=models.Q(undoes__isnull=True, amount_minor__gt=0)
                | models.Q(undoes__isnull=False, amount_minor__lt=0, statement_line__isnull=False),
            ),
            undone_with_reason("clawback_recovery"),
            models.CheckConstraint(
                name="clawback_recovery_source",
                condition=models.Q(statement_line__isnull=True, remittance__isnull=False)
                | models.Q(statement_line__isnull=False, remittance__isnull=True),
            ),
        ]
        triggers = [
            *append_only("clawback_recovery"),
            pgtrigger.Trigger(
                name="clawback_recovery_limit", when=pgtrigger.Before, operation=pgtrigger.Insert, func=_RECOVERY_LIMIT
            ),
            takes_of_lines("clawback_recovery", "settlement_clawbackrecovery", "case_id"),
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.amount_minor}"


class ClawbackStanding(AppendOnlyModel):
    """What a provider had to give back, its term passed, when a run of a month began: CLM-46 keeps back at most that.

    Written by the run, or ``given`` with a package. ``run`` is the number in the month.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    period = models.DateField()
    run = models.PositiveIntegerField()
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="+")
    outstanding_minor = models.BigIntegerField()
    given = models.BooleanField(default=False)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "period", "run", "provider"], name="clawback_standing_once"
            ),
            models.CheckConstraint(name="clawback_standing_positive", condition=models.Q(outstanding_minor__gt=0)),
            models.CheckConstraint(name="clawback_standing_month", condition=models.Q(period__day=1)),
        ]
        triggers = append_only("clawback_standing")

    def __str__(self) -> str:
        return f"{self.period:%Y-%m}/{self.run} {self.provider_id}"
