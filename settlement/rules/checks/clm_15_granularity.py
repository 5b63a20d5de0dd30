"""CLM-15: units are whole steps of the service."""

from __future__ import annotations

from settlement.rules.facts import Ints
from settlement.rules.frame import Frame
from settlement.rules.integers import write_units

CODE = "CLM-15"
SEVERITY = "C"
TITLE = "Units are not whole steps"
ADVICE = "Claim whole steps."


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """The step; the kernel cuts the rest of the division."""
    return {"step": write_units(frame.granularity[rows])}
