"""A norm cost, a price and a parameter put right for a closed month: the correction moves everybody together."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.office.models import OutboxMessage
from contracts.models import ContractLine, NormCost, Parameter
from settlement.actions import appeals, corrections
from settlement.actions.fees import issue_fee_notices
from settlement.correction_queries import sums_of
from settlement.models import Adjudication, AdjudicationRun, Correction, FeeCharge, Posting
from settlement.replay import replay_run
from tests.config.interchange.packages import dump
from tests.oracle.recalculate import recalculate
from tests.oracle.small import Tables
from tests.settlement.actions.corrected_town import LATER, approve, by, closed_town, disagreements, propose
from tests.settlement.actions.month import AT, NOVEMBER, balance, set_aside
from tests.settlement.actions.put_right import put_norm_right, put_parameter_right, put_price_right
from tests.settlement.views.town import Town, tables_of_month

pytestmark = pytest.mark.django_db
ACCOUNTS = ("payable:P1", "expense:B1-2025", "fee:B1-2025")
HOURS = "worker.hours_per_day_max"


def cheap_norm() -> Tables:
    """The norm on record is 90.00, below the contract's 95.00: lines are paid at 90.00."""
    tables = tables_of_month()
    tables["norm_costs"][0]["unit_rate"] = "90"
    return tables


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return closed_town(tmp_path)


@pytest.fixture
def cheap(tmp_path: Path) -> Town:
    return closed_town(tmp_path, cheap_norm())


def standing() -> dict[str, int]:
    return {code: balance(code) for code in ACCOUNTS}


def decided() -> list[Any]:
    return list(Adjudication.objects.order_by("pk").values())


def rates(made: Correction) -> set[tuple[int, int]]:
    return {(line.rate_was, line.rate_becomes) for line in made.lines.all() if line.units_was}


def corrected(town: Town) -> Correction:
    """Prepared and posted: what provider, recipient and budget get is what was seen, and the books agree."""
    before, spent = standing(), set_aside("spending")
    made = approve(town, propose(town, ground="norm"))
    after = standing()
    assert tuple(after[code] - before[code] for code in ACCOUNTS) == (
        -made.payable_minor, made.gross_minor, -made.fee_minor,
    )  # fmt: skip
    assert set_aside("spending") - spent == made.payable_minor
    assert sum(row["amount"] for row in made.plan["accounts"]) == 0
    assert disagreements() == []
    return made


def test_a_lower_norm_takes_from_the_provider_and_gives_back_to_the_budget(town: Town) -> None:
    put_norm_right(town, "-2.31")
    assert NormCost.objects.get(status="approved", valid_to=None).unit_rate == Decimal("90.0000")
    made = corrected(town)
    assert rates(made) == {(950_000, 900_000)}
    units = sum(line.units_was for line in made.lines.all() if line.units_was == line.units_becomes)
    assert (made.gross_minor, made.fee_minor) == (-units * 5 // 10, 0) and made.gross_minor < 0


def test_a_higher_norm_gives_to_the_provider_what_the_contract_allows(cheap: Town) -> None:
    put_norm_right(cheap)
    made = corrected(cheap)
    # Claimed at 98.00, the norm is 96.54 now, the contract says 95.00.
    assert rates(made) == {(900_000, 950_000)}
    assert (made.payable_minor, made.fee_minor) == (made.gross_minor, 0) and made.gross_minor > 0


def test_nothing_of_the_frozen_month_is_rewritten_and_its_run_is_replayed_to_the_kopiyka(cheap: Town) -> None:
    rows, posted = decided(), list(Posting.objects.order_by("pk").values())
    put_norm_right(cheap)
    first = AdjudicationRun.objects.get()
    told = replay_run(first)
    assert told.equal and not told.differences
    # By what is known now it would be another sum: that is what the correction is for.
    assert not replay_run(first, known_at=LATER).equal
    corrected(cheap)
    assert decided()[: len(rows)] == rows
    assert list(Posting.objects.order_by("pk").values()[: len(posted)]) == posted
    assert [replay_run(run).equal for run in AdjudicationRun.objects.order_by("pk")] == [True, True]


def test_a_norm_from_the_middle_of_the_month_leaves_the_days_before_alone(town: Town) -> None:
    put_norm_right(town, "-2.31", since=date(2025, 11, 10))
    made = corrected(town)
    lines = made.lines.select_related("claim_line")
    # The fee of the month is laid on the lines anew; what the provider gets for the days before stays.
    assert {
        row.claim_line.service_date >= date(2025, 11, 10) for row in lines if row.gross_was != row.gross_becomes
    } == {True}


def test_a_fee_that_would_rise_back_in_time_is_left_out_and_one_that_falls_is_told(tmp_path: Path) -> None:
    """Where the fee is not reached, every line is the recipient's: a lower norm lowers the fee and the notice."""
    tables = tables_of_month()
    tables["fee_assessments"][0]["monthly_limit"] = "9000.00"
    town = closed_town(tmp_path, tables)
    issue_fee_notices(organisation=town.organisation, month=NOVEMBER, actor=town.users["halyna"].as_actor(), at=AT)
    put_norm_right(town, "-2.31")
    made = corrected(town)
    assert made.fee_minor == made.gross_minor < 0 and made.payable_minor == 0
    assert [row["amount"] for row in made.plan["notices"]] == [made.fee_minor]
    assert FeeCharge.objects.count() == 2
    put_norm_right(town, "-1.31", at=LATER + timedelta(minutes=1))
    with pytest.raises(corrections.NothingFree):
        propose(town, ground="norm", at=LATER + timedelta(minutes=2))


def test_the_provider_reads_a_notice_and_appeals(town: Town) -> None:
    put_norm_right(town, "-2.31")
    made = corrected(town)
    assert OutboxMessage.objects.filter(code="correction.approved", user=town.users["nadiia"]).exists()
    line = Adjudication.objects.filter(claim=made.claims.get().new_claim, outcome="reduced").first()
    assert line is not None
    appeal = appeals.submit_appeal(
        **by(town, "nadiia"), claim_id=line.claim_id, claim_line_id=line.claim_line_id, reason="Ціну погодили"
    )
    assert appeals.uphold_appeal(**by(town, "oksana"), appeal_id=appeal.pk, reason="Так").upheld


def test_a_lower_price_of_the_contract(town: Town) -> None:
    row = put_price_right(town, "92.00")
    assert row.valid_from == date(2025, 11, 1)
    assert ContractLine.objects.exclude(pk=row.pk).get().valid_to == date(2025, 11, 1)
    made = corrected(town)
    assert rates(made) == {(950_000, 920_000)}
    assert [replay_run(run).equal for run in AdjudicationRun.objects.order_by("pk")] == [True, True]


def test_a_price_that_was_wrong_from_the_first_day_says_otherwise_in_place(town: Town) -> None:
    row = put_price_right(town, "96.00", since=date(2025, 1, 1))
    assert ContractLine.objects.get() == row
    made = corrected(town)
    assert rates(made) == {(950_000, 960_000)} and made.gross_minor > 0
    assert [replay_run(run).equal for run in AdjudicationRun.objects.order_by("pk")] == [True, True]


def test_an_own_parameter_of_past_days_and_back_again(tmp_path: Path) -> None:
    tables = tables_of_month()
    # Without a fee nothing rises for a recipient on the way back.
    tables["fee_assessments"][0] |= {"mode": "F", "monthly_limit": ""}
    town = closed_town(tmp_path, tables)
    own = put_parameter_right(town, HOURS, "1")
    made = corrected(town)
    assert made.gross_minor < 0
    later = LATER + timedelta(minutes=1)
    assert put_parameter_right(town, HOURS, "10", at=later).pk == own.pk
    assert Parameter.objects.filter(organisation=town.organisation, key=HOURS).count() == 1
    back = propose(town, ground="norm", at=later + timedelta(minutes=1))
    approve(town, back, at=later + timedelta(minutes=2))
    assert back.gross_minor == -made.gross_minor
    assert disagreements() == []
    assert all(replay_run(run).equal for run in AdjudicationRun.objects.order_by("pk"))


@given(travel=st.integers(-1_500, 423), first=st.integers(1, 20))
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_norm_becomes_the_parties_agree(town: Town, travel: int, first: int) -> None:
    savepoint = transaction.savepoint()
    try:
        put_norm_right(town, str(Decimal(travel) / 100), since=date(2025, 11, first))
        try:
            made = corrected(town)
        except corrections.NothingToCorrect:
            # The contract's 95.00 limits more than the norm does, or no day is left.
            assert travel >= 269 or first > 15
        else:
            sums = sums_of(made.lines.all())
            assert sums["gross"].difference == sums["fee"].difference + sums["payable"].difference
    finally:
        transaction.savepoint_rollback(savepoint)


@pytest.mark.django_db(transaction=True)
def test_an_independent_recalculation_owes_the_same_after_a_norm_was_put_right(tmp_path: Path) -> None:
    town = closed_town(tmp_path / "given")
    put_norm_right(town, "-2.31")
    made = approve(town, propose(town, ground="norm"))
    files = dump(tmp_path / "one")
    rows = list(csv.DictReader(io.StringIO(files["adjudications.csv"].decode())))
    oracle = recalculate(tmp_path / "one").adjudications
    for name in ("gross", "fee", "payable"):
        assert sum(Decimal(row[name]) for row in oracle) == sum(Decimal(row[name]) for row in rows)
    copy = made.claims.get().new_claim.number
    assert [row for row in oracle if row["claim_number"] == copy] == [
        row for row in rows if row["claim_number"] == copy
    ]
