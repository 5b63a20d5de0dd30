"""Findings that come with the facts: of checks that a package cannot decide.

They take at their place among the steps, bounded by what is left (docs/decisions, "Findings as given").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from settlement.rules.facts import Ints, Mask, column
from settlement.rules.findings import CUT, PEND, REJECT, WARN
from settlement.rules.frame import Frame
from settlement.rules.lookup import Register

# The checks that a package decides by itself, as RUN-1 lists them: always recalculated.
DECIDABLE = frozenset(f"CLM-{number:02}" for number in (1, *range(3, 23), *range(24, 29), 31, 32))


@dataclass(frozen=True, eq=False)
class Given:
    """The findings of one check. rows: positions of lines; units: thousandths, amount: hundredths; details: JSON
    objects.
    """

    check: str
    severity: str
    rows: Ints
    units: Ints
    amount: Ints
    details: list[str]


def rejections(frame: Frame) -> list[Given]:
    """Take units in code order among the other rejections."""
    return _of(frame, REJECT, frame.facts.given)


def pends(frame: Frame) -> list[Given]:
    """Take units in code order among the other pends; one that a person has lifted is none."""
    table = frame.facts.given
    return [kept for given in _of(frame, PEND, table) if len((kept := _not_lifted(frame, given)).rows)]


def unit_cuts(frame: Frame) -> list[Given]:
    """Take units before the ceilings do."""
    return _of(frame, CUT, frame.facts.given[frame.facts.given["units"] > 0])


def money_cuts(frame: Frame) -> list[Given]:
    """Take no units, but money, before the ceilings of money do."""
    return _of(frame, CUT, frame.facts.given[frame.facts.given["units"] == 0])


def warnings(frame: Frame) -> list[Given]:
    """Take nothing."""
    return _of(frame, WARN, frame.facts.given)


def lines_of(frame: Frame, found: list[Given]) -> Mask:
    """The lines that have any of the findings."""
    result = np.zeros(frame.size, dtype=bool)
    for given in found:
        result[given.rows] = True
    return result


def _of(frame: Frame, severity: str, table: pd.DataFrame) -> list[Given]:
    """The findings of a severity by check, in code order, each in the order of lines."""
    table = table[table["severity"] == severity]
    if table.empty:
        return []
    table = table.assign(row=Register(frame.id).rows(column(table, "id")))
    found = table[table["row"] >= 0].sort_values(["check_code", "row"])
    return [_given(str(check), severity, part) for check, part in found.groupby("check_code", sort=True)]


def _given(check: str, severity: str, part: pd.DataFrame) -> Given:
    rows, units, amount = (column(part, name) for name in ("row", "units", "amount"))
    return Given(check, severity, rows, units, amount, part["detail"].tolist())


def _not_lifted(frame: Frame, given: Given) -> Given:
    kept = np.flatnonzero(~frame.lifted(int(given.check.removeprefix("CLM-")))[given.rows])
    details = [given.details[at] for at in kept.tolist()]
    return Given(given.check, PEND, given.rows[kept], given.units[kept], given.amount[kept], details)
