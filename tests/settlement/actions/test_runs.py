from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from config.accounts.access import Access
from config.accounts.models import Organisation, User
from config.audit.models import AuditEvent
from config.errors import FourEyes, NotFound
from config.office.models import Job
from config.pages.waiting_rows import payable, payable_but_held
from config.states import InvalidMove
from settlement.actions.holds import place_hold
from settlement.actions.run_content import FileTooLarge
from settlement.actions.runs import (
    DateInPast,
    DateNotWorking,
    NotApproved,
    NothingToPay,
    RunChanged,
    approve_payment_run,
    cancel_payment_run,
    propose_payment_run,
    release_payment_run,
)
from settlement.finance_queries import payable_months
from settlement.models import Claim, PaymentRun, PaymentRunApproval
from tests.settlement.actions.payables import NOVEMBER, adjudicated, provider, ready
from tests.settlement.views.town import url
from tests.signed_in import browser

pytestmark = pytest.mark.django_db(transaction=True)
Cast = dict[str, User]
DAY = date(2025, 12, 12)


@pytest.fixture
def run(organisation: Organisation, cast: Cast, at: datetime) -> PaymentRun:
    ready(at)
    adjudicated(organisation, at, (1, 24200), (2, 152000), (2, 5000))
    return propose_payment_run(organisation=organisation, period=NOVEMBER, actor=cast["halyna"].as_actor(), at=at).run


def approve(run: PaymentRun, user: User, at: datetime) -> PaymentRun:
    return approve_payment_run(
        organisation=run.organisation,
        run_id=run.pk,
        content_sha256=run.content_sha256,
        actor=user.as_actor(),
        at=at,
    )


def release(run: PaymentRun, user: User, at: datetime, day: date = DAY) -> PaymentRun:
    return release_payment_run(
        organisation=run.organisation, run_id=run.pk, execution_date=day, actor=user.as_actor(), at=at
    )


def test_a_proposal_takes_every_payable_remittance_once(run: PaymentRun, cast: Cast, at: datetime) -> None:
    assert run.number == "PR-2025-0001" and run.approvals_needed == 1
    assert str(run.total.amount) == "1812.00"
    assert set(Claim.objects.values_list("status", flat=True)) == {"scheduled"}
    with pytest.raises(NothingToPay):
        propose_payment_run(organisation=run.organisation, period=NOVEMBER, actor=cast["halyna"].as_actor(), at=at)
    assert AuditEvent.objects.filter(action="payment_run.proposed").count() == 1


def test_reversals_are_netted_and_bad_accounts_left_out(organisation: Organisation, cast: Cast, at: datetime) -> None:
    ready(at)
    provider(3, iban="")
    adjudicated(organisation, at, (1, 10000), (1, -4000), (2, -100), (3, 700))
    proposal = propose_payment_run(organisation=organisation, period=NOVEMBER, actor=cast["halyna"].as_actor(), at=at)
    assert str(proposal.run.total.amount) == "60.00"
    assert {(item.provider.code, item.reason) for item in proposal.left_out} == {
        ("P2", "NOT_POSITIVE"),
        ("P3", "NO_ACCOUNT"),
    }


def test_what_is_taken_back_stands_against_what_is_owed(organisation: Organisation, cast: Cast, at: datetime) -> None:
    """Offered is what a run would pay: nothing for a provider of whom more is taken back than it gets."""
    ready(at)
    adjudicated(organisation, at, (1, 24200), (1, -30000))
    today = at.date()
    assert payable_months(organisation, today) == []
    adjudicated(organisation, at, (2, 500), (2, -100), number=2)
    offered = {"period": NOVEMBER, "count": 2, "payable_minor": 400, "held_count": 0, "held_minor": 0}
    assert payable_months(organisation, today) == [offered]
    halyna = cast["halyna"]
    home = payable(Access(halyna, organisation, frozenset(), frozenset()))
    assert [row.payable for row in home] == [500]


def test_what_is_held_is_not_offered(organisation: Organisation, cast: Cast, at: datetime) -> None:
    """Neither the months nor the home page offer what a run would leave out; both say what is held."""
    ready(at)
    organisation.clock_offset = at - timezone.now() + timedelta(minutes=1)
    organisation.save()
    adjudicated(organisation, at, (1, 24200), (2, 500))
    access = Access(cast["halyna"], organisation, frozenset(), frozenset())
    who = {"organisation": organisation, "actor": cast["halyna"].as_actor(), "at": at}
    for number in (1, 2):
        place_hold(target=provider(number), reason="Перевірка", from_date=at.date(), **who)  # type: ignore[arg-type]
        paid = {1: 500, 2: 0}[number]
        [month] = payable_months(organisation, at.date())
        assert (month["payable_minor"], month["held_count"], month["held_minor"]) == (paid, number, 24700 - paid)
        assert [row.payable for row in payable(access)] == ([paid] if paid else [])
        assert sum(row.payable for row in payable_but_held(access)) == 24700 - paid
    with pytest.raises(NothingToPay):
        propose_payment_run(period=NOVEMBER, **who)
    page = browser(cast["halyna"]).get(url("payment_runs")).content.decode()
    assert "247,00" in page and url("payment_run_propose") not in page


def test_runs_of_another_organisation_stay_unseen(
    run: PaymentRun, other_organisation: Organisation, cast: Cast, at: datetime
) -> None:
    with pytest.raises(NothingToPay):
        propose_payment_run(organisation=other_organisation, period=NOVEMBER, actor=cast["halyna"].as_actor(), at=at)
    run.organisation = other_organisation
    with pytest.raises(NotFound):
        approve(run, cast["ivan"], at)


def test_another_person_approves(run: PaymentRun, cast: Cast, at: datetime) -> None:
    with pytest.raises(FourEyes):
        approve(run, cast["halyna"], at)
    assert approve(run, cast["ivan"], at).status == "approved"
    with pytest.raises(FourEyes):
        approve(run, cast["ivan"], at)
    with pytest.raises(InvalidMove):
        approve(run, cast["mariia"], at)


def test_the_database_refuses_the_proposers_signature(run: PaymentRun, cast: Cast, at: datetime) -> None:
    with pytest.raises(IntegrityError, match="proposed a payment run"), transaction.atomic():
        PaymentRunApproval.objects.create(
            payment_run=run, approved_by=cast["halyna"], approved_at=at, content_sha256=run.content_sha256
        )


def test_an_approver_signs_what_was_seen(run: PaymentRun, cast: Cast, at: datetime) -> None:
    run.content_sha256 = "0" * 64
    with pytest.raises(RunChanged):
        approve(run, cast["ivan"], at)


def test_release_makes_one_payment_for_each_provider(run: PaymentRun, cast: Cast, at: datetime) -> None:
    approve(run, cast["ivan"], at)
    released = release(run, cast["ivan"], at)
    assert released.status == "released" and released.message_id == "PR-2025-0001"
    payments = list(released.payments.order_by("reference"))
    assert [(p.reference, str(p.amount.amount), p.status) for p in payments] == [
        ("PAY-2025-00001", "242.00", "prepared"),
        ("PAY-2025-00002", "1570.00", "prepared"),
    ]
    assert payments[1].items.count() == 2
    assert set(Job.objects.values_list("kind", flat=True)) == {
        "settlement.write_payment_file",
        "settlement.write_remittance_advices",
    }


def test_release_needs_approval_another_person_and_a_future_day(run: PaymentRun, cast: Cast, at: datetime) -> None:
    with pytest.raises(NotApproved):
        release(run, cast["ivan"], at)
    approve(run, cast["ivan"], at)
    with pytest.raises(FourEyes):
        release(run, cast["halyna"], at)
    with pytest.raises(DateInPast):
        release(run, cast["ivan"], at, at.date() - timedelta(days=1))
    with pytest.raises(DateNotWorking) as refused:
        release(run, cast["ivan"], at, date(2025, 12, 13))
    assert refused.value.params["next"] == date(2025, 12, 15)


def test_more_than_a_payment_file_can_hold_is_not_released(
    run: PaymentRun, cast: Cast, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    approve(run, cast["ivan"], at)
    monkeypatch.setattr("settlement.actions.run_content.MAX_AMOUNT", run.total.amount - Decimal("0.01"))
    with pytest.raises(FileTooLarge) as refused:
        release(run, cast["ivan"], at)
    assert refused.value.code == "PAYMENT_FILE_TOO_LARGE" and "812,00" in str(refused.value.sentence)
    run.refresh_from_db()
    assert run.status == "approved" and not run.payments.exists() and not Job.objects.exists()
    monkeypatch.setattr("settlement.actions.run_content.MAX_AMOUNT", run.total.amount)
    assert release(run, cast["ivan"], at).status == "released"


def test_half_past_midnight_is_the_new_day(run: PaymentRun, cast: Cast, at: datetime) -> None:
    """In UTC it is still the old year: neither its days nor its numbers are to be had."""
    midnight = datetime(2025, 12, 31, 22, 30, tzinfo=UTC)
    approve(run, cast["ivan"], at)
    with pytest.raises(DateInPast):
        release(run, cast["ivan"], midnight, date(2025, 12, 31))
    released = release(run, cast["ivan"], midnight, date(2026, 1, 1))
    assert {payment.reference[:8] for payment in released.payments.all()} == {"PAY-2026"}


def test_a_changed_account_after_approval_stops_the_release(run: PaymentRun, cast: Cast, at: datetime) -> None:
    approve(run, cast["ivan"], at)
    changed = provider(1)
    changed.iban = provider(9).iban
    changed.save()
    with pytest.raises(RunChanged):
        release(run, cast["ivan"], at)


def test_a_cancelled_run_gives_its_remittances_back(run: PaymentRun, cast: Cast, at: datetime) -> None:
    cancel_payment_run(
        organisation=run.organisation, run_id=run.pk, reason="помилка", actor=cast["halyna"].as_actor(), at=at
    )
    assert set(Claim.objects.values_list("status", flat=True)) == {"adjudicated"}
    again = propose_payment_run(organisation=run.organisation, period=NOVEMBER, actor=cast["halyna"].as_actor(), at=at)
    assert again.run.number == "PR-2025-0002" and again.run.total == run.total


def test_a_released_run_cannot_be_cancelled(run: PaymentRun, cast: Cast, at: datetime) -> None:
    approve(run, cast["ivan"], at)
    release(run, cast["ivan"], at)
    with pytest.raises(InvalidMove):
        cancel_payment_run(
            organisation=run.organisation, run_id=run.pk, reason="пізно", actor=cast["halyna"].as_actor(), at=at
        )
