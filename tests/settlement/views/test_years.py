"""The pages and the command of the year's end."""

from __future__ import annotations

import io
from datetime import datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from config.accounts.models import Membership, Organisation, User
from config.demo.cast import CAST
from contracts.models import BudgetLine, ClosedBudgetLine
from settlement.models import YearClosing
from tests import signed_in
from tests.settlement.actions import test_year_close as played
from tests.settlement.actions.test_year_close import JANUARY, office, over, people

__all__ = ["office", "over", "people"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def year_end(over: Organisation, people: dict[str, User]) -> Organisation:
    over.clock_offset = JANUARY - timezone.now() + timedelta(minutes=1)
    over.save()
    for person in CAST:
        user, _ = User.objects.get_or_create(username=person.username)
        for role in person.roles:
            Membership.objects.create(user=user, role=role, organisation=over if person.office else None)
    return over


def browser(username: str) -> Client:
    return signed_in.browser(User.objects.get(username=username), "en")


def text(client: Client, name: str = "year", *args: int) -> str:
    return client.get(reverse(f"settlement:{name}", args=args)).content.decode().replace("\N{NO-BREAK SPACE}", " ")


def test_one_prepares_another_closes(year_end: Organisation) -> None:
    halyna, ivan = browser("halyna"), browser("ivan")
    assert "Prepare the closing" in text(halyna, "year", 2025) and "Prepare the closing" not in text(ivan, "year", 2025)
    assert halyna.post(reverse("settlement:year_prepare", args=[2025])).status_code == 302
    assert "another person approves it" in text(halyna, "year", 2025)
    assert "Close the year" not in text(halyna, "year", 2025) and "Close the year" in text(ivan, "year", 2025)
    seen = YearClosing.objects.get().content_sha256
    assert halyna.post(reverse("settlement:year_approve", args=[2025]), {"seen": seen}).status_code == 403
    ivan.post(reverse("settlement:year_approve", args=[2025]), {"seen": seen})
    shown = text(ivan, "year", 2025)
    assert "Closed by" in shown and "400.00" in shown and ClosedBudgetLine.objects.count() == 1
    assert "Closings" in text(ivan, "years") and "2025" in text(ivan, "years")


def test_a_closing_is_given_up_with_a_reason(year_end: Organisation) -> None:
    ivan = browser("ivan")
    browser("halyna").post(reverse("settlement:year_prepare", args=[2025]))
    ivan.post(reverse("settlement:year_cancel", args=[2025]), {"reason": ""})
    assert YearClosing.objects.get().status == "proposed"
    ivan.post(reverse("settlement:year_cancel", args=[2025]), {"reason": "Ще один акт"})
    assert YearClosing.objects.get().status == "cancelled"
    again = ivan.post(reverse("settlement:year_cancel", args=[2025]), {"reason": "x"}, follow=True)
    assert "There is no such record" in again.content.decode() and YearClosing.objects.count() == 1


def test_a_running_year_says_so_and_an_unknown_one_is_not_there(year_end: Organisation) -> None:
    halyna = browser("halyna")
    assert "The year still runs" in text(halyna, "year", 2026)
    assert halyna.get(reverse("settlement:year", args=[1999])).status_code == 404


def test_open_months_are_named(office: Organisation, people: dict[str, User], at: datetime) -> None:
    office.clock_offset = JANUARY - timezone.now()
    office.save()
    Membership.objects.create(user=people["halyna"], role="finance_maker", organisation=office)
    shown = text(browser("halyna"), "year", 2025)
    assert "11.2025" in shown and "12.2025" in shown and "Prepare the closing" not in shown


def test_the_list_costs_the_same_whatever_its_length(
    year_end: Organisation, django_assert_max_num_queries: pytest.FixtureRequest
) -> None:
    halyna = browser("halyna")
    halyna.get(reverse("settlement:years"))
    for year in range(2000, 2020):
        BudgetLine.objects.create(organisation=year_end, code="X", year=year, amount=1)
    with django_assert_max_num_queries(20):  # type: ignore[operator]
        halyna.get(reverse("settlement:year", args=[2025]))


def test_the_command_takes_two_people(year_end: Organisation) -> None:
    out = io.StringIO()
    with pytest.raises(CommandError, match="waits for approval"):
        call_command("close_year", year_end.code, 2025, by="ivan", approve=True)
    call_command("close_year", year_end.code, 2025, by="halyna", stdout=out)
    with pytest.raises(CommandError):
        call_command("close_year", year_end.code, 2025, by="halyna", approve=True)
    call_command("close_year", year_end.code, 2025, by="ivan", approve=True, stdout=out)
    assert f"carried {played.GRANTED + played.RESERVED - played.SPENT}" in out.getvalue()
    assert "2025: approved" in out.getvalue()
