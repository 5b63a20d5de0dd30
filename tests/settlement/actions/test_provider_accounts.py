"""A changed bank account: it counts from the day of recording, and nothing is paid until another person says so."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from config.accounts.models import Organisation, User
from config.audit.models import AuditEvent
from config.errors import FourEyes
from config.office.models import OutboxMessage
from contracts.actions.check_facts import SameAccount
from contracts.actions.register import IbanInvalid
from contracts.models import Parameter, ProviderAccount, ProviderUser
from settlement.actions.holds import lift_hold
from settlement.actions.payments import PaymentHeld, mark_payments_sent
from settlement.actions.provider_accounts import change_account
from settlement.actions.runs import (
    NothingToPay,
    Proposal,
    approve_payment_run,
    propose_payment_run,
    release_payment_run,
)
from settlement.models import Payment, PaymentHold
from settlement.rules.parameters import ACCOUNT_DAYS
from tests.settlement.actions.paid import DAY, bank_file, released_run
from tests.settlement.actions.payables import NOVEMBER, adjudicated, provider, ready
from tests.settlement.gateways.orders import account

pytestmark = pytest.mark.django_db(transaction=True)
Cast = dict[str, User]
TODAY = date(2025, 12, 3)
NEW = account(7001)


@pytest.fixture
def office(organisation: Organisation, at: datetime) -> Organisation:
    ready(at)
    adjudicated(organisation, at, (1, 24_200), (2, 152_000))
    return organisation


def change(office: Organisation, cast: Cast, at: datetime, iban: str = NEW) -> ProviderAccount:
    return change_account(organisation=office, provider=provider(2), iban=iban, actor=cast["bohdan"].as_actor(), at=at)


def propose(office: Organisation, cast: Cast, at: datetime) -> Proposal:
    return propose_payment_run(organisation=office, period=NOVEMBER, actor=cast["halyna"].as_actor(), at=at)


def lift(office: Organisation, user: User, at: datetime) -> None:
    for row in PaymentHold.objects.filter(organisation=office, lifted_at=None):
        lift_hold(organisation=office, hold_id=row.pk, reason="підтверджено", actor=user.as_actor(), at=at)


def test_the_provider_is_told_that_its_payments_wait(office: Organisation, cast: Cast, at: datetime) -> None:
    ProviderUser.objects.create(provider=provider(2), user=cast["nadiia"])
    change(office, cast, at)
    told = OutboxMessage.objects.get(code="payment_hold.account_changed")
    hold = PaymentHold.objects.get()
    assert (told.user, told.organisation) == (cast["nadiia"], office)
    assert told.params == {"iban": NEW[-4:], "from_date": str(hold.from_date), "to_date": str(hold.to_date)}


def test_a_change_counts_from_its_day_and_holds_what_is_paid(office: Organisation, cast: Cast, at: datetime) -> None:
    row = change(office, cast, at)
    hold = PaymentHold.objects.get()
    assert (row.since, row.iban, provider(2).iban) == (TODAY, NEW, NEW)
    assert (hold.provider_id, hold.from_date, hold.to_date) == (row.provider_id, TODAY, TODAY + timedelta(days=30))
    assert hold.placed_by == cast["bohdan"] and NEW[-4:] in hold.reason and NEW not in hold.reason
    event = AuditEvent.objects.get(action="provider.account_changed")
    assert f"settlement.paymenthold:{hold.pk}" in event.objects_touched and event.chain == office.code
    left = propose(office, cast, at).left_out
    assert [(item.provider.code, item.reason) for item in left] == [("P2", "HELD")]


def test_another_person_than_who_changed_it_lets_the_money_go(office: Organisation, cast: Cast, at: datetime) -> None:
    change(office, cast, at)
    propose(office, cast, at)
    with pytest.raises(FourEyes):
        lift(office, cast["bohdan"], at)
    with pytest.raises(NothingToPay):
        propose(office, cast, at)
    lift(office, cast["ivan"], at)
    assert str(propose(office, cast, at).run.total.amount) == "1520.00"


def test_an_approved_run_gives_the_provider_up(office: Organisation, cast: Cast, at: datetime) -> None:
    run = propose(office, cast, at).run
    asked: dict[str, Any] = {"organisation": office, "run_id": run.pk, "actor": cast["ivan"].as_actor(), "at": at}
    approve_payment_run(content_sha256=run.content_sha256, **asked)
    change(office, cast, at)
    run.refresh_from_db()
    assert (run.status, str(run.total.amount)) == ("proposed", "242.00")
    approve_payment_run(content_sha256=run.content_sha256, **asked)
    release_payment_run(execution_date=DAY, **asked)
    assert [row.provider.code for row in Payment.objects.all()] == ["P1"]


def test_a_released_payment_does_not_leave(office: Organisation, cast: Cast, at: datetime) -> None:
    run = released_run(office, cast, at)
    bank_file(run, at)
    change(office, cast, at)
    asked: dict[str, Any] = {"organisation": office, "run_id": run.pk, "actor": cast["halyna"].as_actor(), "at": at}
    with pytest.raises(PaymentHeld):
        mark_payments_sent(**asked)
    lift(office, cast["ivan"], at)
    assert len(mark_payments_sent(**asked)) == 2


@pytest.mark.parametrize(("later", "total"), [(29, "242.00"), (30, "1762.00")])
def test_the_hold_ends_with_the_days_of_the_check(
    office: Organisation, cast: Cast, at: datetime, later: int, total: str
) -> None:
    change(office, cast, at)
    assert str(propose(office, cast, at + timedelta(days=later)).run.total.amount) == total


def test_every_office_that_deals_with_the_provider_holds(
    office: Organisation, other_organisation: Organisation, cast: Cast, at: datetime
) -> None:
    adjudicated(other_organisation, at, (2, 5_000))
    change(office, cast, at)
    assert {row.organisation for row in PaymentHold.objects.all()} == {office, other_organisation}
    with pytest.raises(NothingToPay):
        propose(other_organisation, cast, at)
    lift(office, cast["ivan"], at)
    with pytest.raises(NothingToPay):
        propose(other_organisation, cast, at)


def test_an_office_that_deals_with_others_holds_nothing(
    office: Organisation, other_organisation: Organisation, cast: Cast, at: datetime
) -> None:
    adjudicated(other_organisation, at, (1, 5_000))
    change(office, cast, at)
    assert PaymentHold.objects.get().organisation == office


def test_no_days_no_hold(office: Organisation, cast: Cast, at: datetime) -> None:
    Parameter.objects.create(
        organisation=office, jurisdiction="UA", key=ACCOUNT_DAYS, value="0", valid_from=date(2025, 1, 1), recorded_at=at
    )
    change(office, cast, at)
    assert not PaymentHold.objects.exists() and str(propose(office, cast, at).run.total.amount) == "1762.00"


@pytest.mark.parametrize(("iban", "error"), [("UA00", IbanInvalid), (account(1002), SameAccount)])
def test_what_is_refused_holds_nothing(
    office: Organisation, cast: Cast, at: datetime, iban: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        change(office, cast, at, iban)
    assert not PaymentHold.objects.exists() and provider(2).iban == account(1002)
    change(office, cast, at)
    assert PaymentHold.objects.count() == 1
