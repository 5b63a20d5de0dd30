"""Advances: what was paid before the services is used up first. It lowers remittances, never a line; of what is left
CLM-46 keeps back what is owed.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from settlement.rules import checks
from settlement.rules.facts import Facts, Ints, column


def used(facts: Facts, claims: pd.DataFrame, payables: Ints) -> Ints:
    """What each remittance uses of the advances of its contract, in the order of ``claims`` (by number).

    A claim that takes another back gives back what that one had used: negative. A claim that is taken back in the same
    run uses nothing. As with money owed back, what a run takes back of a contract is not used up again.
    Money: minor units. Example: 242.00 and 50.00 with 250.00 advanced -> 242.00, 8.00.
    """
    taken = -_given_back(facts, claims)
    numbers, reverses = column(claims, "claim"), column(claims, "reverses")
    gone = numbers[column(claims, "reversed") == 1]
    left = np.where(np.isin(numbers, gone) | np.isin(reverses, gone), 0, payables - taken)
    contracts = column(claims, "contract")
    for contract, outstanding in zip(
        *(column(facts.advances, name) for name in ("contract", "outstanding")), strict=True
    ):
        rows = np.flatnonzero(contracts == contract)
        parts = checks.OFFSET.offsets(left[rows].tolist(), outstanding=int(outstanding))
        taken[rows] += np.array(parts, dtype=np.int64)
    return taken


def _given_back(facts: Facts, claims: pd.DataFrame) -> Ints:
    amounts = facts.advances_used.groupby("claim")["amount"].sum()
    return amounts.reindex(claims["claim"], fill_value=0).to_numpy(dtype=np.int64)
