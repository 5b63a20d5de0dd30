"""How much of a line's time earlier lines cover, and which earlier line it repeats: exact, in whole columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from settlement.rules.facts import BLANK, NO_TIME, Ints, Mask
from settlement.rules.integers import in_order, numbered


def covered_time(
    *,
    groups: Ints,
    starts: Ints,
    ends: Ints,
    earlier: Mask,
    past_groups: Ints,
    past_starts: Ints,
    past_ends: Ints,
) -> Ints:
    """Microseconds of each line covered by the union of the earlier lines of its group.

    Lines come in the order of adjudication, so that starts rise inside a group (usable times lie on their
    service date). Group BLANK: not compared. ``earlier``: lines that later ones are compared with. Past lines
    come before all, whatever their time.
    """
    result = np.zeros(len(groups), dtype=np.int64)
    at = np.flatnonzero(groups >= 0)
    if not len(at):
        return result
    low, high = starts[at], ends[at]
    reach = np.clip(_furthest_before(groups[at], high, earlier[at]), low, high)
    result[at] = reach - low
    known = np.isin(groups[at], past_groups[past_groups >= 0])
    if known.any():
        some = at[known]
        union = _Union(past_groups, past_starts, past_ends, (reach[known], ends[some]))
        result[some] += union.before(groups[some], ends[some]) - union.before(groups[some], reach[known])
    return result


def _furthest_before(groups: Ints, ends: Ints, earlier: Mask) -> Ints:
    """The latest end among earlier rows of the group; the smallest number where there is none.

    Ranks stand in for times so that group and time fit one integer and a running maximum restarts by itself.
    """
    times, _, ranks = numbered(ends)
    order = in_order(groups)
    dense = np.cumsum(np.diff(groups[order], prepend=groups[order[:1]]) != 0)
    span = len(times) + 1
    marks = dense * span + np.where(earlier[order], ranks[order] + 1, 0)
    running = np.maximum.accumulate(marks)
    previous = np.full(len(order), -1, dtype=np.int64)
    previous[1:] = running[:-1]
    rank = np.where(previous >= dense * span, previous - dense * span, 0)
    furthest = np.where(rank > 0, times[np.maximum(rank - 1, 0)], np.iinfo(np.int64).min)
    result = np.empty(len(order), dtype=np.int64)
    result[order] = furthest
    return result


class _Union:
    """Disjoint pieces of the past intervals of each group, with running lengths."""

    def __init__(self, groups: Ints, starts: Ints, ends: Ints, asked: tuple[Ints, Ints]) -> None:
        use = np.flatnonzero(groups >= 0)
        use = use[np.lexsort((starts[use], groups[use]))]
        groups, starts, ends = groups[use], starts[use], ends[use]
        reach = np.maximum(_furthest_before(groups, ends, np.ones(len(use), dtype=bool)), starts)
        # A piece begins where the running end of the group does not reach the start; it ends where it got to.
        fresh = np.ones(len(use), dtype=bool)
        fresh[1:] = (groups[1:] != groups[:-1]) | (reach[1:] <= starts[1:])
        first = np.flatnonzero(fresh)
        self.groups, self.starts = groups[first], starts[first]
        self.ends = np.maximum.reduceat(ends, first)
        self.lengths = self.ends - self.starts
        self.before_piece = np.cumsum(self.lengths) - self.lengths
        self._times = np.unique(np.concatenate([self.starts, *asked]))
        self._marks = self._mark(self.groups, self.starts)

    def _mark(self, groups: Ints, times: Ints) -> Ints:
        dense = np.searchsorted(np.unique(self.groups), groups)
        return dense * (len(self._times) + 1) + np.searchsorted(self._times, times)

    def before(self, groups: Ints, times: Ints) -> Ints:
        """Covered time before ``times``, up to a constant of the group. Groups must have pieces."""
        place = np.searchsorted(self._marks, self._mark(groups, times), side="right") - 1
        at = np.maximum(place, 0)
        inside = np.minimum(times - self.starts[at], self.lengths[at])
        inside = np.where(self.groups[at] == groups, inside, self.lengths[at])
        return np.where(place >= 0, self.before_piece[at] + inside, 0)


def first_earlier(columns: Sequence[Ints], past_columns: Sequence[Ints], judged: Mask, earlier: Mask) -> Ints:
    """Position of the first earlier row that agrees in all columns; BLANK where there is none.

    Positions below ``len(past)`` are past rows, which come first; the lines follow. ``judged``: lines that
    are compared at all; ``earlier``: lines that later ones are compared with.
    """
    past_size, size = len(past_columns[0]), len(judged)
    joined = [np.concatenate(pair) for pair in zip(past_columns, columns, strict=True)]
    use = np.flatnonzero(np.concatenate([np.ones(past_size, dtype=bool), judged]))
    use = use[_twice(_mixed([part[use] for part in joined]))]
    result = np.full(size, BLANK, dtype=np.int64)
    if len(use):
        first = _first_in_group([part[use] for part in joined], use, np.concatenate([_all(past_size), earlier]))
        hit = (use >= past_size) & (first < use)
        result[use[hit] - past_size] = first[hit]
    return result


def _all(size: int) -> Mask:
    return np.ones(size, dtype=bool)


def _mixed(columns: Sequence[Ints]) -> Ints:
    """A fingerprint: equal rows have equal ones. Only a first sieve; equality is judged on the columns."""
    mixed = np.zeros(len(columns[0]), dtype=np.uint64)
    for part in columns:
        mixed = (mixed ^ part.astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return mixed.view(np.int64)


def _twice(marks: Ints) -> Mask:
    """Rows whose mark occurs more than once."""
    ordered = np.sort(marks)
    return np.isin(marks, ordered[1:][ordered[1:] == ordered[:-1]])


def _first_in_group(columns: list[Ints], positions: Ints, earlier: Mask) -> Ints:
    order = np.lexsort((positions, *columns))
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = False
    for part in columns:
        fresh[1:] |= part[order][1:] != part[order][:-1]
    group = np.cumsum(fresh) - 1
    candidate = np.where(earlier[positions[order]], positions[order], NO_TIME)
    lowest = np.minimum.reduceat(candidate, np.flatnonzero(fresh))
    result = np.empty(len(order), dtype=np.int64)
    result[order] = lowest[group]
    return result
