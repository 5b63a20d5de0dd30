"""CLM-20: the visit was not claimed before."""

from __future__ import annotations

from settlement.rules.facts import Ints, Mask
from settlement.rules.frame import Frame
from settlement.rules.integers import write_texts

CODE = "CLM-20"
SEVERITY = "R"
TITLE = "Duplicate visit"
ADVICE = "A visit is paid once. If these were two visits, appeal with the evidence of both."


def find(frame: Frame) -> Mask:
    """An earlier line has the same recipient, service, date, start and worker, or the same redemption."""
    return frame.comparison.repeated >= 0


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """The first line that claims the visit."""
    claims, lines = frame.comparison.earlier_visits(rows)
    return {
        "earlier_claim": write_texts(frame.claim_number(claims)),
        "earlier_line": [str(line) for line in lines.tolist()],
    }
