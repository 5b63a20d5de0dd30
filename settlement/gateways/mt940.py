"""Tolerant reader of MT940 statements (SWIFT customer statement message), as banks and treasuries really write them.

Tags in any order after :20:, envelopes {1:}{2:}{4:…-} or none, UTF-8 or Windows-1251, free or ?NN-structured :86:.
Money: Decimal; credit positive, debit negative; RC reverses a credit, RD a debit.
Source: docs/legal.md, SWIFT category 9 MT 940.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation

from settlement.gateways.base import Balance, Entry, EntryDetail, Finding, GatewayError, Statement
from settlement.gateways.camt import MAX_ENTRIES
from settlement.gateways.identifiers import find_creditor_references
from settlement.gateways.tables import decoded
from settlement.gateways.xml_tools import MAX_BYTES

FORMAT = "MT940"
_TAG = re.compile(r"^:(\d{2}[A-Z]?):", re.MULTILINE)
_BALANCE = re.compile(r"([CD])(\d{6})([A-Z]{3})([\d,.]+)")
_LINE = re.compile(r"(\d{6})(\d{4})?(R?[CD])([A-Z])?([\d,.]+)([A-Z][A-Z0-9]{3})?([^\n]*)(?:\n(.*))?", re.DOTALL)
_PART = re.compile(r"\?(\d\d)")
# Parts of :86:: purpose, the other side's bank and account, its name.
_PURPOSE = {*(f"{number}" for number in range(20, 30)), *(f"{number}" for number in range(60, 64))}
_E2E = re.compile(r"(?:EREF|/EREF/|E2E:?)[+/ ]*([^/+\s?]{1,35})")
_RETURNS = {"NRTI", "NRTN", "FRTI", "NRET"}
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}[A-Z0-9]{11,30}\b")


def is_mt940(content: bytes) -> bool:
    """Whether a file looks like one: it names an account and an opening balance by their tags."""
    head = content[:20_000]
    return b":25:" in head and (b":60F:" in head or b":60M:" in head)


def read_mt940(content: bytes, *, max_bytes: int = MAX_BYTES) -> tuple[Statement, ...]:
    """Every statement of a file; pages of one statement number (:28C: n/1, n/2) are put together.

    Findings: BALANCE_MISMATCH (block), BALANCE_MISSING, AMOUNT_UNREADABLE (block). Raises: GatewayError TOO_LARGE,
    NOT_A_STATEMENT.
    """
    if len(content) > max_bytes:
        raise GatewayError("TOO_LARGE", size=len(content), limit=max_bytes)
    found: dict[tuple[str, str], _Reading] = {}
    for tags in _messages(decoded(content)):
        reading = _Reading(tags)
        known = found.setdefault((reading.account, reading.key), reading)
        known.read(tags)
    if not found:
        raise GatewayError("NOT_A_STATEMENT")
    return tuple(reading.statement() for reading in found.values())


def _messages(text: str) -> Iterator[list[tuple[str, str]]]:
    """Tags with their texts, a list for each message."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    parts = _TAG.split(plain)
    tags: list[tuple[str, str]] = []
    for name, value in zip(parts[1::2], parts[2::2], strict=True):
        if name == "20" and tags:
            yield tags
            tags = []
        tags.append((name, re.split(r"\n-\}?|\n\{", value)[0].strip("\n")))
    if any(name == "25" for name, _value in tags):
        yield tags


class _Reading:
    """One statement while its messages are read."""

    def __init__(self, tags: list[tuple[str, str]]) -> None:
        values = dict(reversed(tags))
        self.account = _account(values.get("25", ""))
        self.reference = values.get("20", "").strip()
        number = values.get("28C", values.get("28", "")).strip()
        self.sequence = int(number.split("/")[0]) if number.split("/")[0].isdecimal() else None
        opening = _BALANCE.match(next((values[name] for name in ("60F", "60M") if name in values), ""))
        self.day = opening[2] if opening else ""
        # A number begins anew each year, so that it names a statement only together with its day.
        self.key = f"{number.split('/')[0] or self.reference}-{self.day[:2]}"
        self.balances: dict[str, Balance] = {}
        self.entries: list[Entry] = []
        self.findings: list[Finding] = []

    def read(self, tags: list[tuple[str, str]]) -> None:
        for position, (name, value) in enumerate(tags):
            if name in ("60F", "60M"):
                self.balances.setdefault("OPBD", self._balance("OPBD", value))
            elif name in ("62F", "62M"):
                self.balances["CLBD"] = self._balance("CLBD", value)
            elif name == "61":
                follows = tags[position + 1] if position + 1 < len(tags) else ("", "")
                self._add(value, follows[1] if follows[0] == "86" else "")

    def _balance(self, code: str, value: str) -> Balance:
        found = _BALANCE.match(value.strip())
        if found is None:
            self.findings.append(Finding("AMOUNT_UNREADABLE", "block", {"entry": code}))
            return Balance(code, Decimal(0), "", None)
        amount = _amount(found[4]) * (1 if found[1] == "C" else -1)
        return Balance(code, amount, found[3], _day(found[2]))

    def _add(self, value: str, about: str) -> None:
        if len(self.entries) >= MAX_ENTRIES:
            raise GatewayError("TOO_LARGE", size=len(self.entries), limit=MAX_ENTRIES)
        index = len(self.entries) + 1
        found = _LINE.match(value)
        try:
            if found is None:
                raise InvalidOperation
            self.entries.append(_entry(found, about, index, self.currency))
        except InvalidOperation:
            self.findings.append(Finding("AMOUNT_UNREADABLE", "block", {"entry": str(index)}))

    @property
    def currency(self) -> str:
        return next((item.currency for item in self.balances.values() if item.currency), "")

    def statement(self) -> Statement:
        self._check_balance()
        return Statement(
            message=FORMAT,
            identifier=f"{self.key}-{self.reference}"[:70],
            sequence=self.sequence,
            created_at=None,
            account=self.account,
            currency=self.currency,
            balances=tuple(self.balances.values()),
            entries=tuple(self.entries),
            findings=tuple(self.findings),
        )

    def _check_balance(self) -> None:
        opening, closing = self.balances.get("OPBD"), self.balances.get("CLBD")
        if opening is None or closing is None:
            self.findings.append(Finding("BALANCE_MISSING", "warn"))
            return
        booked = sum((entry.amount for entry in self.entries), Decimal(0))
        difference = closing.amount - opening.amount - booked
        if difference:
            figures = {"opening": opening.amount, "booked": booked, "closing": closing.amount, "difference": difference}
            params = {name: str(value) for name, value in figures.items()}
            self.findings.append(Finding("BALANCE_MISMATCH", "block", params))


def _account(text: str) -> str:
    """The IBAN where there is one, else what stands behind the bank's code and a slash."""
    plain = text.replace(" ", "").strip()
    found = _IBAN.search(plain)
    return found[0] if found else plain.rpartition("/")[2]


def _entry(found: re.Match[str], about: str, index: int, currency: str) -> Entry:
    reversal = found[3].startswith("R")
    credit = found[3].endswith("C") != reversal
    amount = _amount(found[5]) * (1 if credit else -1)
    ours, _slashes, banks = (found[7] or "").strip().partition("//")
    code = found[6] or ""
    detail = _detail(amount, ours, about or (found[8] or ""))
    value_on = _day(found[1])
    return Entry(
        index=index,
        amount=amount,
        currency=currency,
        booked=True,
        booked_on=_booked_on(found[2], value_on),
        value_on=value_on,
        bank_reference=banks.strip(),
        bank_code=code,
        reversal=reversal,
        is_return=reversal or code in _RETURNS or bool(detail.return_reason),
        text=detail.remittance,
        details=(detail,),
        details_add_up=True,
    )


def _detail(amount: Decimal, ours: str, about: str) -> EntryDetail:
    parts = _parts(about)
    remittance = " ".join("".join(parts.get(key, "") for key in sorted(_PURPOSE)).split()) or " ".join(about.split())
    accounts = _IBAN.findall(parts.get("31", "") or parts.get("38", "") or about.replace("\n", ""))
    named = _E2E.search(about.replace("\n", ""))
    found = find_creditor_references(remittance)
    reason = re.search(r"/RTRN?/(\w{4})", about)
    return EntryDetail(
        amount=amount,
        end_to_end_id=named[1] if named else "" if ours.upper() in ("NONREF", "NOTPROVIDED") else ours,
        counterparty=" ".join((parts.get("32", "") + parts.get("33", "")).split()),
        counterparty_account=accounts[0] if accounts else "",
        remittance=remittance,
        creditor_reference=found[0] if found else "",
        return_reason=reason[1] if reason else "",
    )


def _parts(about: str) -> dict[str, str]:
    """Parts ?20, ?21, … of a structured text; none when it is free."""
    pieces = _PART.split(about.replace("\n", ""))
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


def _amount(text: str) -> Decimal:
    """Raises: InvalidOperation."""
    return Decimal(text.replace(",", ".").rstrip(".") or "x")


def _day(text: str) -> date | None:
    try:
        return date(2000 + int(text[:2]), int(text[2:4]), int(text[4:6]))
    except ValueError:
        return None


def _booked_on(text: str | None, value_on: date | None) -> date | None:
    """A booking day has no year: it is the one nearest to the value day."""
    if not text or value_on is None:
        return value_on
    days = [_day(f"{year % 100:02d}{text}") for year in (value_on.year - 1, value_on.year, value_on.year + 1)]
    return min((day for day in days if day), key=lambda day: abs(day - value_on), default=value_on)
