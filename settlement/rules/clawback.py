"""Terms of a clawback and what a decision upholds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

WHOLE, PART, DROPPED = "whole", "part", "dropped"


def look_back_from(on: date, years: int) -> date:
    """The earliest day of a service of which money can be asked back on a day.

    Time: so many years earlier, the same day; of 29 February the 28th.
    Source: SET-4 (clawback.look_back).
    """
    try:
        return on.replace(year=on.year - years)
    except ValueError:
        return on.replace(year=on.year - years, day=28)


def outcome_of(sums: Iterable[tuple[int, int]]) -> str:
    """From (asked back, upheld) of each line, minor units: whole, part or dropped."""
    rows = list(sums)
    upheld = sum(row[1] for row in rows)
    if not upheld:
        return DROPPED
    return WHOLE if upheld == sum(row[0] for row in rows) else PART
