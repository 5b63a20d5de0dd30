"""Fee of a recipient in Ukraine: worked examples of rulebook 1.1.6, published rows, properties."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.golden_rows import case_file, checked, golden, number
from vouchers.rules.co_payment import (
    CoPaymentFacts,
    CoPaymentParameters,
    FreeCategory,
    PlannedService,
    assess_co_payment,
    payment_mode,
    subsistence_group,
)

MINIMUMS = {
    "2024": {"under_6": "2563", "age_6_18": "3196", "able_bodied": "3028", "lost_ability": "2361"},
    "2025": {"under_6": "2563", "age_6_18": "3196", "able_bodied": "3028", "lost_ability": "2361"},
    "2026": {"under_6": "2817", "age_6_18": "3512", "able_bodied": "3328", "lost_ability": "2595"},
}


def parameters_of(year: str, **changes: object) -> CoPaymentParameters:
    minimums = {group: Decimal(value) for group, value in MINIMUMS[year].items()}
    base = CoPaymentParameters(minimums, Decimal(2), Decimal(4), age_child=6, age_adult=18)
    return replace(base, **changes)  # type: ignore[arg-type]


def categories(cell: str) -> tuple[tuple[FreeCategory, ...], ...]:
    """``code:document`` of each member, members divided by ``|``."""
    return tuple(
        tuple(FreeCategory(*part.split(":", 1)) for part in member.split(";") if part) for member in cell.split("|")
    )


def facts_of(row: dict[str, str]) -> CoPaymentFacts:
    service = PlannedService(
        "home care",
        Decimal(row["tariff"]),
        Decimal(row["units"]),
        Decimal(row["units_above"]),
        free_for_all=row["free_service"] == "yes",
    )
    return CoPaymentFacts(
        age=int(row["age"]),
        lost_ability=row["lost_ability"] == "yes",
        income=number(row["income"]),
        services=(service,),
        member_categories=categories(row["free_categories"]),
        crisis=row["crisis"] == "yes",
    )


@pytest.mark.parametrize("row", golden("fee_ua"))
def test_worked_example(row: dict[str, str]) -> None:
    outcome = assess_co_payment(facts=facts_of(row), parameters=parameters_of(row["date"][:4]))
    found = (outcome.mode, outcome.limit, outcome.fee, outcome.budget)
    assert found == (row["mode"], number(row["limit"]), number(row["fee"]), number(row["budget"]))


@pytest.mark.parametrize("row", golden("fee_methods_ua"))
def test_fee_methods(row: dict[str, str]) -> None:
    table = tuple(tuple(part.split(":")) for part in row["table"].split(";") if part)
    settings = {"percent": row["percent"], "table": table}
    parameters = parameters_of("2025", method=row["method"], method_settings=settings)
    service = PlannedService("home care", Decimal(row["tariff"]), Decimal(row["units"]))
    facts = CoPaymentFacts(70, True, Decimal(row["income"]), (service,))
    outcome = assess_co_payment(facts=facts, parameters=parameters)
    assert (outcome.mode, outcome.fee, outcome.budget) == (
        row["mode"],
        Decimal(row["fee"]),
        Decimal(row["budget"]),
    )


def test_unknown_method_is_a_bug() -> None:
    facts = CoPaymentFacts(70, True, Decimal(6000), (PlannedService("a", Decimal(85), Decimal(20)),))
    with pytest.raises(KeyError):
        assess_co_payment(facts=facts, parameters=parameters_of("2025", method="UNKNOWN"))


@pytest.mark.parametrize(
    ("age", "lost_ability", "group"),
    [
        (5, False, "under_6"),
        (6, False, "age_6_18"),
        (17, True, "age_6_18"),
        (18, False, "able_bodied"),
        (18, True, "lost_ability"),
        (70, True, "lost_ability"),
    ],
)
def test_group_of_subsistence_minimum(age: int, lost_ability: bool, group: str) -> None:
    assert subsistence_group(age=age, lost_ability=lost_ability, age_child=6, age_adult=18) == group


def test_free_service_in_a_mixed_plan_costs_the_recipient_nothing() -> None:
    services = (
        PlannedService("home care", Decimal("85.00"), Decimal(4)),
        PlannedService("counselling", Decimal("200.00"), Decimal(5), free_for_all=True),
    )
    outcome = assess_co_payment(
        facts=CoPaymentFacts(70, True, Decimal(6000), services), parameters=parameters_of("2025")
    )
    assert (outcome.mode, outcome.fee, outcome.budget) == ("D", Decimal("340.00"), Decimal("1000.00"))


def test_undetermined_blocks_and_says_why() -> None:
    facts = CoPaymentFacts(70, True, None, (PlannedService("a", Decimal(85), Decimal(20)),))
    outcome = payment_mode(facts=facts, parameters=parameters_of("2025"))
    assert outcome.blocks_decision
    assert outcome.ground == "INC-UA"


def test_explanation_names_minimum_bounds_ceiling_and_fee() -> None:
    facts = CoPaymentFacts(70, True, Decimal("6000.00"), (PlannedService("a", Decimal(85), Decimal(20)),))
    outcome = assess_co_payment(facts=facts, parameters=parameters_of("2025"))
    shown = {step.code: step.value for step in outcome.steps}
    assert shown["minimum"] == "2361"
    assert shown["free_bound"] == "4722.00"
    assert shown["full_bound"] == "9444.00"
    assert shown["limit"] == shown["fee"] == "1278.00"


def test_published_rows() -> None:
    modes = {"free": "F", "differentiated": "D", "full": "C"}
    for item in checked(case_file("ua-differentiated-fee-basic")["items"]):
        minimums = {item["group"]: Decimal(item["subsistence_minimum"])}
        parameters = replace(parameters_of("2025"), minimums=minimums)
        service = PlannedService("a", Decimal(item["services_cost_by_tariff"]), Decimal(1))
        lost = item["group"] == "lost_ability"
        facts = CoPaymentFacts(40, lost, Decimal(item["monthly_income_per_member"]), (service,))
        outcome = assess_co_payment(facts=facts, parameters=parameters)
        limit = Decimal(item["expected_limit"]) if item["expected_limit"] else None
        expected = (modes[item["expected_category"]], limit, Decimal(item["expected_charge"]))
        assert (outcome.mode, outcome.limit, outcome.fee) == expected


def test_published_minimums_decide_by_date() -> None:
    """Subsistence minimums changed on 1 July and 1 December: the same income changes its band on that day."""
    rows = {row["from"]: row for row in checked(case_file("ua-subsistence-minimum-2019-2026")["items"])}
    income = Decimal(2) * Decimal(rows["2021-07-01"]["lost_ability"])
    modes = []
    for day in ("2021-01-01", "2021-07-01"):
        parameters = replace(parameters_of("2025"), minimums={"lost_ability": Decimal(rows[day]["lost_ability"])})
        modes.append(payment_mode(facts=CoPaymentFacts(70, True, income, ()), parameters=parameters).mode)
    assert modes == ["D", "F"]


money = st.decimals(min_value=0, max_value=50000, places=2)


@given(income=money, tariff=st.decimals(min_value=1, max_value=500, places=4), units=st.integers(0, 100))
def test_fee_and_budget_make_the_cost_and_the_ceiling_holds(income: Decimal, tariff: Decimal, units: int) -> None:
    service = PlannedService("a", tariff, Decimal(units))
    facts = CoPaymentFacts(70, True, income, (service,))
    outcome = assess_co_payment(facts=facts, parameters=parameters_of("2025"))
    assert outcome.fee is not None and outcome.budget is not None
    assert outcome.fee + outcome.budget == outcome.cost
    assert outcome.fee >= 0 and outcome.budget >= 0
    if outcome.mode == "D":
        assert income - outcome.fee >= 2 * 2361


@given(income=money, more=money)
def test_fee_never_falls_when_income_grows(income: Decimal, more: Decimal) -> None:
    service = PlannedService("a", Decimal(85), Decimal(20))
    fees = [
        assess_co_payment(facts=CoPaymentFacts(70, True, amount, (service,)), parameters=parameters_of("2025")).fee
        for amount in (income, income + more)
    ]
    assert fees[0] is not None and fees[1] is not None and fees[0] <= fees[1]


def test_golden_file_holds_every_worked_example() -> None:
    cases = {parameter.values[0]["case"].split(" ")[0] for parameter in golden("fee_ua")}
    numbers = {case.rstrip("abc") for case in cases if case.startswith("EX-UA-")}
    assert numbers == {f"EX-UA-{number}" for number in range(1, 14)}


def test_the_mode_names_the_act_of_its_parameters() -> None:
    facts = CoPaymentFacts(70, True, Decimal(6000), ())
    found = payment_mode(facts=facts, parameters=parameters_of("2025", act="Закон 1, ст. 2"))
    assert {step.act for step in found.steps if step.code == "payment_mode"} == {"Закон 1, ст. 2"}
