"""CLM-22: no worker is in two places at once."""

from __future__ import annotations

from settlement.rules.facts import Ints, Mask
from settlement.rules.frame import Frame
from settlement.rules.integers import write_hours

CODE = "CLM-22"
SEVERITY = "R"
TITLE = "Worker at two visits at once"
ADVICE = "Check the worker and the times of the visit."


def find(frame: Frame) -> Mask:
    """Part of the time is covered by earlier lines of the same worker."""
    return frame.comparison.worker_time > 0


def hours(frame: Frame) -> Ints:
    """Covered time in thousandths of an hour, rounded up to the granularity."""
    return frame.comparison.units_of(frame.comparison.worker_time)


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """The covered time."""
    return {"hours": write_hours(frame.comparison.worker_time[rows])}
