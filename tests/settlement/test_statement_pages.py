"""The statement of an account by pages: the same rows and balances as the whole, and no page reads more as it grows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config.accounts.models import Organisation, User
from settlement.book_queries import AFTER_ALL, Place, StatementPage, statement, statement_page
from settlement.models import Account, Posting

pytestmark = pytest.mark.django_db(transaction=True)
START, DAY = date(2025, 1, 1), date(2025, 12, 31)

# Entries of two postings, so many a day; the last of every tenth day is an opening balance, which comes first.
_FILL = """
WITH made AS (
    INSERT INTO settlement_entry (organisation_id, number, date, event, label, key, recorded_at)
    SELECT %(office)s, %(name)s || n, %(start)s::date + n / %(a_day)s,
        CASE WHEN n %% (10 * %(a_day)s) = 10 * %(a_day)s - 1 THEN 'opening.added' ELSE 'claim.adjudicated' END,
        'x:1', %(name)s || n, %(start)s::date FROM generate_series(0, %(count)s - 1) n RETURNING id, date)
INSERT INTO settlement_posting (entry_id, date, account_id, debit, credit, currency)
SELECT id, date, %(account)s, CASE WHEN id %% 3 = 0 THEN id %% 97 + 1 ELSE 0 END,
    CASE WHEN id %% 3 = 0 THEN 0 ELSE id %% 97 + 1 END, 'UAH' FROM made
UNION ALL
SELECT id, date, %(other)s, CASE WHEN id %% 3 = 0 THEN 0 ELSE id %% 97 + 1 END,
    CASE WHEN id %% 3 = 0 THEN id %% 97 + 1 ELSE 0 END, 'UAH' FROM made
"""


@pytest.fixture
def fill(organisation: Organisation) -> Callable[..., Account]:
    def filled(code: str, count: int, a_day: int) -> Account:
        account, other = (
            Account.objects.get_or_create(organisation=organisation, code=name, kind="payable", currency="UAH")[0]
            for name in (code, "payable:others")
        )
        values = {"office": organisation.pk, "name": code, "start": START, "count": count, "a_day": a_day}
        with connection.cursor() as cursor:
            cursor.execute(_FILL, {**values, "account": account.pk, "other": other.pk})
            cursor.execute("VACUUM (ANALYZE) settlement_posting")
            cursor.execute("VACUUM (ANALYZE) settlement_entry")
        return account

    return filled


def figures(rows: Any) -> list[tuple[int, int]]:
    return [(row.pk, row.balance) for row in rows]


def forward(account: Account, size: int) -> Iterator[StatementPage]:
    page = statement_page(account, DAY, size=size)
    yield page
    while page.has_later:
        page = statement_page(account, DAY, after=page.last, size=size)
        yield page


def backward(account: Account, size: int) -> Iterator[StatementPage]:
    page = statement_page(account, DAY, before=Place(DAY, AFTER_ALL, 0), size=size)
    yield page
    while page.has_earlier:
        page = statement_page(account, DAY, before=page.first, size=size)
        yield page


@pytest.mark.parametrize("count", [1, 7, 8, 60])
def test_pages_together_are_the_statement(fill: Callable[..., Account], count: int) -> None:
    account = fill("payable:P1", count, 3)
    whole = figures(statement(account, DAY))
    assert len(whole) == count
    there, back = list(forward(account, 7)), list(backward(account, 7))
    assert [row for page in there for row in figures(page.rows)] == whole
    assert [row for page in reversed(back) for row in figures(page.rows)] == whole
    assert [page.has_earlier for page in there] == [False] + [True] * (len(there) - 1)
    assert [page.has_later for page in back] == [False] + [True] * (len(back) - 1)


def test_a_statement_until_a_day_ends_there(fill: Callable[..., Account]) -> None:
    account = fill("payable:P1", 60, 3)
    until = START + timedelta(days=4)
    last = statement_page(account, until, before=Place(until, AFTER_ALL, 0), size=7)
    assert figures(last.rows) == figures(statement(account, until))[-7:]
    assert not last.has_later


def rows_read(call: Callable[[], object]) -> tuple[int, int, int]:
    """Queries of a call; rows that they read for what is shown; rows that they add up into one figure."""
    with CaptureQueriesContext(connection) as captured:
        call()
    shown = added = 0
    for query in captured.captured_queries:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query['sql']}")
            found = cursor.fetchone()[0]
        plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
        tables = {node.get("Relation Name") for node in _nodes(plan)}
        if "settlement_entry" in tables:
            shown += sum(_read(node) for node in _nodes(plan))
        else:
            added += sum(_read(node) for node in _nodes(plan))
    return len(captured.captured_queries), shown, added


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)


def _read(node: dict[str, Any]) -> int:
    """Rows that a node takes out of a table: those of an index below it are the same ones."""
    if "Relation Name" not in node:
        return 0
    return int((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])


def test_no_page_reads_more_as_the_account_and_the_ledger_grow(fill: Callable[..., Account]) -> None:
    small, large = fill("payable:small", 1_000, 20), fill("payable:large", 7_000, 20)

    def spent(account: Account) -> list[tuple[int, int, int]]:
        last = Posting.objects.filter(account=account).latest("date").date
        middle = START + (last - START) / 2
        places: list[dict[str, Place]] = [
            {},
            {"after": Place(middle, 1, 0)},
            {"before": Place(middle, 1, 0)},
            {"before": Place(DAY, AFTER_ALL, 0)},
        ]
        return [rows_read(lambda place=place: statement_page(account, DAY, size=25, **place)) for place in places]  # type: ignore[misc]

    few, many = spent(small), spent(large)
    assert [queries for queries, _shown, _added in few] == [queries for queries, _shown, _added in many]
    # The page, its neighbour, and the rest of two days, each with its entry (a table of few rows may be read whole).
    assert all(shown <= 400 for _queries, shown, _added in many), (few, many)
    # What stood before is the sum of this account's rows and of nobody else's.
    assert all(added <= 1_000 for _queries, _shown, added in few) and all(added <= 7_000 for _q, _s, added in many)


def test_the_page_leads_on_and_back(
    client: Client, organisation: Organisation, cast: dict[str, User], fill: Callable[..., Account]
) -> None:
    account = fill("payable:P1", 60, 3)
    client.force_login(cast["mariia"], backend="django.contrib.auth.backends.ModelBackend")
    address = reverse("settlement:account", args=[account.pk])
    whole = figures(statement(account, DAY))

    def shown(**asked: str) -> list[tuple[int, int]]:
        return figures(row for row, _event in client.get(address, {"on": "2025-12-31", **asked}).context["rows"])

    first = client.get(address, {"on": "2025-12-31"})
    page = first.context["page"]
    assert shown() == whole[:25] and f"after={page.last}" in first.content.decode()
    assert shown(after=str(page.last)) == whole[25:50]
    assert shown(before="end") == whole[-25:]
    for nonsense in ("x", "2025-02-31.1.1", "9999-12-31.1.1", "2025-01-01.1." + "9" * 30):
        assert shown(after=nonsense) == whole[:25]
    assert client.get(address, {"on": "9999-12-31", "before": "end"}).status_code == 200
