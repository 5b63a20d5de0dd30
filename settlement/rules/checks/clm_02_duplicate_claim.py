"""CLM-02: the same claim does not come twice."""

from __future__ import annotations

from settlement.rules.facts import BLANK, Ints, Mask
from settlement.rules.frame import Frame
from settlement.rules.integers import write_texts

CODE = "CLM-02"
SEVERITY = "R"
TITLE = "Claim handed in twice"
ADVICE = "Withdraw one of the two claims; a correction belongs into a new file with a number of its own."


def find(frame: Frame) -> Mask:
    """Another claim of this run or one paid before has the same file or the same number of the provider's invoice."""
    return frame.own.of_claim("twin", BLANK) >= 0


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """The number of the other claim."""
    return {"other_claim": write_texts(frame.claim_number(frame.own.of_claim("twin", BLANK)[rows]))}
