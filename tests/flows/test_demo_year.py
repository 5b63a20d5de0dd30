"""The year before the settled month: every month closed, a year ended, and what went wrong was put right."""

from __future__ import annotations

import os
import subprocess
from decimal import Decimal as D
from pathlib import Path

import pytest
from django.db.models import Sum

from config.demo.chapters.claims import SEPTEMBER
from config.demo.chapters.fees import BEGUN, IN_PART, NEW_ACCOUNT_OF, TWICE
from config.demo.chapters.looking_back import CORRECTED
from config.demo.chapters.neighbours import FIRST_CLEARED, HERE, SECOND_CLEARED, neighbour
from config.demo.chapters.pilot import TOO_LATE
from config.demo.chapters.visits import FIRST
from config.demo.chapters.year import APPEALED, KEPT_BACK, PAID_TWICE, PILOT, TAKEN_BACK, YEAR
from config.demo.stage import PRESENT, Stage
from settlement.actions.matching import propose_matches
from settlement.age_queries import receivable_ages, unmatched_ages
from settlement.fee_queries import fee_notices
from settlement.hold_queries import live_holds
from settlement.journal import journal_accounts
from settlement.models import (
    Adjudication,
    Advance,
    Appeal,
    Claim,
    ClawbackCase,
    ClearingStatement,
    ClosedMonth,
    Correction,
    FeeRefund,
    Payment,
    PaymentHold,
    PaymentRun,
    Posting,
    Remittance,
    StatementLine,
    YearClosing,
)
from settlement.rules.matching import SURE
from tests.config.interchange.processes import environment
from tests.flows.processes import manage

pytestmark = pytest.mark.django_db


def test_a_pilot_and_ten_months_were_claimed_paid_and_closed(played: Stage) -> None:
    ours = {"organisation": played.organisation}
    before = PaymentRun.objects.filter(**ours, period__lt=FIRST)
    closed = ClosedMonth.objects.filter(**ours, month__lt=FIRST)
    assert list(closed.order_by("month").values_list("month", flat=True)) == YEAR
    assert list(before.order_by("period").values_list("period", flat=True).distinct()) == YEAR
    # The payment of October that was held came late, and its bank lines wait for a person.
    assert set(before.exclude(payments__provider__code=HERE).values_list("status", flat=True)) == {"closed"}
    # One claim of the pilot came after its last day.
    in_time = Claim.objects.filter(period__lt=SEPTEMBER).exclude(submitted_at=TOO_LATE)
    assert not in_time.exclude(status__in=("paid", "reversed")).exists()


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
    # What the advance had paid is spent like the rest.
    allowed = Remittance.objects.filter(run__period=PILOT).aggregate(total=Sum("payable") + Sum("offsets"))
    assert line["spent"] == allowed["total"] > 0
    assert line["appropriation"] == line["spent"] + line["unspent"]


def test_the_pilot_was_paid_in_advance_and_the_rest_came_back(played: Stage) -> None:
    advance = Advance.objects.get()
    used = sum(advance.uses.values_list("amount_minor", flat=True))
    (back,) = advance.returns.all()
    (named,) = [row for row in YearClosing.objects.get().plan["unused"] if row.get("advance") == advance.number]
    assert (advance.status, advance.proposed_by == advance.approved_by) == ("settled", False)
    assert 0 < used < advance.amount_minor == used + back.amount_minor
    assert named["amount"] == back.amount_minor and advance.rf_reference in back.statement_line.remittance_text
    assert Payment.objects.get(advance_items__advance=advance).status == "confirmed"


def test_money_for_visits_that_were_not_made_was_kept_back(played: Stage) -> None:
    case = ClawbackCase.objects.get()
    kept = Remittance.objects.filter(run__period=KEPT_BACK).exclude(offsets=0).get()
    assert (case.status, case.outcome, kept.provider) == ("closed", "whole", case.provider)
    assert kept.offsets == sum(case.lines.values_list("upheld_minor", flat=True)) == 31600
    assert Payment.objects.get(payment_run__period=KEPT_BACK, provider=case.provider).amount.amount == D("42998.60")


def test_a_correction_of_october_waits_for_the_second_person(played: Stage) -> None:
    correction = Correction.objects.get()
    assert (correction.month, correction.status, correction.payable_minor) == (CORRECTED, "proposed", -13800)


def test_fees_were_asked_for_and_came_by_bank_wholly_in_part_and_not_at_all(played: Stage) -> None:
    asked = {row.recipient.code: row for row in fee_notices(played.organisation).filter(month=FIRST_CLEARED)}
    left = {code: row.left_minor for code, row in asked.items() if row.left_minor}
    assert len(asked) == 9
    assert left == {"R-0430": asked["R-0430"].charged_minor, IN_PART: asked[IN_PART].charged_minor - 20000}
    (october, november) = receivable_ages(played.organisation, PRESENT.date())
    assert (october.name, october.ages[0], october.ages[1]) == ("10.2025", 0, sum(left.values()))
    assert november.ages[0] > 0
    own = fee_notices(played.organisation).get(recipient__user__username="petro")
    assert (own.recipient.code, own.received_minor, own.left_minor > 0) == (BEGUN, 20000, True)


def test_who_paid_twice_got_it_back_by_bank_and_another_waits_for_the_second_person(played: Stage) -> None:
    gone, waiting = FeeRefund.objects.order_by("pk")
    line = gone.transfers.get().statement_line
    assert (gone.status, gone.receipt.notice.recipient.code) == ("refunded", TWICE)
    assert gone.approved_by not in (None, gone.requested_by)
    assert -line.amount_minor == gone.amount_minor == gone.receipt.amount_minor
    assert gone.receipt.notice.rf_reference in line.remittance_text
    assert (waiting.status, waiting.approved_by) == ("requested", None)


def test_a_hold_was_lifted_by_another_person_and_one_is_in_force(played: Stage) -> None:
    lifted = PaymentHold.objects.exclude(lifted_at=None).get()
    held = PaymentRun.objects.get(items__remittance__claim=lifted.claim)
    assert lifted.placed_by != lifted.lifted_by
    assert held.proposed_at > (lifted.lifted_at or PRESENT)
    live = live_holds(played.organisation, PRESENT.date()).get(provider__code=NEW_ACCOUNT_OF)
    assert live.provider is not None and live.provider.iban[-4:] in live.reason


def test_october_was_set_off_with_the_neighbour_and_a_visit_of_november_is_disputed(played: Stage) -> None:
    october, november = ClearingStatement.objects.order_by("period")
    assert (october.period, october.status, november.period, november.status) == (
        FIRST_CLEARED,
        "settled",
        SECOND_CLEARED,
        "drawn",
    )
    assert october.first_owes_minor > 0 and october.second_owes_minor > 0
    paid = dict(october.payments.values_list("organisation__code", "amount_minor"))
    assert sum(paid.values()) == 0
    assert max(paid.values()) == abs(october.first_owes_minor - october.second_owes_minor) > 0
    between = Posting.objects.filter(account__kind="neighbour", entry__date__lt=FIRST_CLEARED.replace(month=12))
    assert between.aggregate(left=Sum("debit") - Sum("credit"))["left"] == 0
    assert november.lines.exclude(disputed_at=None).count() == 1
    assert november.signed_by(neighbour(played).organisation) is not None
    assert november.signed_by(played.organisation) is None


def test_bank_lines_wait_matched_in_part_guessed_and_without_a_clue(played: Stage) -> None:
    payment = Payment.objects.get(payment_run__period=FIRST_CLEARED, provider__code=HERE)
    lines = StatementLine.objects.filter(statement__organisation=played.organisation, booked_on__month=12)
    partial = lines.get(status="partial")
    assert partial.matches.get().payment == payment and payment.status == "sent"
    waiting = list(lines.filter(status="unmatched", statement__iban=played.organisation.iban).order_by("position"))
    guesses = propose_matches(played.organisation, waiting, on=PRESENT.date()).matches
    unknown, guessed = waiting
    assert guesses[["line", "payment"]].to_numpy().tolist() == [[guessed.pk, payment.pk]]
    assert guesses["confidence"].max() < SURE
    assert (PRESENT.date() - unknown.booked_on).days > 14
    (_second, main) = unmatched_ages(played.organisation, PRESENT.date())
    assert main.total == unknown.amount_minor - guessed.amount_minor + 2500
