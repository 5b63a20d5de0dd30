"""CLM-19: the contract's money is not exceeded."""

from __future__ import annotations

import numpy as np

from settlement.rules.ceilings import Ceiling
from settlement.rules.facts import BLANK, NO_LIMIT, Ints, column
from settlement.rules.frame import Frame
from settlement.rules.integers import value_of
from settlement.rules.lookup import Register, Sums, pick

CODE = "CLM-19"
SEVERITY = "C"
TITLE = "Above the contract's ceiling"
ADVICE = "Amend the contract before giving more services under it."


def ceilings(frame: Frame) -> tuple[Ceiling, ...]:
    """First the line (round(units_ceiling x unit_rate, 2)), then the contract; less the gross of earlier
    runs.
    """
    return _of_line(frame), _of_contract(frame)


def _of_line(frame: Frame) -> Ceiling:
    table, used = frame.facts.contract_lines, frame.facts.contract_line_used
    units = column(table, "units_ceiling")
    money = np.where(units >= 0, value_of(np.maximum(units, 0), column(table, "unit_rate")), NO_LIMIT)
    rows = Register(column(table, "contract_line")).rows(column(used, "contract_line"))
    return _ceiling(money, frame.contract_line_row, Sums(rows, column(used, "gross")))


def _of_contract(frame: Frame) -> Ceiling:
    table, used = frame.facts.contracts, frame.facts.contract_used
    rows = Register(column(table, "contract")).rows(column(used, "contract"))
    return _ceiling(column(table, "ceiling"), frame.contract_row, Sums(rows, column(used, "gross")))


def _ceiling(money: Ints, rows: Ints, spent: Sums) -> Ceiling:
    limits = pick(money, rows, NO_LIMIT)
    groups = np.where(limits >= 0, rows, BLANK)
    return Ceiling(19, groups, limits - spent.of(groups))


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """Nothing beside what the kernel says."""
    return {}
