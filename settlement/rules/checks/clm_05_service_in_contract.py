"""CLM-05: the contract covers the service on the service date."""

from __future__ import annotations

from settlement.rules.facts import Ints, Mask
from settlement.rules.frame import Frame
from settlement.rules.integers import write_days

CODE = "CLM-05"
SEVERITY = "R"
TITLE = "Service is not in the contract"
ADVICE = "Claim the service under a contract that contains it, or amend the contract."


def find(frame: Frame) -> Mask:
    """A known contract without a line for the service in force. An unknown contract meets CLM-04 only."""
    return (frame.contract_row >= 0) & (frame.contract_line_row < 0)


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """The service date."""
    return {"date": write_days(frame.service_date[rows])}
