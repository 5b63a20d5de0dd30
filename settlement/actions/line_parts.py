"""Bank lines that bring money for documents of ours without their reference, or for several of them at once: a person
says for which, of a whole line or part by part.

A part is taken as a whole line is, by the same row and the same entry. What no document takes stays open, or is booked
as money of cards or in words.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, record
from config.errors import DomainError
from config.locks import lock_rows
from config.money import from_minor, to_minor
from config.transactions import step
from settlement.actions.advance_money import lock_advances, repay_advance
from settlement.actions.bank_lines import WholeReturnsOnly, book_rest, demand_reason, lock_open_line
from settlement.actions.clawback_recovery import lock_owing, owing, repay
from settlement.actions.clearing import StatementNotAgreed, take_net
from settlement.actions.fees import lock_notice, receive_by_bank
from settlement.actions.matching import match_to_payments, settle_statement
from settlement.actions.payment_postings import open_of
from settlement.actions.payments import lock_payments
from settlement.advance_queries import returnable
from settlement.bank_queries import takings_of
from settlement.clearing_queries import clearing_statements
from settlement.models import ClearingStatement, FeeNotice, Payment, StatementLine

# What a part may be beside a document; a line has one of them at most, and it is all that documents do not take.
OPEN, WORDS, CARDS = "open", "words", "cards"
RESTS = (OPEN, WORDS, CARDS)


class NoticeUnknown(DomainError):
    """No notice of that number, or money that goes out."""

    code = "FEE_NOTICE_UNKNOWN"
    message = _("There is no notice «%(notice)s» that this line could pay. Look at its number or reference again.")


class CaseUnknown(DomainError):
    """No case of that number that waits for money."""

    code = "CLAWBACK_UNKNOWN"
    message = _("No decided case «%(case)s» waits for money that this line could be. Look at its number again.")


class MoreThanOwed(DomainError):
    """More than is still owed."""

    code = "CLAWBACK_MORE_THAN_OWED"
    message = _("Of the case «%(case)s» %(owed)s is still owed, this is %(amount)s. Divide the line, or explain it.")


class AdvanceUnknown(DomainError):
    """No advance of that number that money can come back of."""

    code = "ADVANCE_UNKNOWN"
    message = _("No paid advance «%(advance)s» waits for money that this line could be. Look at its number again.")


class MoreThanLeft(DomainError):
    """More than stands on it."""

    code = "ADVANCE_MORE_THAN_LEFT"
    message = _("Of the advance «%(advance)s» %(left)s is left, this is %(amount)s. Divide the line, or explain it.")


class PaymentUnknown(DomainError):
    """No payment of that reference that can come back."""

    code = "RETURNED_PAYMENT_UNKNOWN"
    message = _("No payment «%(payment)s» that the bank has carried out could come back. Look at its reference again.")


class NotToDivide(DomainError):
    """Money that goes out, or of another currency."""

    code = "LINE_NOT_TO_DIVIDE"
    message = _("Only money that came in, in the currency of the office, can be for a document like this.")


class PartsDiffer(DomainError):
    """Every kopiyka has its place."""

    code = "PARTS_SUM_DIFFERS"
    message = _(
        "Of the line %(line)s is open, the parts are %(parts)s together. Correct a sum, or let the rest stay open."
    )


class SamePartTwice(DomainError):
    """One document, one part."""

    code = "PART_TWICE"
    message = _("«%(number)s» is named twice. Write its money as one part.")


class PartTaken(DomainError):
    """A document takes of a line once."""

    code = "PART_TAKEN"
    message = _("«%(number)s» takes a part of this line already. Undo that part first, then write all of it as one.")


class RestTwice(DomainError):
    """What no document takes is one thing."""

    code = "PART_REST_TWICE"
    message = _("What no document takes can be one part only: money of cards, something in words, or open.")


class NothingDivided(DomainError):
    """No part for a document."""

    code = "PARTS_NOTHING"
    message = _(
        "No part is for a document. Name a document that a part of the money is for; money that is for none is not "
        "divided but explained on the page of the line."
    )


@dataclass(frozen=True)
class Part:
    """A part of a bank line: what it is, the number of the document (or words), minor units."""

    kind: str
    number: str
    amount_minor: int


@dataclass(frozen=True)
class Taker:
    """How money of a line comes to a document of a kind.

    ``find`` looks it up by its number or reference; ``lock`` locks documents of the kind, given in the order of their
    keys; ``take`` books a sum for a locked one (document, line, minor units, …).
    """

    find: Callable[[Organisation, str], Any]
    lock: Callable[[Organisation, Sequence[Any]], object]
    take: Callable[..., Any]


# --- Documents -------------------------------------------------------------------------------------------------------


def _notice(organisation: Organisation, number: str) -> FeeNotice:
    rows = FeeNotice.objects.filter(organisation=organisation).select_related("organisation")
    found: FeeNotice = _named(rows, number, NoticeUnknown(notice=number))
    return found


@step
def _lock_notices(organisation: Organisation, notices: Sequence[FeeNotice]) -> None:
    for notice in notices:
        lock_notice(notice)


@step
def _pay(notice: FeeNotice, line: StatementLine, amount: int, reason: str, actor: Actor, at: datetime) -> None:
    receive_by_bank(notice, line, amount, actor=actor, at=at)


def _case(organisation: Organisation, number: str) -> Any:
    return _named(owing(organisation), number, CaseUnknown(case=number))


@step
def _repay(case: Any, line: StatementLine, amount: int, reason: str, actor: Actor, at: datetime) -> None:
    if amount > case.outstanding:
        raise MoreThanOwed(case=case.number, owed=from_minor(case.outstanding), amount=from_minor(amount))
    repay(case, line, amount, actor=actor, at=at)


def _advance(organisation: Organisation, number: str) -> Any:
    return _named(returnable(organisation), number, AdvanceUnknown(advance=number))


@step
def _give_back(advance: Any, line: StatementLine, amount: int, reason: str, actor: Actor, at: datetime) -> None:
    if amount > advance.outstanding:
        raise MoreThanLeft(advance=advance.number, left=from_minor(advance.outstanding), amount=from_minor(amount))
    repay_advance(advance, line, amount, actor=actor, at=at)


def _statement(organisation: Organisation, number: str) -> ClearingStatement:
    found = clearing_statements(organisation).filter(number=number.strip()).first()
    if found is None:
        raise StatementNotAgreed(number=number)
    return found


@step
def _lock_statements(organisation: Organisation, statements: Sequence[ClearingStatement]) -> None:
    lock_rows(ClearingStatement.objects.filter(pk__in=[row.pk for row in statements]))


@step
def _net(
    statement: ClearingStatement, line: StatementLine, amount: int, reason: str, actor: Actor, at: datetime
) -> None:
    take_net(statement, line, amount, actor=actor, at=at)


def _payment(organisation: Organisation, number: str) -> Payment:
    rows = Payment.objects.filter(Q(reference=number.strip()) | Q(rf_reference=_plain(number)))
    found = rows.filter(organisation=organisation, status="confirmed").order_by("pk").first()
    if found is None:
        raise PaymentUnknown(payment=number)
    return found


@step
def _lock_payments(organisation: Organisation, payments: Sequence[Payment]) -> None:
    lock_payments(Payment.objects.filter(pk__in=[row.pk for row in payments]))


@step
def _return(payment: Payment, line: StatementLine, amount: int, reason: str, actor: Actor, at: datetime) -> None:
    if amount != to_minor(payment.amount.amount):
        raise WholeReturnsOnly()
    match_to_payments(line, {payment: amount}, reason=reason, actor=actor, at=at)


def _named(rows: QuerySet[Any], number: str, refusal: DomainError) -> Any:
    plain = _plain(number)
    found = rows.filter(Q(number=number.strip()) | Q(number=plain) | Q(rf_reference=plain)).first()
    if found is None:
        raise refusal
    return found


def _plain(number: str) -> str:
    return number.replace(" ", "").upper() or "-"


# In the order in which the import of a statement locks them.
TAKERS: dict[str, Taker] = {
    "fee": Taker(_notice, _lock_notices, _pay),
    # All that are open: a run takes of them too.
    "clawback": Taker(_case, lambda organisation, _cases: lock_owing(organisation), _repay),
    "advance": Taker(_advance, lambda organisation, _advances: lock_advances(organisation), _give_back),
    "clearing": Taker(_statement, _lock_statements, _net),
    "returned": Taker(_payment, _lock_payments, _return),
}


@step
def _lock_named(organisation: Organisation, named: Sequence[tuple[str, str]]) -> list[Any]:
    """Documents by kind and number, in that order, locked kind by kind in the order of their keys: who writes a number
    and who writes a reference wait for each other alike. They are read again once nobody can change them.
    """
    keys: dict[str, dict[int, Any]] = {kind: {} for kind in TAKERS}
    for kind, number in named:
        found = TAKERS[kind].find(organisation, number)
        keys[kind][found.pk] = found
    for kind, documents in keys.items():
        if documents:
            TAKERS[kind].lock(organisation, [documents[pk] for pk in sorted(documents)])
    return [TAKERS[kind].find(organisation, number) for kind, number in named]


# --- Whole lines -----------------------------------------------------------------------------------------------------


@action
def pay_notice_with_line(
    *, organisation: Organisation, line_id: int, notice: str, actor: Actor, at: datetime
) -> StatementLine:
    """A payer forgot the reference: a person says which notice the money that is open of a line is for.

    Raises: NotFound, LineNotOpen, NoticeUnknown, NotToDivide. Locks: notice, line. Posts: fee.paid_by_bank.
    Audit: statement_line.explained.
    """
    return _take_open("fee", notice, organisation, line_id, actor, at)


@action
def repay_with_line(
    *, organisation: Organisation, line_id: int, case: str, actor: Actor, at: datetime
) -> StatementLine:
    """The provider forgot the reference: a person says for which case the money that is open of a line is.

    Raises: NotFound, LineNotOpen, CaseUnknown, MoreThanOwed, NotToDivide. Locks: cases, line. Posts: clawback.repaid.
    Audit: statement_line.explained.
    """
    return _take_open("clawback", case, organisation, line_id, actor, at)


@action
def repay_advance_with_line(
    *, organisation: Organisation, line_id: int, advance: str, actor: Actor, at: datetime
) -> StatementLine:
    """The provider forgot the reference: a person says of which advance the money that is open of a line is.

    Raises: NotFound, LineNotOpen, AdvanceUnknown, MoreThanLeft, NotToDivide. Locks: advances, line.
    Posts: advance.repaid. Audit: statement_line.explained.
    """
    return _take_open("advance", advance, organisation, line_id, actor, at)


@step
def _take_open(
    kind: str, number: str, organisation: Organisation, line_id: int, actor: Actor, at: datetime
) -> StatementLine:
    [found] = _lock_named(organisation, [(kind, number)])
    line = _lock_credit(organisation, line_id)
    _check_new(found, _numbers_taking(line))
    TAKERS[kind].take(found, line, open_of(line), "", actor, at)
    settle_statement(line.statement, at=at)
    record("statement_line.explained", line, line.statement, found, actor=actor, at=at, explanation=found.number)
    return line


@step
def _lock_credit(organisation: Organisation, line_id: int) -> StatementLine:
    line = lock_open_line(organisation, line_id)
    if line.amount_minor <= 0 or line.currency != organisation.currency:
        raise NotToDivide()
    return line


# --- Parts -----------------------------------------------------------------------------------------------------------


@action
def divide_line(
    *, organisation: Organisation, line_id: int, parts: Sequence[Part], reason: str, actor: Actor, at: datetime
) -> StatementLine:
    """Divide what is open of an incoming line among documents; the sums are together what is open, to the last unit.

    Money: minor units of the organisation's currency, each above zero. One part may be what no document takes.
    Raises: NotFound, ReasonMissing, LineNotOpen, NotToDivide, NothingDivided, RestTwice, PartsDiffer, SamePartTwice,
    PartTaken, and what the documents refuse. Locks: documents in the order of TAKERS, line. Posts: what each part would
    as a whole line. Audit: statement_line.divided.
    """
    demand_reason(reason)
    taking = sorted((part for part in parts if part.kind in TAKERS), key=lambda part: (_place(part), part.number))
    rest = [part for part in parts if part.kind in RESTS]
    _check_kinds(taking, rest, parts)
    found = _lock_named(organisation, [(part.kind, part.number) for part in taking])
    line = _lock_credit(organisation, line_id)
    _check_documents(found, taking, line, parts)
    _check_sums(line, parts)
    for document, part in zip(found, taking, strict=True):
        with _refused_at(parts, part, "amount"):
            TAKERS[part.kind].take(document, line, part.amount_minor, reason, actor, at)
    _book_rest(line, rest, actor, at)
    settle_statement(line.statement, at=at)
    record(
        "statement_line.divided", line, line.statement, *found, actor=actor, at=at, reason=reason,
        parts=[asdict(part) for part in parts],
    )  # fmt: skip
    return line


def _place(part: Part) -> int:
    return list(TAKERS).index(part.kind)


@contextmanager
def _refused_at(parts: Sequence[Part], part: Part, field: str) -> Iterator[None]:
    """What is refused inside says which of the parts it is about, and which field of it."""
    try:
        yield
    except DomainError as error:
        error.place = next(place for place, said in enumerate(parts) if said is part), field
        raise


def _check_kinds(taking: Sequence[Part], rest: Sequence[Part], parts: Sequence[Part]) -> None:
    if not taking:
        raise NothingDivided()
    if len(rest) > 1:
        with _refused_at(parts, rest[1], "kind"):
            raise RestTwice()


def _check_documents(found: Sequence[Any], taking: Sequence[Part], line: StatementLine, parts: Sequence[Part]) -> None:
    """Each document is named once, and takes nothing of the line yet."""
    taking_now = _numbers_taking(line)
    for place, (document, part) in enumerate(zip(found, taking, strict=True)):
        with _refused_at(parts, part, "number"):
            if document in found[:place]:
                raise SamePartTwice(number=str(document))
            _check_new(document, taking_now)


def _numbers_taking(line: StatementLine) -> set[str]:
    return {row.number for row in takings_of(line.statement, line).get(line.pk, [])}


def _check_new(document: Any, taking: Collection[str]) -> None:
    if str(document) in taking:
        raise PartTaken(number=str(document))


def _check_sums(line: StatementLine, parts: Sequence[Part]) -> None:
    total, left = sum(part.amount_minor for part in parts), open_of(line)
    if total != left or any(part.amount_minor <= 0 for part in parts):
        raise PartsDiffer(line=from_minor(left), parts=from_minor(total))


@step
def _book_rest(line: StatementLine, rest: Sequence[Part], actor: Actor, at: datetime) -> None:
    for part in rest:
        if part.kind == WORDS:
            demand_reason(part.number)
            book_rest(line, part.number, "receipt.explained", actor=actor, at=at)
        elif part.kind == CARDS:
            book_rest(line, "Stripe", "card.paid_out", actor=actor, at=at)
