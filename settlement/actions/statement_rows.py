"""Bank statements as rows: one line for each transfer that can be matched by itself."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import F, Q, QuerySet

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.clock import local_date
from config.money import from_minor, to_minor
from config.transactions import step
from contracts.parameters import ParameterBook
from settlement.gateways.base import Balance, Entry, EntryDetail, Finding
from settlement.gateways.base import Statement as BankStatement
from settlement.gateways.camt import check_sequence
from settlement.gateways.mt940 import FORMAT as MT940
from settlement.models import Statement, StatementLine
from settlement.models.statements import IN_FORCE

# So many days after its import a bank record may be dated; none where nobody has set it.
AHEAD_DAYS = "bank.ahead_days"


@step
def statement_row(
    organisation: Organisation, bank: BankStatement, digest: str, actor: Actor, at: datetime
) -> Statement:
    """The statement with what was found wrong in it; a blocking finding puts it into quarantine."""
    opening, closing = bank.balance("OPBD", "PRCD"), bank.balance("CLBD")
    begins, ends = _days_told(bank)
    findings = [*_findings(organisation, bank), *_days_to_come(organisation, bank, local_date(at, organisation.zone))]
    return Statement.objects.create(
        organisation=organisation,
        iban=bank.account,
        statement_id=bank.identifier[:70],
        sequence=bank.sequence,
        format=bank.message[:24],
        content_sha256=digest,
        from_date=begins,
        to_date=ends,
        opening_minor=_minor(opening),
        closing_minor=_minor(closing),
        currency=_code(bank.currency) or organisation.currency,
        problems=[{"code": item.code, "severity": item.severity, "params": item.params} for item in findings],
        imported_by_id=actor.user_id,
        imported_at=at,
        status="quarantined" if any(item.severity == "block" for item in findings) else "imported",
        status_at=at,
    )


def _days_told(bank: BankStatement) -> tuple[date | None, date | None]:
    """First and last day of booking; of a statement without movements those of its balances."""
    days = sorted(entry.booked_on for entry in bank.entries if entry.booked_on)
    if days:
        return days[0], days[-1]
    return _balance_day(bank.balance("OPBD", "PRCD")), _balance_day(bank.balance("CLBD"))


def _findings(organisation: Organisation, bank: BankStatement) -> list[Finding]:
    findings = [*bank.findings, *_other_currencies(organisation.currency, bank)]
    if _is_numbered(bank):
        before = _statement_before(organisation, bank)
        closing = _closing_before(organisation, bank)
        findings += check_sequence(bank, last_sequence=before.sequence if before else None, last_closing=closing)
    return findings + _overlap(organisation, bank)


def _other_currencies(ours: str, bank: BankStatement) -> list[Finding]:
    """Money that is not of the currency in which the office keeps its books: it is never booked one to one."""
    told = sorted({bank.currency, *(item.currency for item in bank.balances)} - {ours, ""})
    if told:
        return [Finding("ACCOUNT_CURRENCY", "block", {"found": ", ".join(told), "expected": ours})]
    return [
        Finding(
            "LINE_CURRENCY",
            "block",
            {"entry": str(entry.index), "amount": str(entry.amount), "found": entry.currency, "expected": ours},
        )
        for entry in bank.entries
        if entry.booked and entry.currency not in (ours, "")
    ]


def _days_to_come(organisation: Organisation, bank: BankStatement, today: date) -> list[Finding]:
    """Records of days that no bank can know yet; some date what they booked over days off with the next working day."""
    ahead = ParameterBook.load(organisation, AHEAD_DAYS).get(AHEAD_DAYS, today)
    last = today + timedelta(days=ahead.whole if ahead else 0)
    days = ((entry.index, entry.booked_on or entry.value_on) for entry in bank.entries if entry.booked)
    return [
        Finding("DAY_TO_COME", "block", {"entry": str(index), "day": f"{day:%d.%m.%Y}", "last": f"{last:%d.%m.%Y}"})
        for index, day in days
        if day and day > last
    ]


def _code(currency: str) -> str:
    """As the row keeps it; a text that is no code of three letters is none that we know."""
    return currency if len(currency) in (0, 3) else "N/A"


def _closing_before(organisation: Organisation, bank: BankStatement) -> Decimal | None:
    """What the account held by its latest statement, of whatever format, that ends before this one goes on.

    One that begins on the same day with the same money is told again here, whole or with more; of two of one day the
    number says the order.
    """
    begins, _ends = _days_told(bank)
    if begins is None:
        return None
    told = Q(from_date=begins, opening_minor=_minor(bank.balance("OPBD", "PRCD")))
    later = Q(pk__in=[])
    if bank.sequence is not None:
        later = Q(to_date=begins, format__startswith=bank.message[:8], sequence__gt=bank.sequence)
    rows = Statement.objects.filter(organisation=organisation, iban=bank.account, to_date__lte=begins)
    rows = rows.filter(status__in=IN_FORCE, closing_minor__isnull=False).exclude(told).exclude(later)
    before = rows.order_by("-to_date", F("sequence").desc(nulls_last=True), "-pk").first()
    return None if before is None else from_minor(before.closing_minor or 0)


def _statement_before(organisation: Organisation, bank: BankStatement) -> Statement | None:
    """The last statement of the account with a lower number; banks number anew each year, so only of the same one."""
    closing = _balance_day(bank.balance("CLBD"))
    year = bank.created_at.year if bank.created_at else closing.year if closing else None
    rows = _same_kind(organisation, bank)
    if bank.sequence is None or year is None:
        return None
    rows = rows.filter(sequence__lt=bank.sequence, to_date__year=year).exclude(status="refused")
    return rows.order_by("-sequence").first()


def _is_numbered(bank: BankStatement) -> bool:
    return bank.message.startswith("camt.053") or bank.message == MT940


def _same_kind(organisation: Organisation, bank: BankStatement) -> QuerySet[Statement]:
    """Earlier files of the account of the same kind of message."""
    return Statement.objects.filter(organisation=organisation, iban=bank.account, format__startswith=bank.message[:8])


def _overlap(organisation: Organisation, bank: BankStatement) -> list[Finding]:
    """Another file of the same kind has the same number or tells of the same days."""
    rows = _same_kind(organisation, bank).exclude(status="refused")
    days = sorted(entry.booked_on for entry in bank.entries if entry.booked_on)
    same = Q(pk__in=[])
    if days:
        same |= Q(from_date__lt=days[-1], to_date__gt=days[0])
    closing = _balance_day(bank.balance("CLBD"))
    if bank.sequence is not None and closing is not None:
        same |= Q(sequence=bank.sequence, to_date__year=closing.year)
    other = rows.filter(same).order_by("-pk").first()
    return [] if other is None else [Finding("STATEMENT_OVERLAP", "warn", {"other": other.statement_id})]


def statement_lines_from(statement: Statement, bank: BankStatement, at: datetime) -> list[StatementLine]:
    """Booked entries as lines: each detail where the details sum to the entry, else the entry as a whole."""
    lines: list[StatementLine] = []
    for entry in bank.entries:
        if entry.booked and entry.amount:
            lines.extend(_lines_of(statement, entry, at))
    for position, line in enumerate(lines, 1):
        line.position = position
    return lines


def _lines_of(statement: Statement, entry: Entry, at: datetime) -> list[StatementLine]:
    if not entry.details_add_up or any(not detail.amount for detail in entry.details):
        return [_line(statement, entry, EntryDetail(amount=entry.amount, remittance=entry.text), at)]
    return [_line(statement, entry, detail, at) for detail in entry.details]


def _line(statement: Statement, entry: Entry, detail: EntryDetail, at: datetime) -> StatementLine:
    assert detail.amount is not None  # checked by the caller
    text = " ".join(filter(None, [detail.remittance or entry.text, _extra_reference(detail)]))
    return StatementLine(
        statement=statement,
        position=0,
        booked_on=entry.booked_on or entry.value_on or local_date(at, statement.organisation.zone),
        amount_minor=to_minor(detail.amount),
        currency=_code(entry.currency) or statement.currency,
        end_to_end_id=detail.end_to_end_id[:70],
        bank_reference=(entry.bank_reference if detail.end_to_end_id else _whole(entry))[:70],
        counterparty_iban=detail.counterparty_account[:34],
        counterparty_name=detail.counterparty[:200],
        remittance_text=text[:600],
        return_reason=detail.return_reason[:16],
        is_return=entry.is_return,
        status="unmatched",
        status_at=at,
    )


def _whole(entry: Entry) -> str:
    """An entry without details is known by the batch it carries out, if the bank names it."""
    return entry.batch_reference or entry.bank_reference


def _extra_reference(detail: EntryDetail) -> str:
    reference = detail.creditor_reference
    return reference if reference and reference not in detail.remittance.replace(" ", "") else ""


def _minor(balance: Balance | None) -> int | None:
    return None if balance is None else to_minor(balance.amount)


def _balance_day(balance: Balance | None) -> date | None:
    return None if balance is None else balance.on
