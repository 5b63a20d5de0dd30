"""CLM-28: the recipient was there."""

from __future__ import annotations

from settlement.rules.facts import Ints, Mask
from settlement.rules.frame import Frame
from settlement.rules.integers import write_days

CODE = "CLM-28"
SEVERITY = "R"
TITLE = "Recipient away"
ADVICE = "Check the dates of the absence; if they are wrong, appeal with the evidence."


def find(frame: Frame) -> Mask:
    """The recipient is away, first and last day included."""
    return frame.away


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """The service date."""
    return {"date": write_days(frame.service_date[rows])}
