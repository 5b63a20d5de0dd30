"""What the books cost: postings with the balance trigger and without, the trial balance and a bare GROUP BY, and the
statement page of one provider while the ledger of the others grows.

    python -m tests.benchmarks.ledger [--postings 1000000] [--balance 10000000]

Works in a scratch database of the server that DATABASE_URL names, made before and dropped afterwards. Prints ratios of
times measured in one run; the aim of the first two is 2, of the last 1.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from datetime import date
from statistics import median
from typing import Any

from tests.benchmarks.adjudicate_lines import scratch_database

ACCOUNTS, CHUNK, ROUNDS = 400, 10_000, 3
# Postings of the provider whose page is read, and rows of a page.
QUIET, PAGE, READS = 1_000, 25, 20
# Postings of the ledger when the page is read for the first time.
FEW = 100_000
_ENTRIES = """
INSERT INTO settlement_entry (id, organisation_id, number, date, event, label, key, recorded_at)
SELECT n, %(organisation)s, 'B-' || n, date '2025-01-01' + (n %% 365)::int, 'benchmark', 'x:1', 'B-' || n, now()
FROM generate_series(%(first)s::bigint, %(last)s::bigint) n
"""
# Two postings an entry, on two of the accounts; every entry balances.
_POSTINGS = """
INSERT INTO settlement_posting (entry_id, date, account_id, debit, credit, currency)
SELECT e, date '2025-01-01' + (e %% 365)::int, %(base)s + (e * 7 + side * 13) %% %(accounts)s,
    (1 - side) * (100 + e %% 900), side * (100 + e %% 900), 'UAH'
FROM generate_series(%(first)s::bigint, %(last)s::bigint) e CROSS JOIN generate_series(0, 1) side
"""
_BARE = "SELECT account_id, sum(debit), sum(credit) FROM settlement_posting GROUP BY account_id"


def seconds(call: Callable[[], Any]) -> float:
    """Seconds of a call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


class Books:
    """A filled ledger of one organisation."""

    def __init__(self) -> None:
        from config.accounts.models import Organisation
        from settlement.models import Account

        self.organisation = Organisation.objects.create(code="benchmark", name="Benchmark")
        shared = {"organisation": self.organisation, "kind": "payable", "currency": "UAH"}
        rows = Account.objects.bulk_create(Account(code=f"payable:{n}", **shared) for n in range(ACCOUNTS + 2))
        self.quiet, _other = rows[ACCOUNTS:]
        self.base, self.accounts, self.last = rows[ACCOUNTS].pk, 2, 0
        self.postings(*self.entries(QUIET))
        self.base, self.accounts = rows[0].pk, ACCOUNTS

    def entries(self, count: int) -> tuple[int, int]:
        """New entries; first and last id."""
        first, self.last = self.last + 1, self.last + count
        self._run(_ENTRIES, first, self.last)
        return first, self.last

    def postings(self, first: int, last: int) -> None:
        """Postings of the entries, in statements of ``CHUNK`` of them."""
        for start in range(first, last + 1, CHUNK // 2):
            self._run(_POSTINGS, start, min(start + CHUNK // 2 - 1, last))

    def _run(self, query: str, first: int, last: int) -> None:
        from django.db import connection

        params = {"organisation": self.organisation.pk, "base": self.base, "accounts": self.accounts}
        with connection.cursor() as cursor:
            cursor.execute(query, {**params, "first": first, "last": last})


def execute(query: str) -> list[Any]:
    """All rows, or none of a command."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall() if cursor.description else []


def insertion(books: Books, postings: int) -> None:
    """Print the ratio of inserting with the trigger to inserting without it, in turns."""
    with_trigger: list[float] = []
    without: list[float] = []
    for _round in range(ROUNDS):
        for times, word in ((without, "DISABLE"), (with_trigger, "ENABLE")):
            span = books.entries(postings // ROUNDS // 2)
            execute(f"ALTER TABLE settlement_posting {word} TRIGGER posting_guard")
            times.append(seconds(lambda span=span: books.postings(*span)))  # type: ignore[misc]
    ratio = sum(with_trigger) / sum(without)
    print(f"insert {postings // ROUNDS // 2 * 2 * ROUNDS:,} postings each way: with the balance trigger "
          f"{sum(with_trigger):.2f} s, without {sum(without):.2f} s, ratio {ratio:.2f}")  # fmt: skip


def page(books: Books) -> float:
    """Seconds of what the last page of a statement runs: its rows, what stood before them, the balance of the day."""
    from settlement.book_queries import AFTER_ALL, Place, balance_of, statement_page

    day = date(2025, 12, 31)

    def read() -> None:
        rows = statement_page(books.quiet, day, before=Place(day, AFTER_ALL, 0), size=PAGE).rows
        found = balance_of(books.quiet, day)
        assert len(rows) == PAGE and rows[-1].balance == found.debited - found.credited  # type: ignore[attr-defined]

    return median(seconds(read) for _read in range(READS))


def fill(books: Books, postings: int) -> None:
    """Entries without the trigger until the ledger has so many postings."""
    execute("ALTER TABLE settlement_posting DISABLE TRIGGER posting_guard")
    missing = postings // 2 - books.last
    while missing > 0:
        books.postings(*books.entries(min(missing, 500_000)))
        missing = postings // 2 - books.last
    execute("ALTER TABLE settlement_posting ENABLE TRIGGER posting_guard")
    execute("VACUUM ANALYZE settlement_posting")
    execute("VACUUM ANALYZE settlement_entry")


def balance(books: Books, postings: int) -> None:
    """Fill up, then print the ratio of the trial balance to a bare GROUP BY."""
    from settlement.book_queries import trial_balance

    fill(books, postings)
    for day, words in ((date(2025, 12, 31), "the last day"), (date(2025, 6, 30), "the middle of the year")):
        times = [
            (seconds(lambda: trial_balance(books.organisation, day)), seconds(lambda: execute(_BARE)))  # noqa: B023
            for _round in range(ROUNDS)
        ]  # fmt: skip
        ours, bare = (median(column) for column in zip(*times, strict=True))
        print(f"trial balance on {words} over {books.last * 2:,} postings: {ours:.2f} s")
        print(f"  bare GROUP BY {bare:.2f} s, ratio {ours / bare:.2f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postings", type=int, default=1_000_000)
    parser.add_argument("--balance", type=int, default=10_000_000)
    options = parser.parse_args()
    with scratch_database():
        books = Books()
        execute("ANALYZE")
        fill(books, FEW)
        first, few = page(books), books.last * 2
        if options.postings:
            insertion(books, options.postings)
        balance(books, options.balance)
        last = page(books)
        print(f"statement page: {first * 1000:.1f} ms with {few:,} postings, {last * 1000:.1f} ms with "
              f"{books.last * 2:,}, ratio {last / first:.2f}")  # fmt: skip


if __name__ == "__main__":
    main()
