"""CLM-21: no two visits to a recipient at the same time."""

from __future__ import annotations

from settlement.rules.facts import Ints, Mask
from settlement.rules.frame import Frame
from settlement.rules.integers import write_hours

CODE = "CLM-21"
SEVERITY = "R"
TITLE = "Overlapping visits to the recipient"
ADVICE = "Check the times of the visits; if they are wrong, appeal with the evidence."


def find(frame: Frame) -> Mask:
    """Part of the time is covered by earlier lines of the same recipient."""
    return frame.comparison.recipient_time > 0


def hours(frame: Frame) -> Ints:
    """Covered time in thousandths of an hour, rounded up to the granularity."""
    return frame.comparison.units_of(frame.comparison.recipient_time)


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """The covered time."""
    return {"hours": write_hours(frame.comparison.recipient_time[rows])}
