"""Pages in Ukrainian and Russian hold no English: Latin letters stand only in codes, accounts and names of formats."""

from __future__ import annotations

import re
import subprocess
from html import unescape
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation

from config.translations import FOLDER
from settlement.models import ClaimLine
from settlement.rules.posting_plan import PLAN
from tests.config.pages.test_every_link import crawl, town  # noqa: F401  the fixture is used by name
from tests.settlement.views.town import Town

pytestmark = pytest.mark.django_db
# Names of formats and standards, Roman numbers, the names of the languages themselves.
ALLOWED = {"PDF", "CSV", "XLSX", "JSON", "IBAN", "CPV", "PIN", "QR", "SHA", "English", "API", "OpenAPI", "Stripe", "RF"}
ALLOWED |= {"I", "II", "III", "IV", "V", "VI", "MB", "UAH", "camt", "pain", "ISO", "app.model"}
# Columns of the files that people send.
ALLOWED |= {"units", "code"}
# Code that is marked as code, and what is only for programs.
NOT_WORDS = re.compile(r"<(script|style|code|head|textarea)\b.*?</\1>|<span class=\"fingerprint\">.*?</span>", re.S)
SPOKEN = re.compile(r"(?:aria-label|title|placeholder|alt|data-label)=\"([^\"]*)\"")
# A word of English: small letters only, at least three, no digit or dash beside them (those are codes).
ENGLISH = re.compile(r"(?<![\w.:/@\-…])[A-Za-z]?[a-z]{2,}(?![\w@/:\-…]|\.\w)")
# Events of the ledger have words: their codes stand on no page.
LEDGER = re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, PLAN))})(?![\w.])")
# Pages that no person but a programmer reads, and those whose text comes from outside.
FOR_PROGRAMS = ("/api/", "/trail/accounts", "/profile/keys")


@pytest.fixture(scope="module")
def catalogues(tmp_path_factory: pytest.TempPathFactory) -> object:
    """The committed catalogues, compiled: an older .mo beside them must not be what is tested."""
    folder = tmp_path_factory.mktemp("locale")
    for language in ("uk", "ru"):
        target = folder / language / "LC_MESSAGES"
        target.mkdir(parents=True)
        source = FOLDER / language / "LC_MESSAGES" / "django.po"
        subprocess.run(["msgfmt", "-o", str(target / "django.mo"), str(source)], check=True)
    return folder


def english_of(page: str, known: set[str]) -> list[str]:
    """Words of English in a page, each with the text around it."""
    body = NOT_WORDS.sub(" ", page)
    texts = [*re.split(r"<[^>]+>", body), *SPOKEN.findall(body)]
    found = []
    for text in (unescape(text).strip() for text in texts):
        words = [word for word in ENGLISH.findall(text) if word not in ALLOWED | known]
        words += LEDGER.findall(text)
        if words:
            found.append(text[:90])
    return found


@pytest.mark.parametrize("language", ["uk", "ru"])
@pytest.mark.parametrize("username", ["mariia", "halyna", "nadiia", "sofiia", "olena"])
def test_no_english(
    town: Town,  # noqa: F811
    catalogues: Path,
    monkeypatch: pytest.MonkeyPatch,
    language: str,
    username: str,
) -> None:
    monkeypatch.setattr(settings, "LOCALE_PATHS", [catalogues])
    translation.trans_real._translations = {}  # type: ignore[attr-defined]
    browser: Client = town.browser(username)
    browser.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    known = set(town.users) | {"system", town.organisation.code}
    english: dict[str, list[str]] = {}

    def look(address: str, page: str) -> None:
        words = [] if address.startswith(FOR_PROGRAMS) else english_of(page, known)
        if words:
            english[address] = words

    crawl(browser, look)
    translation.trans_real._translations = {}  # type: ignore[attr-defined]
    assert english == {}


def test_english_would_be_found(town: Town) -> None:  # noqa: F811
    assert english_of("<p>Рядок</p><p>Nothing is left</p>", set()) == ["Nothing is left"]
    assert english_of("<p>CT-2025-0001 <code>user.invited</code> UA213223130000026007233566001</p>", set()) == []
    assert english_of("<td>clearing.agreed</td><p>Ось fee.passed_on, і все</p>", set()) == [
        "clearing.agreed",
        "Ось fee.passed_on, і все",
    ]
    line = ClaimLine.objects.first()
    page = town.browser("mariia").get(f"/settlement/claim-lines/{line.pk}/").content.decode()
    assert english_of(page, set())
