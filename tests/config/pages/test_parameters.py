"""Pages of a parameter: who writes down, who approves, what the refusals say."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.test import Client
from django.urls import reverse

from config.accounts.models import Membership, Organisation, User
from config.roles import PARAMETER_ADMIN
from contracts.actions.reference import load_reference
from contracts.models import Parameter, ParameterProposal
from tests.road import Road, assert_same_queries
from tests.signed_in import browser

pytestmark = pytest.mark.django_db
VALUES = {"value": "12,5", "valid_from": "2026-01-01", "act": "рішення 5", "evidence": "V-TEXT"}


@pytest.fixture
def row(organisation: Organisation, at: datetime) -> Parameter:
    load_reference(at=at)
    return Parameter.objects.get(key="admin_cap_pct", jurisdiction="UA")


def signed(user: User) -> Client:
    return browser(user, "en")


def proposed(cast: dict[str, User], row: Parameter) -> ParameterProposal:
    signed(cast["pavlo"]).post(reverse("parameter_new", args=[row.pk]), VALUES)
    return ParameterProposal.objects.get()


def test_a_value_goes_from_the_form_to_the_second_person(cast: dict[str, User], row: Parameter) -> None:
    proposal = proposed(cast, row)
    page = reverse("parameter_proposal", args=[proposal.pk])
    approve = reverse("parameter_approve", args=[proposal.pk])
    own = signed(cast["pavlo"]).get(page).content.decode()
    assert "Another person approves it" in own and approve not in own
    oksana = signed(cast["oksana"])
    cards = {str(card.what): card.count for card in oksana.get("/").context["cards"]}
    assert cards["Values of parameters to approve"] == 1
    assert approve in oksana.get(page).content.decode()
    assert "approved and counts" in oksana.post(approve, follow=True).content.decode()
    assert Parameter.objects.get(proposal=proposal).value == "12.5"


def test_the_author_is_told_that_another_person_approves(cast: dict[str, User], row: Parameter) -> None:
    proposal = proposed(cast, row)
    answer = signed(cast["pavlo"]).post(reverse("parameter_approve", args=[proposal.pk]), follow=True)
    assert "Another person must take this one" in answer.content.decode()
    assert not Parameter.objects.filter(proposal=proposal).exists()


def test_a_value_may_be_refused_with_a_reason(cast: dict[str, User], row: Parameter) -> None:
    proposal = proposed(cast, row)
    address = reverse("parameter_withdraw", args=[proposal.pk])
    assert signed(cast["bohdan"]).post(address, {"reason": "x"}).status_code == 403
    assert signed(cast["oksana"]).post(address, {"reason": "немає в акті"}).status_code == 302
    proposal.refresh_from_db()
    assert proposal.status == "withdrawn"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"value": "many"}, "is no value of this parameter"),
        ({"act": ""}, "Act or decision"),
        ({"valid_from": "x"}, "In force from"),
    ],
)
def test_what_is_wrong_is_said_above_the_form(
    cast: dict[str, User], row: Parameter, wrong: dict[str, str], said: str
) -> None:
    answer = signed(cast["pavlo"]).post(reverse("parameter_new", args=[row.pk]), {**VALUES, **wrong})
    assert b'role="alert"' in answer.content and said in answer.content.decode()
    assert not ParameterProposal.objects.exists()


def test_a_page_counts_what_was_decided(organisation: Organisation, cast: dict[str, User]) -> None:
    road = Road(organisation, cast)
    assert road.norm
    row = Parameter.objects.get(key="admin_cap_pct", jurisdiction="UA")
    page = signed(road.cast["pavlo"]).get(reverse("parameter", args=[row.pk]))
    assert {str(kind): count for kind, count in page.context["used"]}["Norm costs"] == 1
    assert "not verified" in page.content.decode()


@pytest.mark.parametrize("username", ["outsider", "nadiia", "olena"])
def test_who_may_not_see_parameters(cast: dict[str, User], row: Parameter, username: str) -> None:
    proposal = proposed(cast, row)
    reader = signed(cast[username])
    assert reader.get(reverse("parameter", args=[row.pk])).status_code == 403
    assert reader.get(reverse("parameter_proposal", args=[proposal.pk])).status_code == 403
    assert reader.post(reverse("parameter_new", args=[row.pk]), VALUES).status_code == 403
    assert reader.post(reverse("parameter_approve", args=[proposal.pk])).status_code == 403


def test_another_municipality_finds_no_own_values(
    cast: dict[str, User], row: Parameter, other_organisation: Organisation
) -> None:
    proposal = proposed(cast, row)
    signed(cast["oksana"]).post(reverse("parameter_approve", args=[proposal.pk]))
    own = Parameter.objects.get(proposal=proposal)
    user = User.objects.create(username="stranger")
    Membership.objects.create(user=user, organisation=other_organisation, role=PARAMETER_ADMIN)
    stranger = signed(user)
    assert stranger.get(reverse("parameter", args=[row.pk])).status_code == 200
    assert stranger.get(reverse("parameter", args=[own.pk])).status_code == 404
    assert stranger.get(reverse("parameter_proposal", args=[proposal.pk])).status_code == 404
    assert stranger.post(reverse("parameter_approve", args=[proposal.pk])).status_code == 404


def test_the_price_of_a_page_does_not_grow(cast: dict[str, User], row: Parameter, organisation: Organisation) -> None:
    def grow() -> None:
        for year in range(2026, 2032):
            Parameter.objects.create(
                organisation=organisation,
                jurisdiction="UA",
                key=row.key,
                valid_from=f"{year}-01-01",
                valid_to=f"{year + 1}-01-01",
                value="14",
                recorded_at=row.recorded_at,
            )

    assert_same_queries(signed(cast["pavlo"]), reverse("parameter", args=[row.pk]), grow)


def test_an_unverified_value_is_confirmed_as_it_is(
    cast: dict[str, User], row: Parameter, organisation: Organisation
) -> None:
    Parameter.objects.filter(pk=row.pk).update(evidence="MEM")
    address, confirm = reverse("parameter", args=[row.pk]), reverse("parameter_confirm", args=[row.pk])
    pavlo = signed(cast["pavlo"])
    shown = pavlo.get(address).content.decode()
    assert confirm in shown and "not verified" in shown
    assert confirm not in signed(cast["oksana"]).get(address).content.decode()
    assert pavlo.post(confirm, {"act": "рішення 5", "evidence": "MEM"}).status_code == 200
    assert pavlo.post(confirm, {"act": "рішення 5", "evidence": "V-TEXT"}).status_code == 302
    page = reverse("parameter_proposal", args=[ParameterProposal.objects.get().pk])
    assert "The value stays as it is" in pavlo.get(page).content.decode()
    assert confirm not in pavlo.get(address).content.decode(), "it waits for the second person"
    approve = reverse("parameter_approve", args=[ParameterProposal.objects.get().pk])
    assert signed(cast["oksana"]).post(approve).status_code == 302
    shown = pavlo.get(address).content.decode()
    assert "not verified" not in shown and "рішення 5" in shown and confirm not in shown
    listed = pavlo.get(reverse("contracts:parameters"), {"q": row.key}).content.decode()
    assert "seen in the act" in listed and "not verified" not in listed
    assert pavlo.post(confirm, {"act": "рішення 6", "evidence": "V-TEXT"}).status_code == 409
