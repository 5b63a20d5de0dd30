"""How figures are shown: amounts, rates, units, dates, in the reader's language."""

from __future__ import annotations

from decimal import Decimal
from textwrap import wrap
from typing import Any

from django import template
from django.utils.translation import gettext
from djmoney.money import Money

from config.figures import written
from config.money import from_minor, from_rate, from_units

register = template.Library()

SIGNS = {"UAH": "₴", "RUB": "₽", "EUR": "€", "USD": "$"}


@register.filter
def minor(value: int | None, currency: str = "UAH") -> str:
    """Minor units as an amount: -152000 -> «−1 520,00 ₴»."""
    return "—" if value is None else amount(from_minor(int(value)), currency)


@register.filter
def amount(value: Any, currency: str = "UAH") -> str:
    """A decimal or Money with 2 places and its sign."""
    if value is None or value == "":
        return "—"
    if isinstance(value, Money):
        value, currency = value.amount, str(value.currency)
    # The sign stays with its figure at the end of a line.
    return f"{written(Decimal(value), '#,##0.00')}\N{NO-BREAK SPACE}{SIGNS.get(currency, currency)}"


@register.filter
def rate(value: Any) -> str:
    """A unit rate: an integer is ten-thousandths; 2 to 4 places are shown."""
    if value is None:
        return "—"
    value = from_rate(value) if isinstance(value, int) else getattr(value, "amount", value)
    return written(Decimal(value), "#,##0.00##")


@register.filter
def units(value: Any) -> str:
    """Units of service: an integer is thousandths; up to 3 places are shown."""
    if value is None:
        return "—"
    value = from_units(value) if isinstance(value, int) else value
    return written(Decimal(value), "#,##0.###")


@register.filter
def iban(value: Any) -> str:
    """An account number in groups of four, as banks print it."""
    return " ".join(wrap(str(value or ""), 4))


@register.filter
def account(value: Any) -> str:
    """An account of a payee: a bank's in groups of four, one at Stripe as Stripe writes it."""
    return str(value) if str(value or "").startswith("acct_") else iban(value)


@register.filter
def sureness(confidence: int) -> str:
    """How sure a match of a bank record is, in words; from 80 on it is made without a person."""
    if confidence >= 80:
        return gettext("sure")
    return gettext("likely, a person confirms it") if confidence >= 60 else gettext("doubtful, a person decides")


@register.filter
def get(mapping: Any, key: Any) -> Any:
    """``mapping[key]`` in a template, empty when absent."""
    return mapping.get(key, "") if mapping else ""


@register.filter
def e4(value: int | None, currency: str = "UAH") -> str:
    """Ten-thousandths of a claim line, as it was written, as an amount."""
    return "—" if value is None else amount(from_rate(value), currency)


@register.filter
def taken(value: int | None, currency: str = "UAH") -> str:
    """What a step takes, given as a positive figure of minor units; 0 stays without a sign."""
    return minor(-value if value else value, currency)
