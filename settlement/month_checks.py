"""What must be true before a month is closed: each check is one query and says what it found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.periods import add_months, month_end, month_of
from settlement.finance_queries import payable_remittances
from settlement.models import AdjudicationRun, Claim, Match, Payment, PaymentRun, Statement, StatementLine, StripeEvent
from settlement.models.clawbacks import ASKED_BACK
from settlement.models.statements import TAKEN
from settlement.models.stripe_events import UNCLEAR


@dataclass(frozen=True)
class Check:
    """A check of a month. ``severity`` block stops the closing, warn does not; ``examples`` name the first rows."""

    code: str
    severity: str
    count: int
    examples: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return self.count == 0

    @property
    def blocks(self) -> bool:
        """Whether the month cannot be closed because of it."""
        return self.count > 0 and self.severity == "block"

    @property
    def title(self) -> str:
        """What the check asks, in the reader's language."""
        return str(TITLES[self.code])

    @property
    def advice(self) -> str:
        """What to do when it found something."""
        return str(ADVICE[self.code])

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Check:
        """The check as it was kept."""
        return cls(row["code"], row["severity"], row["count"], tuple(row["examples"]))

    def as_row(self) -> dict[str, Any]:
        """Plain JSON for the record of the closing."""
        return asdict(self) | {"examples": list(self.examples)}


TITLES = {
    "CLAIMS_OPEN": _("Every submitted claim of the month is adjudicated"),
    "RUNS_OPEN": _("Every adjudication run of the month is done"),
    "PAYMENT_RUNS_OPEN": _("Every payment run of the month is finished or cancelled"),
    "PAYMENTS_OPEN": _("The bank has answered for every payment of the month"),
    "EXCEPTIONS_OPEN": _("Every bank line is matched or explained"),
    "STATEMENTS_QUARANTINED": _("No statement waits in quarantine"),
    "LEDGER_UNBALANCED": _("Debits and credits of every ledger entry are equal"),
    "BANK_DIFFERS": _("Each bank account in the ledger equals the bank's own lines"),
    "PAYABLE_DIFFERS": _("What the ledger owes providers equals what is not yet paid"),
    "UNPAID": _("Everything payable of the month is paid"),
    "STRIPE_UNCLEAR": _("Every message of Stripe has its place in the books"),
    "EARLIER_MONTH_OPEN": _("Earlier months with entries are closed"),
}
ADVICE = {
    "CLAIMS_OPEN": _("Adjudicate or return these claims."),
    "RUNS_OPEN": _("Wait until the run has ended, or look at its job."),
    "PAYMENT_RUNS_OPEN": _("Approve and release the run, or cancel it."),
    "PAYMENTS_OPEN": _("Import the bank statement of the payment day, or mark the payment as failed."),
    "EXCEPTIONS_OPEN": _("Match each line to a payment or explain it in words."),
    "STATEMENTS_QUARANTINED": _("Accept the statement with a reason or refuse it."),
    "LEDGER_UNBALANCED": _("Stop and call the auditor: the database should have refused this entry."),
    "BANK_DIFFERS": _("Compare the postings of the bank account with the statements of the month."),
    "PAYABLE_DIFFERS": _("Compare the remittances with the postings of the provider's account."),
    "UNPAID": _(
        "What is owed to a provider can be paid by a later run; propose one if it should be paid now. "
        "What a provider owes is taken off its next payment."
    ),
    "STRIPE_UNCLEAR": _(
        "Look these up at Stripe: money moved there in a way that no document here can take, a transfer that was taken "
        "back in part, for example. Settle it with the provider or the payer in writing."
    ),
    "EARLIER_MONTH_OPEN": _("Close the earlier month first, so that its figures stand."),
}


def month_checks(organisation: Organisation, month: date) -> list[Check]:
    """All checks of a month (its first day), the blocking ones first. Two dozen queries at most, whatever the size."""
    checks = [check(organisation, month) for check in _CHECKS]
    return sorted(checks, key=lambda check: check.severity != "block")


def _check(code: str, severity: str, names: list[str]) -> Check:
    return Check(code, severity, len(names), tuple(names[:5]))


def _claims_open(organisation: Organisation, month: date) -> Check:
    rows = Claim.objects.filter(organisation=organisation, period=month, status="submitted")
    return _check("CLAIMS_OPEN", "block", list(rows.order_by("number").values_list("number", flat=True)))


def _runs_open(organisation: Organisation, month: date) -> Check:
    rows = AdjudicationRun.objects.filter(organisation=organisation, period=month, status="open")
    return _check("RUNS_OPEN", "block", [str(run) for run in rows.order_by("number")])


def _payment_runs_open(organisation: Organisation, month: date) -> Check:
    rows = PaymentRun.objects.filter(organisation=organisation, period=month, status__in=("proposed", "approved"))
    return _check("PAYMENT_RUNS_OPEN", "block", list(rows.order_by("number").values_list("number", flat=True)))


def _payments_open(organisation: Organisation, month: date) -> Check:
    rows = Payment.objects.filter(organisation=organisation, payment_run__period=month, status__in=("prepared", "sent"))
    return _check("PAYMENTS_OPEN", "block", list(rows.order_by("reference").values_list("reference", flat=True)))


def _exceptions_open(organisation: Organisation, month: date) -> Check:
    # Claims of a month are paid in the next one: the statements that carry its payments belong to it.
    carrying = Match.objects.filter(payment__organisation=organisation, payment__payment_run__period=month)
    statements = carrying.values("statement_line__statement")
    rows = StatementLine.objects.filter(
        Q(statement__in=statements) | Q(booked_on__gte=month, booked_on__lte=month_end(month)),
        statement__organisation=organisation,
        statement__status="imported",
        status__in=("unmatched", "partial"),
    )
    names = [f"{line.statement.statement_id}/{line.position}" for line in rows.select_related("statement")]
    return _check("EXCEPTIONS_OPEN", "block", names)


def _quarantined(organisation: Organisation, month: date) -> Check:
    rows = Statement.objects.filter(organisation=organisation, status="quarantined")
    names = list(rows.order_by("statement_id").values_list("statement_id", flat=True))
    return _check("STATEMENTS_QUARANTINED", "block", names)


def _ledger_unbalanced(organisation: Organisation, month: date) -> Check:
    query = (
        "SELECT e.number FROM settlement_entry e LEFT JOIN settlement_posting p ON p.entry_id = e.id "
        "WHERE e.organisation_id = %s AND e.date >= %s AND e.date < %s GROUP BY e.number, p.currency "
        "HAVING coalesce(sum(p.debit), 0) <> coalesce(sum(p.credit), 0) ORDER BY e.number"
    )
    return _check("LEDGER_UNBALANCED", "block", _names(query, organisation.pk, month, add_months(month, 1)))


def _bank_differs(organisation: Organisation, month: date) -> Check:
    # By account and booking day: each matched or explained line has its own posting on the account of its statement.
    query = """
        SELECT replace(code, 'bank:', '') || ' ' || to_char(day, 'YYYY-MM-DD') FROM (
            SELECT a.code, e.date AS day, p.debit - p.credit AS amount
            FROM settlement_posting p
            JOIN settlement_entry e ON e.id = p.entry_id
            JOIN settlement_account a ON a.id = p.account_id
            WHERE e.organisation_id = %s AND a.kind = 'bank' AND e.event NOT LIKE 'opening.%%'
            UNION ALL
            SELECT 'bank:' || s.iban, l.booked_on, CASE l.status WHEN 'partial' THEN -{taken} ELSE -l.amount_minor END
            FROM settlement_statementline l JOIN settlement_statement s ON s.id = l.statement_id
            WHERE s.organisation_id = %s AND s.status IN ('imported', 'reconciled')
              AND (l.status IN ('matched', 'partial') OR (l.status = 'explained' AND l.explained_by_id IS NOT NULL))
        ) both_sides GROUP BY code, day HAVING sum(amount) <> 0 ORDER BY day, code
    """.replace("{taken}", TAKEN.format(line="l.id"))
    return _check("BANK_DIFFERS", "block", _names(query, organisation.pk, organisation.pk))


def _payable_differs(organisation: Organisation, month: date) -> Check:
    query = """
        SELECT provider.code FROM (
            SELECT a.provider_id, p.debit - p.credit AS amount
            FROM settlement_posting p JOIN settlement_account a ON a.id = p.account_id
            WHERE a.organisation_id = %s AND a.kind = 'payable'
            UNION ALL
            SELECT m.provider_id, m.payable
            FROM settlement_remittance m JOIN settlement_adjudicationrun u ON u.id = m.run_id
            WHERE u.organisation_id = %s AND NOT {asked_back} AND NOT EXISTS (
                SELECT 1 FROM settlement_paymentremittance i JOIN settlement_payment y ON y.id = i.payment_id
                WHERE i.remittance_id = m.id AND i.live AND y.status IN ('sent', 'confirmed'))
        ) both_sides JOIN contracts_provider provider ON provider.id = both_sides.provider_id
        GROUP BY provider.code HAVING sum(amount) <> 0 ORDER BY provider.code
    """.replace("{asked_back}", ASKED_BACK)
    return _check("PAYABLE_DIFFERS", "block", _names(query, organisation.pk, organisation.pk))


def _unpaid(organisation: Organisation, month: date) -> Check:
    names = [f"{row.claim.number} ({row.run})" for row in payable_remittances(organisation, month)]
    return _check("UNPAID", "warn", names)


def _stripe_unclear(organisation: Organisation, month: date) -> Check:
    own = Q(facts__office=organisation.code) | Q(facts__payer=organisation.iban)
    rows = StripeEvent.objects.filter(own, outcome__in=UNCLEAR).order_by("created_at", "pk")
    names = [f"{row.kind} {row.facts['id']}" for row in rows if month_of(row.day(organisation)) == month]
    return _check("STRIPE_UNCLEAR", "warn", names)


def _earlier_open(organisation: Organisation, month: date) -> Check:
    query = (
        "SELECT to_char(date_trunc('month', e.date), 'MM.YYYY') FROM settlement_entry e "
        "WHERE e.organisation_id = %s AND e.date < %s AND NOT EXISTS (SELECT 1 FROM settlement_closedmonth c "
        "WHERE c.organisation_id = e.organisation_id AND c.month = date_trunc('month', e.date)::date) "
        "GROUP BY date_trunc('month', e.date) ORDER BY date_trunc('month', e.date)"
    )
    return _check("EARLIER_MONTH_OPEN", "warn", _names(query, organisation.pk, month))


def _names(query: str, *params: int | date) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        return [str(name) for (name,) in cursor.fetchall()]


_CHECKS: list[Callable[[Organisation, date], Check]] = [
    _claims_open,
    _runs_open,
    _payment_runs_open,
    _payments_open,
    _exceptions_open,
    _quarantined,
    _ledger_unbalanced,
    _bank_differs,
    _payable_differs,
    _unpaid,
    _stripe_unclear,
    _earlier_open,
]
