"""Two people press approve, or release, at the same moment: one run, one set of payments, every signature kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError

from config.accounts.models import Membership, Organisation, User
from config.errors import DomainError
from config.office.models import Job
from config.roles import FINANCE_CHECKER
from settlement.actions import runs
from settlement.actions.runs import approve_payment_run, cancel_payment_run, propose_payment_run, release_payment_run
from settlement.models import Payment, PaymentRemittance, PaymentRun, PaymentRunApproval
from tests.concurrency.test_payments_race import at_once
from tests.settlement.actions.paid import DAY
from tests.settlement.actions.payables import NOVEMBER, adjudicated, ready

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def checkers(organisation: Organisation, cast: dict[str, User]) -> list[User]:
    """Ivan and a colleague with the same role."""
    colleague = User.objects.create(username="stepan", display_name="Степан Вигаданий")
    Membership.objects.create(user=colleague, role=FINANCE_CHECKER, organisation=organisation)
    return [cast["ivan"], colleague]


@pytest.fixture
def proposed(organisation: Organisation, cast: dict[str, User], at: datetime) -> PaymentRun:
    """A run of three providers."""
    ready(at)
    adjudicated(organisation, at, (1, 100), (2, 200), (3, 300))
    return propose_payment_run(organisation=organisation, period=NOVEMBER, actor=cast["halyna"].as_actor(), at=at).run


def approval(run: PaymentRun, user: User, at: datetime) -> Callable[[], Any]:
    """A press of the button."""
    return partial(
        approve_payment_run, organisation=run.organisation, run_id=run.pk, content_sha256=run.content_sha256,
        actor=user.as_actor(), at=at,
    )  # fmt: skip


def release(run: PaymentRun, user: User, at: datetime) -> Callable[[], Any]:
    """A press of the button."""
    return partial(
        release_payment_run, organisation=run.organisation, run_id=run.pk, execution_date=DAY,
        actor=user.as_actor(), at=at,
    )  # fmt: skip


def pressed(*buttons: Callable[[], Any]) -> list[Any]:
    """All at once; results or refusals."""
    left = iter(buttons)
    return at_once(lambda: next(left)(), times=len(buttons))


def without_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have read the run before either writes."""
    both, read = Barrier(2), runs.live_items

    def unlocked(organisation: Organisation, run_id: int) -> PaymentRun:
        return PaymentRun.objects.get(pk=run_id, organisation=organisation)

    def both_have_read(run: PaymentRun) -> Any:
        found = read(run)
        both.wait(timeout=20)
        return found

    monkeypatch.setattr(runs, "lock_run", unlocked)
    monkeypatch.setattr(runs, "live_items", both_have_read)


def need(run: PaymentRun, signatures: int) -> PaymentRun:
    """How many signatures the run asks for, beside the proposer's."""
    PaymentRun.objects.filter(pk=run.pk).update(approvals_needed=signatures)
    run.refresh_from_db()
    return run


def approved(run: PaymentRun, checkers: list[User], at: datetime) -> PaymentRun:
    """Signed by both."""
    need(run, 2)
    for user in checkers:
        approval(run, user, at)()
    return run


def test_without_the_lock_payments_are_made_twice(
    proposed: PaymentRun, checkers: list[User], at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The harm: every provider would be paid twice."""
    approved(proposed, checkers, at)
    without_the_lock(monkeypatch)
    pressed(*(release(proposed, user, at) for user in checkers))
    assert Payment.objects.count() == 6


def test_a_run_is_released_once(proposed: PaymentRun, checkers: list[User], at: datetime) -> None:
    approved(proposed, checkers, at)
    results = pressed(*(release(proposed, user, at) for user in [*checkers, *checkers]))
    refused = [result.code for result in results if isinstance(result, DomainError)]
    assert refused == ["INVALID_STATE"] * 3
    assert Payment.objects.count() == 3
    assert PaymentRemittance.objects.filter(payment__isnull=False).count() == 3
    assert Job.objects.filter(payload__run_id=proposed.pk).count() == 2


def test_without_the_lock_the_last_signature_is_not_seen_as_the_last(
    proposed: PaymentRun, checkers: list[User], at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The harm: each counts only its own signature, and a fully signed run waits for ever."""
    need(proposed, 2)
    without_the_lock(monkeypatch)
    monkeypatch.setattr(runs, "record", late_record(runs.record))
    pressed(*(approval(proposed, user, at) for user in checkers))
    proposed.refresh_from_db()
    assert PaymentRunApproval.objects.count() == 2
    assert proposed.status == "proposed"


def late_record(record: Callable[..., None]) -> Callable[..., None]:
    """Both have counted before either commits."""
    both = Barrier(2)

    def late(*args: Any, **data: Any) -> None:
        both.wait(timeout=20)
        record(*args, **data)

    return late


def test_two_signatures_at_once_approve_the_run(proposed: PaymentRun, checkers: list[User], at: datetime) -> None:
    need(proposed, 2)
    results = pressed(*(approval(proposed, user, at) for user in checkers))
    assert not any(isinstance(result, Exception) for result in results)
    proposed.refresh_from_db()
    assert PaymentRunApproval.objects.count() == 2
    assert proposed.status == "approved"


def test_one_person_signs_once_however_often_pressed(proposed: PaymentRun, checkers: list[User], at: datetime) -> None:
    need(proposed, 2)
    results = pressed(*(approval(proposed, checkers[0], at) for _ in range(4)))
    assert not any(isinstance(result, IntegrityError) for result in results)
    assert [result.code for result in results if isinstance(result, DomainError)] == ["FOUR_EYES"] * 3
    proposed.refresh_from_db()
    assert (PaymentRunApproval.objects.count(), proposed.status) == (1, "proposed")


def test_a_run_is_released_or_cancelled_never_both(
    proposed: PaymentRun, checkers: list[User], cast: dict[str, User], at: datetime
) -> None:
    approved(proposed, checkers, at)
    cancel = partial(
        cancel_payment_run, organisation=proposed.organisation, run_id=proposed.pk, reason="-",
        actor=cast["halyna"].as_actor(), at=at,
    )  # fmt: skip
    results = pressed(release(proposed, checkers[0], at), cancel)
    assert sum(isinstance(result, DomainError) for result in results) == 1
    proposed.refresh_from_db()
    live = PaymentRemittance.objects.filter(live=True).count()
    assert (proposed.status, Payment.objects.count(), live) in {("released", 3, 3), ("cancelled", 0, 0)}
