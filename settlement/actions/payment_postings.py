"""What payments and bank lines post: from the bank's side to entries of the ledger, on the account that moved."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from django.db.models import Q, Sum

from config.audit.actors import Actor
from config.audit.recording import label_of
from config.money import to_minor
from config.transactions import step
from settlement.actions.ledger import Amounts, EntryDraft, post_entries
from settlement.models import Entry, Match, Payment, StatementLine
from settlement.rules.matching import PAYMENT, RETURN

# What a match of a kind posts, and what undoing it does.
_EVENTS = {PAYMENT: "payment.confirmed", RETURN: "payment.returned"}
_UNDONE = {PAYMENT: "payment.unconfirmed", RETURN: "payment.unreturned"}


@step
def post_payments(event: str, payments: Sequence[Payment], *, on: date, actor: Actor, at: datetime) -> None:
    """One entry for each payment, of an event that no bank line is about."""
    if not payments:
        return
    drafts = [
        EntryDraft(
            event=event,
            key=_key(event, payment),
            label=label_of(payment),
            parts=[Amounts({"amount": to_minor(payment.amount.amount)}, provider=payment.provider)],
            payment_id=payment.pk,
        )
        for payment in payments
    ]
    post_entries(organisation=payments[0].organisation, drafts=drafts, on=on, actor=actor, at=at)


def _key(event: str, payment: Payment) -> str:
    # A payment is sent once: a repetition is refused by the key. Its end may be undone and come again.
    return f"{event}:{payment.pk}"


@step
def post_matches(matches: Sequence[Match], *, actor: Actor, at: datetime) -> None:
    """One entry for each match, on the day and the account of its bank line; undoing posts the opposite.

    Posts: payment.confirmed, payment.returned, payment.unconfirmed, payment.unreturned.
    """
    for day in sorted({match.statement_line.booked_on for match in matches}):
        group = [match for match in matches if match.statement_line.booked_on == day]
        drafts = [_draft(match) for match in group]
        post_entries(organisation=group[0].payment.organisation, drafts=drafts, on=day, actor=actor, at=at)


def _draft(match: Match) -> EntryDraft:
    event = (_UNDONE if match.undoes_id else _EVENTS)[match.kind]
    iban = match.statement_line.statement.iban
    return EntryDraft(
        event=event,
        key=f"{event}:{match.payment_id}:{match.pk}",
        label=label_of(match.payment),
        parts=[Amounts({"amount": abs(match.amount_minor)}, provider=match.payment.provider, bank=iban)],
        payment_id=match.payment_id,
    )


@step
def post_explained_line(line: StatementLine, *, actor: Actor, at: datetime) -> None:
    """What is open of a bank line and no payment: receipts wait on the suspense account, charges are booked against
    it.
    """
    event = "receipt.explained" if line.amount_minor > 0 else "charge.explained"
    _post_line(event, line, actor, at)


@step
def post_unexplained_line(line: StatementLine, *, actor: Actor, at: datetime) -> None:
    """The opposite, when the explanation was wrong. Posts: receipt.unexplained or charge.unexplained."""
    _post_line("receipt.unexplained" if line.amount_minor > 0 else "charge.unexplained", line, actor, at)


def explanations_posted(line: StatementLine) -> int:
    """How often the money of a line was put on the account of unexplained receipts and charges."""
    event = "receipt.explained" if line.amount_minor > 0 else "charge.explained"
    return _times(event, line)


def _times(event: str, line: StatementLine) -> int:
    key = f"{event}:{line.pk}"
    return Entry.objects.filter(Q(key=key) | Q(key__startswith=f"{key}:")).count()


def _post_line(event: str, line: StatementLine, actor: Actor, at: datetime) -> None:
    before = _times(event, line)
    draft = EntryDraft(
        event=event,
        key=f"{event}:{line.pk}" + (f":{before}" if before else ""),
        label=label_of(line),
        parts=[Amounts({"amount": abs(open_of(line))}, bank=line.statement.iban)],
    )
    office = line.statement.organisation
    post_entries(organisation=office, drafts=[draft], on=line.booked_on, actor=actor, at=at)


def open_of(line: StatementLine) -> int:
    """What of a line is matched with no payment, signed minor units."""
    return line.amount_minor - (line.matches.aggregate(matched=Sum("amount_minor"))["matched"] or 0)
