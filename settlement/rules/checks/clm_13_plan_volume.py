"""CLM-13: the individual plan's monthly volume is kept."""

from __future__ import annotations

import numpy as np

from settlement.rules.ceilings import Ceiling
from settlement.rules.facts import BLANK, NO_LIMIT, Ints, column
from settlement.rules.frame import Frame
from settlement.rules.integers import write_units
from settlement.rules.lookup import Register, Sums, pick, with_day

CODE = "CLM-13"
SEVERITY = "C"
TITLE = "More than the individual plan gives a month"
ADVICE = "Services beyond the plan are not paid; the case worker may amend the plan for later months."


def ceilings(frame: Frame) -> tuple[Ceiling, ...]:
    """Units of the plan line in the calendar month, less those allowed by earlier runs. Not for one-off
    services.
    """
    used = frame.facts.plan_used
    plans = Register(column(frame.facts.plan_lines, "plan_line")).rows(column(used, "plan_line"))
    groups = with_day(np.where(frame.one_off, BLANK, frame.plan_row), frame.month)
    spent = Sums(with_day(plans, column(used, "month")), column(used, "units")).of(groups)
    limits = pick(column(frame.facts.plan_lines, "units_per_month"), frame.plan_row, NO_LIMIT)
    return (Ceiling(13, groups, limits - spent),)


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """The plan's monthly volume."""
    limits = column(frame.facts.plan_lines, "units_per_month")
    return {"limit": write_units(pick(limits, frame.plan_row[rows], 0))}
