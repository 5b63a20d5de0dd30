"""From rows to the columns of the matching rules and back: sure matches move payments, the rest waits for a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import pandas as pd
from django.db.models import QuerySet

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.money import to_minor
from config.transactions import step
from contracts.parameters import parameter_value
from settlement.actions.fee_matching import match_fees
from settlement.actions.payments import confirm_payments, lock_payments, return_payments
from settlement.gateways.identifiers import find_creditor_references
from settlement.models import Match, Payment, Statement, StatementLine
from settlement.rules.matching import PAYMENT, RETURN, SURE, MatchResult, match_lines

EPOCH = date(1970, 1, 1).toordinal()
OPEN = ("unmatched", "partial")
MATCHABLE = ("prepared", "sent", "confirmed")


def propose_matches(organisation: Organisation, lines: Sequence[StatementLine], *, on: date) -> MatchResult:
    """What the rules say about lines, without writing anything; pages show it as suggestions."""
    window = parameter_value(organisation, "bank.match_window_days", on).whole
    payments = Payment.objects.filter(organisation=organisation, status__in=MATCHABLE)
    return match_lines(_line_frame(lines), _payment_frame(payments), window_days=window)


@step
def match_open_lines(statement: Statement, *, actor: Actor, at: datetime) -> list[Match]:
    """Match the open lines of a statement as far as the rules are sure.

    Locks: fee notices, claims, runs, payments. Posts: payment.confirmed, payment.returned, fee.paid_by_bank.
    """
    _explain_reported_before(statement, at)
    match_fees(statement, actor=actor, at=at)
    lines = {line.pk: line for line in statement.lines.filter(status__in=OPEN).order_by("position")}
    # Lock first, read the columns after: another import may have matched the same payments meanwhile.
    lock_payments(Payment.objects.filter(organisation=statement.organisation, status__in=MATCHABLE))
    result = propose_matches(statement.organisation, list(lines.values()), on=at.date())
    sure = result.matches[result.matches["confidence"] >= SURE]
    payments = Payment.objects.in_bulk([int(key) for key in sure["payment"]])
    rows: list[dict[str, Any]] = sure.to_dict("records")  # type: ignore[assignment]
    matches = [
        _match(lines[row["line"]], payments[row["payment"]], row["kind"], row["rule"], row["confidence"], actor, at)
        for row in rows
    ]
    _write(matches, actor=actor, at=at)
    return matches


def _match(
    line: StatementLine, payment: Payment, kind: str, rule: str, confidence: int, actor: Actor, at: datetime
) -> Match:
    sign = 1 if kind == RETURN else -1
    return Match(
        statement_line=line,
        payment=payment,
        kind=kind,
        amount_minor=sign * to_minor(payment.amount.amount),
        rule=rule,
        confidence=int(confidence),
        matched_by_id=actor.user_id,
        matched_at=at,
    )


@step
def _write(matches: list[Match], *, actor: Actor, at: datetime) -> None:
    Match.objects.bulk_create(matches)
    for line in {match.statement_line_id: match.statement_line for match in matches}.values():
        line.move_to("matched", at=at)
    for kind, settle in ((PAYMENT, confirm_payments), (RETURN, return_payments)):
        group = [match for match in matches if match.kind == kind]
        if group:
            days = {match.payment_id: match.statement_line.booked_on for match in group}
            settle([match.payment for match in group], on=days, actor=actor, at=at)


@step
def match_to_payments(
    line: StatementLine, payments: Sequence[Payment], *, reason: str, actor: Actor, at: datetime
) -> list[Match]:
    """Match by hand: the sums were checked by the caller. Raises: InvalidMove when a payment cannot take the step."""
    kind = RETURN if line.amount_minor > 0 else PAYMENT
    locked = lock_payments(Payment.objects.filter(pk__in=[payment.pk for payment in payments]))
    matches = [_match(line, payment, kind, "by_hand", 100, actor, at) for payment in locked]
    for match in matches:
        match.reason = reason[:300]
    _write(matches, actor=actor, at=at)
    return matches


@step
def settle_statement(statement: Statement, *, at: datetime) -> None:
    """A statement without open lines is reconciled."""
    if statement.status == "imported" and not statement.lines.filter(status__in=OPEN).exists():
        statement.move_to("reconciled", at=at)


def _explain_reported_before(statement: Statement, at: datetime) -> None:
    """A movement that another kind of message brought before (a notification, then the statement) counts once.

    Explained by nobody: the explanation is the id of the earlier message.
    """
    others = StatementLine.objects.filter(
        statement__organisation=statement.organisation, statement__iban=statement.iban
    ).exclude(statement__status__in=("refused", "quarantined"))
    others = others.exclude(statement=statement).exclude(statement__format__startswith=statement.format[:8])
    known = {_fingerprint(line): line.statement for line in others.select_related("statement")}
    for line in statement.lines.filter(status__in=OPEN):
        before = known.get(_fingerprint(line))
        if before is not None and (line.end_to_end_id or line.bank_reference):
            line.explanation = before.statement_id
            line.save(update_fields=["explanation"])
            line.move_to("explained", at=at)


def _fingerprint(line: StatementLine) -> tuple[Any, ...]:
    return line.booked_on, line.amount_minor, line.end_to_end_id, line.bank_reference


def _line_frame(lines: Sequence[StatementLine]) -> pd.DataFrame:
    rows = [
        {
            "line": line.pk,
            "amount": line.amount_minor,
            "day": line.booked_on.toordinal() - EPOCH,
            "end_to_end": line.end_to_end_id,
            "reference": next(iter(find_creditor_references(line.remittance_text)), ""),
            "account": line.counterparty_iban,
            "batch": line.bank_reference,
            "is_return": line.is_return,
        }
        for line in lines
    ]
    names = ["line", "amount", "day", "end_to_end", "reference", "account", "batch", "is_return"]
    return _typed(pd.DataFrame(rows, columns=names), "line", ["is_return"])


def _payment_frame(payments: QuerySet[Payment]) -> pd.DataFrame:
    returned = set(
        Match.objects.filter(payment__in=payments, kind=RETURN, undone_at=None).values_list("payment_id", flat=True)
    )
    rows = [
        {
            "payment": payment.pk,
            "amount": to_minor(payment.amount.amount),
            "day": (payment.payment_run.execution_date or payment.payment_run.proposed_at.date()).toordinal() - EPOCH,
            "end_to_end": payment.reference,
            "reference": payment.rf_reference,
            "account": payment.iban,
            # One debtor account and one date a run: its only block in the file.
            "batch": f"{payment.payment_run.message_id}-1",
            "paid": payment.status == "confirmed",
            "returned": payment.pk in returned,
        }
        for payment in payments.select_related("payment_run")
    ]
    names = ["payment", "amount", "day", "end_to_end", "reference", "account", "batch", "paid", "returned"]
    return _typed(pd.DataFrame(rows, columns=names), "payment", ["paid", "returned"])


def _typed(frame: pd.DataFrame, key: str, flags: list[str]) -> pd.DataFrame:
    types = {key: "int64", "amount": "int64", "day": "int64"} | dict.fromkeys(flags, "bool")
    return frame.astype(types)
