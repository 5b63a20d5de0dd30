"""Life of a grant: KPI, tranches, moves, returns, limits of a call."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from procurement.rules import grants
from tests.golden_rows import case_file, checked, golden


@pytest.mark.parametrize("row", golden("kpi"))
def test_kpi(row: dict[str, str]) -> None:
    found = grants.kpi_achievement(
        baseline=Decimal(row["baseline"]), target=Decimal(row["target"]), actual=Decimal(row["actual"])
    )
    assert (found.raw, found.paid) == (Decimal(row["raw"]), Decimal(row["paid"]))


def test_first_tranche_rounds_down() -> None:
    assert grants.first_tranche_ceiling(grant=Decimal("100.01"), percent=Decimal(50)) == Decimal("50.00")


def test_the_final_report_counts_calendar_days() -> None:
    assert grants.final_report_due(project_end=date(2018, 4, 30), days=30) == date(2018, 5, 30)


@pytest.mark.parametrize("row", golden("unit_costs"))
def test_unit_cost(row: dict[str, str]) -> None:
    assert grants.unit_cost(amount=Decimal(row["amount"]), units=Decimal(row["units"])) == Decimal(row["cost"])


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
