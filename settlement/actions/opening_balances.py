"""The balance that an account at a bank brings into the ledger: the opening balance of its first statement."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce, TruncMonth

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import label_of
from config.transactions import require_transaction, step
from settlement.actions.ledger import Amounts, EntryDraft, post_entries
from settlement.gateways.mt940 import FORMAT as MT940
from settlement.models import ClosedMonth, Entry, Statement, StatementLine
from settlement.models.statements import IN_FORCE
from settlement.repeat_queries import REPEATED
from settlement.rules.posting_plan import BANK, OPENING_ADDED, OPENING_LOWERED


@dataclass(frozen=True)
class _Opening:
    """What an account held before the first movement of its first statement, minor units, and the day of that."""

    statement: Statement
    amount: int
    on: date

    def told(self) -> tuple[str, int, date]:
        """As an entry tells it."""
        return label_of(self.statement), self.amount, self.on


@contextmanager
def opening_in_step(organisation: Organisation, iban: str, *, actor: Actor, at: datetime) -> Iterator[None]:
    """Whatever happens inside to statements of an account and to lines that count once, the opening balance of the
    account follows: that of its first statement which tells one, less the movements of earlier days that other messages
    reported, for they stand in the ledger by themselves. Those that came when their month was closed do not: they
    cannot be booked, and stay in the balance.

    What it takes back and posts anew is dated as the first movement. Whoever comes in has the turn of statements, so
    nobody else moves it meanwhile.
    Raises: IntoClosedMonth. Posts: opening.added, opening.lowered.
    """
    require_transaction()
    before = _opening_of(organisation, iban)
    yield
    now = _opening_of(organisation, iban)
    if now != before:
        _bring_into_step(organisation, iban, now, actor, at)


@step
def _bring_into_step(
    organisation: Organisation, iban: str, wanted: _Opening | None, actor: Actor, at: datetime
) -> None:
    standing = _standing(organisation, iban)
    told = [(entry.label, _moved(entry), entry.date) for entry in standing]
    posts = [wanted.told()] if wanted and wanted.amount else []
    if told == posts:
        return
    by: dict[str, Any] = {"actor": actor, "at": at}
    for entry in standing:
        key = f"{entry.key}:taken_back"
        _post(organisation, iban, -_moved(entry), on=entry.date, key=key, label=entry.label, reverses=entry, **by)
    if wanted:
        key = _free_key(organisation, f"{_key(iban)}{wanted.statement.pk}")
        _post(organisation, iban, wanted.amount, on=wanted.on, key=key, label=label_of(wanted.statement), **by)


def _opening_of(organisation: Organisation, iban: str) -> _Opening | None:
    rows = Statement.objects.filter(organisation=organisation, iban=iban)
    counted = rows.filter(status__in=IN_FORCE)
    told = Q(format__startswith="camt.053") | Q(format=MT940)
    balanced = counted.filter(told, opening_minor__isnull=False, to_date__isnull=False)
    first = balanced.order_by("to_date", Coalesce(F("sequence"), Value(0)), "pk").first()
    if first is None:
        return None
    assert first.opening_minor is not None and first.to_date is not None  # asked for above
    on = first.lines.aggregate(day=Min("booked_on"))["day"] or first.to_date
    before = StatementLine.objects.filter(statement__in=counted, booked_on__lt=on).alias(month=TruncMonth("booked_on"))
    booked = before.exclude(REPEATED | Q(statement=first) | Exists(_closed_when_it_came(organisation)))
    reported = booked.aggregate(total=Coalesce(Sum("amount_minor"), Value(0)))["total"]
    return _Opening(first, first.opening_minor - reported, on)


def _closed_when_it_came(organisation: Organisation) -> QuerySet[ClosedMonth]:
    """The closed month of the outer line, if the line came after the closing. None is closed over a line that waits."""
    came = OuterRef("statement__imported_at")
    return ClosedMonth.objects.filter(organisation=organisation, month=OuterRef("month"), closed_at__lte=came)


def _key(iban: str) -> str:
    return f"opening:{iban}:"


def _free_key(organisation: Organisation, key: str) -> str:
    """The statement may have given the opening before: until an earlier one came that is thrown out now."""
    keys = Q(key=key) | Q(key__startswith=f"{key}:")
    times = Entry.objects.filter(keys, organisation=organisation, reverses=None).count()
    return f"{key}:{times + 1}" if times else key


def _standing(organisation: Organisation, iban: str) -> list[Entry]:
    """The opening entries of the account that nothing has taken back: one at most."""
    rows = Entry.objects.filter(organisation=organisation, key__startswith=_key(iban))
    return list(rows.filter(reverses=None, entry=None))


def _moved(entry: Entry) -> int:
    """Minor units that the entry brought to the bank's account."""
    rows = entry.postings.filter(account__kind=BANK)
    return int(rows.aggregate(total=Coalesce(Sum(F("debit") - F("credit")), Value(0)))["total"])


def _post(
    organisation: Organisation,
    iban: str,
    amount: int,
    *,
    on: date,
    key: str,
    label: str,
    reverses: Entry | None = None,
    actor: Actor,
    at: datetime,
) -> None:
    draft = EntryDraft(
        event=OPENING_ADDED if amount > 0 else OPENING_LOWERED,
        key=key,
        label=label,
        parts=[Amounts({"amount": abs(amount)}, bank=iban)],
        reverses_id=reverses.pk if reverses else None,
    )
    post_entries(organisation=organisation, drafts=[draft], on=on, actor=actor, at=at)
