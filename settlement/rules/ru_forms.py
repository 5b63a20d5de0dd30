"""Arithmetic of Russian settlement forms (rulebook 5.4)."""

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
    """A row of the compensation form; columns 3 to 10, money 0.01. ``fee_due`` is shown beside the received
    one.
    """

    tariff: Decimal
    volume_programme: Decimal
    value_programme: Decimal
    volume_actual: Decimal
    value_actual: Decimal
    fee_received: Decimal
    fee_due: Decimal
    computed: Decimal
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
    Source: 442-FZ art. 30(8); section 11, policy 13.
    """
    fee = max(fee_received, fee_due)
    actual = round_half_up(tariff * volume_actual)
    computed = max(actual - fee, ZERO)
    payable = max(round_half_up(tariff * min(volume_programme, volume_actual)) - fee, ZERO)
    to_pay = payable if limit is None else min(payable, limit)
    programme = round_half_up(tariff * volume_programme)
    return CompensationRow(
        tariff, volume_programme, programme, volume_actual, actual, fee_received, fee_due, computed, to_pay
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


def advance_true_up(*, paid: Decimal, tariff: Decimal, actual_volume: Decimal, fee: Decimal) -> Decimal:
    """What is still due (positive) or to be returned (negative) once the actual volume is known."""
    return advance_row(tariff=tariff, planned_volume=actual_volume, planned_fee=fee).subsidy - paid


@dataclass(frozen=True)
class OrderRow:
    """Social-order report: corrected tariff (5), value (7), payable (9)."""

    tariff_corrected: Decimal
    value: Decimal
    payable: Decimal


def order_row(*, tariff: Decimal, coefficient: Decimal, volume: Decimal, fee: Decimal) -> OrderRow:
    """Report of a social order: the corrected tariff is rounded first, then multiplied; never below zero.

    Source: Adygea 131/1 of 16.05.2023; section 11, policy 5.
    """
    corrected = round_half_up(tariff * coefficient)
    value = round_half_up(corrected * volume)
    return OrderRow(corrected, value, max(value - fee, ZERO))


def time_proportional(
    *,
    cost: Decimal,
    norm_minutes: Decimal,
    actual_minutes: Decimal,
    fee: Decimal,
    year_ceiling_left: Decimal | None = None,
) -> Decimal:
    """cost / norm duration x actual duration - fee, not above what is left of the yearly ceiling, never below
    zero.

    Multiplied before it is divided, so that it is rounded once. Source: section 11, policy 12.
    Example: 1000.00 / 60 x 45 - 200.00 = 550.00.
    """
    amount = max(round_half_up(cost * actual_minutes / norm_minutes) - fee, ZERO)
    return amount if year_ceiling_left is None else min(amount, year_ceiling_left)
