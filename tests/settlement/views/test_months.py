"""The pages of months: in work, still running, not begun, closed with the figures of the closing."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from config.accounts.models import Organisation, User
from settlement.actions.month_close import close_month
from settlement.actions.payments import fail_payment
from settlement.finance_queries import waiting_claims
from settlement.models import Claim, ClaimLine, ClosedMonth
from tests.settlement.actions.paid import released_run
from tests.settlement.actions.payables import NOVEMBER, adjudicated, owe, ready
from tests.signed_in import browser

pytestmark = pytest.mark.django_db
Cast = dict[str, User]


@pytest.fixture
def office(organisation: Organisation, cast: Cast, at: datetime) -> Organisation:
    organisation.clock_offset = at - timezone.now() + timedelta(minutes=1)
    organisation.save()
    ready(at)
    owe(organisation, adjudicated(organisation, at, (1, 24200), (2, 152000)), at)
    return organisation


@pytest.fixture
def page(office: Organisation, cast: Cast) -> Client:
    return browser(cast["ivan"], "en")


def text(client: Client, period: str | None = None) -> str:
    address = reverse("settlement:month", args=[period]) if period else reverse("settlement:months")
    return client.get(address).content.decode().replace("\N{NO-BREAK SPACE}", " ")


def closed(office: Organisation, cast: Cast, at: datetime) -> ClosedMonth:
    """Closed although nothing is paid: that only warns."""
    return close_month(organisation=office, month=NOVEMBER, actor=cast["ivan"].as_actor(), at=at)


def test_the_month_that_runs_is_in_the_list(page: Client, at: datetime) -> None:
    shown = text(page)
    assert at.date().replace(day=1) == date(2025, 12, 1)
    assert "12.2025" in shown and "The month still runs" in shown and "Over, not closed yet" in shown
    assert "10.2025" not in shown and "01.2026" not in shown


def test_a_month_that_runs_or_has_not_begun_says_so(page: Client) -> None:
    running, future, over = text(page, "2025-12"), text(page, "2026-03"), text(page, "2025-11")
    assert "It can be closed from" in running and "Checks of the month" in running
    assert "This month has not begun yet." in future and "Checks of the month" not in future
    for shown in (running, future):
        assert "Nothing blocks the closing." not in shown and "Close the month" not in shown
    assert "Nothing blocks the closing." in over and "Close the month" in over


def test_a_month_shows_what_is_submitted_and_waits_beside_what_is_judged(
    page: Client, office: Organisation, at: datetime
) -> None:
    assert "Submitted and not judged yet" not in text(page, "2025-11")
    judged = Claim.objects.filter(organisation=office, period=NOVEMBER).earliest("pk")
    told: dict[str, Any] = {"organisation": office, "provider": judged.provider, "period": NOVEMBER, "recorded_at": at}
    claim = Claim.objects.create(number="W-1", status="submitted", submitted_at=at, **told)
    ClaimLine.objects.create(
        claim=claim, line=1, service_code="S", service_date=NOVEMBER, units_milli=2000, unit_rate_e4=1_000_000,
        amount_e4=2_000_000,
    )  # fmt: skip
    Claim.objects.create(number="W-2", status="submitted", submitted_at=at, reverses=claim, **told)
    shown = text(page, "2025-11")
    assert "Claimed in judged claims" in shown and "Submitted and not judged yet" in shown
    assert [(row.number, asked) for row, asked in waiting_claims(office, NOVEMBER)] == [
        ("W-1", 20_000),
        ("W-2", -20_000),
    ]
    assert "W-1</a>: 200.00 ₴</li>" in shown or "W-1: 200.00 ₴</li>" in shown
    assert "-200.00 ₴ (takes an earlier claim back)" in shown.replace("−", "-")


def test_a_closed_month_shows_the_figures_of_its_closing(
    page: Client, office: Organisation, cast: Cast, at: datetime
) -> None:
    row = closed(office, cast, at)
    assert (row.figures["payable"], [item["gross_minor"] for item in row.providers]) == (176_200, [24_200, 152_000])
    assert "nothing is different today" in text(page, "2025-11")
    adjudicated(office, at, (1, 10_000), number=2)
    later = page.get(reverse("settlement:month", args=["2025-11"])).context
    assert {str(title): value for title, value in later["rows"]}["To pay"] == 176_200
    assert [item["gross_minor"] for item in later["providers"]] == [24_200, 152_000]
    shown = text(page, "2025-11")
    assert "To pay: today 1,862.00 ₴, which is 100.00 ₴ more than when the month was closed." in shown
    assert "Paid: today" not in shown and "nothing is different today" not in shown


def test_a_check_that_fails_since_is_told(page: Client, office: Organisation, cast: Cast, at: datetime) -> None:
    run = released_run(office, cast, at)
    for payment in run.payments.all():
        shared = {"organisation": office, "reason": "-", "actor": cast["ivan"].as_actor(), "at": at}
        fail_payment(payment_id=payment.pk, **shared)  # type: ignore[arg-type]
    closed(office, cast, at)
    assert "nothing is different today" in text(page, "2025-11")
    again = released_run(office, cast, at)
    shown = text(page, "2025-11")
    assert "The bank has answered for every payment of the month»: so it was when the month was closed" in shown
    assert again.payments.all()[0].reference in shown


def test_a_closing_without_figures_says_that_they_are_of_today(
    page: Client, office: Organisation, cast: Cast, at: datetime
) -> None:
    ClosedMonth.objects.create(organisation=office, month=NOVEMBER, closed_by=cast["ivan"], closed_at=at)
    shown = text(page, "2025-11")
    assert "these are the figures of today" in shown and "1,762.00 ₴" in shown
