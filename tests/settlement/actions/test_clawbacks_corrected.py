"""Money that a run kept back for a case, when the claim that it was kept back of is corrected or taken back."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db.models import QuerySet, Sum

from config.money import to_minor
from settlement.actions.claims import reverse_claim
from settlement.actions.clawbacks import LineSum
from settlement.actions.runs import NothingToPay, propose_payment_run
from settlement.actions.undone_lines import undo_repayment
from settlement.books import verify_books
from settlement.clawback_queries import with_sums
from settlement.debt_queries import provider_debts
from settlement.finance_queries import unpaid_remittances
from settlement.models import Adjudication, AdjudicationRun, ClawbackCase, ClawbackRecovery, Payment, Remittance
from settlement.replay import replay_run
from tests.config.interchange.packages import dump
from tests.config.interchange.test_facts_of_a_run import (
    assert_recalculated,
    assert_settles_elsewhere,
    files_of_run,
    rows,
)
from tests.oracle.recalculate import recalculate
from tests.settlement.actions.clawback_town import DECEMBER, LATER, ClawbackTown, clawback_town
from tests.settlement.actions.month import judge
from tests.settlement.actions.paid import answered

pytestmark = pytest.mark.django_db(transaction=True)
NEXT_DAY = LATER + timedelta(days=1)


@pytest.fixture
def town(tmp_path: Path) -> ClawbackTown:
    """November of 285.00 is paid; December of two claims of 142.50 each waits for its run."""
    return clawback_town(tmp_path)


def paid(town: ClawbackTown) -> int:
    """December's payment run of that day, carried out: its sum."""
    run = town.release(NEXT_DAY)
    answered(run, town.cast["halyna"], NEXT_DAY)
    return to_minor(run.total.amount)


def total(rows: QuerySet[Any], column: str) -> int:
    return int(rows.aggregate(found=Sum(column))["found"] or 0)


def debts() -> list[int]:
    office = AdjudicationRun.objects.earliest("pk").organisation
    return [row["owed_minor"] for row in provider_debts(office)]


def standing() -> list[tuple[str, int]]:
    rows = with_sums(ClawbackCase.objects.order_by("pk"))
    return [(row.status, row.outstanding) for row in rows]  # type: ignore[attr-defined]  # annotated


def kept() -> list[int]:
    """What runs kept back of claims of December, in the order of runs and claims."""
    rows = Remittance.objects.filter(run__period=DECEMBER).exclude(offsets=0)
    return list(rows.order_by("run__number", "claim__number").values_list("offsets", flat=True))


def agrees(town: ClawbackTown) -> None:
    """What the provider earned less what is asked back is what it got, with what is still to be paid or returned."""
    cases = list(with_sums(ClawbackCase.objects.all()))
    asked = sum(row.upheld for row in cases)  # type: ignore[attr-defined]  # annotated
    owed = sum(row.outstanding for row in cases)  # type: ignore[attr-defined]  # annotated
    got = sum(to_minor(row.amount.amount) for row in Payment.objects.filter(status="confirmed"))
    repaid = total(ClawbackRecovery.objects.filter(remittance=None), "amount_minor")
    unpaid = total(unpaid_remittances(town.office), "payable")
    assert total(Adjudication.objects.all(), "payable") - asked == got - repaid + unpaid - owed
    assert [fault.sentence for fault in verify_books()] == []
    assert all(replay_run(run).equal for run in AdjudicationRun.objects.all())


def of(remittances: list[dict[str, str]], figure: str) -> Decimal:
    return sum((Decimal(row[figure]) for row in remittances), Decimal(0))


def earned(remittances: list[dict[str, str]]) -> Decimal:
    return of(remittances, "payable") + of(remittances, "offsets")


# --- What was kept back stays kept back ----------------------------------------------------------------


@pytest.mark.parametrize(("rates", "sum_minor"), [(["80.00"], 9_750), (["80.00", "90.00"], 12_750)])
def test_what_was_kept_back_counts_once_whatever_the_copy_comes_to(
    town: ClawbackTown, rates: list[str], sum_minor: int
) -> None:
    town.decided()
    town.december()
    town.close_december()
    for minute, rate in enumerate(rates, 1):
        town.corrected(rate, 10 * minute)
        agrees(town)
    assert (standing(), kept(), debts()) == ([("recovered", 0)], [14_250], [])
    # Two visits at the last price, less what was kept back.
    assert paid(town) == sum_minor
    with pytest.raises(NothingToPay):
        propose_payment_run(period=DECEMBER, **town.who("halyna", NEXT_DAY))
    agrees(town)


def test_what_was_paid_and_becomes_less_is_owed_of_the_month(town: ClawbackTown) -> None:
    town.decided()
    town.december()
    assert paid(town) == 14_250
    town.close_december()
    town.corrected("80.00", 10)
    assert (standing(), kept(), debts()) == ([("recovered", 0)], [14_250], [4_500])
    agrees(town)


def test_a_reversal_without_a_copy_is_owed_and_the_case_stays_served(town: ClawbackTown) -> None:
    town.decided()
    town.december()
    paid(town)
    reverse_claim(claim_id=town.line("A-2").claim_id, reason="Візиту не було", **town.who("halyna", NEXT_DAY))
    judge(town.office, at=NEXT_DAY, period=DECEMBER)
    assert (standing(), kept(), debts()) == ([("recovered", 0)], [14_250], [14_250])
    agrees(town)


# --- What a correction adds is kept back for what is owed ----------------------------------------------


def test_what_a_correction_adds_is_kept_back_and_not_paid(town: ClawbackTown) -> None:
    """The case is decided after December was paid."""
    town.december(LATER - timedelta(days=15))
    assert paid(town) == 28_500
    later, sooner = town.decided(LineSum(town.line(line=2).pk)), town.decided(LineSum(town.line().pk, 2_000))
    assert later.return_until == sooner.return_until
    town.close_december()
    town.corrected("80.00", 10)
    assert (kept(), debts()) == ([], [4_500])
    town.corrected("90.00", 20)
    # 2 × 15.00 more: what is owed of the month stays, the case gets it.
    assert (standing(), kept(), debts()) == ([("decided", 11_250), ("decided", 2_000)], [3_000], [4_500])
    with pytest.raises(NothingToPay):
        propose_payment_run(period=DECEMBER, **town.who("halyna", NEXT_DAY))
    agrees(town)


def test_what_the_bank_brought_and_was_undone_is_kept_back_of_the_next_correction(town: ClawbackTown) -> None:
    case = town.decided()
    town.receive((10_000, case.rf_reference))
    town.december()
    assert (standing(), kept()) == ([("recovered", 0)], [4_250])
    town.close_december()
    town.corrected("80.00", 10)
    repaid = ClawbackRecovery.objects.get(remittance=None)
    undo_repayment(recovery_id=repaid.pk, reason="Гроші іншої справи", **town.who("halyna", LATER))
    assert standing() == [("decided", 10_000)]
    town.corrected("90.00", 20)
    assert (standing(), kept(), debts()) == ([("decided", 7_000)], [4_250, 3_000], [])
    # Two visits at 90.00, less what was kept back.
    assert paid(town) == 2 * 13_500 - 7_250
    agrees(town)


# --- Packages ------------------------------------------------------------------------------------------


def test_the_package_of_a_correction_that_keeps_something_back_settles_elsewhere(
    town: ClawbackTown, tmp_path: Path
) -> None:
    town.december(LATER - timedelta(days=15))
    town.decided()
    town.close_december()
    town.corrected("80.00", 10)
    town.corrected("90.00", 20)
    assert kept() == [3_000]
    # By the present facts the second correction adds nothing that could be kept back: it stays owed by the case.
    told = rows(dump(tmp_path / "whole")["remittances.csv"])
    again = recalculate(tmp_path / "whole").remittances
    assert (earned(again), of(again, "offsets")) == (earned(told), of(told, "offsets") - 30)
    files = files_of_run(tmp_path / "run", 3, DECEMBER)
    assert_recalculated(tmp_path / "run", files)
    assert_settles_elsewhere(tmp_path / "run", files, 3, DECEMBER)
