"""Prices: golden rows and published tariff tables."""

from __future__ import annotations

from decimal import Decimal

import pytest

from contracts.rules import tariffs
from contracts.rules.tariffs import TariffRounding
from tests.golden_rows import case_file, checked, golden


@pytest.mark.parametrize("row", golden("tariff_time"))
def test_price_by_time(row: dict[str, str]) -> None:
    rounding = TariffRounding(Decimal(row["step"]), row["mode"])
    minutes = Decimal(row["minutes"])
    if row["hour_rate"]:
        price = tariffs.price_by_time(hour_rate=Decimal(row["hour_rate"]), minutes=minutes, rounding=rounding)
    else:
        rate = Decimal(row["minute_rate"])
        price = tariffs.price_by_minute_rate(minute_rate=rate, minutes=minutes, rounding=rounding)
    assert price == Decimal(row["price"])


@pytest.mark.parametrize(
    ("name", "minutes", "rows"),
    [
        ("ua-vinnytsia-2025-home-tariffs", "minutes_derived", 12),
        ("by-ushachi-time-tariffs", "norm_person_minutes", 10),
    ],
)
def test_published_time_tariffs(name: str, minutes: str, rows: int) -> None:
    case = case_file(name)
    rate = Decimal(case["inputs"]["hour_rate"])
    for item in checked(case["items"]):
        price = tariffs.price_by_time(hour_rate=rate, minutes=Decimal(str(item[minutes])))
        assert price == Decimal(item["published"]), item["service"]
    assert len(case["items"]) == rows


def test_published_city_and_rural_prices() -> None:
    case = case_file("ru-primorye-2019-city-rural-a")
    rate, coefficient = (
        Decimal(case["inputs"]["hour_rate_fits"]),
        Decimal(case["inputs"]["rural_coefficient"]),
    )
    differing = []
    for item in checked(case["items"]):
        city = Decimal(item["city"])
        assert tariffs.price_with_coefficient(price=city, coefficient=coefficient) == Decimal(item["rural"])
        # Row 22 has no derived minutes: it is half an hour at another hour rate.
        computed = tariffs.price_by_time(hour_rate=rate, minutes=Decimal(item["minutes_derived"] or 30))
        if city != computed:
            differing.append(item["id"])
    assert differing == [22]


def test_price_formula_of_tver() -> None:
    item = checked(case_file("ru-tver-price-formula")["items"])[0]
    price = tariffs.price_by_cost_plus(
        hours=Decimal(item["T_hours"]),
        hour_pay=Decimal(item["Z"]),
        charges_percent=Decimal(item["K_charges"]),
        overhead_percent=Decimal(item["K_overhead"]),
        profit_percent=Decimal(item["R"]),
    )
    assert price == Decimal(item["expected"])


def test_published_day_and_month_values() -> None:
    for item in checked(case_file("ru-tuim-pni-day-month")["items"]):
        assert tariffs.month_from_day(day_value=Decimal(item["day"]), days=30) == Decimal(item["month"])


def test_residential_months_of_published_values() -> None:
    """Full months settle by the month value; the day value never brings more than it."""
    for item in checked(case_file("ua-residential-month-values")["items"]):
        month = Decimal(item["month"])
        day = tariffs.day_from_month(month_value=month, year=item["year"])
        for present in range(31):
            amount = tariffs.residential_amount(
                days_present=present, days_in_month=30, day_value=day, month_value=month
            )
            assert amount <= month
        assert amount == month


def test_day_from_month_knows_leap_years() -> None:
    assert tariffs.day_from_month(month_value=Decimal("10496"), year=2022) == Decimal("345.07")
    assert tariffs.day_from_month(month_value=Decimal("10496"), year=2024) == Decimal("344.13")


@pytest.mark.parametrize("row", golden("residential"))
def test_residential_amount(row: dict[str, str]) -> None:
    amount = tariffs.residential_amount(
        days_present=int(row["days_present"]),
        days_in_month=int(row["days_in_month"]),
        day_value=Decimal(row["day_value"]),
        month_value=Decimal(row["month_value"]),
    )
    assert amount == Decimal(row["amount"])


def test_more_days_than_the_month_has_are_refused() -> None:
    with pytest.raises(ValueError, match="31 days of 30"):
        tariffs.residential_amount(days_present=31, days_in_month=30, day_value=Decimal(1), month_value=Decimal(30))


def test_published_tax_lines() -> None:
    for item in checked(case_file("ua-vat-lines")["items"]):
        line = tariffs.vat_line(net=Decimal(item["net"]), vat_percent=Decimal(20))
        assert (line.vat, line.gross) == (Decimal(item["vat"]), Decimal(item["gross"]))


def test_published_weekend_prices_are_a_coefficient() -> None:
    for item in checked(case_file("ru-nash-malahit-2023-weekend")["items"]):
        weekday, weekend = Decimal(item["weekday"]), Decimal(item["weekend"])
        assert tariffs.price_with_coefficient(price=weekday, coefficient=Decimal(2)) == weekend
