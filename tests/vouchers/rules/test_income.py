"""Average income: windows, spreading, imputation, rounding."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.periods import add_months
from tests.golden_rows import golden, number
from vouchers.rules.income import (
    FamilyMember,
    IncomeParameters,
    IncomeRecord,
    average_income,
    income_window,
)


def month(text: str) -> date:
    year, number_ = text.split("-")
    return date(int(year), int(number_), 1)


def record(cell: str) -> IncomeRecord:
    """``amount@month``, ``amount@month*months``; a minus sign marks an income that does not count."""
    amount, when = cell.split("@")
    first, _, months = when.partition("*")
    return IncomeRecord(Decimal(amount.lstrip("-")), month(first), int(months or 1), not amount.startswith("-"))


def member(cell: str, index: int) -> FamilyMember:
    flags, _, incomes = cell.partition("=")
    names = set(flags.split("+"))
    return FamilyMember(
        f"member {index}",
        is_recipient="recipient" in names,
        is_minor="minor" in names,
        able_bodied="able" in names,
        registered_unemployed="unemployed" in names,
        statement_missing="missing" in names,
        incomes=tuple(record(part) for part in incomes.split(";") if part),
    )


@pytest.mark.parametrize("row", golden("income_windows"))
def test_window(row: dict[str, str]) -> None:
    window = income_window(application_date=date.fromisoformat(row["application"]), rule=row["rule"])
    assert (window.start.isoformat(), str(window.last_day)) == (row["first_day"], row["last_day"])


def test_unknown_window_rule_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown income window"):
        income_window(application_date=date(2025, 1, 1), rule="LAST_WEEK")


@pytest.mark.parametrize("row", golden("income_average"))
def test_average(row: dict[str, str]) -> None:
    outcome = average_income(
        application_date=date.fromisoformat(row["application"]),
        members=[member(cell, index) for index, cell in enumerate(row["members"].split("|"), 1)],
        parameters=IncomeParameters(row["rule"], number(row["unable_floor"]), number(row["able_floor"])),
    )
    found = (outcome.total, outcome.month_average, outcome.per_member)
    assert found == (number(row["total"]), number(row["month"]), number(row["member"]))


def test_missing_statement_names_the_member_and_computes_nothing() -> None:
    members = [FamilyMember("Olena", is_recipient=True), FamilyMember("Petro", statement_missing=True)]
    outcome = average_income(
        application_date=date(2025, 6, 1),
        members=members,
        parameters=IncomeParameters("QUARTER", Decimal(2361), Decimal(8000)),
    )
    assert outcome.missing == ("Petro",)
    assert outcome.per_member is None


def test_imputed_months_are_listed_with_the_known_income() -> None:
    spouse = FamilyMember("spouse", able_bodied=True, incomes=(IncomeRecord(Decimal(500), date(2025, 2, 1)),))
    outcome = average_income(
        application_date=date(2025, 6, 1),
        members=[FamilyMember("child", is_recipient=True, is_minor=True), spouse],
        parameters=IncomeParameters("QUARTER", Decimal(2361), Decimal(8000)),
    )
    assert [(row.month.month, row.known, row.imputed) for row in outcome.imputed] == [
        (1, Decimal("0.00"), Decimal(8000)),
        (2, Decimal("500.00"), Decimal(8000)),
        (3, Decimal("0.00"), Decimal(8000)),
    ]


def test_nobody_is_no_family() -> None:
    with pytest.raises(ValueError, match="at least one"):
        average_income(
            application_date=date(2025, 6, 1),
            members=[],
            parameters=IncomeParameters("QUARTER"),
        )


@given(st.dates(date(2022, 7, 1), date(2030, 12, 31)))
def test_quarter_window_is_a_calendar_quarter_that_ended_before_the_previous_month(day: date) -> None:
    window = income_window(application_date=day, rule="QUARTER")
    assert window.end is not None
    assert window.start.month in (1, 4, 7, 10)
    assert add_months(window.start, 3) == window.end
    assert window.end <= add_months(day.replace(day=1), -1) < add_months(window.end, 3)


@given(st.lists(st.decimals(0, 90000, places=2), min_size=1, max_size=4), st.integers(1, 12))
def test_spreading_keeps_the_sum(amounts: list[Decimal], months: int) -> None:
    """Income spread inside a window of twelve months counts in full, whatever the number of months."""
    records = tuple(IncomeRecord(amount, date(2024, 2, 1), months) for amount in amounts)
    outcome = average_income(
        application_date=date(2025, 3, 15),
        members=[FamilyMember("one", incomes=records)],
        parameters=IncomeParameters("TWELVE_MONTHS_BEFORE_PREVIOUS_MONTH"),
    )
    assert outcome.total == sum(amounts)
