"""The balance that an account at a bank brings into the ledger: the opening balance of its first statement."""

from __future__ import annotations

from datetime import date, datetime

from django.db.models import F, Min, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce

from config.audit.actors import Actor
from config.audit.recording import label_of
from config.locks import lock_rows
from config.transactions import step
from settlement.actions.ledger import Amounts, EntryDraft, post_entries
from settlement.gateways.mt940 import FORMAT as MT940
from settlement.models import Account, Entry, Statement, StatementLine
from settlement.rules.posting_plan import BANK, OPENING_ADDED, OPENING_LOWERED


@step
def post_opening(statement: Statement, *, actor: Actor, at: datetime) -> None:
    """Post the opening balance when no earlier statement of the account tells one.

    A statement that arrives after a later one takes the later one's opening balance back. Movements that other messages
    reported before its first day stand in the ledger by themselves and are left out of the balance.
    Posts: opening.added, opening.lowered. Locks: account.
    """
    _lock_account(statement)
    if _first_with_balance(statement) != statement:
        return
    assert statement.opening_minor is not None and statement.to_date is not None  # asked for above
    for entry in _standing(statement):
        _take_back(entry, statement, actor, at)
    on = statement.lines.aggregate(day=Min("booked_on"))["day"] or statement.to_date
    amount = statement.opening_minor - _reported_before(statement, on)
    _post(statement, amount, on=on, key=_key(statement) + str(statement.pk), reverses=None, actor=actor, at=at)


def _lock_account(statement: Statement) -> None:
    account = Account(
        organisation_id=statement.organisation_id,
        code=f"{BANK}:{statement.iban}",
        kind=BANK,
        currency=statement.organisation.currency,
    )
    Account.objects.bulk_create([account], ignore_conflicts=True)
    lock_rows(Account.objects.filter(organisation_id=statement.organisation_id, code=account.code))


def _of_account(statement: Statement) -> QuerySet[Statement]:
    rows = Statement.objects.filter(organisation_id=statement.organisation_id, iban=statement.iban)
    return rows.exclude(status__in=("quarantined", "refused"))


def _first_with_balance(statement: Statement) -> Statement | None:
    told = Q(format__startswith="camt.053") | Q(format=MT940)
    rows = _of_account(statement).filter(told, opening_minor__isnull=False, to_date__isnull=False)
    return rows.order_by("to_date", Coalesce(F("sequence"), Value(0)), "pk").first()


def _reported_before(statement: Statement, on: date) -> int:
    lines = StatementLine.objects.filter(statement__in=_of_account(statement), booked_on__lt=on)
    # Explained by nobody: the same movement of another message.
    own = lines.exclude(Q(status="explained", explained_by=None) | Q(statement=statement))
    return own.aggregate(total=Coalesce(Sum("amount_minor"), Value(0)))["total"]


def _key(statement: Statement) -> str:
    return f"opening:{statement.iban}:"


def _standing(statement: Statement) -> list[Entry]:
    """The opening entries of the account that nothing has taken back: one at most."""
    rows = Entry.objects.filter(organisation_id=statement.organisation_id, key__startswith=_key(statement))
    return list(rows.filter(reverses=None, entry=None))


def _take_back(entry: Entry, statement: Statement, actor: Actor, at: datetime) -> None:
    moved = entry.postings.filter(account__kind=BANK).aggregate(total=Sum(F("debit") - F("credit")))["total"]
    _post(statement, -moved, on=entry.date, key=f"{entry.key}:taken_back", reverses=entry, actor=actor, at=at)


def _post(
    statement: Statement, amount: int, *, on: date, key: str, reverses: Entry | None, actor: Actor, at: datetime
) -> None:
    draft = EntryDraft(
        event=OPENING_ADDED if amount > 0 else OPENING_LOWERED,
        key=key,
        label=label_of(statement),
        parts=[Amounts({"amount": abs(amount)}, bank=statement.iban)],
        reverses_id=reverses.pk if reverses else None,
    )
    post_entries(organisation=statement.organisation, drafts=[draft], on=on, actor=actor, at=at)
