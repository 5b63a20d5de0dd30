"""Holds: what is held is not paid, whoever presses what in which order; another person lets it go."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.accounts.models import Organisation, User
from config.audit.models import AuditEvent
from config.errors import FourEyes, NotFound
from config.office.models import Job
from config.office.storage import open_attachment
from settlement.actions.holds import (
    HoldEndsBefore,
    HoldLifted,
    HoldReasonMissing,
    HoldTooLate,
    lift_hold,
    place_hold,
)
from settlement.actions.payments import PaymentHeld, fail_payment, mark_payments_sent, write_payment_file
from settlement.actions.run_content import Held, choose
from settlement.actions.runs import (
    NotApproved,
    NothingToPay,
    approve_payment_run,
    propose_payment_run,
    release_payment_run,
)
from settlement.finance_queries import payable_remittances, payment_file
from settlement.gateways.simulated_bank import answer_payment_file
from settlement.models import Claim, PaymentHold, PaymentRun
from tests.settlement.actions.paid import DAY, released_run
from tests.settlement.actions.payables import NOVEMBER, adjudicated, provider, ready

pytestmark = pytest.mark.django_db(transaction=True)
Cast = dict[str, User]
TODAY = date(2025, 12, 3)


@pytest.fixture
def office(organisation: Organisation, at: datetime) -> Organisation:
    ready(at)
    adjudicated(organisation, at, (1, 24_200), (2, 152_000), (2, 5_000))
    return organisation


def hold(office: Organisation, target: Any, user: User, at: datetime, **days: Any) -> PaymentHold:
    return place_hold(
        organisation=office, target=target, reason="перевірка", actor=user.as_actor(), at=at,
        **({"from_date": TODAY} | days),
    )  # fmt: skip


def lift(row: PaymentHold, user: User, at: datetime) -> PaymentHold:
    return lift_hold(organisation=row.organisation, hold_id=row.pk, reason="з'ясовано", actor=user.as_actor(), at=at)


def propose(office: Organisation, cast: Cast, at: datetime) -> PaymentRun:
    return propose_payment_run(organisation=office, period=NOVEMBER, actor=cast["halyna"].as_actor(), at=at).run


def approve(run: PaymentRun, cast: Cast, at: datetime) -> PaymentRun:
    run.refresh_from_db()
    shared = {"organisation": run.organisation, "run_id": run.pk, "actor": cast["ivan"].as_actor(), "at": at}
    return approve_payment_run(content_sha256=run.content_sha256, **shared)  # type: ignore[arg-type]


def test_a_held_provider_is_left_out_until_another_person_lifts_it(
    office: Organisation, cast: Cast, at: datetime
) -> None:
    row = hold(office, provider(2), cast["halyna"], at)
    proposal = propose_payment_run(organisation=office, period=NOVEMBER, actor=cast["halyna"].as_actor(), at=at)
    assert str(proposal.run.total.amount) == "242.00"
    assert {(item.provider.code, item.reason) for item in proposal.left_out} == {("P2", "HELD")}
    with pytest.raises(FourEyes):
        lift(row, cast["halyna"], at)
    with pytest.raises(NothingToPay):
        propose(office, cast, at)
    lift(row, cast["ivan"], at)
    assert str(propose(office, cast, at).total.amount) == "1570.00"
    with pytest.raises(HoldLifted):
        lift(row, cast["ivan"], at)


def test_a_held_claim_stops_only_itself(office: Organisation, cast: Cast, at: datetime) -> None:
    hold(office, Claim.objects.get(number="C-2511-1-3"), cast["halyna"], at)
    assert str(propose(office, cast, at).total.amount) == "1762.00"


@pytest.mark.parametrize(
    ("days", "total"),
    [
        ({"from_date": date(2025, 12, 4)}, "1812.00"),
        ({"from_date": date(2025, 12, 1), "to_date": date(2025, 12, 3)}, "1812.00"),
        ({"from_date": date(2025, 12, 1), "to_date": date(2025, 12, 4)}, "242.00"),
    ],
)
def test_a_hold_holds_on_its_days(
    office: Organisation, cast: Cast, at: datetime, days: dict[str, date], total: str
) -> None:
    hold(office, provider(2), cast["halyna"], at, **days)
    assert str(propose(office, cast, at).total.amount) == total


def test_an_approved_run_gives_up_what_is_held_and_its_signatures(
    office: Organisation, cast: Cast, at: datetime
) -> None:
    run = propose(office, cast, at)
    approve(run, cast, at)
    hold(office, provider(2), cast["ivan"], at)
    run.refresh_from_db()
    assert (run.status, str(run.total.amount)) == ("proposed", "242.00")
    with pytest.raises(NotApproved):
        release_payment_run(
            organisation=office, run_id=run.pk, execution_date=DAY, actor=cast["ivan"].as_actor(), at=at
        )
    assert approve(run, cast, at).status == "approved"
    assert set(Claim.objects.filter(provider=provider(2)).values_list("status", flat=True)) == {"adjudicated"}


def test_a_run_of_nothing_but_held_money_is_cancelled(office: Organisation, cast: Cast, at: datetime) -> None:
    run = propose(office, cast, at)
    hold(office, provider(1), cast["ivan"], at)
    hold(office, provider(2), cast["ivan"], at)
    run.refresh_from_db()
    assert run.status == "cancelled" and not run.items.filter(live=True).exists()
    assert AuditEvent.objects.filter(action="payment_hold.placed").count() == 2


def test_a_hold_that_begins_after_the_proposal_stops_its_signature(
    office: Organisation, cast: Cast, at: datetime
) -> None:
    run = propose(office, cast, at)
    hold(office, provider(2), cast["halyna"], at, from_date=date(2025, 12, 5))
    with pytest.raises(Held):
        approve(run, cast, at + timedelta(days=2))
    assert approve(run, cast, at + timedelta(days=1)).status == "approved"


def test_a_held_payment_does_not_go_to_the_bank(office: Organisation, cast: Cast, at: datetime) -> None:
    run = released_run(office, cast, at)
    shared = {"organisation": office, "run_id": run.pk, "at": at}
    write_payment_file(**shared)
    held = run.payments.get(provider__code="P2")
    row = hold(office, held, cast["halyna"], at)
    with pytest.raises(PaymentHeld):
        mark_payments_sent(actor=cast["ivan"].as_actor(), **shared)
    lift(row, cast["ivan"], at)
    assert len(mark_payments_sent(actor=cast["ivan"].as_actor(), **shared)) == run.payments.count()
    with pytest.raises(HoldTooLate):
        hold(office, held.__class__.objects.get(pk=held.pk), cast["halyna"], at)


def test_a_dropped_payment_leaves_the_file(office: Organisation, cast: Cast, at: datetime) -> None:
    run = released_run(office, cast, at)
    shared = {"organisation": office, "run_id": run.pk, "at": at}
    first = write_payment_file(**shared)
    dropped = run.payments.get(provider__code="P2")
    hold(office, dropped, cast["halyna"], at)
    fail_payment(organisation=office, payment_id=dropped.pk, reason="стримано", actor=cast["ivan"].as_actor(), at=at)
    assert Job.objects.filter(key=f"settlement.write_payment_file:{run.pk}:{dropped.pk}").exists()
    second = write_payment_file(**shared)
    assert second.pk != first.pk and write_payment_file(**shared) == second == payment_file(run)
    with open_attachment(second) as file:
        content = file.read()
    assert dropped.reference.encode() not in content and answer_payment_file(content)
    sent = mark_payments_sent(actor=cast["ivan"].as_actor(), **shared)
    assert dropped.pk not in {payment.pk for payment in sent} and sent
    assert write_payment_file(**shared) == second


def test_refusals(office: Organisation, other_organisation: Organisation, cast: Cast, at: datetime) -> None:
    claim = Claim.objects.first()
    with pytest.raises(NotFound):
        hold(other_organisation, claim, cast["halyna"], at)
    with pytest.raises(HoldEndsBefore):
        hold(office, claim, cast["halyna"], at, to_date=TODAY)
    with pytest.raises(HoldReasonMissing):
        place_hold(
            organisation=office, target=provider(1), reason=" ", from_date=TODAY, actor=cast["ivan"].as_actor(), at=at
        )
    row = hold(office, claim, cast["halyna"], at)
    with pytest.raises(NotFound):
        lift_hold(organisation=other_organisation, hold_id=row.pk, reason="-", actor=cast["ivan"].as_actor(), at=at)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"reason": "інше"}, "pgtrigger"),
        ({"provider_id": None}, "payment_hold_target|pgtrigger"),
        ({"lifted_by": "halyna", "lift_reason": "-"}, "payment_hold_four_eyes"),
    ],
)
def test_the_database_keeps_a_hold(
    office: Organisation, cast: Cast, at: datetime, change: dict[str, Any], refusal: str
) -> None:
    row = hold(office, provider(1), cast["halyna"], at)
    if "lifted_by" in change:
        change = change | {"lifted_by": cast["halyna"], "lifted_at": at}
    with pytest.raises(Exception, match=refusal), transaction.atomic():
        PaymentHold.objects.filter(pk=row.pk).update(**change)
    with pytest.raises(Exception, match="pgtrigger"), transaction.atomic():
        PaymentHold.objects.filter(pk=row.pk).delete()


def test_a_hold_has_one_target(office: Organisation, cast: Cast, at: datetime) -> None:
    with pytest.raises(IntegrityError, match="payment_hold_target"), transaction.atomic():
        PaymentHold.objects.create(
            organisation=office, provider=provider(1), claim=Claim.objects.first(), reason="x", from_date=TODAY,
            placed_by=cast["ivan"], recorded_at=at,
        )  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    payables=st.lists(st.tuples(st.integers(1, 3), st.integers(-500, 900)), min_size=1, max_size=8),
    held=st.sets(st.integers(1, 3)),
)
def test_chosen_and_left_out_are_everything_payable(
    organisation: Organisation, cast: Cast, at: datetime, payables: list[tuple[int, int]], held: set[int]
) -> None:
    with transaction.atomic():
        adjudicated(organisation, at, *payables)
        for number in sorted(held):
            PaymentHold.objects.create(
                organisation=organisation, provider=provider(number), reason="x", from_date=TODAY,
                placed_by=cast["halyna"], recorded_at=at,
            )  # fmt: skip
        rows = payable_remittances(organisation, NOVEMBER)
        chosen, left_out = choose(rows, organisation, NOVEMBER, TODAY)
        total = sum(amount for _number, amount in payables)
        assert sum(row.payable for row in chosen) + sum(row.amount_minor for row in left_out) == total
        assert not {row.provider.code for row in chosen} & {f"P{number}" for number in held}
        transaction.set_rollback(True)
