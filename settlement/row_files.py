"""Rows of a spreadsheet that a person sends: CSV in usual encodings and separators, or XLSX. Cells stay as written."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

# What a damaged or hostile workbook makes its reader raise: its archive, its XML (a SyntaxError), its relations.
_BROKEN = (zipfile.BadZipFile, SyntaxError, ValueError, KeyError, IndexError, TypeError, AttributeError, OSError)
_SEPARATORS = (";", ",", "\t")


class RowsUnreadable(ValueError):
    """Neither a table of text nor a workbook."""


@dataclass(frozen=True)
class RowFault:
    """A cell that cannot be read. ``row`` counts from 1 with the header, as the spreadsheet shows it."""

    row: int
    column: str
    value: str
    reason: str


@dataclass(frozen=True)
class RowFile:
    """The headings of a file, and its rows with their numbers; blank rows are passed over but counted."""

    heading: tuple[str, ...]
    rows: list[tuple[int, dict[str, Any]]]


def read_row_file(*, name: str, content: bytes, sheet: str = "", rows_max: int) -> RowFile:
    """The table of a file, of a workbook the sheet of that name or the first; one row more than ``rows_max`` at most.

    Raises: RowsUnreadable, also for a file without a heading.
    """
    try:
        cells = _workbook(content, sheet) if name.lower().endswith(".xlsx") else _text(content)
        numbered = ((number, row) for number, row in enumerate(cells, 1) if any(not _blank(cell) for cell in row))
        first, heading = next(numbered, (0, []))
        names = tuple("" if _blank(cell) else str(cell).strip() for cell in heading)
        rows = [(number, dict(zip(names, row, strict=False))) for number, row in islice(numbered, rows_max + 1)]
    except (csv.Error, *_BROKEN) as error:
        raise RowsUnreadable(str(error)) from error
    if not first:
        raise RowsUnreadable("empty")
    return RowFile(names, rows)


def _blank(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _text(content: bytes) -> Iterator[list[Any]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # What a spreadsheet program of an office writes as CSV.
        text = content.decode("cp1251")
    heading = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(_SEPARATORS, key=heading.count)
    return iter(csv.reader(io.StringIO(text, newline=""), delimiter=separator))


def _workbook(content: bytes, sheet: str) -> Iterator[list[Any]]:
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    page = book[sheet] if sheet in book.sheetnames else book.worksheets[0]
    return (list(row) for row in page.iter_rows(values_only=True))
