"""Tolerant reader of bank statements as tables (CSV), whose columns a person has named once.

Encoding UTF-8 or Windows-1251; the separator is found; lines of text above the headings are passed over.
Money: Decimal; credit positive, debit negative.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from moneyed import CurrencyDoesNotExist, get_currency

from config.money import read_number, to_minor
from settlement.gateways.base import Balance, Entry, EntryDetail, Finding, GatewayError, Statement
from settlement.gateways.camt import MAX_ENTRIES
from settlement.gateways.identifiers import find_creditor_references
from settlement.gateways.xml_tools import MAX_BYTES

FORMAT = "CSV"
# What a column can mean. A sum stands in one signed column or in two.
FIELDS = (
    "date",
    "amount",
    "debit",
    "credit",
    "name",
    "account",
    "text",
    "end_to_end",
    "bank_reference",
    "currency",
    "balance",
)
_DAYS = ("%d.%m.%Y", "%Y-%m-%d", "%d/%m/%Y", "%Y%m%d", "%d.%m.%y", "%d-%m-%Y")
_SPELLED = {"ГРН": "UAH", "\N{HRYVNIA SIGN}": "UAH"}
# A cell that was meant as a day, whether it is one or not.
_LIKE_A_DAY = re.compile(r"\d{1,4}\s*[./-]\s*\d|\d{6,8}\b|\d{1,2}\s+[^\W\d]{3,}\.?\s+\d{4}")
_SEPARATORS = ";,\t|"
_HEADING_LINES = 30


def decoded(content: bytes) -> str:
    """Text of a file that does not say its encoding."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1251", errors="replace")


def headings_of(content: bytes) -> list[str]:
    """The headings of a table: the first of the widest rows at its beginning. Raises: GatewayError NOT_A_TABLE."""
    rows = _rows(content[:200_000])[:_HEADING_LINES]
    widest = max((len(_filled(row)) for row in rows), default=0)
    if widest < 3:
        raise GatewayError("NOT_A_TABLE")
    heading = next(row for row in rows if len(_filled(row)) == widest)
    return [" ".join(cell.split()) for cell in heading]


def fingerprint(headings: Sequence[str]) -> str:
    """By it the next table of the same bank is recognised."""
    return hashlib.sha256("\0".join(name.casefold() for name in headings).encode()).hexdigest()


def read_table(
    content: bytes, *, columns: Mapping[str, str], account: str, currency: str, max_bytes: int = MAX_BYTES
) -> Statement:
    """A table as a statement of ``account``; ``columns`` gives the heading of each field of FIELDS that it has.

    Findings: ROW_SUM_UNREADABLE, ROW_DAY_UNREADABLE, BALANCE_MISMATCH (block), ROW_PASSED_OVER, BALANCE_MISSING.
    Raises: GatewayError TOO_LARGE, NOT_A_TABLE, COLUMN_MISSING, NO_ROWS, NO_READABLE_ROW.
    """
    if len(content) > max_bytes:
        raise GatewayError("TOO_LARGE", size=len(content), limit=max_bytes)
    headings = headings_of(content)
    read = _Table(headings, columns, currency)
    rows = _body(content, headings)
    if len(rows) > MAX_ENTRIES:
        raise GatewayError("TOO_LARGE", size=len(rows), limit=MAX_ENTRIES)
    for number, row in rows:
        read.add(row, number)
    read.refuse_nothing()
    return Statement(
        message=FORMAT,
        identifier=f"CSV-{hashlib.sha256(content).hexdigest()[:16]}",
        sequence=None,
        created_at=None,
        account=account,
        currency=currency,
        balances=read.balances(),
        entries=tuple(read.entries),
        findings=tuple(read.findings),
    )


def _rows(content: bytes) -> list[list[str]]:
    return [row for _number, row in _numbered(content)]


def _numbered(content: bytes) -> list[tuple[int, list[str]]]:
    """Rows that hold something, with the number of the line of the file where each ends."""
    text = decoded(content)
    lines = text.splitlines()[:_HEADING_LINES]
    separator = max(_SEPARATORS, key=lambda sign: max((line.count(sign) for line in lines), default=0))
    csv.field_size_limit(1_000_000)
    try:
        reader = csv.reader(io.StringIO(text), delimiter=separator)
        return [(reader.line_num, row) for row in reader if _filled(row)]
    except csv.Error as error:
        raise GatewayError("NOT_A_TABLE") from error


def _filled(row: Sequence[str]) -> list[str]:
    return [cell for cell in row if cell.strip()]


def _body(content: bytes, headings: Sequence[str]) -> list[tuple[int, list[str]]]:
    rows = _numbered(content)
    names = list(headings)
    first = next(at for at, (_number, row) in enumerate(rows) if [" ".join(cell.split()) for cell in row] == names)
    return rows[first + 1 :]


def _places(headings: Sequence[str], columns: Mapping[str, str]) -> dict[str, int]:
    known = [name.casefold() for name in headings]
    missing = [name for name in columns.values() if name.casefold() not in known]
    if missing:
        raise GatewayError("COLUMN_MISSING", column=missing[0])
    return {field: known.index(name.casefold()) for field, name in columns.items()}


class _Table:
    """Entries of a table while its rows are read."""

    def __init__(self, headings: Sequence[str], columns: Mapping[str, str], currency: str) -> None:
        self.headings = list(headings)
        self.columns = columns
        self.places = _places(headings, columns)
        self.currency = currency
        self.entries: list[Entry] = []
        self.findings: list[Finding] = []
        self.after: list[Decimal | None] = []

    def add(self, row: Sequence[str], number: int) -> None:
        """An entry, what cannot be read of the row, or that it was passed over: no row vanishes."""
        day, wrong, amount = _day(self._cell(row, "date")), False, None
        try:
            amount = self._amount(row)
        except ValueError:
            wrong = True
        if self._is_beside(row, day, None if wrong else amount or Decimal(0)):
            self._found("ROW_PASSED_OVER", "warn", number, "", " ".join(_filled(row))[:80])
            return
        if day is None:
            self._found("ROW_DAY_UNREADABLE", "block", number, self.columns["date"], self._cell(row, "date"))
        if amount is None:
            self._found("ROW_SUM_UNREADABLE", "block", number, *self._bad_sum(row))
        if day and amount:
            self.entries.append(self._entry(row, len(self.entries) + 1, day, amount))
            self.after.append(self._balance(row))

    def refuse_nothing(self) -> None:
        """Raises: GatewayError NO_ROWS, NO_READABLE_ROW (with what is wrong in the first one)."""
        if self.entries:
            return
        wrong = next((item for item in self.findings if item.severity == "block"), None)
        raise GatewayError("NO_READABLE_ROW", **wrong.params) if wrong else GatewayError("NO_ROWS")

    def _is_beside(self, row: Sequence[str], day: date | None, amount: Decimal | None) -> bool:
        """Whether a row moves no money: headings told again, a text or totals below the table, a sum of nought.

        ``amount``: nought where no cell has a sum, None where one cannot be read.
        """
        if [" ".join(cell.split()) for cell in row] == self.headings:
            return True
        if day is not None:
            return amount == 0 and any(text for _heading, text in self._sums(row))
        if amount is None or _LIKE_A_DAY.match(self._cell(row, "date")):
            return False
        # A line of totals has sums, and tells of nobody and nothing.
        return not amount or not any(self._cell(row, field) for field in ("name", "account", "text"))

    def _found(self, code: str, severity: str, number: int, column: str, value: str) -> None:
        self.findings.append(
            Finding(code, severity, {"row": str(number), "column": column, "value": value[:80] or "\N{EM DASH}"})
        )

    def _sums(self, row: Sequence[str]) -> list[tuple[str, str]]:
        """Headings and texts of the cells that can hold the sum."""
        fields = ("amount",) if "amount" in self.places else ("debit", "credit")
        return [(self.columns[field], self._cell(row, field)) for field in fields if field in self.places]

    def _bad_sum(self, row: Sequence[str]) -> tuple[str, str]:
        """The cell that is no sum; of a row without any the columns where one was looked for."""
        for heading, text in self._sums(row):
            if text and not _is_sum(text):
                return heading, text
        return ", ".join(heading for heading, _text in self._sums(row)), ""

    def _cell(self, row: Sequence[str], field: str) -> str:
        place = self.places.get(field)
        return row[place].strip() if place is not None and place < len(row) else ""

    def _amount(self, row: Sequence[str]) -> Decimal | None:
        """Signed; None when no cell has a sum. Raises: ValueError."""
        if "amount" in self.places:
            text = self._cell(row, "amount")
            return _sum(text) if text else None
        credit, debit = self._cell(row, "credit"), self._cell(row, "debit")
        if not credit and not debit:
            return None
        return (_sum(credit) if credit else Decimal(0)) - abs(_sum(debit) if debit else Decimal(0))

    def _balance(self, row: Sequence[str]) -> Decimal | None:
        try:
            return read_number(self._cell(row, "balance"))
        except ValueError:
            return None

    def _entry(self, row: Sequence[str], index: int, day: date, amount: Decimal) -> Entry:
        text = self._cell(row, "text")
        found = find_creditor_references(text)
        detail = EntryDetail(
            amount=amount,
            end_to_end_id=self._cell(row, "end_to_end"),
            counterparty=self._cell(row, "name"),
            counterparty_account=self._cell(row, "account").replace(" ", ""),
            remittance=text,
            creditor_reference=found[0] if found else "",
        )
        return Entry(
            index=index,
            amount=amount,
            currency=_code(self._cell(row, "currency")) or self.currency,
            booked=True,
            booked_on=day,
            value_on=day,
            bank_reference=self._cell(row, "bank_reference"),
            bank_code="",
            reversal=False,
            is_return=False,
            text=text,
            details=(detail,),
            details_add_up=True,
        )

    def balances(self) -> tuple[Balance, ...]:
        """Opening and closing balance from the running one, in whichever direction the table runs."""
        if not self.entries or any(after is None for after in self.after):
            self.findings.append(Finding("BALANCE_MISSING", "warn"))
            return ()
        after = [value for value in self.after if value is not None]
        amounts = [entry.amount for entry in self.entries]
        down = all(b - a == amount for a, b, amount in zip(after, after[1:], amounts[1:], strict=False))
        up = all(a - b == amount for a, b, amount in zip(after, after[1:], amounts, strict=False))
        first, last = (0, -1) if down else (-1, 0)
        opening, closing = after[first] - amounts[first], after[last]
        if not down and not up:
            figures = {"opening": opening, "booked": sum(amounts), "closing": closing}
            figures["difference"] = closing - opening - sum(amounts)
            params = {name: str(value) for name, value in figures.items()}
            self.findings.append(Finding("BALANCE_MISMATCH", "block", params))
        days = [entry.booked_on for entry in self.entries]
        return (
            Balance("OPBD", opening, self.currency, days[first]),
            Balance("CLBD", closing, self.currency, days[last]),
        )


def _code(text: str) -> str:
    """The ISO 4217 code that a cell means, told by letters, by its number or as people write it; else its text."""
    plain = text.upper().rstrip(".")
    try:
        return str(get_currency(iso=plain)) if plain.isdecimal() else _SPELLED.get(plain, plain)
    except CurrencyDoesNotExist:
        return plain


def _sum(text: str) -> Decimal:
    """Money of two places. Raises: ValueError."""
    amount = read_number(text)
    to_minor(amount)
    return amount


def _is_sum(text: str) -> bool:
    try:
        _sum(text)
    except ValueError:
        return False
    return True


def _day(text: str) -> date | None:
    day = text.strip().split("T")[0].split(" ")[0]
    for form in _DAYS:
        try:
            return datetime.strptime(day, form).date()  # noqa: DTZ007  a day has no zone
        except ValueError:
            continue
    return None
