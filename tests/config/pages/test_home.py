"""The home page: each role sees what waits for it, at a price that does not grow with the records."""

from __future__ import annotations

from datetime import datetime
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from config.accounts.models import Organisation, User
from config.demo.cast import CAST
from config.pages.waiting import DUTIES
from config.roles import PERMISSIONS, PROVIDER, RECIPIENT
from config.templatetags.nav import MENU
from contracts.actions import register
from tests.settlement.road_rows import build_road
from vouchers.models import CertificateEntry, CertificateLine, Recipient

pytestmark = pytest.mark.django_db


def _counts(client: Client, user: User) -> dict[str, int]:
    client.force_login(user)
    return {str(card.what): card.count for card in client.get("/").context["cards"]}


# They have something to do once they act for a provider or are on a register.
VISITORS = {person.username for person in CAST if {PROVIDER, RECIPIENT} & set(person.roles)}


@pytest.mark.parametrize("username", [person.username for person in CAST])
def test_everybody_has_a_home(client: Client, cast: dict[str, User], username: str) -> None:
    client.force_login(cast[username])
    answer = client.get("/")
    assert answer.status_code == 200
    assert bool(answer.context["cards"]) is (username not in {"outsider"} | VISITORS)


def test_work_is_counted_for_the_one_who_does_it(
    client: Client, cast: dict[str, User], organisation: Organisation, other_organisation: Organisation, at: datetime
) -> None:
    client.cookies["language"] = "en"
    build_road(organisation, cast["bohdan"], at)
    build_road(other_organisation, cast["bohdan"], at, mark="9")
    assert _counts(client, cast["halyna"])["Bank records without an explanation"] == 1
    assert _counts(client, cast["ivan"])["Payment runs to approve"] == 1
    assert _counts(client, cast["oksana"])["Competitions to approve"] == 1
    assert _counts(client, cast["sofiia"])["Recipients without an assessment of needs"] == 1


def test_a_proposer_is_not_asked_to_approve_the_own_run(
    client: Client, cast: dict[str, User], organisation: Organisation, at: datetime
) -> None:
    client.cookies["language"] = "en"
    build_road(organisation, cast["ivan"], at)
    assert _counts(client, cast["ivan"])["Payment runs to approve"] == 0


def test_a_recipient_sees_the_own_certificate_alone(
    client: Client, cast: dict[str, User], organisation: Organisation, at: datetime
) -> None:
    build_road(organisation, cast["bohdan"], at)
    build_road(organisation, cast["bohdan"], at, mark="2")
    Recipient.objects.filter(code="R-1").update(user=cast["olena"])
    client.force_login(cast["olena"])
    page = client.get("/").content.decode()
    assert "CERT-1" in page
    assert "CERT-2" not in page


def test_a_recipient_sees_what_is_held(
    client: Client, cast: dict[str, User], organisation: Organisation, at: datetime
) -> None:
    client.cookies["language"] = "en"
    road = build_road(organisation, cast["bohdan"], at)
    Recipient.objects.filter(code="R-1").update(user=cast["olena"])
    client.force_login(cast["olena"])
    line = CertificateLine.objects.create(certificate=road.certificate, service=road.redemptions[0].service, units="10")
    for kind, units in (("issued", 10000), ("held", -2000)):
        assert "Held" not in client.get("/").content.decode()
        CertificateEntry.objects.create(
            certificate_line=line, kind=kind, units_milli=units, occurred_at=at, recorded_at=at
        )
    assert "Held: 2" in client.get("/").content.decode()


@pytest.mark.parametrize("username", ["bohdan", "sofiia", "halyna", "ivan", "mariia", "chair", "nadiia", "olena"])
def test_the_price_does_not_grow(
    client: Client,
    cast: dict[str, User],
    organisation: Organisation,
    at: datetime,
    username: str,
    django_assert_max_num_queries: object,
) -> None:
    for number in range(4):
        build_road(organisation, cast["bohdan"], at, mark=str(number))
    Recipient.objects.filter(code="R-1").update(user=cast["olena"])
    client.force_login(cast[username])
    with django_assert_max_num_queries(24):  # type: ignore[operator]
        client.get("/")


def test_every_duty_names_a_permission_of_the_table() -> None:
    assert {duty.permission for duty in DUTIES} <= set(PERMISSIONS)


OF_PROVIDERS = ("procurement:bids", "vouchers:redeem", "vouchers:visits_import", "contracts:own_workers")


def test_a_person_whose_appointment_ended_is_offered_only_what_opens(
    client: Client, cast: dict[str, User], organisation: Organisation, at: datetime
) -> None:
    client.cookies["language"] = "en"
    provider = build_road(organisation, cast["bohdan"], at).claim.provider
    actor = cast["bohdan"].as_actor()
    client.force_login(cast["nadiia"])

    def answers() -> set[tuple[bool, bool]]:
        """Of the lines of the menu: whether they are shown, and whether their pages open."""
        shown = client.get("/").content.decode()
        urls = [reverse(name) for name in OF_PROVIDERS]
        return {(f'href="{url}"' in shown, client.get(url).status_code == 200) for url in urls}

    assert answers() == {(False, False)}
    register.appoint_representative(
        organisation=organisation, provider=provider, user=cast["nadiia"], actor=actor, at=at
    )
    assert answers() == {(True, True)}
    new = f'href="{reverse("settlement:claim_new")}"'
    assert new in client.get(reverse("settlement:claims")).content.decode()
    register.end_representation(
        organisation=organisation, provider=provider, user_id=cast["nadiia"].pk, actor=actor, at=at
    )
    assert answers() == {(False, False)}
    assert "not linked with a provider" in client.get("/").content.decode()
    past = client.get(reverse("settlement:claims")).content.decode()
    assert new not in past and str(provider) not in past, "whose records are seen follows the role"


def test_the_own_certificate_is_offered_to_a_recipient_alone(
    client: Client, cast: dict[str, User], organisation: Organisation, at: datetime
) -> None:
    build_road(organisation, cast["bohdan"], at)
    client.force_login(cast["olena"])
    mine = f'href="{reverse("vouchers:mine")}"'
    assert mine not in client.get("/").content.decode()
    Recipient.objects.filter(code="R-1").update(user=cast["olena"])
    assert mine in client.get("/").content.decode()


# Opens the first of its lists, which has a name of its own.
GATES = {"settlement:facts_start"}


@pytest.mark.parametrize("username", ["bohdan", "halyna", "mariia", "admin"])
def test_a_page_is_called_as_the_menu_calls_it(client: Client, cast: dict[str, User], username: str) -> None:
    client.force_login(cast[username])
    shown = client.get("/").content.decode()
    lines = [item for _title, items in MENU for item in items if f'href="{reverse(item.url_name)}"' in shown]
    assert lines
    for item in lines:
        heading = client.get(reverse(item.url_name)).content.decode().partition("<h1>")[2].partition("</h1>")[0]
        assert item.url_name in GATES or unescape(heading).strip().startswith(str(item.title)), item.url_name
