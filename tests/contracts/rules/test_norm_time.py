"""Norm cost by working time: the example of rulebook 2.1.2."""

from __future__ import annotations

from decimal import Decimal

import pytest

from contracts.rules.norm_time import (
    MinuteRateFacts,
    NormTimeFacts,
    indirect_coefficient,
    minute_rate,
    norm_by_time,
    norm_month,
)
from tests.golden_rows import golden


@pytest.mark.parametrize("row", golden("norm_time_ru"))
def test_worked_example(row: dict[str, str]) -> None:
    columns = ("pay_month", "charges_percent", "hours_year", "contact_share")
    rate = minute_rate(MinuteRateFacts(*(Decimal(row[name]) for name in columns)))
    indirect = indirect_coefficient(indirect_costs=Decimal(row["indirect_costs"]), main_pay=Decimal(row["main_pay"]))
    facts = NormTimeFacts(
        rate, Decimal(row["minutes"]), indirect, Decimal(row["materials"]), (Decimal(row["territory"]),)
    )
    assert rate == Decimal(row["minute_rate"])
    assert norm_by_time(facts).unit_cost == Decimal(row["norm"])


def test_month_is_a_sum_of_rounded_lines() -> None:
    rows = [(Decimal("348.36"), Decimal("1.5")), (Decimal("463.67"), Decimal("0.5"))]
    assert norm_month(rows) == Decimal("754.38")
