"""Tables as people send them: encodings, separators, blank rows, files that are no table."""

from __future__ import annotations

import io

import pytest
from openpyxl import Workbook

from settlement.row_files import RowsUnreadable, read_row_file


def workbook(*rows: list[object]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)  # type: ignore[union-attr]
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "\n послуга ;units\nдогляд;1,5\n\nвізит;2\n".encode()),
        ("a.csv", '\nпослуга,units\r\nдогляд,"1,5"\r\n\r\nвізит,2\r\n'.encode("cp1251")),
        ("a.csv", "\ufeff\nпослуга\tunits\nдогляд\t1,5\n\nвізит\t2\n".encode()),
        ("A.XLSX", workbook([], ["послуга", "units"], ["догляд", "1,5"], [], ["візит", "2"])),
    ],
)
def test_rows_keep_their_numbers_and_their_cells(name: str, content: bytes) -> None:
    found = read_row_file(name=name, content=content, rows_max=10)
    assert found.heading == ("послуга", "units")
    assert found.rows == [
        (3, {"послуга": "догляд", "units": "1,5"}),
        (5, {"послуга": "візит", "units": "2"}),
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b""),
        ("a.csv", b"\n \n"),
        ("a.csv", b"\x98\xff"),
        ("a.xlsx", b"no archive"),
        ("a.xlsx", b"PK\x05\x06" + bytes(18)),
        ("a.xlsx", workbook()),
    ],
)
def test_what_is_no_table_is_refused(name: str, content: bytes) -> None:
    with pytest.raises(RowsUnreadable):
        read_row_file(name=name, content=content, rows_max=10)


def test_more_rows_than_wanted_are_not_read() -> None:
    assert len(read_row_file(name="a.csv", content=b"a\n" + b"1\n" * 50, rows_max=10).rows) == 11
