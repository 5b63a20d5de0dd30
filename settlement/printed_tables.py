"""A table that people sign: defined once, printed as tagged PDF (PDF/UA-1) and written as a spreadsheet (XLSX).

Cells are values: Decimal with the places of their column's kind, whole numbers, texts. Totals are sums of what the
rows show, and check sums compare them on the paper itself.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from django.utils.translation import gettext, ngettext_lazy, override

from config.accounts.models import Organisation
from config.errors import DomainError
from config.figures import written
from config.templatetags.charts import Chart
from config.templatetags.show import SIGNS, amount
from settlement.documents import pdf_of

Kind = Literal["text", "count", "units", "factor", "rate", "amount"]
Cell = str | int | Decimal | None
# A longer table is a spreadsheet: as a paper nobody would read it, and laying it out takes minutes.
PRINTED_ROWS_MAX = 2_000
# More columns than this lie across the sheet.
UPRIGHT_COLUMNS = 6
_NUMBERS = {
    "count": "#,##0",
    "units": "#,##0.###",
    "factor": "#,##0.00####",
    "rate": "#,##0.00##",
    "amount": "#,##0.00",
}


class TooLongForPaper(DomainError):
    """A table of more rows than a paper holds."""

    code = "TABLE_TOO_LONG"
    message = ngettext_lazy(
        "The table has %(rows)s row; a PDF holds %(limit)s. Take the spreadsheet (XLSX).",
        "The table has %(rows)s rows; a PDF holds %(limit)s. Take the spreadsheet (XLSX).",
        "rows",
    )
    http_status = 400


@dataclass(frozen=True)
class Column:
    """A column: its heading, how its figures are written, its number in the form, whether it is added up."""

    title: Any
    kind: Kind = "text"
    number: str = ""
    summed: bool = False


@dataclass(frozen=True)
class Section:
    """Rows that belong together; several with a title have their own totals."""

    rows: Sequence[tuple[Cell, ...]]
    title: str = ""

    @property
    def has_totals(self) -> bool:
        """Whether its sums say more than its rows."""
        return bool(self.title) and len(self.rows) > 1


@dataclass(frozen=True)
class CheckSum:
    """Two figures that should be equal: worked out from the parts, and as the form shows it."""

    title: Any
    parts: Decimal
    shown: Decimal

    @property
    def difference(self) -> Decimal:
        """What is missing (negative: too much)."""
        return self.parts - self.shown


@dataclass(frozen=True)
class PrintedTable:
    """A paper: what it is, between whom, charts, table, check sums and who signs it. ``language``: of its law."""

    title: Any
    author: str
    facts: Sequence[tuple[Any, Any]]
    caption: Any
    columns: Sequence[Column]
    sections: Sequence[Section]
    signers: Sequence[Any]
    language: str
    currency: str
    checks: Sequence[CheckSum] = ()
    notes: Sequence[Any] = ()
    charts: Sequence[Chart] = ()
    # Sections that stand against each other, such as two debts, are not added up together.
    opposed: bool = False

    @property
    def rows(self) -> list[tuple[Cell, ...]]:
        """Rows of all sections."""
        return [row for section in self.sections for row in section.rows]

    @property
    def numbered(self) -> bool:
        """Whether the form numbers its columns."""
        return any(column.number for column in self.columns)

    @property
    def added_up(self) -> bool:
        """Whether a column is added up, so that totals say something."""
        return any(column.summed for column in self.columns)

    @property
    def grand_total(self) -> list[Cell] | None:
        """Sums of all rows, where they say something."""
        return self.totals(self.rows, gettext("Total")) if self.added_up and not self.opposed else None

    def totals(self, rows: Iterable[tuple[Cell, ...]], label: str) -> list[Cell]:
        """Sums of the columns that are added up, the label under the first column of text, else nothing."""
        taken = list(rows)
        found: list[Cell] = [_sum(taken, place) if column.summed else None for place, column in enumerate(self.columns)]
        found[next(place for place, column in enumerate(self.columns) if column.kind == "text")] = label
        return found

    @property
    def sign(self) -> str:
        """The sign of its currency."""
        return SIGNS.get(self.currency, self.currency)

    def heading(self, column: Column) -> str:
        """The heading of a column; sums name their currency there, once."""
        return f"{column.title}, {self.sign}" if column.kind in ("amount", "rate") else str(column.title)


def _sum(rows: Iterable[tuple[Cell, ...]], place: int) -> Decimal:
    return sum((cell for row in rows if isinstance(cell := row[place], Decimal)), Decimal(0))


def table_pdf(
    table: PrintedTable, organisation: Organisation, *, made_at: datetime, data: Mapping[str, bytes] | None = None
) -> bytes:
    """The paper as PDF, carrying the files ``data`` by name. Raises: TooLongForPaper."""
    if len(table.rows) > PRINTED_ROWS_MAX:
        raise TooLongForPaper(rows=len(table.rows), limit=PRINTED_ROWS_MAX)
    with override(table.language):
        context = shown_table(table)
    return pdf_of("documents/printed_table.html", context, organisation, made_at, language=table.language, data=data)


def shown_table(table: PrintedTable) -> dict[str, Any]:
    """The table as texts, for a paper or a page."""
    return {
        "table": table,
        "wide": len(table.columns) > UPRIGHT_COLUMNS,
        "columns": [(table.heading(column), column) for column in table.columns],
        "sections": [_shown_section(table, section) for section in table.sections],
        "totals": _shown_row(table, total) if (total := table.grand_total) else None,
        "checks": [(check.title, *map(_plain, (check.parts, check.shown, check.difference))) for check in table.checks],
    }


def _shown_section(table: PrintedTable, section: Section) -> dict[str, Any]:
    own = section.has_totals and table.added_up
    totals = _shown_row(table, table.totals(section.rows, gettext("Together"))) if own else None
    return {"title": section.title, "rows": [_shown_row(table, row) for row in section.rows], "totals": totals}


def _shown_row(table: PrintedTable, row: Sequence[Cell]) -> list[tuple[str, bool]]:
    """Cells as text, and whether each stands in a column of figures."""
    return [(_shown(cell, column.kind), column.kind != "text") for cell, column in zip(row, table.columns, strict=True)]


def _shown(cell: Cell, kind: Kind) -> str:
    if cell is None or isinstance(cell, str):
        return cell or ""
    if kind == "amount":
        return _plain(Decimal(cell))
    return written(cell, _NUMBERS[kind])


def _plain(value: Decimal) -> str:
    return amount(value, "").strip()


# What a spreadsheet program does not take in the name of a sheet, and how long one may be.
_NOT_IN_A_NAME, NAME_LENGTH = re.compile(r"[\[\]:*?/\\\x00-\x1f]"), 31


def sheet_name(title: str) -> str:
    """A title as the name of a sheet: without the signs that it may not have, whole words as far as they fit."""
    plain = " ".join(_NOT_IN_A_NAME.sub(" ", title).split()).strip("'")
    if len(plain) > NAME_LENGTH:
        plain = plain[: NAME_LENGTH + 1].rpartition(" ")[0] or plain[:NAME_LENGTH]
    return plain.strip(" '.,;–-")[:NAME_LENGTH]


def table_xlsx(table: PrintedTable) -> bytes:
    """The paper as a workbook of one sheet: figures are numbers, totals and check sums stand below."""
    # Loaded where it is used: it costs memory in every process that only imports this module.
    from openpyxl import Workbook

    with override(table.language):
        book = Workbook()
        sheet = book.worksheets[0]
        sheet.title = sheet_name(str(table.title)) or sheet.title
        writer = _Sheet(sheet, table)
        writer.head()
        writer.body()
        writer.foot()
        content = io.BytesIO()
        book.save(content)
    return content.getvalue()


class _Sheet:
    """Writes a table row by row into a sheet."""

    def __init__(self, sheet: Any, table: PrintedTable) -> None:
        self.sheet, self.table, self.last = sheet, table, 0

    def head(self) -> None:
        self._row([self.table.title], bold=True)
        for label, value in self.table.facts:
            self._row([label, value])
        self._row([])
        self._row([self.table.caption], bold=True)
        self._page()
        self._row([self.table.heading(column) for column in self.table.columns], bold=True, wrapped=True)
        first = self.last
        if self.table.numbered:
            self._row([column.number for column in self.table.columns])
        self.sheet.print_title_rows = f"{first}:{self.last}"
        self.sheet.freeze_panes = f"A{self.last + 1}"

    def body(self) -> None:
        for section in self.table.sections:
            if section.title:
                self._row([section.title], bold=True)
            for row in section.rows:
                self._figures(row)
            if section.has_totals and self.table.added_up:
                self._figures(self.table.totals(section.rows, gettext("Together")), bold=True)
        if total := self.table.grand_total:
            self._figures(total, bold=True)

    def foot(self) -> None:
        if self.table.checks:
            self._row([])
            heads = ("Check sums", "By the parts", "In the form", "Difference")
            self._row([gettext(head) for head in heads], bold=True)
        for check in self.table.checks:
            figures = (check.parts, check.shown, check.difference)
            self._row([check.title, *figures], formats=[None, *[_NUMBERS["amount"]] * len(figures)])
        for line in self.table.notes:
            self._row([line])
        self._row([])
        for signer in self.table.signers:
            self._row([signer, "____________________"])

    def _figures(self, row: Sequence[Cell], *, bold: bool = False) -> None:
        self._row(row, bold=bold, formats=[_NUMBERS.get(column.kind) for column in self.table.columns])

    def _row(
        self, cells: Sequence[Any], *, bold: bool = False, wrapped: bool = False, formats: Sequence[str | None] = ()
    ) -> None:
        from openpyxl.styles import Alignment, Font

        self.last += 1
        for place, value in enumerate(cells, 1):
            if value is None:
                continue
            cell = self.sheet.cell(row=self.last, column=place)
            _write(cell, value)
            cell.font = Font(bold=bold)
            if wrapped:
                cell.alignment = Alignment(wrap_text=True, vertical="top")
            if place <= len(formats) and formats[place - 1] and isinstance(value, (int, Decimal)):
                cell.number_format = formats[place - 1]

    def _page(self) -> None:
        from openpyxl.utils import get_column_letter

        for place, column in enumerate(self.table.columns, 1):
            width = 44 if column.kind == "text" else 16
            self.sheet.column_dimensions[get_column_letter(place)].width = width
        self.sheet.page_setup.orientation = "landscape" if len(self.table.columns) > UPRIGHT_COLUMNS else "portrait"
        self.sheet.page_setup.paperSize = self.sheet.PAPERSIZE_A4
        self.sheet.page_setup.fitToHeight = 0
        self.sheet.sheet_properties.pageSetUpPr.fitToPage = True


def _write(cell: Any, value: Any) -> None:
    """A figure as a number; a text as text even where it begins like a formula."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    if isinstance(value, (int, Decimal)):
        cell.value = value
        return
    cell.value = ILLEGAL_CHARACTERS_RE.sub("\N{REPLACEMENT CHARACTER}", str(value))[:32_767]
    cell.data_type = "s"
