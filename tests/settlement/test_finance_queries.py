"""Figures of a month and of a payment whose lines waited for a person and were then judged again."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from settlement.actions.claims import reverse_claim
from settlement.actions.payments import confirm_payments
from settlement.documents import paid_claims
from settlement.finance_queries import month_figures, months_in_work
from settlement.models import Claim, ClosedMonth, Entry
from tests.settlement.actions.month import AT, NOVEMBER, judge, the_claim
from tests.settlement.actions.parts import Office, half_waiting, open_office

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return open_office(half_waiting(), tmp_path)


def figures(office: Office) -> dict[str, int]:
    return month_figures(office.organisation, NOVEMBER)


def test_a_line_that_waits_is_claimed_and_waits(office: Office) -> None:
    assert figures(office) == {
        "claimed": 28_500, "waiting": 14_250, "gross": 14_250, "reduced": 0, "fee": 0, "payable": 14_250,
        "cleared": 0, "cleared_lines": 0, "paid": 0, "returned": 0,
    }  # fmt: skip


def test_a_line_judged_twice_is_claimed_once(office: Office) -> None:
    office.clear()
    office.bank(office.pay(), confirm_payments)
    assert figures(office) == {
        "claimed": 28_500, "waiting": 0, "gross": 28_500, "reduced": 0, "fee": 0, "payable": 28_500,
        "cleared": 14_250, "cleared_lines": 1, "paid": 28_500, "returned": 0,
    }  # fmt: skip


def test_a_reversal_takes_each_line_back_once(office: Office) -> None:
    office.clear()
    shared = {"organisation": office.organisation, "actor": office.maker, "at": AT}
    reverse_claim(claim_id=the_claim().pk, reason="помилка", **shared)  # type: ignore[arg-type]
    judge(office.organisation)
    found = figures(office)
    assert {name: found[name] for name in ("claimed", "waiting", "gross", "reduced", "payable")} == dict.fromkeys(
        ("claimed", "waiting", "gross", "reduced", "payable"), 0
    )


def test_a_payment_of_both_decisions_names_the_claim_once(office: Office) -> None:
    office.clear()
    payment = office.pay().payments.get()
    (row,) = paid_claims(payment)
    assert (row.claim.number, row.amount_claimed, row.pended, row.reductions, row.gross, row.payable) == (
        "A-1", 28_500, 0, 0, 28_500, 28_500,
    )  # fmt: skip


def test_payments_of_each_decision_say_what_waited(office: Office) -> None:
    first = office.pay().payments.get()
    office.clear()
    second = office.pay().payments.get()
    (before,), (after,) = paid_claims(first), paid_claims(second)
    assert (before.amount_claimed, before.pended, before.payable) == (28_500, 14_250, 14_250)
    assert (after.amount_claimed, after.pended, after.payable) == (14_250, 0, 14_250)


def test_months_in_work_are_open_and_not_in_the_future(office: Office) -> None:
    december = date(2025, 12, 1)
    claim = the_claim()
    late = {"organisation": office.organisation, "provider": claim.provider, "status": "draft", "recorded_at": AT}
    Claim.objects.create(number="F-1", period=date(2026, 3, 1), **late)
    Entry.objects.create(
        organisation=office.organisation, number="E-1", date=date(2025, 9, 30), event="test", label="x:1", key="1",
        recorded_at=AT,
    )  # fmt: skip
    # Adjudicated and posted in December, for November.
    assert months_in_work(office.organisation, december) == [december, NOVEMBER, date(2025, 9, 1)]
    ClosedMonth.objects.create(
        organisation=office.organisation, month=NOVEMBER, closed_by=office.users["ivan"], closed_at=AT
    )
    assert months_in_work(office.organisation, december) == [december, date(2025, 9, 1)]
