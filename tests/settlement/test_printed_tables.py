"""One definition, two files: what the PDF prints and what the workbook holds are the same figures."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from pypdf import PdfReader

from config.accounts.models import Organisation
from settlement.printed_tables import (
    PRINTED_ROWS_MAX,
    CheckSum,
    Column,
    PrintedTable,
    Section,
    TooLongForPaper,
    sheet_name,
    table_pdf,
    table_xlsx,
)
from tests.conftest import AT
from tests.settlement.test_documents import outloud_verdict

TABLE = PrintedTable(
    title="Акт № 7",
    author="Турбота, 12345678",
    facts=[("Надавач", "Турбота"), ("Договір", "")],
    caption="Послуги",
    columns=(
        Column("№", "count", "1"),
        Column("Послуга", number="2"),
        Column("Ціна", "rate", "3"),
        Column("Коефіцієнт", "factor", "4"),
        Column("Обсяг", "units", "5"),
        Column("Сума", "amount", "6", summed=True),
    ),
    sections=[
        Section(
            [
                (1, "Догляд", Decimal("95.1234"), Decimal("1.000001"), Decimal("1.5"), Decimal("142.69")),
                (3, "Обід", Decimal("1"), None, Decimal("1"), Decimal("1.00")),
            ],
            "R1",
        ),
        Section([(2, "=1+1", Decimal("95"), None, Decimal("10"), Decimal("-0.20"))], "R2"),
    ],
    signers=["Надавач"],
    language="uk",
    currency="UAH",
    checks=[CheckSum("Усе", Decimal("142.50"), Decimal("142.49"))],
    notes=["Примітка"],
)


def cells(table: PrintedTable) -> list[list[Any]]:
    sheet = load_workbook(io.BytesIO(table_xlsx(table))).worksheets[0]
    return [[cell.value for cell in row if cell.value is not None] for row in sheet.iter_rows()]


def printed(pdf: bytes) -> str:
    found = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
    return " ".join(found.split())


def paper(table: PrintedTable, at: datetime = AT) -> bytes:
    return table_pdf(table, Organisation(code="x", name="Громада"), made_at=at)


def test_the_workbook_holds_numbers_and_texts() -> None:
    rows = cells(TABLE)
    assert [1, "Догляд", 95.1234, 1.000001, 1.5, 142.69] in rows
    assert [2, "=1+1", 95, 10, -0.2] in rows
    assert ["Усього разом", 143.69] in rows and ["Усього разом", -0.2] not in rows
    assert rows.count(["Разом", 143.49]) == 1 and ["Усе", 142.5, 142.49, 0.01] in rows
    sheet = load_workbook(io.BytesIO(table_xlsx(TABLE))).worksheets[0]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value == "=1+1"} == {"s"}
    assert sheet.title == TABLE.title[:31].strip() and sheet.title != "Sheet"
    assert (sheet.page_setup.orientation, sheet.print_title_rows) == ("portrait", "$6:$7")


def test_the_paper_prints_the_same_figures() -> None:
    text = printed(paper(TABLE))
    for figure in (
        "95,1234",
        "1,000001",
        "1,5",
        "142,69",
        "−0,20",
        "143,49",
        "143,69",
        "142,50",
        "0,01",
        "Ціна, ₴",
        "R1",
        "R2",
    ):
        assert figure in text, figure
    assert text.count("−0,20") == 1  # a section of one row has no total of its own
    assert "=1+1" in text and "Примітка" in text


def test_the_paper_is_accessible(tmp_path: Path) -> None:
    many = replace(
        TABLE, sections=[Section([(n, "Послуга " * 12, *[Decimal("1.00")] * 4) for n in range(1, 60)], "R1")]
    )
    code, words = outloud_verdict(paper(many), tmp_path)
    assert code == 0, words
    assert len(PdfReader(io.BytesIO(paper(many))).pages) > 1


def test_more_columns_lie_across_the_sheet() -> None:
    wide = replace(
        TABLE,
        columns=[*TABLE.columns, Column("А"), Column("Б")],
        sections=[Section([(*row, "а", "б") for section in TABLE.sections for row in section.rows])],
    )
    upright, across = (PdfReader(io.BytesIO(paper(table))).pages[0].mediabox for table in (TABLE, wide))
    assert upright.height > upright.width and across.width > across.height


def test_a_table_too_long_for_paper_is_a_spreadsheet_only() -> None:
    row = TABLE.rows[0]
    fits, over = (replace(TABLE, sections=[Section([row] * count)]) for count in (1, PRINTED_ROWS_MAX + 1))
    assert paper(fits).startswith(b"%PDF")
    with pytest.raises(TooLongForPaper) as refused:
        paper(over)
    assert str(PRINTED_ROWS_MAX) in refused.value.sentence
    assert len(cells(over)) > PRINTED_ROWS_MAX


@given(st.lists(st.decimals(-(10**9), 10**9, places=2), max_size=30))
def test_a_total_is_the_sum_of_what_the_rows_show(amounts: list[Decimal]) -> None:
    rows = [(1, "Послуга", None, None, None, amount) for amount in amounts]
    assert TABLE.totals(rows, "Разом") == [None, "Разом", None, None, None, sum(amounts, Decimal(0))]


@pytest.mark.parametrize(("rows", "words"), [(1191, "1191 рядок"), (1193, "1193 рядки"), (1195, "1195 рядків")])
def test_rows_are_counted_in_the_right_form(rows: int, words: str) -> None:
    with override("uk"):
        assert words in TooLongForPaper(rows=rows, limit=1000).sentence


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Акт наданих послуг A-1", "Акт наданих послуг A-1"),
        ("Акт [зразок]: а/б * що?", "Акт зразок а б що"),
        ("Виконання бюджету соціальних послуг громади", "Виконання бюджету соціальних"),
        ("Ж" * 40, "Ж" * 31),
        ("'у лапках'", "у лапках"),
        ("***", ""),
    ],
)
def test_a_title_becomes_the_name_of_a_sheet(title: str, name: str) -> None:
    assert sheet_name(title) == name and len(name) <= 31
