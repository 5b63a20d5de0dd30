"""Fees by card over real HTTP: whatever is lost, repeated, late, forged or in the wrong order, money is booked once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from django.db import transaction
from django.test import override_settings
from django.utils import timezone

from config.accounts.models import Organisation, User
from config.errors import FourEyes, NotFound
from config.office.models import Job
from settlement.actions.fee_checkout import (
    LIFE,
    CardPageUnknown,
    CardsUnavailable,
    NothingLeftToPay,
    Start,
    begin_checkout,
    pay_by_card,
)
from settlement.actions.fee_refunds import (
    RefundReasonMissing,
    RefundTooLarge,
    approve_refund,
    refuse_refund,
    request_refund,
)
from settlement.actions.reconciliation import import_statement
from settlement.actions.stripe_events import handle_event
from settlement.age_queries import unmatched_ages
from settlement.models import (
    ClosedMonth,
    Entry,
    FeeCheckout,
    FeeNotice,
    FeeReceipt,
    FeeRefund,
    StripeEvent,
)
from tests.settlement.actions.fee_statements import OPENING, credit, debit, statement
from tests.settlement.actions.fee_town import AT, OWED, balanced, fee_town, noticed, session_of, sums, tell, work
from tests.settlement.actions.payables import balances
from tests.settlement.gateways.stripe_stand_in import StripeStandIn, stripe_on_loopback

pytestmark = pytest.mark.django_db(transaction=True)
Town = tuple[Organisation, dict[str, User]]


@pytest.fixture
def stripe() -> Iterator[StripeStandIn]:
    with stripe_on_loopback() as server:
        yield server


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return fee_town(tmp_path)


@pytest.fixture
def notice(town: Town) -> FeeNotice:
    return noticed(*town)


def start() -> Start:
    return Start(back="http://127.0.0.1/back", clock=timezone.now())


def paid(town: Town, notice: FeeNotice, stripe: StripeStandIn) -> FeeReceipt:
    """Paid in full by card."""
    tell("payment_intent.succeeded", stripe.pay(session_of(notice, town[1]["olena"], stripe)))
    return FeeReceipt.objects.get()


def asked(town: Town, receipt: FeeReceipt, amount: int) -> FeeRefund:
    return request_refund(
        organisation=town[0], receipt_id=receipt.pk, amount_minor=amount, reason="Помилка",
        actor=town[1]["halyna"].as_actor(), at=AT,
    )  # fmt: skip


def approved(town: Town, refund: FeeRefund) -> FeeRefund:
    return approve_refund(organisation=town[0], refund_id=refund.pk, actor=town[1]["ivan"].as_actor(), at=AT)


def test_a_card_payment_is_booked_once_whatever_stripe_repeats(
    town: Town, notice: FeeNotice, stripe: StripeStandIn
) -> None:
    session = session_of(notice, town[1]["olena"], stripe)
    intent = stripe.pay(session)
    tell("payment_intent.succeeded", intent)
    tell("payment_intent.succeeded", intent)
    tell("payment_intent.succeeded", intent, event_id="evt_again")
    tell("checkout.session.completed", session)
    assert FeeReceipt.objects.count() == 1 and sums(notice) == (OWED, OWED, 0, 0)
    assert FeeCheckout.objects.get().status == "paid"
    outcomes = sorted(StripeEvent.objects.values_list("outcome", flat=True))
    assert outcomes == ["done", "repeated", "repeated"]
    assert balances(town[0])["card:stripe"] == OWED and balances(town[0])["receivable:fees"] == 0
    assert balanced()
    with pytest.raises(NothingLeftToPay):
        pay_by_card(notice=notice, start=start(), actor=town[1]["olena"].as_actor(), at=AT)


@pytest.mark.parametrize("fault", ["lost_answer", "slow_answer", "lost_request", "broken"])
def test_a_page_whose_answer_is_lost_is_found_again(
    town: Town, notice: FeeNotice, stripe: StripeStandIn, fault: str
) -> None:
    stripe.faults = [fault]
    actor = town[1]["olena"].as_actor()
    with pytest.raises(CardPageUnknown):
        pay_by_card(notice=notice, start=start(), actor=actor, at=AT)
    first = pay_by_card(notice=notice, start=start(), actor=actor, at=AT)
    assert pay_by_card(notice=notice, start=start(), actor=actor, at=AT).address == first.address
    assert len(stripe.of("checkout.session")) == 1 and FeeCheckout.objects.count() == 1
    assert {key for verb, _path, key in stripe.requests if verb == "POST"} == {first.key}


def test_a_page_is_new_when_the_sum_is_another_or_its_time_is_over(
    town: Town, notice: FeeNotice, stripe: StripeStandIn
) -> None:
    actor = town[1]["olena"].as_actor()
    first = begin_checkout(notice=notice, start=start(), actor=actor, at=AT)
    later = Start(start().back, timezone.now() + LIFE - timedelta(minutes=30))
    second = begin_checkout(notice=notice, start=later, actor=actor, at=AT)
    assert first.key != second.key
    assert list(FeeCheckout.objects.order_by("pk").values_list("status", flat=True)) == ["expired", "open"]


def test_without_keys_or_with_a_refusal_the_bank_is_named(town: Town, notice: FeeNotice, stripe: StripeStandIn) -> None:
    actor = town[1]["olena"].as_actor()
    with override_settings(STRIPE_WEBHOOK_SECRET=""), pytest.raises(CardsUnavailable) as told:
        pay_by_card(notice=notice, start=start(), actor=actor, at=AT)
    assert notice.rf_reference in told.value.sentence and stripe.requests == []
    stripe.faults = ["refused"]
    with pytest.raises(CardsUnavailable):
        pay_by_card(notice=notice, start=start(), actor=actor, at=AT)


def test_refund_comes_before_the_payment_it_is_of(town: Town, notice: FeeNotice, stripe: StripeStandIn) -> None:
    intent = stripe.pay(session_of(notice, town[1]["olena"], stripe))
    back = {"id": "re_x", "object": "refund", "amount": 500, "currency": "uah", "status": "succeeded",
            "payment_intent": intent["id"], "metadata": {}}  # fmt: skip
    tell("refund.created", back)
    assert StripeEvent.objects.get().outcome == "waiting" and sums(notice) == (OWED, 0, 0, OWED)
    tell("payment_intent.succeeded", intent)
    assert sums(notice) == (OWED, OWED, 500, 500)
    assert set(StripeEvent.objects.values_list("outcome", flat=True)) == {"done"}
    assert balances(town[0])["card:stripe"] == OWED - 500 and balanced()


def test_the_state_only_moves_forward(town: Town, notice: FeeNotice, stripe: StripeStandIn) -> None:
    session = session_of(notice, town[1]["olena"], stripe)
    intent = stripe.pay(session)
    tell("checkout.session.completed", session)
    tell("checkout.session.expired", session)
    tell("payment_intent.payment_failed", {**intent, "status": "requires_payment_method"})
    assert FeeCheckout.objects.get().status == "paid" and sums(notice)[3] == 0 and balanced()


def test_money_that_is_not_ours_or_not_in_our_currency_is_not_booked(
    town: Town, notice: FeeNotice, stripe: StripeStandIn
) -> None:
    session = session_of(notice, town[1]["olena"], stripe)
    intent = stripe.pay(session)
    tell("payment_intent.succeeded", {**intent, "id": "pi_a", "metadata": {}}, event_id="e1")
    tell("payment_intent.succeeded", {**intent, "id": "pi_b", "currency": "eur"}, event_id="e2")
    tell("payment_intent.succeeded", {**intent, "id": "pi_c", "amount_received": 0}, event_id="e3")
    tell("checkout.session.completed", {**session, "payment_status": "unpaid"}, event_id="e4")
    outcomes = list(StripeEvent.objects.order_by("pk").values_list("outcome", flat=True))
    assert outcomes == ["foreign", "strange", "strange", "ignored"] and FeeReceipt.objects.count() == 0


def test_an_event_after_the_month_was_closed_is_posted_in_the_open_one(
    town: Town, notice: FeeNotice, stripe: StripeStandIn
) -> None:
    ClosedMonth.objects.create(organisation=town[0], month=date(2025, 11, 1), closed_by=town[1]["ivan"], closed_at=AT)
    late = datetime(2025, 11, 28, 12, tzinfo=AT.tzinfo) - town[0].clock_offset
    intent = stripe.pay(session_of(notice, town[1]["olena"], stripe))
    tell("payment_intent.succeeded", intent, created=int(late.timestamp()))
    receipt, entry = FeeReceipt.objects.get(), Entry.objects.get(event="fee.paid_by_card")
    assert receipt.received_on == date(2025, 11, 28) and entry.date.replace(day=1) == date(2025, 12, 1)
    assert balanced()


def test_a_refund_takes_two_people_and_never_exceeds_what_was_paid(
    town: Town, notice: FeeNotice, stripe: StripeStandIn
) -> None:
    receipt = paid(town, notice, stripe)
    part = asked(town, receipt, 10_000)
    with pytest.raises(RefundTooLarge):
        asked(town, receipt, OWED - 10_000 + 1)
    with pytest.raises(RefundReasonMissing):
        request_refund(organisation=town[0], receipt_id=receipt.pk, amount_minor=1, reason=" ",
                       actor=town[1]["halyna"].as_actor(), at=AT)  # fmt: skip
    with pytest.raises(FourEyes):
        approve_refund(organisation=town[0], refund_id=part.pk, actor=town[1]["halyna"].as_actor(), at=AT)
    approved(town, part)
    work("settlement.send_refund")
    rest = asked(town, receipt, OWED - 10_000)
    approved(town, rest)
    work("settlement.send_refund")
    assert sums(notice) == (OWED, OWED, OWED, OWED)
    assert [row["amount"] for row in stripe.of("refund")] == [10_000, OWED - 10_000]
    for row in stripe.of("refund"):
        tell("refund.updated", row)
    assert FeeRefund.objects.filter(status="refunded").count() == 2 and balances(town[0])["card:stripe"] == 0
    assert balanced()


def test_a_refused_refund_stays_and_may_be_asked_again(town: Town, notice: FeeNotice, stripe: StripeStandIn) -> None:
    receipt = paid(town, notice, stripe)
    refund = asked(town, receipt, OWED)
    refuse_refund(organisation=town[0], refund_id=refund.pk, reason="Ні", actor=town[1]["ivan"].as_actor(), at=AT)
    assert asked(town, receipt, OWED).status == "requested" and stripe.of("refund") == []


@pytest.mark.parametrize("fault", ["lost_answer", "slow_answer", "lost_request", "broken"])
def test_a_refund_whose_answer_is_lost_goes_back_once(
    town: Town, notice: FeeNotice, stripe: StripeStandIn, fault: str
) -> None:
    receipt = paid(town, notice, stripe)
    refund = approved(town, asked(town, receipt, 500))
    stripe.faults = [fault]
    work("settlement.send_refund")
    refund.refresh_from_db()
    assert refund.status == "approved"
    stripe.answers.clear()  # keys are forgotten after some days
    work("settlement.send_refund")
    refund.refresh_from_db()
    assert refund.status == "refunded" and [row["amount"] for row in stripe.of("refund")] == [500]
    assert sums(notice)[2] == 500 and balanced()


def test_the_webhook_may_overtake_the_answer_and_a_bank_may_send_a_refund_back(
    town: Town, notice: FeeNotice, stripe: StripeStandIn
) -> None:
    receipt = paid(town, notice, stripe)
    refund = approved(town, asked(town, receipt, 500))
    stripe.faults = ["lost_answer"]
    work("settlement.send_refund")
    stripe.answers.clear()  # keys are forgotten after some days
    (row,) = stripe.of("refund")
    tell("refund.created", row)
    work("settlement.send_refund")
    refund.refresh_from_db()
    assert refund.status == "refunded" and sums(notice)[2] == 500
    tell("refund.failed", {**row, "status": "failed"})
    tell("refund.updated", row)
    refund.refresh_from_db()
    assert refund.status == "failed" and sums(notice) == (OWED, OWED, 0, 0)
    assert balances(town[0])["card:stripe"] == OWED and balanced()


def test_a_refund_that_stripe_refuses_has_failed(town: Town, notice: FeeNotice, stripe: StripeStandIn) -> None:
    refund = approved(town, asked(town, paid(town, notice, stripe), 500))
    stripe.faults = ["refused"]
    work("settlement.send_refund")
    refund.refresh_from_db()
    assert refund.status == "failed" and sums(notice)[2] == 0 and balanced()


def test_money_that_came_by_bank_goes_back_by_bank(town: Town, notice: FeeNotice, stripe: StripeStandIn) -> None:
    organisation, users = town

    def bring(content: bytes, at: datetime = AT) -> None:
        actor = users["halyna"].as_actor()
        import_statement(organisation=organisation, name="s.xml", content=content, actor=actor, at=at)

    bring(statement(organisation, 1, credit(10_000, notice.rf_reference)))
    refund = asked(town, FeeReceipt.objects.get(), 4_000)
    bring(statement(organisation, 2, debit(4_000, notice.rf_reference), opening=OPENING + 100))
    assert FeeRefund.objects.get().status == "requested"
    approved(town, refund)
    assert not Job.objects.filter(kind="settlement.send_refund").exists()
    next_day = AT + timedelta(days=1)
    bring(statement(organisation, 3, debit(4_000, notice.rf_reference), opening=OPENING + 60), next_day)
    assert FeeRefund.objects.get().status == "refunded" and sums(notice) == (OWED, 10_000, 4_000, OWED - 6_000)
    # The first transfer was nobody's; the second one was nobody's until it was found to be the refund.
    open_then = [sum(row.ages) for day in (AT, next_day) for row in unmatched_ages(organisation, day.date())]
    assert open_then == [8_000, 4_000]
    assert stripe.of("refund") == []


def test_another_office_sees_none_of_it(
    town: Town, notice: FeeNotice, stripe: StripeStandIn, other_organisation: Organisation
) -> None:
    receipt = paid(town, notice, stripe)
    actor = town[1]["halyna"].as_actor()
    with pytest.raises(NotFound):
        request_refund(
            organisation=other_organisation, receipt_id=receipt.pk, amount_minor=1, reason="x", actor=actor, at=AT
        )
    refund = asked(town, receipt, 1)
    with pytest.raises(NotFound):
        approve_refund(organisation=other_organisation, refund_id=refund.pk, actor=town[1]["ivan"].as_actor(), at=AT)


def test_a_worker_that_died_after_the_booking_books_nothing_again(
    town: Town, notice: FeeNotice, stripe: StripeStandIn
) -> None:
    paid(town, notice, stripe)
    Job.objects.filter(kind="settlement.stripe_event").update(state="waiting", lease_until=None)
    work("settlement.stripe_event")
    assert handle_event(event_id=StripeEvent.objects.get().pk, at=AT) == "done"
    assert FeeReceipt.objects.count() == 1 and balanced()
    with pytest.raises(RuntimeError), transaction.atomic():
        handle_event(event_id=StripeEvent.objects.get().pk, at=AT)
