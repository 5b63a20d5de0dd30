"""The interface itself: who is let in, what is refused how, and that no value makes it crash."""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.accounts.actions import revoke_token
from config.accounts.models import AccessToken, Organisation, User
from config.accounts.people_actions import deactivate_user
from config.api import DESCRIPTIONS, api
from config.roles import PERMISSIONS
from tests.config.program import Program, key_of
from tests.settlement.views.town import Town, settled_town
from tests.trail import trail_for

pytestmark = pytest.mark.django_db(transaction=True)
SCHEMA = api.get_openapi_schema(path_prefix="/")
OPERATIONS = [
    (method.upper(), path, operation)
    for path, methods in SCHEMA["paths"].items()
    for method, operation in methods.items()
]
NAMES = [f"{method} {path}" for method, path, _ in OPERATIONS]
PUBLIC_BACKEND = "django.contrib.auth.backends.ModelBackend"


def example(path: str) -> str:
    return path.replace("{pk}", "1").replace("{start}", "claim")


@pytest.fixture
def nadiia(organisation: Organisation, cast: dict[str, User], live_server: Any) -> Program:
    """A provider's program, in English."""
    User.objects.filter(pk=cast["nadiia"].pk).update(language="en")
    return Program(live_server.url, key_of(cast["nadiia"], organisation)[1])


@pytest.fixture
def halyna(organisation: Organisation, cast: dict[str, User], live_server: Any) -> Program:
    """A program of the finance office."""
    return Program(live_server.url, key_of(cast["halyna"], organisation)[1])


# Sends a body and changes nothing.
LOOKING = {"/api/v1/claims/{pk}/precheck"}


def test_the_description_is_open_and_says_what_each_operation_needs(live_server: Any) -> None:
    answer = Program(live_server.url).get("/openapi.json")
    assert (answer.status, answer.body["openapi"]) == (200, "3.1.0")
    for path, methods in answer.body["paths"].items():
        for method, operation in methods.items():
            assert operation["x-permissions"], path
            assert set(operation["x-permissions"]) <= set(PERMISSIONS)
            headers = {row["name"] for row in operation["parameters"] if row["in"] == "header" and row["required"]}
            writes = method != "get" and path not in LOOKING
            assert ("Idempotency-Key" in headers) == writes, path


def test_every_operation_wants_a_key_and_the_permission(
    live_server: Any, organisation: Organisation, cast: dict[str, User]
) -> None:
    nobody = Program(live_server.url)
    wrong = Program(live_server.url, "servisy_" + "x" * 43)
    outsider = Program(live_server.url, key_of(cast["outsider"], organisation)[1])
    for method, path, _operation in OPERATIONS:
        for program, status, code in (
            (nobody, 401, "KEY_NEEDED"),
            (wrong, 401, "KEY_NEEDED"),
            (outsider, 403, "NOT_PERMITTED"),
        ):
            answer = program.send(method, example(path), b"{}")
            assert (answer.status, answer.body["title"]) == (status, code), (method, path)
            assert answer.headers["Content-Type"] == "application/problem+json"
    assert nobody.get("/claims").headers["WWW-Authenticate"] == "Bearer"


def test_a_key_that_was_taken_back_opens_nothing(nadiia: Program, cast: dict[str, User], at: Any) -> None:
    token = AccessToken.objects.get()
    assert nadiia.get("/claims").status == 200
    revoke_token(user=cast["nadiia"], token_id=token.pk, actor=cast["nadiia"].as_actor(), at=at)
    assert nadiia.get("/claims").status == 401
    assert {event.action for event in trail_for(token)} == {"access_token.revoked", "access_token.created"}


def test_a_key_ends_with_its_time_and_with_the_access_of_its_person(
    nadiia: Program, halyna: Program, cast: dict[str, User], at: Any
) -> None:
    assert (nadiia.get("/claims").status, halyna.get("/claims").status) == (200, 200)
    AccessToken.objects.filter(user=cast["nadiia"]).update(expires_at=timezone.now() - timedelta(seconds=1))
    deactivate_user(user=cast["halyna"], actor=cast["admin"].as_actor(), at=at)
    assert (nadiia.get("/claims").status, halyna.get("/claims").status) == (401, 401)


def test_the_secret_is_kept_nowhere_and_the_use_is_noted(nadiia: Program) -> None:
    token = AccessToken.objects.get()
    assert token.last_used_at is None
    assert nadiia.secret not in str(AccessToken.objects.values().get())
    assert nadiia.secret.endswith(token.hint)
    nadiia.get("/claims")
    token.refresh_from_db()
    first = token.last_used_at
    assert first is not None
    nadiia.get("/claims")
    token.refresh_from_db()
    assert token.last_used_at == first  # once a minute is enough


def test_a_signed_in_person_reads_but_a_forged_write_is_refused(cast: dict[str, User]) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(cast["nadiia"], backend=PUBLIC_BACKEND)
    assert browser.get("/api/v1/claims").status_code == 200
    answer = browser.post("/api/v1/claims/1/submit", headers={"Idempotency-Key": uuid.uuid4().hex})
    assert (answer.status_code, answer.json()["title"]) == (403, "FORGED_REQUEST")
    browser.cookies["csrftoken"] = "t" * 32
    headers = {"Idempotency-Key": uuid.uuid4().hex, "X-CSRFToken": "t" * 32}
    assert browser.post("/api/v1/claims/1/submit", headers=headers).status_code == 404


def test_bodies_that_cannot_be_read_are_refused(nadiia: Program) -> None:
    def post(data: bytes) -> tuple[int, str]:
        answer = nadiia.send("POST", "/claims", data, **{"Idempotency-Key": uuid.uuid4().hex})
        return answer.status, answer.body["title"]

    assert post(b"{") == (400, "BODY_UNREADABLE")
    assert post(b"\xff\xfe") == (400, "BODY_UNREADABLE")
    assert post(b"[" * 100_000) == (400, "BODY_UNREADABLE")
    assert post(b"[]") == (422, "REQUEST_INVALID")
    assert post(b'{"lines": "' + b"x" * 3_000_000 + b'"}') == (413, "BODY_TOO_LARGE")


def test_a_refusal_of_values_repeats_none_of_them(nadiia: Program) -> None:
    answer = nadiia.post("/redemptions", {"certificate_key": "ABCD", "pin": "987654321098", "units": "-7"})
    assert answer.status == 422
    assert {error["at"][-1] for error in answer.body["errors"]} >= {"pin", "units", "service_code"}
    assert "987654321098" not in str(answer.body)


@pytest.mark.parametrize("key", ["short", "x" * 129, "with spaces in it", ""])
def test_a_write_without_a_usable_key_is_refused(nadiia: Program, key: str) -> None:
    headers = {"Idempotency-Key": key} if key else {}
    answer = nadiia.send("POST", "/claims/1/submit", b"", **headers)
    assert (answer.status, answer.body["title"]) == (422, "REQUEST_INVALID")


def test_too_many_requests_wait(nadiia: Program, halyna: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    (throttle,) = api.throttle if isinstance(api.throttle, list) else [api.throttle]
    monkeypatch.setattr(throttle, "num_requests", 3)
    answers = [nadiia.get("/claims") for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert answers[-1].body["title"] == "TOO_MANY_REQUESTS"
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
    assert halyna.get("/claims").status == 200


# Query parameters as nobody should send them.
VALUES = st.one_of(
    st.text(max_size=80),
    st.integers().map(str),
    st.sampled_from(["0", "-1", "9" * 30, str(2**63), str(2**63 - 1), "2025-13", "2025-00", "20２5-01", "\x00", "NaN"]),
    st.floats().map(str),
)
READS = [(path, operation) for method, path, operation in OPERATIONS if method == "GET"]


def test_no_value_of_a_read_makes_it_crash(tmp_path: Path, live_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    town: Town = settled_town(tmp_path)
    (throttle,) = api.throttle if isinstance(api.throttle, list) else [api.throttle]
    monkeypatch.setattr(throttle, "num_requests", 100_000)
    programs = [
        Program(live_server.url, key_of(town.users[username], town.organisation)[1])
        for username in ("nadiia", "halyna", "bohdan")
    ]
    seen: set[int] = set()

    @settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def ask(data: st.DataObject) -> None:
        path, operation = data.draw(st.sampled_from(READS))
        names = [row["name"] for row in operation["parameters"] if row["in"] == "query"]
        chosen = data.draw(st.lists(st.sampled_from(names), unique=True)) if names else []
        query = {name: data.draw(VALUES).encode("utf-8", "surrogatepass") for name in chosen}
        pk = data.draw(st.sampled_from([str(town.claim.pk), "0", "1", str(2**63), "9" * 40, "9" * 200]))
        start = data.draw(st.sampled_from(["claim", "claim_line", "budget_line", "payment", "x"]))
        address = path.replace("{pk}", pk).replace("{start}", start)
        key = data.draw(st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60))
        answer = data.draw(st.sampled_from(programs)).get(
            f"{address}?{urlencode(query)}", **{"Certificate-Key": key.strip()}
        )
        seen.add(answer.status)
        assert answer.status < 500, (address, query, key)

    ask()
    assert {200, 404, 422} <= seen


def test_the_page_of_keys_shows_a_secret_once(organisation: Organisation, cast: dict[str, User]) -> None:
    browser = Client()
    browser.force_login(cast["halyna"], backend=PUBLIC_BACKEND)
    page = reverse("tokens")
    wish = {"title": "бухгалтерія", "organisation": organisation.pk, "days": "90"}
    made = browser.post(page, wish)
    assert made.status_code == 200
    assert "no-store" in made.headers["Cache-Control"]
    token = AccessToken.objects.get()
    assert (token.user, token.organisation, token.title) == (cast["halyna"], organisation, "бухгалтерія")
    assert timedelta(days=89) < token.expires_at - timezone.now() <= timedelta(days=90)
    assert made.content.decode().count("servisy_") == 1
    assert "servisy_" not in browser.get(page).content.decode()
    assert browser.post(reverse("token_revoke", args=[token.pk])).status_code == 302
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_a_key_of_another_organisation_or_person_is_refused(
    organisation: Organisation, other_organisation: Organisation, cast: dict[str, User]
) -> None:
    browser = Client()
    browser.force_login(cast["halyna"], backend=PUBLIC_BACKEND)
    wish = {"title": "бухгалтерія", "organisation": other_organisation.pk, "days": "90"}
    assert browser.post(reverse("tokens"), wish).status_code == 400
    assert AccessToken.objects.count() == 0
    token, _secret = key_of(cast["ivan"], organisation)
    assert browser.post(reverse("token_revoke", args=[token.pk])).status_code == 404
    token.refresh_from_db()
    assert token.revoked_at is None


def test_the_page_of_operations_is_made_here(cast: dict[str, User]) -> None:
    browser = Client()
    browser.force_login(cast["nadiia"], backend=PUBLIC_BACKEND)
    page = browser.get(reverse("api_docs")).content.decode()
    assert all(f"{method} /api/v1{path}" in page for method, path, _ in OPERATIONS)
    assert all(f"<code>{name}</code>" in page for name in ("certificate_key", "reason", "lines", "Certificate-Key"))
    assert "//cdn" not in page and "https://" not in page
    said = {" ".join(row["description"].split()) for methods in SCHEMA["paths"].values() for row in methods.values()}
    with translation.override("en"):
        assert said == {str(words) for words in DESCRIPTIONS}, "each operation has words for people"
    assert "Скласти чернетку вимоги з рядками." in page
