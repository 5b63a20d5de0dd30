"""Properties of a run: the waterfall's identity, the order of rows, the independent recalculation."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from settlement.rules.adjudicate import adjudicate
from settlement.rules.facts import Facts
from settlement.rules.integers import share_out, units_covering, value_of, write_details
from settlement.rules.lookup import InForce
from settlement.rules.overlaps import covered_time, first_earlier
from settlement.rules.parameters import parse_parameters
from tests.oracle.generate import generate, write
from tests.oracle.recalculate import recalculate
from tests.oracle.small import add, add_visit
from tests.settlement.rules.differential import differences
from tests.settlement.rules.package_facts import Package, Play, output_rows
from tests.settlement.rules.test_checks_golden import two_visits

SEEDS = st.integers(0, 10_000)


@pytest.mark.parametrize("seed", range(700, 712))
def test_engine_agrees_with_the_independent_recalculation(seed: int, tmp_path: Path) -> None:
    write(generate(seed, lines=50, same_run_reversal=seed % 3 == 0), tmp_path)
    assert differences(tmp_path) == []


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_prices_from_one_day_the_written_day_counts(tmp_path: Path, turned: bool) -> None:
    tables = two_visits()
    blank = tables["contract_lines"][0] | {"valid_from": "", "unit_rate": "60.00"}
    dated = blank | {"valid_from": tables["contracts"][0]["valid_from"], "unit_rate": "50.00"}
    tables["contract_lines"] = [dated, blank] if turned else [blank, dated]
    write(tables, tmp_path)
    assert differences(tmp_path) == []
    assert {row["rate_allowed"] for row in recalculate(tmp_path).adjudications} == {"50.0000"}


@settings(max_examples=8, deadline=None)
@given(SEEDS)
def test_every_line_adds_up(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    folder = write(generate(seed, lines=40), tmp_path_factory.mktemp("package"))
    for _, _, result in Play(Package(folder)).play():
        lines = result.adjudications
        assert (lines["amount_claimed"] == lines["reductions"] + lines["pended"] + lines["gross"]).all()
        judged = lines[lines["reversal"] == 0]
        assert (judged["fee"] >= 0).all() and (judged["payable"] >= 0).all()
        assert (result.remittances["payable"].sum()) == lines["payable"].sum()


@settings(max_examples=5, deadline=None)
@given(SEEDS)
def test_order_of_rows_changes_nothing(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    tables = generate(seed, lines=40)
    first = output_rows(write(tables, tmp_path_factory.mktemp("package")))
    for rows in tables.values():
        random.Random(seed).shuffle(rows)
    assert output_rows(write(tables, tmp_path_factory.mktemp("shuffled"))) == first


def shuffled(facts: Facts) -> Facts:
    """The same facts, rows in another order."""
    tables = {name: table.sample(frac=1, random_state=5) for name, table in vars(facts).items()}
    return replace(facts, **tables)


def test_equal_facts_give_equal_tables(tmp_path: Path) -> None:
    play = Play(Package(write(generate(3, lines=40), tmp_path)))
    period, run = next(play.runs())
    facts, parameters = play.facts(period, run, run), play.package.parameters()
    first, again = (adjudicate(given, parameters=parameters) for given in (facts, shuffled(facts)))
    for name in ("adjudications", "findings", "remittances"):
        pd.testing.assert_frame_equal(getattr(first, name), getattr(again, name), check_categorical=False)


def test_clearance_and_reversal_free_and_take_back(tmp_path: Path) -> None:
    tables = two_visits()
    tables["redemptions"][0]["status"] = "authorised"
    tables["claims"][0]["run"] = "1"
    add(
        tables,
        "clearances",
        run="2",
        claim_number="A-1",
        line="1",
        check="CLM-11",
        decided_by="x",
        reason="y",
    )
    reversing = tables["claims"][0] | {"number": "A-2", "run": "3", "reverses": "A-1"}
    add(tables, "claims", **reversing)
    outcomes = [
        (row[0], row[1], row[2], row[8], row[-1]) for row in output_rows(write(tables, tmp_path))["adjudications"]
    ]
    assert outcomes == [
        ("1", "A-1", "1", "0.00", "pended"),
        ("1", "A-1", "2", "142.50", "accepted"),
        ("2", "A-1", "1", "142.50", "accepted"),
        ("3", "A-2", "1", "0.00", "pended"),
        ("3", "A-2", "1", "-142.50", "accepted"),
        ("3", "A-2", "2", "-142.50", "accepted"),
    ]


def test_chained_overlaps_take_the_union(tmp_path: Path) -> None:
    tables = two_visits()
    for start, end in (("10:00", "11:30"), ("11:00", "12:30"), ("09:30", "12:00")):
        add_visit(tables, "2025-11-03", start, end, unit_rate="95")
    found = [r for r in output_rows(write(tables, tmp_path))["findings"] if r[3] == "CLM-21"]
    # In time order: 09:00-10:30 free; 09:30-12:00 loses 1.0; 10:00-11:30 lies inside; 11:00-12:30 loses 1.0.
    assert [(r[2], r[5]) for r in found] == [("3", "1.500"), ("4", "1.000"), ("5", "1.000")]


def test_fee_is_shared_by_largest_remainder() -> None:
    pools, weights = np.full(3, 127_800), np.array([71_250, 47_500, 33_250])
    assert share_out(pools, weights, np.zeros(3, dtype=np.int64)).tolist() == [59_906, 39_938, 27_956]


@given(st.lists(st.integers(1, 10**13), min_size=1, max_size=6), st.integers(0, 100))
def test_shares_equal_the_pool_and_exceed_no_weight(weights: list[int], percent: int) -> None:
    pool = sum(weights) * percent // 100
    shares = share_out(np.full(len(weights), pool), np.array(weights), np.zeros(len(weights), dtype=np.int64))
    assert shares.sum() == pool
    assert all(0 <= share <= weight for share, weight in zip(shares.tolist(), weights, strict=True))


@given(st.integers(1, 10**10), st.integers(1, 10**10))
def test_value_is_exact_for_any_size(units: int, rate: int) -> None:
    assert value_of(np.array([units]), np.array([rate])).tolist() == [(2 * units * rate + 100_000) // 200_000]


def test_hours_round_up_to_the_granularity() -> None:
    minutes = np.array([0, 1, 30, 31]) * 60_000_000
    assert units_covering(minutes, np.full(4, 500)).tolist() == [0, 500, 500, 1000]


intervals = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 30), st.integers(1, 12), st.booleans()), max_size=8)


@given(intervals, intervals)
def test_covered_time_is_the_union_of_earlier_times(
    now: list[tuple[int, int, int, bool]], past: list[tuple[int, int, int, bool]]
) -> None:
    now = sorted(now, key=lambda row: row[1])
    columns = [np.array([row[i] for row in now], dtype=np.int64) for i in range(3)]
    gone = [np.array([row[i] for row in past], dtype=np.int64) for i in range(3)]
    result = covered_time(
        groups=columns[0],
        starts=columns[1],
        ends=columns[1] + columns[2],
        earlier=np.array([row[3] for row in now], dtype=bool),
        past_groups=gone[0],
        past_starts=gone[1],
        past_ends=gone[1] + gone[2],
    )
    for at, (group, start, length, _) in enumerate(now):
        others = [(s, s + n) for g, s, n, e in now[:at] if g == group and e]
        others += [(s, s + n) for g, s, n, _ in past if g == group]
        covered = [t for t in range(start, start + length) if any(s <= t < e for s, e in others)]
        assert result[at] == len(covered)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.booleans()), max_size=9), st.integers(0, 9))
def test_first_earlier_names_the_first_equal_row(rows: list[tuple[int, int, bool]], past_size: int) -> None:
    past, now = rows[:past_size], rows[past_size:]
    found = first_earlier(
        [np.array([row[i] for row in now], dtype=np.int64) for i in (0, 1)],
        [np.array([row[i] for row in past], dtype=np.int64) for i in (0, 1)],
        np.ones(len(now), dtype=bool),
        np.array([row[2] for row in now], dtype=bool),
    )
    for at, row in enumerate(now):
        before = [(i, r) for i, r in enumerate(rows[: len(past) + at]) if i < len(past) or r[2]]
        equal = [i for i, r in before if r[:2] == row[:2]]
        assert found[at] == (equal[0] if equal else -1)


def test_later_start_is_in_force_where_rows_overlap() -> None:
    register = InForce(np.array([7, 7, 8]), np.array([0, 10, 0]), np.array([100, 20, 5]))
    keys, days = np.array([7, 7, 7, 8, 8]), np.array([9, 10, 21, 5, 6])
    assert register.find(keys, days).tolist() == [0, 1, 0, 2, -1]


@pytest.mark.parametrize("text", ["01-15", "15.01", "15 January"])
def test_december_stop_is_read_as_people_write_it(text: str) -> None:
    read = parse_parameters([("claim.december_stop", 0, 10, text)])
    assert read.december_stop[-1].value == 115


def test_unreadable_parameter_is_refused() -> None:
    with pytest.raises(ValueError, match="day of the year"):
        parse_parameters([("claim.december_stop", 0, 10, "mid-January")])


def test_details_are_compact_json() -> None:
    assert write_details({"a": ["1", "2"], "b": ["x", "y"]}, 2) == ['{"a":"1","b":"x"}', '{"a":"2","b":"y"}']
