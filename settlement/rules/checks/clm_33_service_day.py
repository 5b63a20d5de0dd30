"""CLM-33: the provider serves on that weekday."""

from __future__ import annotations

import numpy as np

from settlement.rules.facts import Ints, Mask, column
from settlement.rules.frame import Frame
from settlement.rules.integers import write_days
from settlement.rules.lookup import pick
from settlement.rules.working_days import weekday

CODE = "CLM-33"
SEVERITY = "W"
TITLE = "Provider does not serve on that weekday"
ADVICE = "Ask the provider, or bring its schedule up to date."


def find(frame: Frame) -> Mask:
    """The weekday of the service date is a day off in the schedule in force."""
    days_off = pick(column(frame.facts.schedules, "days_off"), frame.own.schedule_row, 0)
    bits = np.array([1 << weekday(day) for day in range(7)], dtype=np.int64)
    return (days_off & bits[frame.service_date % 7]) > 0


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """The service date."""
    return {"date": write_days(frame.service_date[rows])}
