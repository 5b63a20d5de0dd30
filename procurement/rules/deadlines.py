"""Deadlines of social orders and contests (SO-UA-1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

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
