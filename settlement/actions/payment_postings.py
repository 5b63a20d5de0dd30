"""What payments and bank lines post: from the bank's side to entries of the ledger, on the account that moved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from django.utils.translation import gettext_lazy as _

from config.audit.actors import Actor
from config.audit.recording import label_of
from config.errors import DomainError
from config.money import to_minor
from config.transactions import step
from contracts.models import Provider
from settlement.actions.ledger import Amounts, EntryDraft, post_entries
from settlement.finance_queries import taken_of
from settlement.models import Entry, Match, Payment, StatementLine
from settlement.rules.matching import PAYMENT, RETURN

# What a match of a kind posts, and what undoing it does.
_EVENTS = {PAYMENT: "payment.confirmed", RETURN: "payment.returned"}
_UNDONE = {PAYMENT: "payment.unconfirmed", RETURN: "payment.unreturned"}
# What an explanation posts, and what takes it back. Fees that were passed on to a provider stay.
_OPPOSITE = {
    "receipt.explained": "receipt.unexplained",
    "charge.explained": "charge.unexplained",
    "card.paid_out": "card.topped_up",
    "card.topped_up": "card.paid_out",
}


class OtherCurrency(DomainError):
    """Money of another currency is never booked one to one."""

    code = "LINE_OTHER_CURRENCY"
    message = _(
        "This bank line is of %(found)s, the books are kept in %(expected)s: it can be neither matched nor explained."
    )


def refuse_other_currency(line: StatementLine, ours: str) -> None:
    """Raises: OtherCurrency: the line, or the account of its statement, is not of ours. One that says nothing is."""
    other = next((told for told in (line.currency, line.statement.currency) if told not in ("", ours)), None)
    if other is not None:
        raise OtherCurrency(found=other, expected=ours)


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

    Raises: OtherCurrency. Posts: payment.confirmed, payment.returned, payment.unconfirmed, payment.unreturned.
    """
    for day in sorted({match.statement_line.booked_on for match in matches}):
        group = [match for match in matches if match.statement_line.booked_on == day]
        drafts = [_draft(match) for match in group]
        post_entries(organisation=group[0].payment.organisation, drafts=drafts, on=day, actor=actor, at=at)


def _draft(match: Match) -> EntryDraft:
    event = (_UNDONE if match.undoes_id else _EVENTS)[match.kind]
    if not match.undoes_id:
        refuse_other_currency(match.statement_line, str(match.payment.amount.currency))
    iban = match.statement_line.statement.iban
    return EntryDraft(
        event=event,
        key=f"{event}:{match.payment_id}:{match.pk}",
        label=label_of(match.payment),
        parts=[Amounts({"amount": abs(match.amount_minor)}, provider=match.payment.provider, bank=iban)],
        payment_id=match.payment_id,
    )


@step
def post_explained_line(
    line: StatementLine, event: str, *, provider: Provider | None = None, actor: Actor, at: datetime
) -> None:
    """Book what is open of a bank line as something that is no document of ours.

    Raises: OtherCurrency. Posts: the event; receipts wait on the suspense account, charges are booked against it.
    """
    office = line.statement.organisation
    if line.status != "explained":
        refuse_other_currency(line, office.currency)
    before = Entry.objects.filter(label=label_of(line), event=event).count()
    draft = EntryDraft(
        event=event,
        key=f"{event}:{line.pk}" + (f":{before}" if before else ""),
        label=label_of(line),
        parts=[Amounts({"amount": abs(open_of(line))}, provider=provider, bank=line.statement.iban)],
    )
    post_entries(organisation=office, drafts=[draft], on=line.booked_on, actor=actor, at=at)


def undoing_event(line: StatementLine) -> str | None:
    """What takes the explanation of a line back; None when it stays or there is none."""
    last = Entry.objects.filter(label=label_of(line)).order_by("-id").values_list("event", flat=True).first()
    return _OPPOSITE.get(last or "") if line.status == "explained" and line.explained_by_id else None


def open_of(line: StatementLine) -> int:
    """What of a line no document takes, signed minor units."""
    return line.amount_minor - taken_of([line.pk])[line.pk]


@step
def settle_lines(lines: Iterable[StatementLine], *, at: datetime) -> None:
    """Bring the states of locked lines into step with what is taken of them."""
    rows = list(lines)
    taken = taken_of(line.pk for line in rows)
    for line in rows:
        part = taken[line.pk]
        status = "matched" if part == line.amount_minor else "partial" if part else "unmatched"
        if line.status != status:
            line.move_to(status, at=at)
