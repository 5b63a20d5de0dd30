"""Approvals by amount, signatures that belong to what was signed, days of grace, follow-up runs."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from config.accounts.models import Membership, Organisation, User
from config.audit.models import AuditEvent
from config.errors import DomainError, FourEyes, NotFound
from config.roles import FINANCE_CHECKER
from contracts.models import Parameter
from settlement.actions.run_content import terms_of
from settlement.actions.runs import (
    NotApproved,
    NothingToPay,
    RunChanged,
    approve_payment_run,
    cancel_payment_run,
    propose_payment_run,
    release_payment_run,
    renew_payment_run,
    signatures_of,
)
from settlement.models import Claim, PaymentRun
from tests.settlement.actions.payables import NOVEMBER, adjudicated, provider, ready

pytestmark = pytest.mark.django_db(transaction=True)
Cast = dict[str, User]
DAY = date(2025, 12, 12)


def parameter(office: Organisation, key: str, value: str, at: datetime) -> None:
    Parameter.objects.create(
        organisation=office, jurisdiction=office.jurisdiction, key=key, value=value, valid_from=date(2025, 1, 1),
        act="Наказ", evidence="DESIGN", recorded_at=at, changed_at=at,
    )  # fmt: skip


@pytest.fixture
def office(organisation: Organisation, at: datetime) -> Organisation:
    ready(at)
    adjudicated(organisation, at, (1, 24_200), (2, 152_000), (2, 5_000))
    return organisation


@pytest.fixture
def second(office: Organisation) -> User:
    user = User.objects.create_user(username="second-checker", password="-")
    Membership.objects.create(user=user, role=FINANCE_CHECKER, organisation=office)
    return user


def propose(office: Organisation, cast: Cast, at: datetime, follows: int | None = None) -> PaymentRun:
    actor = cast["halyna"].as_actor()
    return propose_payment_run(organisation=office, period=NOVEMBER, follows_id=follows, actor=actor, at=at).run


def approve(run: PaymentRun, user: User, at: datetime) -> PaymentRun:
    run.refresh_from_db()
    return approve_payment_run(
        organisation=run.organisation, run_id=run.pk, content_sha256=run.content_sha256, actor=user.as_actor(), at=at
    )


def release(run: PaymentRun, user: User, at: datetime) -> PaymentRun:
    return release_payment_run(
        organisation=run.organisation, run_id=run.pk, execution_date=DAY, actor=user.as_actor(), at=at
    )


def renew(run: PaymentRun, user: User, at: datetime) -> PaymentRun:
    return renew_payment_run(organisation=run.organisation, run_id=run.pk, actor=user.as_actor(), at=at)


@pytest.mark.parametrize(
    ("total", "approvals"), [(0, 1), (99_999, 1), (100_000, 2), (199_999, 2), (200_000, 3), (10**12, 3)]
)
def test_the_highest_sum_that_is_reached_decides(
    office: Organisation, at: datetime, total: int, approvals: int
) -> None:
    parameter(office, "payment.approvals_from.1000", "3", at)
    parameter(office, "payment.approvals_from.2000", "4", at)
    parameter(office, "payment.approvals_from.5000000", "4", at)
    assert terms_of(office, total, DAY).approvals == approvals


def test_sums_are_those_of_the_day(office: Organisation, at: datetime) -> None:
    parameter(office, "payment.approvals_from.1000", "3", at)
    assert terms_of(office, 100_000, date(2024, 12, 31)).approvals == 1
    assert terms_of(office, 100_000, date(2025, 1, 1)).approvals == 2


def test_a_large_run_waits_for_its_second_signature(
    office: Organisation, cast: Cast, second: User, at: datetime
) -> None:
    parameter(office, "payment.approvals_from.1800", "3", at)
    run = propose(office, cast, at)
    assert run.approvals_needed == 2
    assert approve(run, cast["ivan"], at).status == "proposed"
    with pytest.raises(NotApproved):
        release(run, second, at)
    assert approve(run, second, at).status == "approved"
    assert release(run, second, at).status == "released"


def test_terms_are_copied_when_the_run_is_proposed(office: Organisation, cast: Cast, at: datetime) -> None:
    run = propose(office, cast, at)
    parameter(office, "payment.approvals_from.1", "4", at)
    assert approve(run, cast["ivan"], at).status == "approved"


def test_who_approved_does_not_release_where_the_office_wants_it_apart(
    office: Organisation, cast: Cast, second: User, at: datetime
) -> None:
    parameter(office, "payment.release_apart", "true", at)
    run = propose(office, cast, at)
    approve(run, cast["ivan"], at)
    with pytest.raises(FourEyes):
        release(run, cast["ivan"], at)
    with pytest.raises(IntegrityError, match="cannot release"), transaction.atomic():
        PaymentRun.objects.filter(pk=run.pk).update(released_by=cast["ivan"])
    assert release(run, second, at).status == "released"


def test_a_changed_account_costs_the_run_its_signatures(office: Organisation, cast: Cast, at: datetime) -> None:
    run = propose(office, cast, at)
    approve(run, cast["ivan"], at)
    changed = provider(1)
    changed.iban = provider(9).iban
    changed.save()
    with pytest.raises(RunChanged):
        release(run, cast["ivan"], at)
    renewed = renew(run, cast["halyna"], at)
    assert (renewed.status, signatures_of(renewed).count(), renewed.approvals.count()) == ("proposed", 0, 1)
    with pytest.raises(NotApproved):
        release(run, cast["ivan"], at)
    approve(run, cast["ivan"], at + timedelta(minutes=1))
    released = release(run, cast["ivan"], at + timedelta(minutes=1))
    assert released.payments.get(provider=changed).iban == changed.iban
    assert AuditEvent.objects.filter(action="payment_run.renewed").count() == 1


def test_a_run_in_which_nothing_changed_stays_as_it_was(office: Organisation, cast: Cast, at: datetime) -> None:
    run = propose(office, cast, at)
    approve(run, cast["ivan"], at)
    assert renew(run, cast["halyna"], at).status == "approved"
    assert not AuditEvent.objects.filter(action="payment_run.renewed").exists()
    with pytest.raises(FourEyes):
        renew(run, cast["ivan"], at)


def test_a_released_run_is_not_renewed(office: Organisation, cast: Cast, at: datetime) -> None:
    run = propose(office, cast, at)
    approve(run, cast["ivan"], at)
    release(run, cast["ivan"], at)
    with pytest.raises(DomainError) as refusal:
        renew(run, cast["halyna"], at)
    assert refusal.value.code == "INVALID_STATE"


def test_nothing_is_paid_within_the_days_of_grace(office: Organisation, cast: Cast, at: datetime) -> None:
    parameter(office, "payment.grace_days", "3", at)
    # Judged on Wednesday 3 December: Thursday, Friday and Monday pass.
    with pytest.raises(NothingToPay):
        propose(office, cast, at + timedelta(days=4))
    assert str(propose(office, cast, at + timedelta(days=5)).total.amount) == "1812.00"


def test_a_follow_up_takes_what_an_earlier_run_gave_back(office: Organisation, cast: Cast, at: datetime) -> None:
    first = propose(office, cast, at)
    actor = cast["halyna"].as_actor()
    cancel_payment_run(organisation=office, run_id=first.pk, reason="помилка", actor=actor, at=at)
    adjudicated(office, at, (3, 700), number=2)
    follow_up = propose(office, cast, at, first.pk)
    assert (follow_up.follows_id, str(follow_up.total.amount)) == (first.pk, "1812.00")
    assert Claim.objects.get(number="C-2511-2-1").status == "adjudicated"
    with pytest.raises(NothingToPay):
        propose(office, cast, at, first.pk)


def test_a_follow_up_of_another_office_is_unknown(
    office: Organisation, other_organisation: Organisation, cast: Cast, at: datetime
) -> None:
    first = propose(office, cast, at)
    with pytest.raises(NotFound):
        propose(other_organisation, cast, at, first.pk)
