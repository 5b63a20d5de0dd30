"""Life of a grant after the award: tranches, final report, KPI, limits of a call (GRL-1, APP-1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from config.money import round_down, round_half_up


def first_tranche_ceiling(*, grant: Decimal, percent: Decimal) -> Decimal:
    """Highest first tranche: "not more than" rounds down to 0.01."""
    return round_down(grant * percent / 100)


def final_report_due(*, project_end: date, days: int) -> date:
    """Last day of the final report, calendar days after the project's last day."""
    return project_end + timedelta(days=days)


@dataclass(frozen=True)
class KpiAchievement:
    """``raw`` percent as it is (may be negative or above 100), ``paid`` percent between 0 and 100."""

    raw: Decimal
    paid: Decimal


def kpi_achievement(*, baseline: Decimal, target: Decimal, actual: Decimal) -> KpiAchievement:
    """Share of the way from baseline to target, percent half up to 0.01. Formula id: KPI/1.

    A target equal to the baseline is met (100) or not (0). Source: GRL-1, APP-1.
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
