"""Bank statements: imported once, matched to payments, explained by people, until nothing is open."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, nothing_to_record, record
from config.errors import DomainError, NotFound
from config.locks import lock_rows
from config.office.storage import attach
from config.transactions import step
from settlement.actions.bank_lines import ReasonMissing
from settlement.actions.matching import match_open_lines, settle_statement, take_statement_turn
from settlement.actions.opening_balances import opening_in_step
from settlement.actions.refused_statements import lock_lines_with_repetitions, reopen_repetitions
from settlement.actions.statement_rows import statement_lines_from, statement_row
from settlement.bank_queries import layouts
from settlement.gateways.bank_file import BankFileGateway
from settlement.gateways.base import GatewayError
from settlement.gateways.base import Statement as BankStatement
from settlement.gateways.mt940 import FORMAT as MT940
from settlement.gateways.mt940 import is_mt940
from settlement.gateways.tables import FORMAT as CSV
from settlement.gateways.tables import fingerprint, headings_of, read_table
from settlement.models import Statement, StatementLine
from settlement.statement_words import lasting_causes, unreadable_words

STATEMENT_FILE = "statement_file"
_CONTENT_TYPES = {MT940: "text/plain", CSV: "text/csv"}


class StatementUnreadable(DomainError):
    """Not a bank statement."""

    code = "STATEMENT_UNREADABLE"
    message = _(
        "This file cannot be read as a bank statement (%(reason)s). Ask the bank for a camt.053, MT940 or CSV file."
    )
    http_status = 400


class ColumnsUnknown(DomainError):
    """A table whose headings nobody has explained yet; they are in the params."""

    code = "STATEMENT_COLUMNS_UNKNOWN"
    message = _("We do not know the columns of this table yet. Say once what they mean, then import the file again.")
    http_status = 400


class AccountNotSaid(DomainError):
    """A table does not name its account, and the office has several; the params hold that of the last such table."""

    code = "STATEMENT_ACCOUNT_NOT_SAID"
    message = _("The table itself does not say which of our accounts it is of. Choose the account and the file again.")
    http_status = 400


class WrongAccount(DomainError):
    """A statement of somebody else's account."""

    code = "STATEMENT_WRONG_ACCOUNT"
    message = _("The statement is of the account %(found)s, which is not ours (%(expected)s). Choose another file.")


class StatementDiffers(DomainError):
    """The bank's own id is known with another content."""

    code = "STATEMENT_DIFFERS"
    message = _(
        "The statement «%(statement)s» was imported before with another content. Ask the bank which one holds; if it "
        "is this one, refuse the earlier one on its page first."
    )


class OwnStatement(DomainError):
    """Whoever brought a statement neither takes it in when it is broken nor throws it out when it counts."""

    code = "STATEMENT_FOUR_EYES"
    message = _("You imported this statement yourself. Another person must look at it and decide on it.")


class NotToAccept(DomainError):
    """A row would be lost, or booked in a false currency."""

    code = "STATEMENT_NOT_TO_ACCEPT"
    message = _("This statement cannot be accepted: %(causes)s. Refuse it; what to do then stands with each finding.")


@dataclass(frozen=True)
class ImportedStatement:
    """A statement of a file. ``repeated``: it was here before and nothing changed."""

    statement: Statement
    repeated: bool
    matched: int
    open_lines: int


def import_statement(
    *, organisation: Organisation, name: str, content: bytes, actor: Actor, at: datetime, account: str = ""
) -> list[ImportedStatement]:
    """Import every statement of a camt.052, 053 or 054 file of any version, of MT940 or of a table, each as one action.

    ``account`` is the IBAN of ours that a table is of; other files tell it themselves, and so does it where the office
    has one account. Nothing is stored unless all are readable and of our account.
    Raises: StatementUnreadable, ColumnsUnknown, AccountNotSaid, WrongAccount, StatementDiffers.
    """
    try:
        found = _read(organisation, content, account)
    except GatewayError as error:
        raise StatementUnreadable(reason=unreadable_words(error.code, error.params), reason_code=error.code) from error
    ours = [replace(bank, account=_our_account(organisation, bank.account)) for bank in found]
    return [
        store_statement(organisation=organisation, bank=bank, name=name, content=content, actor=actor, at=at)
        for bank in ours
    ]


def _read(organisation: Organisation, content: bytes, account: str) -> tuple[BankStatement, ...]:
    if content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"<", b"") or b"\0" in content[:100] or is_mt940(content):
        return BankFileGateway().read_report(content)
    headings = headings_of(content)
    layout = layouts(organisation).filter(header_sha256=fingerprint(headings)).first()
    if layout is None:
        raise ColumnsUnknown(headings=headings)
    if not account and len(organisation.accounts) > 1:
        raise AccountNotSaid(account=layout.iban)
    of = account or layout.iban
    return (read_table(content, columns=layout.columns, account=of, currency=organisation.currency),)


def _our_account(organisation: Organisation, account: str) -> str:
    """The IBAN of ours that a file means: some give the number inside it alone. Raises: WrongAccount."""
    for iban in organisation.accounts:
        if iban == account or (len(account) > 5 and iban[10:].lstrip("0") == account.lstrip("0")):
            return iban
    raise WrongAccount(found=account or "—", expected=", ".join(sorted(organisation.accounts)))


@action
def store_statement(
    *, organisation: Organisation, bank: BankStatement, name: str, content: bytes, actor: Actor, at: datetime
) -> ImportedStatement:
    """Store a statement with its lines and match them; one whose balance is broken waits in quarantine.

    Idempotent: known by content and by the bank's own id, unless it was refused: then the same file may be read again,
    with other columns. Raises: StatementDiffers.
    Locks: the turn of statements, claims, runs, payments.
    Posts: payment.confirmed, payment.returned, the account's opening balance. Audit: statement.imported.
    """
    take_statement_turn(organisation)
    digest = _digest(content, bank)
    known = _known(organisation, bank, digest)
    if known is not None:
        nothing_to_record()
        return ImportedStatement(known, True, 0, _open(known))
    with opening_in_step(organisation, bank.account, actor=actor, at=at):
        statement = statement_row(organisation, bank, digest, actor, at)
        StatementLine.objects.bulk_create(statement_lines_from(statement, bank, at))
        matched = _match_if_imported(statement, actor, at)
    settle_statement(statement, at=at)
    attach(
        organisation=organisation,
        to=statement,
        kind=STATEMENT_FILE,
        name=name[:200],
        content=content,
        content_type=_CONTENT_TYPES.get(bank.message, "application/xml"),
        uploaded_by_id=actor.user_id,
        at=at,
    )
    record(
        "statement.imported",
        statement,
        *{match.payment for match in matched},
        actor=actor,
        at=at,
        lines=statement.lines.count(),
        matched=len(matched),
        problems=[problem["code"] for problem in statement.problems],
    )
    return ImportedStatement(statement, False, len(matched), _open(statement))


def _digest(content: bytes, bank: BankStatement) -> str:
    # A file may hold several statements: each has a fingerprint of its own.
    return hashlib.sha256(content + b"\0" + bank.identifier.encode()).hexdigest()


def _known(organisation: Organisation, bank: BankStatement, digest: str) -> Statement | None:
    rows = Statement.objects.filter(organisation=organisation, iban=bank.account).exclude(status="refused")
    known = rows.filter(content_sha256=digest).first()
    if known is None and rows.filter(statement_id=bank.identifier).exists():
        raise StatementDiffers(statement=bank.identifier)
    return known


def _open(statement: Statement) -> int:
    return statement.lines.filter(status__in=("unmatched", "partial")).count()


@step
def _match_if_imported(statement: Statement, actor: Actor, at: datetime) -> list:
    if statement.status != "imported":
        return []
    return match_open_lines(statement, actor=actor, at=at)


@action
def accept_statement(
    *, organisation: Organisation, statement_id: int, reason: str, actor: Actor, at: datetime
) -> Statement:
    """Take a statement that another person imported out of quarantine with a reason, and match it.

    Raises: ReasonMissing, NotFound, NotToAccept, OwnStatement, InvalidMove.
    Locks: the turn of statements, statement, claims, runs, payments. Audit: statement.accepted.
    """
    take_statement_turn(organisation)
    statement = _locked(organisation, statement_id, reason, "imported")
    causes = lasting_causes(statement.problems)
    if causes:
        raise NotToAccept(causes=", ".join(causes))
    if statement.imported_by_id in (None, actor.user_id):
        raise OwnStatement()
    with opening_in_step(organisation, statement.iban, actor=actor, at=at):
        _decide(statement, "imported", reason, actor, at)
        matched = _match_if_imported(statement, actor, at)
    settle_statement(statement, at=at)
    record("statement.accepted", statement, actor=actor, at=at, reason=reason, matched=len(matched))
    return statement


@action
def refuse_statement(
    *, organisation: Organisation, statement_id: int, reason: str, actor: Actor, at: datetime
) -> Statement:
    """Throw a statement out for good; its lines count for nothing, and the right file may be brought.

    One that counts already leaves the books as if it had never come: another person than brought it says so, no money
    is booked by its lines any more, and lines of other statements that count once because of it wait again (to be
    matched anew: ``match_again``).
    Raises: ReasonMissing, NotFound, InvalidMove, OwnStatement, StatementInUse, StatementStays, IntoClosedMonth.
    Locks: the turn of statements, lines, statement, other statements.
    Posts: the account's opening balance anew. Audit: statement.refused.
    """
    take_statement_turn(organisation)
    # Before the statement, as whoever matches a line does.
    lock_lines_with_repetitions(organisation, statement_id)
    statement = _locked(organisation, statement_id, reason, "refused")
    if statement.status == "quarantined":
        _decide(statement, "refused", reason, actor, at)
        record("statement.refused", statement, actor=actor, at=at, reason=reason)
        return statement
    if statement.imported_by_id == actor.user_id:
        raise OwnStatement()
    with opening_in_step(organisation, statement.iban, actor=actor, at=at):
        others = reopen_repetitions(statement, at=at)
        _decide(statement, "refused", reason, actor, at)
    for other in others:
        settle_statement(other, at=at)
    record("statement.refused", statement, *others, actor=actor, at=at, reason=reason)
    return statement


@step
def _locked(organisation: Organisation, statement_id: int, reason: str, status: str) -> Statement:
    if not reason.strip():
        raise ReasonMissing()
    rows = lock_rows(Statement.objects.filter(pk=statement_id, organisation=organisation))
    if not rows:
        raise NotFound()
    rows[0].check_move(status)
    return rows[0]


@step
def _decide(statement: Statement, status: str, reason: str, actor: Actor, at: datetime) -> None:
    statement.decided_by_id, statement.decision_reason = actor.user_id, reason.strip()[:300]
    statement.status, statement.status_at = status, at
    statement.save(update_fields=["decided_by", "decision_reason", "status", "status_at"])


@action
def match_again(*, organisation: Organisation, actor: Actor, at: datetime) -> int:
    """Try the open lines of all imported statements once more, after payments or statements arrived late.

    Returns the number of new matches. Locks: the turn of statements, then as an import. Audit: statements.matched, when
    any.
    """
    take_statement_turn(organisation)
    found: list = []
    statements = list(Statement.objects.filter(organisation=organisation, status="imported").order_by("pk"))
    with ExitStack() as openings:
        for iban in sorted({statement.iban for statement in statements}):
            openings.enter_context(opening_in_step(organisation, iban, actor=actor, at=at))
        for statement in statements:
            found += _match_if_imported(statement, actor, at)
    for statement in statements:
        settle_statement(statement, at=at)
    _record_matches(organisation, found, actor, at)
    return len(found)


def _record_matches(organisation: Organisation, found: Iterable, actor: Actor, at: datetime) -> None:
    payments = {match.payment for match in found}
    if not payments:
        nothing_to_record()
        return
    record("statements.matched", organisation, *payments, actor=actor, at=at, matched=len(payments))
