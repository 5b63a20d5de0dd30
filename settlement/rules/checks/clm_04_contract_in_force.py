"""CLM-04: the claim's contract is in force on the service date."""

from __future__ import annotations

from settlement.rules.checks.kit import first_reason
from settlement.rules.facts import BLANK, FIRST_DAY, LAST_DAY, Ints, Mask, column
from settlement.rules.frame import Frame
from settlement.rules.integers import write_days
from settlement.rules.lookup import pick

CODE = "CLM-04"
SEVERITY = "R"
TITLE = "No contract in force on the service date"
ADVICE = "Name the contract under which the service was given."


def find(frame: Frame) -> Mask:
    """Contract unknown, of another provider, not active, or the date is outside its range."""
    unknown, foreign, idle, outside = (mask for _, mask in frame.once(_reasons))
    return unknown | foreign | idle | outside


def _reasons(frame: Frame) -> list[tuple[str, Mask]]:
    table, rows = frame.facts.contracts, frame.contract_row
    foreign = pick(column(table, "provider"), rows, BLANK) != frame.provider
    idle = pick(column(table, "active"), rows, 0) != 1
    early = frame.service_date < pick(column(table, "valid_from"), rows, FIRST_DAY)
    late = frame.service_date > pick(column(table, "valid_to"), rows, LAST_DAY)
    return [("unknown", rows < 0), ("foreign", foreign), ("idle", idle), ("outside", early | late)]


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """The service date and the first reason that holds."""
    return {"date": write_days(frame.service_date[rows]), "why": first_reason(_reasons, frame, rows)}
