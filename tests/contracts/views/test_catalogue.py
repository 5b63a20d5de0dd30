"""The catalogue: names change, what counts stays once anything rests on a service; price lists are found."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from config.accounts.models import Membership, Organisation, User
from config.roles import OFFICER
from contracts.actions.catalogue import PricedAction, ServiceInUse, approve_tariff_set, change_service
from contracts.models import Service, TariffSet
from contracts.queries import service_in_use
from tests.road import Road, assert_same_queries, sign_in
from tests.trail import trail_for

pytestmark = pytest.mark.django_db
NEW = {"code": "OWN-1", "name_uk": "Прогулянки", "form": "home", "unit": "hour", "granularity": "0,25"}


@pytest.fixture
def fresh(road: Road) -> Service:
    """A service on which nothing rests."""
    return Service.objects.create(
        organisation=road.organisation, code="OWN-0", name_uk="Нова", unit="hour", granularity=Decimal(1)
    )


def test_what_counts_changes_only_while_nothing_rests_on_it(road: Road, fresh: Service) -> None:
    changes = {"actor": road.actor("bohdan"), "at": road.at}
    limit = {"units_per_day_max": Decimal(2)}
    change_service(service=fresh, values=limit, **changes)
    fresh.refresh_from_db()
    assert fresh.units_per_day_max == Decimal(2)
    used = road.norm.service
    assert service_in_use(used) and not service_in_use(fresh)
    with pytest.raises(ServiceInUse):
        change_service(service=used, values=limit, **changes)
    used.refresh_from_db()
    assert used.units_per_day_max is None
    change_service(service=used, values={"name_ru": "Уход", "unit": used.unit}, **changes)
    used.refresh_from_db()
    assert used.name_ru == "Уход"
    assert [event.data["changed"] for event in trail_for(used) if event.action == "service.changed"] == [["name_ru"]]


def test_a_service_is_entered_and_changed_in_the_browser(client: Client, road: Road) -> None:
    signed = sign_in(client, road.cast["bohdan"])
    assert signed.post(reverse("contracts:service_new"), NEW).status_code == 302
    service = Service.objects.get(code="OWN-1")
    assert service.granularity == Decimal("0.25")
    change = {**NEW, "name_uk": "Прогулянки надворі", "units_per_day_max": "1,5"}
    assert signed.post(reverse("contracts:service_change", args=[service.pk]), change).status_code == 302
    service.refresh_from_db()
    assert (service.name_uk, service.units_per_day_max) == ("Прогулянки надворі", Decimal("1.5"))
    again = signed.post(reverse("contracts:service_new"), NEW)
    assert again.status_code == 409 and b'role="alert"' in again.content


def test_a_refusal_is_said_on_the_form(client: Client, road: Road) -> None:
    service = road.norm.service
    client.cookies["language"] = "en"
    signed = sign_in(client, road.cast["bohdan"])
    address = reverse("contracts:service_change", args=[service.pk])
    assert "only its names can change" in signed.get(address).content.decode()
    answer = signed.post(address, {**NEW, "units_per_day_max": "1"})
    assert answer.status_code == 409 and "is used already" in answer.content.decode()
    wrong = signed.post(address, {**NEW, "granularity": "0"})
    assert wrong.status_code == 200 and b'role="alert"' in wrong.content


@pytest.mark.parametrize("username", ["outsider", "halyna", "nadiia"])
def test_only_an_officer_changes_the_catalogue(client: Client, road: Road, fresh: Service, username: str) -> None:
    signed = sign_in(client, road.cast[username])
    assert signed.post(reverse("contracts:service_new"), NEW).status_code == 403
    assert signed.post(reverse("contracts:service_change", args=[fresh.pk]), NEW).status_code == 403
    page = signed.get(reverse("contracts:service", args=[fresh.pk]))
    assert page.status_code == (403 if username == "outsider" else 200)


def test_another_municipality_finds_no_service(
    client: Client, fresh: Service, other_organisation: Organisation
) -> None:
    user = User.objects.create(username="stranger")
    Membership.objects.create(user=user, organisation=other_organisation, role=OFFICER)
    signed = sign_in(client, user)
    assert signed.get(reverse("contracts:service", args=[fresh.pk])).status_code == 404
    assert signed.post(reverse("contracts:service_change", args=[fresh.pk]), NEW).status_code == 404


def price_list(road: Road, code: str) -> TariffSet:
    return approve_tariff_set(
        organisation=road.organisation,
        provider=road.provider("A", "nadiia"),
        code=code,
        title=f"Ціни {code}",
        basis="рішення 12",
        basis_date=date(2025, 3, 20),
        rows=[PricedAction("магазин", Decimal("53.99"), 30)],
        valid_from=date(2025, 4, 1),
        hour_rate=Decimal("107.97"),
        actor=road.actor("bohdan"),
        at=road.at,
    )


def test_price_lists_are_listed_and_found(client: Client, road: Road) -> None:
    price_list(road, "T1")
    signed = sign_in(client, road.cast["bohdan"])
    address = reverse("contracts:tariff_sets")
    assert "Ціни T1" in signed.get(address).content.decode()
    assert "Ціни T1" not in signed.get(address, {"q": "немає"}).content.decode()
    assert_same_queries(signed, address, lambda: [price_list(road, code) for code in ("T2", "T3")])
    assert sign_in(client, road.cast["outsider"]).get(address).status_code == 403
