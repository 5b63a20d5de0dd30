"""CLM-40: the declared total of the claim is the sum of its lines."""

from __future__ import annotations

import numpy as np

from settlement.rules.facts import NO_AMOUNT, Ints, Mask
from settlement.rules.frame import Frame
from settlement.rules.integers import write_claimed, write_money
from settlement.rules.parameters import ROUNDING_TOLERANCE

CODE = "CLM-40"
SEVERITY = "P"
TITLE = "Declared total is not the sum of the lines"
ADVICE = "Compare the invoice with the lines; what is paid follows the lines."


def find(frame: Frame) -> Mask:
    """The total differs by more than claim.rounding_tolerance; stands on the claim's first line."""
    return _difference(frame) > _tolerance(frame)


def find_warning(frame: Frame) -> Mask:
    """It differs by no more than that."""
    difference = _difference(frame)
    return (difference > 0) & (difference <= _tolerance(frame))


def _tolerance(frame: Frame) -> Ints:
    return frame.parameters.on(ROUNDING_TOLERANCE, frame.period_start) * 100


def _difference(frame: Frame) -> Ints:
    """Ten-thousandths; 0 but on the first line of a claim with a declared total."""
    declared, written = frame.own.of_claim("declared_total", NO_AMOUNT), frame.own.of_claim("written", 0)
    judged = (declared != NO_AMOUNT) & (frame.line == frame.own.of_claim("first_line", 0))
    return np.where(judged, np.abs(np.where(judged, declared, 0) * 100 - written), 0)


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """The declared total and the sum of the lines."""
    return {
        "declared": write_money(frame.own.of_claim("declared_total", 0)[rows]),
        "written": write_claimed(frame.own.of_claim("written", 0)[rows]),
    }
