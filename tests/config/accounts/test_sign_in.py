"""Sign-in, sign-out, lockout, language."""

from __future__ import annotations

import pytest
from axes.utils import reset
from django.test import Client
from django.urls import reverse

from config.accounts.models import Organisation, User
from config.demo.cast import PASSWORD
from config.office.models import Job

pytestmark = pytest.mark.django_db


@pytest.fixture
def halyna(cast: dict[str, User]) -> User:
    reset()
    user = cast["halyna"]
    user.set_password(PASSWORD)
    user.save()
    return user


def _sign_in(client: Client, password: str = PASSWORD) -> object:
    return client.post(reverse("login"), {"username": "halyna", "password": password})


def test_the_right_password_opens_the_home_page(client: Client, halyna: User) -> None:
    assert _sign_in(client).headers["Location"] == "/"
    assert "Галина Вигадана" in client.get("/").content.decode()


def test_a_wrong_password_is_refused_with_a_sentence(client: Client, halyna: User) -> None:
    answer = _sign_in(client, "wrong")
    assert answer.status_code == 200
    assert 'role="alert"' in answer.content.decode()
    assert client.get("/").status_code == 302


def test_five_wrong_passwords_lock_even_the_right_one(client: Client, halyna: User) -> None:
    for _ in range(5):
        _sign_in(client, "wrong")
    answer = _sign_in(client)
    assert answer.status_code == 429
    assert "<main" in answer.content.decode()
    assert client.get("/").status_code == 302


def test_a_deactivated_person_stays_outside(client: Client, halyna: User) -> None:
    halyna.is_active = False
    halyna.save()
    assert _sign_in(client).status_code == 200
    assert client.get("/").status_code == 302


def test_signing_out_takes_a_post(client: Client, halyna: User) -> None:
    client.force_login(halyna)
    assert client.get(reverse("logout")).status_code == 405
    client.post(reverse("logout"))
    assert client.get("/").status_code == 302


def test_ukrainian_is_the_default_whatever_the_browser_prefers(client: Client, db: None) -> None:
    assert '<html lang="uk"' in client.get(reverse("login"), headers={"accept-language": "en"}).content.decode()


@pytest.mark.parametrize("language", ["uk", "ru", "en"])
def test_the_reader_chooses_the_language(client: Client, db: None, language: str) -> None:
    client.post(reverse("set_language"), {"language": language, "next": "/sign-in/"})
    assert f'<html lang="{language}"' in client.get(reverse("login")).content.decode()


def test_sign_in_brings_the_persons_own_language(client: Client, halyna: User) -> None:
    halyna.language = "ru"
    halyna.save()
    _sign_in(client)
    assert '<html lang="ru"' in client.get("/").content.decode()


def test_demo_accounts_are_told_on_a_demonstration_only(client: Client, halyna: User) -> None:
    assert PASSWORD not in client.get(reverse("login")).content.decode()
    Organisation.objects.update(is_demo=True)
    page = client.get(reverse("login")).content.decode()
    assert PASSWORD in page
    assert "halyna" in page
    assert "outsider" not in page


def test_the_sign_in_page_shows_the_demo_being_loaded(client: Client, db: None) -> None:
    job = Job.objects.create(
        kind="load_demo", key="load_demo:1", state="running", progress=37, progress_text="Visits of November"
    )
    assert 'value="37"' in client.get(reverse("login")).content.decode()
    assert "Візити листопада" in client.get(reverse("progress")).content.decode()
    assert 'value="37"' in client.get(reverse("progress")).content.decode()
    job.state = "done"
    job.save()
    assert client.get(reverse("progress")).status_code == 204


def test_the_outsider_sees_no_menu_but_home(client: Client, outsider: User) -> None:
    client.force_login(outsider)
    page = client.get("/").content.decode()
    assert 'class="group"' not in page


def test_pages_carry_a_strict_content_policy(client: Client, db: None) -> None:
    answer = client.get(reverse("login"))
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in policy
    assert "style=" not in answer.content.decode()
