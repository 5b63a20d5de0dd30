"""Whoever signs in may follow every link that is shown: no link ends in a refusal, in nothing or in a fault."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path

import pytest
from django.test import Client

from config.demo.cast import CAST
from contracts.actions.reference import load_reference
from contracts.models import Provider, ProviderUser
from procurement.models import Tender
from settlement.models import StatementLine
from tests.settlement.actions.month import AT
from tests.settlement.road_rows import build_road
from tests.settlement.views.town import Town, settled_town
from vouchers.models import Recipient

pytestmark = pytest.mark.django_db
DEPTH = 3
# Pages of one kind differ in their rows alone: a few of each are enough.
OF_A_KIND = 4
Said = dict[str, int]
Came = dict[str, str]
LINK = re.compile(r"<a\b[^>]*?href=\"([^\"]+)\"")


@pytest.fixture
def town(tmp_path: Path) -> Town:
    """A settled month, a road of money beside it, a bank record that nobody has explained, a recipient who signs in."""
    made = settled_town(tmp_path)
    load_reference(at=AT)
    build_road(made.organisation, made.users["bohdan"], AT, mark="7")
    for username in ("lidiia", "roman", "larysa"):
        ProviderUser.objects.create(provider=Provider.objects.get(code="ROAD7"), user=made.users[username])
    Recipient.objects.filter(code="R-7").update(user=made.users["olena"])
    Recipient.objects.exclude(code="R-7").filter(pk=Recipient.objects.exclude(code="R-7").earliest("pk").pk).update(
        user=made.users["petro"]
    )
    Tender.objects.filter(published_at=None).update(published_at=AT)
    return made


def kind(address: str) -> str:
    """An address without its numbers and values."""
    path, _, query = address.partition("?")
    names = sorted(part.partition("=")[0] for part in query.split("&") if part)
    return re.sub(r"\d+", "N", path) + "?" + "&".join(names)


def links(address: str, page: str) -> Iterator[str]:
    """Addresses of this product that a page shows."""
    for found in LINK.findall(page):
        target = unescape(found).partition("#")[0]
        if target.startswith("?"):
            yield address.partition("?")[0] + target
        elif target.startswith("/") and not target.startswith("/static/"):
            yield target


def crawl(browser: Client, look: Callable[[str, str], None] = lambda address, page: None) -> tuple[Said, Came]:
    """Status of every page within reach, and from where it was reached; each page is given to ``look``."""
    said: dict[str, int] = {}
    came: dict[str, str] = {"/": ""}
    kinds: Counter[str] = Counter()
    waiting = deque([("/", 0)])
    while waiting:
        address, depth = waiting.popleft()
        kinds[kind(address)] += 1
        if kinds[kind(address)] > OF_A_KIND:
            continue
        answer = browser.get(address)
        said[address] = answer.status_code
        if not answer.headers.get("Content-Type", "").startswith("text/html"):
            continue
        page = answer.content.decode()
        look(address, page)
        for target in links(address, page) if depth < DEPTH else ():
            if target not in came:
                came[target] = address
                waiting.append((target, depth + 1))
    return said, came


@pytest.mark.parametrize("username", [person.username for person in CAST if not person.username.startswith("member")])
def test_no_link_ends_in_a_refusal(town: Town, username: str) -> None:
    said, came = crawl(town.browser(username))
    assert {address: (status, came[address]) for address, status in said.items() if status >= 400} == {}


def test_the_crawl_reaches_the_depth_of_the_product(town: Town) -> None:
    said, _came = crawl(town.browser("mariia"))
    reached = {kind(address).rstrip("?") for address in said}
    wanted = {"/settlement/claims/N/", "/trail/settlement.claim/N/", "/money/budget_line/N/", "/settlement/payments/N/"}
    assert wanted <= reached
    assert StatementLine.objects.filter(status="unmatched").exists()
