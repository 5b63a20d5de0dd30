"""Deadlines of social orders."""

from __future__ import annotations

from datetime import date

import pytest

from config.periods import WorkingCalendar
from contracts.rules.deadlines import DeadlineRule
from procurement.rules.deadlines import (
    OrderDecisionParameters,
    order_decision_deadlines,
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
