"""Posting into the ledger: entries made from the posting plan, in their caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.errors import DomainError
from config.office.numbering import next_number
from config.transactions import step
from contracts.models import BudgetLine, Contract, Provider
from settlement.models import Account, ClosedMonth, Entry, Posting, YearClosing
from settlement.rules.posting_plan import (
    ADVANCE,
    BANK,
    EXPENSE,
    FEE,
    HELD,
    NEIGHBOUR,
    PAYABLE,
    PLAN,
    RECOVERY,
    RESULT,
    SINGLE_CODES,
)


class IntoClosedMonth(DomainError):
    """Nothing is posted into a closed month; the database refuses it too."""

    code = "INTO_CLOSED_MONTH"
    message = _(
        "This would be booked on %(day)s, in a month that is closed. Nothing in a closed month is changed: ask the "
        "finance office how to book it in an open month."
    )


@dataclass(frozen=True)
class Amounts:
    """Figures of one part of an entry by the names of the posting plan, minor units; zeros post nothing.

    ``provider``, ``budget_line``, ``neighbour``, ``contract`` and ``bank`` (an IBAN; the account that pays unless
    given) choose the accounts that belong to one.
    """

    figures: Mapping[str, int]
    provider: Provider | None = None
    budget_line: BudgetLine | None = None
    bank: str = ""
    neighbour: Organisation | None = None
    contract: Contract | None = None


@dataclass(frozen=True)
class EntryDraft:
    """An entry to be: ``event`` is a row of the plan, ``key`` makes it unique, ``label`` names its cause."""

    event: str
    key: str
    label: str
    parts: Sequence[Amounts]
    claim_id: int | None = None
    payment_id: int | None = None
    reverses_id: int | None = None


@dataclass
class _Book:
    """The organisation's accounts by code, created when first needed."""

    organisation: Organisation
    accounts: dict[str, Account] = field(default_factory=dict)

    def open(self, wanted: Iterable[Account]) -> None:
        """Find or create accounts in three statements, whatever their number."""
        missing = {account.code: account for account in wanted}
        Account.objects.bulk_create([missing[code] for code in sorted(missing)], ignore_conflicts=True)
        found = Account.objects.filter(organisation=self.organisation, code__in=list(missing))
        self.accounts = {account.code: account for account in found}


@step
def post_entries(
    *, organisation: Organisation, drafts: Sequence[EntryDraft], on: date, actor: Actor, at: datetime
) -> list[Entry]:
    """Write entries with their postings; all postings arrive in one statement, so that the database can weigh them.

    Money: minor units of the organisation's currency; no amount is negative (an opposite event changes the sides).
    Drafts without any amount post nothing. The same key twice is refused by the database.
    Raises: ValueError for a negative amount; IntoClosedMonth.
    Locks: the number series.
    """
    live = [draft for draft in drafts if any(any(part.figures.values()) for part in draft.parts)]
    if not live:
        return []
    if is_closed(organisation, on):
        raise IntoClosedMonth(day=f"{on:%d.%m.%Y}")
    book = _Book(organisation)
    book.open(account for draft in live for account, *_ in _sides(organisation, draft))
    first = next_number(organisation=organisation, kind="ledger_entry", year=on.year, count=len(live))
    entries = Entry.objects.bulk_create(
        [
            Entry(
                organisation=organisation,
                number=f"E-{on.year}-{number:06d}",
                date=on,
                event=draft.event,
                label=draft.label,
                key=draft.key,
                reverses_id=draft.reverses_id,
                recorded_at=at,
                recorded_by_id=actor.user_id,
            )
            for number, draft in enumerate(live, first)
        ]
    )
    Posting.objects.bulk_create(
        [
            Posting(
                entry=entry,
                date=entry.date,
                account=book.accounts[account.code],
                debit=debit,
                credit=credit,
                currency=organisation.currency,
                claim_id=draft.claim_id,
                payment_id=draft.payment_id,
            )
            for entry, draft in zip(entries, live, strict=True)
            for account, debit, credit in _sides(organisation, draft)
        ]
    )
    return entries


def is_closed(organisation: Organisation, on: date) -> bool:
    """Whether the month of a day, or its year, is closed."""
    months = ClosedMonth.objects.filter(organisation=organisation, month=on.replace(day=1))
    years = YearClosing.objects.filter(organisation=organisation, year=on.year, status="approved")
    return months.exists() or years.exists()


def _sides(organisation: Organisation, draft: EntryDraft) -> list[tuple[Account, int, int]]:
    """(account, debit, credit) of a draft, equal accounts added up."""
    rule = PLAN[draft.event]
    sums: dict[str, tuple[Account, int, int]] = {}
    for part in draft.parts:
        for sides, is_debit in ((rule.debits, True), (rule.credits, False)):
            for side in sides:
                amount = part.figures.get(side.amount, 0)
                if amount < 0:
                    raise ValueError(f"{draft.key}: {side.amount} is negative")
                if not amount:
                    continue
                account = _account(organisation, side.account, part)
                known, debit, credit = sums.get(account.code, (account, 0, 0))
                sums[account.code] = (known, debit + amount * is_debit, credit + amount * (not is_debit))
    return [side for side in sums.values() if side[1] or side[2]]


def _account(organisation: Organisation, kind: str, part: Amounts) -> Account:
    """The unsaved account of a kind: one of the organisation, of the provider, or of the budget line."""
    account = Account(organisation=organisation, kind=kind, currency=organisation.currency)
    if kind in (PAYABLE, HELD, RECOVERY) and part.provider:
        account.code, account.provider = f"{kind}:{part.provider.code}", part.provider
    elif kind == ADVANCE and part.provider and part.contract:
        account.code, account.provider = f"{kind}:{part.provider.code}:{part.contract.number}", part.provider
    elif kind in (EXPENSE, FEE) and part.budget_line:
        line = part.budget_line
        account.code, account.budget_line = f"{kind}:{line.code}-{line.year}", line
    elif kind == RESULT and part.budget_line:
        account.code = f"{kind}:{part.budget_line.year}"
    elif kind == NEIGHBOUR and part.neighbour:
        account.code, account.neighbour = f"{kind}:{part.neighbour.code}", part.neighbour
    elif kind == BANK:
        account.code = f"{kind}:{(part.bank or organisation.iban).replace(' ', '')}"
    else:
        account.code = SINGLE_CODES[kind]
    return account
