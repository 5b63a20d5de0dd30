"""When the papers of a month move: on working days of the following month, at an hour of Kyiv."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from config.accounts.models import Organisation
from config.demo.stage import KYIV
from config.periods import WorkingCalendar, add_months, add_working_days
from contracts.queries import working_calendar

# Working days of the following month.
SUBMITTED, JUDGED, PROPOSED, RELEASED, EXECUTED, ANSWERED, CLOSED = 3, 6, 7, 8, 9, 10, 11


@dataclass(frozen=True)
class MonthDays:
    """The days after a month; the same for every month of the play."""

    month: date
    calendar: WorkingCalendar

    @classmethod
    def of(cls, organisation: Organisation, month: date) -> MonthDays:
        """By the organisation's calendar."""
        return cls(month, working_calendar(organisation))

    def day(self, number: int) -> date:
        """The working day with this number, the first is 1."""
        return add_working_days(add_months(self.month, 1) - timedelta(days=1), number, self.calendar)

    def at(self, number: int, hour: int) -> datetime:
        """An hour of that day."""
        return datetime.combine(self.day(number), time(hour), KYIV)
