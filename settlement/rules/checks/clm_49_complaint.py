"""CLM-49: no complaint about the visit is open."""

from __future__ import annotations

from settlement.rules.facts import Ints, Mask
from settlement.rules.frame import Frame

CODE = "CLM-49"
SEVERITY = "P"
TITLE = "Open complaint about the visit"
ADVICE = "Answer the complaint first; then lift the pend or leave it."


def find(frame: Frame) -> Mask:
    """The recipient complains of the visit, and nobody has answered."""
    return frame.own.is_named(frame.facts.complaints, "redemption", frame.redemption)


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """Nothing to add: the redemption stands on the line."""
    return {}
