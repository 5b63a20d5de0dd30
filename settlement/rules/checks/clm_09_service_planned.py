"""CLM-09: the individual plan contains the service on the service date."""

from __future__ import annotations

from settlement.rules.facts import Ints, Mask
from settlement.rules.frame import Frame
from settlement.rules.integers import write_days

CODE = "CLM-09"
SEVERITY = "R"
TITLE = "Service is not in the individual plan"
ADVICE = "The case worker amends the plan for later visits; this visit is not paid."


def find(frame: Frame) -> Mask:
    """No plan line in force for a known recipient and service; one-off services need none."""
    return (frame.visit_key >= 0) & ~frame.one_off & (frame.plan_row < 0)


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """The service date."""
    return {"date": write_days(frame.service_date[rows])}
