"""Pages of a provider's people: the administrator appoints, the officer enters workers, the provider sees its own."""

from __future__ import annotations

import re
from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from config.accounts.models import User
from contracts.actions.register import add_worker
from contracts.models import Provider, ProviderUser, Service, Territory, Worker
from contracts.queries import provider_of
from tests.road import Road, assert_same_queries, sign_in

pytestmark = pytest.mark.django_db
NEW = {"username": "olha", "display_name": "Ольга", "language": "en"}
LINK = re.compile(r"http://testserver/welcome/")


@pytest.fixture
def provider(road: Road) -> Provider:
    return road.provider("A", "nadiia")


def english(road: Road, username: str) -> Client:
    client = Client()
    client.cookies["language"] = "en"
    return sign_in(client, road.cast[username])


def at_provider(name: str, *keys: int) -> str:
    return reverse(f"contracts:{name}", args=keys)


def test_the_administrator_invites_and_the_link_is_shown_once(road: Road, provider: Provider) -> None:
    admin = english(road, "admin")
    page = admin.post(at_provider("representative_invite", provider.pk), NEW)
    assert LINK.search(page.content.decode())
    olha = User.objects.get(username="olha")
    assert provider_of(olha) == provider
    shown = admin.get(at_provider("provider", provider.pk)).content.decode()
    assert "olha" in shown and not LINK.search(shown)
    again = admin.post(at_provider("representative_invite", provider.pk), NEW)
    assert again.status_code == 409 and "already a user" in again.content.decode()


def test_a_person_with_access_is_appointed_renewed_and_ended(road: Road, provider: Provider) -> None:
    admin, taras = english(road, "admin"), road.cast["taras"]
    address = at_provider("representative_appoint", provider.pk)
    for wrong in ("nobody", "bohdan"):
        refused = admin.post(address, {"username": wrong})
        assert refused.status_code == 409 and "no open access" in refused.content.decode()
    assert (
        "acts for the provider from now on" in admin.post(address, {"username": "taras"}, follow=True).content.decode()
    )
    assert LINK.search(admin.post(at_provider("representative_link", provider.pk, taras.pk)).content.decode())
    taras.refresh_from_db()
    assert not taras.has_usable_password()
    admin.post(at_provider("representative_end", provider.pk, taras.pk))
    assert provider_of(taras) is None
    assert admin.post(at_provider("representative_link", provider.pk, taras.pk)).status_code == 404


@pytest.mark.parametrize("username", ["bohdan", "nadiia", "mariia", "outsider"])
def test_nobody_else_says_who_acts_for_a_provider(road: Road, provider: Provider, username: str) -> None:
    signed, nadiia = english(road, username), road.cast["nadiia"]
    assert signed.post(at_provider("representative_invite", provider.pk), NEW).status_code == 403
    assert signed.post(at_provider("representative_appoint", provider.pk), {"username": "taras"}).status_code == 403
    for step in ("link", "end"):
        assert signed.post(at_provider(f"representative_{step}", provider.pk, nadiia.pk)).status_code == 403
    assert [row.user for row in ProviderUser.objects.all()] == [nadiia]


def test_the_officer_enters_workers_and_the_provider_sees_only_its_own(road: Road, provider: Provider) -> None:
    officer, service = english(road, "bohdan"), road.service
    fields = {"code": "W-1", "full_name": "Марія Вигадана", "services": [service.pk], "valid_from": "2025-01-01"}
    reversed_days = officer.post(at_provider("worker_new", provider.pk), fields | {"last_day": "2024-01-01"})
    assert "before the first one" in reversed_days.content.decode()
    officer.post(at_provider("worker_new", provider.pk), fields | {"last_day": "2025-12-31"})
    held = Worker.objects.get().qualifications.get()
    assert (held.service, held.valid_to) == (service, date(2026, 1, 1))
    assert officer.post(at_provider("worker_new", provider.pk), fields).status_code == 409
    own = reverse("contracts:own_workers")
    assert "Марія Вигадана" in english(road, "nadiia").get(own).content.decode()
    road.provider("B", "taras")
    assert "Марія" not in english(road, "taras").get(own).content.decode()
    assert english(road, "nadiia").get(at_provider("workers", provider.pk)).status_code == 403
    assert english(road, "nadiia").post(at_provider("worker_new", provider.pk), fields).status_code == 403


def test_further_services_of_a_worker_are_recorded_once(road: Road, provider: Provider) -> None:
    worker = employ(road, provider, "W-1")
    other = Service.objects.create(
        organisation=road.organisation, code="X", name_uk="Інша", unit="hour", granularity="0.25"
    )
    officer = english(road, "bohdan")
    address = reverse("contracts:worker_qualify", args=[worker.pk])
    officer.post(address, {"services": [other.pk], "valid_from": "2025-02-01"})
    assert set(worker.qualifications.values_list("service__code", flat=True)) == {road.service.code, "X"}
    again = officer.post(address, {"services": [other.pk], "valid_from": "2025-03-01"})
    assert again.status_code == 409 and "already qualified" in again.content.decode()


def employ(road: Road, provider: Provider, code: str) -> Worker:
    return add_worker(
        organisation=road.organisation,
        provider=provider,
        code=code,
        full_name="Марія Вигадана",
        services=[road.service],
        valid_from=date(2025, 1, 1),
        actor=road.actor("bohdan"),
        at=road.at,
    )


def test_the_list_of_workers_is_searched_and_its_price_does_not_grow(road: Road, provider: Provider) -> None:
    employ(road, provider, "W-1")
    officer, address = english(road, "bohdan"), at_provider("workers", provider.pk)
    assert_same_queries(officer, address, lambda: [employ(road, provider, f"W-{number}") for number in range(2, 6)])
    found = officer.get(address, {"q": "W-3"}).context["page"]
    assert [row.code for row in found] == ["W-3"]


def test_the_officer_adds_territories_and_takes_the_list_of_services_over(road: Road) -> None:
    officer, address = english(road, "bohdan"), reverse("contracts:territory_new")
    fields = {"code": "CENTRE", "title": "Центр", "kind": "urban"}
    officer.post(address, fields)
    officer.post(address, fields | {"code": "PARK", "title": "Парк", "parent": Territory.objects.get().pk})
    assert officer.post(address, fields).status_code == 409
    assert Territory.objects.get(code="PARK").parent == Territory.objects.get(code="CENTRE")
    page = reverse("contracts:territories")
    assert [row.code for row in officer.get(page, {"q": "Парк"}).context["page"]] == ["PARK"]
    officer.post(reverse("contracts:service_adopt"))
    taken = Service.objects.count()
    officer.post(reverse("contracts:service_adopt"))
    assert taken == Service.objects.count() > 5
    halyna = english(road, "halyna")
    assert halyna.get(page).status_code == 200
    assert (halyna.post(address, fields).status_code, halyna.post(reverse("contracts:service_adopt")).status_code) == (
        403,
        403,
    )
