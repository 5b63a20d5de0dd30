"""Figures by which people look for patterns: exact, in whole columns. They prove nothing by themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from settlement.rules.facts import Ints, Mask
from settlement.rules.integers import numbered

EARTH_METRES = 6_371_000
PER_DEGREE = 100_000


@dataclass(frozen=True, eq=False)
class Groups:
    """Rows put together by keys. index: the group of each row; first: the position of each group's first row."""

    rows: Ints
    index: Ints
    first: Ints

    @property
    def size(self) -> int:
        """Number of groups."""
        return len(self.first)

    def sums(self, values: Ints) -> Ints:
        """Total of the values (of ``rows``) of each group."""
        totals = np.zeros(self.size, dtype=np.int64)
        np.add.at(totals, self.index, values)
        return totals

    def marks(self, chosen: Mask, size: int) -> Mask:
        """True on the first row of each chosen group."""
        result = np.zeros(size, dtype=bool)
        result[self.first[chosen]] = True
        return result

    def spread(self, values: Ints, size: int) -> Ints:
        """A figure of the group on each of its rows, 0 elsewhere."""
        result = np.zeros(size, dtype=np.int64)
        result[self.rows] = values[self.index]
        return result


def groups_of(keys: Ints, judged: Mask) -> Groups:
    """Groups of the judged rows whose key is not blank."""
    rows = np.flatnonzero(judged & (keys >= 0))
    _, first, index = numbered(keys[rows])
    return Groups(rows, index, rows[first])


def outliers(values: Ints, samples: Ints, sigma: Ints, least: Ints) -> Mask:
    """Values above the mean of their sample + sigma (thousandths) standard deviations; samples below ``least`` members
    are not judged.

    Formula: (n x - S)^2 > sigma^2 (n Q - S^2), in whole numbers: the quick comparison only sieves.
    """
    if not len(values):
        return np.zeros(0, dtype=bool)
    _, index, counts = np.unique(samples, return_inverse=True, return_counts=True)
    sums, squares = (np.bincount(index, weights=part) for part in (values.astype(float), values.astype(float) ** 2))
    count = counts[index].astype(float)
    above = count * values - sums[index]
    spread = np.maximum(count * squares[index] - sums[index] ** 2, 0) * (sigma / 1000.0) ** 2
    likely = (above > 0) & (above**2 >= spread * (1 - 1e-6)) & (counts[index] >= least)
    return _proven(values, index, sigma, likely)


def _proven(values: Ints, index: Ints, sigma: Ints, likely: Mask) -> Mask:
    result = np.zeros(len(values), dtype=bool)
    for group in np.unique(index[likely]).tolist():
        members = values[index == group].tolist()
        count, total, squares = len(members), sum(members), sum(value * value for value in members)
        for row in np.flatnonzero(likely & (index == group)).tolist():
            above = count * int(values[row]) - total
            result[row] = above * above * 1_000_000 > int(sigma[row]) ** 2 * (count * squares - total * total)
    return result


def metres_between(first: tuple[Ints, Ints], second: tuple[Ints, Ints]) -> Ints:
    """Length of the great circle between places (latitude, longitude in hundred-thousandths of a degree), metres."""
    (lat1, lon1), (lat2, lon2) = ([np.radians(part / PER_DEGREE) for part in place] for place in (first, second))
    half = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    return np.rint(2 * EARTH_METRES * np.arcsin(np.sqrt(np.clip(half, 0, 1)))).astype(np.int64)
