"""Arithmetic of Russian settlement forms (SET-RU-1 to SET-RU-4)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from config.money import round_half_up

COMPENSATION_FORMULA_ID = "RU-442-30-8/1"
ADVANCE_FORMULA_ID = "RU-SAMARA-463/1"
ORDER_FORMULA_ID = "RU-ADYGEA-131-1/1"
TIME_FORMULA_ID = "RU-MO-TIME/1"
ZERO = Decimal("0.00")


@dataclass(frozen=True)
class CompensationRow:
    """A row of the compensation form; columns 3 to 10, money 0.01. ``fee_due`` is shown beside the received one.

    ``fee`` is the higher of the two, ``within_programme`` what column 10 is before the limit of funds.
    """

    tariff: Decimal
    volume_programme: Decimal
    value_programme: Decimal
    volume_actual: Decimal
    value_actual: Decimal
    fee_received: Decimal
    fee_due: Decimal
    fee: Decimal
    computed: Decimal
    within_programme: Decimal
    to_pay: Decimal


def compensation_row(
    *,
    tariff: Decimal,
    volume_programme: Decimal,
    volume_actual: Decimal,
    fee_received: Decimal,
    fee_due: Decimal,
    limit: Decimal | None = None,
) -> CompensationRow:
    """Compensation to a provider outside the state task: 7 = 3 x 6, 9 = 7 - fee, 10 within programme and
    limit.

    The fee *due* is deducted where it is higher than the received one (SET-RU-1), otherwise the budget would
    pay for uncollected fees. Column 10 counts the volume within the individual programme only. Never below
    zero.
    Source: 442-FZ art. 30(8); TAR-13.
    """
    fee = max(fee_received, fee_due)
    actual = round_half_up(tariff * volume_actual)
    computed = max(actual - fee, ZERO)
    payable = max(round_half_up(tariff * min(volume_programme, volume_actual)) - fee, ZERO)
    to_pay = payable if limit is None else min(payable, limit)
    programme = round_half_up(tariff * volume_programme)
    return CompensationRow(
        tariff=tariff,
        volume_programme=volume_programme,
        value_programme=programme,
        volume_actual=volume_actual,
        value_actual=actual,
        fee_received=fee_received,
        fee_due=fee_due,
        fee=fee,
        computed=computed,
        within_programme=payable,
        to_pay=to_pay,
    )


@dataclass(frozen=True)
class AdvanceRow:
    """Planned subsidy: column 5 cost, column 7 subsidy."""

    cost: Decimal
    subsidy: Decimal


def advance_row(*, tariff: Decimal, planned_volume: Decimal, planned_fee: Decimal) -> AdvanceRow:
    """Advance subsidy: 5 = tariff x planned volume, 7 = 5 - 6, never below zero. Source: Samara 463 of
    18.07.2017.

    Example: 143.54 x 12 = 1722.48, minus 500.00 -> 1222.48.
    """
    cost = round_half_up(tariff * planned_volume)
    return AdvanceRow(cost, max(cost - planned_fee, ZERO))


@dataclass(frozen=True)
class TrueUpRow:
    """Subsidy of the actual volume, and what is still due (positive) or to be returned (negative)."""

    cost: Decimal
    subsidy: Decimal
    due: Decimal


def true_up_row(*, paid: Decimal, tariff: Decimal, actual_volume: Decimal, fee: Decimal) -> TrueUpRow:
    """An advance once the actual volume is known. Source: Samara 463 of 18.07.2017."""
    actual = advance_row(tariff=tariff, planned_volume=actual_volume, planned_fee=fee)
    return TrueUpRow(actual.cost, actual.subsidy, actual.subsidy - paid)


@dataclass(frozen=True)
class OrderRow:
    """Social-order report: corrected tariff (5), value (7), payable (9)."""

    tariff_corrected: Decimal
    value: Decimal
    payable: Decimal


def order_row(*, tariff: Decimal, coefficient: Decimal, volume: Decimal, fee: Decimal) -> OrderRow:
    """Report of a social order: the corrected tariff is rounded first, then multiplied; never below zero.

    Source: Adygea 131/1 of 16.05.2023; TAR-5.
    """
    corrected = round_half_up(tariff * coefficient)
    value = round_half_up(corrected * volume)
    return OrderRow(corrected, value, max(value - fee, ZERO))


@dataclass(frozen=True)
class TimeRow:
    """A service by its time: its value, what is left after the fee, and what the yearly ceiling leaves of that."""

    value: Decimal
    after_fee: Decimal
    payable: Decimal


def time_row(
    *,
    cost: Decimal,
    norm_minutes: Decimal,
    actual_minutes: Decimal,
    fee: Decimal,
    year_ceiling_left: Decimal | None = None,
) -> TimeRow:
    """cost / norm duration x actual duration - fee, not above what is left of the yearly ceiling, never below zero.

    Multiplied before it is divided, so that it is rounded once. Source: docs.cntd.ru/603776418; TAR-12.
    Example: 1000.00 / 60 x 45 - 200.00 = 550.00.
    """
    value = round_half_up(cost * actual_minutes / norm_minutes)
    after_fee = max(value - fee, ZERO)
    return TimeRow(value, after_fee, after_fee if year_ceiling_left is None else min(after_fee, year_ceiling_left))
