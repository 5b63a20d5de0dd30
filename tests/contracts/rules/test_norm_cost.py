"""Norm cost by the Ukrainian formula: the worked example of rulebook 2.2 and the norm of the demo
municipality.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from config.money import round_half_up
from contracts.rules.norm_cost import (
    AdministrativeCosts,
    CostItem,
    NormCostFacts,
    NormCostParameters,
    StaffPay,
    compute_norm_cost,
    index_norm,
)
from tests.golden_rows import golden, number

FACTS = NormCostFacts(
    staff=(StaffPay("social worker", Decimal("9600.00")),),
    hours_month=Decimal(167),
    utilisation=Decimal("0.80"),
    purchases=(CostItem("consumables", Decimal("3.50")),),
    other_direct=(CostItem("transport", Decimal("4.20")),),
    administrative=AdministrativeCosts(Decimal(42000), Decimal(230400)),
)
PARAMETERS = NormCostParameters(Decimal(22), Decimal(15), "DIRECT_PAY", Decimal(20))


def facts_of(row: dict[str, str]) -> NormCostFacts:
    staff = [StaffPay("social worker", Decimal(row["pay"]), Decimal(row["positions"]))]
    auxiliary = number(row["auxiliary_pay"])
    if auxiliary is not None:
        staff.append(StaffPay("driver", auxiliary, auxiliary=True))
    return NormCostFacts(
        tuple(staff),
        Decimal(row["hours"]),
        Decimal(row["utilisation"]),
        (CostItem("consumables", Decimal(row["purchases"])),),
        (CostItem("transport", Decimal(row["other"])),),
        AdministrativeCosts(Decimal(row["admin_month"]), Decimal(row["pay_base_month"])),
        vat_exempt=row["vat_exempt"] == "yes",
    )


@pytest.mark.parametrize("row", golden("norm_cost_ua"))
def test_worked_example(row: dict[str, str]) -> None:
    parameters = NormCostParameters(
        Decimal(row["contribution"]), Decimal(row["cap_percent"]), row["cap_base"], Decimal(20)
    )
    outcome = compute_norm_cost(facts=facts_of(row), parameters=parameters)
    assert str(round_half_up(outcome.labour, 4)) == row["labour"]
    assert str(round_half_up(outcome.direct_cost, 4)) == row["direct_cost"]
    assert str(round_half_up(outcome.admin, 4)) == row["admin"]
    assert outcome.unit_cost == Decimal(row["unit_cost"])
    assert outcome.unit_cost_with_vat == Decimal(row["with_vat"])


def test_explanation_holds_every_component() -> None:
    outcome = compute_norm_cost(facts=FACTS, parameters=PARAMETERS)
    shown = {step.code: step.value for step in outcome.steps}
    assert shown["labour"] == "87.664671"
    assert shown["admin_raw"] == "13.098802"
    assert shown["admin_cap"] == shown["admin"] == "10.778443"
    assert shown["unit_cost"] == "106.14"


def test_a_day_costs_its_hours() -> None:
    # 4 hours of a day out of 168 are one of 42 days: the same pay as 42 units a month.
    day = compute_norm_cost(
        facts=replace(FACTS, hours_month=Decimal(168), hours_per_unit=Decimal(4)), parameters=PARAMETERS
    )
    assert (
        day.direct_pay
        == compute_norm_cost(facts=replace(FACTS, hours_month=Decimal(42)), parameters=PARAMETERS).direct_pay
    )
    assert {step.code: step.value for step in day.steps}["hours_per_unit"] == "4"
    assert "hours_per_unit" not in {step.code for step in compute_norm_cost(facts=FACTS, parameters=PARAMETERS).steps}
    with pytest.raises(ValueError, match="time"):
        compute_norm_cost(facts=replace(FACTS, hours_per_unit=Decimal(0)), parameters=PARAMETERS)


def test_indexed_norm_and_month() -> None:
    unit_cost = compute_norm_cost(facts=FACTS, parameters=PARAMETERS).unit_cost
    assert index_norm(unit_cost=unit_cost, factors=[Decimal("1.08")]) == Decimal("114.63")
    assert round_half_up(unit_cost * Decimal("19.5")) == Decimal("2069.73")


def test_unknown_cap_base_and_no_main_staff_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown base"):
        compute_norm_cost(facts=FACTS, parameters=replace(PARAMETERS, admin_cap_base="TURNOVER"))
    with pytest.raises(ValueError, match="main staff"):
        compute_norm_cost(
            facts=replace(FACTS, staff=(StaffPay("driver", Decimal(8000), auxiliary=True),)),
            parameters=PARAMETERS,
        )
