"""Columns of integers come back from the database as they went, over the edges of blocks too."""

from __future__ import annotations

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from settlement import bulk
from settlement.bulk import read_integers, write_integers
from settlement.rules.facts import NO_TIME

pytestmark = pytest.mark.django_db

SIZES = (1, bulk._BLOCK, bulk._BLOCK + 1, 3 * bulk._BLOCK)
QUERY = "SELECT g, -g AS low, CASE WHEN g = %(endless)s THEN 'infinity' ELSE to_timestamp(g) END AS at " \
    "FROM generate_series(1, %(size)s) g ORDER BY g"  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
def test_rows_are_read_in_blocks(size: int) -> None:
    with connection.cursor() as cursor:
        params = {"size": size, "endless": size}
        table = read_integers(cursor, QUERY, ("g", "low", "at"), params, times=frozenset({"at"}))

    assert table["g"].tolist() == list(range(1, size + 1))
    assert table["low"].tolist() == [-g for g in range(1, size + 1)]
    assert table["at"].tolist() == [g * 1_000_000 for g in range(1, size)] + [NO_TIME]


def test_no_rows_are_a_table_without_rows() -> None:
    with connection.cursor() as cursor:
        table = read_integers(cursor, QUERY, ("g", "low"), {"size": 0, "endless": 0})

    assert table.empty
    assert list(table.columns) == ["g", "low"]


@pytest.mark.parametrize("row", [1, bulk._BLOCK, bulk._BLOCK + 2])
def test_a_null_is_refused_wherever_it_stands(row: int) -> None:
    query = "SELECT NULLIF(g, %(row)s) AS g FROM generate_series(1, %(size)s) g"
    with connection.cursor() as cursor, pytest.raises(ValueError, match="null"):
        read_integers(cursor, query, ("g",), {"row": row, "size": bulk._BLOCK + 2})


@pytest.mark.parametrize("size", SIZES)
def test_parts_are_written_by_one_statement(size: int) -> None:
    values = np.arange(size, dtype=np.int64)
    parts = [({"a": values, "b": -values}, {"word": "one"}), ({"a": values[:2], "b": values[:2]}, {"word": "longer"})]
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE written (a bigint, b bigint, word text) ON COMMIT DROP")
        write_integers(cursor, "written", [*parts, ({"a": values[:0], "b": values[:0]}, {"word": "none"})])
        cursor.execute("SELECT word, count(*), sum(a), sum(b) FROM written GROUP BY word ORDER BY word DESC")
        found = cursor.fetchall()

    total, few = int(values.sum()), int(values[:2].sum())
    assert found == [("one", size, total, -total), ("longer", len(values[:2]), few, few)]


def test_it_is_read_alike_where_queries_are_written_down() -> None:
    """With DEBUG on, Django puts another cursor in between."""
    query = "SELECT g, %(step)s AS step FROM generate_series(1, 3) g"
    with CaptureQueriesContext(connection), connection.cursor() as cursor:
        table = read_integers(cursor, query, ("g", "step"), {"step": 7})
    assert table.to_numpy().tolist() == [[1, 7], [2, 7], [3, 7]]
