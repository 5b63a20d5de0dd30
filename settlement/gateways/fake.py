"""A gateway in memory for tests of what stands above gateways. It passes the same contract test as the real
one.
"""

from __future__ import annotations

import json
from decimal import Decimal

from settlement.gateways.base import (
    PAID,
    UNKNOWN,
    Entry,
    EntryDetail,
    GatewayError,
    PaymentInstruction,
    PaymentOrder,
    Statement,
    Submission,
    check_order,
)


class FakeGateway:
    """Remembers orders; ``report`` answers them as a bank would, ``fail_with`` makes the next submission
    fail.
    """

    code = "fake"

    def __init__(self) -> None:
        self.orders: dict[str, PaymentOrder] = {}
        self.fail_with: GatewayError | None = None

    def submit(self, order: PaymentOrder) -> Submission:
        """Remember the order once. Raises: GatewayError, also when another order bears the same reference."""
        if self.fail_with is not None:
            error, self.fail_with = self.fail_with, None
            raise error
        check_order(order)
        if self.orders.setdefault(order.reference, order) != order:
            raise GatewayError("ORDER_REPEATED", reference=order.reference)
        rows = [_row(item) for item in order.instructions]
        content = json.dumps({"order": order.reference, "payments": rows}, ensure_ascii=False).encode()
        return Submission(order.reference, f"{order.reference}.json", content, "application/json")

    def status(self, order: PaymentOrder) -> dict[str, str]:
        """Paid once the order is here."""
        known = PAID if order.reference in self.orders else UNKNOWN
        return {item.reference: known for item in order.instructions}

    def read_report(self, content: bytes) -> tuple[Statement, ...]:
        """Read a report made by ``report``. Raises: GatewayError."""
        try:
            rows = json.loads(content)["payments"]
        except (ValueError, KeyError, TypeError) as error:
            raise GatewayError("UNREADABLE_REPORT") from error
        return (_statement(rows),)

    @staticmethod
    def report(submission: Submission) -> bytes:
        """What the other side would say: every payment of the submission carried out."""
        return submission.content


def _row(item: PaymentInstruction) -> dict[str, str]:
    return {
        "reference": item.reference,
        "amount": str(item.amount),
        "currency": item.currency,
        "account": item.creditor_account,
        "debtor": item.debtor_account,
    }


def _statement(rows: list[dict[str, str]]) -> Statement:
    account, currency = (rows[0]["debtor"], rows[0]["currency"]) if rows else ("", "")
    entries = tuple(_entry(index, row) for index, row in enumerate(rows, 1))
    return Statement("fake", "fake", None, None, account, currency, (), entries, ())


def _entry(index: int, row: dict[str, str]) -> Entry:
    amount = -Decimal(row["amount"])
    detail = EntryDetail(amount, end_to_end_id=row["reference"], counterparty_account=row["account"])
    return Entry(
        index=index,
        amount=amount,
        currency=row["currency"],
        booked=True,
        booked_on=None,
        value_on=None,
        bank_reference=str(index),
        bank_code="",
        reversal=False,
        is_return=False,
        text="",
        details=(detail,),
        details_add_up=True,
    )
