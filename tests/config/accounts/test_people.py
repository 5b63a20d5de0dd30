"""Accesses are opened, changed and closed by an administrator, and never by anybody for themselves."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.test import Client
from django.utils import timezone

from config.accounts import people_actions as actions
from config.accounts.actions import create_token
from config.accounts.models import Membership, Organisation, User
from config.accounts.people import CLOSED, INVITED, LOCKED, invitation_path, people_of, state_of
from config.accounts.tokens import token_of
from config.errors import NotFound
from config.roles import (
    ADMINISTRATOR,
    AUDITOR,
    CASE_WORKER,
    FINANCE_CHECKER,
    FINANCE_MAKER,
    OFFICE_ROLES,
    OFFICER,
    conflict_among,
)
from tests.trail import trail_for

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "three quiet words here"


@pytest.fixture
def acting(cast: dict[str, User], organisation: Organisation, at: datetime) -> dict[str, Any]:
    """The administrator of the office at work."""
    return {"organisation": organisation, "actor": cast["admin"].as_actor(), "at": at}


def roles_of(user: User) -> set[str]:
    return set(Membership.objects.filter(user=user).values_list("role", flat=True))


def choose(client: Client, link: str, password: str = SECRET) -> Any:
    """Follow a link and send the form that it shows."""
    form = client.get(link, follow=True)
    return client.post(form.request["PATH_INFO"], {"new_password1": password, "new_password2": password})


def test_an_invited_person_chooses_a_password_and_signs_in(client: Client, acting: dict[str, Any]) -> None:
    user = actions.invite_user(username="olha", display_name="Ольга", roles=[OFFICER], password=None, **acting)
    assert state_of(user) == INVITED
    link = invitation_path(user)
    assert choose(client, link).status_code == 302
    assert client.post("/sign-in/", {"username": "olha", "password": SECRET}).headers["Location"] == "/"
    assert [event.action for event in trail_for(user)] == ["user.password_chosen", "user.invited"]
    again = Client().get(link, follow=True)
    assert again.context["validlink"] is False


def test_a_short_password_is_refused_with_a_sentence(client: Client, acting: dict[str, Any]) -> None:
    user = actions.invite_user(username="olha", display_name="Ольга", roles=[OFFICER], password=None, **acting)
    answer = choose(client, invitation_path(user), "short")
    assert answer.status_code == 200
    assert b'role="alert"' in answer.content
    user.refresh_from_db()
    assert not user.has_usable_password()


@pytest.mark.parametrize(
    ("roles", "pair"),
    [
        ({FINANCE_MAKER, FINANCE_CHECKER, OFFICER}, (FINANCE_MAKER, FINANCE_CHECKER)),
        ({AUDITOR, CASE_WORKER}, (CASE_WORKER, AUDITOR)),
        ({ADMINISTRATOR, FINANCE_CHECKER}, (FINANCE_CHECKER, ADMINISTRATOR)),
        ({OFFICER, CASE_WORKER}, None),
    ],
)
def test_which_roles_exclude_one_another(roles: set[str], pair: tuple[str, str] | None) -> None:
    assert conflict_among(roles) == pair


def test_an_auditor_acts_in_no_role() -> None:
    assert {role for role in OFFICE_ROLES if conflict_among({role, AUDITOR})} == OFFICE_ROLES - {AUDITOR}


def test_nobody_is_invited_with_roles_that_check_one_another(acting: dict[str, Any]) -> None:
    with pytest.raises(actions.RolesConflict):
        actions.invite_user(
            username="olha", display_name="Ольга", roles=[FINANCE_MAKER, FINANCE_CHECKER], password=None, **acting
        )
    assert not User.objects.filter(username="olha").exists()


def test_roles_are_changed_and_kept_in_the_trail(cast: dict[str, User], acting: dict[str, Any]) -> None:
    actions.change_roles(user=cast["bohdan"], roles=[CASE_WORKER, OFFICER], **acting)
    assert roles_of(cast["bohdan"]) == {OFFICER, CASE_WORKER}
    actions.change_roles(user=cast["bohdan"], roles=[CASE_WORKER], **acting)
    actions.change_roles(user=cast["bohdan"], roles=[CASE_WORKER], **acting)
    events = list(trail_for(cast["bohdan"]))
    assert [event.action for event in events] == ["user.roles_changed", "user.roles_changed"]
    assert events[0].data["roles_before"] == [OFFICER, CASE_WORKER]
    assert events[0].data["roles"] == [CASE_WORKER]


def test_roles_that_conflict_are_not_given(cast: dict[str, User], acting: dict[str, Any]) -> None:
    with pytest.raises(actions.RolesConflict):
        actions.change_roles(user=cast["halyna"], roles=[FINANCE_MAKER, FINANCE_CHECKER], **acting)
    assert roles_of(cast["halyna"]) == {FINANCE_MAKER}


def test_nobody_changes_the_own_access(cast: dict[str, User], acting: dict[str, Any]) -> None:
    admin = cast["admin"]
    with pytest.raises(actions.OwnAccess):
        actions.change_roles(user=admin, roles=[ADMINISTRATOR, OFFICER], **acting)
    for call in (actions.deactivate_user, actions.reactivate_user, actions.renew_password, actions.unlock_user):
        with pytest.raises(actions.OwnAccess):
            call(user=admin, **acting)
    assert roles_of(admin) == {ADMINISTRATOR}


def test_one_administrator_stays(cast: dict[str, User], organisation: Organisation, acting: dict[str, Any]) -> None:
    second = actions.invite_user(username="second", display_name="", roles=[ADMINISTRATOR], password=None, **acting)
    by_second = {**acting, "actor": second.as_actor()}
    actions.deactivate_user(user=cast["admin"], **by_second)
    # A page that the first one had opened before.
    with pytest.raises(actions.LastAdministrator):
        actions.deactivate_user(user=second, **acting)
    with pytest.raises(actions.LastAdministrator):
        actions.change_roles(user=second, roles=[OFFICER], **acting)
    second.refresh_from_db()
    assert second.is_active
    actions.reactivate_user(user=cast["admin"], **by_second)
    actions.deactivate_user(user=second, **acting)


def test_a_closed_access_ends_sessions_and_keys_at_once_and_for_good(
    client: Client, cast: dict[str, User], organisation: Organisation, acting: dict[str, Any]
) -> None:
    halyna = cast["halyna"]
    client.force_login(halyna)
    ends = timezone.now() + timedelta(days=1)
    _token, secret = create_token(user=halyna, title="bank", expires_at=ends, **{**acting, "actor": halyna.as_actor()})
    assert client.get("/").status_code == 200
    assert token_of(secret, timezone.now()) is not None
    actions.deactivate_user(user=halyna, **acting)
    assert client.get("/").status_code == 302
    actions.reactivate_user(user=halyna, **acting)
    assert client.get("/").status_code == 302
    assert token_of(secret, timezone.now()) is None
    halyna.refresh_from_db()
    assert state_of(halyna) == INVITED


def test_a_new_link_ends_the_old_one_and_the_sessions(
    client: Client, cast: dict[str, User], acting: dict[str, Any]
) -> None:
    halyna = cast["halyna"]
    client.force_login(halyna)
    first = invitation_path(actions.renew_password(user=halyna, **acting))
    second = invitation_path(actions.renew_password(user=halyna, **acting))
    assert client.get("/").status_code == 302
    assert Client().get(first, follow=True).context["validlink"] is False
    assert choose(Client(), second).status_code == 302


def test_a_closed_access_gets_no_link(cast: dict[str, User], acting: dict[str, Any]) -> None:
    actions.deactivate_user(user=cast["halyna"], **acting)
    with pytest.raises(actions.AccessClosed):
        actions.renew_password(user=cast["halyna"], **acting)


def test_people_of_other_offices_are_out_of_reach(
    cast: dict[str, User], other_organisation: Organisation, acting: dict[str, Any]
) -> None:
    stranger = User.objects.create(username="stranger")
    Membership.objects.create(user=stranger, organisation=other_organisation, role=OFFICER)
    for call in (actions.deactivate_user, actions.renew_password, actions.unlock_user):
        with pytest.raises(NotFound):
            call(user=stranger, **acting)
        with pytest.raises(NotFound):
            call(user=cast["nadiia"], **acting)
    Membership.objects.create(user=cast["bohdan"], organisation=other_organisation, role=OFFICER)
    for call in (actions.deactivate_user, actions.renew_password):
        with pytest.raises(actions.WorksElsewhere):
            call(user=cast["bohdan"], **acting)
    actions.change_roles(user=cast["bohdan"], roles=[CASE_WORKER], **acting)
    assert Membership.objects.get(user=cast["bohdan"], organisation=other_organisation).role == OFFICER


def test_a_pause_of_sign_in_is_seen_and_ended(
    client: Client, cast: dict[str, User], organisation: Organisation, acting: dict[str, Any]
) -> None:
    halyna = cast["halyna"]
    halyna.set_password(SECRET)
    halyna.save()
    for _ in range(5):
        client.post("/sign-in/", {"username": "halyna", "password": "wrong"})
    now = timezone.now()
    assert [user.username for user in people_of(organisation, now=now, state=LOCKED)] == ["halyna"]
    assert not people_of(organisation, now=now + timedelta(hours=1), state=LOCKED)
    actions.unlock_user(user=halyna, **acting)
    actions.unlock_user(user=halyna, **acting)
    assert not AccessAttempt.objects.exists()
    assert client.post("/sign-in/", {"username": "halyna", "password": SECRET}).status_code == 302
    assert [event.action for event in trail_for(halyna)] == ["user.unlocked"]


def test_lists_by_state_and_search(cast: dict[str, User], organisation: Organisation, acting: dict[str, Any]) -> None:
    actions.deactivate_user(user=cast["halyna"], **acting)
    now = timezone.now()
    assert [user.username for user in people_of(organisation, now=now, state=CLOSED)] == ["halyna"]
    assert [user.username for user in people_of(organisation, now=now, search="богдан")] == ["bohdan"]
    assert not people_of(organisation, now=now, search="nadiia"), "a provider's person is of no office"
