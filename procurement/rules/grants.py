"""Life of a grant after the award: tranches, budget moves, KPI, returns, limits of a call (rulebook 3.6,
8.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from config.money import round_down, round_half_up
from config.periods import WorkingCalendar, add_working_days

FORMULA_ID = "GRANT-LIFE/1"


@dataclass(frozen=True)
class GrantParameters:
    """Conditions of the call, in percent and days."""

    first_tranche_percent: Decimal
    min_use_percent: Decimal
    free_move_percent: Decimal
    final_report_days: int
    return_working_days: int
    return_by_month: int
    return_by_day: int


def first_tranche_ceiling(*, grant: Decimal, parameters: GrantParameters) -> Decimal:
    """Highest first tranche: "not more than" rounds down to 0.01."""
    return round_down(grant * parameters.first_tranche_percent / 100)


def next_tranche_grounds(
    *, received: Decimal, used: Decimal, report_accepted: bool, parameters: GrantParameters
) -> tuple[str, ...]:
    """Why the next tranche may not be paid yet; empty when it may. Shares are compared before rounding."""
    grounds = [] if report_accepted else ["REPORT_NOT_ACCEPTED"]
    if used * 100 < received * parameters.min_use_percent:
        grounds.append("PREVIOUS_TRANCHE_NOT_USED")
    return tuple(grounds)


def move_needs_amendment(*, item_amount: Decimal, moved: Decimal, parameters: GrantParameters) -> bool:
    """Whether moving money out of a budget item exceeds what is free (all moves of the item added up)."""
    return moved * 100 > item_amount * parameters.free_move_percent


def final_report_due(*, project_end: date, parameters: GrantParameters) -> date:
    """Last day of the final report, calendar days after the project's last day."""
    return project_end + timedelta(days=parameters.final_report_days)


def unused_return_due(*, project_end: date, parameters: GrantParameters, calendar: WorkingCalendar) -> date:
    """Last day to return unused funds: working days after the end, or the day of the year, whichever is
    earlier.
    """
    counted = add_working_days(project_end, parameters.return_working_days, calendar)
    return min(counted, date(project_end.year, parameters.return_by_month, parameters.return_by_day))


@dataclass(frozen=True)
class KpiAchievement:
    """``raw`` percent as it is (may be negative or above 100), ``paid`` percent between 0 and 100."""

    raw: Decimal
    paid: Decimal


def kpi_achievement(*, baseline: Decimal, target: Decimal, actual: Decimal) -> KpiAchievement:
    """Share of the way from baseline to target, percent half up to 0.01. Formula id: KPI/1.

    A target equal to the baseline is met (100) or not (0). Source: rulebook 3.6, 8.1 S-6.
    Example: 20 -> 50, actual 60 -> raw 133.33, paid 100.00; 10 -> 20, actual 9 -> raw -10.00, paid 0.00.
    """
    if baseline == target:
        met = Decimal("100.00") if actual >= target else Decimal("0.00")
        return KpiAchievement(met, met)
    raw = round_half_up((actual - baseline) * 100 / (target - baseline))
    return KpiAchievement(raw, min(max(raw, Decimal("0.00")), Decimal("100.00")))


def unit_cost(*, amount: Decimal, units: Decimal) -> Decimal:
    """Cost of one unit of result, 0.01 half up. Example: 1 300 000 / 160 000 = 8.125 -> 8.13."""
    return round_half_up(amount / units)


@dataclass(frozen=True)
class CallLimits:
    """Limits of a call: usual and highest budget, highest share of equipment in percent."""

    budget_max: Decimal
    budget_max_approved: Decimal
    equipment_max_percent: Decimal


def call_limit_findings(*, budget: Decimal, equipment: Decimal, limits: CallLimits) -> tuple[str, ...]:
    """What a budget needs under the limits: nothing, a justification, an approval, or it is refused."""
    if budget > limits.budget_max_approved:
        return ("BUDGET_ABOVE_LIMIT",)
    findings = ["NEEDS_COMMITTEE_APPROVAL"] if budget > limits.budget_max else []
    if equipment * 100 > budget * limits.equipment_max_percent:
        findings.append("NEEDS_EQUIPMENT_JUSTIFICATION")
    return tuple(findings)
