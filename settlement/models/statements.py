"""Bank statements as they came, and the matches to payments."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation, User
from config.states import StatefulModel, StateTable
from settlement.models.payments import Payment

STATEMENT_STATES = StateTable(
    moves={
        "quarantined": frozenset({"imported", "refused"}),
        "imported": frozenset({"reconciled"}),
    },
    initial=frozenset({"quarantined", "imported"}),
)

LINE_STATES = StateTable(
    moves={
        "unmatched": frozenset({"matched", "partial", "explained"}),
        "partial": frozenset({"matched", "unmatched"}),
        "matched": frozenset({"unmatched"}),
        "explained": frozenset({"unmatched"}),
    },
    initial=frozenset({"unmatched"}),
)


class Statement(StatefulModel):
    """A statement file of a bank account. ``content_sha256`` and the bank's own id make a repeat recognisable;
    ``problems`` lists what the tolerant reader found; balances in minor units.
    """

    STATES = STATEMENT_STATES

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    iban = models.CharField(max_length=34)
    statement_id = models.CharField(max_length=70)
    sequence = models.BigIntegerField(null=True, blank=True)
    format = models.CharField(max_length=24)
    content_sha256 = models.CharField(max_length=64)
    from_date = models.DateField(null=True, blank=True)
    to_date = models.DateField(null=True, blank=True)
    opening_minor = models.BigIntegerField(null=True, blank=True)
    closing_minor = models.BigIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3)
    problems = models.JSONField(default=list)
    imported_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True)
    imported_at = models.DateTimeField()

    class Meta:
        verbose_name = _("bank statement")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "iban", "statement_id"], name="statement_once"
            ),
            models.UniqueConstraint(fields=["organisation", "content_sha256", "iban"], name="statement_content_once"),
        ]
        triggers = STATEMENT_STATES.triggers("statement")

    def __str__(self) -> str:
        return self.statement_id


class StatementLine(StatefulModel):
    """A bank record. ``amount_minor`` is signed: credit to our account positive."""

    STATES = LINE_STATES

    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveIntegerField()
    booked_on = models.DateField()
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    end_to_end_id = models.CharField(max_length=70, blank=True)
    bank_reference = models.CharField(max_length=70, blank=True)
    counterparty_iban = models.CharField(max_length=34, blank=True)
    counterparty_name = models.CharField(max_length=200, blank=True)
    remittance_text = models.CharField(max_length=600, blank=True)
    return_reason = models.CharField(max_length=16, blank=True)
    is_return = models.BooleanField(default=False)
    explanation = models.CharField(max_length=300, blank=True)
    explained_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True)

    class Meta:
        verbose_name = _("statement line")
        constraints = [
            models.UniqueConstraint(fields=["statement", "position"], name="statement_line_once"),
            models.CheckConstraint(name="statement_line_not_zero", condition=~models.Q(amount_minor=0)),
        ]
        triggers = LINE_STATES.triggers("statement_line")

    def __str__(self) -> str:
        return f"{self.statement_id} {self.position}"


class Match(models.Model):
    """A link of a statement line to a payment, with how it was found. Undone matches stay with ``undone_at``.

    A payment is matched once by an outgoing line and at most once by a return while the matches live.
    """

    KINDS = [("payment", _("payment")), ("return", _("return"))]

    statement_line = models.ForeignKey(StatementLine, on_delete=models.PROTECT, related_name="matches")
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="matches")
    kind = models.CharField(max_length=8, choices=KINDS)
    amount_minor = models.BigIntegerField()
    rule = models.CharField(max_length=32)
    confidence = models.PositiveSmallIntegerField()
    reason = models.CharField(max_length=300, blank=True)
    matched_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True)
    matched_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["payment", "kind"], name="match_once", condition=models.Q(undone_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.statement_line_id} {self.payment_id} {self.kind}"
