"""The home page: each role sees what waits for it, at a price that does not grow with the records."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.test import Client

from config.accounts.models import Organisation, User
from config.demo.cast import CAST
from config.pages.waiting import DUTIES
from config.roles import PERMISSIONS
from tests.settlement.road_rows import build_road
from vouchers.models import CertificateEntry, CertificateLine, Recipient

pytestmark = pytest.mark.django_db


def _counts(client: Client, user: User) -> dict[str, int]:
    client.force_login(user)
    return {str(card.what): card.count for card in client.get("/").context["cards"]}


@pytest.mark.parametrize("username", [person.username for person in CAST])
def test_everybody_has_a_home(client: Client, cast: dict[str, User], username: str) -> None:
    client.force_login(cast[username])
    answer = client.get("/")
    assert answer.status_code == 200
    assert bool(answer.context["cards"]) is (username != "outsider")


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
    with django_assert_max_num_queries(16):  # type: ignore[operator]
        client.get("/")


def test_every_duty_names_a_permission_of_the_table() -> None:
    assert {duty.permission for duty in DUTIES} <= set(PERMISSIONS)
