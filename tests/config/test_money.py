"""Rounding and splitting: worked examples and properties."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import money

amounts = st.integers(min_value=-10**12, max_value=10**12).map(lambda n: D(n).scaleb(-2))
weights = st.lists(st.integers(min_value=0, max_value=10**9), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("value", "expected"), [("1.005", "1.01"), ("-1.005", "-1.01"), ("8.125", "8.13"), ("53.985", "53.99")]
)
def test_half_goes_away_from_zero(value: str, expected: str) -> None:
    assert money.round_half_up(D(value)) == D(expected)


def test_a_ceiling_never_rounds_up() -> None:
    assert money.round_down(D("62.495")) == D("62.49")


def test_the_fee_example_of_the_rule_book() -> None:
    parts = money.split_by_largest_remainder(D("1278.00"), [D("712.50"), D("475.00"), D("332.50")])
    assert parts == [D("599.06"), D("399.38"), D("279.56")]


def test_the_shares_of_the_2005_application_are_the_published_ones() -> None:
    assert money.percent_shares([1300, 100, 268, 1500]) == [D("41.03"), D("3.16"), D("8.46"), D("47.35")]


def test_five_organisations_over_three_years() -> None:
    parts = money.split_by_largest_remainder(D("2600000.00"), [1] * 15)
    assert sorted(set(parts)) == [D("173333.33"), D("173333.34")]
    assert parts.count(D("173333.34")) == 5


@given(total=amounts, shares=weights)
def test_parts_equal_the_whole_and_stay_within_a_kopiyka(total: D, shares: list[int]) -> None:
    if sum(shares) == 0:
        return
    parts = money.split_by_largest_remainder(total, shares)
    assert sum(parts) == total
    for part, share in zip(parts, shares, strict=True):
        assert abs(part - total * share / sum(shares)) < D("0.01") + D("1e-9")


def test_nothing_to_share_over_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to share"):
        money.split_by_largest_remainder(D("1.00"), [0, 0])


@pytest.mark.parametrize("value", ["0.001", "10.005"])
def test_minor_units_refuse_a_third_place(value: str) -> None:
    with pytest.raises(ValueError, match="more than 2"):
        money.to_minor(D(value))


@given(amounts)
def test_minor_units_come_back(value: D) -> None:
    assert money.from_minor(money.to_minor(value)) == value
