"""A real browser against a real server; skipped with a reason where no Chromium is installed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client

from config.accounts.actions import create_organisation
from config.accounts.models import Membership, Organisation, User
from config.audit.actors import SYSTEM
from config.bootstrap.messages import ensure_compiled
from config.demo.cast import CAST, PASSWORD
from contracts.actions.reference import load_reference
from contracts.models import Provider, ProviderUser
from tests.settlement.road_rows import build_road
from vouchers.models import Recipient

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((path for name in NAMES if (path := shutil.which(name))), "")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder drives a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if not CHROMIUM:
                item.add_marker(pytest.mark.skip(reason="no Chromium here: apt-get install chromium"))


@pytest.fixture(scope="session", autouse=True)
def _prepared_files(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Compiled catalogues, collected static files; the browser's loop must not forbid the ORM."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    ensure_compiled()
    settings.STATIC_ROOT = tmp_path_factory.mktemp("static")
    call_command("collectstatic", interactive=False, verbosity=0)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """One browser for the session."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def people(organisation: Organisation) -> dict[str, User]:
    """The cast with a password."""
    found = {}
    for person in CAST:
        user = User.objects.create_user(username=person.username, password=PASSWORD, display_name=person.display_name)
        for role in person.roles:
            Membership.objects.create(user=user, role=role, organisation=organisation if person.office else None)
        found[person.username] = user
    return found


def prepare(at: datetime) -> dict[str, Any]:
    """A municipality with one road of money; primary keys by name for the addresses of pages.py."""
    load_reference(at=at)
    organisation = create_organisation(
        code="verbivka", name="Вербівська громада", jurisdiction="UA", actor=SYSTEM, at=at, is_demo=True
    )
    cast = people(organisation)
    road = build_road(organisation, cast["bohdan"], at)
    ProviderUser.objects.create(provider=Provider.objects.get(code="ROAD1"), user=cast["nadiia"])
    Recipient.objects.filter(code="R-1").update(user=cast["olena"])
    keys = {name: getattr(row, "pk", None) for name, row in vars(road).items()}
    keys |= {
        "organisation": organisation.pk,
        "claim_line": road.claim_lines[0].pk,
        "adjudication_run": road.remittance.run_id,
        "payment_run": road.payment.payment_run_id,
        "statement": road.statement_line.statement_id,
        "account": road.entry.postings.earliest("pk").account_id,
    }
    return keys


@pytest.fixture
def town(transactional_db: None, at: datetime) -> dict[str, Any]:
    """The prepared municipality, committed, so that the server's threads see it."""
    return prepare(at)


def session_cookie(username: str) -> str:
    """A signed-in session without the form: signing in has its own test."""
    client = Client()
    client.force_login(User.objects.get(username=username), backend="django.contrib.auth.backends.ModelBackend")
    return client.cookies[settings.SESSION_COOKIE_NAME].value


@pytest.fixture
def open_page(chromium: Any, live_server: Any) -> Iterator[Any]:
    """``open_page(username, width=1280)`` gives a browser page of that person."""
    contexts = []

    def opened(username: str | None = None, *, width: int = 1280, height: int = 900, language: str = "") -> Any:
        context = chromium.new_context(viewport={"width": width, "height": height}, base_url=live_server.url)
        contexts.append(context)
        cookies = {settings.SESSION_COOKIE_NAME: session_cookie(username)} if username else {}
        if language:
            cookies[settings.LANGUAGE_COOKIE_NAME] = language
        context.add_cookies([{"name": n, "value": v, "url": live_server.url} for n, v in cookies.items()])
        return context.new_page()

    yield opened
    for context in contexts:
        context.close()
