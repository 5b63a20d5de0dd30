"""A line beside the lines before it: repeats, covered time, the worker's day (interchange, point 2)."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from settlement.rules.facts import BLANK, Ints, Mask
from settlement.rules.frame import Frame
from settlement.rules.integers import totals_before, units_covering
from settlement.rules.lookup import Sums, pick, with_day
from settlement.rules.overlaps import covered_time, first_earlier


class Comparison:
    """``earlier``: the lines of this run that later lines are compared with."""

    def __init__(self, frame: Frame, earlier: Mask) -> None:
        self.frame, self.earlier = frame, earlier

    @cached_property
    def repeated(self) -> Ints:
        """CLM-20: the first earlier row with the same visit or redemption; past rows are counted first."""
        frame, past = self.frame, self.frame.past
        visit = first_earlier(
            (frame.recipient_row, frame.service, frame.service_date, frame.starts_at, frame.worker),
            (frame.past_recipient_row, past("service"), past("service_date"), past("starts_at"), past("worker")),
            frame.recipient_row >= 0,
            self.earlier,
        )
        used = first_earlier((frame.redemption,), (past("redemption"),), frame.redemption != BLANK, self.earlier)
        return np.where((visit < 0) | ((used >= 0) & (used < visit)), used, visit)

    def earlier_visits(self, rows: Ints) -> tuple[Ints, Ints]:
        """Claim and line number of the repeated rows."""
        claims = np.concatenate([self.frame.past("claim"), self.frame.claim])
        lines = np.concatenate([self.frame.past("line"), self.frame.line])
        return claims[self.repeated[rows]], lines[self.repeated[rows]]

    @cached_property
    def recipient_time(self) -> Ints:
        """CLM-21: microseconds covered by earlier lines of the recipient."""
        frame = self.frame
        return self._covered(frame.recipient_row, frame.past_recipient_row, np.ones(frame.size, dtype=bool))

    @cached_property
    def worker_time(self) -> Ints:
        """CLM-22: microseconds covered by earlier lines of the worker; group services are out on both sides."""
        frame = self.frame
        services = frame.service_rows(frame.past("service"))
        in_group = pick(frame.facts.services["group_size_max"].to_numpy(dtype=np.int64), services, BLANK) > 1
        return self._covered(self._workers, np.where(in_group, BLANK, self._past_workers), ~frame.in_group)

    def _covered(self, groups: Ints, past_groups: Ints, compared: Mask) -> Ints:
        frame = self.frame
        return covered_time(
            groups=np.where(frame.timed & compared, groups, BLANK),
            starts=frame.starts_at,
            ends=frame.ends_at,
            earlier=self.earlier,
            past_groups=np.where(frame.past_timed, past_groups, BLANK),
            past_starts=frame.past("starts_at"),
            past_ends=frame.past("ends_at"),
        )

    @cached_property
    def _worker_codes(self) -> Ints:
        return np.unique(np.concatenate([self.frame.worker, self.frame.past("worker")]))

    def _dense(self, workers: Ints) -> Ints:
        return np.where(workers == BLANK, BLANK, np.searchsorted(self._worker_codes, workers))

    @cached_property
    def _workers(self) -> Ints:
        return self._dense(self.frame.worker)

    @cached_property
    def _past_workers(self) -> Ints:
        return self._dense(self.frame.past("worker"))

    @cached_property
    def worker_day(self) -> Ints:
        """CLM-24: microseconds of the worker's service date, earlier lines and this one; 0 where not judged."""
        frame = self.frame
        result = np.zeros(frame.size, dtype=np.int64)
        rows = np.flatnonzero(frame.timed & (self._workers >= 0))
        keys = with_day(self._workers, frame.service_date)[rows]
        counted = np.where(self.earlier[rows], frame.duration[rows], 0)
        past_keys = with_day(self._past_workers, frame.past("service_date"))
        past_time = np.where(frame.past_timed, frame.past("ends_at") - frame.past("starts_at"), 0)
        before = totals_before(keys, counted) + Sums(past_keys, past_time).of(keys)
        result[rows] = before + frame.duration[rows]
        return result

    def units_of(self, covered: Ints) -> Ints:
        """Covered time as units of hour services, rounded up to the granularity."""
        return units_covering(covered, self.frame.granularity)
