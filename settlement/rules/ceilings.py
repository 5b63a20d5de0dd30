"""The ordered kernels: ceilings that earlier lines use up (interchange, waterfall steps 4 and 5).

A ceiling can bind on a line only when what the lines before it ask for, uncut, plus its own demand exceed
what earlier runs left. Such lines are found in whole columns; only their groups go through a plain loop, in
order, with exact integers. ``reductions`` of looped lines give back what the uncut running total counted too
much.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from settlement.rules.facts import Ints, Mask
from settlement.rules.integers import totals_before


@dataclass(frozen=True)
class Ceiling:
    """What is left for a line's group before this run; group BLANK: no ceiling.

    units or hundredths, according to the kernel.
    """

    check: int
    groups: Ints
    left: Ints


@dataclass(frozen=True)
class Cut:
    """What a check takes from each line, and what was left when its turn came (for the explanation)."""

    taken: Ints
    left: Ints


def cut_units(
    *,
    demand: Ints,
    judged: Mask,
    visits: Ints,
    granularity: Ints,
    ceilings: tuple[Ceiling, ...],
    rounding: int,
) -> dict[int, Cut]:
    """Units taken by each ceiling in the given order, then by the granularity (check ``rounding``).

    demand: units left, thousandths, in the order of adjudication; visits: the (recipient, service) of each
    line, inside which all groups lie. Lines that are not ``judged`` use up their demand and are not cut.
    """
    size = len(demand)
    before = [_before(ceiling, demand) for ceiling in ceilings]
    binding = _binding(demand, judged, ceilings, before)
    looped = binding.copy()
    if binding.any():
        looped |= judged & (demand % granularity != 0) & np.isin(visits, np.unique(visits[binding])) & (demand > 0)
    cuts = {check: Cut(_zeros(size), _zeros(size)) for check in [*(c.check for c in ceilings), rounding]}
    rounded = np.where(judged & ~looped, demand % granularity, 0)
    cuts[rounding].taken[:] = rounded
    rows = np.flatnonzero(looped)
    if len(rows):
        _loop_units(rows, demand, granularity, ceilings, before, cuts, rounding)
    return cuts


def _loop_units(
    rows: Ints,
    demand: Ints,
    granularity: Ints,
    ceilings: tuple[Ceiling, ...],
    before: list[Ints],
    cuts: dict[int, Cut],
    rounding: int,
) -> None:
    spent = [_Spent(ceiling, use, rows) for ceiling, use in zip(ceilings, before, strict=True)]
    columns = (rows.tolist(), demand[rows].tolist(), granularity[rows].tolist())
    for at, (row, asked, step) in enumerate(zip(*columns, strict=True)):
        units = asked
        for ceiling in spent:
            units -= ceiling.take(at, row, units, cuts[ceiling.check])
        odd = units % step
        cuts[rounding].taken[row] = odd
        if units - odd != asked:
            for ceiling in spent:
                ceiling.give_back(at, asked - units + odd)


def cut_money(*, demand: Ints, judged: Mask, ceilings: tuple[Ceiling, ...]) -> dict[int, Cut]:
    """Hundredths taken by each ceiling in the given order; ceilings of one check are added up."""
    before = [_before(ceiling, demand) for ceiling in ceilings]
    rows = np.flatnonzero(_binding(demand, judged, ceilings, before))
    cuts = {ceiling.check: Cut(_zeros(len(demand)), _zeros(len(demand))) for ceiling in ceilings}
    spent = [_Spent(ceiling, use, rows) for ceiling, use in zip(ceilings, before, strict=True)]
    columns = (rows.tolist(), demand[rows].tolist())
    for at, (row, asked) in enumerate(zip(*columns, strict=True)):
        amount = asked
        for ceiling in spent:
            amount -= ceiling.take(at, row, amount, cuts[ceiling.check])
        if amount != asked:
            for ceiling in spent:
                ceiling.give_back(at, asked - amount)
    return cuts


class _Spent:
    """A ceiling while its looped lines are walked: what is left is the uncut rest plus what cuts gave back."""

    def __init__(self, ceiling: Ceiling, before: Ints, rows: Ints) -> None:
        self.check = ceiling.check
        self.groups = ceiling.groups[rows].tolist()
        self.rest = (ceiling.left[rows] - before[rows]).tolist()
        self.returned: defaultdict[int, int] = defaultdict(int)

    def take(self, at: int, row: int, asked: int, cut: Cut) -> int:
        """What the ceiling takes from a demand; noted in the cut."""
        group = self.groups[at]
        if group < 0:
            return 0
        left = max(self.rest[at] + self.returned[group], 0)
        if asked <= left:
            return 0
        cut.taken[row] += asked - left
        cut.left[row] = left
        return asked - left

    def give_back(self, at: int, reduction: int) -> None:
        """Later lines of the group find this much more than the uncut total says."""
        if self.groups[at] >= 0:
            self.returned[self.groups[at]] += reduction


def _before(ceiling: Ceiling, demand: Ints) -> Ints:
    """Uncut demand of earlier lines of the group."""
    result = np.zeros(len(demand), dtype=np.int64)
    rows = np.flatnonzero((ceiling.groups >= 0) & (demand > 0))
    result[rows] = totals_before(ceiling.groups[rows], demand[rows])
    return result


def _binding(demand: Ints, judged: Mask, ceilings: tuple[Ceiling, ...], before: list[Ints]) -> Mask:
    binding = np.zeros(len(demand), dtype=bool)
    for ceiling, use in zip(ceilings, before, strict=True):
        binding |= (ceiling.groups >= 0) & (demand > 0) & (use + demand > ceiling.left)
    return binding & judged


def _zeros(size: int) -> Ints:
    return np.zeros(size, dtype=np.int64)
