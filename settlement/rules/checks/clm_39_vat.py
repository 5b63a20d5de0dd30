"""CLM-39: services that the law exempts carry no VAT."""

from __future__ import annotations

import numpy as np

from settlement.rules.facts import Ints, Mask, column
from settlement.rules.frame import Frame
from settlement.rules.integers import share_out, value_of, write_money
from settlement.rules.lookup import Register, pick

CODE = "CLM-39"
SEVERITY = "C"
TITLE = "VAT on an exempt service"
ADVICE = "Issue the invoice without VAT; social services are exempt."


def find(frame: Frame) -> Mask:
    """The line carries a share of the VAT that the claim's invoice adds."""
    return amounts(frame) > 0


def amounts(frame: Frame) -> Ints:
    """The line's share of the claim's VAT, in proportion to the amounts of all its lines, by largest remainder."""
    table = frame.facts.vat_lines
    weights = value_of(column(table, "units"), column(table, "unit_rate"))
    bearing = np.flatnonzero(weights > 0)
    weights, claims = weights[bearing], column(table, "claim")[bearing]
    order = np.lexsort((column(table, "id")[bearing], claims))
    bearing, weights, claims = bearing[order], weights[order], claims[order]
    _, index = np.unique(claims, return_inverse=True)
    totals = np.bincount(index, weights=weights).astype(np.int64)[index] if len(index) else weights
    shares = share_out(np.minimum(column(table, "vat")[bearing], totals), weights, claims)
    return pick(shares, Register(column(table, "id")[bearing]).rows(frame.id), 0)


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """The line's share."""
    return {"vat": write_money(amounts(frame)[rows])}
