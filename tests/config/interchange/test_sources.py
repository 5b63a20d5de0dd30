"""Spreadsheets as people have them: sheets, decimal commas, spaces in numbers, a byte order mark."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import Workbook

from settlement.models import ClaimLine
from tests.config.interchange.packages import load
from tests.oracle.generate import write
from tests.oracle.small import Tables, example_5_2
from vouchers.models import Certificate, FeeAssessment

pytestmark = pytest.mark.django_db


def workbook(tables: Tables, path: Path) -> Path:
    """The tables as sheets; dates, times, numbers and booleans as a spreadsheet keeps them."""
    book = Workbook()
    book.remove(book.worksheets[0])
    sheet = book.create_sheet("organisation")
    sheet.append(["code", "name", "jurisdiction"])
    sheet.append(["TEST", "Тестова громада", "UA"])
    for name, rows in tables.items():
        if rows:
            sheet = book.create_sheet(name)
            sheet.append(list(rows[0]))
            for row in rows:
                sheet.append([native(column, value) for column, value in row.items()])
    book.save(path)
    return path


def native(column: str, value: str) -> object:
    if value in ("true", "false"):
        return value == "true"
    if column in ("service_date", "valid_from", "valid_to", "from_date", "to_date", "birth_date") and value:
        return date.fromisoformat(value)
    if column in ("starts_at", "ends_at") and value:
        return datetime.fromisoformat(value).replace(tzinfo=None)
    if column in ("units", "unit_rate", "amount", "line", "year") and value:
        return float(value)
    return value or None


def test_workbook_gives_what_the_csv_gives(tmp_path: Path) -> None:
    tables = example_5_2()
    assert load(workbook(tables, tmp_path / "p.xlsx")).imported
    report = load(write(tables, tmp_path / "csv"))
    assert report.imported, report.refusals
    assert sum(count.created for count in report.tables) == 0


def test_workbook_beside_a_descriptor(tmp_path: Path) -> None:
    workbook(example_5_2(), tmp_path / "громада.xlsx")
    descriptor = {"organisation": {"code": "X", "name": "Інша", "jurisdiction": "UA"}}
    (tmp_path / "datapackage.json").write_text(json.dumps(descriptor))
    report = load(tmp_path)
    assert (report.organisation, report.imported) == ("X", True)


def test_refusal_in_a_workbook_names_the_sheet(tmp_path: Path) -> None:
    tables = example_5_2()
    tables["services"][0]["unit"] = "minute"
    (refusal,) = load(workbook(tables, tmp_path / "p.xlsx")).refusals
    assert (refusal.file, refusal.row, refusal.column) == ("p.xlsx#services", 2, "unit")


def test_decimal_commas_spaces_and_a_byte_order_mark(tmp_path: Path) -> None:
    tables = example_5_2()
    tables["fee_assessments"][0]["monthly_limit"] = "1\u00a0278,00"
    tables["certificate_lines"][0]["units"] = "16,0"
    tables["claim_lines"][0] |= {"unit_rate": "98,00 ", "amount": " 147,000"}
    path = write(tables, tmp_path)
    for file in path.glob("*.csv"):
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    report = load(path)
    assert report.imported, report.refusals
    assert FeeAssessment.objects.get().monthly_limit == Decimal("1278.00")
    assert ClaimLine.objects.get(line=1).amount_e4 == 1_470_000


def test_semicolons(tmp_path: Path) -> None:
    path = write(example_5_2(), tmp_path)
    (path / "certificate_lines.csv").write_text("certificate_number;service_code;units\nC1;015.1;16,000\n")
    assert load(path).imported


def test_blank_rows_and_absent_optional_columns(tmp_path: Path) -> None:
    path = write(example_5_2(), tmp_path)
    (path / "certificates.csv").write_text("number,recipient_code,valid_from,status\nC1,R1,2025-01-01,active\n,,,\n\n")
    assert load(path).imported
    assert Certificate.objects.get().valid_to is None
