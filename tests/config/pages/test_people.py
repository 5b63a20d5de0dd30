"""Pages of people: the administrator's alone; a link is shown once; each button says what happened."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from config.accounts.models import Membership, Organisation, User
from config.roles import ADMINISTRATOR, FINANCE_CHECKER, FINANCE_MAKER, OFFICER
from tests.road import assert_same_queries

pytestmark = pytest.mark.django_db
LINK = re.compile(r"http://testserver(/welcome/[^<\s]+)")
NEW = {"username": "olha", "display_name": "Ольга Вигадана", "language": "uk", "roles": [OFFICER]}


@pytest.fixture
def admin(client: Client, cast: dict[str, User]) -> Client:
    client.cookies["language"] = "en"
    client.force_login(cast["admin"])
    return client


def page_of(admin: Client, user: User) -> str:
    return admin.get(reverse("person", args=[user.pk])).content.decode()


@pytest.mark.parametrize("username", ["outsider", "bohdan", "mariia", "nadiia"])
def test_only_the_administrator_sees_people(client: Client, cast: dict[str, User], username: str) -> None:
    client.force_login(cast[username])
    assert client.get(reverse("people")).status_code == 403
    assert client.get(reverse("person", args=[cast["ivan"].pk])).status_code == 403
    assert client.post(reverse("person_close", args=[cast["ivan"].pk])).status_code == 403
    assert client.post(reverse("person_new"), NEW).status_code == 403
    assert User.objects.get(username="ivan").is_active and not User.objects.filter(username="olha").exists()


def test_the_list_shows_the_office_and_finds_by_name_and_state(admin: Client, cast: dict[str, User]) -> None:
    page = admin.get(reverse("people"))
    names = {user.username for user in page.context["page"]}
    assert "bohdan" in names and "nadiia" not in names
    assert [user.username for user in admin.get(reverse("people"), {"q": "Софія"}).context["page"]] == ["sofiia"]
    empty = admin.get(reverse("people"), {"state": "closed"}).content.decode()
    assert "Nothing was found." in empty


def test_people_of_another_office_are_not_found(admin: Client, other_organisation: Organisation) -> None:
    stranger = User.objects.create(username="stranger")
    Membership.objects.create(user=stranger, organisation=other_organisation, role=ADMINISTRATOR)
    assert admin.get(reverse("person", args=[stranger.pk])).status_code == 404
    assert admin.post(reverse("person_close", args=[stranger.pk])).status_code == 404
    assert "stranger" not in admin.get(reverse("people"), {"q": "stranger"}).context["page"]


def test_an_invitation_shows_its_link_once_and_waits_on_the_home_page(admin: Client) -> None:
    page = admin.post(reverse("person_new"), NEW).content.decode()
    link = LINK.search(page)
    assert link is not None
    user = User.objects.get(username="olha")
    assert LINK.search(page_of(admin, user)) is None
    cards = {str(card.what): card.count for card in admin.get("/").context["cards"]}
    assert cards["Invitations not used yet"] == 1
    welcome = Client().get(link[1], follow=True)
    assert welcome.status_code == 200 and "olha" in welcome.content.decode()


def test_a_taken_name_and_conflicting_roles_are_said_above_the_form(admin: Client) -> None:
    taken = admin.post(reverse("person_new"), {**NEW, "username": "bohdan"})
    assert taken.status_code == 409 and "already a user" in taken.content.decode()
    both = admin.post(reverse("person_new"), {**NEW, "roles": [FINANCE_MAKER, FINANCE_CHECKER]})
    assert both.status_code == 409 and "one checks the other" in both.content.decode()
    nobody = admin.post(reverse("person_new"), {**NEW, "roles": []})
    assert "Choose at least one role" in nobody.content.decode()
    recipient = admin.post(reverse("person_new"), {**NEW, "roles": ["recipient"]})
    assert not User.objects.filter(username="olha").exists() and b'role="alert"' in recipient.content


def test_roles_change_at_once_for_whoever_is_signed_in(admin: Client, cast: dict[str, User]) -> None:
    bohdan = Client()
    bohdan.force_login(cast["bohdan"])
    assert bohdan.get(reverse("vouchers:recipients")).status_code == 403
    answer = admin.post(reverse("person_roles", args=[cast["bohdan"].pk]), {"roles": ["case_worker"]}, follow=True)
    assert "The roles are changed" in answer.content.decode()
    assert bohdan.get(reverse("vouchers:recipients")).status_code == 200


def test_an_access_is_closed_opened_and_gets_a_link(admin: Client, cast: dict[str, User]) -> None:
    user = cast["bohdan"]
    closed = admin.post(reverse("person_close", args=[user.pk]), follow=True).content.decode()
    assert "access is closed" in closed and reverse("person_link", args=[user.pk]) not in closed
    refused = admin.post(reverse("person_link", args=[user.pk]))
    assert refused.status_code == 409 and "Open it again first" in refused.content.decode()
    admin.post(reverse("person_open", args=[user.pk]))
    made = admin.post(reverse("person_link", args=[user.pk])).content.decode()
    assert LINK.search(made) is not None


def test_the_own_page_has_no_buttons_and_the_refusal_is_said(admin: Client, cast: dict[str, User]) -> None:
    own = cast["admin"]
    page = page_of(admin, own)
    assert "Another administrator changes it" in page and reverse("person_close", args=[own.pk]) not in page
    answer = admin.post(reverse("person_close", args=[own.pk]), follow=True).content.decode()
    assert "Nobody changes their own access" in answer
    assert User.objects.get(pk=own.pk).is_active


def test_a_wrong_link_says_what_to_do(client: Client, cast: dict[str, User]) -> None:
    page = client.get("/welcome/MQ/no-token/", headers={"accept-language": "en"})
    assert page.status_code == 200
    client.cookies["language"] = "en"
    assert "This link works no more" in client.get("/welcome/x/y/").content.decode()


def test_the_price_of_the_list_does_not_grow(admin: Client, organisation: Organisation) -> None:
    def grow() -> None:
        for number in range(5):
            user = User.objects.create(username=f"more{number}")
            Membership.objects.create(user=user, organisation=organisation, role=OFFICER)

    assert_same_queries(admin, reverse("people"), grow)
