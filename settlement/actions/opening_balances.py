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
    for entry in _standing(statement):
        _take_back(entry, statement, actor, at)
    _post_first(statement, actor=actor, at=at)


@step
def post_opening_without(refused: Statement, *, actor: Actor, at: datetime) -> None:
    """Post the opening balance of an account anew as far as it rests on a statement that counts for nothing any more:
    on its balance, or on movements that it told of days before the first balance.

    Raises: IntoClosedMonth. Posts: opening.added, opening.lowered. Locks: account.
    """
    _lock_account(refused)
    standing, first = _standing(refused), _first_with_balance(refused)
    if first is not None and [_told(entry) for entry in standing] == [(label_of(first), *_opening_of(first))]:
        return
    for entry in standing:
        _take_back(entry, refused, actor, at)
    if first is not None:
        _post_first(first, actor=actor, at=at)


def _opening_of(statement: Statement) -> tuple[int, date]:
    """What the account held before the first movement of its first statement, minor units, and the day of that."""
    assert statement.opening_minor is not None and statement.to_date is not None  # of one that tells its balance
    on = statement.lines.aggregate(day=Min("booked_on"))["day"] or statement.to_date
    return statement.opening_minor - _reported_before(statement, on), on


def _told(entry: Entry) -> tuple[str, int, date]:
    return entry.label, _moved(entry), entry.date


def _post_first(statement: Statement, *, actor: Actor, at: datetime) -> None:
    amount, on = _opening_of(statement)
    own = f"{_key(statement)}{statement.pk}"
    # It may have been the first before: until an earlier one came that is thrown out now.
    times = Entry.objects.filter(organisation_id=statement.organisation_id, reverses=None).filter(
        Q(key=own) | Q(key__startswith=f"{own}:")
    )
    key = f"{own}:{times.count() + 1}" if times.exists() else own
    _post(statement, amount, on=on, key=key, reverses=None, actor=actor, at=at)


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
    key = f"{entry.key}:taken_back"
    _post(statement, -_moved(entry), on=entry.date, key=key, reverses=entry, actor=actor, at=at)


def _moved(entry: Entry) -> int:
    """Minor units that the entry brought to the bank's account."""
    rows = entry.postings.filter(account__kind=BANK)
    return int(rows.aggregate(total=Coalesce(Sum(F("debit") - F("credit")), Value(0)))["total"])


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
