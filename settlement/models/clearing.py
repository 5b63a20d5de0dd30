"""Clearing between municipalities: what is due for certificates used elsewhere, monthly statements, their payment.

``organisation`` of an item is the municipality that bought the visit; ``home`` issued the certificate and refunds it.
"""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation, User
from config.fields import AppendOnlyModel, append_only
from config.states import StatefulModel, StateTable
from contracts.models import ClearingAgreement, Service
from settlement.models.claims import Adjudication, AdjudicationRun, Claim, ClaimLine
from settlement.models.clawbacks import ClawbackLine
from settlement.models.statements import StatementLine, takes_of_lines, undone_with_reason
from vouchers.models import Certificate

STATEMENT_STATES = StateTable(
    # A bank line that was no payment after all leaves a settled statement to be paid again.
    moves={"drawn": frozenset({"agreed"}), "agreed": frozenset({"settled"}), "settled": frozenset({"agreed"})},
    initial=frozenset({"drawn"}),
)
OWED, DROPPED = "owed", "dropped"


# What is worked out anew is the refund of one decision, and of nothing else.
_SAME_VISIT = """
IF NEW.corrects_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM settlement_clearingitem o JOIN settlement_adjudication a ON a.id = o.adjudication_id
    JOIN settlement_clearingrevision r ON r.id = NEW.revision_id
    JOIN contracts_clearingagreement t ON t.id = r.agreement_id
    WHERE o.id = NEW.corrects_id AND a.reverses_id IS NULL AND t.host_id = NEW.organisation_id
      AND t.home_id = NEW.home_id AND t.norm = 'home'
      AND (o.organisation_id, o.home_id, o.period, o.certificate_id, o.service_id, o.claim_id, o.claim_line_id)
        = (NEW.organisation_id, NEW.home_id, NEW.period, NEW.certificate_id, NEW.service_id, NEW.claim_id,
           NEW.claim_line_id)
) THEN
    RAISE EXCEPTION 'item % is not worked out anew by another visit', NEW.corrects_id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'clearing_item_same_visit';
END IF;
RETURN NEW;
"""


class ClearingRevision(AppendOnlyModel):
    """Refunds worked out anew by the norm costs of the issuer that are known now: one document of the host for an
    agreement. Its items are the differences; statements take them up, and both sides sign those.
    """

    agreement = models.ForeignKey(ClearingAgreement, on_delete=models.PROTECT, related_name="revisions")
    number = models.CharField(max_length=64)
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("refunds worked out anew")
        constraints = [models.UniqueConstraint(fields=["agreement", "number"], name="clearing_revision_once")]
        triggers = append_only("clearing_revision")

    def __str__(self) -> str:
        return self.number


class ClearingItem(AppendOnlyModel):
    """What the issuer of a certificate owes for a decision on a claim line; opposite when the decision is taken back or
    money comes back from the provider; a difference, more or less, when the refund is worked out anew (``corrects``).

    Money: minor units. ``due_minor`` is the payable part, under the issuer's norm cost (``norm_e4``) at most what that
    leaves. ``certificate`` is the host's; ``service`` too. ``claim`` is the one judged: of a reversal the copy.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    home = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    period = models.DateField()
    certificate = models.ForeignKey(Certificate, on_delete=models.PROTECT, related_name="clearing_items")
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="+")
    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="clearing_items")
    claim_line = models.ForeignKey(ClaimLine, on_delete=models.PROTECT, related_name="clearing_items")
    run = models.ForeignKey(
        AdjudicationRun, on_delete=models.PROTECT, null=True, blank=True, related_name="clearing_items"
    )
    adjudication = models.OneToOneField(Adjudication, on_delete=models.PROTECT, null=True, blank=True)
    clawback_line = models.OneToOneField(ClawbackLine, on_delete=models.PROTECT, null=True, blank=True)
    corrects = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="corrections")
    revision = models.ForeignKey(
        ClearingRevision, on_delete=models.PROTECT, null=True, blank=True, related_name="items"
    )
    units_milli = models.BigIntegerField()
    payable_minor = models.BigIntegerField()
    norm_e4 = models.BigIntegerField(null=True, blank=True)
    due_minor = models.BigIntegerField()
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("visit to be cleared")
        constraints = [
            models.CheckConstraint(
                name="clearing_item_source",
                condition=models.Q(
                    adjudication__isnull=False,
                    run__isnull=False,
                    clawback_line__isnull=True,
                    corrects__isnull=True,
                    revision__isnull=True,
                )
                | models.Q(
                    adjudication__isnull=True,
                    run__isnull=True,
                    clawback_line__isnull=False,
                    corrects__isnull=True,
                    revision__isnull=True,
                )
                | models.Q(
                    adjudication__isnull=True,
                    run__isnull=True,
                    clawback_line__isnull=True,
                    corrects__isnull=False,
                    revision__isnull=False,
                    units_milli=0,
                    payable_minor=0,
                ),
            ),
            models.UniqueConstraint(fields=["revision", "corrects"], name="clearing_item_once_anew"),
            models.CheckConstraint(
                name="clearing_item_difference",
                condition=models.Q(corrects__isnull=True) | ~models.Q(due_minor=0),
            ),
        ]
        indexes = [models.Index(fields=["organisation", "home", "period"], name="clearing_item_pair")]
        triggers = [
            *append_only("clearing_item"),
            pgtrigger.Trigger(
                name="clearing_item_same_visit", when=pgtrigger.Before, operation=pgtrigger.Insert, func=_SAME_VISIT
            ),
        ]

    def __str__(self) -> str:
        return f"{self.claim_line_id} {self.due_minor}"


class ClearingStatement(StatefulModel):
    """What two municipalities owe each other for a month, set off. ``first`` has the lower key.

    Money: minor units, undisputed lines only. It is agreed when a person of each side signed; a dispute takes both
    signatures away. It is settled when each side booked the payment of the net sum, or when there is none.
    """

    STATES = STATEMENT_STATES

    first = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    second = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    period = models.DateField()
    number = models.CharField(max_length=160, unique=True)
    first_owes_minor = models.BigIntegerField(default=0)
    second_owes_minor = models.BigIntegerField(default=0)
    first_signed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    first_signed_at = models.DateTimeField(null=True, blank=True)
    second_signed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    second_signed_at = models.DateTimeField(null=True, blank=True)
    drawn_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("clearing statement")
        constraints = [
            models.UniqueConstraint(fields=["first", "second", "period"], name="clearing_statement_once"),
            models.CheckConstraint(name="clearing_statement_order", condition=models.Q(first__lt=models.F("second"))),
            models.CheckConstraint(name="clearing_statement_month", condition=models.Q(period__day=1)),
            models.CheckConstraint(
                name="clearing_statement_four_eyes",
                condition=models.Q(first_signed_by__isnull=True)
                | models.Q(second_signed_by__isnull=True)
                | ~models.Q(first_signed_by=models.F("second_signed_by")),
            ),
            models.CheckConstraint(
                name="clearing_statement_agreed_by_both",
                condition=models.Q(status="drawn")
                | models.Q(first_signed_by__isnull=False, second_signed_by__isnull=False),
            ),
        ]
        triggers = [
            *STATEMENT_STATES.triggers("clearing_statement"),
            pgtrigger.Protect(name="clearing_statement_kept", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(name="clearing_statement_written_once", fields=["first", "second", "period", "number"]),
            pgtrigger.Protect(
                name="clearing_statement_agreed_stays",
                operation=pgtrigger.UpdateOf("first_owes_minor", "second_owes_minor"),
                condition=~pgtrigger.Q(old__status="drawn"),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def net_minor(self) -> int:
        """What the first owes the second when both sums are set off; negative the other way."""
        return self.first_owes_minor - self.second_owes_minor

    def paid_by(self, side: Organisation) -> int:
        """What leaves the bank of a side, minor units; negative: what comes."""
        return self.net_minor if side.pk == self.first_id else -self.net_minor

    def other(self, side: Organisation) -> Organisation:
        """The other municipality."""
        return self.second if side.pk == self.first_id else self.first

    def signed_by(self, side: Organisation) -> User | None:
        """Who signed for a side."""
        return self.first_signed_by if side.pk == self.first_id else self.second_signed_by


class ClearingLine(models.Model):
    """An item on a statement. Disputed, it stays out of the sums: it is ``owed`` after all, and goes into a later
    statement, or ``dropped`` by who bought the visit, and stays with its budget.
    """

    ANSWERS = [(OWED, _("owed after all")), (DROPPED, _("given up"))]

    statement = models.ForeignKey(ClearingStatement, on_delete=models.PROTECT, related_name="lines")
    item = models.ForeignKey(ClearingItem, on_delete=models.PROTECT, related_name="lines")
    reason = models.CharField(max_length=300, blank=True)
    disputed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    disputed_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(max_length=8, choices=ANSWERS, blank=True)
    answered_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("line of a clearing statement")
        constraints = [
            models.UniqueConstraint(fields=["item"], name="clearing_line_once", condition=~models.Q(answer=OWED)),
            models.CheckConstraint(
                name="clearing_line_dispute",
                condition=models.Q(disputed_at__isnull=True, disputed_by__isnull=True, reason="", answer="")
                | (models.Q(disputed_at__isnull=False, disputed_by__isnull=False) & ~models.Q(reason="")),
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="clearing_line_kept", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(name="clearing_line_written_once", fields=["statement", "item"]),
        ]

    def __str__(self) -> str:
        return f"{self.statement_id} {self.item_id}"


# One side pays a statement once, unless its payment was undone.
_ONCE = """
PERFORM 1 FROM settlement_clearingstatement WHERE id = NEW.statement_id FOR NO KEY UPDATE;
IF NEW.undoes_id IS NULL AND (SELECT COALESCE(sum(amount_minor), 0) FROM settlement_clearingpayment
        WHERE statement_id = NEW.statement_id AND organisation_id = NEW.organisation_id) <> 0 THEN
    RAISE EXCEPTION 'clearing statement % is paid already', NEW.statement_id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'clearing_payment_once';
END IF;
RETURN NEW;
"""


class ClearingPayment(AppendOnlyModel):
    """The net sum of a statement on a side's bank account, signed as there; or the opposite of it, which undoes one."""

    statement = models.ForeignKey(ClearingStatement, on_delete=models.PROTECT, related_name="payments")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    statement_line = models.ForeignKey(StatementLine, on_delete=models.PROTECT, related_name="clearings")
    amount_minor = models.BigIntegerField()
    reason = models.CharField(max_length=300, blank=True)
    undoes = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="undone_by")
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("payment of a clearing statement")
        constraints = [undone_with_reason("clearing_payment")]
        triggers = [
            *append_only("clearing_payment"),
            pgtrigger.Trigger(
                name="clearing_payment_once", when=pgtrigger.Before, operation=pgtrigger.Insert, func=_ONCE
            ),
            takes_of_lines("clearing_payment", "settlement_clearingpayment", "statement_id"),
        ]

    def __str__(self) -> str:
        return f"{self.statement_id} {self.amount_minor}"


# For SQL: items on agreed statements, and those that who bought the visit gave up (``FROM {CLEARED} i``).
CLEARED = (
    "(SELECT ci.*, cl.statement_id FROM settlement_clearingitem ci JOIN settlement_clearingline cl"
    " ON cl.item_id = ci.id AND cl.disputed_at IS NULL JOIN settlement_clearingstatement cs"
    " ON cs.id = cl.statement_id AND cs.status <> 'drawn')"
)
GIVEN_UP = (
    "(SELECT ci.*, cl.answered_at FROM settlement_clearingitem ci JOIN settlement_clearingline cl"
    " ON cl.item_id = ci.id AND cl.answer = 'dropped')"
)
