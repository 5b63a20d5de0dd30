"""CLM-26: the recipient was alive."""

from __future__ import annotations

from settlement.rules.facts import Ints, Mask
from settlement.rules.frame import Frame
from settlement.rules.integers import write_days

CODE = "CLM-26"
SEVERITY = "R"
TITLE = "Recipient dead on the service date"
ADVICE = "Check the service date; services after the death are not paid, one on that day waits for a person."


def find(frame: Frame) -> Mask:
    """The service date is after the death."""
    return frame.service_date > frame.death_date


def find_pend(frame: Frame) -> Mask:
    """The service date is the day of death."""
    return frame.service_date == frame.death_date


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """The day of death."""
    return {"death": write_days(frame.death_date[rows])}
