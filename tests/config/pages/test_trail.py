"""The trail pages: seen by the auditor alone, of the auditor's office alone, named in words, at a constant price."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.db import connection, transaction
from django.template.loader import render_to_string
from django.test import Client
from django.utils.translation import override

from config.accounts.models import Organisation, User
from config.accounts.people_actions import deactivate_user, invite_user
from config.audit.actors import SYSTEM
from config.audit.verification import verify_chains
from tests.conftest import AT

pytestmark = pytest.mark.django_db(transaction=False)


@pytest.fixture
def auditor(client: Client, cast: dict[str, User]) -> Client:
    client.force_login(cast["mariia"])
    return client


def _invite(username: str, organisation: Organisation) -> User:
    return invite_user(
        username=username,
        display_name=username,
        roles=["auditor"],
        organisation=organisation,
        password=None,
        actor=SYSTEM,
        at=AT,
    )


@pytest.mark.django_db(transaction=True)
def test_an_event_is_a_sentence_with_its_object(auditor: Client, organisation: Organisation) -> None:
    user = _invite("zoryana", organisation)
    page = auditor.get("/trail/").content.decode()
    assert "zoryana" in page
    assert f"/trail/accounts.user/{user.pk}/" in page
    assert f'href="/people/{user.pk}/"' not in page, "the auditor may not open it"
    deactivate_user(user=user, actor=SYSTEM, at=AT)
    page = auditor.get(f"/trail/accounts.user/{user.pk}/").content.decode()
    assert "user.invited" in page
    assert "user.deactivated" in page
    assert f'href="/people/{user.pk}/"' not in page


@pytest.mark.django_db(transaction=True)
def test_another_office_is_invisible(
    auditor: Client, organisation: Organisation, other_organisation: Organisation
) -> None:
    _invite("ours", organisation)
    theirs = _invite("theirs", other_organisation)
    page = auditor.get("/trail/").content.decode()
    assert "ours" in page
    assert "theirs" not in page
    assert auditor.get(f"/trail/accounts.user/{theirs.pk}/").status_code == 404


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("q", "found"), [("user.invited", True), ("system", True), ("nobody", False)])
def test_search(auditor: Client, organisation: Organisation, q: str, found: bool) -> None:
    _invite("zoryana", organisation)
    assert ("zoryana" in auditor.get("/trail/", {"q": q}).content.decode()) is found


@pytest.mark.django_db(transaction=True)
def test_a_page_of_events_costs_a_constant_number_of_queries(
    auditor: Client, organisation: Organisation, django_assert_max_num_queries: object
) -> None:
    for number in range(30):
        _invite(f"person{number}", organisation)
    with django_assert_max_num_queries(9):  # type: ignore[operator]
        assert auditor.get("/trail/").status_code == 200


@pytest.mark.parametrize("username", ["outsider", "halyna", "nadiia", "olena", "bohdan"])
def test_only_the_auditor_reads_the_trail(client: Client, cast: dict[str, User], username: str) -> None:
    client.force_login(cast[username])
    assert client.get("/trail/").status_code == 403
    assert client.get("/trail/accounts.user/1/").status_code == 403


def test_a_stranger_is_asked_to_sign_in(client: Client, db: None) -> None:
    assert client.get("/trail/").headers["Location"].startswith("/sign-in/")


def test_an_unknown_object_is_not_found(auditor: Client) -> None:
    assert auditor.get("/trail/no.model/1/").status_code == 404


@pytest.mark.parametrize(("count", "folded"), [(8, False), (9, True)])
def test_many_records_of_an_event_are_folded(count: int, folded: bool) -> None:
    records = [SimpleNamespace(name=f"CT-{number}", url="", trail_url=f"/trail/{number}/") for number in range(count)]
    with override("en"):
        event = SimpleNamespace(objects=records)
        page = render_to_string("components/timeline.html", {"events": [event], "may": set()})
    assert page.count("CT-") == count and page.count("<ul>") == page.count("</ul>")
    assert (f"The other records, {count} in all" in page) is folded
    assert page.count("<details") == page.count("</details>") == (2 if folded else 1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("SELECT 1", "The trail is whole."),
        ("UPDATE audit_auditevent SET actor = 'x' WHERE chain = %s AND sequence = 1", "content differs from its hash"),
        ("DELETE FROM audit_auditevent WHERE chain = %s AND sequence = 1", "missing row before"),
        ("DELETE FROM audit_auditevent WHERE chain = %s AND sequence = 2", "head does not match the last row"),
        ("DELETE FROM audit_chainhead WHERE chain = %s", "chain without its head"),
    ],
)
def test_the_auditor_sees_whether_the_trail_is_whole(
    auditor: Client, organisation: Organisation, other_organisation: Organisation, statement: str, said: str
) -> None:
    for office in (organisation, other_organisation):
        for name in ("first", "second"):
            _invite(f"{name}-{office.code}", office)
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement, [organisation.code] if "%s" in statement else None)
    auditor.cookies["language"] = "en"
    page = auditor.get("/trail/check/").content.decode()
    assert said in page and ("The trail is broken" in page) is (said != "The trail is whole.")
    assert other_organisation.code not in page


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_auditevent WHERE chain = %s AND sequence = 1",
        "DELETE FROM audit_auditevent WHERE chain = %s AND sequence = 2",
        "DELETE FROM audit_chainhead WHERE chain = %s",
    ],
)
def test_what_broke_in_another_office_is_not_shown(
    auditor: Client, organisation: Organisation, other_organisation: Organisation, statement: str
) -> None:
    for name, office in (("ours", organisation), ("theirs", other_organisation), ("theirs2", other_organisation)):
        _invite(name, office)
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement, [other_organisation.code])
    assert verify_chains()[1]
    auditor.cookies["language"] = "en"
    page = auditor.get("/trail/check/").content.decode()
    assert "The trail is whole." in page and other_organisation.code not in page


@pytest.mark.parametrize("username", ["halyna", "olena", "outsider"])
def test_nobody_else_checks_the_trail(client: Client, cast: dict[str, User], username: str) -> None:
    client.force_login(cast[username])
    assert client.get("/trail/check/").status_code == 403
