"""CLM-35: what the recipient owes for the month is deducted. It is a column of the result, not a finding."""

from __future__ import annotations

from settlement.rules.facts import Ints
from settlement.rules.fees import fees
from settlement.rules.frame import Frame

CODE = "CLM-35"
SEVERITY = "C"
TITLE = "The recipient's share is deducted"
ADVICE = "The provider collects the share from the recipient; the budget pays the rest."


def deducted(frame: Frame, gross: Ints) -> Ints:
    """Fee of each line, hundredths: nothing, all, or a share of the month's pool."""
    return fees(frame, gross)
