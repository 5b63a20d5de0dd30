"""Tolerant reader of bank statements as tables (CSV), whose columns a person has named once.

Encoding UTF-8 or Windows-1251; the separator is found; lines of text above the headings are passed over.
Money: Decimal; credit positive, debit negative.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from config.money import read_number
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

    Findings: AMOUNT_UNREADABLE, DATE_UNREADABLE, BALANCE_MISMATCH (block), BALANCE_MISSING.
    Raises: GatewayError TOO_LARGE, NOT_A_TABLE, COLUMN_MISSING.
    """
    if len(content) > max_bytes:
        raise GatewayError("TOO_LARGE", size=len(content), limit=max_bytes)
    headings = headings_of(content)
    places = _places(headings, columns)
    rows = _body(content, headings)
    if len(rows) > MAX_ENTRIES:
        raise GatewayError("TOO_LARGE", size=len(rows), limit=MAX_ENTRIES)
    read = _Table(places, currency)
    for number, row in enumerate(rows, 1):
        read.add(row, number)
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
    text = decoded(content)
    lines = text.splitlines()[:_HEADING_LINES]
    separator = max(_SEPARATORS, key=lambda sign: max((line.count(sign) for line in lines), default=0))
    csv.field_size_limit(1_000_000)
    try:
        return [row for row in csv.reader(io.StringIO(text), delimiter=separator) if _filled(row)]
    except csv.Error as error:
        raise GatewayError("NOT_A_TABLE") from error


def _filled(row: Sequence[str]) -> list[str]:
    return [cell for cell in row if cell.strip()]


def _body(content: bytes, headings: Sequence[str]) -> list[list[str]]:
    rows = _rows(content)
    names = list(headings)
    first = next(at for at, row in enumerate(rows) if [" ".join(cell.split()) for cell in row] == names)
    return rows[first + 1 :]


def _places(headings: Sequence[str], columns: Mapping[str, str]) -> dict[str, int]:
    known = [name.casefold() for name in headings]
    missing = [name for name in columns.values() if name.casefold() not in known]
    if missing:
        raise GatewayError("COLUMN_MISSING", column=missing[0])
    return {field: known.index(name.casefold()) for field, name in columns.items()}


class _Table:
    """Entries of a table while its rows are read."""

    def __init__(self, places: Mapping[str, int], currency: str) -> None:
        self.places = places
        self.currency = currency
        self.entries: list[Entry] = []
        self.findings: list[Finding] = []
        self.after: list[Decimal | None] = []

    def add(self, row: Sequence[str], number: int) -> None:
        day = _day(self._cell(row, "date"))
        try:
            amount = self._amount(row)
        except ValueError:
            amount = None
        # Text below the table has neither day nor sum; a line of totals has sums, and tells of nobody and nothing.
        if day is None and (not amount or not any(self._cell(row, field) for field in ("name", "account", "text"))):
            return
        if day is None or amount is None:
            code = "DATE_UNREADABLE" if day is None else "AMOUNT_UNREADABLE"
            self.findings.append(Finding(code, "block", {"entry": str(number)}))
            return
        if amount:
            self.entries.append(self._entry(row, len(self.entries) + 1, day, amount))
            self.after.append(self._balance(row))

    def _cell(self, row: Sequence[str], field: str) -> str:
        place = self.places.get(field)
        return row[place].strip() if place is not None and place < len(row) else ""

    def _amount(self, row: Sequence[str]) -> Decimal | None:
        """Signed; None when no cell has a sum. Raises: ValueError."""
        if "amount" in self.places:
            text = self._cell(row, "amount")
            return read_number(text) if text else None
        credit, debit = self._cell(row, "credit"), self._cell(row, "debit")
        if not credit and not debit:
            return None
        return (read_number(credit) if credit else Decimal(0)) - abs(read_number(debit) if debit else Decimal(0))

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
            currency=self._cell(row, "currency") or self.currency,
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


def _day(text: str) -> date | None:
    day = text.strip().split("T")[0].split(" ")[0]
    for form in _DAYS:
        try:
            return datetime.strptime(day, form).date()  # noqa: DTZ007  a day has no zone
        except ValueError:
            continue
    return None
