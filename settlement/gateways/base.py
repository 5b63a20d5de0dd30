"""The protocol of payment gateways and the plain values that cross it.

Amounts are Decimal with exactly 2 places. A gateway never touches the database and never reads a clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol


class GatewayError(ValueError):
    """What crosses the border is not fit for it; ``code`` names why, ``params`` hold the figures."""

    def __init__(self, code: str, **params: object) -> None:
        self.code = code
        self.params = params
        super().__init__(f"{code} {' '.join(f'{key}={value}' for key, value in params.items())}".strip())


class OutcomeUnknown(GatewayError):
    """Nobody knows whether the other side took the request: it is repeated with the same key, never called failed."""

    def __init__(self, reason: str) -> None:
        super().__init__("OUTCOME_UNKNOWN", reason=reason)


@dataclass(frozen=True)
class Party:
    """A payer or payee. ``tax_id``: ЄДРПОУ of an organisation, РНОКПП of a person; may be empty."""

    name: str
    tax_id: str = ""
    is_person: bool = False


@dataclass(frozen=True)
class PaymentInstruction:
    """One transfer. ``reference`` is our payment reference and becomes the end-to-end id."""

    reference: str
    debtor: Party
    debtor_account: str
    creditor: Party
    creditor_account: str
    amount: Decimal
    currency: str
    execution_date: date
    remittance: str = ""
    creditor_reference: str = ""


@dataclass(frozen=True)
class PaymentOrder:
    """What one payment run asks the bank to do. ``reference`` is unique for ever: the idempotency key."""

    reference: str
    initiator: Party
    created_at: datetime
    instructions: tuple[PaymentInstruction, ...]

    @property
    def total(self) -> Decimal:
        """Sum of the instructions, 2 places."""
        return sum((item.amount for item in self.instructions), Decimal("0.00"))


@dataclass(frozen=True)
class Submission:
    """What a gateway made of an order: its own reference and a file to hand over, if any."""

    reference: str
    file_name: str = ""
    content: bytes = b""
    content_type: str = ""


@dataclass(frozen=True)
class Finding:
    """Something wrong with a report, as data. ``severity`` is ``block`` or ``warn``; the page makes the
    sentence.
    """

    code: str
    severity: str
    params: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Balance:
    """A balance of the account, signed. ``code``: OPBD, PRCD, CLBD, ..."""

    code: str
    amount: Decimal
    currency: str
    on: date | None


@dataclass(frozen=True)
class EntryDetail:
    """One transfer inside an entry. ``amount`` is signed as the account sees it and may be absent in a
    batch.
    """

    amount: Decimal | None
    end_to_end_id: str = ""
    instruction_id: str = ""
    transaction_id: str = ""
    payment_information_id: str = ""
    counterparty: str = ""
    counterparty_account: str = ""
    remittance: str = ""
    creditor_reference: str = ""
    return_reason: str = ""


@dataclass(frozen=True)
class Entry:
    """One movement of the account: credit positive, debit negative.

    ``is_return``: money of an earlier transfer coming back. ``details_add_up``: every detail has an amount
    and they
    sum to the entry, so that each may be matched by itself.
    """

    index: int
    amount: Decimal
    currency: str
    booked: bool
    booked_on: date | None
    value_on: date | None
    bank_reference: str
    bank_code: str
    reversal: bool
    is_return: bool
    text: str
    details: tuple[EntryDetail, ...]
    details_add_up: bool
    batch_reference: str = ""


@dataclass(frozen=True)
class Statement:
    """One statement of one account with what was found wrong in it."""

    message: str
    identifier: str
    sequence: int | None
    created_at: datetime | None
    account: str
    currency: str
    balances: tuple[Balance, ...]
    entries: tuple[Entry, ...]
    findings: tuple[Finding, ...]

    @property
    def is_balanced(self) -> bool:
        """Whether nothing blocks: opening balance and booked entries give the closing balance."""
        return all(finding.severity != "block" for finding in self.findings)

    def balance(self, *codes: str) -> Balance | None:
        """The first balance that bears one of the codes, in the order of the codes."""
        by_code = {item.code: item for item in reversed(self.balances)}
        return next((by_code[code] for code in codes if code in by_code), None)


# ``unknown`` is no failure: the gateway cannot say, because only a statement will tell or nothing has arrived there.
UNKNOWN, PAID, RETURNED = "unknown", "paid", "returned"
STATUSES = frozenset({UNKNOWN, PAID, RETURNED})


class Gateway(Protocol):
    """How money leaves and how we learn what became of it."""

    code: str

    def submit(self, order: PaymentOrder) -> Submission:
        """Hand the order over. Idempotent: the same order gives the same submission and pays once.

        Raises: GatewayError when the order is refused (ORDER_REPEATED by a gateway that remembers another one under the
        same reference); OutcomeUnknown when the other side may or may not have taken it.
        """

    def status(self, order: PaymentOrder) -> dict[str, str]:
        """What is known of each payment by its reference, one of STATUSES. Changes nothing on the other side.

        Raises: OutcomeUnknown when the other side does not answer.
        """

    def read_report(self, content: bytes) -> tuple[Statement, ...]:
        """What the other side reports. Raises: GatewayError when it cannot be read at all."""


# What pain.001.001.09 can hold: amounts and control sums of 18 digits with the two of kopiykas, NbOfTxs of 15 digits.
MAX_AMOUNT = Decimal("9999999999999999.99")
MAX_TRANSFERS = 10**15 - 1


def check_order(order: PaymentOrder) -> None:
    """Refuse what no bank would take, the same for every gateway. Raises: GatewayError."""
    if not order.instructions:
        raise GatewayError("ORDER_EMPTY", reference=order.reference)
    if len(order.instructions) > MAX_TRANSFERS:
        count = len(order.instructions)
        raise GatewayError("TOO_MANY_TRANSFERS", reference=order.reference, count=count, limit=MAX_TRANSFERS)
    _check_references(item.reference for item in order.instructions)
    for item in order.instructions:
        if not item.amount.is_finite() or item.amount <= 0 or item.amount.as_tuple().exponent != -2:
            raise GatewayError("AMOUNT_INVALID", reference=item.reference, amount=item.amount)
        if item.amount > MAX_AMOUNT:
            raise GatewayError("AMOUNT_TOO_LARGE", reference=item.reference, amount=item.amount, limit=MAX_AMOUNT)
    if order.total > MAX_AMOUNT:
        raise GatewayError("TOTAL_TOO_LARGE", reference=order.reference, amount=order.total, limit=MAX_AMOUNT)


def _check_references(references: Iterable[str]) -> None:
    seen: set[str] = set()
    for reference in references:
        if not reference or reference in seen:
            raise GatewayError("REFERENCE_REPEATED" if reference else "REFERENCE_EMPTY", reference=reference)
        seen.add(reference)
