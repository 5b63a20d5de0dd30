"""What people decide about single bank lines: which payments they are, wholly or in part, what else they are, and that
an earlier decision was wrong. Nothing is edited: an undone match is a row of the opposite amount.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, record
from config.errors import DomainError, NotFound
from config.locks import lock_rows
from config.money import from_minor, to_minor
from config.transactions import step
from contracts.models import Provider
from settlement.actions.matching import match_to_payments, settle_statement, take_statement_turn
from settlement.actions.opening_balances import opening_in_step
from settlement.actions.payment_postings import (
    open_of,
    post_explained_line,
    post_matches,
    refuse_other_currency,
    settle_lines,
    undoing_event,
)
from settlement.actions.payments import lock_payments, move_payments, reopen_runs
from settlement.bank_queries import only_fitting
from settlement.models import Match, Payment, PaymentAdvance, PaymentRemittance, StatementLine
from settlement.models.statements import IN_FORCE, LIVE
from settlement.repeat_queries import perhaps_told_before
from settlement.rules.matching import PAYMENT, RETURN


class SumsDiffer(DomainError):
    """A hand-made match must agree to the kopiyka."""

    code = "MATCH_SUM_DIFFERS"
    message = _("The line is of %(line)s, the chosen payments are %(payments)s together. Choose payments of equal sum.")


class PartTooLarge(DomainError):
    """More than is open of the line or of the payment."""

    code = "MATCH_PART_TOO_LARGE"
    message = _("Of the line %(line)s is open, of the payment %(payment)s. Write a part of at most the smaller sum.")


class WholeReturnsOnly(DomainError):
    """A payment comes back as a whole."""

    code = "MATCH_RETURN_WHOLE"
    message = _("Money that came back only in part is no return of a payment. Explain the line in words.")


class LineNotOpen(DomainError):
    """The line is matched or explained already."""

    code = "LINE_NOT_OPEN"
    message = _("This bank line is already matched or explained. Reload the page to see how.")


class NotInForce(DomainError):
    """A line that counts for nothing."""

    code = "STATEMENT_NOT_IN_FORCE"
    message = _("The statement «%(statement)s» is refused or waits for a decision: its lines count for nothing.")


class RestExplained(DomainError):
    """Beside what is undone the rest of the line is explained."""

    code = "LINE_REST_EXPLAINED"
    message = _("What is left of this bank line is explained. Undo the explanation first, then this part.")


class ReturnFirst(DomainError):
    """The payment came back since."""

    code = "MATCH_RETURNED_SINCE"
    message = _("The bank returned «%(payment)s» later. Undo the match of the return first.")


class PaidAgain(DomainError):
    """What came back was paid out again."""

    code = "MATCH_PAID_AGAIN"
    message = _("What «%(payment)s» paid is already in another payment run, so its return cannot be undone.")


class NotToUndo(DomainError):
    """Another kind of booking than a plain explanation."""

    code = "EXPLANATION_STAYS"
    message = _(
        "These are fees passed on to a provider, or a repetition that the import recognised. It cannot be opened here."
    )


class NotToldBefore(DomainError):
    """No earlier statement has such a line."""

    code = "LINE_NOT_TOLD_BEFORE"
    message = _("No earlier statement of this account tells of such a movement. Match or explain the line.")


class ReasonMissing(DomainError):
    """A decision that needs words."""

    code = "REASON_MISSING"
    message = _("Write a reason: the auditor will read it.")
    http_status = 400


@action
def match_line(
    *, organisation: Organisation, line_id: int, payment_ids: Sequence[int], reason: str, actor: Actor, at: datetime
) -> StatementLine:
    """Match what is open of a line by hand to payments of equal sum: outgoing money pays them, incoming returns them.

    The only payment that fits needs no reason.
    Raises: NotFound, LineNotOpen, SumsDiffer, ReasonMissing, InvalidMove. Locks: claims, runs, payments, line.
    Posts: as an automatic match. Audit: statement_line.matched.
    """
    payments, line = _lock(organisation, payment_ids, line_id)
    if not reason.strip() and payments != [only_fitting(line, open_of(line))]:
        raise ReasonMissing()
    amounts = {payment: _open_of_payment(payment, line) for payment in payments}
    total, left = sum(amounts.values()), open_of(line)
    if not payments or total != left:
        raise SumsDiffer(line=from_minor(abs(left)), payments=from_minor(abs(total)))
    return _match(line, amounts, reason, actor, at)


@action
def split_line(
    *,
    organisation: Organisation,
    line_id: int,
    payment_id: int,
    amount_minor: int,
    reason: str,
    actor: Actor,
    at: datetime,
) -> StatementLine:
    """Match a part of an outgoing line to a payment, or to a part of it; the rest of both stays open.

    Money: ``amount_minor`` positive. Raises: NotFound, LineNotOpen, PartTooLarge, WholeReturnsOnly, ReasonMissing.
    Locks: claims, runs, payment, line. Posts: payment.confirmed of the part. Audit: statement_line.matched.
    """
    demand_reason(reason)
    payments, line = _lock(organisation, [payment_id], line_id)
    if not payments:
        raise NotFound()
    if line.amount_minor > 0:
        raise WholeReturnsOnly()
    left, due = -open_of(line), -_open_of_payment(payments[0], line)
    if not 0 < amount_minor <= min(left, due):
        raise PartTooLarge(line=from_minor(left), payment=from_minor(due))
    return _match(line, {payments[0]: -amount_minor}, reason, actor, at)


def demand_reason(reason: str) -> None:
    """Raises: ReasonMissing."""
    if not reason.strip():
        raise ReasonMissing()


def _lock(organisation: Organisation, payment_ids: Sequence[int], line_id: int) -> tuple[list[Payment], StatementLine]:
    # Payments before the line, as the import of a statement locks them.
    rows = Payment.objects.filter(organisation=organisation, pk__in=payment_ids)
    return lock_payments(rows), lock_open_line(organisation, line_id)


def _open_of_payment(payment: Payment, line: StatementLine) -> int:
    """What a line may still carry of a payment, signed as on the account."""
    amount = to_minor(payment.amount.amount)
    if line.amount_minor > 0:
        return amount
    seen = payment.matches.filter(kind=PAYMENT).values_list("amount_minor", flat=True)
    return -amount - sum(seen)


def _match(
    line: StatementLine, amounts: Mapping[Payment, int], reason: str, actor: Actor, at: datetime
) -> StatementLine:
    match_to_payments(line, amounts, reason=reason, actor=actor, at=at)
    settle_statement(line.statement, at=at)
    record(
        "statement_line.matched", line, *amounts, actor=actor, at=at, reason=reason, amount_minor=sum(amounts.values())
    )
    return line


@action
def explain_line(
    *, organisation: Organisation, line_id: int, explanation: str, actor: Actor, at: datetime
) -> StatementLine:
    """Say in words what is open of a line; the money stands on the account of unexplained receipts until it is moved.

    Raises: NotFound, LineNotOpen, ReasonMissing. Posts: receipt.explained. Audit: statement_line.explained.
    """
    demand_reason(explanation)
    line = lock_open_line(organisation, line_id)
    event = "receipt.explained" if line.amount_minor > 0 else "charge.explained"
    book_rest(line, explanation, event, actor=actor, at=at)
    settle_statement(line.statement, at=at)
    record("statement_line.explained", line, line.statement, actor=actor, at=at, explanation=line.explanation)
    return line


@action
def count_once(*, organisation: Organisation, line_id: int, actor: Actor, at: datetime) -> StatementLine:
    """Say that a line is the movement that an earlier statement told: it counts once, and nothing is posted. It can be
    undone (``undone_lines.undo_count_once``).

    Raises: NotFound, LineNotOpen, NotInForce, NotToldBefore. Locks: the turn of statements, line, statement.
    Posts: the account's opening balance anew, if the day is before it. Audit: statement_line.told_before.
    """
    take_statement_turn(organisation)
    line = lock_open_line(organisation, line_id)
    before = perhaps_told_before(line.statement).get(line.pk)
    if before is None:
        raise NotToldBefore()
    with opening_in_step(organisation, line.statement.iban, actor=actor, at=at):
        line.check_move("explained")
        line.status, line.status_at = "explained", at
        line.explanation, line.told_by_id = before.statement.statement_id, actor.user_id
        line.save(update_fields=["status", "status_at", "explanation", "told_by"])
    settle_statement(line.statement, at=at)
    record("statement_line.told_before", line, line.statement, before, actor=actor, at=at, explanation=line.explanation)
    return line


@step
def book_rest(
    line: StatementLine, words: str, event: str, *, provider: Provider | None = None, actor: Actor, at: datetime
) -> None:
    """Explain what is open of a locked line and book it. Posts: the event."""
    line.explanation, line.explained_by_id = words.strip()[:300], actor.user_id
    line.save(update_fields=["explanation", "explained_by"])
    post_explained_line(line, event, provider=provider, actor=actor, at=at)
    line.move_to("explained", at=at)


@action
def undo_match(*, organisation: Organisation, match_id: int, reason: str, actor: Actor, at: datetime) -> Match:
    """Say that a match was wrong: a row of the opposite amount takes it back, and line and payment are open again.

    Raises: NotFound (also when undone before), ReasonMissing, ReturnFirst, PaidAgain, IntoClosedMonth.
    Locks: claims, runs, payment, line. Posts: payment.unconfirmed or payment.unreturned. Audit: match.undone.
    """
    demand_reason(reason)
    rows = Match.objects.filter(payment__organisation=organisation, **LIVE).select_related("statement_line__statement")
    named = rows.filter(pk=match_id).first()
    if named is None:
        raise NotFound()
    [payment] = lock_payments(Payment.objects.filter(pk=named.payment_id))
    [line] = lock_rows(StatementLine.objects.filter(pk=named.statement_line_id).select_related("statement"))
    # Another person may have undone it while we waited.
    if not rows.filter(pk=match_id).exists():
        raise NotFound()
    _check_undo(named, payment)
    undone = _take_back(named, line, payment, reason, actor, at)
    record("match.undone", line, payment, actor=actor, at=at, reason=reason, amount_minor=named.amount_minor)
    return undone


def _check_undo(match: Match, payment: Payment) -> None:
    if match.kind == PAYMENT and payment.status == "returned":
        raise ReturnFirst(payment=payment.reference)
    paid = PaymentRemittance.objects.filter(remittance__payment_items__payment=payment, live=True)
    advances = PaymentAdvance.objects.filter(advance__payment_items__payment=payment, live=True)
    again = paid.exclude(payment=payment).exists() or advances.exclude(payment=payment).exists()
    if match.kind == RETURN and again:
        raise PaidAgain(payment=payment.reference)


@step
def _take_back(match: Match, line: StatementLine, payment: Payment, reason: str, actor: Actor, at: datetime) -> Match:
    undone = Match.objects.create(
        statement_line=line,
        payment=payment,
        kind=match.kind,
        amount_minor=-match.amount_minor,
        rule="undo",
        confidence=100,
        reason=reason[:300],
        matched_by_id=actor.user_id,
        matched_at=at,
        undoes=match,
    )
    post_matches([undone], actor=actor, at=at)
    if match.kind == RETURN:
        move_payments([payment], "confirmed", at=at)
    elif payment.status == "confirmed":
        move_payments([payment], "sent", at=at)
        reopen_runs([payment], at=at)
    open_again(line, at=at)
    return undone


@step
def open_again(line: StatementLine, *, at: datetime) -> None:
    """What took a line, or a part of it, was undone: it waits, and so does its statement. Raises: RestExplained."""
    if line.status == "explained":
        raise RestExplained()
    settle_lines([line], at=at)
    settle_statement(line.statement, at=at)


@action
def undo_explanation(
    *, organisation: Organisation, line_id: int, reason: str, actor: Actor, at: datetime
) -> StatementLine:
    """Say that the explanation of a line was wrong: the opposite is posted, and the line is open again.

    Raises: NotFound, ReasonMissing, LineNotOpen, NotToUndo, IntoClosedMonth. Locks: line.
    Posts: receipt.unexplained, charge.unexplained; of money of cards the opposite event. Audit: statement_line.opened.
    """
    demand_reason(reason)
    line = lock_line(organisation, line_id)
    if line.status != "explained":
        raise LineNotOpen()
    event = undoing_event(line)
    if event is None:
        raise NotToUndo()
    post_explained_line(line, event, actor=actor, at=at)
    said, line.explanation, line.explained_by_id = line.explanation, "", None
    line.save(update_fields=["explanation", "explained_by"])
    settle_lines([line], at=at)
    settle_statement(line.statement, at=at)
    record("statement_line.opened", line, line.statement, actor=actor, at=at, reason=reason, explanation=said)
    return line


def lock_open_line(organisation: Organisation, line_id: int) -> StatementLine:
    """An open line of a statement in force, locked. Raises: NotFound, NotInForce, LineNotOpen, OtherCurrency."""
    line = lock_line(organisation, line_id)
    refuse_out_of_force(line)
    if line.status not in ("unmatched", "partial") or line.statement.status != "imported":
        raise LineNotOpen()
    refuse_other_currency(line, organisation.currency)
    return line


def refuse_out_of_force(line: StatementLine) -> None:
    """Raises: NotInForce."""
    if line.statement.status not in IN_FORCE:
        raise NotInForce(statement=line.statement.statement_id)


def lock_line(organisation: Organisation, line_id: int) -> StatementLine:
    """A line of the office, locked. Raises: NotFound."""
    # Its statement is read after the lock: somebody may have thrown it out while we waited.
    rows = lock_rows(StatementLine.objects.filter(pk=line_id, statement__organisation=organisation))
    if not rows:
        raise NotFound()
    return rows[0]
