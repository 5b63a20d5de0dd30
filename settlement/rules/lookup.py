"""Exact look-ups for columns of keys and days, without a loop over lines."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from settlement.rules.facts import BLANK, LAST_DAY, Ints, Mask
from settlement.rules.integers import in_order, numbered

_SPAN = 1 << 23
_SHIFT = 1 << 22
# Pieces of a key that are gone through one after the other before they are searched.
_STEPS = 8


class Register:
    """Finds the row of an id. Ids are unique."""

    def __init__(self, ids: Ints) -> None:
        self.size, self._ids = len(ids), ids
        self._low = int(ids.min()) if self.size else 0
        self._span = int(ids.max()) - self._low + 1 if self.size else 0

    def rows(self, wanted: Ints) -> Ints:
        """Row of each wanted id, BLANK where there is none."""
        if not self.size:
            return np.full(len(wanted), BLANK, dtype=np.int64)
        # Where ids lie close together, or many are asked for, a direct table is several times faster than a search.
        if self._span <= 4 * max(self.size, len(wanted)) + 1024:
            return self._direct(wanted)
        order, ordered = self._sorted
        place = np.minimum(np.searchsorted(ordered, wanted), self.size - 1)
        return np.where((ordered[place] == wanted) & (wanted >= 0), order[place], BLANK)

    def _direct(self, wanted: Ints) -> Ints:
        if len(wanted) and wanted.min() >= max(self._low, 0) and wanted.max() < self._low + self._span:
            return self._table[wanted - self._low]
        inside = (wanted >= max(self._low, 0)) & (wanted < self._low + self._span)
        return np.where(inside, self._table[np.where(inside, wanted - self._low, 0)], BLANK)

    @cached_property
    def _table(self) -> Ints:
        table = np.full(self._span, BLANK, dtype=np.int64)
        table[self._ids - self._low] = np.arange(self.size)
        return table

    @cached_property
    def _sorted(self) -> tuple[Ints, Ints]:
        order = in_order(self._ids)
        return order, self._ids[order]


def pick(values: Ints, rows: Ints, absent: int) -> Ints:
    """``values[rows]``, and ``absent`` where the row is BLANK."""
    if not len(values):
        return np.full(len(rows), absent, dtype=np.int64)
    # Mostly every row is known, and the smallest says so at once.
    if len(rows) and rows.min() >= 0:
        return values[rows]
    return np.where(rows >= 0, values[rows], absent)


def pair(left: Ints, right: Ints, right_size: int) -> Ints:
    """One key of two rows; BLANK when either is."""
    if len(left) and left.min() >= 0 and right.min() >= 0:
        return left * max(right_size, 1) + right
    return np.where((left >= 0) & (right >= 0), left * max(right_size, 1) + right, BLANK)


def with_day(keys: Ints, days: Ints) -> Ints:
    """One key of a key and a day (or a month, or a year); BLANK keys stay BLANK."""
    return np.where(keys >= 0, keys * _SPAN + days + _SHIFT, BLANK)


class Sums:
    """Totals by key."""

    def __init__(self, keys: Ints, values: Ints) -> None:
        known = keys >= 0
        self._keys, _, index = numbered(keys[known])
        self._totals = np.zeros(len(self._keys), dtype=np.int64)
        np.add.at(self._totals, index, values[known])
        self._register = Register(self._keys)

    def of(self, keys: Ints) -> Ints:
        """Total of each key, 0 where there is none."""
        return pick(self._totals, self._register.rows(keys), 0)


class InForce:
    """Finds the row of a key in force on a day; where rows of a key overlap, the one with the later start."""

    def __init__(self, keys: Ints, starts: Ints, ends: Ints) -> None:
        rows = np.flatnonzero((keys >= 0) & (starts <= ends))
        rows = rows[np.lexsort((starts[rows], keys[rows]))]
        pieces = _cut_overlaps(rows, keys, starts, ends)
        self._rows, self._starts, self._ends = pieces
        self._keys = keys[self._rows]
        fresh = np.ones(len(self._keys), dtype=bool)
        fresh[1:] = self._keys[1:] != self._keys[:-1]
        self._first, self._register = np.flatnonzero(fresh), Register(self._keys[fresh])
        # Whether the next piece is one of the same key.
        self._followed = np.append(~fresh[1:], False)

    def find(self, keys: Ints, days: Ints) -> Ints:
        """Row in force for each key and day, BLANK where there is none."""
        if not len(self._rows):
            return np.full(len(keys), BLANK, dtype=np.int64)
        place = self._places(keys, days)
        known = np.flatnonzero(place >= 0)
        if len(known) == len(place):
            return self._holding(place, days)
        result = np.full(len(keys), BLANK, dtype=np.int64)
        result[known] = self._holding(place[known], days[known])
        return result

    def _holding(self, place: Ints, days: Ints) -> Ints:
        """Rows of the pieces at places, BLANK where the piece does not hold on the day."""
        hit = (self._starts[place] <= days) & (self._ends[place] >= days)
        return np.where(hit, self._rows[place], BLANK)

    def _places(self, keys: Ints, days: Ints) -> Ints:
        """The last piece of each key that begins on the day or before it; the first where none does."""
        place = pick(self._first, self._register.rows(keys), BLANK)
        rows = self._with_more(np.flatnonzero(place >= 0), place) if self._followed.any() else np.zeros(0, np.int64)
        for _ in range(_STEPS):
            if not len(rows):
                return place
            rows = rows[self._starts[place[rows] + 1] <= days[rows]]
            place[rows] += 1
            rows = self._with_more(rows, place)
        # Of a key with many pieces the last one that has begun is searched.
        marks = with_day(self._keys, self._starts)
        place[rows] = np.searchsorted(marks, with_day(keys[rows], days[rows]), side="right") - 1
        return place

    def _with_more(self, rows: Ints, place: Ints) -> Ints:
        return rows[self._followed[place[rows]]]

    def covers(self, keys: Ints, days: Ints) -> Mask:
        """Whether a row is in force."""
        return self.find(keys, days) >= 0


def _cut_overlaps(rows: Ints, keys: Ints, starts: Ints, ends: Ints) -> tuple[Ints, Ints, Ints]:
    """Rows sorted by key and start, cut so that at most one piece holds on a day."""
    same = keys[rows][1:] == keys[rows][:-1]
    clash = same & (ends[rows][:-1] >= starts[rows][1:])
    if not clash.any():
        return rows, starts[rows], ends[rows]
    crowded = np.unique(keys[rows][1:][clash])
    calm = rows[~np.isin(keys[rows], crowded)]
    pieces = [(row, starts[row], ends[row]) for row in calm.tolist()]
    for key in crowded.tolist():
        pieces += _pieces(rows[keys[rows] == key].tolist(), starts, ends)
    pieces.sort(key=lambda piece: (keys[piece[0]], piece[1]))
    cut_rows, cut_starts, cut_ends = (np.array(part, dtype=np.int64) for part in zip(*pieces, strict=True))
    return cut_rows, cut_starts, cut_ends


def _pieces(rows: list[int], starts: Ints, ends: Ints) -> list[tuple[int, int, int]]:
    cuts = sorted({int(starts[row]) for row in rows} | {int(ends[row]) + 1 for row in rows})
    pieces = []
    for start, following in zip(cuts, [*cuts[1:], LAST_DAY + 1], strict=True):
        holding = [row for row in rows if starts[row] <= start <= ends[row]]
        if holding:
            pieces.append((holding[-1], start, following - 1))
    return pieces
