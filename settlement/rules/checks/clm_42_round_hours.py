"""CLM-42: times of visits look written down, not measured."""

from __future__ import annotations

import numpy as np

from settlement.rules.facts import HOUR, Ints, Mask
from settlement.rules.frame import Frame
from settlement.rules.lookup import pair
from settlement.rules.parameters import FULL_HOURS_PERCENT, FULL_HOURS_VISITS
from settlement.rules.statistics import Groups, groups_of

CODE = "CLM-42"
SEVERITY = "W"
TITLE = "Times of visits in round hours"
ADVICE = "Ask how times are written down; a fixed timetable is the usual reason."


def find(frame: Frame) -> Mask:
    """More than claim.round_hours_pct of the worker's visits on the claim begin and end at full hours, or all begin at
    the same time of day (UTC); of at least claim.round_hours_visits_min visits. Stands on the first of them.
    """
    workers, visits, rounded, alike = _pattern(frame)
    days, on = frame.period_start[workers.first], frame.parameters.on
    suspect = (rounded * 100 > visits * on(FULL_HOURS_PERCENT, days)) | alike
    return workers.marks(suspect & (visits >= on(FULL_HOURS_VISITS, days)), frame.size)


def _pattern(frame: Frame) -> tuple[Groups, Ints, Ints, Mask]:
    """Workers on claims: visits, visits in full hours, and whether all begin at the same time of day."""
    keys = pair(frame.claim_row, frame.worker_row, len(frame.facts.workers))
    workers = groups_of(keys, frame.own.whole & frame.timed)
    starts, ends = frame.starts_at[workers.rows], frame.ends_at[workers.rows]
    rounded = workers.sums(((starts % HOUR == 0) & (ends % HOUR == 0)).astype(np.int64))
    clock = starts % (24 * HOUR)
    other = workers.sums((clock != clock_of_first(workers, frame)[workers.index]).astype(np.int64))
    return workers, workers.sums(np.ones(len(workers.rows), dtype=np.int64)), rounded, other == 0


def clock_of_first(workers: Groups, frame: Frame) -> Ints:
    """Time of day of each group's first visit."""
    return frame.starts_at[workers.first] % (24 * HOUR)


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """Visits of the worker, and those in full hours; whether all begin at the same time."""
    if not len(rows):
        return {"visits": [], "rounded": [], "why": []}
    workers, visits, rounded, alike = _pattern(frame)
    figures = (visits, rounded, alike.astype(np.int64))
    count, full, same = (workers.spread(values, frame.size)[rows].tolist() for values in figures)
    return {
        "visits": [str(value) for value in count],
        "rounded": [str(value) for value in full],
        "why": ["alike" if value else "rounded" for value in same],
    }
