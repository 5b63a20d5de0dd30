"""CLM-45 beyond judging: nobody approves, releases or drops a payment of a provider to whom they are related."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from config.accounts.models import Organisation, User
from contracts.actions.check_facts import RelatedPerson, declare_relation
from settlement.actions.holds import lift_hold, place_hold
from settlement.actions.payments import fail_payment
from settlement.actions.runs import approve_payment_run, propose_payment_run, release_payment_run
from settlement.models import Claim, Payment, PaymentRun, PaymentRunApproval
from tests.settlement.actions.paid import DAY, released_run
from tests.settlement.actions.payables import NOVEMBER, adjudicated, provider, ready

pytestmark = pytest.mark.django_db(transaction=True)
Cast = dict[str, User]
TODAY = date(2025, 12, 3)


@pytest.fixture
def office(organisation: Organisation, at: datetime) -> Organisation:
    ready(at)
    adjudicated(organisation, at, (1, 24_200), (2, 152_000))
    return organisation


def relate(
    office: Organisation,
    cast: Cast,
    at: datetime,
    number: int = 2,
    *,
    valid_from: date = date(2025, 1, 1),
    valid_to: date | None = None,
) -> None:
    """Ivan's sister works for a provider."""
    declare_relation(
        organisation=office, user=cast["ivan"], provider=provider(number), reason="сестра", valid_from=valid_from,
        valid_to=valid_to, actor=cast["oksana"].as_actor(), at=at,
    )  # fmt: skip


def by(run: PaymentRun, user: User, at: datetime) -> dict[str, Any]:
    return {"organisation": run.organisation, "run_id": run.pk, "actor": user.as_actor(), "at": at}


def proposed(office: Organisation, cast: Cast, at: datetime) -> PaymentRun:
    return propose_payment_run(organisation=office, period=NOVEMBER, actor=cast["halyna"].as_actor(), at=at).run


def test_a_related_person_approves_nothing_and_another_one_does(office: Organisation, cast: Cast, at: datetime) -> None:
    relate(office, cast, at)
    run = proposed(office, cast, at)
    with pytest.raises(RelatedPerson, match="Надавач 2"):
        approve_payment_run(content_sha256=run.content_sha256, **by(run, cast["ivan"], at))
    assert not PaymentRunApproval.objects.exists()
    assert approve_payment_run(content_sha256=run.content_sha256, **by(run, cast["oksana"], at)).status == "approved"


def test_a_related_person_releases_nothing_and_another_one_does(office: Organisation, cast: Cast, at: datetime) -> None:
    run = proposed(office, cast, at)
    approve_payment_run(content_sha256=run.content_sha256, **by(run, cast["ivan"], at))
    relate(office, cast, at)
    with pytest.raises(RelatedPerson):
        release_payment_run(execution_date=DAY, **by(run, cast["ivan"], at))
    assert not Payment.objects.exists()
    assert release_payment_run(execution_date=DAY, **by(run, cast["oksana"], at)).status == "released"


def test_the_database_refuses_the_signature_and_the_release_too(office: Organisation, cast: Cast, at: datetime) -> None:
    run = proposed(office, cast, at)
    relate(office, cast, at)

    def sign(username: str) -> None:
        seen = {"content_sha256": run.content_sha256, "approved_at": at}
        PaymentRunApproval.objects.create(payment_run=run, approved_by=cast[username], **seen)

    def release(username: str) -> None:
        run.released_by = cast[username]
        run.save(update_fields=["released_by"])
        run.move_to("released", at=at)

    with pytest.raises(IntegrityError, match="related"), transaction.atomic():
        sign("ivan")
    sign("oksana")
    run.move_to("approved", at=at)
    with pytest.raises(IntegrityError, match="related"), transaction.atomic():
        release("ivan")
    run.refresh_from_db()
    assert run.status == "approved"
    release("oksana")
    assert run.status == "released"


@pytest.mark.parametrize(("number", "days"), [(3, {}), (2, {"valid_to": TODAY}), (2, {"valid_from": DAY})])
def test_a_relation_to_others_or_on_other_days_stops_nobody(
    office: Organisation, cast: Cast, at: datetime, number: int, days: dict[str, date]
) -> None:
    relate(office, cast, at, number, **days)
    assert released_run(office, cast, at).released_by == cast["ivan"]


def test_a_run_without_the_related_provider_is_free(office: Organisation, cast: Cast, at: datetime) -> None:
    relate(office, cast, at)
    asked: dict[str, Any] = {"organisation": office, "actor": cast["halyna"].as_actor(), "at": at}
    place_hold(target=provider(2), reason="перевірка", from_date=TODAY, **asked)
    assert released_run(office, cast, at).status == "released"


def test_a_related_person_drops_no_payment_and_another_one_does(office: Organisation, cast: Cast, at: datetime) -> None:
    run = released_run(office, cast, at)
    relate(office, cast, at)
    related, other = run.payments.get(provider__code="P2"), run.payments.get(provider__code="P1")

    def drop(payment: Payment, username: str) -> str:
        asked: dict[str, Any] = {"organisation": office, "actor": cast[username].as_actor(), "at": at}
        return fail_payment(payment_id=payment.pk, reason="помилка", **asked).status

    with pytest.raises(RelatedPerson):
        drop(related, "ivan")
    related.refresh_from_db()
    assert related.status == "prepared"
    assert (drop(other, "ivan"), drop(related, "oksana")) == ("failed", "failed")


TARGETS: dict[str, Callable[[], Any]] = {
    "provider": lambda: provider(2),
    "claim": lambda: Claim.objects.get(provider__code="P2"),
    "payment": lambda: Payment.objects.get(provider__code="P2"),
}


@pytest.mark.parametrize("kind", TARGETS)
def test_a_related_person_lifts_no_hold_and_another_one_does(
    kind: str, office: Organisation, cast: Cast, at: datetime
) -> None:
    released_run(office, cast, at)
    asked: dict[str, Any] = {"organisation": office, "at": at, "reason": "так"}
    hold = place_hold(target=TARGETS[kind](), from_date=TODAY, actor=cast["halyna"].as_actor(), **asked)
    relate(office, cast, at)
    with pytest.raises(RelatedPerson):
        lift_hold(hold_id=hold.pk, actor=cast["ivan"].as_actor(), **asked)
    hold.refresh_from_db()
    assert hold.lifted_at is None
    assert lift_hold(hold_id=hold.pk, actor=cast["oksana"].as_actor(), **asked).lifted_by == cast["oksana"]


def test_many_providers_cost_no_more_queries(office: Organisation, cast: Cast, at: datetime) -> None:
    def queries(month: date, *providers: int) -> int:
        adjudicated(office, at, *((number, 1_000) for number in providers), number=2, period=month)
        shared: dict[str, Any] = {"organisation": office, "at": at}
        run = propose_payment_run(period=month, actor=cast["halyna"].as_actor(), **shared).run
        with CaptureQueriesContext(connection) as seen:
            approve_payment_run(content_sha256=run.content_sha256, **by(run, cast["ivan"], at))
        return len(seen)

    relate(office, cast, at)
    assert queries(date(2025, 9, 1), 1) == queries(date(2025, 8, 1), 1, 3, 4, 5, 6)
