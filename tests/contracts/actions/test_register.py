"""The register of providers."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from config.accounts.people_actions import UserExists
from config.errors import NotFound
from config.office.models import EarlierVersion
from contracts.actions import register
from contracts.models import ProviderUser
from contracts.queries import provider_of
from tests.road import PUBLISHED, Road
from tests.trail import trail_for

pytestmark = pytest.mark.django_db

DAY = date(2025, 5, 1)
LATER = PUBLISHED + timedelta(days=300)


def suspend(road: Road, **changes: object) -> object:
    values = {"provider": road.provider("A"), "from_date": DAY, "reason": "перевірка", "to_date": None} | changes
    return register.suspend_provider(organisation=road.organisation, actor=road.actor("bohdan"), at=road.at, **values)


def test_provider_serves_only_after_admission(road: Road) -> None:
    waiting = road.provider("new", admitted=False)
    assert not register.is_active(waiting, DAY)
    assert register.is_active(road.provider("A"), DAY)


def test_code_is_used_once(road: Road) -> None:
    road.provider("A")
    with pytest.raises(register.ProviderExists):
        register.register_provider(
            organisation=road.organisation,
            code="A",
            title="Двійник",
            sector="private",
            actor=road.actor("bohdan"),
            at=road.at,
        )


@pytest.mark.parametrize("iban", ["UA213223130000026007233566002", "not an account"])
def test_wrong_account_number_is_refused(road: Road, iban: str) -> None:
    with pytest.raises(register.IbanInvalid):
        register.register_provider(
            organisation=road.organisation,
            code="A",
            title="Турбота",
            sector="nonprofit",
            iban=iban,
            actor=road.actor("bohdan"),
            at=road.at,
        )


def test_second_admission_is_refused(road: Road) -> None:
    with pytest.raises(register.AlreadyAdmitted):
        register.admit_provider(
            organisation=road.organisation,
            provider=road.provider("A"),
            from_date=DAY,
            actor=road.actor("bohdan"),
            at=road.at,
        )


def test_suspension_covers_its_days_and_ends(road: Road) -> None:
    provider = road.provider("A")
    suspend(road)
    assert not register.is_active(provider, DAY)
    register.end_suspension(
        organisation=road.organisation,
        provider=provider,
        to_date=date(2025, 6, 1),
        actor=road.actor("bohdan"),
        at=road.at,
    )
    provider.refresh_from_db()
    assert not register.is_active(provider, date(2025, 5, 31))
    assert register.is_active(provider, date(2025, 6, 1))
    assert [event.action for event in trail_for(provider)][:2] == ["provider.resumed", "provider.suspended"]


def test_double_suspension_is_refused(road: Road) -> None:
    suspend(road)
    with pytest.raises(register.AlreadySuspended):
        suspend(road, from_date=date(2025, 5, 2))


def test_nothing_to_end(road: Road) -> None:
    with pytest.raises(register.NotSuspended):
        register.end_suspension(
            organisation=road.organisation,
            provider=road.provider("A"),
            to_date=DAY,
            actor=road.actor("bohdan"),
            at=road.at,
        )


def test_worker_name_stays_out_of_the_trail(road: Road) -> None:
    def add() -> object:
        return register.add_worker(
            organisation=road.organisation,
            provider=road.provider("A"),
            code="W-1",
            full_name="Марія Таємна",
            services=[road.service],
            valid_from=DAY,
            actor=road.actor("bohdan"),
            at=road.at,
        )

    worker = add()
    event = trail_for(worker).get()  # type: ignore[arg-type]
    assert "Таємна" not in str(event.data)
    with pytest.raises(register.WorkerExists):
        add()


def acting(road: Road) -> dict[str, Any]:
    return {"organisation": road.organisation, "actor": road.actor("admin"), "at": road.at}


def test_a_person_acts_for_one_provider_at_a_time_and_the_past_is_kept(road: Road) -> None:
    first, second, nadiia = road.provider("A"), road.provider("B"), road.cast["nadiia"]
    link = register.appoint_representative(provider=first, user=nadiia, **acting(road))
    register.appoint_representative(provider=first, user=nadiia, **acting(road))
    with pytest.raises(register.RepresentsAnother):
        register.appoint_representative(provider=second, user=nadiia, **acting(road))
    register.end_representation(provider=first, user_id=nadiia.pk, **acting(road) | {"at": LATER})
    assert provider_of(nadiia) is None
    register.appoint_representative(provider=second, user=nadiia, **acting(road) | {"at": LATER})
    assert provider_of(nadiia) == second
    kept = EarlierVersion.objects.get(table_name=ProviderUser._meta.db_table, row_id=link.pk)
    assert (kept.was["provider_id"], kept.was["user_id"]) == (first.pk, nadiia.pk)
    assert (kept.known_from, kept.known_until) == (road.at, LATER)
    told = [event.action for event in trail_for(first) if event.action.startswith("provider.repr")]
    assert told == ["provider.representation_ended", "provider.represented"]


def test_only_people_with_access_of_a_provider_are_appointed(road: Road) -> None:
    provider, taras = road.provider("A"), road.cast["taras"]
    taras.is_active = False
    taras.save()
    for user in (road.cast["bohdan"], road.cast["outsider"], taras):
        with pytest.raises(register.NoProviderAccess):
            register.appoint_representative(provider=provider, user=user, **acting(road))
    assert not ProviderUser.objects.exists()


def test_who_does_not_act_for_the_provider_cannot_stop_to(road: Road) -> None:
    road.provider("A", "nadiia")
    with pytest.raises(NotFound):
        register.end_representation(provider=road.provider("B"), user_id=road.cast["nadiia"].pk, **acting(road))
    assert provider_of(road.cast["nadiia"]) == road.provider("A")


def test_an_invited_person_acts_for_the_provider(road: Road) -> None:
    user = register.invite_representative(
        provider=road.provider("A"), username="olha", display_name="Ольга", language="uk", **acting(road)
    )
    assert provider_of(user) == road.provider("A") and not user.has_usable_password()
    assert [row.role for row in user.memberships.all()] == ["provider_user"]
    with pytest.raises(UserExists):
        register.invite_representative(
            provider=road.provider("A"), username="olha", display_name="Ольга", language="uk", **acting(road)
        )


def test_a_worker_is_qualified_again_only_for_other_days(road: Road) -> None:
    shared: dict[str, Any] = {"organisation": road.organisation, "services": [road.service]}
    shared |= {"actor": road.actor("bohdan"), "at": road.at}
    worker = register.add_worker(provider=road.provider("A"), code="W-1", full_name="Марія", valid_from=DAY, **shared)
    earlier, last = DAY - timedelta(days=90), DAY - timedelta(days=30)
    with pytest.raises(register.QualifiedAlready):
        register.qualify_worker(worker=worker, valid_from=earlier, valid_to=DAY + timedelta(days=1), **shared)
    register.qualify_worker(worker=worker, valid_from=last, valid_to=DAY, **shared)
    assert worker.qualifications.count() == 2
    register.qualify_worker(worker=worker, valid_from=earlier, valid_to=last, **shared)
    with pytest.raises(register.QualifiedAlready):
        register.qualify_worker(worker=worker, valid_from=DAY + timedelta(days=9), **shared)
