"""CLM-07: the certificate leads to a recipient on the register."""

from __future__ import annotations

from settlement.rules.facts import Ints, Mask
from settlement.rules.frame import Frame

CODE = "CLM-07"
SEVERITY = "R"
TITLE = "Certificate or recipient unknown"
ADVICE = "Check the certificate number."


def find(frame: Frame) -> Mask:
    """The certificate, or its recipient, is unknown."""
    return frame.recipient_row < 0


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """Nothing to add: the number stands on the line."""
    return {}
