"""CLM-11: a confirmed redemption stands behind the line."""

from __future__ import annotations

import numpy as np

from settlement.rules.facts import BLANK, Ints, Mask, column
from settlement.rules.frame import Frame
from settlement.rules.integers import write_units
from settlement.rules.lookup import pick

CODE = "CLM-11"
SEVERITY = "P"
TITLE = "Confirmed redemption agrees with the line"
SENTENCE = (
    "No confirmed redemption agrees with the line in certificate, service, units (%(units)s), provider and worker."
)
ADVICE = "A person compares the line with the evidence of the visit and lifts the pend or leaves it."
SOURCE = "interchange CLM-11; rulebook 5.1"


def find_pend(frame: Frame) -> Mask:
    """Redemption blank, unknown, not confirmed, or different; blank equals blank."""
    table, rows = frame.facts.redemptions, frame.redemption_row
    differs = rows < 0
    for name in ("certificate", "service", "provider", "worker", "units"):
        differs |= pick(column(table, name), rows, BLANK) != getattr(frame, name)
    return np.asarray(differs | (pick(column(table, "confirmed"), rows, 0) != 1))


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """The claimed units."""
    return {"units": write_units(frame.units[rows])}
