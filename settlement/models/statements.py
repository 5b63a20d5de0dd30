"""Bank statements as they came, and the matches to payments."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation, User
from config.fields import AppendOnlyModel, append_only
from config.states import StatefulModel, StateTable
from settlement.models.payments import Payment

STATEMENT_STATES = StateTable(
    moves={
        "quarantined": frozenset({"imported", "refused"}),
        "imported": frozenset({"reconciled", "refused"}),
        "reconciled": frozenset({"imported", "refused"}),
    },
    initial=frozenset({"quarantined", "imported"}),
)

# A statement whose lines count.
IN_FORCE = ("imported", "reconciled")

LINE_STATES = StateTable(
    moves={
        "unmatched": frozenset({"matched", "partial", "explained"}),
        "partial": frozenset({"matched", "unmatched", "explained"}),
        "matched": frozenset({"unmatched", "partial"}),
        "explained": frozenset({"unmatched", "partial"}),
    },
    initial=frozenset({"unmatched"}),
)


# Whether the line ``{line}``, or the account of its statement, is of another currency than the books of its office;
# what says nothing is of ours.
_OTHER_CURRENCY = """EXISTS (SELECT 1 FROM settlement_statementline fl
    JOIN settlement_statement fs ON fs.id = fl.statement_id JOIN accounts_organisation fo ON fo.id = fs.organisation_id
    WHERE fl.id = {line} AND (fl.currency NOT IN ('', fo.currency) OR fs.currency NOT IN ('', fo.currency)))"""
# What of a statement that counts stands in the way of throwing it out: a line of it that money is booked by, and a line
# of another statement that counts once because this one tells it.
_IN_USE = """(SELECT 1 FROM settlement_statementline ul
    WHERE ul.statement_id = {statement}.id AND ul.status <> 'unmatched'
      AND NOT (ul.status = 'explained' AND ul.explained_by_id IS NULL)
    UNION ALL SELECT 1 FROM settlement_statementline ul JOIN settlement_statement us ON us.id = ul.statement_id
    WHERE us.organisation_id = {statement}.organisation_id AND us.iban = {statement}.iban
      AND us.id <> {statement}.id AND us.status <> 'refused' AND ul.status = 'explained'
      AND ul.explained_by_id IS NULL AND ul.explanation = {statement}.statement_id)"""
_REFUSE_CURRENCY = """RAISE EXCEPTION 'bank line % is of another currency than the books', {line}
            USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_line_currency';"""


class Statement(StatefulModel):
    """A statement file of a bank account. ``content_sha256`` and the bank's own id make a repeat recognisable;
    ``problems`` lists what the tolerant reader found; balances in minor units. ``decided_by`` took it out of quarantine
    or threw it out; one that counts already is thrown out by another person than brought it, and only while no money is
    booked by it.
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
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    decision_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = _("bank statement")
        constraints = [
            # One that was thrown out makes room: for the bank's corrected file, which carries the same id, and for the
            # same file read again with other columns.
            models.UniqueConstraint(
                fields=["organisation", "iban", "statement_id"],
                name="statement_once",
                condition=~models.Q(status="refused"),
            ),
            # Whoever brings a broken statement may throw it out, but not take it in.
            models.CheckConstraint(
                name="statement_accept_four_eyes",
                condition=models.Q(decided_by__isnull=True)
                | models.Q(status="refused")
                | ~models.Q(decided_by=models.F("imported_by")),
            ),
            models.UniqueConstraint(
                fields=["organisation", "content_sha256", "iban"],
                name="statement_content_once",
                condition=~models.Q(status="refused"),
            ),
        ]
        triggers = [
            *STATEMENT_STATES.triggers("statement"),
            pgtrigger.ReadOnly(name="statement_currency_written_once", fields=["organisation", "currency"]),
            pgtrigger.Trigger(
                name="statement_thrown_out",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("status"),
                condition=pgtrigger.Q(new__status="refused", old__status__in=IN_FORCE),
                func=f"""
    IF NEW.decided_by_id IS NULL OR NEW.decided_by_id = NEW.imported_by_id THEN
        RAISE EXCEPTION 'statement % is thrown out by another person than brought it', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'statement_refuse_four_eyes';
    END IF;
    IF EXISTS {_IN_USE.format(statement="NEW")} THEN
        RAISE EXCEPTION 'money is booked by statement %, or another counts once because of it', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'statement_refused_unused';
    END IF;
    RETURN NEW;
    """,
            ),
        ]

    def __str__(self) -> str:
        return self.statement_id


class StatementLine(StatefulModel):
    """A bank record. ``amount_minor`` is signed: credit to our account positive.

    Explained by nobody (``explained_by``) it is a repetition: another statement told it, ``explanation`` is the id of
    that statement, and it counts once. ``told_by`` is the person who said so; None when the import recognised it.
    """

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
    told_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("statement line")
        constraints = [
            models.UniqueConstraint(fields=["statement", "position"], name="statement_line_once"),
            models.CheckConstraint(name="statement_line_not_zero", condition=~models.Q(amount_minor=0)),
            models.CheckConstraint(
                name="statement_line_told_by",
                condition=models.Q(told_by__isnull=True) | models.Q(status="explained", explained_by__isnull=True),
            ),
        ]
        triggers = [
            *LINE_STATES.triggers("statement_line"),
            pgtrigger.ReadOnly(name="statement_line_currency_written_once", fields=["statement", "currency"]),
            # Whoever waited while a statement was thrown out would otherwise book money by a line of it, or leave a
            # movement to it that nobody counts then.
            pgtrigger.Trigger(
                name="statement_line_in_force",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("status"),
                condition=pgtrigger.Condition("OLD.status IS DISTINCT FROM NEW.status"),
                func="""
    IF EXISTS (SELECT 1 FROM settlement_statement WHERE id = NEW.statement_id AND status IN ('quarantined', 'refused'))
    THEN
        RAISE EXCEPTION 'bank line % is of a statement that does not count', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_line_in_force';
    END IF;
    IF NEW.status = 'explained' AND NEW.explained_by_id IS NULL THEN
        PERFORM 1 FROM settlement_statement o JOIN settlement_statement s ON s.id = NEW.statement_id
        WHERE o.organisation_id = s.organisation_id AND o.iban = s.iban AND o.id <> s.id
          AND o.statement_id = NEW.explanation AND o.status IN ('imported', 'reconciled') FOR KEY SHARE OF o;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'bank line % counts once by a statement that does not count', NEW.id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_line_told_before';
        END IF;
    END IF;
    RETURN NEW;
    """,
            ),
            pgtrigger.Trigger(
                name="statement_line_explained_currency",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("status"),
                condition=pgtrigger.Q(new__status="explained") & ~pgtrigger.Q(old__status="explained"),
                func=f"""
    IF {_OTHER_CURRENCY.format(line="NEW.id")} THEN
        {_REFUSE_CURRENCY.format(line="NEW.id")}
    END IF;
    RETURN NEW;
    """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.statement_id} {self.position}"


class Match(AppendOnlyModel):
    """A link of a statement line, or a part of it, to a payment, or a part of it, with how it was found.

    ``amount_minor`` is signed as on the account. Nothing is edited: a match that was wrong is undone by a row of the
    opposite amount that names it. A trigger keeps the sums: no line and no payment is matched beyond its amount, a
    payment is paid once and comes back once.
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
    undoes = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="undone_by")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="match_undone_with_reason", condition=models.Q(undoes__isnull=True) | ~models.Q(reason="")
            ),
            # A match takes out what the bank moved; only the row that undoes it goes the other way.
            models.CheckConstraint(
                name="match_sign",
                condition=models.Q(kind="payment", undoes__isnull=True, amount_minor__lt=0)
                | models.Q(kind="payment", undoes__isnull=False, amount_minor__gt=0)
                | models.Q(kind="return", undoes__isnull=True, amount_minor__gt=0)
                | models.Q(kind="return", undoes__isnull=False, amount_minor__lt=0),
            ),
        ]
        triggers = [
            *append_only("match"),
            # Set-wise: a statement may be matched with thousands of payments.
            pgtrigger.Trigger(
                name="match_currency",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="added"),
                declare=[("other", "BIGINT")],
                func=f"""
    SELECT a.statement_line_id INTO other FROM added a
    WHERE a.undoes_id IS NULL AND {_OTHER_CURRENCY.format(line="a.statement_line_id")} LIMIT 1;
    IF FOUND THEN
        {_REFUSE_CURRENCY.format(line="other")}
    END IF;
    RETURN NULL;
    """,  # noqa: S608  put together from words of ours
            ),
        ]

    def __str__(self) -> str:
        return f"{self.statement_line_id} {self.payment_id} {self.kind}"


# Matches that hold, for queries and for SQL (``FROM {LIVE_MATCHES} m``).
LIVE: dict[str, None] = {"undoes": None, "undone_by": None}
LIVE_MATCHES = (
    "(SELECT lm.* FROM settlement_match lm WHERE lm.undoes_id IS NULL"
    " AND NOT EXISTS (SELECT 1 FROM settlement_match lu WHERE lu.undoes_id = lm.id))"
)

# What of the line ``{line}`` is taken, signed as on the account, by table; undone rows cancel out.
TAKEN = """(SELECT COALESCE(sum(tk.amount_minor), 0) FROM (
    SELECT amount_minor FROM settlement_match WHERE statement_line_id = {line}
    UNION ALL SELECT amount_minor FROM settlement_feereceipt WHERE statement_line_id = {line}
    UNION ALL SELECT amount_minor FROM settlement_feerefundtransfer WHERE statement_line_id = {line}
    UNION ALL SELECT amount_minor FROM settlement_clawbackrecovery WHERE statement_line_id = {line}
    UNION ALL SELECT amount_minor FROM settlement_advancereturn WHERE statement_line_id = {line}
    UNION ALL SELECT amount_minor FROM settlement_clearingpayment WHERE statement_line_id = {line}) tk)"""


def takes_of_lines(name: str, table: str, owner: str) -> pgtrigger.Trigger:
    """A trigger for rows that take a bank line or a part of it: together they stay within the line, which is of the
    currency of the books, and one ``owner`` takes of it once. What undoes one is of the opposite amount, of the same
    line and ``owner``; what undoes is not undone.
    """
    taken = TAKEN.format(line="NEW.statement_line_id")
    return pgtrigger.Trigger(
        name=f"{name}_line",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        declare=[("whole", "BIGINT")],
        func=f"""
    IF NEW.statement_line_id IS NULL THEN
        RETURN NEW;
    END IF;
    SELECT amount_minor INTO whole FROM settlement_statementline WHERE id = NEW.statement_line_id FOR NO KEY UPDATE;
    IF NEW.undoes_id IS NULL AND {_OTHER_CURRENCY.format(line="NEW.statement_line_id")} THEN
        {_REFUSE_CURRENCY.format(line="NEW.statement_line_id")}
    END IF;
    IF NEW.undoes_id IS NULL AND (sign(NEW.amount_minor) <> sign(whole)
        OR abs({taken} + NEW.amount_minor) > abs(whole)
        OR (SELECT COALESCE(sum(o.amount_minor), 0) FROM {table} o
            WHERE o.statement_line_id = NEW.statement_line_id AND o.{owner} = NEW.{owner}) <> 0)
    THEN
        RAISE EXCEPTION 'bank line % is taken already, or less of it is left', NEW.statement_line_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_line_once';
    END IF;
    IF NEW.undoes_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM {table} o WHERE o.id = NEW.undoes_id AND o.undoes_id IS NULL AND o.{owner} = NEW.{owner}
          AND o.amount_minor = -NEW.amount_minor AND o.statement_line_id = NEW.statement_line_id
    ) THEN
        RAISE EXCEPTION 'row % is not undone by what names it', NEW.undoes_id
            USING ERRCODE = 'check_violation', CONSTRAINT = '{name}_undone';
    END IF;
    RETURN NEW;
    """,  # noqa: S608  put together from names of ours
    )


def undone_with_reason(name: str) -> models.CheckConstraint:
    """Whoever undoes says why."""
    return models.CheckConstraint(
        name=f"{name}_undone_with_reason", condition=models.Q(undoes__isnull=True) | ~models.Q(reason="")
    )


class StatementLayout(models.Model):
    """What the columns of a bank's table mean, told once by a person: ``columns`` gives the heading of each field.

    ``header_sha256`` is the fingerprint of the headings, by which the next file is recognised.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    name = models.CharField(max_length=100)
    iban = models.CharField(max_length=34)
    header_sha256 = models.CharField(max_length=64)
    headings = models.JSONField(default=list)
    columns = models.JSONField(default=dict)
    saved_by = models.ForeignKey(User, on_delete=models.PROTECT)
    saved_at = models.DateTimeField()

    class Meta:
        verbose_name = _("columns of a bank's table")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "header_sha256"], name="statement_layout_once"),
        ]

    def __str__(self) -> str:
        return self.name


class BankAct(AppendOnlyModel):
    """What the bank and the books say about one account in one month, as the signers saw it. ``figures`` in minor
    units; a later act of the same month stands beside the earlier one.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    iban = models.CharField(max_length=34)
    month = models.DateField()
    number = models.PositiveSmallIntegerField()
    figures = models.JSONField()
    drawn_at = models.DateTimeField()

    class Meta:
        verbose_name = _("bank reconciliation act")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "iban", "month", "number"], name="bank_act_once"),
            models.CheckConstraint(name="bank_act_month", condition=models.Q(month__day=1)),
        ]
        triggers = append_only("bank_act")

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} № {self.number}"


class BankActSignature(AppendOnlyModel):
    """A person's signature under an act; nobody signs twice, so that two signatures are two people."""

    act = models.ForeignKey(BankAct, on_delete=models.PROTECT, related_name="signatures")
    place = models.PositiveSmallIntegerField()
    signed_by = models.ForeignKey(User, on_delete=models.PROTECT)
    signed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["act", "signed_by"], name="bank_act_signed_once"),
            models.UniqueConstraint(fields=["act", "place"], name="bank_act_place_once"),
            models.CheckConstraint(name="bank_act_two", condition=models.Q(place__in=(1, 2))),
        ]
        triggers = append_only("bank_act_signature")

    def __str__(self) -> str:
        return f"{self.act_id} {self.signed_by_id}"
