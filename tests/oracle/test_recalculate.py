"""Hand-made cases of the independent recalculation."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest

from tests.oracle.generate import generate, write
from tests.oracle.generate_findings import GIVEN
from tests.oracle.judged import Result, split
from tests.oracle.lookups import DECIDABLE
from tests.oracle.recalculate import recalculate
from tests.oracle.small import add, add_visit, clean_tables, example_5_2, settle


def taken(result: Result, claim: str = "A-1") -> dict[str, str]:
    """Total amount taken by check."""
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    for row in result.findings:
        if row["claim_number"] == claim:
            amounts[row["check"]] += Decimal(row["amount"])
    return {check: str(amount) for check, amount in sorted(amounts.items())}


def test_worked_example_of_rulebook_5_2(tmp_path: Path) -> None:
    tables = example_5_2()
    # The 5th alone is strictly inside the stay of 4 to 6; the visit on the 3rd comes twice.
    result = settle(tables, tmp_path)
    assert taken(result) == {
        "CLM-12": "190.00",
        "CLM-16": "63.00",
        "CLM-20": "142.50",
        "CLM-21": "0.00",
        "CLM-22": "0.00",
        "CLM-27": "142.50",
    }
    (row,) = result.remittances
    assert row["amount_claimed"] == "2058.00"
    assert (row["gross"], row["fee"], row["payable"]) == ("1520.00", "1278.00", "242.00")


def test_fee_split_by_largest_remainder() -> None:
    weights = [Decimal("712.50"), Decimal("475.00"), Decimal("332.50")]
    parts = split(Decimal("1278.00"), weights)
    assert parts == [Decimal("599.06"), Decimal("399.38"), Decimal("279.56")]
    assert [w - p for w, p in zip(weights, parts, strict=True)] == [
        Decimal("113.44"),
        Decimal("75.62"),
        Decimal("52.94"),
    ]


def test_clean_line_is_accepted_with_the_fee_up_to_its_gross(tmp_path: Path) -> None:
    tables = clean_tables()
    add_visit(tables, "2025-11-03", unit_rate="95")
    result = settle(tables, tmp_path)
    assert result.findings == []
    (row,) = result.adjudications
    assert (row["outcome"], row["gross"], row["fee"]) == ("accepted", "142.50", "142.50")


def test_partial_overlap_takes_only_the_overlapping_hours_rounded_up(tmp_path: Path) -> None:
    tables = clean_tables()
    add_visit(tables, "2025-11-03", "09:00", "10:30", unit_rate="95")
    add_visit(tables, "2025-11-03", "10:10", "11:40", unit_rate="95")
    result = settle(tables, tmp_path)
    found = {row["check"]: (row["units"], row["amount"]) for row in result.findings}
    assert found == {"CLM-21": ("0.500", "47.50"), "CLM-22": ("0.000", "0.00")}


def test_overlaps_chain_through_lines_that_are_themselves_overlapped(tmp_path: Path) -> None:
    tables = clean_tables()
    for start, end in (("09:00", "10:30"), ("10:00", "11:30"), ("11:00", "12:30")):
        add_visit(tables, "2025-11-03", start, end, unit_rate="95")
    result = settle(tables, tmp_path)
    assert [row["units_allowed"] for row in result.adjudications] == ["1.500", "1.000", "1.000"]


def test_rejected_line_spoils_no_good_one(tmp_path: Path) -> None:
    tables = clean_tables()
    add_visit(tables, "2025-11-03", certificate_number="C?", unit_rate="95")
    add_visit(tables, "2025-11-03", "09:30", "11:00", unit_rate="95")
    result = settle(tables, tmp_path)
    assert [row["outcome"] for row in result.adjudications] == ["rejected", "accepted"]
    assert {row["check"] for row in result.findings} == {"CLM-07"}


@pytest.mark.parametrize(
    ("starts_at", "fires"),
    [("2025-11-03T22:30:00+00:00", True), ("2025-11-03T00:00:00+02:00", False)],
)
def test_date_of_a_time_is_that_of_kyiv(tmp_path: Path, starts_at: str, fires: bool) -> None:
    tables = clean_tables()
    add_visit(tables, "2025-11-03", starts_at=starts_at, ends_at="2025-11-04T01:00:00+02:00", unit_rate="95")
    result = settle(tables, tmp_path)
    assert ("CLM-01" in taken(result)) is fires


def test_clearance_lifts_the_pend_in_its_run(tmp_path: Path) -> None:
    tables = clean_tables()
    add_visit(tables, "2025-11-03", redemption_code="", unit_rate="95")
    add(tables, "clearances", run="2", claim_number="A-1", line="1", check="CLM-11")
    tables["claims"][0]["run"] = "1"
    result = settle(tables, tmp_path)
    assert [(row["run"], row["outcome"], row["gross"]) for row in result.adjudications] == [
        ("1", "pended", "0.00"),
        ("2", "accepted", "142.50"),
    ]


def test_claim_without_run_belongs_to_the_run_after_the_numbered_ones(tmp_path: Path) -> None:
    tables = clean_tables()
    add(tables, "claims", **(tables["claims"][0] | {"number": "A-2", "run": "2"}))
    add_visit(tables, "2025-11-03")
    add_visit(tables, "2025-11-04", claim_number="A-2")
    result = settle(tables, tmp_path)
    assert {row["claim_number"]: row["run"] for row in result.adjudications} == {"A-1": "3", "A-2": "2"}


def test_reversal_repeats_with_opposite_amounts_and_frees_what_was_used(tmp_path: Path) -> None:
    tables = clean_tables()
    first = tables["claims"][0] | {"run": "1"}
    tables["claims"] = []
    add(tables, "claims", **first)
    add(tables, "claims", **(first | {"number": "A-2", "run": "2", "reverses": "A-1"}))
    add(tables, "claims", **(first | {"number": "A-3", "run": "2"}))
    add_visit(tables, "2025-11-03", unit_rate="95", certificate_number="C1", redemption_code="V1")
    add_visit(tables, "2025-11-03", unit_rate="95", claim_number="A-3", redemption_code="V1")
    result = settle(tables, tmp_path)
    amounts = [(r["claim_number"], r["gross"], r["fee"], r["payable"]) for r in result.remittances]
    assert amounts == [
        ("A-1", "142.50", "142.50", "0.00"),
        ("A-2", "-142.50", "-142.50", "0.00"),
        ("A-3", "142.50", "142.50", "0.00"),
    ]
    assert result.findings == []


def test_december_claims_stop_in_january(tmp_path: Path) -> None:
    tables = clean_tables()
    tables["claims"][0] |= {"period": "2025-12", "submitted_at": "2026-01-15T23:30:00+00:00"}
    add_visit(tables, "2025-12-03", unit_rate="95")
    # Half past eleven in UTC is already the 16th in Kyiv.
    assert taken(settle(tables, tmp_path)) == {"CLM-32": "142.50"}


@pytest.mark.parametrize("seed", range(12))
def test_order_of_rows_changes_nothing(tmp_path: Path, seed: int) -> None:
    tables = generate(seed)
    forward = recalculate(write(tables, tmp_path / "a"))
    backward = recalculate(write({name: rows[::-1] for name, rows in tables.items()}, tmp_path / "b"))
    assert vars(forward) == vars(backward)


def test_generator_is_deterministic() -> None:
    assert generate(7) == generate(7)


def test_random_packages_reach_every_check(tmp_path: Path) -> None:
    seen = set()
    for seed in range(60):
        seen |= {row["check"] for row in recalculate(write(generate(seed), tmp_path / str(seed))).findings}
    assert seen >= DECIDABLE and set(GIVEN) <= seen
