"""What a certificate entitles to: its validity, its units, and what the budget must set aside for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from config.explanations import Step
from config.money import round_half_up, to_minor
from config.periods import Period, add_months, month_of

FORMULA_ID = "CRT-RESERVE/1"
ZERO = Decimal("0.00")


@dataclass(frozen=True)
class EntitledService:
    """A service of the plan. ``unit_rate``: the most a unit may cost the budget, its norm cost or contract price.

    ``units_granted``: fewer units than the plan gives over the validity, when the case worker grants fewer.
    """

    code: str
    units_per_month: Decimal
    unit_rate: Decimal
    free_for_all: bool = False
    units_granted: Decimal | None = None

    def units_over(self, months: int) -> Decimal:
        """Units on the certificate: the plan's over the months, or fewer when fewer are granted."""
        planned = self.units_per_month * months
        return planned if self.units_granted is None else min(self.units_granted, planned)

    def budget_over(self, months: int, budget_monthly: Decimal) -> Decimal:
        """Expected budget part over the months; never more than the granted units may cost in all."""
        planned = budget_monthly * months
        if self.units_granted is None:
            return planned
        return min(planned, round_half_up(self.units_over(months) * self.unit_rate))


@dataclass(frozen=True)
class FeeTerms:
    """How the recipient pays: mode F, D or C, with the monthly limit of mode D."""

    mode: str
    monthly_limit: Decimal | None = None


@dataclass(frozen=True)
class ReservedLine:
    """Units of a service over the whole validity, and the budget part expected for them."""

    code: str
    units: Decimal
    budget: Decimal


@dataclass(frozen=True)
class ReservationOutcome:
    """What to reserve, line by line; ``total`` is the sum of the lines."""

    months: int
    lines: tuple[ReservedLine, ...]
    total: Decimal
    steps: tuple[Step, ...]
    formula_id: str = FORMULA_ID


def certificate_validity(*, first_day: date, months_max: int, plan_end: date | None, budget_year: int) -> Period | None:
    """Days on which a certificate may be used, or None when nothing is left.

    Formula: from ``first_day`` to the earliest of its month count, the end of the plan and the end of the budget
    year. Ends are exclusive. Source: CRT-03.
    Example: 10.11.2025, 12 months, open plan, budget of 2025 -> 10.11.2025 to 31.12.2025.
    """
    ends = [add_months(first_day, months_max), date(budget_year + 1, 1, 1)]
    if plan_end is not None:
        ends.append(plan_end)
    end = min(ends)
    return Period(first_day, end) if end > first_day else None


def months_touched(period: Period) -> Iterator[date]:
    """First days of the calendar months that have a day in a period with an end."""
    assert period.end is not None
    month = month_of(period.start)
    while month < period.end:
        yield month
        month = add_months(month, 1)


def expected_reservation(*, period: Period, services: Sequence[EntitledService], fee: FeeTerms) -> ReservationOutcome:
    """Units and expected budget part of a certificate.

    Formula: each calendar month with a day in the period gives the whole monthly volume (the month's ceiling is
    judged again when a visit is redeemed); cost of a service a month = round(units x rate, 2); expected fee:
    F 0, D min(limit, cost of services that are not free for all), C that cost; budget = cost - fee. Fewer granted
    units reserve at most what they may cost.
    Money: 0.01, half up; a month's fee is taken from its services in their order. Source: CRT-02, PAY-UA-4..6.
    Example: 20 h x 85.00, D with limit 1278.00, one month -> 422.00.
    """
    months = sum(1 for _month in months_touched(period))
    costs = [round_half_up(service.units_per_month * service.unit_rate) for service in services]
    budgets = _after_fee(services, costs, fee)
    lines = tuple(
        ReservedLine(service.code, service.units_over(months), service.budget_over(months, budget))
        for service, budget in zip(services, budgets, strict=True)
    )
    total = sum((line.budget for line in lines), ZERO)
    return ReservationOutcome(months, lines, total, _steps(services, costs, budgets, months, total))


def _after_fee(services: Sequence[EntitledService], costs: Sequence[Decimal], fee: FeeTerms) -> list[Decimal]:
    charged = sum((c for s, c in zip(services, costs, strict=True) if not s.free_for_all), ZERO)
    left = {"F": ZERO, "C": charged, "D": min(fee.monthly_limit or ZERO, charged)}[fee.mode]
    budgets = []
    for service, cost in zip(services, costs, strict=True):
        taken = ZERO if service.free_for_all else min(left, cost)
        left -= taken
        budgets.append(cost - taken)
    return budgets


def _steps(
    services: Sequence[EntitledService],
    costs: Sequence[Decimal],
    budgets: Sequence[Decimal],
    months: int,
    total: Decimal,
) -> tuple[Step, ...]:
    rows = [
        Step(
            "month_cost",
            "Cost of the planned service in a month",
            str(cost),
            "money",
            f"{service.code}: {service.units_per_month} x {service.unit_rate}",
        )
        for service, cost in zip(services, costs, strict=True)
    ]
    rows += [
        Step(
            "granted_cost",
            "Cost of the granted units at most",
            str(round_half_up(service.units_over(months) * service.unit_rate)),
            "money",
            f"{service.code}: {service.units_over(months)} x {service.unit_rate}",
        )
        for service in services
        if service.units_granted is not None
    ]
    fee = sum(costs, ZERO) - sum(budgets, ZERO)
    planned = sum(budgets, ZERO) * months
    return (
        *rows,
        Step("month_fee", "Expected fee of the recipient in a month", str(fee), "money"),
        Step("months", "Months of validity", str(months)),
        Step(
            "reservation",
            "Reserved from the budget",
            str(total),
            "money",
            f"({sum(costs, ZERO)} - {fee}) x {months}" + ("" if planned == total else f" = {planned} > {total}"),
        ),
    )


def kept_for_used_units(*, expected_minor: int, issued_milli: int, used_milli: int) -> int:
    """Minor units of a line's reservation that must stay for units already used, whose claims may still come.

    Rounded up, so that a claim never lacks a kopiyka; never more than was expected. Source: CRT-03, CRT-16.
    Example: 1000.00 expected for 60 h, 20 h used -> 333.34 stays.
    """
    used = min(max(used_milli, 0), issued_milli)
    return -(-expected_minor * used // issued_milli)


def budget_minor(line: ReservedLine) -> int:
    """A line's expected budget part in minor units."""
    return to_minor(line.budget)
