"""Russian forms as tables: published statements cell by cell, and check sums that hold for any rows."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from pypdf import PdfReader

from config.accounts.models import Organisation
from contracts.models import Provider
from settlement.printed_tables import PrintedTable, table_pdf, table_xlsx
from settlement.ru_form_inputs import EXAMPLES, INPUTS, FormFileUnreadable, FormRowsRefused, Row, read_form_file
from settlement.ru_form_papers import FORMS, FormOfOtherLaw, ru_paper
from tests.conftest import AT
from tests.golden_rows import case_file, checked
from tests.settlement.test_documents import outloud_verdict

TOWN = Organisation(code="x", name="Муниципальный округ", jurisdiction="RU", currency="RUB", registration_code="123")
CARE = Provider(code="P1", name="АНО «Забота»", registration_code="7700000000")
OCTOBER = date(2025, 10, 1)


def sheet_of(form: str, *rows: dict[str, str]) -> bytes:
    names = [column.name for column in INPUTS[form]]
    lines = [";".join(names), *(";".join(row.get(name, "") for name in names) for row in rows)]
    return "\n".join(lines).encode()


def drawn(form: str, *rows: dict[str, str]) -> PrintedTable:
    found = read_form_file(form=form, name="a.csv", content=sheet_of(form, *rows))
    return ru_paper(form, organisation=TOWN, provider=CARE, period=OCTOBER, rows=found, made_at=AT)


def figures(paper: PrintedTable, *places: int) -> list[tuple[Any, ...]]:
    return [tuple(row[place] for place in places) for row in paper.rows]


def test_the_published_statement_of_the_subsidy() -> None:
    items = checked(case_file("ru-samara-2017-subsidy-statement")["items"])
    paper = drawn(
        "advance",
        *({k: item[k] for k in ("service", "tariff", "planned_volume", "recipient_payment")} for item in items),
    )
    expected = [(item["service"], Decimal(item["expected_col5"]), Decimal(item["expected_col7"])) for item in items]
    assert figures(paper, 1, 4, 6) == expected
    sheet = load_workbook(io.BytesIO(table_xlsx(paper))).worksheets[0]
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    first = rows.index(["1", "2", "3", "4", "5", "6", "7"]) + 1
    for row, item in zip(rows[first:], items, strict=False):
        numbers = [
            float(item[k]) for k in ("tariff", "planned_volume", "expected_col5", "recipient_payment", "expected_col7")
        ]
        assert row[1:] == [item["service"], *numbers]
    text = " ".join(PdfReader(io.BytesIO(table_pdf(paper, TOWN, made_at=AT))).pages[0].extract_text().split())
    for item in items:
        assert f"{item['expected_col7']}".replace(".", ",") in text.replace("1 ", "1")


def test_published_month_values_are_the_value_by_the_programme() -> None:
    items = checked(case_file("ru-tuim-pni-day-month")["items"])
    rows = [
        {
            "service": item["service"],
            "tariff": item["day"],
            "programme_volume": "30",
            "actual_volume": "30",
            "fee_received": "0",
            "fee_due": "0",
        }
        for item in items
    ]
    assert figures(drawn("compensation", *rows), 4) == [(Decimal(item["month"]),) for item in items]


def test_published_rural_prices_are_the_corrected_tariff() -> None:
    items = checked(case_file("ru-primorye-2019-city-rural-a")["items"])
    rows = [
        {"service": item["service"], "tariff": item["city"], "coefficient": "1.1", "volume": "1", "fee": "0"}
        for item in items
    ]
    assert figures(drawn("order", *rows), 4, 8) == [(Decimal(item["rural"]),) * 2 for item in items]


def test_the_compensation_is_cut_by_the_programme_and_the_limit() -> None:
    row = {"service": "Уборка", "tariff": "143.54", "fee_received": "100", "fee_due": "300"}
    paper = drawn(
        "compensation",
        {**row, "programme_volume": "12", "actual_volume": "10"},
        {**row, "programme_volume": "8", "actual_volume": "10"},
        {**row, "programme_volume": "12", "actual_volume": "10", "limit": "1000"},
    )
    value, rest = Decimal("1435.40"), Decimal("1135.40")
    assert figures(paper, 5 + 1, 9, 10) == [
        (value, rest, rest),
        (value, rest, Decimal("848.32")),
        (value, rest, Decimal("1000.00")),
    ]
    assert [check.difference for check in paper.checks] == [0, 0]


def test_an_advance_is_trued_up_to_be_paid_or_returned() -> None:
    row = {"service": "Обед", "tariff": "143.54", "recipient_payment": "500", "paid": "1222.48"}
    paper = drawn("true-up", {**row, "actual_volume": "10"}, {**row, "actual_volume": "14"})
    assert figures(paper, 8) == [(Decimal("-287.08"),), (Decimal("287.08"),)]


def test_one_yearly_ceiling_is_used_up_by_the_rows_of_a_recipient() -> None:
    row = {"service": "Сопровождение", "cost": "1000", "norm_minutes": "60", "actual_minutes": "45", "fee": "200"}
    paper = drawn(
        "time",
        {**row, "recipient": "A", "year_ceiling_left": "900"},
        {**row, "recipient": "B"},
        {**row, "recipient": "A"},
        {**row, "recipient": "A"},
    )
    assert [section.title for section in paper.sections] == ["Получатель A", "Получатель B"]
    assert [row[-1] for row in paper.sections[0].rows] == [Decimal("550.00"), Decimal("350.00"), Decimal("0.00")]
    assert [row[-1] for row in paper.sections[1].rows] == [Decimal("550.00")]
    assert [row[0] for row in paper.rows] == [1, 2, 3, 4]


def test_every_wrong_cell_is_reported() -> None:
    good = {
        "service": "Уборка",
        "tariff": "10",
        "programme_volume": "1",
        "actual_volume": "1",
        "fee_received": "0",
        "fee_due": "0",
    }
    bad = {
        **good,
        "tariff": "0",
        "programme_volume": "мало",
        "actual_volume": "1.2345",
        "fee_received": "-1",
        "fee_due": "9" * 15,
        "service": "я" * 301,
    }
    with pytest.raises(FormRowsRefused) as refused:
        read_form_file(form="compensation", name="октябрь.csv", content=sheet_of("compensation", good, bad))
    assert [(fault.row, fault.column, fault.reason) for fault in refused.value.faults] == [
        (3, "service", "TOO_LONG"),
        (3, "tariff", "NOT_POSITIVE"),
        (3, "programme_volume", "NOT_A_NUMBER"),
        (3, "actual_volume", "TOO_MANY_PLACES"),
        (3, "fee_received", "NEGATIVE"),
        (3, "fee_due", "TOO_LARGE"),
    ]
    told = refused.value.as_problem()["faults"][2]
    assert (told["file"], told["row"], told["column"], told["value"]) == ("октябрь.csv", 3, "programme_volume", "мало")
    assert told["reason"] and "октябрь.csv" in refused.value.sentence


@pytest.mark.parametrize(
    ("heading", "fault"),
    [
        ("service;tariff;planned_volume", ("recipient_payment", "MISSING_COLUMN")),
        ("service;tariff;planned_volume;recipient_payment;tarif", ("tarif", "UNKNOWN_COLUMN")),
        ("service;tariff;tariff;planned_volume;recipient_payment", ("tariff", "COLUMN_TWICE")),
    ],
)
def test_a_wrong_heading_is_reported_before_any_row(heading: str, fault: tuple[str, str]) -> None:
    with pytest.raises(FormRowsRefused) as refused:
        read_form_file(form="advance", name="a.csv", content=f"{heading}\nx;x;x;x;x\n".encode())
    assert [(row.row, row.column, row.reason) for row in refused.value.faults] == [(1, *fault)]


def test_two_ceilings_of_one_recipient_and_service_are_reported() -> None:
    row = {"service": "С", "cost": "1000", "norm_minutes": "60", "actual_minutes": "45", "fee": "0", "recipient": "A"}
    ceilings = [{**row, "year_ceiling_left": value} for value in ("900", "900", "800")]
    assert drawn("time", *ceilings[:2]).rows
    with pytest.raises(FormRowsRefused) as refused:
        drawn("time", *ceilings)
    assert [(fault.row, fault.reason) for fault in refused.value.faults] == [(4, "DIFFERS")]


def test_a_file_without_rows_is_refused() -> None:
    with pytest.raises(FormFileUnreadable):
        read_form_file(form="advance", name="a.csv", content=sheet_of("advance"))


@pytest.mark.parametrize("form", FORMS)
def test_the_example_of_the_template_draws_an_accessible_paper(form: str, tmp_path: Path) -> None:
    example = dict(zip((column.name for column in INPUTS[form]), EXAMPLES[form], strict=True))
    long = {**example, "service": "Содействие в получении юридической помощи и " * 5, "recipient": "2025-002"}
    paper = drawn(form, example, long)
    code, words = outloud_verdict(table_pdf(paper, TOWN, made_at=AT), tmp_path)
    assert code == 0, words
    assert [column.number for column in paper.columns][:2] == ["1", "2"]
    assert all(check.difference == 0 for check in paper.checks)


def test_a_form_of_another_law_is_refused() -> None:
    def paper(law: str) -> PrintedTable:
        town = Organisation(code="y", name="Громада", jurisdiction=law)
        return ru_paper("advance", organisation=town, provider=CARE, period=OCTOBER, rows=[], made_at=AT)

    assert paper("RU").rows == paper("GENERIC").rows == []
    with pytest.raises(FormOfOtherLaw):
        paper("UA")


def inputs(form: str) -> st.SearchStrategy[Row]:
    """Any row that the reader lets pass, with services and recipients that repeat."""
    columns: dict[str, st.SearchStrategy[Any]] = {}
    for column in INPUTS[form]:
        if column.places is None:
            columns[column.name] = st.sampled_from(["А", "Б"])
            continue
        smallest = Decimal(1).scaleb(-column.places) if column.positive else 0
        figure = st.decimals(smallest, min(column.below - 1, 10_000), places=column.places)
        columns[column.name] = figure if column.required else st.none() | figure
    return st.fixed_dictionaries(columns)


@pytest.mark.parametrize("form", FORMS)
@given(data=st.data())
def test_check_sums_agree_for_any_rows(form: str, data: st.DataObject) -> None:
    rows = data.draw(st.lists(inputs(form), max_size=12))
    paper = ru_paper(form, organisation=TOWN, provider=CARE, period=OCTOBER, rows=rows, made_at=AT)
    assert len(paper.rows) == len(rows) and paper.checks
    assert [check.difference for check in paper.checks] == [0] * len(paper.checks)
    together = [sum((Decimal(row[-1]) for row in section.rows), Decimal(0)) for section in paper.sections]  # type: ignore[arg-type]
    assert paper.totals(paper.rows, "x")[-1] == sum(together, Decimal(0))
