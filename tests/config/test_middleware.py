"""A sign that no database text can hold is looked for and found nowhere, on every list."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.test import Client
from django.urls import reverse

from config.accounts.models import Membership, Organisation, User
from config.roles import ROLE_TITLES
from tests.architecture.test_every_address import PAGES
from vouchers.models import Recipient

pytestmark = pytest.mark.django_db
ODD = "q=%00&status=%00&check=%00&kind=%00&page=%00&period=%00&year=%00"


@pytest.fixture
def everybody(organisation: Organisation) -> User:
    """Holds every role of the office at once, to see every list."""
    user = User.objects.create(username="everybody")
    for role in ROLE_TITLES:
        Membership.objects.create(user=user, role=role, organisation=organisation)
    return user


def test_no_page_stumbles_over_a_zero_character(client: Client, everybody: User) -> None:
    client.force_login(everybody, backend="django.contrib.auth.backends.ModelBackend")
    said = {address.name: client.get(f"{address.path()}?{ODD}").status_code for address in PAGES}
    assert {name: status for name, status in said.items() if status >= 500} == {}
    assert {"settlement:claims", "vouchers:recipients"} <= {name for name, status in said.items() if status == 200}


def test_a_search_for_it_finds_nothing(
    client: Client, everybody: User, organisation: Organisation, at: datetime
) -> None:
    Recipient.objects.create(organisation=organisation, code="RECIPIENT-ONE", name="Олена", registered_at=at)
    client.force_login(everybody, backend="django.contrib.auth.backends.ModelBackend")
    assert b"RECIPIENT-ONE" in client.get(reverse("vouchers:recipients")).content
    assert b"RECIPIENT-ONE" not in client.get(reverse("vouchers:recipients") + "?q=%00").content


def test_an_address_with_it_finds_no_page(client: Client, everybody: User) -> None:
    client.force_login(everybody, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get("/settlement/months/%00/").status_code == 404
