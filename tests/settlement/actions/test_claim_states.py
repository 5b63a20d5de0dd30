"""A claim may be paid in parts: its state says what is true of all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import ProgrammingError, transaction

from config.states import InvalidMove
from settlement.actions.claims import NotReversible, reverse_claim
from settlement.actions.payments import confirm_payments, fail_payment, return_payments
from settlement.actions.runs import cancel_payment_run, propose_payment_run
from settlement.books import verify_books
from settlement.models import Claim, Payment
from settlement.models.claims import CLAIM_STATES
from settlement.models.payments import PAYMENT_STATES
from tests.settlement.actions.month import AT, judge, the_claim
from tests.settlement.actions.parts import Office, half_waiting, open_office

pytestmark = pytest.mark.django_db
SETTLED = ("adjudicated", "scheduled", "paid", "reversed")


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return open_office(half_waiting(), tmp_path)


def test_a_claim_with_a_waiting_line_is_not_paid_by_its_first_part(office: Office) -> None:
    run = office.pay()
    assert office.state == "scheduled"
    office.bank(run, confirm_payments)
    assert office.state == "adjudicated"
    office.clear()
    assert office.state == "adjudicated"
    second = office.pay()
    assert (str(second.total.amount), office.state) == ("142.50", "scheduled")
    office.bank(second, confirm_payments)
    assert office.state == "paid"
    # The bank's own lines are left out here; everything else agrees.
    assert {fault.check for fault in verify_books()} == {"payments equal the bank"}


def test_the_first_part_paid_while_the_second_is_on_its_way(office: Office) -> None:
    first = office.pay()
    office.clear()
    assert office.state == "scheduled"
    second = office.pay()
    office.bank(first, confirm_payments)
    assert office.state == "scheduled"
    office.bank(second, confirm_payments)
    assert office.state == "paid"


def test_the_first_part_paid_while_the_second_is_in_no_run(office: Office) -> None:
    first = office.pay()
    office.clear()
    office.bank(first, confirm_payments)
    assert office.state == "adjudicated"


def test_a_part_that_came_back_can_be_paid_again(office: Office) -> None:
    first = office.pay()
    office.clear()
    second = office.pay()
    office.bank(first, confirm_payments)
    office.bank(first, return_payments)
    assert office.state == "scheduled"
    office.bank(second, confirm_payments)
    assert office.state == "adjudicated"
    again = office.pay()
    assert [item.remittance.run.number for item in again.items.all()] == [1]
    office.bank(again, confirm_payments)
    assert office.state == "paid"
    office.bank(again, return_payments)
    assert office.state == "adjudicated"


def test_a_failed_or_cancelled_part_leaves_the_other_on_its_way(office: Office) -> None:
    first = office.pay()
    office.clear()
    second = office.pay()
    payment = second.payments.get()
    shared = {"organisation": office.organisation, "reason": "закрито", "at": AT}
    fail_payment(payment_id=payment.pk, actor=office.users["ivan"].as_actor(), **shared)  # type: ignore[arg-type]
    assert office.state == "scheduled"
    office.bank(first, confirm_payments)
    assert office.state == "adjudicated"


def test_a_disputed_claim_is_taken_back_when_its_money_has_arrived(office: Office) -> None:
    run, claim = office.pay(), the_claim()
    Claim.objects.filter(pk=claim.pk).update(status="disputed")
    shared: dict[str, Any] = {"organisation": office.organisation, "reason": "помилка", "actor": office.maker, "at": AT}
    with pytest.raises(NotReversible):
        reverse_claim(claim_id=claim.pk, **shared)
    office.bank(run, confirm_payments)
    assert reverse_claim(claim_id=claim.pk, **shared).reverses_id == claim.pk


def test_a_cancelled_run_gives_the_claim_back(office: Office) -> None:
    period = the_claim().period
    run = propose_payment_run(organisation=office.organisation, period=period, actor=office.maker, at=AT).run
    assert office.state == "scheduled"
    cancel_payment_run(organisation=office.organisation, run_id=run.pk, reason="помилка", actor=office.maker, at=AT)
    assert office.state == "adjudicated"


def test_a_payment_is_confirmed_once(office: Office) -> None:
    run = office.pay()
    office.bank(run, confirm_payments)
    with pytest.raises(InvalidMove):
        office.bank(run, confirm_payments)
    office.bank(run, return_payments)
    with pytest.raises(InvalidMove):
        office.bank(run, return_payments)
    assert office.state == "adjudicated"


def test_what_was_never_confirmed_does_not_come_back(office: Office) -> None:
    run = office.pay()
    with pytest.raises(InvalidMove):
        office.bank(run, return_payments)
    assert (run.payments.get().status, office.state) == ("prepared", "scheduled")


def test_a_claim_taken_back_while_it_is_paid_is_reversed_after(office: Office) -> None:
    reversing = reverse_claim(
        organisation=office.organisation, claim_id=the_claim().pk, reason="помилка", actor=office.maker, at=AT
    )
    run = office.pay()
    judge(office.organisation)
    assert office.state == "scheduled"
    office.bank(run, confirm_payments)
    reversing.refresh_from_db()
    assert (office.state, reversing.status) == ("reversed", "adjudicated")
    office.bank(run, return_payments)
    assert office.state == "reversed"


def test_a_waiting_line_that_ends_with_nothing_lets_the_claim_be_paid(tmp_path: Path) -> None:
    tables = half_waiting()
    for row in tables["redemptions"]:
        row["channel"] = "reported"
    tables["certificate_lines"][0]["units"] = "1.5"
    office = open_office(tables, tmp_path)
    office.bank(office.pay(), confirm_payments)
    assert office.state == "adjudicated"
    office.clear()
    assert office.state == "paid"


def test_the_database_moves_claims_as_the_table_does(office: Office) -> None:
    claim = the_claim()
    for old in SETTLED:
        for new in set(SETTLED) - {old}:
            with transaction.atomic():
                Claim.objects.filter(pk=claim.pk).exclude(status=old).update(status=old)
                assert moves(claim, new) == CLAIM_STATES.allows(old, new), (old, new)
                transaction.set_rollback(True)


def moves(claim: Claim, new: str) -> bool:
    try:
        with transaction.atomic():
            return Claim.objects.filter(pk=claim.pk).update(status=new) == 1
    except ProgrammingError:
        return False


def test_the_database_refuses_a_return_before_the_confirmation(office: Office) -> None:
    assert not PAYMENT_STATES.allows("sent", "returned")
    payment = office.pay().payments.get()
    payment.move_to("sent", at=AT)
    with pytest.raises(ProgrammingError, match="Invalid transition"), transaction.atomic():
        Payment.objects.filter(pk=payment.pk).update(status="returned")
