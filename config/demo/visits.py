"""Timetables of the demo: who visits whom, when. No two visits of a worker or a recipient overlap by themselves;
faults are planted afterwards, where they are wanted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

KYIV = ZoneInfo("Europe/Kyiv")

# Five visits of an hour and a half a day, with a quarter of an hour for the way.
HOME_STARTS = (time(8, 0), time(9, 45), time(11, 30), time(13, 15), time(15, 0))
WEEKDAYS = (frozenset({0, 2, 4}), frozenset({1, 3, 5}))
RECIPIENTS_PER_WORKER = len(HOME_STARTS) * len(WEEKDAYS)


@dataclass(frozen=True)
class Visit:
    """A visit as it happened. ``units`` in the unit of the service."""

    recipient: str
    worker: str
    service: str
    starts_at: datetime
    ends_at: datetime
    units: Decimal

    @property
    def day(self) -> date:
        """Service date."""
        return self.starts_at.date()


def days_between(first: date, last: date) -> Iterator[date]:
    """Every day from first to last, both included."""
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)


def home_visits(
    *,
    recipients: Sequence[str],
    workers: Sequence[str],
    service: str,
    first: date,
    last: date,
    hours: Decimal = Decimal("1.5"),
) -> Iterator[Visit]:
    """Three visits a week to each recipient; ten recipients to a worker. Ordered by recipient, then day."""
    for index, recipient in enumerate(recipients):
        worker = workers[index // RECIPIENTS_PER_WORKER]
        seat = index % RECIPIENTS_PER_WORKER
        weekdays, start = WEEKDAYS[seat % 2], HOME_STARTS[seat // 2]
        for day in days_between(first, last):
            if day.weekday() in weekdays:
                yield _visit(recipient, worker, service, day, start, hours, hours)


def day_visits(*, recipients: Iterable[str], worker: str, service: str, first: date, last: date) -> Iterator[Visit]:
    """Day care on every weekday, the group of the day together from nine to five; a day counts one unit."""
    for recipient in recipients:
        for day in days_between(first, last):
            if day.weekday() < 5:
                yield _visit(recipient, worker, service, day, time(9, 0), Decimal(8), Decimal(1))


def single_visits(
    *,
    recipients: Sequence[str],
    workers: Sequence[str],
    service: str,
    first: date,
    last: date,
    weekdays: frozenset[int],
    minutes: int = 45,
) -> Iterator[Visit]:
    """Visits counted as one unit each, on the given weekdays, eight an hour grid from nine o'clock per worker."""
    per_worker = 8
    for index, recipient in enumerate(recipients):
        worker = workers[index // per_worker]
        start = time(9 + index % per_worker, 0)
        for day in days_between(first, last):
            if day.weekday() in weekdays:
                yield _visit(recipient, worker, service, day, start, Decimal(minutes) / 60, Decimal(1))


def stays(*, recipients: Iterable[str], worker: str, service: str, first: date, last: date) -> Iterator[Visit]:
    """Every day of the month in a house; a day counts one unit."""
    for recipient in recipients:
        for day in days_between(first, last):
            yield _visit(recipient, worker, service, day, time(0, 0), Decimal(24), Decimal(1))


def _visit(recipient: str, worker: str, service: str, day: date, start: time, hours: Decimal, units: Decimal) -> Visit:
    starts_at = datetime.combine(day, start, KYIV)
    return Visit(recipient, worker, service, starts_at, starts_at + timedelta(hours=float(hours)), units)
