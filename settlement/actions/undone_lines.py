"""Bank lines, or parts of them, that were taken for something that they are not: a recipient's fee, its refund, the
money of a clawback or of an advance, the payment of a clearing statement, the repetition of an earlier line.

As with payments nothing is edited: a row of the opposite amount takes the part back, and it is open again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, record
from config.errors import DomainError, NotFound
from config.transactions import step
from contracts.actions.clearing import refuse_stranger
from settlement.actions.advance_money import unrepay_advance
from settlement.actions.advances import locked_advance
from settlement.actions.bank_lines import (
    LineNotOpen,
    NotToUndo,
    demand_reason,
    lock_line,
    open_again,
    refuse_out_of_force,
)
from settlement.actions.clawback_recovery import unrepay
from settlement.actions.clawbacks import locked_case
from settlement.actions.clearing import lock_statement
from settlement.actions.clearing_postings import post_payment
from settlement.actions.fee_refunds import lock_refund
from settlement.actions.fees import lock_notice, unreceive_by_bank, untransfer_refund
from settlement.actions.matching import settle_statement, take_statement_turn
from settlement.actions.month_close import refuse_closed_month
from settlement.actions.opening_balances import opening_in_step
from settlement.actions.payment_postings import settle_lines
from settlement.advance_queries import live_returns
from settlement.bank_queries import live_clearings, live_receipts, live_repayments, live_transfers
from settlement.models import (
    AdvanceReturn,
    ClawbackRecovery,
    ClearingPayment,
    FeeReceipt,
    FeeRefundTransfer,
    StatementLine,
)
from settlement.models.fees import NOT_GIVEN


class RefundFirst(DomainError):
    """Money of the receipt goes back, or has gone."""

    code = "FEE_RECEIPT_REFUNDED"
    message = _(
        "A refund of this money to the payer is asked for or made. Refuse the refund, or undo its bank line, first."
    )


class CaseClosed(DomainError):
    """A case that was filed."""

    code = "CLAWBACK_CLOSED"
    message = _("The case «%(case)s» is closed, so its money stays where it is. Open a new case if something is owed.")


@step
def _locked(
    rows: QuerySet[Any], pk: int, reason: str, lock: Callable[[Any], Any], owner: str = ""
) -> tuple[Any, StatementLine]:
    """A row of ``rows`` that holds, its locked document (kept as ``owner``) and then its locked bank line.

    Raises: ReasonMissing, NotFound.
    """
    demand_reason(reason)
    named = rows.filter(pk=pk).first()
    if named is None:
        raise NotFound()
    document = lock(named)
    if owner:
        setattr(named, owner, document)
    line = lock_line(named.statement_line.statement.organisation, named.statement_line_id)
    # Another person may have undone it while we waited.
    if not rows.filter(pk=pk).exists():
        raise NotFound()
    return named, line


@action
def undo_fee_receipt(
    *, organisation: Organisation, receipt_id: int, reason: str, actor: Actor, at: datetime
) -> FeeReceipt:
    """Say that a bank line was no money for a notice: the notice is owed again. Money of cards is not undone.

    Raises: NotFound (also when undone before), ReasonMissing, RefundFirst, IntoClosedMonth. Locks: notice, line.
    Posts: fee.unpaid_by_bank. Audit: fee_receipt.undone.
    """
    named, line = _locked(live_receipts(organisation), receipt_id, reason, lambda row: lock_notice(row.notice))
    if named.refunds.exclude(status__in=NOT_GIVEN).exists():
        raise RefundFirst()
    undone = unreceive_by_bank(named, reason=reason, actor=actor, at=at)
    open_again(line, at=at)
    record(
        "fee_receipt.undone", line, line.statement, named.notice, actor=actor, at=at, reason=reason,
        number=named.notice.number, amount_minor=named.amount_minor,
    )  # fmt: skip
    return undone


@action
def undo_refund_transfer(
    *, organisation: Organisation, transfer_id: int, reason: str, actor: Actor, at: datetime
) -> FeeRefundTransfer:
    """Say that a bank line was not a refund: the refund is approved and waits for its transfer again.

    Raises: NotFound (also when undone before), ReasonMissing, IntoClosedMonth. Locks: notice, refund, line.
    Posts: fee.unrefunded_bank. Audit: fee_refund.undone.
    """
    rows = live_transfers(organisation)
    named, line = _locked(rows, transfer_id, reason, lambda row: lock_refund(row.refund_id, organisation), "refund")
    undone = untransfer_refund(named, reason=reason, actor=actor, at=at)
    open_again(line, at=at)
    notice = named.refund.receipt.notice
    record(
        "fee_refund.undone", line, line.statement, notice, named.refund, actor=actor, at=at, reason=reason,
        number=notice.number, amount_minor=named.refund.amount_minor,
    )  # fmt: skip
    return undone


@action
def undo_repayment(
    *, organisation: Organisation, recovery_id: int, reason: str, actor: Actor, at: datetime
) -> ClawbackRecovery:
    """Say that a bank line was no money for a case: it is owed again. What a run kept back is not undone.

    Raises: NotFound (also when undone before), ReasonMissing, CaseClosed, IntoClosedMonth. Locks: case, line.
    Posts: clawback.unrepaid. Audit: clawback.unrepaid.
    """
    rows = live_repayments(organisation)
    named, line = _locked(rows, recovery_id, reason, lambda row: locked_case(organisation, row.case_id), "case")
    if named.case.status == "closed":
        raise CaseClosed(case=named.case.number)
    undone = unrepay(named, reason=reason, actor=actor, at=at)
    open_again(line, at=at)
    record(
        "clawback.unrepaid", line, line.statement, named.case, actor=actor, at=at, reason=reason,
        number=named.case.number, amount_minor=named.amount_minor,
    )  # fmt: skip
    return undone


@action
def undo_advance_return(
    *, organisation: Organisation, return_id: int, reason: str, actor: Actor, at: datetime
) -> AdvanceReturn:
    """Say that a bank line was no money of an advance: it stands on it again.

    Raises: NotFound (also when undone before), ReasonMissing, IntoClosedMonth. Locks: advance, line.
    Posts: advance.unrepaid. Audit: advance.unrepaid.
    """
    rows = live_returns(organisation)
    named, line = _locked(rows, return_id, reason, lambda row: locked_advance(organisation, row.advance_id), "advance")
    undone = unrepay_advance(named, reason=reason, actor=actor, at=at)
    open_again(line, at=at)
    record(
        "advance.unrepaid", line, line.statement, named.advance, actor=actor, at=at, reason=reason,
        number=named.advance.number, amount_minor=named.amount_minor,
    )  # fmt: skip
    return undone


@action
def undo_clearing_payment(
    *, organisation: Organisation, payment_id: int, reason: str, actor: Actor, at: datetime
) -> ClearingPayment:
    """Say that a bank line of ours was no payment of a clearing statement, which is to be paid again.

    What the neighbour booked at its own bank stays.

    Raises: NotFound (also when undone before), ReasonMissing, IntoClosedMonth. Locks: statement, line.
    Posts: clearing.unpaid, clearing.unreceived. Audit: clearing.unpaid.
    """
    user, rows = refuse_stranger(organisation, actor), live_clearings(organisation)
    named, line = _locked(
        rows, payment_id, reason, lambda row: lock_statement(organisation, row.statement_id), "statement"
    )
    statement = named.statement
    undone = ClearingPayment.objects.create(
        statement=statement, organisation=organisation, statement_line=line, amount_minor=-named.amount_minor,
        recorded_by_id=user, recorded_at=at, reason=reason[:300], undoes=named,
    )  # fmt: skip
    post_payment(undone, actor=actor, at=at)
    if statement.status == "settled":
        statement.move_to("agreed", at=at)
    open_again(line, at=at)
    record(
        "clearing.unpaid", statement, line, actor=actor, at=at, organisation=organisation.code,
        number=statement.number, amount_minor=named.amount_minor, reason=reason,
    )  # fmt: skip
    return undone


@action
def undo_count_once(
    *, organisation: Organisation, line_id: int, reason: str, actor: Actor, at: datetime
) -> StatementLine:
    """Say that a line is a movement of its own after all: it waits again. What the import recognised by itself stays.

    Nothing was posted, so nothing is; a line of a closed month stays as it is, for it could not be booked any more.
    Raises: NotFound, ReasonMissing, LineNotOpen, NotInForce, NotToUndo, IntoClosedMonth.
    Locks: the turn of statements, line, months, statement.
    Posts: the account's opening balance anew, if the day is before it. Audit: statement_line.told_apart.
    """
    demand_reason(reason)
    take_statement_turn(organisation)
    line = lock_line(organisation, line_id)
    refuse_out_of_force(line)
    if line.status != "explained":
        raise LineNotOpen()
    if line.told_by_id is None:
        raise NotToUndo()
    refuse_closed_month(organisation, line.booked_on)
    with opening_in_step(organisation, line.statement.iban, actor=actor, at=at):
        said, line.explanation, line.told_by_id = line.explanation, "", None
        line.save(update_fields=["explanation", "told_by"])
        settle_lines([line], at=at)
    settle_statement(line.statement, at=at)
    record("statement_line.told_apart", line, line.statement, actor=actor, at=at, reason=reason, explanation=said)
    return line
