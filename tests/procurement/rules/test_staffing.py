"""Staffing norms of rulebook 6.2 with their cliff."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procurement.rules.staffing import StaffingParameters, managers, specialists
from tests.golden_rows import golden

PARAMETERS = StaffingParameters((1000, 1500, 2500), (5000, 10000), 30000, 3000)


@pytest.mark.parametrize("row", golden("staffing_specialists"))
def test_specialists(row: dict[str, str]) -> None:
    outcome = specialists(residents=int(row["residents"]), parameters=PARAMETERS)
    assert (outcome.raw, outcome.required) == (Decimal(row["raw"]), int(row["required"]))
    assert outcome.cliff is (row["cliff"] == "yes")


@pytest.mark.parametrize("row", golden("staffing_managers"))
def test_managers(row: dict[str, str]) -> None:
    for mode in ("combined", "separate"):
        outcome = managers(urban=int(row["urban"]), rural=int(row["rural"]), parameters=PARAMETERS, mode=mode)
        assert outcome.required == int(row[mode])


@given(st.integers(0, 200000), st.integers(0, 200000))
def test_separate_ceilings_never_give_fewer(urban: int, rural: int) -> None:
    both = managers(urban=urban, rural=rural, parameters=PARAMETERS).required
    separate = managers(urban=urban, rural=rural, parameters=PARAMETERS, mode="separate").required
    assert both <= separate <= both + 1
