"""Validity, units and reservation of certificates."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.golden_rows import golden
from vouchers.rules.entitlement import (
    EntitledService,
    FeeTerms,
    certificate_validity,
    expected_reservation,
    kept_for_used_units,
)


def _services(text: str) -> list[EntitledService]:
    rows = [row.split(":") for row in text.split(";")]
    return [EntitledService(code, Decimal(units), Decimal(rate), free == "yes") for code, units, rate, free in rows]


@pytest.mark.parametrize("row", golden("certificate_reservation"))
def test_golden(row: dict[str, str]) -> None:
    first_day = date.fromisoformat(row["first_day"])
    period = certificate_validity(
        first_day=first_day,
        months_max=12,
        plan_end=date.fromisoformat(row["plan_end"]) if row["plan_end"] else None,
        budget_year=first_day.year,
    )
    assert period is not None and period.last_day == date.fromisoformat(row["valid_until"])
    limit = Decimal(row["limit"]) if row["limit"] else None
    outcome = expected_reservation(period=period, services=_services(row["services"]), fee=FeeTerms(row["mode"], limit))
    assert (outcome.months, outcome.total) == (int(row["months"]), Decimal(row["reserved"]))
    assert [line.units for line in outcome.lines] == [Decimal(units) for units in row["units"].split(";")]
    assert outcome.steps[-1].value == row["reserved"]


def test_nothing_is_left_of_the_plan_or_the_year() -> None:
    day = date(2025, 12, 1)
    assert certificate_validity(first_day=day, months_max=12, plan_end=day, budget_year=2025) is None
    assert certificate_validity(first_day=day, months_max=12, plan_end=None, budget_year=2024) is None


money = st.decimals(min_value=0, max_value=10**6, places=2)
units = st.integers(1, 400).map(lambda quarters: Decimal(quarters) / 4)


@given(units, money, st.sampled_from("FDC"), money)
def test_the_budget_never_pays_more_than_the_cost(volume: Decimal, rate: Decimal, mode: str, limit: Decimal) -> None:
    period = certificate_validity(first_day=date(2025, 11, 1), months_max=12, plan_end=None, budget_year=2025)
    assert period is not None
    services = [EntitledService("A", volume, rate), EntitledService("B", volume, rate, True)]
    outcome = expected_reservation(period=period, services=services, fee=FeeTerms(mode, limit))
    free = expected_reservation(period=period, services=services, fee=FeeTerms("F"))
    assert 0 <= outcome.total <= free.total
    assert outcome.total == sum(line.budget for line in outcome.lines)
    assert outcome.lines[1].budget == free.lines[1].budget


def test_what_used_units_keep_rounds_up_and_never_exceeds_the_line() -> None:
    assert kept_for_used_units(expected_minor=100_000, issued_milli=60_000, used_milli=20_000) == 33_334
    assert kept_for_used_units(expected_minor=100_000, issued_milli=60_000, used_milli=90_000) == 100_000
    assert kept_for_used_units(expected_minor=100_000, issued_milli=60_000, used_milli=-5) == 0
