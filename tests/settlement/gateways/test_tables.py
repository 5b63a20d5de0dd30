from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.gateways.base import Finding, GatewayError, Statement
from settlement.gateways.tables import fingerprint, headings_of, read_table

COLUMNS = {
    "date": "Дата",
    "debit": "Дебет",
    "credit": "Кредит",
    "name": "Контрагент",
    "account": "Рахунок",
    "text": "Призначення",
    "end_to_end": "Номер документа",
    "balance": "Залишок",
}
TABLE = """Виписка за рахунком;;;
Дата;Номер документа;Дебет;Кредит;Контрагент;Рахунок;Призначення;Залишок
12.12.2025 10:15;PAY-2025-0001;1 242,00;;ТОВ Турбота;UA89 3052 9900 0002 6001 2345 6789 0;"Послуги; листопад";8 758,00
13.12.2025;;;100,50;Хтось;;Внесок;8 858,50
Разом;;1 242,00;100,50;;;;
"""


def read(text: str, columns: dict[str, str] = COLUMNS, encoding: str = "utf-8") -> Statement:
    return read_table(text.encode(encoding), columns=columns, account="UA1", currency="UAH")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251"])
def test_a_table_is_read(encoding: str) -> None:
    found = read(TABLE, encoding=encoding)
    assert [entry.amount for entry in found.entries] == [Decimal("-1242.00"), Decimal("100.50")]
    assert [entry.booked_on for entry in found.entries] == [date(2025, 12, 12), date(2025, 12, 13)]
    detail = found.entries[0].details[0]
    assert detail.end_to_end_id == "PAY-2025-0001" and detail.remittance == "Послуги; листопад"
    assert detail.counterparty_account == "UA893052990000026001234567890" and detail.counterparty == "ТОВ Турбота"
    opening, closing = found.balance("OPBD"), found.balance("CLBD")
    assert opening is not None and closing is not None and found.is_balanced
    assert (opening.amount, closing.amount) == (Decimal("10000.00"), Decimal("8858.50"))


def test_newest_first_is_read_too() -> None:
    head, heading, first, second, _end = TABLE.splitlines()
    found = read("\n".join([head, heading, second, first]))
    opening, closing = found.balance("OPBD"), found.balance("CLBD")
    assert opening is not None and closing is not None and found.is_balanced
    assert (opening.amount, closing.amount) == (Decimal("10000.00"), Decimal("8858.50"))


def test_a_broken_running_balance_blocks() -> None:
    assert [item.code for item in blocking(TABLE.replace("8 858,50", "8 858,51"))] == ["BALANCE_MISMATCH"]


def test_what_cannot_be_read_blocks() -> None:
    (amount,) = blocking(TABLE.replace(";100,50;Хт", ";сто;Хт"))
    assert (amount.code, amount.params) == (
        "ROW_SUM_UNREADABLE",
        {"row": "4", "column": "Кредит", "value": "сто"},
    )
    (day,) = blocking(TABLE.replace("13.12.2025", "вчора"))
    assert (day.code, day.params) == ("ROW_DAY_UNREADABLE", {"row": "4", "column": "Дата", "value": "вчора"})


def blocking(text: str) -> list[Finding]:
    return [item for item in read(text).findings if item.severity == "block"]


@pytest.mark.parametrize(
    "row", ["32.12.2025;;;сто;Хтось;;Внесок;", "вчора;;;сто;;;;", "14.12.2025;;1,234;;;;;", "32.12.2025;;;5;;;;"]
)
def test_no_row_vanishes(row: str) -> None:
    found = read(f"{TABLE}{row}\n\n")
    assert len(found.entries) == 2
    assert {item.params["row"] for item in found.findings if item.severity == "block"} == {"6"}


def test_what_moves_no_money_is_named() -> None:
    heading = TABLE.splitlines()[1]
    found = read(f"{TABLE}{heading}\n14.12.2025;;;0,00;;;Нуль;\nПідписав;Бух.;;;;;;\n")
    assert len(found.entries) == 2 and found.is_balanced
    passed = [(item.params["row"], item.params["value"]) for item in found.findings if item.code == "ROW_PASSED_OVER"]
    assert [row for row, _value in passed] == ["5", "6", "7", "8"]
    assert passed[0][1] == "Разом 1 242,00 100,50"


def test_a_table_without_a_readable_row_is_refused() -> None:
    heading = TABLE.splitlines()[1]
    with pytest.raises(GatewayError, match="NO_ROWS"):
        read(f"{heading}\n")
    with pytest.raises(GatewayError, match="NO_READABLE_ROW") as refused:
        read(f"{heading}\nвчора;;;сто;Хтось;;;\n")
    assert refused.value.params == {"row": "2", "column": "Дата", "value": "вчора"}


@pytest.mark.parametrize(
    ("told", "meant"), [("", "UAH"), ("980", "UAH"), ("грн.", "UAH"), ("uah", "UAH"), ("978", "EUR")]
)
def test_a_currency_is_understood(told: str, meant: str) -> None:
    columns = {"date": "date", "amount": "sum", "text": "what", "currency": "of"}
    found = read(f"date,sum,what,of\n2025-12-12,1,a,{told}\n", columns)
    assert [entry.currency for entry in found.entries] == [meant]


def test_a_signed_sum_and_no_balance() -> None:
    text = "date,sum,what\n2025-12-12,-12.50,a\n2025-12-13,7,b\n"
    found = read(text, {"date": "date", "amount": "sum", "text": "what"})
    assert [entry.amount for entry in found.entries] == [Decimal("-12.50"), Decimal(7)]
    assert [item.code for item in found.findings] == ["BALANCE_MISSING"]


def test_another_table_is_refused() -> None:
    with pytest.raises(GatewayError, match="COLUMN_MISSING"):
        read("a;b;c\n1;2;3\n")
    with pytest.raises(GatewayError, match="NOT_A_TABLE"):
        headings_of(b"hello\nworld")


def test_headings_know_the_table_again() -> None:
    names = headings_of(TABLE.encode())
    assert names[:2] == ["Дата", "Номер документа"]
    assert fingerprint(names) == fingerprint([name.upper() for name in names]) != fingerprint(names[1:])


@given(st.binary(max_size=300))
def test_nothing_a_stranger_sends_crashes(content: bytes) -> None:
    try:
        columns: dict[str, Any] = {"date": headings_of(content)[0], "amount": headings_of(content)[1]}
        read_table(content, columns=columns, account="UA1", currency="UAH")
    except GatewayError:
        pass
