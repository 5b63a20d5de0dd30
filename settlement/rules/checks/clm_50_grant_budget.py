"""CLM-50: a grant pays what its budget names, when and as far as it was released."""

from __future__ import annotations

import numpy as np

from settlement.rules.ceilings import Ceiling, Cut
from settlement.rules.checks.kit import explain_money, first_reason
from settlement.rules.facts import BLANK, NO_LIMIT, Ints, Mask, column
from settlement.rules.frame import Frame
from settlement.rules.integers import write_days
from settlement.rules.lookup import pick

CODE = "CLM-50"
SEVERITY = "R"
TITLE = "Not in the grant's budget, or above it"
ADVICE = "Claim what the approved budget names, or ask for its amendment; a tranche follows its report."


def find(frame: Frame) -> Mask:
    """The contract is a grant with a budget by items, and no item has the service on the date."""
    return np.logical_or(*(mask for _, mask in frame.once(_reasons)))


def _reasons(frame: Frame) -> list[tuple[str, Mask]]:
    table = frame.facts.grant_items
    unlisted = (frame.own.grant_row >= 0) & (frame.own.grant_item_row < 0)
    size = int(frame.service.max(initial=0)) + 2
    named = np.unique(column(table, "contract") * size + column(table, "service"))
    listed = np.isin(frame.contract * size + frame.service, named)
    return [("period", unlisted & listed), ("item", unlisted & ~listed)]


def ceilings(frame: Frame) -> tuple[Ceiling, ...]:
    """What is left of the item, then of the tranches released (hundredths)."""
    items, grants = frame.facts.grant_items, frame.facts.grants
    item, grant = frame.own.grant_item_row, frame.own.grant_row
    left = pick(column(items, "amount") - column(items, "used"), item, NO_LIMIT)
    released = pick(column(grants, "released"), grant, NO_LIMIT)
    rest = released - pick(column(grants, "used"), grant, 0)
    return Ceiling(50, item, left), Ceiling(50, np.where(released >= 0, grant, BLANK), rest)


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """The service date, and whether the item is not in the budget or not on that day."""
    return {"date": write_days(frame.service_date[rows]), "why": first_reason(_reasons, frame, rows)}


def explain_cut(cut: Cut, rows: Ints) -> dict[str, list[str]]:
    """What was left and what is beyond it."""
    return explain_money(cut, rows) | {"why": ["money"] * len(rows)}
