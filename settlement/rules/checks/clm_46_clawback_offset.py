"""CLM-46: what a provider owes back is kept from its next remittances. It lowers the remittance, never a line."""

from __future__ import annotations

from collections.abc import Sequence

CODE = "CLM-46"
SEVERITY = "C"
TITLE = "Money owed back is set off"
ADVICE = "The notice of the recovery says what is owed back; a reply is possible until its term."


def offsets(payables: Sequence[int], *, outstanding: int) -> list[int]:
    """Offset of each remittance of one provider, in their order: at most what it pays, at most what is owed back.

    Money: minor units. A remittance that pays nothing (a reversal) is left alone, and what it takes back is not kept
    back: together they are at most what the provider gets of this run.
    Example: 24200, 5000 with 25000 owed back -> 24200, 800; 24200, -20000 with 25000 owed back -> 4200, 0.
    """
    result, outstanding = [], min(outstanding, max(sum(payables), 0))
    for payable in payables:
        taken = min(max(payable, 0), outstanding)
        outstanding -= taken
        result.append(taken)
    return result
