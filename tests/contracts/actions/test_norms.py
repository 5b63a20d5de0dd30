"""Norm costs: drafted from components, approved by a second person, never changed under a decision."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest

from config.errors import FourEyes
from config.states import InvalidMove
from contracts.actions import norms
from contracts.models import NormCost
from contracts.parameters import ParameterMissing
from contracts.queries import norm_cost_on, norm_ended_by
from tests.road import NORM_FACTS, PUBLISHED, Road
from tests.trail import trail_for

pytestmark = pytest.mark.django_db


def test_draft_keeps_inputs_parameters_and_rows(road: Road) -> None:
    norm = road.draft_norm()
    assert norm.unit_rate == Decimal("96.54")
    assert norm.formula_id == "NORM-UA-1186/1"
    assert norm.inputs["parameters"]["admin_cap_pct"]["unverified"] is True
    assert {row["code"]: row["value"] for row in norm.steps}["unit_cost"] == "96.54"
    assert [event.action for event in trail_for(norm)] == ["norm_cost.drafted"]


def test_stored_inputs_give_the_same_result_again(road: Road) -> None:
    norm = NormCost.objects.get(pk=road.draft_norm().pk)
    assert norms.recomputed(norm) == norm.unit_rate
    norm.inputs["facts"]["hours_month"] = "160"
    assert norms.recomputed(norm) != norm.unit_rate
    assert norms.recomputed(NormCost(inputs={})) is None


def test_a_service_counted_in_days_needs_the_hours_of_a_day(road: Road) -> None:
    road.service.unit = "day"
    with pytest.raises(norms.NormHoursMissing):
        road.draft_norm()
    norm = NormCost.objects.get(pk=road.draft_norm(facts=replace(NORM_FACTS, hours_per_unit=Decimal(8))).pk)
    assert norms.facts_of(norm).hours_per_unit == Decimal(8) and norm.unit_rate > Decimal("600")


def test_second_person_approves(road: Road) -> None:
    draft = road.draft_norm()
    assert norm_cost_on(organisation=road.organisation, service=road.service, on=date(2025, 5, 1)) is None
    norms.approve_norm_cost(norm=draft, actor=road.actor("oksana"), at=road.at)
    found = norm_cost_on(organisation=road.organisation, service=road.service, on=date(2025, 5, 1))
    assert found == draft and found.approver == road.cast["oksana"]


def test_author_may_not_approve(road: Road) -> None:
    with pytest.raises(FourEyes):
        norms.approve_norm_cost(norm=road.draft_norm(), actor=road.actor("bohdan"), at=road.at)


def test_successor_ends_its_predecessor_the_day_before(road: Road) -> None:
    assert road.norm
    second = road.draft_norm(valid_from=date(2025, 6, 1))
    assert norm_ended_by(second) == road.norm
    norms.approve_norm_cost(norm=second, actor=road.actor("oksana"), at=road.at)
    earlier = NormCost.objects.get(pk=road.norm.pk)
    assert (earlier.status, earlier.valid_to) == ("approved", date(2025, 6, 1))
    assert norm_cost_on(organisation=road.organisation, service=road.service, on=date(2025, 5, 31)) == road.norm
    assert norm_cost_on(organisation=road.organisation, service=road.service, on=date(2025, 6, 1)) == second
    event = trail_for(earlier).first()
    assert event is not None and event.action == "norm_cost.approved" and event.data["valid_to"] == "2025-06-01"
    assert event.objects_touched == [f"contracts.normcost:{row.pk}" for row in (second, earlier)]


def test_successor_of_a_day_already_served_is_refused(road: Road) -> None:
    assert road.norm
    second = road.draft_norm(valid_from=road.at.date())
    with pytest.raises(norms.NormInUse):
        norms.approve_norm_cost(norm=second, actor=road.actor("oksana"), at=road.at)
    assert NormCost.objects.get(pk=road.norm.pk).valid_to is None


def test_draft_that_its_predecessor_outlives_is_refused(road: Road) -> None:
    assert road.norm
    short = norms.draft_norm_cost(
        organisation=road.organisation,
        service=road.service,
        facts=NORM_FACTS,
        valid_from=date(2025, 6, 1),
        valid_to=date(2025, 7, 1),
        act="рішення 4",
        actor=road.actor("bohdan"),
        at=road.at,
    )
    assert norm_ended_by(short) is None
    with pytest.raises(norms.NormOverlap):
        norms.approve_norm_cost(norm=short, actor=road.actor("oksana"), at=road.at)
    assert NormCost.objects.get(pk=road.norm.pk).valid_to is None


def test_two_norms_never_begin_on_one_day(road: Road) -> None:
    assert road.norm
    first, second = (road.draft_norm(valid_from=date(2025, 6, 1)) for _number in range(2))
    norms.approve_norm_cost(norm=first, actor=road.actor("oksana"), at=road.at)
    with pytest.raises(norms.NormOverlap):
        norms.approve_norm_cost(norm=second, actor=road.actor("oksana"), at=road.at)


def test_norm_of_another_key_is_left_alone(road: Road) -> None:
    assert road.norm
    other = road.draft_norm(valid_from=date(2025, 6, 1))
    NormCost.objects.filter(pk=other.pk).update(recipient_class="severe")
    other.refresh_from_db()
    norms.approve_norm_cost(norm=other, actor=road.actor("oksana"), at=road.at)
    assert NormCost.objects.get(pk=road.norm.pk).valid_to is None


def test_norm_in_force_is_not_withdrawn(road: Road) -> None:
    with pytest.raises(norms.NormInUse):
        norms.withdraw_norm_cost(norm=road.norm, reason="помилка", actor=road.actor("oksana"), at=road.at)


def test_norm_of_a_later_day_is_withdrawn_and_never_approved_again(road: Road) -> None:
    draft = road.draft_norm(valid_from=(PUBLISHED + timedelta(days=1)).date())
    norms.withdraw_norm_cost(norm=draft, reason="помилка", actor=road.actor("bohdan"), at=road.at)
    with pytest.raises(InvalidMove):
        norms.approve_norm_cost(norm=draft, actor=road.actor("oksana"), at=road.at)


def test_past_is_not_cut_off(road: Road) -> None:
    with pytest.raises(norms.NormInUse):
        norms.end_norm_cost(
            norm=road.norm, valid_to=date(2025, 2, 1), basis="x", actor=road.actor("oksana"), at=road.at
        )


def test_an_end_comes_earlier_and_never_later(road: Road) -> None:
    assert road.norm
    second = road.draft_norm(valid_from=date(2025, 6, 1))
    norms.approve_norm_cost(norm=second, actor=road.actor("oksana"), at=road.at)
    first = NormCost.objects.get(pk=road.norm.pk)
    ending = {"basis": "x", "actor": road.actor("oksana"), "at": road.at}
    with pytest.raises(norms.NormEndsEarlier) as raised:
        norms.end_norm_cost(norm=first, valid_to=date(2025, 7, 1), **ending)
    assert raised.value.params == {"last_day": date(2025, 5, 31)}
    assert NormCost.objects.get(pk=road.norm.pk).valid_to == date(2025, 6, 1)
    assert norms.end_norm_cost(norm=first, valid_to=date(2025, 5, 1), **ending).valid_to == date(2025, 5, 1)


def test_the_day_is_that_of_the_municipality(road: Road) -> None:
    """At eleven in the evening of Greenwich it is the next day in Kyiv already."""
    late = datetime.combine(road.at.date(), time(23), UTC)
    ending = {"valid_to": late.date() + timedelta(days=1), "basis": "x", "actor": road.actor("oksana"), "at": late}
    with pytest.raises(norms.NormInUse):
        norms.end_norm_cost(norm=road.norm, **ending)
    road.organisation.zone = "UTC"
    road.organisation.save()
    assert norms.end_norm_cost(norm=NormCost.objects.get(pk=road.norm.pk), **ending).valid_to == ending["valid_to"]


def test_incomplete_components_are_refused(road: Road) -> None:
    with pytest.raises(norms.NormIncomplete):
        road.draft_norm(facts=replace(NORM_FACTS, staff=()))


def test_missing_law_is_refused(road: Road) -> None:
    with pytest.raises(ParameterMissing):
        road.draft_norm(valid_from=date(1999, 1, 1))
