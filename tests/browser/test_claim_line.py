"""A provider signs in, sees a refused line of its claim and reads why, in its own words and to the kopiyka."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from config.demo.cast import PASSWORD
from contracts.actions.reference import load_reference
from contracts.models import Provider, ProviderUser
from tests.browser.conftest import people
from tests.settlement.actions.month import example_5_2, imported, judge, the_claim


def test_a_refused_line_is_explained(transactional_db: None, at: datetime, tmp_path: Path, open_page: Any) -> None:
    load_reference(at=at)
    organisation = imported(example_5_2(), tmp_path)
    judge(organisation)
    cast = people(organisation)
    ProviderUser.objects.create(provider=Provider.objects.get(code="P1"), user=cast["nadiia"])
    page = open_page()
    page.goto("/sign-in/")
    page.fill("#id_username", "nadiia")
    page.fill("#id_password", PASSWORD)
    page.click("main form button[type=submit]")
    page.wait_for_load_state()
    page.goto(f"/settlement/claims/{the_claim().pk}/?outcome=rejected")
    words = page.inner_text("main")
    for figure in ("2 058,00", "1 520,00", "1 278,00", "242,00"):
        assert figure in words.replace("\u00a0", " ")
    page.locator("summary", has_text="Чому так").first.click()
    told = page.locator("details[open]").first.inner_text().replace("\u00a0", " ")
    assert "CLM-27" in told or "CLM-20" in told
    assert "−142,50" in told
