"""Faults between us and Stripe over real HTTP, and a worker killed in the middle: each ends with one payment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone

from config.accounts.models import Organisation, User
from config.office.models import Attachment, Job
from config.periods import month_of
from contracts.models import Provider
from settlement import tasks  # noqa: F401  (registers the handlers, as a worker does)
from settlement.actions.holds import lift_hold, place_hold
from settlement.actions.payments import StripeDecides, fail_payment, mark_payments_sent
from settlement.actions.runs import RunChanged, approve_payment_run, propose_payment_run, release_payment_run
from settlement.actions.transfers import send_after_holds, send_transfers
from settlement.books import CHECKS, verify_books
from settlement.gateways.base import OutcomeUnknown
from settlement.models import Claim, Payment, PaymentHold, PaymentRun, StripeEvent
from settlement.month_checks import month_checks
from tests.concurrency.test_payments_race import at_once
from tests.settlement.actions.fee_town import tell, work
from tests.settlement.actions.paid import DAY, released_run
from tests.settlement.actions.payables import NOVEMBER, adjudicated, balances, owe, provider, ready
from tests.settlement.gateways.orders import account
from tests.settlement.gateways.stripe_stand_in import KEY, StripeStandIn, stripe_on_loopback

pytestmark = pytest.mark.django_db(transaction=True)
Cast = dict[str, User]
# The rows of these tests are made without lines and budgets: what those prove is proven elsewhere.
PROVEN = {
    "every entry balances",
    "payments equal the bank",
    "payments equal the remittances they pay",
    "transfers equal the balance of card payments",
    "claims equal payables",
}
FAULTS = ["lost_answer", "slow_answer", "lost_request", "broken"]


@pytest.fixture
def stripe() -> Iterator[StripeStandIn]:
    with stripe_on_loopback(STRIPE_TRANSFER_CURRENCIES=frozenset({"UAH"})) as server:
        yield server


@pytest.fixture
def office(organisation: Organisation, at: datetime) -> Organisation:
    """Two providers are owed; the first has an account at Stripe."""
    organisation.iban = account(1)
    organisation.save()
    ready(at)
    owe(organisation, adjudicated(organisation, at, (1, 10_000), (2, 5_000)), at)
    Provider.objects.filter(code="P1").update(stripe_account="acct_1")
    return organisation


def sound() -> bool:
    faults = [fault.sentence for fault in verify_books() if fault.check in PROVEN]
    assert set(CHECKS) >= PROVEN and faults == []
    return True


def transferred() -> Payment:
    return Payment.objects.get(gateway="stripe")


def test_only_providers_with_an_account_go_by_stripe_and_the_rest_by_file(
    office: Organisation, cast: Cast, at: datetime, stripe: StripeStandIn
) -> None:
    run = released_run(office, cast, at)
    work()
    assert [(row["amount"], row["destination"]) for row in stripe.of("transfer")] == [(10_000, "acct_1")]
    assert transferred().status == "confirmed" and Claim.objects.get(provider__code="P1").status == "paid"
    (file,) = Attachment.objects.filter(kind="payment_file")
    mark_payments_sent(organisation=office, run_id=run.pk, actor=cast["ivan"].as_actor(), at=at)
    assert file.size and Payment.objects.get(gateway="bank_file").status == "sent"
    assert balances(office) == {
        "expense:test": 15_000, "payable:P1": 0, "payable:P2": 0, "clearing:bank": -5_000, "card:stripe": -10_000,
    }  # fmt: skip
    assert sound()


def test_without_the_setting_everything_goes_by_file(
    office: Organisation, cast: Cast, at: datetime, organisation: Organisation
) -> None:
    with stripe_on_loopback() as stripe:
        released_run(office, cast, at)
        work()
        assert stripe.requests == [] and set(Payment.objects.values_list("gateway", flat=True)) == {"bank_file"}


def held(office: Organisation, cast: Cast, at: datetime, **changes: date) -> PaymentHold:
    values = {"reason": "перевірка", "from_date": at.date(), "actor": cast["halyna"].as_actor(), "at": at} | changes
    return place_hold(organisation=office, target=provider(1), **values)  # type: ignore[arg-type]


def test_a_hold_between_release_and_transfer_stops_it_until_it_is_lifted(
    office: Organisation, other_organisation: Organisation, cast: Cast, at: datetime, stripe: StripeStandIn
) -> None:
    run = released_run(office, cast, at)
    hold = held(office, cast, at)
    work()
    assert stripe.of("transfer") == [] and transferred().status == "prepared" and sound()
    foreign = held(other_organisation, cast, at)
    queued = Job.objects.filter(kind="settlement.send_transfers")
    before = queued.count()
    lift = {"reason": "з'ясовано", "actor": cast["ivan"].as_actor(), "at": at}
    lift_hold(organisation=other_organisation, hold_id=foreign.pk, **lift)
    assert queued.count() == before
    lift_hold(organisation=office, hold_id=hold.pk, **lift)
    assert queued.latest("pk").payload == {"run_id": run.pk}
    work()
    assert len(stripe.of("transfer")) == 1 and transferred().status == "confirmed" and sound()


def test_a_hold_with_a_last_day_lets_the_transfer_go_after_it(
    office: Organisation, cast: Cast, at: datetime, stripe: StripeStandIn
) -> None:
    released_run(office, cast, at)
    held(office, cast, at, to_date=at.date() + timedelta(days=2))
    for day, payments in ((0, 0), (1, 0), (2, 1), (2, 1)):
        Organisation.objects.update(clock_offset=at + timedelta(days=day) - timezone.now())
        send_after_holds(organisation=office, at=at + timedelta(days=day))
        work()
        assert len(stripe.of("transfer")) == payments
    assert transferred().status == "confirmed" and sound()


def test_a_held_transfer_is_given_up_before_stripe_is_asked(
    office: Organisation, cast: Cast, at: datetime, stripe: StripeStandIn
) -> None:
    released_run(office, cast, at)
    held(office, cast, at)
    work()
    who = {"actor": cast["ivan"].as_actor(), "at": at}
    fail_payment(organisation=office, payment_id=transferred().pk, reason="спір", **who)
    work()
    assert transferred().status == "failed" and stripe.of("transfer") == [] and sound()


def test_an_account_changed_after_the_approval_is_not_paid(
    office: Organisation, cast: Cast, at: datetime, stripe: StripeStandIn
) -> None:
    maker, checker = cast["halyna"].as_actor(), cast["ivan"].as_actor()
    run = propose_payment_run(organisation=office, period=NOVEMBER, actor=maker, at=at).run
    approve_payment_run(organisation=office, run_id=run.pk, content_sha256=run.content_sha256, actor=checker, at=at)
    Provider.objects.filter(code="P1").update(stripe_account="acct_2")
    with pytest.raises(RunChanged):
        release_payment_run(organisation=office, run_id=run.pk, execution_date=DAY, actor=checker, at=at)


@pytest.mark.parametrize("fault", FAULTS)
def test_doubt_is_not_failure_and_the_repetition_pays_once(
    office: Organisation, cast: Cast, at: datetime, stripe: StripeStandIn, fault: str
) -> None:
    run = released_run(office, cast, at)
    stripe.faults = [fault]
    with pytest.raises(OutcomeUnknown):
        send_transfers(organisation=office, run_id=run.pk, at=at)
    assert transferred().status == "sent"
    with pytest.raises(StripeDecides):
        fail_payment(organisation=office, payment_id=transferred().pk, reason="x", actor=cast["ivan"].as_actor(), at=at)
    send_transfers(organisation=office, run_id=run.pk, at=at)
    send_transfers(organisation=office, run_id=run.pk, at=at)
    assert transferred().status == "confirmed" and len(stripe.of("transfer")) == 1 and sound()


def test_a_refused_transfer_may_be_paid_by_another_run(
    office: Organisation, cast: Cast, at: datetime, stripe: StripeStandIn
) -> None:
    run = released_run(office, cast, at)
    stripe.faults = ["refused"]
    send_transfers(organisation=office, run_id=run.pk, at=at)
    assert transferred().status == "failed" and balances(office)["payable:P1"] == -10_000 and sound()
    again = propose_payment_run(organisation=office, period=NOVEMBER, actor=cast["halyna"].as_actor(), at=at).run
    assert str(again.total.amount) == "100.00"


def test_a_reversed_transfer_is_owed_again_told_twice_or_too_early(
    office: Organisation, cast: Cast, at: datetime, stripe: StripeStandIn
) -> None:
    released_run(office, cast, at)
    payment = transferred()
    early = {"id": "tr_2", "object": "transfer", "amount": 10_000, "currency": "uah",
             "reversed": True, "metadata": {"reference": payment.reference, "payer": office.iban}}  # fmt: skip
    tell("transfer.reversed", early)
    assert StripeEvent.objects.get().outcome == "waiting"
    work("settlement.send_transfers")
    (row,) = stripe.of("transfer")
    tell("transfer.reversed", row | {"reversed": True}, event_id="evt_r1")
    outcomes = list(StripeEvent.objects.order_by("pk").values_list("outcome", flat=True))
    assert transferred().status == "returned" and outcomes == ["done", "repeated"]
    assert balances(office)["card:stripe"] == 0 and balances(office)["payable:P1"] == -10_000 and sound()


def test_a_transfer_that_was_reversed_in_part_waits_for_a_person(
    office: Organisation, cast: Cast, at: datetime, stripe: StripeStandIn
) -> None:
    """Stripe sends the same event for a part; its money has no document here, and the month says so."""
    released_run(office, cast, at)
    work("settlement.send_transfers")
    (row,) = stripe.of("transfer")
    tell("transfer.reversed", row | {"amount_reversed": 1_000}, event_id="evt_part")
    event = StripeEvent.objects.get()
    assert event.outcome == "strange" and transferred().status == "confirmed"
    assert balances(office)["payable:P1"] == 0 and sound()
    month = month_of(event.day(office))
    told = {check.code: check.examples for check in month_checks(office, month) if not check.ok}
    assert told["STRIPE_UNCLEAR"] == (f"transfer.reversed {row['id']}",)
    assert "STRIPE_UNCLEAR" not in {check.code for check in month_checks(office, NOVEMBER) if not check.ok}
    tell("transfer.reversed", row | {"reversed": True, "amount_reversed": 10_000}, event_id="evt_whole")
    assert transferred().status == "returned" and balances(office)["payable:P1"] == -10_000


_WORKER = """
import sys, django
django.setup()
from config.office.jobs import run_job
from settlement import tasks
run_job(int(sys.argv[1]))
"""


def test_a_worker_killed_between_the_transfer_and_its_status_pays_once(
    office: Organisation, cast: Cast, at: datetime, stripe: StripeStandIn
) -> None:
    released_run(office, cast, at)
    job = Job.objects.get(kind="settlement.send_transfers")
    stripe.faults = ["slow_answer"]
    values = connection.settings_dict
    environment = os.environ | {
        "DATABASE_URL": f"postgresql:///{values['NAME']}?host={values['HOST']}&user={values['USER']}",
        "DB_ROLE": "owner", "DJANGO_SETTINGS_MODULE": "config.settings", "FIELD_KEYS": django_settings.FIELD_KEYS,
        "STRIPE_API_KEY": KEY, "STRIPE_WEBHOOK_SECRET": "x", "STRIPE_API_BASE": stripe.address,
        "STRIPE_TRANSFER_CURRENCIES": "UAH",
    }  # fmt: skip
    worker = subprocess.Popen([sys.executable, "-c", _WORKER, str(job.pk)], env=environment)
    until = time.monotonic() + 60
    while not stripe.of("transfer") and time.monotonic() < until:
        time.sleep(0.02)
    worker.send_signal(signal.SIGKILL)
    assert worker.wait(20) == -signal.SIGKILL
    assert len(stripe.of("transfer")) == 1 and transferred().status == "sent"
    job.refresh_from_db()
    assert job.state == "running"
    Job.objects.update(state="waiting", lease_until=None)
    work()
    assert transferred().status == "confirmed" and len(stripe.of("transfer")) == 1
    assert Attachment.objects.filter(kind="payment_file").count() == 1 and sound()


def test_two_people_release_at_once_and_two_workers_send_at_once(
    office: Organisation, cast: Cast, at: datetime, stripe: StripeStandIn
) -> None:
    maker, checker = cast["halyna"].as_actor(), cast["ivan"].as_actor()
    run = propose_payment_run(organisation=office, period=NOVEMBER, actor=maker, at=at).run
    approve_payment_run(organisation=office, run_id=run.pk, content_sha256=run.content_sha256, actor=checker, at=at)
    actors = iter([checker, cast["sofiia"].as_actor(), checker])
    results = at_once(
        lambda: release_payment_run(organisation=office, run_id=run.pk, execution_date=DAY, actor=next(actors), at=at)
    )
    assert sorted(type(result).__name__ for result in results) == ["InvalidMove", "InvalidMove", "PaymentRun"]
    assert PaymentRun.objects.get().status == "released" and Payment.objects.count() == 2
    at_once(lambda: send_transfers(organisation=office, run_id=run.pk, at=at), times=3)
    work()
    assert len(stripe.of("transfer")) == 1 and transferred().status == "confirmed" and sound()
