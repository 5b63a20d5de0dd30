"""Sharing a demand or a fund among ranked offers; votes; minimum steps."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procurement.rules.awards import (
    GrantRequest,
    RankedOffer,
    award_fund,
    award_quantities,
    min_step,
)
from tests.golden_rows import case_file, checked


def test_winner_gets_its_capacity_and_the_next_the_remainder() -> None:
    offers = [
        RankedOffer("A", Decimal(120), Decimal("85.00")),
        RankedOffer("B", Decimal(90), Decimal("78.50")),
        RankedOffer("C", Decimal(50), Decimal("90.00")),
    ]
    outcome = award_quantities(offers=offers, demand=Decimal(150))
    assert [(row.code, row.quantity, row.amount) for row in outcome.allocations] == [
        ("A", 120, Decimal("10200.00")),
        ("B", 30, Decimal("2355.00")),
    ]
    assert outcome.left == 0


def test_uncovered_demand_is_reported() -> None:
    assert award_quantities(offers=[RankedOffer("A", Decimal(5))], demand=Decimal(8)).left == 3


@pytest.mark.parametrize(
    ("partial_allowed", "accepts", "amounts", "left"),
    [(True, True, [60, 40], 0), (True, False, [60], 40), (False, True, [60], 40)],
)
def test_last_winner_may_receive_the_remainder(
    partial_allowed: bool, accepts: bool, amounts: list[int], left: int
) -> None:
    requests = [
        GrantRequest("A", Decimal(60)),
        GrantRequest("B", Decimal(50), accepts),
        GrantRequest("C", Decimal(10)),
    ]
    outcome = award_fund(requests=requests, fund=Decimal(100), partial_allowed=partial_allowed)
    assert [row.quantity for row in outcome.allocations] == amounts
    assert outcome.left == left


def test_fund_of_published_contest_is_used_in_rank_order() -> None:
    case = case_file("ua-chernivtsi-2010-social-projects")
    grants = [Decimal(amount) for amount in checked(case["items"][0]["grants"])]
    requests = [GrantRequest(str(index), amount) for index, amount in enumerate(grants)]
    outcome = award_fund(requests=requests, fund=Decimal(case["items"][0]["nomination_sum"]), partial_allowed=False)
    assert len(outcome.allocations) == len(grants) and outcome.left == 0


@given(st.lists(st.decimals(1, 1000, places=2), max_size=8), st.decimals(0, 3000, places=2))
def test_shares_never_exceed_the_whole(capacities: list[Decimal], demand: Decimal) -> None:
    offers = [RankedOffer(str(index), capacity) for index, capacity in enumerate(capacities)]
    outcome = award_quantities(offers=offers, demand=demand)
    assert sum((row.quantity for row in outcome.allocations), outcome.left) == demand
    assert outcome.left >= 0


def test_published_minimum_steps() -> None:
    for item in checked(case_file("ua-prozorro-min-step-a")["items"]):
        step = min_step(lot_value=Decimal(item["value"]), percent=Decimal(item["percent"]))
        assert step == Decimal(item["step"])
