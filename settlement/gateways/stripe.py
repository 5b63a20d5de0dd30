"""Payments to providers as transfers of Stripe, for providers that have a connected account there.

A transfer is carried out at once or refused; its reversal comes as an event. Keys of Stripe are forgotten after some
days, so what is already there is asked for before anything is sent.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from config.money import from_minor, to_minor
from settlement.gateways.base import (
    PAID,
    RETURNED,
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
from settlement.gateways.stripe_client import client, reading_errors


class StripeGateway:
    """One transfer for each instruction; ``creditor_account`` is the provider's connected account."""

    code = "stripe"

    def submit(self, order: PaymentOrder) -> Submission:
        """Send what is not there yet. Raises: GatewayError, OutcomeUnknown (then submit again)."""
        _check(order)
        known = self._known(order)
        for item in order.instructions:
            if item.reference not in known:
                known[item.reference] = self._send(order, item)
            elif _shape(known[item.reference]) != _wanted(item):
                raise GatewayError("ORDER_REPEATED", reference=item.reference)
        rows = [
            _row(reference, known[reference]) for reference in sorted(item.reference for item in order.instructions)
        ]
        content = json.dumps({"order": order.reference, "transfers": rows}, ensure_ascii=False).encode()
        return Submission(order.reference, f"{order.reference}.json", content, "application/json")

    def status(self, order: PaymentOrder) -> dict[str, str]:
        """What Stripe knows of each payment."""
        known = self._known(order)
        return {item.reference: _status(known.get(item.reference)) for item in order.instructions}

    def read_report(self, content: bytes) -> tuple[Statement, ...]:
        """Read a list of transfers as the interface of Stripe gives it. Raises: GatewayError."""
        try:
            rows = json.loads(content)["data"]
            entries = [entry for row in rows for entry in _entries(row)]
        except (ValueError, KeyError, TypeError) as error:
            raise GatewayError("UNREADABLE_REPORT") from error
        currency = entries[0].currency if entries else ""
        return (Statement("stripe.transfers", "", None, None, "", currency, (), tuple(entries), ()),)

    def _known(self, order: PaymentOrder) -> dict[str, Any]:
        with reading_errors():
            found = client().v1.transfers.list({"transfer_group": _group(order), "limit": 100})
            return {row.metadata["reference"]: row.to_dict() for row in found.auto_paging_iter()}

    def _send(self, order: PaymentOrder, item: PaymentInstruction) -> Any:
        with reading_errors():
            made = client().v1.transfers.create(
                {
                    "amount": to_minor(item.amount),
                    "currency": item.currency.lower(),
                    "destination": item.creditor_account,
                    "transfer_group": _group(order),
                    "metadata": {"reference": item.reference, "payer": item.debtor_account},
                },
                {"idempotency_key": f"transfer:{item.debtor_account}:{item.reference}"},
            )
            return made.to_dict()


def _check(order: PaymentOrder) -> None:
    check_order(order)
    for item in order.instructions:
        if not item.creditor_account.startswith("acct_"):
            raise GatewayError("ACCOUNT_INVALID", account=item.creditor_account)


def _group(order: PaymentOrder) -> str:
    # Numbers of orders are unique in one office only; several offices may share an account of Stripe.
    return f"{order.instructions[0].debtor_account}/{order.reference}" if order.instructions else order.reference


def _shape(row: dict[str, Any]) -> tuple[int, str, str]:
    return row["amount"], row["currency"], row["destination"]


def _wanted(item: PaymentInstruction) -> tuple[int, str, str]:
    return to_minor(item.amount), item.currency.lower(), item.creditor_account


def _row(reference: str, row: dict[str, Any]) -> dict[str, Any]:
    return {"reference": reference, "transfer": row["id"], "amount": row["amount"], "account": row["destination"]}


def _status(row: dict[str, Any] | None) -> str:
    if row is None:
        return UNKNOWN
    return RETURNED if row["reversed"] else PAID


def _entries(row: dict[str, Any]) -> list[Entry]:
    paid = _entry(row, -from_minor(row["amount"]), returned=False)
    return [paid, _entry(row, from_minor(row["amount"]), returned=True)] if row["reversed"] else [paid]


def _entry(row: dict[str, Any], amount: Decimal, *, returned: bool) -> Entry:
    detail = EntryDetail(amount, end_to_end_id=row["metadata"]["reference"], counterparty_account=row["destination"])
    return Entry(
        index=1,
        amount=amount,
        currency=row["currency"].upper(),
        booked=True,
        booked_on=None,
        value_on=None,
        bank_reference=row["id"],
        bank_code="",
        reversal=returned,
        is_return=returned,
        text="",
        details=(detail,),
        details_add_up=True,
    )
