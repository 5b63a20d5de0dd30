"""From rows to the columns of the matching rules and back: sure matches move payments, the rest waits for a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import pandas as pd
from django.db.models import QuerySet, Sum

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.clock import local_date
from config.locks import lock_rows, wait_turn
from config.money import to_minor
from config.transactions import step
from contracts.parameters import parameter_value
from settlement.actions.advance_money import match_advances
from settlement.actions.clawback_recovery import match_clawbacks
from settlement.actions.fee_matching import match_fees
from settlement.actions.payment_postings import post_matches, settle_lines
from settlement.actions.payments import lock_payments, move_payments, send_unsent
from settlement.bank_queries import naming_several
from settlement.finance_queries import taken_of
from settlement.gateways.identifiers import find_creditor_references, find_own_identifiers
from settlement.models import Match, Payment, PaymentRun, Statement, StatementLine
from settlement.models.statements import LIVE
from settlement.repeat_queries import is_repeated, perhaps_told_before
from settlement.rules.matching import PAYMENT, RETURN, SURE, MatchResult, match_lines

EPOCH = date(1970, 1, 1).toordinal()
# Whole statements of an organisation one at a time: each is compared with what the others tell.
_LOCK = 7_466_931
OPEN = ("unmatched", "partial")
DUE, GONE = ("prepared", "sent"), ("returned", "failed")
MATCHABLE = (*DUE, "confirmed")


@step
def take_statement_turn(organisation: Organisation) -> None:
    """Wait until nobody else brings, matches or throws out a statement of the organisation. Before all other locks."""
    wait_turn(_LOCK, organisation.pk)


def propose_matches(organisation: Organisation, lines: Sequence[StatementLine], *, on: date) -> MatchResult:
    """What the rules say about lines, without writing anything; pages show it as suggestions."""
    window = parameter_value(organisation, "bank.match_window_days", on).whole
    # Failed and returned ones too: a line that names one of them is no other payment.
    payments = Payment.objects.filter(organisation=organisation)
    return match_lines(_line_frame(lines), _payment_frame(payments, organisation.zone), window_days=window)


@step
def match_open_lines(statement: Statement, *, actor: Actor, at: datetime) -> list[Match]:
    """Match the open lines of a statement as far as the rules are sure; what a person has undone waits for a person,
    and so do what quotes a notice or a case beside something else, money of another currency, and what an earlier
    statement may have told.

    Locks: fee notices, clawbacks, advances, claims, runs, payments.
    Posts: payment.confirmed, payment.returned, fee.paid_by_bank, clawback.repaid, advance.repaid.
    """
    other = _of_other_currency(statement)
    _explain_reported_before(statement, other, at)
    several = naming_several(statement) | other | perhaps_told_before(statement).keys()
    match_fees(statement, but=several, actor=actor, at=at)
    match_clawbacks(statement, but=several, actor=actor, at=at)
    match_advances(statement, but=several, actor=actor, at=at)
    # Lock first, read the columns after: another import may have matched the same payments meanwhile.
    lock_payments(Payment.objects.filter(organisation=statement.organisation, status__in=MATCHABLE))
    rest = statement.lines.filter(status__in=OPEN).exclude(pk__in=several)
    lines = {line.pk: line for line in rest.order_by("position")}
    today = local_date(at, statement.organisation.zone)
    result = propose_matches(statement.organisation, list(lines.values()), on=today)
    sure = _not_undone(result.matches[result.matches["confidence"] >= SURE], statement)
    payments = Payment.objects.select_related("provider").in_bulk([int(key) for key in sure["payment"]])
    rows: list[dict[str, Any]] = sure.to_dict("records")  # type: ignore[assignment]
    matches = [_match(lines[row["line"]], payments[row["payment"]], row, actor, at) for row in rows]
    write_matches(matches, actor=actor, at=at)
    return matches


def _of_other_currency(statement: Statement) -> set[int]:
    rows, ours = statement.lines.filter(status__in=OPEN), ("", statement.organisation.currency)
    if statement.currency in ours:
        rows = rows.exclude(currency__in=ours)
    return set(rows.values_list("pk", flat=True))


def _not_undone(found: pd.DataFrame, statement: Statement) -> pd.DataFrame:
    """Without what a person has undone, and what was found together with it."""
    undone = Match.objects.filter(undoes__isnull=False, statement_line__statement=statement)
    pairs = pd.DataFrame(list(undone.values_list("statement_line", "payment")), columns=["line", "payment"])
    if pairs.empty:
        return found
    again = found.merge(pairs.drop_duplicates(), on=["line", "payment"])
    return found[~found["line"].isin(again["line"]) & ~found["payment"].isin(again["payment"])]


def _match(line: StatementLine, payment: Payment, row: Mapping[str, Any], actor: Actor, at: datetime) -> Match:
    return Match(
        statement_line=line,
        payment=payment,
        kind=row["kind"],
        amount_minor=int(row["amount"]),
        rule=row["rule"],
        confidence=int(row["confidence"]),
        reason=row.get("reason", "")[:300],
        matched_by_id=actor.user_id,
        matched_at=at,
    )


@step
def write_matches(matches: Sequence[Match], *, actor: Actor, at: datetime) -> None:
    """Keep matches, post them, and bring lines and payments into step with the sums.

    Raises: IntegrityError beyond the amount of a line or a payment; InvalidMove.
    """
    if not matches:
        return
    Match.objects.bulk_create(matches)
    days = {match.payment_id: match.statement_line.booked_on for match in matches}
    payments = {match.payment_id: match.payment for match in matches}
    for day in sorted(set(days.values())):
        send_unsent([payments[key] for key, value in days.items() if value == day], on=day, actor=actor, at=at)
    post_matches(matches, actor=actor, at=at)
    settle_lines({match.statement_line_id: match.statement_line for match in matches}.values(), at=at)
    for kind, status in ((PAYMENT, "confirmed"), (RETURN, "returned")):
        whole = _carried_whole(matches, kind)
        if whole:
            move_payments(whole, status, at=at)


def _carried_whole(matches: Sequence[Match], kind: str) -> list[Payment]:
    """Payments of the matches that the bank has now carried out, or brought back, in full."""
    payments = {match.payment_id: match.payment for match in matches if match.kind == kind}
    sums = _matched_sums(payments, kind)
    return [row for key, row in payments.items() if abs(sums.get(key, 0)) == to_minor(row.amount.amount)]


def _matched_sums(payments: Any, kind: str) -> dict[int, int]:
    """Signed minor units matched of each payment; undone matches cancel out."""
    rows = Match.objects.filter(payment__in=payments, kind=kind).order_by().values_list("payment_id")
    return dict(rows.annotate(matched=Sum("amount_minor")))


@step
def match_to_payments(
    line: StatementLine, amounts: Mapping[Payment, int], *, reason: str, actor: Actor, at: datetime
) -> list[Match]:
    """Match by hand, each payment with its signed minor units of the line: the sums were checked by the caller, who has
    locked the payments. Raises: InvalidMove when a payment cannot take the step.
    """
    kind = RETURN if line.amount_minor > 0 else PAYMENT
    row = {"kind": kind, "rule": "by_hand", "confidence": 100, "reason": reason}
    matches = [_match(line, payment, row | {"amount": amount}, actor, at) for payment, amount in amounts.items()]
    for payment in amounts:
        payment.check_move({"prepared": "sent"}.get(payment.status, "confirmed" if kind == PAYMENT else "returned"))
    write_matches(matches, actor=actor, at=at)
    return matches


@step
def settle_statement(statement: Statement, *, at: datetime) -> None:
    """A statement without open lines is reconciled; one with open lines again is not. Locks: statement."""
    # Somebody else may be opening another line of it: whoever comes last sees both.
    statement.status = lock_rows(Statement.objects.filter(pk=statement.pk))[0].status
    is_open = statement.lines.filter(status__in=OPEN).exists()
    if statement.status == "imported" and not is_open:
        statement.move_to("reconciled", at=at)
    elif statement.status == "reconciled" and is_open:
        statement.move_to("imported", at=at)


def _explain_reported_before(statement: Statement, but: set[int], at: datetime) -> None:
    """A movement that another message brought before (a notification, then the statement; two tables with days in
    common) counts once: as often as the others have it.

    Explained by nobody: the explanation is the id of the earlier message. Of the same kind of message only what bears
    the bank's own reference is known again: without it two equal payments of a day look the same.
    """
    known, spare = _told_by_others(statement)
    for line in statement.lines.filter(status__in=OPEN).exclude(pk__in=but).order_by("position"):
        key = _fingerprint(line)
        before = _take_known(line, statement, known.get(key, {})) if spare[key] > 0 else None
        if before is not None:
            spare[key] -= 1
            line.explanation = before.statement_id
            line.save(update_fields=["explanation"])
            line.move_to("explained", at=at)


def _told_by_others(statement: Statement) -> tuple[dict[tuple[Any, ...], dict[int, list[Statement]]], Counter[Any]]:
    """Movements of the days of a statement: the other messages that have each, once for each of their lines, and how
    many lines of all messages are more than the one message that has most of them tells.
    """
    lines = StatementLine.objects.filter(
        statement__organisation=statement.organisation,
        statement__iban=statement.iban,
        statement__currency__in=("", statement.organisation.currency),
        booked_on__in=statement.lines.values("booked_on"),
    ).exclude(statement__status__in=("refused", "quarantined"))
    known: dict[tuple[Any, ...], dict[int, list[Statement]]] = {}
    spare: Counter[Any] = Counter()
    told: dict[tuple[Any, ...], Counter[int]] = {}
    for line in lines.select_related("statement").order_by("statement_id", "position"):
        key = _fingerprint(line)
        told.setdefault(key, Counter())[line.statement_id] += 1
        # What is itself such a repetition explains nothing, or the movement would be nobody's.
        if is_repeated(line):
            continue
        spare[key] += 1
        if line.statement_id != statement.pk:
            known.setdefault(key, {}).setdefault(line.statement_id, []).append(line.statement)
    for key, counts in told.items():
        spare[key] -= max(counts.values())
    return known, spare


def _take_known(line: StatementLine, statement: Statement, known: dict[int, list[Statement]]) -> Statement | None:
    """An earlier message with this movement; the same line of every other message is used up with it."""
    kind = statement.format[:8]
    found = None
    for rows in known.values():
        other = rows[0] if rows else None
        if other is None or not (line.bank_reference or line.end_to_end_id):
            continue
        if other.format.startswith(kind) and not line.bank_reference:
            continue
        found = found or other
        rows.pop(0)
    return found


def _fingerprint(line: StatementLine) -> tuple[Any, ...]:
    return line.booked_on, line.amount_minor, line.currency, line.end_to_end_id, line.bank_reference


def _line_frame(lines: Sequence[StatementLine]) -> pd.DataFrame:
    taken = taken_of(line.pk for line in lines if line.status == "partial")
    rows = [
        {
            "line": line.pk,
            "amount": line.amount_minor - taken.get(line.pk, 0),
            "day": line.booked_on.toordinal() - EPOCH,
            "end_to_end": line.end_to_end_id,
            **_quoted(line),
            "account": line.counterparty_iban,
            "batch": line.bank_reference,
            "is_return": line.is_return,
        }
        for line in lines
    ]
    names = ["line", "amount", "day", "end_to_end", "reference", "also", "account", "batch", "is_return"]
    return _typed(pd.DataFrame(rows, columns=names), "line", ["is_return"])


def _quoted(line: StatementLine) -> dict[str, str]:
    references = find_creditor_references(line.remittance_text)
    others = [*references[1:], *find_own_identifiers(line.remittance_text)]
    return {"reference": next(iter(references), ""), "also": " ".join(others)}


def _sent_on(run: PaymentRun, zone: str) -> date:
    return run.execution_date or local_date(run.proposed_at, zone)


def _payment_frame(payments: QuerySet[Payment], zone: str) -> pd.DataFrame:
    returned = set(Match.objects.filter(payment__in=payments, kind=RETURN, **LIVE).values_list("payment_id", flat=True))
    seen = _matched_sums(payments, PAYMENT)
    rows = [
        {
            "payment": payment.pk,
            "amount": to_minor(payment.amount.amount),
            "seen": -seen.get(payment.pk, 0),
            "day": _sent_on(payment.payment_run, zone).toordinal() - EPOCH,
            "end_to_end": payment.reference,
            "reference": payment.rf_reference,
            "account": payment.iban,
            # One debtor account and one date a run: its only block in the file.
            "batch": f"{payment.payment_run.message_id}-1",
            "paid": payment.status not in DUE,
            "returned": payment.pk in returned or payment.status in GONE,
        }
        for payment in payments.select_related("payment_run")
    ]
    names = ["payment", "amount", "seen", "day", "end_to_end", "reference", "account", "batch", "paid", "returned"]
    frame = _typed(pd.DataFrame(rows, columns=names), "payment", ["paid", "returned"])
    return frame.astype({"seen": "int64"})


def _typed(frame: pd.DataFrame, key: str, flags: list[str]) -> pd.DataFrame:
    types = {key: "int64", "amount": "int64", "day": "int64"} | dict.fromkeys(flags, "bool")
    return frame.astype(types)
