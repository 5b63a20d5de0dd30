"""CLM-16: the rate is not above the contract's."""

from __future__ import annotations

from settlement.rules.checks.kit import NO_RATE_LIMIT
from settlement.rules.facts import Ints, column
from settlement.rules.frame import Frame
from settlement.rules.integers import write_rates
from settlement.rules.lookup import pick

CODE = "CLM-16"
SEVERITY = "C"
TITLE = "Rate above the contract"
ADVICE = "Claim the contract's rate, or have the contract amended for later services."


def limits(frame: Frame) -> Ints:
    """Rate of the contract line in force."""
    return pick(column(frame.facts.contract_lines, "unit_rate"), frame.contract_line_row, NO_RATE_LIMIT)


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """The contract's rate."""
    return {"limit": write_rates(limits(frame)[rows])}
