"""Pages of norm costs: what an approval ends is told before; ending and withdrawing."""

from __future__ import annotations

from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from config.clock import business_now
from contracts.models import NormCost
from tests.road import PUBLISHED, Road, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def road(road: Road) -> Road:
    """The road whose pages live on the day of publication."""
    road.organisation.clock_offset = PUBLISHED - business_now()
    road.organisation.save(update_fields=["clock_offset"])
    return road


@pytest.fixture(autouse=True)
def _english(client: Client) -> None:
    client.cookies["language"] = "en"


def page(client: Client, road: Road, norm: NormCost, username: str = "oksana") -> str:
    return sign_in(client, road.cast[username]).get(reverse("contracts:norm", args=[norm.pk])).content.decode()


def test_approver_is_told_what_ends(client: Client, road: Road) -> None:
    assert road.norm
    draft = road.draft_norm(valid_from=date(2025, 6, 1))
    shown = page(client, road, draft)
    assert "its last day is 31" in shown and reverse("contracts:norm", args=[road.norm.pk]) in shown
    client.post(reverse("contracts:norm_approve", args=[draft.pk]))
    assert NormCost.objects.get(pk=road.norm.pk).valid_to == date(2025, 6, 1)
    assert "its last day is" not in page(client, road, draft)


def test_a_bidder_reads_what_is_decided_and_no_draft(client: Client, road: Road) -> None:
    """Next year's price is nobody's advantage."""
    decided, draft = road.norm, road.draft_norm(valid_from=date(2025, 6, 1))
    road.provider("B", "nadiia")
    ours, theirs = road.cast["bohdan"], road.cast["nadiia"]
    for user, wanted in ((ours, 200), (theirs, 404)):
        browser = sign_in(client, user)
        assert browser.get(reverse("contracts:norm", args=[draft.pk])).status_code == wanted
        assert browser.get(reverse("contracts:norm", args=[decided.pk])).status_code == 200
        listed = browser.get(reverse("contracts:norms")).content.decode()
        assert (reverse("contracts:norm", args=[draft.pk]) in listed) is (wanted == 200)
        assert reverse("contracts:norm", args=[decided.pk]) in listed


def test_draft_of_a_served_day_offers_no_approval(client: Client, road: Road) -> None:
    assert road.norm
    draft = road.draft_norm(valid_from=date(2025, 2, 1))
    shown = page(client, road, draft)
    assert "cannot be approved" in shown and reverse("contracts:norm_approve", args=[draft.pk]) not in shown


def test_approver_ends_a_norm(client: Client, road: Road) -> None:
    url = reverse("contracts:norm_end", args=[road.norm.pk])
    assert url in page(client, road, road.norm) and url not in page(client, road, road.norm, "bohdan")
    assert client.post(url, {"last_day": "2025-05-31", "basis": "x"}).status_code == 403
    approver = sign_in(client, road.cast["oksana"])
    assert approver.get(url).status_code == 200
    refused = approver.post(url, {"last_day": "31.01.2025", "basis": "рішення 7"})
    assert refused.status_code == 409 and "рішення 7" in refused.content.decode()
    assert NormCost.objects.get().valid_to is None
    approver.post(url, {"last_day": "31.05.2025", "basis": "рішення 7"})
    assert NormCost.objects.get().valid_to == date(2025, 6, 1)
    assert url not in page(client, road, road.norm)


def test_author_withdraws_a_draft_and_only_the_approver_an_approved_norm(client: Client, road: Road) -> None:
    draft, later = road.draft_norm(), road.draft_norm(valid_from=date(2025, 6, 1))
    url = reverse("contracts:norm_withdraw", args=[draft.pk])
    assert url in page(client, road, draft, "bohdan")
    assert client.post(url, {"reason": ""}).status_code == 200 and draft.status == "draft"
    client.post(url, {"reason": "помилка"})
    draft.refresh_from_db()
    assert draft.status == "withdrawn"
    sign_in(client, road.cast["oksana"]).post(reverse("contracts:norm_approve", args=[later.pk]))
    url = reverse("contracts:norm_withdraw", args=[later.pk])
    assert sign_in(client, road.cast["bohdan"]).post(url, {"reason": "x"}).status_code == 403
    sign_in(client, road.cast["oksana"]).post(url, {"reason": "скасовано"})
    later.refresh_from_db()
    assert later.status == "withdrawn"
    assert sign_in(client, road.cast["outsider"]).get(url).status_code == 403
