"""Working days for the few terms that a check counts in them."""

from __future__ import annotations

import pandas as pd

from settlement.rules.facts import column

_THURSDAY = 3


def weekday(day: int) -> int:
    """0 for Monday; days are counted from Thursday, 1 January 1970."""
    return (day + _THURSDAY) % 7


def after(day: int, count: int, calendar: pd.DataFrame) -> int:
    """The ``count``-th working day after a day. calendar: days that differ from Monday to Friday."""
    differing = dict(zip(column(calendar, "day").tolist(), column(calendar, "working").tolist(), strict=True))
    while count > 0:
        day += 1
        count -= differing.get(day, int(weekday(day) < 5))
    return day
