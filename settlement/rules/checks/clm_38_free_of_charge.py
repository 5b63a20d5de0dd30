"""CLM-38: what is free by law is free."""

from __future__ import annotations

from settlement.rules.facts import FREE, Ints, Mask, column
from settlement.rules.frame import Frame
from settlement.rules.integers import write_money
from settlement.rules.lookup import pick

CODE = "CLM-38"
SEVERITY = "P"
TITLE = "Fee taken for a free service"
ADVICE = "The provider gives the money back to the recipient; a person lifts the pend when that is proven."


def find(frame: Frame) -> Mask:
    """The provider reports a fee of a recipient who pays none, or who had only services free for all on the claim."""
    bearing = pick(column(frame.facts.fee_reports, "bearing"), frame.own.fee_report_row, 1)
    free = (frame.own.fee_mode == FREE) | (frame.free_for_all & (bearing == 0))
    return free & (frame.own.collected > 0)


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """What was collected."""
    return {"collected": write_money(frame.own.collected[rows])}
