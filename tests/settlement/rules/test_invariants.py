"""What must hold of every month, whatever its rows: balances, sums, fees within their limit, no visit twice, the same
answer again, back and forth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from settlement.rules import checks
from tests.oracle.generate import generate, write
from tests.oracle.small import Tables, add, add_visit
from tests.settlement.rules.package_facts import output_rows
from tests.settlement.rules.test_checks_golden import two_visits

SEEDS = st.integers(0, 10_000)
Folders = pytest.TempPathFactory


@dataclass(frozen=True)
class Decided:
    """A decision of a run with the row that it is about; of a reversal units and sums are taken back."""

    run: int
    row: dict[str, str]
    units: Decimal
    gross: Decimal
    fee: Decimal
    payable: Decimal


def decided(tables: Tables, folder: Path) -> Iterator[Decided]:
    taken_back = {row["number"]: row.get("reverses", "") for row in tables["claims"]}
    lines = {(row["claim_number"], row["line"]): row for row in tables["claim_lines"]}
    for run, claim, line, _, units, _, _, _, gross, fee, payable, _outcome in output_rows(write(tables, folder))[
        "adjudications"
    ]:
        sign = -1 if taken_back[claim] else 1
        row = lines[taken_back[claim] or claim, line]
        yield Decided(int(run), row, sign * Decimal(units), *map(Decimal, (gross, fee, payable)))


def rounded(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def money(most: int) -> st.SearchStrategy[str]:
    return st.integers(0, most).map(lambda cents: str(Decimal(cents) / 100))


rates = st.integers(800_000, 1_000_000).map(lambda rate: str(Decimal(rate) / 10_000))


@st.composite
def tight_months(draw: st.DrawFn) -> Tables:
    """A month in three runs under ceilings of money, rates of four decimals and a limit of the fee; the fourth run may
    take back the first.
    """
    tables = two_visits()
    tables["claim_lines"], tables["redemptions"] = [], []
    tables["services"][0]["amount_per_year_max"] = draw(st.one_of(st.just(""), money(100_000)))
    tables["contracts"][0]["ceiling"] = draw(st.one_of(st.just(""), money(100_000)))
    tables["contract_lines"][0]["unit_rate"] = draw(rates)
    tables["fee_assessments"][0]["monthly_limit"] = draw(money(100_000))
    for key, most in (("certificate_lines", "units"), ("plan_lines", "units_per_month")):
        tables[key][0][most] = str(draw(st.integers(1, 60)))
    first = tables["claims"].pop()
    for run in ("1", "2", "3"):
        add(tables, "claims", **(first | {"number": f"A-{run}", "run": run}))
    for day in draw(st.lists(st.integers(1, 30), min_size=1, max_size=12, unique=True)):
        units, rate = Decimal(draw(st.integers(1, 24))) / 4, draw(rates)
        number, amount = f"A-{draw(st.integers(1, 3))}", str(rounded(units * Decimal(rate)))
        values = {"claim_number": number, "units": str(units), "unit_rate": rate, "amount": amount}
        add_visit(tables, f"2025-11-{day:02d}", **values)
    if draw(st.booleans()):
        add(tables, "claims", **(first | {"number": "A-4", "run": "4", "reverses": "A-1"}))
    return tables


any_month = st.one_of(tight_months(), SEEDS.map(lambda seed: generate(seed, lines=40, same_run_reversal=seed % 3 == 0)))


@settings(max_examples=25, deadline=None)
@given(any_month)
def test_fee_payable_and_money_cuts_are_the_value_of_the_allowed_units(
    tmp_path_factory: Folders, tables: Tables
) -> None:
    """Of cuts in money (by ceilings of sums, by findings that came along): those of the rate lower the rate itself."""
    output = output_rows(write(tables, tmp_path_factory.mktemp("package")))
    cuts: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    for run, claim, line, check, severity, units, amount in output["findings"]:
        if severity == "C" and Decimal(units) == 0 and check not in {rate.CODE for rate in checks.RATES}:
            cuts[run, claim, line] += Decimal(amount)
    reversing = {row["number"] for row in tables["claims"] if row.get("reverses")}
    for run, claim, line, _, units, _, rate, _, _, fee, payable, _outcome in output["adjudications"]:
        if claim not in reversing:
            due = rounded(Decimal(units) * Decimal(rate))
            assert Decimal(fee) + Decimal(payable) + cuts[run, claim, line] == due, (run, claim, line)


def limits_of(tables: Tables) -> dict[tuple[str, str], Decimal]:
    """Monthly limits of differentiated fees, by recipient and day of service."""
    days = {row["service_date"] for row in tables["claim_lines"]}
    return {
        (row["recipient_code"], day): Decimal(row["monthly_limit"])
        for row in tables["fee_assessments"]
        if row["mode"] == "D"
        for day in days
        if row["valid_from"] <= day <= (row["valid_to"] or day)
    }


@settings(max_examples=25, deadline=None)
@given(any_month)
def test_fees_of_a_recipient_and_month_never_exceed_the_limit(tmp_path_factory: Folders, tables: Tables) -> None:
    """After every run of the month, what reversals gave back taken off."""
    recipients = {row["number"]: row["recipient_code"] for row in tables["certificates"]}
    limits, taken = limits_of(tables), defaultdict[tuple[str, str], Decimal](Decimal)
    rows = sorted(decided(tables, tmp_path_factory.mktemp("package")), key=lambda one: one.run)
    for run in sorted({one.run for one in rows}):
        for one in (one for one in rows if one.run == run):
            day = one.row["service_date"]
            key = recipients.get(one.row["certificate_number"], ""), day
            if key in limits:
                taken[key[0], day[:7]] += one.fee
        above = {(person, day) for (person, day), most in limits.items() if taken[person, day[:7]] > most}
        assert above == set(), run


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
