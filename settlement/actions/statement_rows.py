"""Bank statements as rows: one line for each transfer that can be matched by itself."""

from __future__ import annotations

from datetime import date, datetime

from django.db.models import Q, QuerySet

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.clock import local_date
from config.money import from_minor, to_minor
from config.transactions import step
from settlement.gateways.base import Balance, Entry, EntryDetail, Finding
from settlement.gateways.base import Statement as BankStatement
from settlement.gateways.camt import check_sequence
from settlement.gateways.mt940 import FORMAT as MT940
from settlement.models import Statement, StatementLine


@step
def statement_row(
    organisation: Organisation, bank: BankStatement, digest: str, actor: Actor, at: datetime
) -> Statement:
    """The statement with what was found wrong in it; a blocking finding puts it into quarantine."""
    opening, closing = bank.balance("OPBD", "PRCD"), bank.balance("CLBD")
    days = sorted(entry.booked_on for entry in bank.entries if entry.booked_on)
    return Statement.objects.create(
        organisation=organisation,
        iban=bank.account,
        statement_id=bank.identifier[:70],
        sequence=bank.sequence,
        format=bank.message[:24],
        content_sha256=digest,
        from_date=days[0] if days else _balance_day(opening),
        to_date=days[-1] if days else _balance_day(closing),
        opening_minor=_minor(opening),
        closing_minor=_minor(closing),
        currency=bank.currency,
        problems=_problems(organisation, bank),
        imported_by_id=actor.user_id,
        imported_at=at,
        status="imported" if bank.is_balanced else "quarantined",
        status_at=at,
    )


def _problems(organisation: Organisation, bank: BankStatement) -> list[dict[str, object]]:
    findings = list(bank.findings)
    if _is_numbered(bank):
        findings += _sequence_findings(_statement_before(organisation, bank), bank)
    findings += _overlap(organisation, bank)
    return [{"code": item.code, "severity": item.severity, "params": item.params} for item in findings]


def _sequence_findings(before: Statement | None, bank: BankStatement) -> list[Finding]:
    if before is None or before.sequence is None or bank.sequence is None:
        return []
    follows = bank.sequence == before.sequence + 1 and before.closing_minor is not None
    closing = from_minor(before.closing_minor or 0) if follows else None
    return check_sequence(bank, last_sequence=before.sequence, last_closing=closing)


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
        currency=entry.currency or statement.currency,
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
