from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from config.accounts.models import Organisation, User
from config.office.models import Attachment
from config.states import InvalidMove
from settlement.actions.payments import FileNotWritten, fail_payment, mark_payments_sent, write_payment_file
from settlement.actions.runs import propose_payment_run
from settlement.gateways.pain001 import parse_pain001
from settlement.models import Claim, Entry, PaymentRun
from tests.settlement.actions.paid import bank_file, released_run
from tests.settlement.actions.payables import NOVEMBER, adjudicated, balances, ready

pytestmark = pytest.mark.django_db(transaction=True)
Cast = dict[str, User]


@pytest.fixture
def run(organisation: Organisation, cast: Cast, at: datetime) -> PaymentRun:
    ready(at)
    adjudicated(organisation, at, (1, 24200), (2, 152000))
    return released_run(organisation, cast, at)


def test_the_file_is_written_once(run: PaymentRun, at: datetime) -> None:
    first = write_payment_file(organisation=run.organisation, run_id=run.pk, at=at)
    again = write_payment_file(organisation=run.organisation, run_id=run.pk, at=at)
    assert first.pk == again.pk and Attachment.objects.count() == 1
    assert first.name == "PR-2025-0001.xml"


def test_the_file_says_what_the_run_says(run: PaymentRun, at: datetime) -> None:
    order = parse_pain001(bank_file(run, at))
    assert order.message_id == run.number
    assert [(p.end_to_end_id, str(p.amount)) for p in order.payments] == [
        ("PAY-2025-00001", "242.00"),
        ("PAY-2025-00002", "1520.00"),
    ]
    assert "11.2025" in order.payments[0].remittance
    assert order.payments[0].debtor_account == run.organisation.iban


def test_a_run_that_is_not_released_has_no_file(organisation: Organisation, cast: Cast, at: datetime) -> None:
    ready(at)
    adjudicated(organisation, at, (1, 100))
    run = propose_payment_run(organisation=organisation, period=NOVEMBER, actor=cast["halyna"].as_actor(), at=at).run
    with pytest.raises(FileNotWritten):
        write_payment_file(organisation=organisation, run_id=run.pk, at=at)


def test_sending_posts_payable_to_clearing_once(run: PaymentRun, cast: Cast, at: datetime) -> None:
    actor = cast["ivan"].as_actor()
    with pytest.raises(FileNotWritten):
        mark_payments_sent(organisation=run.organisation, run_id=run.pk, actor=actor, at=at)
    bank_file(run, at)
    mark_payments_sent(organisation=run.organisation, run_id=run.pk, actor=actor, at=at)
    assert mark_payments_sent(organisation=run.organisation, run_id=run.pk, actor=actor, at=at) == []
    assert balances(run.organisation) == {"payable:P1": 24200, "payable:P2": 152000, "clearing:bank": -176200}
    assert Entry.objects.count() == 2


def test_half_past_midnight_is_the_new_day(run: PaymentRun, cast: Cast, at: datetime) -> None:
    """In UTC it is still the old year."""
    midnight = datetime(2025, 12, 31, 22, 30, tzinfo=UTC)
    bank_file(run, at)
    mark_payments_sent(organisation=run.organisation, run_id=run.pk, actor=cast["ivan"].as_actor(), at=midnight)
    assert set(Entry.objects.values_list("date", flat=True)) == {date(2026, 1, 1)}


def test_a_failed_payment_can_be_paid_again(run: PaymentRun, cast: Cast, at: datetime) -> None:
    actor = cast["ivan"].as_actor()
    bank_file(run, at)
    mark_payments_sent(organisation=run.organisation, run_id=run.pk, actor=actor, at=at)
    payment = run.payments.get(provider__code="P1")
    fail_payment(organisation=run.organisation, payment_id=payment.pk, reason="закрито", actor=actor, at=at)
    assert balances(run.organisation) == {"payable:P1": 0, "payable:P2": 152000, "clearing:bank": -152000}
    assert Claim.objects.get(provider__code="P1").status == "adjudicated"
    again = propose_payment_run(
        organisation=run.organisation, period=NOVEMBER, actor=cast["halyna"].as_actor(), at=at
    ).run
    assert str(again.total.amount) == "242.00"
    with pytest.raises(InvalidMove):
        fail_payment(organisation=run.organisation, payment_id=payment.pk, reason="ще", actor=actor, at=at)
