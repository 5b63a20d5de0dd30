"""What the value of a parameter may look like: told by its unit and by the values that the key has had."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from config.money import read_number

# Units in which only whole numbers count, whatever values were loaded.
WHOLE_UNITS = frozenset(
    {"persons", "days", "calendar days", "working days", "months", "years", "residents", "vouchers/year"}
    | {"tries", "rounds", "redemptions", "minutes", "bits", "unit", "sections", "criteria"}
)
_WHOLE = re.compile(r"[0-9]{1,12}")
_MONTH_DAY = re.compile(r"[0-9]{2}-[0-9]{2}")
# No exponents: nobody means them.
_FIGURES = re.compile(r"[0-9\s.,'\u2019]+")
# Any leap year: 29 February is a day of the year.
_LEAP = 2024


class Shape(StrEnum):
    """Kinds of values."""

    FLAG = "flag"
    CHOICE = "choice"
    MONTH_DAY = "month_day"
    WHOLE = "whole"
    DECIMAL = "decimal"
    LIST = "list"
    TEXT = "text"


@dataclass(frozen=True)
class ValueShape:
    """The kind, and for a choice the values among which to choose."""

    kind: Shape
    options: tuple[str, ...] = ()


def shape_of(unit: str, known: Collection[str]) -> ValueShape:
    """The shape of a key from its unit and the values known of it."""
    if unit == "boolean":
        return ValueShape(Shape.FLAG, ("true", "false"))
    if known and all(_MONTH_DAY.fullmatch(value) for value in known):
        return ValueShape(Shape.MONTH_DAY)
    if known and all(_is_number(value) for value in known):
        whole = unit in WHOLE_UNITS and all(_WHOLE.fullmatch(value) for value in known)
        return ValueShape(Shape.WHOLE if whole else Shape.DECIMAL)
    if known and all(_is_list(value) for value in known):
        return ValueShape(Shape.LIST)
    if unit == "method":
        return ValueShape(Shape.CHOICE, tuple(sorted(known)))
    return ValueShape(Shape.TEXT)


def read_value(shape: ValueShape, text: str) -> str:
    """The value as it is kept: a point before the fraction, no spaces in figures.

    Raises: ValueError for what has another shape, and for numbers below zero.
    Example: "1 234,50" of a decimal key is "1234.50"; "31.12" of a day of the year is "12-31".
    """
    plain = text.strip()
    if not plain:
        raise ValueError(text)
    if shape.kind is Shape.MONTH_DAY:
        return _month_day(plain)
    if shape.kind is Shape.LIST:
        return ",".join(_number(item) for item in re.split(r"[,;]", plain))
    if shape.kind in (Shape.WHOLE, Shape.DECIMAL):
        number = _number(plain)
        if shape.kind is Shape.WHOLE and not _WHOLE.fullmatch(number):
            raise ValueError(text)
        return number
    if shape.options and plain not in shape.options:
        raise ValueError(text)
    return plain


def _number(text: str) -> str:
    number = read_number(text)
    if number < 0 or not _FIGURES.fullmatch(text.strip()):
        raise ValueError(text)
    return f"{number:f}"


def _month_day(text: str) -> str:
    """Month-day as kept, or day.month as people write it."""
    day, point, month = text.partition(".")
    plain = f"{month.strip('.').zfill(2)}-{day.zfill(2)}" if point else text
    if not _MONTH_DAY.fullmatch(plain):
        raise ValueError(text)
    date(_LEAP, int(plain[:2]), int(plain[3:]))
    return plain


def _is_number(text: str) -> bool:
    return re.fullmatch(r"\d+(\.\d+)?", text) is not None and Decimal(text).is_finite()


def _is_list(text: str) -> bool:
    return "," in text and all(_is_number(item.strip()) for item in text.split(","))
