"""Half-open periods and working days."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import strategies as st

from config.periods import (
    Period,
    WorkingCalendar,
    add_months,
    add_working_days,
    next_working_day,
)

days = st.dates(min_value=date(2019, 1, 1), max_value=date(2030, 12, 31))


def test_the_end_does_not_belong_to_the_period() -> None:
    november = Period(date(2025, 11, 1), date(2025, 12, 1))
    assert date(2025, 11, 30) in november
    assert date(2025, 12, 1) not in november
    assert november.last_day == date(2025, 11, 30)


def test_an_empty_period_is_refused() -> None:
    with pytest.raises(ValueError, match="ends"):
        Period(date(2025, 1, 1), date(2025, 1, 1))


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2015, 6, 1), 35, date(2018, 5, 1)),
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2025, 3, 31), -1, date(2025, 2, 28)),
    ],
)
def test_months_are_added_by_the_calendar(day: date, months: int, expected: date) -> None:
    assert add_months(day, months) == expected


def test_the_first_of_march_moves_to_monday() -> None:
    plain = WorkingCalendar()
    assert next_working_day(date(2025, 3, 1), plain) == date(2025, 3, 3)
    assert next_working_day(date(2026, 3, 1), plain) == date(2026, 3, 2)


def test_working_days_skip_days_off_and_count_working_weekends() -> None:
    calendar = WorkingCalendar(off=frozenset({date(2025, 12, 25)}), working=frozenset({date(2025, 12, 27)}))
    assert add_working_days(date(2025, 12, 23), 3, calendar) == date(2025, 12, 27)
