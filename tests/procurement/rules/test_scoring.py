"""Scoring of rulebook 3.4: parts, ranking, ties, threshold, rejected bids."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procurement.rules.scoring import (
    BidFacts,
    CriterionRule,
    ScoringParameters,
    mean_of_members,
    score_bids,
)
from tests.golden_rows import golden, number, numbers

JUDGED = ("compliance", "finance", "experience", "staff")
CRITERIA = (
    CriterionRule("compliance", Decimal(10), must=True),
    CriterionRule("finance", Decimal(10)),
    CriterionRule("experience", Decimal(20), breaks_ties=True),
    CriterionRule("staff", Decimal(20)),
    CriterionRule("recipients", Decimal(10), "volume"),
    CriterionRule("price", Decimal(30), "price"),
)
PARAMETERS = ScoringParameters(CRITERIA, Decimal(5), Decimal(60), Decimal("96.54"))
MEMBERS = ("m1", "m2", "m3", "m4", "m5")
NOON = datetime(2025, 9, 1, 12, tzinfo=UTC)


def bid_of(row: dict[str, str], number_: int) -> BidFacts:
    marks = tuple((code, tuple((member, Decimal(row[code])) for member in MEMBERS)) for code in JUDGED)
    return BidFacts(
        row["bid"],
        NOON + timedelta(hours=number_),
        Decimal(row["price"]),
        Decimal(row["recipients"]),
        marks,
        row["rejected"],
    )


def competitions() -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    for parameter in golden("scoring"):
        row = parameter.values[0]
        found.setdefault(row["case"], []).append(row)
    return found


@pytest.mark.parametrize("case", competitions())
def test_competition(case: str) -> None:
    rows = competitions()[case]
    outcome = score_bids(bids=[bid_of(row, index) for index, row in enumerate(rows)], parameters=PARAMETERS)
    scored = {bid.code: bid for bid in outcome.bids}
    for row in rows:
        bid = scored[row["bid"]]
        assert [part.points for part in bid.parts] == numbers(row["parts"])
        assert (bid.total, bid.rank) == (number(row["total"]), number(row["rank"]))
        assert row["reason"] == (bid.rejected or ",".join(bid.fails))


def test_winner_of_the_rulebook_and_nobody_under_the_threshold() -> None:
    rows = competitions()
    outcome = score_bids(bids=[bid_of(row, 0) for row in rows["rulebook 3.4"]], parameters=PARAMETERS)
    assert outcome.winner == "A"
    assert score_bids(bids=[bid_of(rows["under the threshold"][0], 0)], parameters=PARAMETERS).winner is None


def example(code: str, price: str, mark: int = 5, hours: int = 0) -> BidFacts:
    marks = tuple((name, tuple((member, Decimal(mark)) for member in MEMBERS)) for name in JUDGED)
    return BidFacts(code, NOON + timedelta(hours=hours), Decimal(price), Decimal(100), marks)


def test_complete_tie_goes_to_the_earlier_bid() -> None:
    bids = [example("late", "80.00", hours=2), example("early", "80.00", hours=1)]
    assert score_bids(bids=bids, parameters=PARAMETERS).winner == "early"


def test_marks_of_a_conflicted_member_do_not_count() -> None:
    marks = (("compliance", (("m1", Decimal(5)), ("m2", Decimal(0)))),)
    bid = BidFacts("A", NOON, scores=marks)
    assert mean_of_members(bid=bid, criterion="compliance") == Decimal("2.50")
    assert mean_of_members(bid=bid, criterion="compliance", excluded=frozenset({"m2"})) == Decimal("5.00")


def test_bid_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="no mark"):
        score_bids(bids=[replace(example("A", "80.00"), scores=())], parameters=PARAMETERS)


@given(
    st.lists(st.tuples(st.decimals(60, 96, places=2), st.integers(0, 5)), min_size=1, max_size=5),
    st.decimals("96.55", 200, places=2),
)
def test_rejected_bid_changes_nobody_else(rows: list[tuple[Decimal, int]], refused_price: Decimal) -> None:
    bids = [example(f"b{index}", str(price), mark, index) for index, (price, mark) in enumerate(rows)]
    without = score_bids(bids=bids, parameters=PARAMETERS)
    refused = replace(example("X", str(refused_price)), recipients=Decimal(10000))
    assert score_bids(bids=[*bids, refused], parameters=PARAMETERS).bids[:-1] == without.bids


@given(st.lists(st.tuples(st.decimals(1, 96, places=2), st.integers(0, 5)), min_size=1, max_size=5))
def test_points_stay_within_their_weights_and_order_does_not_matter(rows: list[tuple[Decimal, int]]) -> None:
    bids = [example(f"b{index}", str(price), mark, index) for index, (price, mark) in enumerate(rows)]
    outcome = score_bids(bids=bids, parameters=PARAMETERS)
    weights = {criterion.code: criterion.weight for criterion in CRITERIA}
    for bid in outcome.bids:
        assert all(0 <= part.points <= weights[part.criterion] for part in bid.parts)
    assert score_bids(bids=list(reversed(bids)), parameters=PARAMETERS) == outcome
