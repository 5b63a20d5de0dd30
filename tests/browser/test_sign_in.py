"""Signing in as a person does it: keyboard, language, refusal, sign-out; the menu on a phone."""

from __future__ import annotations

from typing import Any

from config.demo.cast import PASSWORD


def _sign_in(page: Any, username: str, password: str) -> None:
    page.goto("/sign-in/")
    page.fill("#id_username", username)
    page.fill("#id_password", password)
    page.press("#id_password", "Enter")


def test_sign_in_and_out(town: dict[str, Any], open_page: Any) -> None:
    page = open_page()
    _sign_in(page, "halyna", PASSWORD)
    page.wait_for_url("**/")
    assert "Галина Вигадана" in page.inner_text("header")
    assert "Вербівська громада" in page.inner_text("header")
    page.click("header form[action='/sign-out/'] button")
    page.wait_for_url("**/sign-in/**")
    page.goto("/")
    assert "/sign-in/" in page.url


def test_a_wrong_password_says_so_and_stays(town: dict[str, Any], open_page: Any) -> None:
    page = open_page()
    _sign_in(page, "halyna", "wrong")
    assert page.locator("[role=alert]").count() == 1
    assert page.input_value("#id_username") == "halyna"


def test_the_language_switch_stays_on_the_page(town: dict[str, Any], open_page: Any) -> None:
    page = open_page("mariia")
    page.goto("/money/?q=xyz")
    assert page.get_attribute("html", "lang") == "uk"
    page.click("button[name=language][value=en]")
    assert page.get_attribute("html", "lang") == "en"
    assert page.url.endswith("/money/?q=xyz")
    assert page.inner_text("h1") == "Follow the money"
    page.click("button[name=language][value=ru]")
    assert page.get_attribute("html", "lang") == "ru"


def test_the_first_tab_leads_to_the_content(town: dict[str, Any], open_page: Any) -> None:
    page = open_page("mariia")
    page.goto("/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_the_menu_opens_on_a_phone(town: dict[str, Any], open_page: Any) -> None:
    page = open_page("mariia", width=360, height=740)
    page.goto("/")
    assert not page.is_visible("#menu")
    page.click(".menu-button")
    page.wait_for_selector("#menu.show")
    assert page.get_attribute(".menu-button", "aria-expanded") == "true"
    page.click("#menu a[href='/money/']")
    page.wait_for_url("**/money/")


def test_every_role_has_a_home(town: dict[str, Any], open_page: Any) -> None:
    for username in ("bohdan", "halyna", "ivan", "mariia", "nadiia", "olena"):
        page = open_page(username)
        page.goto("/")
        assert page.locator("main h1").count() == 1
        assert page.locator("main .card-link").count() >= 1, username
        page.context.close()
