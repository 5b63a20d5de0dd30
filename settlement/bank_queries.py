"""Reads of the bank's side: lines and payments that wait, by age, and what an account did in a month."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection
from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    F,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.recording import label_of
from config.money import from_minor
from config.periods import add_months
from contracts.parameters import ParameterBook, parameter_value
from settlement.advance_queries import live_returns, returnable
from settlement.clawback_queries import with_sums as case_sums
from settlement.fee_queries import PASSED_ON
from settlement.fee_queries import with_sums as fee_sums
from settlement.finance_queries import exceptions
from settlement.gateways.identifiers import find_creditor_references, find_own_identifiers
from settlement.models import (
    Advance,
    BankAct,
    ClawbackCase,
    ClawbackRecovery,
    ClearingPayment,
    Entry,
    FeeNotice,
    FeeReceipt,
    FeeRefundTransfer,
    Match,
    Payment,
    Statement,
    StatementLayout,
    StatementLine,
)
from settlement.models.statements import IN_FORCE, LIVE, TAKEN

# Days that an open line has waited: from, up to (not counted), open at the end.
AGES: dict[str, tuple[int, int | None]] = {"week": (0, 8), "month": (8, 31), "quarter": (31, 91), "older": (91, None)}
# After so many days without an answer of the bank a sent payment is asked about.
SILENT_DAYS = "bank.silent_days"
# The age of lines whose last day has passed.
OVERDUE = "overdue"
# A bank line that is open so many days after its booking is overdue.
OPEN_DAYS = "bank.open_days"
# A bank line this many days before or after the day of a payment can be it.
WINDOW_DAYS = "bank.match_window_days"


def open_lines(organisation: Organisation, today: date, *, search: str = "", age: str = "") -> QuerySet[StatementLine]:
    """Bank lines that nobody has matched or explained, the oldest first; ``age`` may also be «overdue»."""
    rows = overdue_lines(organisation, today) if age == OVERDUE else exceptions(organisation)
    if search:
        rows = rows.filter(
            Q(counterparty_name__icontains=search)
            | Q(remittance_text__icontains=search)
            | Q(end_to_end_id__icontains=search)
            | Q(statement__statement_id__icontains=search)
        )
    if age in AGES:
        rows = rows.filter(_aged(today, *AGES[age]))
    return rows


def open_days(organisation: Organisation, on: date) -> int | None:
    """After so many days an open line is overdue; None where nobody has set a term."""
    days = ParameterBook.load(organisation, OPEN_DAYS).get(OPEN_DAYS, on)
    return None if days is None else days.whole


def overdue_lines(organisation: Organisation, today: date) -> QuerySet[StatementLine]:
    """Open lines whose last day has passed, the oldest first."""
    days, rows = open_days(organisation, today), exceptions(organisation)
    return rows.none() if days is None else rows.filter(booked_on__lt=today - timedelta(days=days))


def _aged(today: date, first: int, last: int | None) -> Q:
    found = Q(booked_on__lte=today - timedelta(days=first)) if first else Q()
    return found if last is None else found & Q(booked_on__gt=today - timedelta(days=last))


def ages_of_open_lines(organisation: Organisation, today: date) -> list[dict[str, Any]]:
    """For each age: how many lines, what is open of credits and debits in minor units, the oldest day. One query."""
    figures: dict[str, Any] = {}
    for age, bounds in AGES.items():
        where = _aged(today, *bounds)
        figures[f"{age}_count"] = Count("pk", filter=where)
        figures[f"{age}_in"] = Sum("open_minor", filter=where & Q(amount_minor__gt=0))
        figures[f"{age}_out"] = Sum("open_minor", filter=where & Q(amount_minor__lt=0))
        figures[f"{age}_oldest"] = Min("booked_on", filter=where)
    found = exceptions(organisation).order_by().aggregate(**figures)
    names = ("count", "in", "out", "oldest")
    return [{"age": age} | {name: found[f"{age}_{name}"] or 0 for name in names} for age in AGES]


def silent_payments(organisation: Organisation, today: date) -> QuerySet[Payment]:
    """Payments that were sent by bank file days ago and that no bank line has answered for in full, ``with_open``."""
    rows = with_open(Payment.objects.filter(organisation=organisation, status="sent", gateway="bank_file"))
    days = ParameterBook.load(organisation, SILENT_DAYS).get(SILENT_DAYS, today)
    if days is None:
        return rows.none()
    waited = Q(payment_run__execution_date__lte=today - timedelta(days=days.whole))
    return rows.filter(waited).select_related("provider", "payment_run").order_by("payment_run__execution_date", "id")


# So many payments are offered for a line; the others are found by search.
OFFERED = 12


# What a payment is of, in minor units, and what bank lines have paid of it, below zero.
_WHOLE = Cast(F("amount") * 100, BigIntegerField())
_PAID = Match.objects.filter(payment=OuterRef("pk"), kind="payment").order_by().values("payment")


def with_open(rows: QuerySet[Payment]) -> QuerySet[Payment]:
    """Payments with ``whole_minor`` and ``open_minor``, what no bank line has paid of them yet, in minor units."""
    paid = Cast(Subquery(_PAID.values(paid=Sum("amount_minor"))), BigIntegerField())
    return rows.annotate(whole_minor=_WHOLE, open_minor=_WHOLE + Coalesce(paid, 0))


def matchable_payments(line: StatementLine) -> QuerySet[Payment]:
    """Payments that a line can be: carried out, when money came, and on their way or about to go, when it left.

    Each with ``whole_minor`` and ``open_minor``, what of it a line can be, minor units: a payment comes back whole.
    """
    states = ("confirmed",) if line.amount_minor > 0 else ("prepared", "sent")
    rows = Payment.objects.filter(organisation=line.statement.organisation, status__in=states)
    rows = rows.select_related("provider", "payment_run")
    return rows.annotate(whole_minor=_WHOLE, open_minor=_WHOLE) if line.amount_minor > 0 else with_open(rows)


def named_payments(line: StatementLine) -> list[Payment]:
    """Payments of ours, whatever became of them, whose id or RF reference a line quotes."""
    quoted = _quoted(line)
    rows = Payment.objects.filter(organisation=line.statement.organisation)
    return list(rows.filter(Q(reference__in=quoted) | Q(rf_reference__in=quoted)).order_by("pk"))


def naming_several(statement: Statement) -> set[int]:
    """Open lines of a statement that quote a notice, a case or an advance and something else of ours too: a person says
    what they are. At most five queries.
    """
    lines = list(statement.lines.filter(status__in=("unmatched", "partial")))
    quoted = {line.pk: set(find_creditor_references(line.remittance_text)) for line in lines}
    owners = _owners_named(statement.organisation, set().union(*quoted.values()))
    asked = [line for line in lines if quoted[line.pk] & owners.keys()]
    payments = _payments_named(statement.organisation, set().union(*(_quoted(line) for line in asked)))
    named = {line.pk: {owners[text] for text in quoted[line.pk] & owners.keys()} for line in asked}
    paid = {line.pk: {payments[text] for text in _quoted(line) & payments.keys()} for line in asked}
    return {key for key, rows in named.items() if len(rows) + len(paid[key]) > 1}


def credits_quoting(
    statement: Statement, documents: QuerySet[Any], *, but: Collection[int]
) -> list[tuple[StatementLine, tuple[str, ...]]]:
    """Open credits of a statement that quote a document (it has an ``rf_reference``), in order, with what they quote.

    At most two queries: credits that quote other things are not looked at one by one.
    """
    open_credits = statement.lines.filter(status="unmatched", is_return=False, amount_minor__gt=0)
    lines = open_credits.exclude(pk__in=but).order_by("position")
    quoted = [(line, find_creditor_references(line.remittance_text)) for line in lines]
    references = {text for _line, texts in quoted for text in texts}
    named = documents.filter(rf_reference__in=references).values_list("rf_reference", flat=True)
    ours = set(named) if references else set()
    return [(line, texts) for line, texts in quoted if ours.intersection(texts)]


def _quoted(line: StatementLine) -> set[str]:
    text = line.remittance_text
    return {line.end_to_end_id, *find_creditor_references(text), *find_own_identifiers(text)} - {""}


def _owners_named(organisation: Organisation, references: set[str]) -> dict[str, tuple[str, int]]:
    """Notices, cases and advances by the references that quote them."""
    found: dict[str, tuple[str, int]] = {}
    for model in (FeeNotice, ClawbackCase, Advance) if references else ():
        rows = model._default_manager.filter(organisation=organisation, rf_reference__in=references)
        found |= {text: (model.__name__, key) for text, key in rows.values_list("rf_reference", "pk")}
    return found


def quoted_parts(line: StatementLine, left: int) -> list[tuple[str, str, int]]:
    """Documents that an incoming line quotes, each with its number and what of the line it may be, minor units: what it
    waits for, as long as the line has something ``left``; at last what stays open.
    """
    office, references = line.statement.organisation, find_creditor_references(line.remittance_text)
    found: list[tuple[str, str, int]] = []
    for kind, rows, waits in (
        ("fee", fee_sums(FeeNotice.objects.filter(organisation=office)), "left_minor"),
        ("clawback", case_sums(ClawbackCase.objects.filter(organisation=office, status="decided")), "outstanding"),
        ("advance", returnable(office), "outstanding"),
    ):
        for row in rows.filter(rf_reference__in=references).order_by("pk"):
            part = min(max(getattr(row, waits), 0), left)
            found.append((kind, row.number, part))
            left -= part
    return [*found, ("open", "", left)] if found and left else found


def _payments_named(organisation: Organisation, texts: set[str]) -> dict[str, int]:
    rows = Payment.objects.filter(Q(reference__in=texts) | Q(rf_reference__in=texts), organisation=organisation)
    found = rows.values_list("pk", "reference", "rf_reference") if texts else ()
    return {text: key for key, *own in found for text in own if text}


def only_fitting(line: StatementLine, left: int) -> Payment | None:
    """The one waiting payment of the sum that is open of a line, for its account, if it names one, and near its day;
    none when the line names another payment, a notice or a case.

    ``left``: what is still open of the line, signed minor units.
    """
    rows = matchable_payments(line).filter(amount=abs(from_minor(left))).select_related("payment_run", "organisation")
    found = list(rows[:2])
    if len(found) != 1 or line.counterparty_iban not in ("", found[0].iban):
        return None
    [payment] = found
    window = parameter_value(payment.organisation, WINDOW_DAYS, line.booked_on).whole
    day = payment.payment_run.execution_date
    is_near = line.amount_minor > 0 or (day is not None and abs((line.booked_on - day).days) <= window)
    others = _owners_named(payment.organisation, set(find_creditor_references(line.remittance_text)))
    return payment if is_near and not others and set(named_payments(line)) <= {payment} else None


def likely_payments(line: StatementLine, left: int, proposed: Sequence[int] = ()) -> list[Payment]:
    """What a line may be, most likely first: what the rules propose, then the same sum open, then the same account.

    ``left``: what is still open of the line, signed minor units.
    """
    same_sum, same_account = Q(open_minor=abs(left)), Q(iban=line.counterparty_iban or "-")
    likely = Case(
        When(pk__in=proposed, then=Value(0)),
        When(same_sum & same_account, then=Value(1)),
        When(same_sum, then=Value(2)),
        default=Value(3),
    )
    rows = matchable_payments(line).filter(Q(pk__in=proposed) | same_sum | same_account)
    return list(rows.order_by(likely, "-id")[: max(OFFERED, len(proposed))])


def found_payments(line: StatementLine, search: str) -> list[Payment]:
    """Payments that a line can be, by reference, provider, account or run; the newest first."""
    words = Q(reference__icontains=search) | Q(provider__name__icontains=search) | Q(iban__startswith=search)
    rows = matchable_payments(line).filter(words | Q(payment_run__number__icontains=search))
    return list(rows.order_by("-id")[:OFFERED])


def live_receipts(organisation: Organisation) -> QuerySet[FeeReceipt]:
    """Money of bank lines for notices that nobody has undone."""
    rows = FeeReceipt.objects.filter(notice__organisation=organisation, statement_line__isnull=False, **LIVE)
    return rows.select_related("notice__organisation", "statement_line__statement")


def live_transfers(organisation: Organisation) -> QuerySet[FeeRefundTransfer]:
    """Bank lines that took refunds out and that nobody has undone."""
    rows = FeeRefundTransfer.objects.filter(refund__receipt__notice__organisation=organisation, **LIVE)
    return rows.select_related("refund__receipt__notice", "statement_line__statement")


def live_repayments(organisation: Organisation) -> QuerySet[ClawbackRecovery]:
    """Money of bank lines for clawbacks that nobody has undone."""
    rows = ClawbackRecovery.objects.filter(case__organisation=organisation, statement_line__isnull=False, **LIVE)
    return rows.select_related("case", "statement_line__statement")


def live_clearings(organisation: Organisation) -> QuerySet[ClearingPayment]:
    """Bank lines of a municipality that paid clearing statements and that nobody has undone."""
    rows = ClearingPayment.objects.filter(organisation=organisation, **LIVE)
    return rows.select_related("statement__first", "statement__second", "statement_line__statement")


@dataclass(frozen=True)
class Taking:
    """What took a bank line or a part of it: words, number, page, minor units, and the page where it is undone."""

    title: Any
    number: str
    page: str
    key: int
    amount: int
    undo: str
    pk: int


def takings_of(statement: Statement, line: StatementLine | None = None) -> dict[int, list[Taking]]:
    """Notices, refunds, clawbacks, advances and clearing by line that took them, of a statement or one line of it. Five
    queries.
    """
    office = statement.organisation
    here: dict[str, Any] = {"statement_line": line} if line else {"statement_line__statement": statement}
    found: dict[int, list[Taking]] = {}
    for row in live_receipts(office).filter(**here):
        _take(found, row, _("Fee of a recipient"), row.notice, "fee_notice", "receipt_undo")
    for sent in live_transfers(office).filter(**here):
        _take(found, sent, _("Refund of a fee"), sent.refund.receipt.notice, "fee_notice", "transfer_undo")
    for back in live_repayments(office).filter(**here):
        _take(found, back, _("Money asked back"), back.case, "clawback", "repayment_undo")
    for rest in live_returns(office).filter(**here):
        _take(found, rest, _("Unused advance"), rest.advance, "advance", "advance_return_undo")
    for paid in live_clearings(office).filter(**here):
        _take(found, paid, _("Clearing statement"), paid.statement, "clearing_statement", "clearing_undo")
    return found


def _take(found: dict[int, list[Taking]], row: Any, title: Any, owner: Any, page: str, undo: str) -> None:
    taking = Taking(title, owner.number, f"settlement:{page}", owner.pk, row.amount_minor, f"settlement:{undo}", row.pk)
    found.setdefault(row.statement_line_id, []).append(taking)


def passed_on(lines: Iterable[StatementLine]) -> set[int]:
    """Keys of the explained lines whose money was a provider's fees; their explanation is the provider's name alone.
    One query.
    """
    labels = {label_of(line): line.pk for line in lines if line.status == "explained"}
    last = dict(Entry.objects.filter(label__in=labels).order_by("id").values_list("label", "event"))
    return {labels[label] for label, event in last.items() if event == PASSED_ON}


def layouts(organisation: Organisation) -> QuerySet[StatementLayout]:
    """Tables of banks whose columns are known."""
    return StatementLayout.objects.filter(organisation=organisation).select_related("saved_by").order_by("name", "id")


def bank_acts(organisation: Organisation) -> QuerySet[BankAct]:
    """Reconciliation acts with how many have signed, the newest month first."""
    rows = BankAct.objects.filter(organisation=organisation).annotate(signed=Count("signatures"))
    return rows.order_by("-month", "iban", "-number")


_FIGURES = """
WITH told AS (
    SELECT l.*, {taken} AS taken,
        COALESCE((SELECT sum(m.amount_minor) FROM settlement_match m WHERE m.statement_line_id = l.id), 0)
        AS with_payments
    FROM settlement_statementline l JOIN settlement_statement s ON s.id = l.statement_id
    WHERE s.organisation_id = %(office)s AND s.iban = %(iban)s AND s.status IN ('imported', 'reconciled')
      AND NOT (l.status = 'explained' AND l.explained_by_id IS NULL)
), month AS (
    SELECT * FROM told WHERE booked_on >= %(first)s AND booked_on < %(next)s
), posted AS (
    SELECT e.date, p.debit - p.credit AS amount FROM settlement_posting p
    JOIN settlement_entry e ON e.id = p.entry_id JOIN settlement_account a ON a.id = p.account_id
    WHERE a.organisation_id = %(office)s AND a.code = 'bank:' || %(iban)s AND e.date < %(next)s
), waiting AS (
    SELECT COALESCE(sum(amount_minor - taken) FILTER (WHERE booked_on < %(first)s), 0) AS before,
        COALESCE(sum(amount_minor - taken), 0) AS after
    FROM told WHERE status IN ('unmatched', 'partial') AND booked_on < %(next)s
)
SELECT
    (SELECT COALESCE(sum(amount), 0) FROM posted WHERE date < %(first)s) + waiting.before AS opening,
    (SELECT COALESCE(sum(amount_minor), 0) FROM month WHERE amount_minor > 0) AS received,
    (SELECT COALESCE(-sum(amount_minor), 0) FROM month WHERE amount_minor < 0) AS paid,
    (SELECT count(*) FROM month) AS lines,
    (SELECT COALESCE(sum(with_payments), 0) FROM month) AS matched,
    (SELECT COALESCE(sum(CASE WHEN status IN ('matched', 'explained') THEN amount_minor ELSE taken END
        - with_payments), 0) FROM month) AS explained,
    (SELECT COALESCE(sum(amount_minor - taken), 0) FROM month WHERE status IN ('unmatched', 'partial')) AS open,
    (SELECT count(*) FROM month WHERE status IN ('unmatched', 'partial')) AS open_lines,
    (SELECT COALESCE(sum(amount), 0) FROM posted) AS ledger,
    waiting.after AS waiting,
    (SELECT s.closing_minor FROM settlement_statement s
     WHERE s.organisation_id = %(office)s AND s.iban = %(iban)s AND s.status IN ('imported', 'reconciled')
       AND s.to_date < %(next)s AND s.closing_minor IS NOT NULL
     ORDER BY s.to_date DESC, s.sequence DESC NULLS LAST, s.id DESC LIMIT 1) AS closing
FROM waiting
""".replace("{taken}", TAKEN.format(line="l.id"))


# An act names so many open lines; the figure counts all of them.
LISTED = 200


def waiting_lines(organisation: Organisation, iban: str, month: date) -> list[list[Any]]:
    """Lines of an account that are open at the end of a month: key, statement and place, day, what is open in minor
    units; the oldest first. They add up to the figure ``waiting``.
    """
    rows = exceptions(organisation, IN_FORCE).filter(statement__iban=iban, booked_on__lt=add_months(month, 1))
    return [
        [line.pk, f"{line.statement.statement_id} / {line.position}", line.booked_on.isoformat(), line.open_minor]
        for line in rows[:LISTED]
    ]


def bank_figures(organisation: Organisation, iban: str, month: date) -> dict[str, int | None]:
    """What the bank and the books say about an account in a month, minor units. One query.

    ``closing`` is the bank's last balance by the end of the month (None when no statement tells one); the books agree
    when ``ledger`` + ``waiting`` is the same. ``difference`` is closing less both.
    """
    params: dict[str, Any] = {"office": organisation.pk, "iban": iban, "first": month, "next": add_months(month, 1)}
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, params)
        names = [column[0] for column in cursor.description]
        row = cursor.fetchone()
    figures = {name: None if value is None else int(value) for name, value in zip(names, row, strict=True)}
    closing = figures["closing"]
    books = (figures["ledger"] or 0) + (figures["waiting"] or 0)
    return figures | {"difference": None if closing is None else closing - books}
