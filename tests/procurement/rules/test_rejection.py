"""Grounds for rejection and the fate of a competition."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from procurement.rules.rejection import (
    GROUNDS,
    AdmissionFacts,
    AdmissionParameters,
    admission_grounds,
    competition_fate,
)

CLEAN = AdmissionFacts(
    submitted_at=datetime(2025, 9, 1, 17, tzinfo=UTC),
    closes_at=datetime(2025, 9, 1, 17, tzinfo=UTC),
    registered_on=date(2025, 2, 1),
    announced_on=date(2025, 8, 1),
    in_register=True,
    price=Decimal("96.54"),
    norm_cost=Decimal("96.54"),
    cofinance_percent=Decimal(15),
)
PARAMETERS = AdmissionParameters(min_registered_months=6, cofinance_percent=Decimal(15))


def test_there_are_fifteen_grounds() -> None:
    assert list(GROUNDS) == [f"PRC-REJ-{number}" for number in range(1, 16)]


def test_clean_bid_on_every_bound_is_admitted() -> None:
    assert admission_grounds(facts=CLEAN, parameters=PARAMETERS) == ()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"submitted_at": datetime(2025, 9, 1, 17, 0, 1, tzinfo=UTC)}, "PRC-REJ-1"),
        ({"in_register": False}, "PRC-REJ-3"),
        ({"price": Decimal("96.55")}, "PRC-REJ-6"),
        ({"cofinance_percent": Decimal("14.9999")}, "PRC-REJ-11"),
        ({"registered_on": date(2025, 2, 2)}, "PRC-REJ-13"),
    ],
)
def test_ground(changes: dict[str, object], code: str) -> None:
    facts = replace(CLEAN, **changes)  # type: ignore[arg-type]
    assert admission_grounds(facts=facts, parameters=PARAMETERS) == (code,)


def test_grounds_that_are_not_judged_are_silent() -> None:
    facts = AdmissionFacts(CLEAN.submitted_at, CLEAN.closes_at)
    assert admission_grounds(facts=facts, parameters=AdmissionParameters()) == ()


@pytest.mark.parametrize(
    ("valid", "passes", "single", "reason"),
    [
        (0, False, True, "NO_VALID_BIDS"),
        (1, True, True, ""),
        (1, True, False, "SINGLE_BID"),
        (2, False, True, "UNDER_THRESHOLD"),
    ],
)
def test_fate_of_a_competition(valid: int, passes: bool, single: bool, reason: str) -> None:
    fate = competition_fate(valid_bids=valid, winner_passes=passes, single_bid_allowed=single)
    assert (fate.may_award, fate.reason) == (reason == "", reason)
