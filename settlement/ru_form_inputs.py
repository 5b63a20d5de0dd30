"""What a Russian settlement form asks for and the product does not hold: read from a spreadsheet, cell by cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from unicodedata import category

from django.utils.translation import gettext_lazy as _

from config.errors import DomainError
from config.money import AMOUNT_PLACES, RATE_PLACES, UNITS_PLACES, read_number, round_half_up
from settlement.row_files import RowFault, RowsUnreadable, read_row_file

ROWS_MAX = 20_000
TEXT_LENGTH = 300
# Above these a figure is a slip of the hand; sums of all rows stay exact below them.
_AMOUNT_BELOW, _RATE_BELOW, _UNITS_BELOW = 10**11, 10**7, 10**7

REASONS = {
    "MISSING": _("must not be empty"),
    "MISSING_COLUMN": _("the file has no such column"),
    "UNKNOWN_COLUMN": _("the form has no such column"),
    "COLUMN_TWICE": _("stands twice in the heading"),
    "NOT_A_NUMBER": _("is not a number"),
    "NEGATIVE": _("must not be below zero"),
    "NOT_POSITIVE": _("must be above zero"),
    "TOO_LARGE": _("is larger than such a figure can be"),
    "TOO_MANY_PLACES": _("has too many digits"),
    "TOO_LONG": _("is longer than 300 characters"),
    "NOT_TEXT": _("holds a character that is no text"),
    "DIFFERS": _("differs from what an earlier row says of the same recipient and service"),
}


class FormFileUnreadable(DomainError):
    """Not a CSV file or a workbook, or nothing in it."""

    code = "FORM_FILE_UNREADABLE"
    message = _("The file «%(file)s» cannot be read. Use CSV or XLSX: the first row names the columns, rows follow.")
    http_status = 400


class FormFileTooLong(DomainError):
    """More rows than a form has."""

    code = "FORM_FILE_TOO_LONG"
    message = _("The file «%(file)s» has more than %(limit)s rows. Draw the form for a part of them.")
    http_status = 400


class FormRowsRefused(DomainError):
    """Cells that cannot be read; ``faults`` lists row, column, value and why. Nothing is drawn."""

    code = "FORM_ROWS_REFUSED"
    message = _(
        "%(count)s cells of «%(file)s» cannot be used; the first: row %(row)s, column «%(column)s», "
        "value «%(value)s»: %(reason)s."
    )
    http_status = 400

    def __init__(self, file: str, faults: list[RowFault]) -> None:
        self.file, self.faults = file, faults
        first = faults[0]
        words = {"row": first.row, "column": first.column, "value": first.value, "reason": reason_words(first)}
        super().__init__(count=len(faults), file=file, **words)

    def as_problem(self) -> dict[str, Any]:
        """The problem body with every fault."""
        rows = [{"file": self.file, **fault.__dict__, "reason": reason_words(fault)} for fault in self.faults]
        return {**super().as_problem(), "faults": rows}


def reason_words(fault: RowFault) -> str:
    """Why a cell cannot be used."""
    return str(REASONS[fault.reason])


@dataclass(frozen=True)
class Input:
    """A column of the spreadsheet. ``places`` None: text; an optional figure that is empty is not given."""

    name: str
    title: Any
    places: int | None = None
    below: int = 0
    required: bool = True
    positive: bool = False


def _text(name: str, title: Any, *, required: bool = True) -> Input:
    return Input(name, title, required=required)


def _rate(name: str, title: Any) -> Input:
    return Input(name, title, RATE_PLACES, _RATE_BELOW, positive=True)


def _units(name: str, title: Any, *, positive: bool = False) -> Input:
    return Input(name, title, UNITS_PLACES, _UNITS_BELOW, positive=positive)


def _amount(name: str, title: Any, *, required: bool = True) -> Input:
    return Input(name, title, AMOUNT_PLACES, _AMOUNT_BELOW, required=required)


_RECIPIENT = _text("recipient", _("number of the recipient or programme; rows of one stand together"), required=False)
_SERVICE = _text("service", _("name of the service"))
_TARIFF = _rate("tariff", _("price of a unit"))
_PLANNED_FEE = _amount("recipient_payment", _("planned payment of the recipients"))

INPUTS: dict[str, tuple[Input, ...]] = {
    "compensation": (
        *(_RECIPIENT, _SERVICE, _TARIFF),
        _units("programme_volume", _("units of the individual programme")),
        _units("actual_volume", _("units really provided")),
        _amount("fee_received", _("fee that the provider received")),
        _amount("fee_due", _("fee that is due by the decision")),
        _amount("limit", _("what the funds or a limit leave for this row; empty: no limit"), required=False),
    ),
    "advance": (_RECIPIENT, _SERVICE, _TARIFF, _units("planned_volume", _("planned units")), _PLANNED_FEE),
    "true-up": (
        *(_RECIPIENT, _SERVICE, _TARIFF),
        _units("actual_volume", _("units really provided")),
        _amount("recipient_payment", _("payment of the recipients for them")),
        _amount("paid", _("subsidy that was paid in advance")),
    ),
    "order": (
        *(_RECIPIENT, _SERVICE, _TARIFF),
        Input("coefficient", _("correcting coefficient of the price"), 6, 1000, positive=True),
        _units("volume", _("units provided")),
        _amount("fee", _("fee of the recipients")),
    ),
    "time": (
        *(_RECIPIENT, _SERVICE),
        _rate("cost", _("cost of the service by its norm")),
        _units("norm_minutes", _("minutes of the norm"), positive=True),
        _units("actual_minutes", _("minutes really spent")),
        _amount("fee", _("fee of the recipient")),
        _amount(
            "year_ceiling_left",
            _("what is left of the yearly ceiling of this recipient and service before these rows; empty: no ceiling"),
            required=False,
        ),
    ),
}

EXAMPLES: dict[str, tuple[str, ...]] = {
    "compensation": ("2025-001", "Уборка жилых помещений", "287.09", "8", "6", "300.00", "350.00", ""),
    "advance": ("", "Помощь в приготовлении пищи", "143.54", "12", "500.00"),
    "true-up": ("", "Помощь в приготовлении пищи", "143.54", "10", "500.00", "1222.48"),
    "order": ("", "Помощь в приготовлении пищи", "143.54", "1.1", "10", "400.00"),
    "time": ("2025-001", "Сопровождение", "1000.00", "60", "45", "200.00", ""),
}

Row = Mapping[str, Any]


def read_form_file(*, form: str, name: str, content: bytes) -> list[Row]:
    """Rows of a form: texts, and Decimal figures or None where an optional one is empty.

    Raises: FormFileUnreadable, FormFileTooLong, FormRowsRefused with every cell that is wrong.
    """
    try:
        found = read_row_file(name=name, content=content, rows_max=ROWS_MAX)
    except RowsUnreadable as error:
        raise FormFileUnreadable(file=name) from error
    if len(found.rows) > ROWS_MAX:
        raise FormFileTooLong(file=name, limit=ROWS_MAX)
    faults = _heading_faults(form, found.heading)
    if not faults and not found.rows:
        raise FormFileUnreadable(file=name)
    rows = [] if faults else [_row(form, number, cells, faults) for number, cells in found.rows]
    faults = faults or _ceiling_faults([(number, row) for (number, _c), row in zip(found.rows, rows, strict=True)])
    if faults:
        raise FormRowsRefused(name, faults)
    return rows


def _heading_faults(form: str, heading: tuple[str, ...]) -> list[RowFault]:
    """A column that is misspelt would silently count as not given."""
    names = [column.name for column in INPUTS[form]]
    written = [name for name in heading if name]
    missing = [column.name for column in INPUTS[form] if column.required and column.name not in written]
    return [
        *(RowFault(1, name, "", "MISSING_COLUMN") for name in missing),
        *(RowFault(1, name[:TEXT_LENGTH], "", "UNKNOWN_COLUMN") for name in written if name not in names),
        *(RowFault(1, name, "", "COLUMN_TWICE") for name in names if written.count(name) > 1),
    ]


def _row(form: str, number: int, cells: Mapping[str, Any], faults: list[RowFault]) -> Row:
    """The values of a row; what is wrong with it joins ``faults``."""
    values: dict[str, Any] = {}
    for column in INPUTS[form]:
        written = cells.get(column.name)
        text = "" if written is None else str(written).strip()
        values[column.name], reason = _value(column, text)
        if reason:
            faults.append(RowFault(number, column.name, _printable(text)[:TEXT_LENGTH], reason))
    return values


def _printable(text: str) -> str:
    return "".join("\N{REPLACEMENT CHARACTER}" if _strange(sign) else sign for sign in " ".join(text.split()))


def _strange(text: str) -> bool:
    """Whether it holds control characters or halves of characters."""
    return any(category(sign) in ("Cc", "Cs") for sign in text)


def _value(column: Input, text: str) -> tuple[Any, str]:
    """The value of a cell and what is wrong with it, or nothing."""
    if not text:
        return ("" if column.places is None else None), ("MISSING" if column.required else "")
    if column.places is not None:
        return _figure(column, column.places, text)
    text = " ".join(text.split())
    return text, "TOO_LONG" if len(text) > TEXT_LENGTH else "NOT_TEXT" if _strange(text) else ""


def _figure(column: Input, places: int, text: str) -> tuple[Decimal | None, str]:
    try:
        value = read_number(text)
    except ValueError:
        return None, "NOT_A_NUMBER"
    if abs(value) >= column.below:
        return None, "TOO_LARGE"
    rounded = round_half_up(value, places)
    if value != rounded:
        return None, "TOO_MANY_PLACES"
    return rounded, "NEGATIVE" if value < 0 else "NOT_POSITIVE" if column.positive and not value else ""


def _ceiling_faults(rows: list[tuple[int, Row]]) -> list[RowFault]:
    """A recipient and a service have one ceiling; a later row repeats it or leaves it empty."""
    known: dict[tuple[str, str], Decimal | None] = {}
    faults = []
    for number, row in rows:
        ceiling = row.get("year_ceiling_left")
        first = known.setdefault((row["recipient"], row["service"]), ceiling)
        if ceiling is not None and ceiling != first:
            faults.append(RowFault(number, "year_ceiling_left", str(ceiling), "DIFFERS"))
    return faults
