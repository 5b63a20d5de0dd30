"""Prices of units: by time, by coefficient, by formula, by day and month, with VAT (TAR-1 to TAR-12).

The rounding step and mode belong to the tariff decision and come in as values. Approved prices are data:
these functions propose a price or check a published one, they never replace it.
"""

from __future__ import annotations

from calendar import isleap
from dataclasses import dataclass
from decimal import Decimal

from config.money import round_half_up, round_to_step

MINUTES_AN_HOUR = 60
MONTHS_A_YEAR = 12


@dataclass(frozen=True)
class TariffRounding:
    """Declared with the tariff set: ``step`` 0.01, 0.05, 0.10 or 1.00; ``mode`` of
    ``config.money.ROUNDING_MODES``.
    """

    step: Decimal = Decimal("0.01")
    mode: str = "half_up"

    def apply(self, value: Decimal) -> Decimal:
        """The price that the declared rounding gives."""
        return round_to_step(value, self.step, self.mode)


KOPECK = TariffRounding()


def price_by_time(*, hour_rate: Decimal, minutes: Decimal, rounding: TariffRounding = KOPECK) -> Decimal:
    """Price of a service of so many minutes, rounded once. Formula id: TARIFF-TIME/1.

    The hour rate must be the unrounded one: 287.09 x 30 / 60 gives 143.55 where 287.089 gives the published
    143.54.
    Source: TAR-1. Example: 107.97 x 84 / 60 -> 151.16.
    """
    return rounding.apply(hour_rate * minutes / MINUTES_AN_HOUR)


def price_by_minute_rate(*, minute_rate: Decimal, minutes: Decimal, rounding: TariffRounding = KOPECK) -> Decimal:
    """Price from a four-place minute rate. Source: NRM-RU-7. Example: 3.3098 x 40 -> 132.39."""
    return rounding.apply(minute_rate * minutes)


def price_with_coefficient(*, price: Decimal, coefficient: Decimal, rounding: TariffRounding = KOPECK) -> Decimal:
    """Price for rural, mountain or night service: rounded before any volume is applied.

    Formula id: TARIFF-COEFFICIENT/1. Source: TAR-5. Example: 215.32 x 1.1 -> 236.85.
    """
    return rounding.apply(price * coefficient)


def price_by_cost_plus(
    *,
    hours: Decimal,
    hour_pay: Decimal,
    charges_percent: Decimal,
    overhead_percent: Decimal,
    profit_percent: Decimal,
    rounding: TariffRounding = KOPECK,
) -> Decimal:
    """Price = T x Z x (1 + (charges + overhead) / 100) x (1 + profit / 100). Formula id: TARIFF-TVER-395/1.

    Charges and overhead are added before they multiply the pay. Example: 0.5, 95.00, 30.2, 45, 10 -> 91.54.
    """
    pay = hours * hour_pay * (1 + (charges_percent + overhead_percent) / 100)
    return rounding.apply(pay * (1 + profit_percent / 100))


def day_from_month(*, month_value: Decimal, year: int) -> Decimal:
    """Day value of a residential service: month x 12 / days of the year, half up to 0.01.

    Source: TAR-4. Example: 10496 in 2022 -> 345.07.
    """
    return round_half_up(month_value * MONTHS_A_YEAR / (366 if isleap(year) else 365))


def month_from_day(*, day_value: Decimal, days: int) -> Decimal:
    """Month value where the decision itself defines it as a number of days. Example: 356.96 x 30 -> 10708.80."""
    return round_half_up(day_value * days)


def residential_amount(*, days_present: int, days_in_month: int, day_value: Decimal, month_value: Decimal) -> Decimal:
    """Amount of a month of residential care: full months by the month value, parts by the day value, capped.

    The month ceiling is never derived from the rounded day value. Source: TAR-4; NRM-UA-9.
    Example: 30.5 x 530.66 is 16185.13, the ceiling is 16185.16. Raises: ValueError for more days than the
    month has.
    """
    if not 0 <= days_present <= days_in_month:
        raise ValueError(f"{days_present} days of {days_in_month}")
    if days_present == days_in_month:
        return month_value
    return min(round_half_up(day_value * days_present), month_value)


@dataclass(frozen=True)
class VatLine:
    """One line with its tax, each rounded to 0.01."""

    net: Decimal
    vat: Decimal
    gross: Decimal


def vat_line(*, net: Decimal, vat_percent: Decimal) -> VatLine:
    """Tax of one line, half up to 0.01; totals are sums of lines. Example: 825.61 at 20 % -> 165.12, 990.73."""
    vat = round_half_up(net * vat_percent / 100)
    return VatLine(net, vat, net + vat)
