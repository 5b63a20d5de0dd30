"""Half-open date ranges, month windows and working-day calendars. Dates come in as arguments."""

from __future__ import annotations

import calendar as _calendar
from dataclasses import dataclass, field
from datetime import date, timedelta


@dataclass(frozen=True, order=True)
class Period:
    """Days from ``start`` to the day before ``end``; ``end`` None means open."""

    start: date
    end: date | None = None

    def __post_init__(self) -> None:
        if self.end is not None and self.end <= self.start:
            raise ValueError(f"period ends {self.end} before it starts {self.start}")

    def __contains__(self, day: date) -> bool:
        return self.start <= day and (self.end is None or day < self.end)

    @property
    def last_day(self) -> date | None:
        """The last day that counts, as people write it."""
        return None if self.end is None else self.end - timedelta(days=1)


@dataclass(frozen=True)
class WorkingCalendar:
    """Working days of a jurisdiction: Monday to Friday, except ``off`` days, and ``working`` weekends."""

    off: frozenset[date] = field(default_factory=frozenset)
    working: frozenset[date] = field(default_factory=frozenset)

    def is_working(self, day: date) -> bool:
        """Whether offices work on the day."""
        return day in self.working or (day.weekday() < 5 and day not in self.off)


def month_of(day: date) -> date:
    """First day of the month of ``day``."""
    return day.replace(day=1)


def month_end(day: date) -> date:
    """Last day of the month of ``day``."""
    return day.replace(day=_calendar.monthrange(day.year, day.month)[1])


def add_months(day: date, months: int) -> date:
    """The same day ``months`` later, or the last day of that month where it is shorter."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    last = _calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def next_working_day(day: date, calendar: WorkingCalendar) -> date:
    """``day`` itself when it is a working day, else the next one."""
    while not calendar.is_working(day):
        day += timedelta(days=1)
    return day


def add_working_days(day: date, days: int, calendar: WorkingCalendar) -> date:
    """The day on which ``days`` working days after ``day`` have passed; counting starts the day after.

    Source: G-5.
    """
    for _ in range(days):
        day = next_working_day(day + timedelta(days=1), calendar)
    return day


def parse_month(text: str) -> date:
    """First day of a month written ``YYYY-MM``. Raises: ValueError."""
    year, month = text.split("-")
    return date(int(year), int(month), 1)
