"""CLM-17: the rate is not above the norm cost, and there is one."""

from __future__ import annotations

from settlement.rules.checks.kit import NO_RATE_LIMIT
from settlement.rules.facts import Ints, Mask, column
from settlement.rules.frame import Frame
from settlement.rules.integers import write_days, write_rates
from settlement.rules.lookup import pick

CODE = "CLM-17"
SEVERITY = "C"
TITLE = "Rate above the norm cost, or no norm cost"
ADVICE = "Claim at most the norm cost of the day; where there is none, ask the municipality to set it."


def limits(frame: Frame) -> Ints:
    """The norm cost in force for the recipient's territory and class."""
    return pick(column(frame.facts.norm_costs, "unit_rate"), frame.norm_row, NO_RATE_LIMIT)


def find(frame: Frame) -> Mask:
    """No norm cost is in force for a known recipient and service."""
    return (frame.visit_key >= 0) & (frame.norm_row < 0)


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """The date and the norm cost, a dash where there is none."""
    norms = column(frame.facts.norm_costs, "unit_rate")
    written = write_rates(pick(norms, frame.norm_row[rows], 0))
    known = (frame.norm_row[rows] >= 0).tolist()
    shown = [text if here else "-" for text, here in zip(written, known, strict=True)]
    return {"date": write_days(frame.service_date[rows]), "limit": shown}
