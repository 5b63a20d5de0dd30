"""Deadlines counted in calendar or working days (formula DEADLINE, G-5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from config.explanations import Step
from config.periods import WorkingCalendar, add_months, add_working_days, next_working_day

CALENDAR = "calendar"
WORKING = "working"
MONTHS = "months"


@dataclass(frozen=True)
class DeadlineRule:
    """Dated law: how many days of which kind; ``shifts`` moves a day off to the next working day."""

    key: str
    days: int
    kind: str = CALENDAR
    shifts: bool = False


@dataclass(frozen=True)
class Deadline:
    """``nominal`` as the act counts it; ``due`` after the shift. Both are shown."""

    nominal: date
    due: date
    steps: tuple[Step, ...] = ()


def deadline(*, start: date, rule: DeadlineRule, calendar: WorkingCalendar) -> Deadline:
    """The last day of a period that begins with the day after ``start``.

    Source: G-5. Raises: ValueError for an unknown kind of days.
    Example: 30 calendar days after 15.05.2024 -> 14.06.2024.
    """
    return on_day(_count(start, rule, calendar), rule=rule, calendar=calendar, start=start)


def on_day(nominal: date, *, rule: DeadlineRule, calendar: WorkingCalendar, start: date | None = None) -> Deadline:
    """A deadline on a day named by the act itself."""
    due = next_working_day(nominal, calendar) if rule.shifts else nominal
    counted = f"{start:%d.%m.%Y} + {rule.days} {rule.kind}" if start else ""
    steps = [Step("nominal", "Last day as counted", nominal.isoformat(), "date", counted, rule.key)]
    if due != nominal:
        steps.append(Step("due", "Moved to the next working day", due.isoformat(), "date"))
    return Deadline(nominal, due, tuple(steps))


def _count(start: date, rule: DeadlineRule, calendar: WorkingCalendar) -> date:
    if rule.kind == WORKING:
        return add_working_days(start, rule.days, calendar)
    if rule.kind == MONTHS:
        return add_months(start, rule.days)
    if rule.kind == CALENDAR:
        return start + timedelta(days=rule.days)
    raise ValueError(f"unknown kind of days {rule.kind}")
