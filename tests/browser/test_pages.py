"""Every page of the table: it answers, has no accessibility violation of WCAG 2 A and AA, no error in the console,
fits a phone of 360 px, and obeys its content policy.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db.models.fields import BLANK_CHOICE_DASH

from tests.browser.pages import PAGES, BrowserPage

AXE = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
# The kinds of pages whose narrow form has other markup on screen: stacked tables, drawings, forms, the folded menu.
PHONE_AXE = {"/sign-in/", "/", "/trail/", "/money/claim/{claim}/", "/contracts/services/", "/vouchers/redeem/"}
DASHES = BLANK_CHOICE_DASH[0][1]
SHOTS = os.environ.get("BROWSER_SHOTS", "")


def _violations(page: Any) -> list[str]:
    found = Axe().run(page, options=AXE).response["violations"]
    return [f"{rule['id']}: {node['html'][:160]}" for rule in found for node in rule["nodes"]]


def _overflow(page: Any) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def _shot(page: Any, name: str) -> None:
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


def looked_over(entry: BrowserPage, rows: dict[str, Any], open_page: Any) -> list[str]:
    """What is wrong with a page, wide and on a phone."""
    errors: list[str] = []
    page = open_page(entry.username)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda m: errors.append(m.text) if "Content Security" in m.text else None)
    answer = page.goto(entry.address.format(**rows))
    if answer.status != entry.status:
        return [f"{entry}: answered {answer.status} instead of {entry.status}"]
    said = [f"{entry}: {violation}" for violation in _violations(page)]
    if DASHES in page.content():
        said.append(f"{entry}: a list begins with the framework's own dashes")
    _shot(page, f"{entry}")
    page.set_viewport_size({"width": 360, "height": 740})
    if _overflow(page) > 0:
        said.append(f"{entry}: {_overflow(page)} px too wide for a phone")
    if entry.address in PHONE_AXE:
        said += [f"{entry} on a phone: {violation}" for violation in _violations(page)]
    _shot(page, f"{entry}-360")
    page.context.close()
    return said + [f"{entry}: {error}" for error in errors]


def test_every_page(town: dict[str, Any], open_page: Any) -> None:
    """One municipality for all pages: making it anew for each would cost more than the browser."""
    assert [fault for entry in PAGES for fault in looked_over(entry, town, open_page)] == []


@pytest.mark.parametrize("language", ["uk", "ru"])
def test_no_english_word_is_left(town: dict[str, Any], open_page: Any, language: str) -> None:
    """Words of the shell and of these pages are translated: a sample that no Ukrainian or Russian page may hold."""
    page = open_page("mariia", language=language)
    for address in ("/", "/trail/", "/money/"):
        page.goto(address)
        words = page.inner_text("body")
        for english in ("Sign out", "Home", "Menu", "Search", "Audit trail", "Follow the money", "Budget line"):
            assert english not in words, (address, english)
