"""CLM-11: a confirmed redemption stands behind the line."""

from __future__ import annotations

import numpy as np

from settlement.rules.checks.kit import first_reason
from settlement.rules.facts import BLANK, Ints, Mask, column
from settlement.rules.frame import Frame
from settlement.rules.integers import write_units
from settlement.rules.lookup import pick

CODE = "CLM-11"
SEVERITY = "P"
TITLE = "No confirmed redemption agrees with the line"
ADVICE = "A person compares the line with the evidence of the visit and lifts the pend or leaves it."


def find_pend(frame: Frame) -> Mask:
    """Redemption blank, unknown, not confirmed, or different; blank equals blank."""
    return np.asarray(np.logical_or.reduce([mask for _, mask in frame.once(_reasons)]))


def _reasons(frame: Frame) -> list[tuple[str, Mask]]:
    table, rows = frame.facts.redemptions, frame.redemption_row
    unconfirmed = pick(column(table, "confirmed"), rows, 0) != 1
    differing = [
        (name, pick(column(table, name), rows, BLANK) != getattr(frame, name))
        for name in ("certificate", "service", "provider", "worker", "units")
    ]
    return [("unknown", rows < 0), ("unconfirmed", unconfirmed), *differing]


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """The claimed units, and the first thing that does not agree."""
    return {"units": write_units(frame.units[rows]), "why": first_reason(_reasons, frame, rows)}
