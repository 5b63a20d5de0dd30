"""CLM-08: the fee of the recipient is decided for the service date."""

from __future__ import annotations

from settlement.rules.facts import Ints, Mask
from settlement.rules.frame import Frame
from settlement.rules.integers import write_days

CODE = "CLM-08"
SEVERITY = "R"
TITLE = "No fee decision in force"
ADVICE = "The case worker decides on the fee first; then claim the line again."


def find(frame: Frame) -> Mask:
    """A known recipient without an assessment in force, also for services free for all."""
    return (frame.recipient_row >= 0) & (frame.fee_row < 0)


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """The service date."""
    return {"date": write_days(frame.service_date[rows])}
