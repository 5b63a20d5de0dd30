"""The register of providers."""

from __future__ import annotations

from datetime import date

import pytest

from contracts.actions import register
from tests.road import Road
from tests.trail import trail_for

pytestmark = pytest.mark.django_db

DAY = date(2025, 5, 1)


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
