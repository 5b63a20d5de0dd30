"""CLM-01: the line's own figures agree."""

from __future__ import annotations

from settlement.rules.checks.kit import first_reason
from settlement.rules.facts import Ints, Mask
from settlement.rules.frame import Frame
from settlement.rules.integers import write_claimed, write_money

CODE = "CLM-01"
SEVERITY = "R"
TITLE = "Amount or times contradict themselves"
ADVICE = "Correct the amount or the times and claim the line again."


def find(frame: Frame) -> Mask:
    """The amount (ten-thousandths) differs from round(units x rate, 2), or both times are given and
    impossible.
    """
    return _wrong_amount(frame) | _wrong_times(frame)


def _wrong_amount(frame: Frame) -> Mask:
    return frame.amount != frame.amount_claimed * 100


def _wrong_times(frame: Frame) -> Mask:
    return frame.both_times & ~frame.timed


def _reasons(frame: Frame) -> list[tuple[str, Mask]]:
    amount, times = _wrong_amount(frame), _wrong_times(frame)
    return [("both", amount & times), ("amount", amount), ("times", times)]


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """The product and the amount as written; which of the two, or both, is wrong."""
    return {
        "expected": write_money(frame.amount_claimed[rows]),
        "claimed": write_claimed(frame.amount[rows]),
        "why": first_reason(_reasons, frame, rows),
    }
