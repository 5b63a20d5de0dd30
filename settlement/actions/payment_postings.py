"""What payments and bank lines post: from the bank's side to entries of the ledger, on the account that moved."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from config.audit.actors import Actor
from config.audit.recording import label_of
from config.money import to_minor
from config.transactions import step
from settlement.actions.ledger import Amounts, EntryDraft, post_entries
from settlement.models import Match, Payment, StatementLine
from settlement.rules.matching import PAYMENT, RETURN

# Events that move a bank account, and the kind of match that says which.
_MOVED_BY = {"payment.confirmed": PAYMENT, "payment.returned": RETURN}


@step
def post_payments(event: str, payments: Sequence[Payment], *, on: date, actor: Actor, at: datetime) -> None:
    """One entry for each payment. A payment has each event once: its key refuses a repetition."""
    if not payments:
        return
    banks = _banks(event, payments)
    drafts = [
        EntryDraft(
            event=event,
            key=f"{event}:{payment.pk}",
            label=label_of(payment),
            parts=[
                Amounts(
                    {"amount": to_minor(payment.amount.amount)},
                    provider=payment.provider,
                    bank=banks.get(payment.pk, ""),
                )
            ],
            payment_id=payment.pk,
        )
        for payment in payments
    ]
    post_entries(organisation=payments[0].organisation, drafts=drafts, on=on, actor=actor, at=at)


def _banks(event: str, payments: Sequence[Payment]) -> dict[int, str]:
    """The account whose statement showed each payment: money may leave one account and come back to another."""
    kind = _MOVED_BY.get(event)
    if kind is None:
        return {}
    rows = Match.objects.filter(payment__in=payments, kind=kind, undone_at=None)
    return dict(rows.values_list("payment_id", "statement_line__statement__iban"))


@step
def post_explained_line(line: StatementLine, *, actor: Actor, at: datetime) -> None:
    """A bank line that is no payment: receipts wait on the suspense account, charges are booked against it."""
    event = "receipt.explained" if line.amount_minor > 0 else "charge.explained"
    draft = EntryDraft(
        event=event,
        key=f"{event}:{line.pk}",
        label=label_of(line),
        parts=[Amounts({"amount": abs(line.amount_minor)}, bank=line.statement.iban)],
    )
    office = line.statement.organisation
    post_entries(organisation=office, drafts=[draft], on=line.booked_on, actor=actor, at=at)
