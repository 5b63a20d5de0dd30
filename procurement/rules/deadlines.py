"""Deadlines of social orders and contests (rulebook 3.1, 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from config.periods import WorkingCalendar
from contracts.rules.deadlines import Deadline, DeadlineRule, deadline, on_day


@dataclass(frozen=True)
class OrderDecisionParameters:
    """Dated law: the fixed day of the budget year, and the days after an amendment of the budget."""

    month: int
    day: int
    after_amendment: DeadlineRule
    shifts: bool


@dataclass(frozen=True)
class OrderDecisionDeadlines:
    """Both candidates are shown; ``governing`` is the amendment's for money that the amendment added."""

    fixed: Deadline
    amendment: Deadline | None

    @property
    def governing(self) -> Deadline:
        """The deadline that binds this decision."""
        return self.amendment or self.fixed


def order_decision_deadlines(
    *,
    budget_year: int,
    amended_on: date | None,
    parameters: OrderDecisionParameters,
    calendar: WorkingCalendar,
) -> OrderDecisionDeadlines:
    """Last day to decide on a social order: 1 March, or 30 calendar days after the budget was amended.

    Formula id: SO-UA-1/1. Source: SO-UA-1.
    Example: amended 10.02.2024 -> 11.03.2024; 2025 without amendment -> 01.03.2025, a Saturday, due
    03.03.2025.
    """
    fixed_rule = DeadlineRule("so.decision_deadline", 0, shifts=parameters.shifts)
    fixed = on_day(date(budget_year, parameters.month, parameters.day), rule=fixed_rule, calendar=calendar)
    if amended_on is None:
        return OrderDecisionDeadlines(fixed, None)
    after = deadline(start=amended_on, rule=parameters.after_amendment, calendar=calendar)
    return OrderDecisionDeadlines(fixed, after)


@dataclass(frozen=True)
class TimetableRules:
    """Dated law of one procedure, in the order of its steps."""

    announce_to_close: DeadlineRule
    evaluation: DeadlineRule
    publication: DeadlineRule
    standstill: DeadlineRule
    contract: DeadlineRule


@dataclass(frozen=True)
class Timetable:
    """Days of a competition: earliest close, last days to evaluate and publish, standstill over, contract by."""

    earliest_close: date
    evaluate_by: date
    publish_by: date
    standstill_until: date
    contract_by: date


def timetable(
    *, announced_on: date, closes_on: date | None, rules: TimetableRules, calendar: WorkingCalendar
) -> Timetable:
    """Whole timetable of a competition; the later steps count from ``closes_on`` when it is already fixed."""
    earliest = deadline(start=announced_on, rule=rules.announce_to_close, calendar=calendar).due
    close = closes_on or earliest
    evaluate = deadline(start=close, rule=rules.evaluation, calendar=calendar).due
    publish = deadline(start=evaluate, rule=rules.publication, calendar=calendar).due
    standstill = deadline(start=publish, rule=rules.standstill, calendar=calendar).due
    contract = deadline(start=publish, rule=rules.contract, calendar=calendar).due
    return Timetable(earliest, evaluate, publish, standstill, contract)


def close_after_change(*, closes_on: date, changed_on: date, min_days: int) -> date:
    """Close of a competition whose documents changed: at least ``min_days`` calendar days remain to answer.

    Source: so.amend_docs_min_days. Example: close 20.06, change 17.06, 7 days -> 24.06.
    """
    return max(closes_on, changed_on + timedelta(days=min_days))
