"""The number on a card of the home page is the number of rows behind it, for every role and card."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from config.accounts.models import Organisation, User
from config.demo.cast import CAST
from config.pages.waiting import DUTIES, OWN, Duty
from config.pages.waiting_columns import COLUMNS
from contracts.actions.reference import load_reference
from contracts.models import Provider, ProviderUser
from settlement.appeal_queries import DISPUTABLE, appeal_until
from settlement.finding_words import title_of
from settlement.models import Adjudication, Appeal, Claim
from settlement.rules.checks import ALL
from tests.conftest import KYIV
from tests.road import assert_same_queries
from tests.settlement.actions.month import AT, judge
from tests.settlement.road_rows import build_road
from tests.settlement.views.town import Town, settled_town, url
from vouchers.models import Recipient

pytestmark = pytest.mark.django_db


@pytest.fixture
def town(tmp_path: Path) -> Town:
    made = settled_town(tmp_path)
    build_road(made.organisation, made.users["bohdan"], AT, mark="7")
    for username in ("lidiia", "roman", "larysa"):
        ProviderUser.objects.create(provider=Provider.objects.get(code="ROAD7"), user=made.users[username])
    Recipient.objects.filter(code="R-7").update(user=made.users["olena"])
    return made


def rows_behind(browser: Client, address: str) -> int:
    """Rows of a list over all its pages."""
    return int(browser.get(address).context["page"].paginator.count)


@pytest.mark.parametrize("username", [person.username for person in CAST])
def test_each_card_counts_the_rows_behind_it(town: Town, username: str) -> None:
    browser = town.browser(username)
    cards = browser.get("/").context["cards"]
    assert {str(card.what): card.count for card in cards} == {
        str(card.what): rows_behind(browser, card.url) for card in cards
    }


def test_some_cards_count_something(town: Town) -> None:
    counted = {
        str(card.what)
        for person in CAST
        for card in town.browser(person.username).get("/").context["cards"]
        if card.count
    }
    assert len(counted) >= 10


@pytest.mark.parametrize("duty", [*DUTIES, OWN], ids=lambda duty: duty.key)
def test_a_list_is_open_to_its_role_alone(town: Town, duty: object) -> None:
    assert town.browser("outsider").get(f"/waiting/{duty.key}/").status_code == 403  # type: ignore[attr-defined]


def test_work_of_another_role_is_not_found(town: Town) -> None:
    assert town.browser("halyna").get("/waiting/bank_records/").status_code == 200
    assert town.browser("bohdan").get("/waiting/bank_records/").status_code == 404
    assert town.browser("halyna").get("/waiting/no-such-work/").status_code == 404


def test_a_row_leads_to_its_record(town: Town) -> None:
    page = town.browser("halyna").get("/waiting/bank_records/").content.decode()
    assert re.search(r"/settlement/statement-lines/\d+/", unescape(page))


def test_the_price_does_not_grow(client: Client, cast: dict[str, User], organisation: Organisation) -> None:
    build_road(organisation, cast["bohdan"], AT)
    client.force_login(cast["halyna"])
    assert_same_queries(
        client, "/waiting/bank_records/", lambda: build_road(organisation, cast["bohdan"], AT, mark="2")
    )


def test_refused_lines_stay_while_they_can_be_appealed_whatever_is_claimed_later(town: Town) -> None:
    load_reference(at=AT)
    nadiia = town.browser("nadiia")
    refused = Adjudication.objects.filter(claim=town.claim, outcome__in=["rejected", "reduced"]).count()
    assert refused == 14
    contract = town.claim.contract
    nadiia.post(url("claim_from_redemptions"), {"contract": contract.pk, "period": "2025-12"})
    later = Claim.objects.exclude(pk=town.claim.pk).get(provider=town.claim.provider)
    nadiia.post(url("claim_submit", later.pk))
    assert judge(town.organisation, at=AT + timedelta(minutes=1), period=later.period) is not None
    later.refresh_from_db()
    of_later = Adjudication.objects.filter(claim=later, outcome__in=["rejected", "reduced"]).count()
    assert later.status in DISPUTABLE
    assert rows_behind(nadiia, "/waiting/lines_refused/") == refused + of_later
    until = appeal_until(town.run)
    for day, count in ((until, refused + of_later), (until + timedelta(days=1), 0)):
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=KYIV)
        Organisation.objects.update(clock_offset=noon - timezone.now())
        assert rows_behind(nadiia, "/waiting/lines_refused/") == count


@pytest.mark.parametrize("answer", ["uphold", "refuse", ""])
def test_an_appealed_line_leaves_the_list_with_its_button(town: Town, answer: str) -> None:
    load_reference(at=AT)
    nadiia = town.browser("nadiia")
    line = Adjudication.objects.filter(claim=town.claim, outcome="rejected").latest("pk").claim_line
    assert line is not None
    form = f"{url('appeal_new', town.claim.pk)}?line={line.line}"
    before = rows_behind(nadiia, "/waiting/lines_refused/")
    assert nadiia.get(url("claim_line", line.pk)).context["may_appeal"]
    nadiia.post(form, {"reason": "The visit took place."})
    if answer:
        town.browser("ivan").post(url(f"appeal_{answer}", Appeal.objects.get().pk), {"reason": "Looked into."})
    assert Appeal.objects.filter(answer=None).count() == (0 if answer else 1)
    assert rows_behind(nadiia, "/waiting/lines_refused/") == before - 1
    assert not nadiia.get(url("claim_line", line.pk)).context["may_appeal"]


def test_the_list_of_refused_lines_says_why_how_much_and_when(town: Town) -> None:
    load_reference(at=AT)
    page = town.browser("nadiia").get("/waiting/lines_refused/")
    columns = [str(column.heading) for column in page.context["columns"]]
    assert columns == [str(column.heading) for column in COLUMNS["lines_refused"]]
    rows = page.context["rows"]
    reasons = {row["cells"][-1][1] for row in rows}
    assert len(rows) == 14 and "" not in reasons
    assert reasons <= {title_of(code) for code in ALL} and len(reasons) > 1
    assert all(row["cells"][3][1] > row["cells"][4][1] for row in rows)


@pytest.mark.parametrize("duty", [duty for duty in DUTIES if duty.query is None], ids=lambda duty: duty.key)
def test_every_list_tells_more_than_the_name(duty: Duty) -> None:
    assert COLUMNS.get(duty.key), duty.key
