"""What payments and bank lines post: the bridge between the bank's side and the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import label_of
from config.money import to_minor
from config.office.numbering import next_number
from config.transactions import step
from contracts.models import Provider
from settlement.models import Account, Entry, Payment, Posting, StatementLine

PAYABLE, CLEARING, BANK, SUSPENSE = "payable", "clearing", "bank", "suspense"
# event -> (debited, credited)
PLAN = {
    "payment.sent": (PAYABLE, CLEARING),
    "payment.confirmed": (CLEARING, BANK),
    "payment.returned": (BANK, PAYABLE),
    "payment.failed": (CLEARING, PAYABLE),
    "receipt.explained": (BANK, SUSPENSE),
    "charge.explained": (SUSPENSE, BANK),
}
CODES = {CLEARING: "clearing:bank", BANK: "bank:main", SUSPENSE: "suspense:bank"}


@dataclass(frozen=True)
class _Draft:
    event: str
    key: str
    label: str
    amount_minor: int
    payment: Payment | None = None


@step
def post_payments(event: str, payments: Sequence[Payment], *, on: date, actor: Actor, at: datetime) -> None:
    """One entry for each payment. A payment has each event once: its key refuses a repetition."""
    drafts = [
        _Draft(event, f"{event}:{payment.pk}", label_of(payment), to_minor(payment.amount.amount), payment)
        for payment in payments
    ]
    if drafts:
        _post(payments[0].organisation, drafts, on=on, actor=actor, at=at)


@step
def post_explained_line(line: StatementLine, *, actor: Actor, at: datetime) -> None:
    """A bank line that is no payment: receipts wait on the suspense account, charges are booked against it."""
    event = "receipt.explained" if line.amount_minor > 0 else "charge.explained"
    draft = _Draft(event, f"{event}:{line.pk}", label_of(line), abs(line.amount_minor))
    _post(line.statement.organisation, [draft], on=line.booked_on, actor=actor, at=at)


def _post(organisation: Organisation, drafts: list[_Draft], *, on: date, actor: Actor, at: datetime) -> None:
    first = next_number(organisation=organisation, kind="ledger_entry", year=on.year, count=len(drafts))
    entries = Entry.objects.bulk_create(
        [
            Entry(
                organisation=organisation,
                number=f"E-{on.year}-{number:06d}",
                date=on,
                event=draft.event,
                label=draft.label,
                key=draft.key,
                recorded_at=at,
                recorded_by_id=actor.user_id,
            )
            for number, draft in enumerate(drafts, first)
        ]
    )
    rows = [row for entry, draft in zip(entries, drafts, strict=True) for row in _rows(organisation, entry, draft)]
    Posting.objects.bulk_create(rows)


def _rows(organisation: Organisation, entry: Entry, draft: _Draft) -> list[Posting]:
    debited, credited = PLAN[draft.event]
    provider = draft.payment.provider if draft.payment else None
    shared = {
        "entry": entry,
        "currency": organisation.currency,
        "payment_id": draft.payment.pk if draft.payment else None,
    }
    return [
        Posting(account=_account(organisation, debited, provider), debit=draft.amount_minor, **shared),
        Posting(account=_account(organisation, credited, provider), credit=draft.amount_minor, **shared),
    ]


def _account(organisation: Organisation, kind: str, provider: Provider | None) -> Account:
    code = CODES.get(kind) or f"{kind}:{provider.code if provider else ''}"
    owner = provider if kind == PAYABLE else None
    account, _ = Account.objects.get_or_create(
        organisation=organisation,
        code=code,
        defaults={"kind": kind, "currency": organisation.currency, "provider": owner},
    )
    return account
