"""Deadlines in calendar days, working days and months."""

from __future__ import annotations

from datetime import date

import pytest

from config.periods import WorkingCalendar
from contracts.rules.deadlines import DeadlineRule, deadline
from tests.golden_rows import golden


@pytest.mark.parametrize("row", golden("deadlines"))
def test_golden_deadline(row: dict[str, str]) -> None:
    rule = DeadlineRule("x", int(row["days"]), row["kind"], row["shifts"] == "yes")
    found = deadline(start=date.fromisoformat(row["start"]), rule=rule, calendar=WorkingCalendar())
    assert (found.nominal.isoformat(), found.due.isoformat()) == (row["nominal"], row["due"])


def test_days_off_of_the_calendar_do_not_count() -> None:
    calendar = WorkingCalendar(off=frozenset({date(2025, 11, 10)}), working=frozenset({date(2025, 11, 8)}))
    found = deadline(start=date(2025, 11, 7), rule=DeadlineRule("x", 2, "working"), calendar=calendar)
    assert found.due == date(2025, 11, 11)


def test_unknown_kind_of_days_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown kind"):
        deadline(start=date(2025, 1, 1), rule=DeadlineRule("x", 1, "bank"), calendar=WorkingCalendar())
