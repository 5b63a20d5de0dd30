"""Bank lines that bring recipients' fees, or take refunds of them out, known by the reference of the notice."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from config.audit.actors import Actor
from config.locks import lock_rows
from config.transactions import step
from settlement.actions.fees import lock_notice, notices_named, receive_by_bank, transfer_refund
from settlement.gateways.identifiers import find_creditor_references
from settlement.models import FeeNotice, FeeReceipt, FeeRefund, FeeRefundTransfer, Statement, StatementLine

# A line of which a part is a payment's is no fee as a whole.
OPEN = ("unmatched",)


@step
def match_fees(statement: Statement, *, but: Collection[int] = (), actor: Actor, at: datetime) -> int:
    """Open lines that quote exactly one notice; returns how many were settled.

    Any sum is taken: people pay in parts and too much, and the notice says what is left. Money that goes out settles
    an approved refund of that notice and of that sum. What a person has undone is not taken for the same notice again.
    ``but``: lines that wait for a person.
    Posts: fee.paid_by_bank, fee.refunded_bank.
    """
    lines = list(statement.lines.filter(status__in=OPEN, is_return=False).exclude(pk__in=but).order_by("position"))
    quoted = {line.pk: find_creditor_references(line.remittance_text) for line in lines}
    named = notices_named(statement.organisation, {text for texts in quoted.values() for text in texts})
    undone = _undone(statement) if named else set()
    settled = 0
    for line in lines:
        found = [named[text] for text in quoted[line.pk] if text in named]
        if len(found) == 1 and (line.pk, found[0].pk) not in undone:
            settled += _settle(line, found[0], actor, at)
    return settled


def _undone(statement: Statement) -> set[tuple[int, int]]:
    """Lines and notices of which a person said that they do not belong together."""
    rows = {"statement_line__statement": statement, "undoes__isnull": False}
    receipts = FeeReceipt.objects.filter(**rows).values_list("statement_line", "notice")
    sent = FeeRefundTransfer.objects.filter(**rows).values_list("statement_line", "refund__receipt__notice")
    return {*receipts, *sent}


def _settle(line: StatementLine, notice: FeeNotice, actor: Actor, at: datetime) -> bool:
    if line.currency != notice.organisation.currency:
        return False
    if line.amount_minor > 0:
        receive_by_bank(notice, line, line.amount_minor, actor=actor, at=at)
    else:
        refunds = _refunds(notice, -line.amount_minor)
        if not refunds:
            return False
        transfer_refund(refunds[0], line, actor=actor, at=at)
    return True


def _refunds(notice: FeeNotice, amount: int) -> Sequence[FeeRefund]:
    lock_notice(notice)
    rows = FeeRefund.objects.filter(
        receipt__notice=notice, receipt__method="bank", status="approved", amount_minor=amount
    )
    return lock_rows(rows.select_related("receipt__notice__organisation"))
