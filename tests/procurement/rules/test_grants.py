"""Life of a grant: KPI, tranches, moves, returns, limits of a call."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from config.periods import WorkingCalendar
from procurement.rules import grants
from tests.golden_rows import case_file, checked, golden

PARAMETERS = grants.GrantParameters(Decimal(50), Decimal(80), Decimal(10), 30, 15, 12, 31)


@pytest.mark.parametrize("row", golden("kpi"))
def test_kpi(row: dict[str, str]) -> None:
    found = grants.kpi_achievement(
        baseline=Decimal(row["baseline"]), target=Decimal(row["target"]), actual=Decimal(row["actual"])
    )
    assert (found.raw, found.paid) == (Decimal(row["raw"]), Decimal(row["paid"]))


@pytest.mark.parametrize("row", golden("unit_costs"))
def test_unit_cost(row: dict[str, str]) -> None:
    assert grants.unit_cost(amount=Decimal(row["amount"]), units=Decimal(row["units"])) == Decimal(row["cost"])


def test_first_tranche_rounds_down() -> None:
    assert grants.first_tranche_ceiling(grant=Decimal("100.01"), parameters=PARAMETERS) == Decimal("50.00")


@pytest.mark.parametrize(
    ("used", "accepted", "grounds"),
    [
        ("80.00", True, ()),
        ("79.99", True, ("PREVIOUS_TRANCHE_NOT_USED",)),
        ("100.00", False, ("REPORT_NOT_ACCEPTED",)),
    ],
)
def test_next_tranche(used: str, accepted: bool, grounds: tuple[str, ...]) -> None:
    found = grants.next_tranche_grounds(
        received=Decimal("100.00"), used=Decimal(used), report_accepted=accepted, parameters=PARAMETERS
    )
    assert found == grounds


@pytest.mark.parametrize(("moved", "needs"), [("100.00", False), ("100.01", True)])
def test_moves_between_items(moved: str, needs: bool) -> None:
    found = grants.move_needs_amendment(item_amount=Decimal(1000), moved=Decimal(moved), parameters=PARAMETERS)
    assert found is needs


def test_final_report_and_return_of_unused_funds() -> None:
    assert grants.final_report_due(project_end=date(2018, 4, 30), parameters=PARAMETERS) == date(2018, 5, 30)
    calendar = WorkingCalendar()
    spring = grants.unused_return_due(project_end=date(2025, 5, 30), parameters=PARAMETERS, calendar=calendar)
    december = grants.unused_return_due(project_end=date(2025, 12, 22), parameters=PARAMETERS, calendar=calendar)
    assert (spring, december) == (date(2025, 6, 20), date(2025, 12, 31))


def test_published_limits_of_a_call() -> None:
    rules = case_file("int-undp-japan-grant-limits")["rules"]
    share = Decimal(rules["max_equipment_share"]) * 100
    limits = grants.CallLimits(Decimal(rules["max_budget"]), Decimal(rules["max_with_committee_approval"]), share)
    examples = checked(
        [
            ("50000", "20000", ()),
            ("50000", "20000.01", ("NEEDS_EQUIPMENT_JUSTIFICATION",)),
            ("60000", "0", ("NEEDS_COMMITTEE_APPROVAL",)),
            ("70000.01", "0", ("BUDGET_ABOVE_LIMIT",)),
        ]
    )
    for budget, equipment, expected in examples:
        found = grants.call_limit_findings(budget=Decimal(budget), equipment=Decimal(equipment), limits=limits)
        assert found == expected
