"""CLM-06: the service is in the catalogue."""

from __future__ import annotations

from settlement.rules.facts import Ints, Mask
from settlement.rules.frame import Frame

CODE = "CLM-06"
SEVERITY = "R"
TITLE = "Service is not in the catalogue"
ADVICE = "Use a service code of the municipality's catalogue."


def find(frame: Frame) -> Mask:
    """The service is blank or unknown."""
    return frame.service_row < 0


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """Nothing to add: the code stands on the line."""
    return {}
