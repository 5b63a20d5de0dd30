"""CLM-34: the evidence that the service needs is there."""

from __future__ import annotations

from settlement.rules.facts import Ints, Mask, column
from settlement.rules.frame import Frame
from settlement.rules.integers import write_days

CODE = "CLM-34"
SEVERITY = "P"
TITLE = "Signed act is missing"
ADVICE = "The provider attaches the act signed by the recipient; then a person lifts the pend."


def find(frame: Frame) -> Mask:
    """The service needs a signed act on the date, and none is attached to the claim."""
    table = frame.facts.evidence_needed
    needed = frame.own.covered(table, frame.service_rows(column(table, "service")), frame.service_row)
    return needed & ~frame.own.is_named(frame.facts.evidence_given, "claim", frame.claim)


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """The service date."""
    return {"date": write_days(frame.service_date[rows])}
