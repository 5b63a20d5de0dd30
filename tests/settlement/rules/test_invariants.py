"""What must hold of every month, whatever its rows: balances, no visit twice, the same answer again, back and forth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle.generate import generate, write
from tests.oracle.small import Tables, add_visit
from tests.settlement.rules.package_facts import output_rows
from tests.settlement.rules.test_checks_golden import two_visits

SEEDS = st.integers(0, 10_000)
Folders = pytest.TempPathFactory


@dataclass(frozen=True)
class Decided:
    """A decision with the row that it is about; of a reversal units and sums are taken back."""

    row: dict[str, str]
    units: Decimal
    gross: Decimal
    fee: Decimal
    payable: Decimal


def decided(tables: Tables, folder: Path) -> Iterator[Decided]:
    taken_back = {row["number"]: row.get("reverses", "") for row in tables["claims"]}
    lines = {(row["claim_number"], row["line"]): row for row in tables["claim_lines"]}
    for _run, claim, line, _, units, _, _, _, gross, fee, payable, _outcome in output_rows(write(tables, folder))[
        "adjudications"
    ]:
        sign = -1 if taken_back[claim] else 1
        yield Decided(
            lines[taken_back[claim] or claim, line], sign * Decimal(units), *map(Decimal, (gross, fee, payable))
        )


@settings(max_examples=12, deadline=None)
@given(SEEDS)
def test_no_more_is_used_than_was_issued_and_no_visit_is_paid_twice(tmp_path_factory: Folders, seed: int) -> None:
    tables = generate(seed, lines=60, same_run_reversal=seed % 3 == 0)
    used: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    paid: dict[str, dict[tuple[str, str], Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for one in decided(tables, tmp_path_factory.mktemp("package")):
        used[one.row["certificate_number"], one.row["service_code"]] += one.units
        paid[one.row["redemption_code"]][one.row["claim_number"], one.row["line"]] += one.gross
    issued = {
        (row["certificate_number"], row["service_code"]): Decimal(row["units"]) for row in tables["certificate_lines"]
    }
    assert {key: units for key, units in used.items() if units > issued.get(key, 0)} == {}
    assert {code: rows for code, rows in paid.items() if code and sum(gross > 0 for gross in rows.values()) > 1} == {}


@settings(max_examples=5, deadline=None)
@given(SEEDS)
def test_the_same_facts_give_the_same_answer_again(tmp_path_factory: Folders, seed: int) -> None:
    folder = write(generate(seed, lines=40), tmp_path_factory.mktemp("package"))
    assert output_rows(folder) == output_rows(folder)


visits = st.lists(st.tuples(st.integers(1, 30), st.integers(1, 24)), min_size=1, max_size=14, unique_by=lambda v: v[0])


@settings(max_examples=10, deadline=None)
@given(visits, st.integers(0, 200_000), st.integers(1, 40))
def test_taken_back_and_claimed_again_is_as_it_was(
    tmp_path_factory: Folders, days: list[tuple[int, int]], fee: int, issued: int
) -> None:
    """A reversal gives back fee and balance whole, so that the same visits are decided as the first time."""
    tables = two_visits()
    tables["claim_lines"], tables["redemptions"] = [], []
    tables["fee_assessments"][0]["monthly_limit"] = str(Decimal(fee) / 100)
    tables["certificate_lines"][0]["units"] = str(issued)
    tables["claims"][0]["run"] = "1"
    for day, quarters in days:
        units = Decimal(quarters) / 4
        add_visit(tables, f"2025-11-{day:02d}", units=str(units), unit_rate="95", amount=str(units * 95))
    first = tables["claims"][0]
    tables["claims"] += [
        first | {"number": "A-2", "run": "2", "reverses": "A-1"},
        first | {"number": "A-3", "run": "3"},
    ]
    tables["claim_lines"] += [row | {"claim_number": "A-3"} for row in tables["claim_lines"]]
    sums: dict[str, dict[str, tuple[Decimal, ...]]] = defaultdict(dict)
    net = [Decimal()] * 4
    for one in decided(tables, tmp_path_factory.mktemp("package")):
        figures = (one.units, one.gross, one.fee, one.payable)
        sums[one.row["claim_number"]].setdefault(one.row["line"], figures)
        if one.row["claim_number"] == "A-1":
            net = [was + more for was, more in zip(net, figures, strict=True)]
    assert net == [0, 0, 0, 0]
    assert sums["A-3"] == sums["A-1"]
