"""What the import takes as it comes: words of others, decimal commas in values of law, empty files."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import Workbook

from contracts.models import Contract, Parameter
from tests.config.interchange.packages import load, load_tables, refused
from tests.oracle.generate import write
from tests.oracle.small import add, example_5_2
from vouchers.models import Redemption

pytestmark = pytest.mark.django_db


def test_words_of_others_say_not_active_and_not_confirmed(tmp_path: Path) -> None:
    tables = example_5_2()
    tables["contracts"][0]["status"] = "suspended"
    tables["redemptions"][0]["status"] = "Confirmed?"
    report = load_tables(tables, tmp_path / "a")
    assert report.imported
    assert [(told.file, told.row, told.column, told.value, told.code) for told in report.ignored] == [
        ("contracts.csv", 2, "status", "suspended", "WORD_UNKNOWN"),
        ("redemptions.csv", 2, "status", "Confirmed?", "WORD_UNKNOWN"),
    ]
    assert Contract.objects.get().status == "terminated"
    assert Redemption.objects.get(code=tables["redemptions"][0]["code"]).status == "voided"
    again = load_tables(tables, tmp_path / "b")
    assert again.imported and not any(count.created for count in again.tables)
    assert [told.value for told in again.ignored] == ["suspended", "Confirmed?"], "told each time"


def test_words_that_the_format_knows_are_not_told(tmp_path: Path) -> None:
    assert load_tables(example_5_2(), tmp_path).ignored == []


def test_another_unknown_word_than_the_stored_one_is_refused(tmp_path: Path) -> None:
    tables = example_5_2()
    tables["contracts"][0]["status"] = "suspended"
    assert load_tables(tables, tmp_path / "a").imported
    tables["contracts"][0]["status"] = "resting"
    report = load_tables(tables, tmp_path / "b")
    assert refused(report) == [("contracts.csv", 2, "status", "resting", "DIFFERS")]


@pytest.mark.parametrize(
    ("key", "given", "stored"),
    [
        ("worker.hours_per_day_max", "11,5", "11.5"),
        ("claim.window_days", " 1 000 ", "1000"),
        ("claim.december_stop", "20 January", "20 January"),
        ("claim.december_stop", "20.01", "20.01"),
        ("other.words", "1,5 or so", "1,5 or so"),
    ],
)
def test_value_of_a_parameter(tmp_path: Path, key: str, given: str, stored: str) -> None:
    tables = example_5_2()
    add(tables, "parameters", jurisdiction="UA", key=key, valid_from="2025-01-01", value=given)
    assert load_tables(tables, tmp_path).imported
    assert Parameter.objects.get(organisation__code="TEST", key=key).value == stored


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("worker.hours_per_day_max", "twelve"),
        ("worker.hours_per_day_max", "-1"),
        ("worker.hours_per_day_max", "NaN"),
        ("claim.window_days", "Infinity"),
        ("claim.window_days", "1" + "0" * 30),
        ("claim.window_days", "1.000,5"),
        ("claim.december_stop", "15"),
        ("claim.december_stop", "13-40"),
    ],
)
def test_value_that_adjudication_cannot_read(tmp_path: Path, key: str, value: str) -> None:
    tables = example_5_2()
    add(tables, "parameters", jurisdiction="UA", key=key, valid_from="2025-01-01", value=value)
    row = len(tables["parameters"]) + 1
    assert refused(load_tables(tables, tmp_path)) == [("parameters.csv", row, "value", value, "VALUE")]


@pytest.mark.parametrize("content", ["", "\n", "\ufeff", ",,\n,,\n"])
def test_file_without_any_cell_is_an_absent_table(tmp_path: Path, content: str) -> None:
    path = write(example_5_2(), tmp_path)
    (path / "clearances.csv").write_text(content)
    report = load(path)
    assert report.imported, report.refusals


def test_sheet_without_any_cell_is_an_absent_table(tmp_path: Path) -> None:
    book = Workbook()
    book.create_sheet("organisation")
    book["organisation"].append(["code", "name"])
    book["organisation"].append(["TEST", "Тест"])
    book.create_sheet("clearances")
    book.save(tmp_path / "package.xlsx")
    report = load(tmp_path / "package.xlsx")
    assert report.imported, report.refusals
