"""Russian settlement forms of rulebook 5.4."""

from __future__ import annotations

from decimal import Decimal

import pytest

from settlement.rules import ru_forms
from tests.golden_rows import case_file, checked, golden, number


@pytest.mark.parametrize("row", golden("ru_forms"))
def test_form(row: dict[str, str]) -> None:
    tariff = Decimal(row["tariff"])
    if row["form"] == "advance":
        advance = ru_forms.advance_row(
            tariff=tariff,
            planned_volume=Decimal(row["volume_plan"]),
            planned_fee=Decimal(row["fee_received"]),
        )
        found = (advance.cost, advance.subsidy)
    elif row["form"] == "order":
        order = ru_forms.order_row(
            tariff=tariff,
            coefficient=Decimal(row["coefficient"]),
            volume=Decimal(row["volume_actual"]),
            fee=Decimal(row["fee_received"]),
        )
        found = (order.value, order.payable)
    else:
        compensation = ru_forms.compensation_row(
            tariff=tariff,
            volume_programme=Decimal(row["volume_plan"]),
            volume_actual=Decimal(row["volume_actual"]),
            fee_received=Decimal(row["fee_received"]),
            fee_due=Decimal(row["fee_due"]),
            limit=number(row["limit"]),
        )
        found = (compensation.value_actual, compensation.to_pay)
    assert found == (Decimal(row["value"]), Decimal(row["to_pay"]))


def test_published_advance_rows() -> None:
    for item in checked(case_file("ru-samara-2017-subsidy-statement")["items"]):
        row = ru_forms.advance_row(
            tariff=Decimal(item["tariff"]),
            planned_volume=Decimal(item["planned_volume"]),
            planned_fee=Decimal(item["recipient_payment"]),
        )
        assert (row.cost, row.subsidy) == (Decimal(item["expected_col5"]), Decimal(item["expected_col7"]))


def test_time_proportional_example_and_its_ceiling() -> None:
    visit = {
        "cost": Decimal("1000.00"),
        "norm_minutes": Decimal(60),
        "actual_minutes": Decimal(45),
        "fee": Decimal("200.00"),
    }
    free = ru_forms.time_row(**visit)
    capped = ru_forms.time_row(**visit, year_ceiling_left=Decimal("500.00"))
    assert (free.value, free.payable, capped.payable) == (Decimal("750.00"), Decimal("550.00"), Decimal("500.00"))


def test_advance_is_trued_up_to_the_actual_volume() -> None:
    row = ru_forms.true_up_row(
        paid=Decimal("1222.48"), tariff=Decimal("143.54"), actual_volume=Decimal(10), fee=Decimal("500.00")
    )
    assert (row.cost, row.subsidy, row.due) == (Decimal("1435.40"), Decimal("935.40"), Decimal("-287.08"))


def test_published_prices_by_time() -> None:
    case = case_file("by-ushachi-time-tariffs")
    hour = Decimal(case["inputs"]["hour_rate"])
    for item in checked(case["items"]):
        row = ru_forms.time_row(
            cost=hour,
            norm_minutes=Decimal(60),
            actual_minutes=Decimal(item["norm_person_minutes"]),
            fee=Decimal(0),
        )
        assert row.payable == Decimal(item["published"])


def test_published_rural_prices_are_corrected_tariffs() -> None:
    case = case_file("ru-primorye-2019-city-rural-a")
    for item in checked(case["items"]):
        row = ru_forms.order_row(
            tariff=Decimal(item["city"]),
            coefficient=Decimal(case["inputs"]["rural_coefficient"]),
            volume=Decimal(1),
            fee=Decimal(0),
        )
        assert (row.tariff_corrected, row.payable) == (Decimal(item["rural"]), Decimal(item["rural"]))
