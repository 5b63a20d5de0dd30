"""Overlapping values of a parameter: the latest start wins, and the database holds each on its own days."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from contracts.models import Parameter
from tests.config.interchange.packages import dump, load, load_tables, refused
from tests.oracle.small import Tables, add, example_5_2

pytestmark = pytest.mark.django_db(transaction=True)

KEY = "worker.hours_per_day_max"
FIRST, LATER, NESTED = ("2020-01-01", "", "12"), ("2025-01-01", "", "10"), ("2023-01-01", "2023-12-31", "8")
CUT = ("2020-01-01", "2024-12-31", "12")


def law(*rows: tuple[str, str, str]) -> Tables:
    tables = example_5_2()
    tables["parameters"].clear()
    for first, last, value in rows:
        add(tables, "parameters", jurisdiction="UA", key=KEY, valid_from=first, valid_to=last, value=value)
    return tables


def stored() -> list[tuple[str, str, str]]:
    rows = Parameter.objects.filter(organisation__code="TEST", key=KEY).order_by("valid_from")
    last = [str(row.valid_to - timedelta(days=1)) if row.valid_to else "" for row in rows]
    return [(str(row.valid_from), end, row.value) for row, end in zip(rows, last, strict=True)]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ([FIRST, LATER], [CUT, LATER]),
        ([LATER, FIRST], [CUT, LATER]),
        ([FIRST, NESTED], [("2020-01-01", "2022-12-31", "12"), NESTED, ("2024-01-01", "", "12")]),
        (
            [FIRST, NESTED, LATER],
            [("2020-01-01", "2022-12-31", "12"), NESTED, ("2024-01-01", "2024-12-31", "12"), LATER],
        ),
        ([("2020-01-01", "2025-06-30", "12"), LATER], [CUT, LATER]),
        ([NESTED, LATER], [NESTED, LATER]),
    ],
)
def test_latest_start_wins(tmp_path: Path, given: list[tuple[str, str, str]], kept: list[tuple[str, str, str]]) -> None:
    report = load_tables(law(*given), tmp_path / "a")
    assert report.imported, report.refusals
    assert stored() == kept
    out = dump(tmp_path / "out")
    for again in (load_tables(law(*given), tmp_path / "b"), load(tmp_path / "out")):
        assert again.imported, again.refusals
        assert not any(count.created for count in again.tables)
    assert dump(tmp_path / "again") == out


@pytest.mark.parametrize("second", [[LATER], [FIRST, LATER]])
def test_new_law_ends_a_stored_value_without_end(tmp_path: Path, second: list[tuple[str, str, str]]) -> None:
    load_tables(law(FIRST), tmp_path / "a")
    report = load_tables(law(*second), tmp_path / "b")
    assert report.imported, report.refusals
    assert stored() == [CUT, LATER]
    again = load_tables(law(FIRST), tmp_path / "c")
    assert again.imported and not any(count.created for count in again.tables)


def test_nested_law_needs_the_value_that_holds_again_after_it(tmp_path: Path) -> None:
    load_tables(law(FIRST), tmp_path / "a")
    report = load_tables(law(NESTED), tmp_path / "b")
    assert refused(report) == [("parameters.csv", 2, "valid_from", NESTED[0], "OVERLAP")]
    assert stored() == [FIRST]
    assert load_tables(law(FIRST, NESTED), tmp_path / "c").imported
    assert stored() == [("2020-01-01", "2022-12-31", "12"), NESTED, ("2024-01-01", "", "12")]
