"""Rows of a provider's spreadsheet as claim lines: figures are read as people write them, codes are kept as written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from config.errors import DomainError
from config.money import RATE_PLACES, UNITS_PLACES, read_number, round_half_up
from settlement.row_files import RowFault, RowsUnreadable, read_row_file
from vouchers.gateways.headings import column_of, heading_of

# Columns by their names in the file, with what people write in them.
COLUMNS: dict[str, Any] = {
    "redemption_code": _("code of the redemption; may stay empty"),
    "certificate_number": _("number of the certificate, as printed on it"),
    "service_code": _("code of the service"),
    "service_date": _("day of the service: 2025-11-03"),
    "starts_at": _("time of the beginning: 09:00; may stay empty"),
    "ends_at": _("time of the end; may stay empty"),
    "worker_code": _("code of the worker"),
    "units": _("how much was given, for example 1.5 hours"),
    "unit_rate": _("price of a unit"),
    "amount": _("sum of the line; may stay empty"),
}
CODES = ("service_code", "certificate_number", "redemption_code", "worker_code")
AMOUNT_PLACES_CLAIMED = 4
ROWS_MAX = 200_000
# Those of the program interface: units times rate of a line, and sums of many lines, stay within eight bytes.
BELOW = {"units": 10**4, "unit_rate": 10**6, "amount": 10**9}
EARLIEST, LATEST = date(1990, 1, 1), date(2199, 12, 31)
CODE_LENGTH = 64


class ClaimRowsRefused(DomainError):
    """Rows that cannot be read; ``faults`` lists row, column, value and why."""

    code = "CLAIM_ROWS_REFUSED"
    message = _("%(count)s cells of the file cannot be read; the first: row %(row)s, column «%(column)s».")
    http_status = 400

    def __init__(self, faults: list[RowFault]) -> None:
        self.faults = faults
        super().__init__(count=len(faults), row=faults[0].row, column=heading_of(faults[0].column))


class ClaimFileUnreadable(DomainError):
    """Not a CSV file or a workbook with the columns of claim lines."""

    code = "CLAIM_FILE_UNREADABLE"
    message = _("This file cannot be read. Use a CSV or XLSX file whose first row names the columns of claim lines.")
    http_status = 400


class ClaimFileEmpty(DomainError):
    """Headings and nothing under them."""

    code = "CLAIM_FILE_EMPTY"
    message = _("The file names the columns and has no rows. Write each visit in a row of its own and send it again.")
    http_status = 400


@dataclass(frozen=True)
class LineDraft:
    """A visit as the provider writes it. units 3 places, unit_rate 4, amount up to 4 (None: units x rate)."""

    service_code: str
    service_date: date
    units: Decimal
    unit_rate: Decimal
    certificate_number: str = ""
    redemption_code: str = ""
    worker_code: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    amount: Decimal | None = None

    @property
    def amount_claimed(self) -> Decimal:
        """The amount as written, else round(units x rate, 2)."""
        return round_half_up(self.units * self.unit_rate) if self.amount is None else self.amount


def read_claim_file(*, name: str, content: bytes, zone: str) -> list[LineDraft]:
    """Lines of a CSV or XLSX file. Raises: ClaimFileUnreadable, ClaimFileEmpty, ClaimRowsRefused."""
    try:
        found = read_row_file(name=name, content=content, sheet="claim_lines", rows_max=ROWS_MAX)
    except RowsUnreadable as error:
        raise ClaimFileUnreadable() from error
    if len(found.rows) > ROWS_MAX or not {"service_code", "units"} <= set(map(column_of, found.heading)):
        raise ClaimFileUnreadable()
    if not found.rows:
        raise ClaimFileEmpty()
    return _read(_named(found.rows), zone)


def _named(rows: Iterable[tuple[int, Mapping[str, Any]]]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Rows by the columns that their headings name."""
    for number, row in rows:
        yield number, {column_of(heading): cell for heading, cell in row.items()}


def read_claim_rows(rows: Iterable[Mapping[str, Any]], *, zone: str) -> list[LineDraft]:
    """Lines of rows of cells; times without a zone are of the jurisdiction. Raises: ClaimRowsRefused."""
    return _read(enumerate(rows, 2), zone)


def _read(rows: Iterable[tuple[int, Mapping[str, Any]]], zone: str) -> list[LineDraft]:
    drafts, faults = [], []
    for number, row in rows:
        reader = _Reader(row, ZoneInfo(zone), number)
        draft = reader.line()
        faults += reader.faults
        if draft:
            drafts.append(draft)
    if faults:
        raise ClaimRowsRefused(faults)
    return drafts


class _Reader:
    """Reads one row; remembers what it cannot read."""

    def __init__(self, row: Mapping[str, Any], zone: ZoneInfo, number: int) -> None:
        self.row, self.zone, self.number = row, zone, number
        self.faults: list[RowFault] = []

    def line(self) -> LineDraft | None:
        """The line, or None when a cell is faulty."""
        day = self._day("service_date")
        units = self._number("units", UNITS_PLACES, required=True)
        rate = self._number("unit_rate", RATE_PLACES, required=True)
        amount = self._number("amount", AMOUNT_PLACES_CLAIMED)
        starts, ends = self._time("starts_at", day), self._time("ends_at", day)
        codes = {column: self._code(column) for column in CODES}
        if self.faults or day is None or units is None or rate is None:
            return None
        return LineDraft(
            service_date=day,
            units=units,
            unit_rate=rate,
            **codes,
            starts_at=starts,
            ends_at=ends,
            amount=amount,
        )

    def _text(self, column: str) -> str:
        value = self.row.get(column)
        return "" if value is None else str(value).strip()

    def _code(self, column: str) -> str:
        """A code as it is written; a database text holds no zero character."""
        text = self._text(column)
        if len(text) > CODE_LENGTH:
            self._fault(column, "TOO_LONG")
        if "\0" in text:
            self._fault(column, "NOT_TEXT")
        return text

    def _fault(self, column: str, reason: str) -> None:
        shown = self._text(column)[:CODE_LENGTH].replace("\0", "\ufffd")
        self.faults.append(RowFault(self.number, column, shown, reason))

    def _number(self, column: str, places: int, *, required: bool = False) -> Decimal | None:
        text = self._text(column)
        if not text:
            if required:
                self._fault(column, "MISSING")
            return None
        try:
            value = read_number(text)
        except ValueError:
            self._fault(column, "NOT_A_NUMBER")
            return None
        if abs(value) >= BELOW[column]:
            self._fault(column, "TOO_LARGE")
        elif value != round_half_up(value, places):  # the places of the figure, not its trailing zeros
            self._fault(column, "TOO_MANY_PLACES")
        elif required and value <= 0:
            self._fault(column, "NOT_POSITIVE")
        return value

    def _day(self, column: str) -> date | None:
        day = self._written_day(column)
        if day is None:
            self._fault(column, "NOT_A_DATE" if self._text(column) else "MISSING")
        elif not EARLIEST <= day <= LATEST:
            self._fault(column, "NOT_OUR_TIME")
            return None
        return day

    def _written_day(self, column: str) -> date | None:
        value = self.row.get(column)
        if isinstance(value, date):
            return value.date() if isinstance(value, datetime) else value
        for form in ("%Y-%m-%d", "%d.%m.%Y"):
            with suppress(ValueError):
                return datetime.strptime(self._text(column), form).replace(tzinfo=self.zone).date()
        return None

    def _time(self, column: str, day: date | None) -> datetime | None:
        """A full time, or an hour and minute of the service date; that the day is faulty is no fault of the time."""
        text = self._text(column)
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text if len(text) > 8 else f"{day or EARLIEST}T{text.zfill(5)}")
        except ValueError:
            self._fault(column, "NOT_A_TIME")
            return None
        if not EARLIEST <= moment.date() <= LATEST:
            self._fault(column, "NOT_OUR_TIME")
        return moment if moment.tzinfo else moment.replace(tzinfo=self.zone)
