"""The yearly plan of needs."""

from __future__ import annotations

from decimal import Decimal

import pytest

from procurement.actions import planning
from procurement.models import ProcurementPlan
from tests.road import Road

pytestmark = pytest.mark.django_db


def create(road: Road) -> ProcurementPlan:
    assert road.law
    return planning.create_plan(
        organisation=road.organisation,
        year=2025,
        population_urban=20000,
        population_rural=6000,
        rationale="потреби",
        actor=road.actor("bohdan"),
        at=road.at,
    )


def add(road: Road, plan: ProcurementPlan, value: str = "1000000.00") -> object:
    return planning.add_plan_item(
        plan=plan,
        title="Догляд вдома",
        way="social_order",
        budget_line=road.line,
        value=Decimal(value),
        service=road.service,
        recipients_planned=120,
        units_planned=Decimal(11000),
        actor=road.actor("bohdan"),
        at=road.at,
    )


def approve(road: Road, plan: ProcurementPlan) -> ProcurementPlan:
    return planning.approve_plan(plan=plan, actor=road.actor("bohdan"), at=road.at)


def test_plan_shows_the_staff_that_the_norms_ask_for(road: Road) -> None:
    plan = create(road)
    assert (plan.staffing["specialists"], plan.staffing["managers"]) == (11, 3)
    assert plan.staffing["steps"][0]["parameter"] == "staff.specialist"


def test_one_plan_a_year(road: Road) -> None:
    create(road)
    with pytest.raises(planning.PlanExists):
        create(road)


def test_plan_is_approved_and_then_fixed(road: Road) -> None:
    plan = create(road)
    add(road, plan)
    assert approve(road, plan).approved_by == road.cast["bohdan"]
    with pytest.raises(planning.PlanApproved):
        add(road, plan)


def test_empty_plan_is_not_approved(road: Road) -> None:
    with pytest.raises(planning.PlanEmpty):
        approve(road, create(road))


def test_plan_above_its_budget_line_is_not_approved(road: Road) -> None:
    plan = create(road)
    add(road, plan, "3000000.00")
    add(road, plan, "2000000.01")
    with pytest.raises(planning.PlanOverBudget):
        approve(road, plan)
