"""Rows of a spreadsheet as text, whatever it was: CSV with comma, semicolon or tab, or XLSX."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zipfile import BadZipFile

MAX_CELLS = 2_000_000


class UnreadableSheet(ValueError):
    """Neither CSV nor XLSX, or far too large."""


@dataclass(frozen=True)
class SheetRow:
    """A row with its number as people count it (the header is row 1); values are text without outer spaces."""

    number: int
    values: dict[str, str]


def read_sheet(*, name: str, content: bytes) -> tuple[list[str], Iterator[SheetRow]]:
    """The header, lower-cased, and the rows below it, empty ones left out.

    Raises: UnreadableSheet, also while the rows are read.
    """
    rows = enumerate(_cells(name, content), start=1)
    header = next(([cell.lower() for cell in cells] for _number, cells in rows if any(cells)), None)
    if header is None:
        raise UnreadableSheet(f"{name}: no header row")
    return header, (
        SheetRow(number, {column: cell for column, cell in zip(header, cells, strict=False) if column})
        for number, cells in rows
        if any(cells)
    )


def _cells(name: str, content: bytes) -> Iterator[list[str]]:
    if content[:2] == b"PK":
        return _xlsx(content)
    # Neither a workbook's name nor a zero byte belongs to a table of text.
    if name.lower().endswith((".xlsx", ".xls", ".ods")) or b"\0" in content:
        raise UnreadableSheet(f"{name}: no table")
    return _csv(content)


def _csv(content: bytes) -> Iterator[list[str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1251", errors="replace")
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    for cells in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
        yield [cell.strip() for cell in cells]


def _xlsx(content: bytes) -> Iterator[list[str]]:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except (InvalidFileException, BadZipFile, KeyError, ValueError, OSError) as error:
        raise UnreadableSheet(str(error)) from error
    sheet = book.worksheets[0]
    seen = 0
    for cells in sheet.iter_rows(values_only=True):
        seen += len(cells)
        # A declared size may be a lie that unpacks for ever.
        if seen > MAX_CELLS:
            raise UnreadableSheet("too many cells")
        yield [_text(cell) for cell in cells]


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    if isinstance(cell, float):
        return repr(int(cell)) if cell.is_integer() else repr(cell)
    return str(cell).strip()
