"""The books as a plain-text journal that hledger or bean-check, which know nothing of this system, can read.

Account names are made from the kind and the code of an account, so that both readers accept them; the code itself
stands beside. The journal ends with the balance of every account, which the reader proves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any, Literal

from django.db import connection

from config.accounts.models import Organisation
from config.money import from_minor

JournalFormat = Literal["hledger", "beancount"]
FORMATS: tuple[JournalFormat, ...] = ("hledger", "beancount")

# The five roots are those that beancount knows; hledger accepts any.
ROOTS = {
    "expense": "Expenses:Services",
    "fee": "Income:RecipientFees",
    "payable": "Liabilities:Providers",
    "clearing": "Assets:Clearing",
    "bank": "Assets:Bank",
    "suspense": "Liabilities:Suspense",
    "funding": "Equity:Funding",
    "receivable": "Assets:RecipientFees",
    "held": "Liabilities:FeesHeld",
    "card": "Assets:Cards",
    "result": "Equity:Results",
    "recovery": "Assets:Recoveries",
    "advance": "Assets:Advances",
    "neighbour": "Assets:Neighbours",
}


@dataclass(frozen=True)
class JournalAccount:
    """An account as the journal names it, with its balance in minor units (debit less credit) on the last day."""

    id: int
    code: str
    name: str
    currency: str
    balance: int


_ACCOUNTS = """
SELECT a.id, a.code, a.kind, a.currency, sum(p.debit - p.credit)::bigint
FROM settlement_account a JOIN settlement_posting p ON p.account_id = a.id JOIN settlement_entry e ON e.id = p.entry_id
WHERE a.organisation_id = %(organisation)s AND e.date <= %(until)s
GROUP BY a.id ORDER BY a.kind, a.code
"""
_POSTINGS = """
SELECT e.date, e.number, e.event, e.label, p.account_id, p.debit - p.credit
FROM settlement_entry e JOIN settlement_posting p ON p.entry_id = e.id
WHERE e.organisation_id = %(organisation)s AND e.date <= %(until)s
ORDER BY e.date, e.id, p.id
"""


def journal_accounts(organisation: Organisation, until: date) -> list[JournalAccount]:
    """Accounts that moved by the end of a day. Codes that would read alike get their row number added."""
    with connection.cursor() as cursor:
        cursor.execute(_ACCOUNTS, {"organisation": organisation.pk, "until": until})
        rows = cursor.fetchall()
    names = [f"{ROOTS[kind]}:{_component(code)}" for _id, code, kind, _currency, _balance in rows]
    return [
        JournalAccount(pk, code, name if names.count(name) == 1 else f"{name}-{pk}", currency, balance)
        for (pk, code, _kind, currency, balance), name in zip(rows, names, strict=True)
    ]


def _component(code: str) -> str:
    """A code as one account component: letters, digits and hyphens, an upper-case beginning."""
    text = re.sub(r"[^A-Za-z0-9]+", "-", code.partition(":")[2] or code).strip("-") or "X"
    return text[0].upper() + text[1:]


def journal_lines(organisation: Organisation, *, form: JournalFormat, until: date) -> Iterator[str]:
    """The journal, one text a line without its end; every entry by the end of a day, whole, in order of its day.

    Money: amounts with two decimals and the currency's code; debit positive.
    """
    accounts = journal_accounts(organisation, until)
    write: Callable[..., Iterator[str]] = _hledger if form == "hledger" else _beancount
    yield f"; {organisation.code}, until {until:%Y-%m-%d}"
    yield from write(accounts, _entries(organisation, until), until)


def _entries(organisation: Organisation, until: date) -> Iterator[tuple[tuple[Any, ...], list[tuple[int, int]]]]:
    """(date, number, event, label) of every entry with its postings (account, minor units).

    The cursor lives on the server: a year of postings does not fit into memory, and one snapshot reads it.
    """
    with connection.chunked_cursor() as cursor:
        cursor.execute(_POSTINGS, {"organisation": organisation.pk, "until": until})
        for head, rows in groupby(iter(cursor.fetchone, None), key=lambda row: row[:4]):
            yield head, [(row[4], row[5]) for row in rows]


def _amount(minor: int, currency: str) -> str:
    return f"{from_minor(minor)} {currency}"


def _hledger(accounts: list[JournalAccount], entries: Iterator[Any], until: date) -> Iterator[str]:
    by_id = {account.id: account for account in accounts}
    yield from (f"commodity 1000.00 {currency}" for currency in sorted({account.currency for account in accounts}))
    for account in accounts:
        yield f"account {account.name}  ; code: {account.code}"
    for (day, number, event, label), postings in entries:
        yield ""
        yield f"{day:%Y-%m-%d} * ({number}) {event}  ; cause: {label}"
        for account_id, minor in postings:
            account = by_id[account_id]
            yield f"    {account.name}  {_amount(minor, account.currency)}"
    yield from ("", f"{until:%Y-%m-%d} * balances")
    for account in accounts:
        yield f"    {account.name}  {_amount(0, account.currency)} = {_amount(account.balance, account.currency)}"


def _beancount(accounts: list[JournalAccount], entries: Iterator[Any], until: date) -> Iterator[str]:
    by_id = {account.id: account for account in accounts}
    for account in accounts:
        yield f'1970-01-01 open {account.name} {account.currency}\n  code: "{account.code}"'
    for (day, number, event, label), postings in entries:
        yield ""
        yield f'{day:%Y-%m-%d} * "{event}" "{number}"\n  cause: "{label}"'
        for account_id, minor in postings:
            account = by_id[account_id]
            yield f"  {account.name}  {_amount(minor, account.currency)}"
    yield ""
    # A balance directive is judged at the beginning of its day.
    next_day = until + timedelta(days=1)
    for account in accounts:
        yield f"{next_day:%Y-%m-%d} balance {account.name}  {_amount(account.balance, account.currency)}"
