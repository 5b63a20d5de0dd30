"""Amounts with their currency, as money columns take them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from djmoney.money import Money


def money(amount: Decimal, currency: str) -> Any:
    """An amount for a MoneyField; typed Any because the field's stubs know of plain decimals only."""
    return Money(amount, currency)


def money_or_none(amount: Decimal | None, currency: str) -> Any:
    """The same, where the column may be empty."""
    return None if amount is None else Money(amount, currency)
