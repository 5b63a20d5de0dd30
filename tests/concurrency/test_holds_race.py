"""A hold is placed while the run is released or signed: whoever comes first, held money does not reach the bank."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from typing import Any

import pytest

from config.accounts.models import Organisation, User
from config.errors import DomainError
from settlement.actions import holds
from settlement.actions.holds import place_hold
from settlement.actions.payments import PaymentHeld, mark_payments_sent, write_payment_file
from settlement.actions.runs import approve_payment_run, propose_payment_run, release_payment_run
from settlement.models import Payment, PaymentHold, PaymentRun
from tests.concurrency.test_signatures_race import pressed
from tests.settlement.actions.paid import DAY
from tests.settlement.actions.payables import NOVEMBER, adjudicated, provider, ready

pytestmark = pytest.mark.django_db(transaction=True)
Cast = dict[str, User]


@pytest.fixture
def approved(organisation: Organisation, cast: Cast, at: datetime) -> PaymentRun:
    ready(at)
    adjudicated(organisation, at, (1, 24_200), (2, 152_000))
    run = propose_payment_run(organisation=organisation, period=NOVEMBER, actor=cast["halyna"].as_actor(), at=at).run
    return approve_payment_run(
        organisation=organisation, run_id=run.pk, content_sha256=run.content_sha256,
        actor=cast["ivan"].as_actor(), at=at,
    )  # fmt: skip


def holding(run: PaymentRun, cast: Cast, at: datetime) -> Callable[[], Any]:
    return partial(
        place_hold, organisation=run.organisation, target=provider(2), reason="перевірка", from_date=date(2025, 12, 1),
        actor=cast["halyna"].as_actor(), at=at,
    )  # fmt: skip


def releasing(run: PaymentRun, cast: Cast, at: datetime) -> Callable[[], Any]:
    return partial(
        release_payment_run, organisation=run.organisation, run_id=run.pk, execution_date=DAY,
        actor=cast["ivan"].as_actor(), at=at,
    )  # fmt: skip


@pytest.mark.parametrize("turn", range(4))
def test_held_money_does_not_reach_the_bank(approved: PaymentRun, cast: Cast, at: datetime, turn: int) -> None:
    steps = [holding(approved, cast, at), releasing(approved, cast, at)]
    results = pressed(*(steps if turn % 2 else steps[::-1]))
    assert PaymentHold.objects.count() == 1
    approved.refresh_from_db()
    refused = [result for result in results if isinstance(result, DomainError)]
    if approved.status == "proposed":
        assert len(refused) == 1 and not Payment.objects.exists()
        return
    assert approved.status == "released" and not refused
    shared = {"organisation": approved.organisation, "run_id": approved.pk, "at": at}
    write_payment_file(**shared)
    with pytest.raises(PaymentHeld):
        mark_payments_sent(actor=cast["ivan"].as_actor(), **shared)


def test_a_run_that_the_hold_did_not_see_is_stopped_by_the_release(
    approved: PaymentRun, cast: Cast, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a proposal took at the same moment as the hold was placed: the release looks again."""
    monkeypatch.setattr(holds, "_change_open_runs", lambda organisation, at: [])
    holding(approved, cast, at)()
    with pytest.raises(DomainError) as refusal:
        releasing(approved, cast, at)()
    assert refusal.value.code == "PAYMENT_HELD" and not Payment.objects.exists()
