"""Faults at our own door, over real HTTP to a running server: whatever arrives twice, in the wrong order, forged or
late, and whoever presses a button at the same moment, the money moves once.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from config.accounts.models import Organisation, User
from contracts.models import Provider
from settlement.actions.runs import approve_payment_run, propose_payment_run
from settlement.models import (
    FeeNotice,
    FeeReceipt,
    Payment,
    PaymentRun,
    StripeEvent,
    WebhookRefusal,
)
from tests.settlement.actions.fee_town import OWED, balanced, fee_town, noticed, session_of, sums, work
from tests.settlement.actions.paid import DAY
from tests.settlement.actions.payables import NOVEMBER, adjudicated, balances, owe, ready
from tests.settlement.gateways.orders import account
from tests.settlement.gateways.stripe_stand_in import StripeStandIn, event, signature, stripe_on_loopback

pytestmark = pytest.mark.django_db(transaction=True)
Town = tuple[Organisation, dict[str, User]]
LONG_AGO = 1_700_000_000


class _Stay(HTTPRedirectHandler):
    """An answer that leads on is an answer."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def post(address: str, content: bytes, **headers: str) -> int:
    """The status of the answer to one request."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with build_opener(_Stay).open(
            Request(address, data=content, headers=names, method="POST"), timeout=30
        ) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


@pytest.fixture
def stripe() -> Iterator[StripeStandIn]:
    with stripe_on_loopback(STRIPE_TRANSFER_CURRENCIES=frozenset({"UAH"})) as server:
        yield server


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return fee_town(tmp_path)


@pytest.fixture
def notice(town: Town) -> FeeNotice:
    return noticed(*town)


@pytest.fixture
def door(live_server: Any) -> str:
    return f"{live_server.url}{reverse('settlement:stripe_webhook')}"


def deliver(door: str, content: bytes, **signed: Any) -> int:
    header = signature(content, **signed)
    return post(door, content, Content_Type="application/json", Stripe_Signature=header)


def paid_once(notice: FeeNotice) -> bool:
    work("settlement.stripe_event")
    assert FeeReceipt.objects.get().amount_minor == OWED and sums(notice)[3] == 0
    return balanced()


def test_told_twice_at_once_and_again_later(town: Town, notice: FeeNotice, stripe: StripeStandIn, door: str) -> None:
    content = event("payment_intent.succeeded", stripe.pay(session_of(notice, town[1]["olena"], stripe)))
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: deliver(door, content), range(4))) == {200}
    assert paid_once(notice)
    assert deliver(door, content) == 200 and StripeEvent.objects.count() == 1 and paid_once(notice)


def test_told_in_the_wrong_order(town: Town, notice: FeeNotice, stripe: StripeStandIn, door: str) -> None:
    session = session_of(notice, town[1]["olena"], stripe)
    intent = stripe.pay(session)
    back = {"id": "re_1", "object": "refund", "amount": 500, "currency": "uah", "status": "succeeded",
            "payment_intent": intent["id"], "metadata": {}}  # fmt: skip
    for content in (
        event("refund.created", back),
        event("checkout.session.expired", session),
        event("checkout.session.completed", session),
        event("payment_intent.succeeded", intent),
    ):
        assert deliver(door, content) == 200
    work("settlement.stripe_event")
    assert FeeReceipt.objects.get().amount_minor == OWED and sums(notice)[2:] == (500, 500) and balanced()


def test_forged(town: Town, notice: FeeNotice, stripe: StripeStandIn, door: str) -> None:
    content = event("payment_intent.succeeded", stripe.pay(session_of(notice, town[1]["olena"], stripe)))
    forged = content.replace(str(OWED).encode(), b"99999")
    assert forged != content and deliver(door, content, secret="whsec_other") == 400
    assert post(door, forged, Stripe_Signature=signature(content)) == post(door, content) == 400
    assert WebhookRefusal.objects.get().count == 3 and not StripeEvent.objects.exists()
    assert deliver(door, content) == 200 and paid_once(notice)


def test_late(town: Town, notice: FeeNotice, stripe: StripeStandIn, door: str) -> None:
    """An old delivery that somebody repeats is refused; Stripe's own late one, signed anew, is booked."""
    intent = stripe.pay(session_of(notice, town[1]["olena"], stripe))
    content = event("payment_intent.succeeded", intent)
    assert deliver(door, content, moment=LONG_AGO) == 400 and not StripeEvent.objects.exists()
    late = event("payment_intent.succeeded", intent, created=int((timezone.now() - timedelta(days=3)).timestamp()))
    assert deliver(door, late) == 200 and paid_once(notice)


@pytest.fixture
def approved(organisation: Organisation, cast: dict[str, User], at: datetime, stripe: StripeStandIn) -> PaymentRun:
    """Two providers are owed, the first is paid through Stripe; the run waits for its release."""
    organisation.iban, organisation.clock_offset = account(1), at - timezone.now()
    organisation.save()
    ready(at)
    owe(organisation, adjudicated(organisation, at, (1, 10_000), (2, 5_000)), at)
    Provider.objects.filter(code="P1").update(stripe_account="acct_1")
    maker, checker = cast["halyna"].as_actor(), cast["ivan"].as_actor()
    run = propose_payment_run(organisation=organisation, period=NOVEMBER, actor=maker, at=at).run
    return approve_payment_run(
        organisation=organisation, run_id=run.pk, content_sha256=run.content_sha256, actor=checker, at=at
    )


def signed_in(user: User) -> str:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def test_two_people_press_release_at_once(
    approved: PaymentRun, cast: dict[str, User], stripe: StripeStandIn, live_server: Any
) -> None:
    token = "t" * 32
    address = f"{live_server.url}{reverse('settlement:payment_run_release', args=[approved.pk])}"
    content = f"execution_date={DAY}&csrfmiddlewaretoken={token}".encode()
    cast["oksana"].memberships.get_or_create(role="finance_checker", organisation=approved.organisation)
    people = [signed_in(cast[name]) for name in ("ivan", "oksana", "ivan", "oksana")]

    def press(session: str) -> int:
        cookies = f"{settings.SESSION_COOKIE_NAME}={session}; {settings.CSRF_COOKIE_NAME}={token}"
        return post(address, content, Cookie=cookies, Content_Type="application/x-www-form-urlencoded")

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(press, people))
    assert set(answers) == {302}
    run = PaymentRun.objects.get()
    assert run.status == "released" and run.released_by is not None
    assert sorted(str(row.amount.amount) for row in Payment.objects.all()) == ["100.00", "50.00"]
    work()
    assert len(stripe.of("transfer")) == 1 and Payment.objects.get(gateway="stripe").status == "confirmed"
    assert balances(approved.organisation)["payable:P1"] == 0
