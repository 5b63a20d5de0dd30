"""CLM-37: no recipient pays more than was decided."""

from __future__ import annotations

from settlement.rules.facts import DIFFERENTIATED, Ints, Mask
from settlement.rules.frame import Frame
from settlement.rules.integers import write_money

CODE = "CLM-37"
SEVERITY = "P"
TITLE = "Fee above the recipient's limit"
ADVICE = "The provider gives the excess back to the recipient; a person lifts the pend when that is proven."


def find(frame: Frame) -> Mask:
    """The provider reports more than the monthly limit of a differentiated fee."""
    return (frame.own.fee_mode == DIFFERENTIATED) & (frame.own.collected > frame.own.fee_limit)


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """What was collected and the limit."""
    return {
        "collected": write_money(frame.own.collected[rows]),
        "limit": write_money(frame.own.fee_limit[rows]),
    }
