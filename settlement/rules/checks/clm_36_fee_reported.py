"""CLM-36: the fee reported as collected is the fee that is due."""

from __future__ import annotations

import numpy as np

from settlement.rules.facts import NO_AMOUNT, Ints
from settlement.rules.frame import Frame
from settlement.rules.integers import write_money
from settlement.rules.statistics import groups_of

CODE = "CLM-36"
SEVERITY = "W"
TITLE = "Fee reported differs from the fee due"
ADVICE = "Compare the receipts with the notice; the budget deducts what is due in any case."


def differing(frame: Frame, fee: Ints) -> tuple[Ints, dict[str, list[str]]]:
    """First lines of recipients whose fee (hundredths, of each line) is not what the claim reports, with both sums."""
    reported = groups_of(frame.own.fee_report_row, frame.own.whole & (frame.own.collected != NO_AMOUNT))
    due = reported.sums(fee[reported.rows])
    collected = frame.own.collected[reported.first]
    wrong = np.flatnonzero(due != collected)
    return reported.first[wrong], {"due": write_money(due[wrong]), "collected": write_money(collected[wrong])}
