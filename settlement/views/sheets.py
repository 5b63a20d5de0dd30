"""A list as a spreadsheet: the same rows as the page, all of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header

from settlement.printed_tables import sheet_name

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
# A program that opens the file would calculate what begins so.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def sheet_asked(request: HttpRequest) -> str:
    """ "csv" or "xlsx" when the address asks for one, else empty."""
    asked = request.GET.get("sheet", "")
    return asked if asked in TYPES else ""


def sheet(kind: str, name: str, title: Any, head: Sequence[Any], rows: Iterable[Sequence[Any]]) -> HttpResponse:
    """The rows as a file of that name, its sheet named by the title; cells are texts, days, whole numbers and sums with
    two places.
    """
    content = _csv(head, rows) if kind == "csv" else _xlsx(str(title), head, rows)
    answer = HttpResponse(content, content_type=TYPES[kind])
    answer["Content-Disposition"] = content_disposition_header(True, f"{name}.{kind}") or "attachment"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def _csv(head: Sequence[Any], rows: Iterable[Sequence[Any]]) -> bytes:
    """A table that a spreadsheet program opens as it is: no text of it is calculated."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([str(cell) for cell in head])
    writer.writerows([_plain(cell) for cell in row] for row in rows)
    return ("\ufeff" + text.getvalue()).encode()


def _plain(cell: Any) -> str:
    if isinstance(cell, date):
        return cell.isoformat()
    text = str(cell)
    return f"'{text}" if not isinstance(cell, (Decimal, int)) and text.startswith(_FORMULA) else text


def _xlsx(title: str, head: Sequence[Any], rows: Iterable[Sequence[Any]]) -> bytes:
    # Loaded where it is used: it costs memory in every process that only imports this module.
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    page = book.create_sheet(sheet_name(title))

    def written(cell: Any) -> Any:
        if isinstance(cell, (Decimal, int, date)):
            return cell
        made = WriteOnlyCell(page, value=str(cell))
        made.data_type = "s"
        return made

    page.append([written(cell) for cell in head])
    for row in rows:
        page.append([written(cell) for cell in row])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()
