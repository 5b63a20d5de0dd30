"""Deadlines of social orders."""

from __future__ import annotations

from datetime import date

import pytest

from config.periods import WorkingCalendar
from contracts.rules.deadlines import DeadlineRule
from procurement.rules.deadlines import (
    OrderDecisionParameters,
    TimetableRules,
    close_after_change,
    order_decision_deadlines,
    timetable,
)
from tests.golden_rows import golden

PARAMETERS = OrderDecisionParameters(3, 1, DeadlineRule("so.decision_days", 30), shifts=True)


@pytest.mark.parametrize("row", golden("order_decision"))
def test_order_decision(row: dict[str, str]) -> None:
    amended = date.fromisoformat(row["amended_on"]) if row["amended_on"] else None
    found = order_decision_deadlines(
        budget_year=int(row["budget_year"]),
        amended_on=amended,
        parameters=PARAMETERS,
        calendar=WorkingCalendar(),
    )
    assert found.fixed.nominal.isoformat() == row["fixed_nominal"]
    assert found.fixed.due.isoformat() == row["fixed_due"]
    assert (found.amendment.nominal.isoformat() if found.amendment else "") == row["amendment_nominal"]
    assert found.governing.nominal.isoformat() == row["governing_nominal"]


def test_timetable_counts_each_step_from_the_one_before() -> None:
    rules = TimetableRules(
        announce_to_close=DeadlineRule("so.announce_to_close_days", 30, shifts=True),
        evaluation=DeadlineRule("so.eval_days", 10, "working"),
        publication=DeadlineRule("so.publish_days", 3, "working"),
        standstill=DeadlineRule("so.standstill_days", 5, "working"),
        contract=DeadlineRule("so.contract_days", 10, "working"),
    )
    found = timetable(announced_on=date(2025, 8, 1), closes_on=None, rules=rules, calendar=WorkingCalendar())
    assert found.earliest_close == date(2025, 9, 1)
    assert found.evaluate_by == date(2025, 9, 15)
    assert found.publish_by == date(2025, 9, 18)
    assert found.standstill_until == date(2025, 9, 25)
    assert found.contract_by == date(2025, 10, 2)


@pytest.mark.parametrize(("changed", "closes"), [(date(2025, 6, 13), 20), (date(2025, 6, 17), 24)])
def test_late_change_of_documents_extends_the_close(changed: date, closes: int) -> None:
    found = close_after_change(closes_on=date(2025, 6, 20), changed_on=changed, min_days=7)
    assert found == date(2025, 6, closes)
