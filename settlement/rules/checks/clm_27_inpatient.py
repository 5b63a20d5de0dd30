"""CLM-27: no home service during a stay elsewhere."""

from __future__ import annotations

from settlement.rules.facts import HOSPITAL, RESIDENTIAL, Ints, Mask, column
from settlement.rules.frame import Frame
from settlement.rules.integers import write_days

CODE = "CLM-27"
SEVERITY = "R"
TITLE = "Recipient in hospital or residential care"
ADVICE = "Check the dates of the stay; services at home are paid only on its first and last day."


def find(frame: Frame) -> Mask:
    """A home service strictly between the first and last day of a stay."""
    return frame.at_home & (frame.in_stay >= 0)


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """The service date and the first day of the stay."""
    stays = frame.facts.absences[frame.facts.absences["kind"].isin((HOSPITAL, RESIDENTIAL))]
    starts = column(stays, "from_date")[frame.in_stay[rows]] if len(rows) else rows
    return {"date": write_days(frame.service_date[rows]), "from": write_days(starts)}
