"""The dated figures that adjudication needs, as data. The defaults are those of the interchange document."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from settlement.rules.facts import FIRST_DAY, HOUR, LAST_DAY, Ints

HOURS_PER_DAY = "worker.hours_per_day_max"
WINDOW_DAYS = "claim.window_days"
DECEMBER_STOP = "claim.december_stop"
KEYS = (HOURS_PER_DAY, WINDOW_DAYS, DECEMBER_STOP)
DEFAULTS = {HOURS_PER_DAY: "12", WINDOW_DAYS: "60", DECEMBER_STOP: "01-15"}

# More hours or days than any law gives, and dates so far ahead can still be written.
_FIGURE_MAX = 1_000_000
_COMMON_YEAR = 2025

_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)


@dataclass(frozen=True, order=True)
class DatedValue:
    """A value in force from ``valid_from`` to ``valid_to``, both included, in days since 1970."""

    valid_from: int
    valid_to: int
    value: int


@dataclass(frozen=True)
class Parameters:
    """hours_per_day in microseconds; window_days in days; december_stop as month x 100 + day."""

    hours_per_day: tuple[DatedValue, ...]
    window_days: tuple[DatedValue, ...]
    december_stop: tuple[DatedValue, ...]


def parse_parameters(rows: Iterable[tuple[str, int, int, str]]) -> Parameters:
    """Parameters from (key, valid_from, valid_to, text), later rows win; keys of other matters are passed over.

    Raises: ValueError when a text is not what its key needs.
    """
    dated: dict[str, list[DatedValue]] = {
        key: [DatedValue(FIRST_DAY, LAST_DAY, _parse(key, text))] for key, text in DEFAULTS.items()
    }
    for key, valid_from, valid_to, text in rows:
        if key in dated:
            dated[key].append(DatedValue(valid_from, valid_to, _parse(key, text)))
    return Parameters(*(tuple(dated[key]) for key in KEYS))


def values_on(dated: tuple[DatedValue, ...], days: Ints) -> Ints:
    """The value in force on each day: the last of the rows that hold."""
    result = np.full(len(days), dated[0].value, dtype=np.int64)
    for row in dated[1:]:
        result[(days >= row.valid_from) & (days <= row.valid_to)] = row.value
    return result


def _parse(key: str, text: str) -> int:
    try:
        figure = _figure(key, text)
    except ArithmeticError as problem:
        raise ValueError(f"not a figure: {text}") from problem
    if not (_is_day(figure) if key == DECEMBER_STOP else 0 <= figure <= _most(key)):
        raise ValueError(f"out of bounds: {text}")
    return figure


def _most(key: str) -> int:
    return _FIGURE_MAX * HOUR if key == HOURS_PER_DAY else _FIGURE_MAX


def _is_day(figure: int) -> bool:
    month, day = divmod(figure, 100)
    return 1 <= month <= 12 and 1 <= day <= monthrange(_COMMON_YEAR, month)[1]


def _figure(key: str, text: str) -> int:
    if key == HOURS_PER_DAY:
        return int(Decimal(text) * HOUR)
    if key == WINDOW_DAYS:
        return int(Decimal(text))
    return _parse_day_of_year(text.strip())


def _parse_day_of_year(text: str) -> int:
    if match := re.fullmatch(r"(\d{1,2})-(\d{1,2})", text):
        return int(match[1]) * 100 + int(match[2])
    if match := re.fullmatch(r"(\d{1,2})\.(\d{1,2})", text):
        return int(match[2]) * 100 + int(match[1])
    if (match := re.fullmatch(r"(\d{1,2}) (\w+)", text)) and match[2].lower() in _MONTHS:
        return (_MONTHS.index(match[2].lower()) + 1) * 100 + int(match[1])
    raise ValueError(f"not a day of the year: {text}")
