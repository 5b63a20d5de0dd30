"""The case worker opens a recipient's own pages, renews the link and ends the access."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from config.accounts.models import Membership, Organisation, User
from config.roles import CASE_WORKER
from tests import signed_in
from tests.trail import trail_for
from tests.vouchers.town import Town, build_town
from vouchers.models import Recipient

pytestmark = pytest.mark.django_db
NEW = {"username": "vira", "display_name": "Віра", "language": "en"}


@pytest.fixture
def town(organisation: Organisation, cast: dict[str, User]) -> Town:
    return build_town(organisation, cast)


@pytest.fixture
def recipient(town: Town) -> Recipient:
    return town.recipient()


def browser(user: User) -> Client:
    return signed_in.browser(user, "en")


def at_recipient(name: str, recipient: Recipient) -> str:
    return reverse(f"vouchers:{name}", args=[recipient.pk])


def test_access_is_given_once_renewed_and_ended(recipient: Recipient, cast: dict[str, User]) -> None:
    sofiia = browser(cast["sofiia"])
    assert "/welcome/" in sofiia.post(at_recipient("access_new", recipient), NEW).content.decode()
    recipient.refresh_from_db()
    vira = recipient.user
    assert vira is not None and browser(vira).get(reverse("vouchers:mine")).status_code == 200
    again = sofiia.post(at_recipient("access_new", recipient), NEW | {"username": "vira2"})
    assert again.status_code == 409 and not User.objects.filter(username="vira2").exists()
    vira.set_password("three quiet words here")
    vira.save()
    assert "/welcome/" in sofiia.post(at_recipient("access_link", recipient)).content.decode()
    vira.refresh_from_db()
    assert not vira.has_usable_password()
    sofiia.post(at_recipient("access_end", recipient))
    recipient.refresh_from_db()
    assert recipient.user is None
    assert browser(vira).get(reverse("vouchers:mine")).status_code == 404
    told = [event.action for event in trail_for(recipient)]
    assert told[:2] == ["recipient.access_ended", "recipient.access_given"]
    assert sofiia.post(at_recipient("access_link", recipient)).status_code == 404


def test_a_taken_user_name_is_said(recipient: Recipient, cast: dict[str, User]) -> None:
    answer = browser(cast["sofiia"]).post(at_recipient("access_new", recipient), NEW | {"username": "bohdan"})
    assert answer.status_code == 409 and "already a user" in answer.content.decode()
    recipient.refresh_from_db()
    assert recipient.user is None


def test_nobody_else_opens_the_pages_of_a_recipient(
    recipient: Recipient, cast: dict[str, User], other_organisation: Organisation
) -> None:
    foreign = User.objects.create(username="foreign")
    Membership.objects.create(user=foreign, organisation=other_organisation, role=CASE_WORKER)
    for user, status in ((cast["mariia"], 403), (cast["nadiia"], 403), (cast["outsider"], 403), (foreign, 404)):
        assert browser(user).post(at_recipient("access_new", recipient), NEW).status_code == status
        for step in ("link", "end"):
            assert browser(user).post(at_recipient(f"access_{step}", recipient)).status_code == status
    assert not User.objects.filter(username="vira").exists()
