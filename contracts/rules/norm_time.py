"""Norm cost by working time in Russia (formula NORM-TIME)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import prod

from config.explanations import Step
from config.money import RATE_PLACES, round_half_up

FORMULA_ID = "NORM-TIME/1"
MONTHS_A_YEAR = 12
MINUTES_AN_HOUR = 60


@dataclass(frozen=True)
class MinuteRateFacts:
    """``pay_month`` with allowances; ``hours_year`` of one worker; ``contact_share`` without travel and
    paperwork.
    """

    pay_month: Decimal
    charges_percent: Decimal
    hours_year: Decimal
    contact_share: Decimal


@dataclass(frozen=True)
class NormTimeFacts:
    """One service: ``indirect_coefficient`` is a share (0.35), coefficients multiply, materials are per
    service.
    """

    minute_rate: Decimal
    minutes: Decimal
    indirect_coefficient: Decimal
    materials: Decimal
    coefficients: tuple[Decimal, ...] = ()


@dataclass(frozen=True)
class NormTimeOutcome:
    """``unit_cost`` of one service, 0.01."""

    unit_cost: Decimal
    steps: tuple[Step, ...]
    formula_id: str = FORMULA_ID


def minute_rate(facts: MinuteRateFacts) -> Decimal:
    """Cost of one contact minute, 4 places half up (2 places would miss official kopecks).

    Formula: pay x 12 x (1 + charges) / (hours x 60 x share). Source: NRM-RU-7.
    Example: 45000, 30.2 %, 1972 h, 0.80 -> 7.4277.
    """
    yearly = facts.pay_month * MONTHS_A_YEAR * (1 + facts.charges_percent / 100)
    return round_half_up(yearly / (facts.hours_year * MINUTES_AN_HOUR * facts.contact_share), RATE_PLACES)


def indirect_coefficient(*, indirect_costs: Decimal, main_pay: Decimal) -> Decimal:
    """Indirect costs of the year over the pay of main staff with charges, unrounded. Source: NRM-RU-6."""
    return indirect_costs / main_pay


def norm_by_time(facts: NormTimeFacts) -> NormTimeOutcome:
    """Norm of one service: (rate x minutes x (1 + indirect) + materials) x coefficients, 0.01 half up.

    Source: NRM-RU-4, NRM-RU-5. Example: 7.4277, 40 min, 0.35, 2.10, 1.15 -> 463.68.
    """
    labour = facts.minute_rate * facts.minutes * (1 + facts.indirect_coefficient)
    cost = round_half_up((labour + facts.materials) * prod(facts.coefficients, start=Decimal(1)))
    formula = (
        f"({facts.minute_rate} x {facts.minutes} x (1 + {facts.indirect_coefficient}) + {facts.materials})"
    )
    formula += "".join(f" x {value}" for value in facts.coefficients)
    steps = (
        Step("minute_rate", "Cost of one minute", str(facts.minute_rate), "RUB"),
        Step("unit_cost", "Norm cost of a unit", str(cost), "RUB", formula),
    )
    return NormTimeOutcome(cost, steps)


def norm_month(rows: Sequence[tuple[Decimal, Decimal]]) -> Decimal:
    """Norm of a month: sum of norm x frequency, each product rounded to 0.01 like a line."""
    return sum((round_half_up(cost * frequency) for cost, frequency in rows), Decimal("0.00"))
