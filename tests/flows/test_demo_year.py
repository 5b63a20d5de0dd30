"""The year before the settled month: every month closed, a year ended, and what went wrong was put right."""

from __future__ import annotations

import os
import subprocess
from decimal import Decimal as D
from pathlib import Path

import pytest
from django.db.models import Sum

from config.demo.chapters.claims import SEPTEMBER
from config.demo.chapters.looking_back import CORRECTED
from config.demo.chapters.visits import FIRST
from config.demo.chapters.year import APPEALED, KEPT_BACK, PAID_TWICE, PILOT, TAKEN_BACK, YEAR
from config.demo.stage import PRESENT, Stage
from settlement.journal import journal_accounts
from settlement.models import (
    Adjudication,
    Appeal,
    Claim,
    ClawbackCase,
    ClosedMonth,
    Correction,
    Payment,
    PaymentRun,
    Remittance,
    YearClosing,
)
from tests.config.interchange.processes import environment
from tests.flows.processes import manage

pytestmark = pytest.mark.django_db


def test_a_pilot_and_ten_months_were_claimed_paid_and_closed(played: Stage) -> None:
    before = PaymentRun.objects.filter(period__lt=FIRST)
    assert list(ClosedMonth.objects.filter(month__lt=FIRST).order_by("month").values_list("month", flat=True)) == YEAR
    assert list(before.order_by("period").values_list("period", flat=True).distinct()) == YEAR
    assert set(before.values_list("status", flat=True)) == {"closed"}
    assert not Claim.objects.filter(period__lt=SEPTEMBER).exclude(status__in=("paid", "reversed")).exists()


def test_a_claim_was_taken_back_and_made_anew_before_it_was_paid(played: Stage) -> None:
    claims = Claim.objects.filter(period=TAKEN_BACK, provider__code="OPORA").order_by("pk")
    assert [(row.status, row.reverses_id is not None) for row in claims] == [
        ("reversed", False),
        ("paid", True),
        ("paid", False),
    ]
    parts = Remittance.objects.filter(claim__in=claims)
    assert Payment.objects.get(payment_run__period=TAKEN_BACK, provider__code="OPORA").amount.amount == D("5842.25")
    assert parts.aggregate(total=Sum("payable"))["total"] == 584225


def test_an_appeal_was_won_and_its_visit_paid(played: Stage) -> None:
    appeal = Appeal.objects.get(claim__period=APPEALED)
    outcomes = Adjudication.objects.filter(claim_line=appeal.claim_line).order_by("pk")
    assert appeal.answer.upheld and appeal.answer.answered_by.username == "ivan"
    assert list(outcomes.values_list("outcome", flat=True)) == ["pended", "accepted"]
    assert appeal.claim.status == "paid"


def test_what_the_bank_gave_back_in_july_was_paid_by_another_run(played: Stage) -> None:
    again = PaymentRun.objects.get(follows__period=PAID_TWICE)
    payments = Payment.objects.filter(payment_run__period=PAID_TWICE, provider__code="TURBOTA").order_by("pk")
    assert [(row.status, row.payment_run) for row in payments] == [("returned", again.follows), ("confirmed", again)]
    assert again.approvals.get().reason


def test_other_programs_read_the_year_and_find_the_same_balances(played: Stage, tmp_path: Path) -> None:
    """Both journals end with the balance of every account, which the reader compares with its own sums."""
    accounts = journal_accounts(played.organisation, PRESENT.date())
    for form, reader, told in (
        ("hledger", ["hledger", "--strict", "check", "-f"], " = "),
        ("beancount", ["bean-check"], " balance "),
    ):
        path = tmp_path / form
        assert manage(environment(), "export_journal", "--format", form, "--out", path, "--as-of", PRESENT.date()) == 0
        answer = subprocess.run([*reader, str(path)], capture_output=True, env=os.environ | {"LC_ALL": "C.UTF-8"})
        assert (answer.returncode, answer.stderr) == (0, b"")
        assert sum(told in line for line in path.read_text().splitlines()) == len(accounts) > 8


def test_the_year_of_the_pilot_is_ended_by_two_people(played: Stage) -> None:
    closing = YearClosing.objects.get()
    (line,) = closing.plan["lines"]
    assert (closing.year, closing.status) == (PILOT.year, "approved")
    assert closing.proposed_by != closing.approved_by
    assert line["spent"] == Remittance.objects.filter(run__period=PILOT).aggregate(total=Sum("payable"))["total"]
    assert line["appropriation"] == line["spent"] + line["unspent"]


def test_money_for_visits_that_were_not_made_was_kept_back(played: Stage) -> None:
    case = ClawbackCase.objects.get()
    kept = Remittance.objects.filter(run__period=KEPT_BACK).exclude(offsets=0).get()
    assert (case.status, case.outcome, kept.provider) == ("closed", "whole", case.provider)
    assert kept.offsets == sum(case.lines.values_list("upheld_minor", flat=True)) == 31600
    assert Payment.objects.get(payment_run__period=KEPT_BACK, provider=case.provider).amount.amount == D("42998.60")


def test_a_correction_of_october_waits_for_the_second_person(played: Stage) -> None:
    correction = Correction.objects.get()
    assert (correction.month, correction.status, correction.payable_minor) == (CORRECTED, "proposed", -13800)
