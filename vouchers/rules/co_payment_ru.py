"""Monthly fee of a recipient in Russia (formula FEE-RU-442)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from config.explanations import Step
from config.money import round_down, round_half_up

FORMULA_ID = "FEE-RU-442/1"
ZERO = Decimal("0.00")
FORMS = ("home", "semi_residential", "residential", "urgent")


@dataclass(frozen=True)
class RuCoPaymentFacts:
    """``cost`` is the month's sum of tariffs; ``income`` the per-capita income, None when it need not be
    computed.
    """

    form: str
    cost: Decimal
    income: Decimal | None
    free_category: bool = False


@dataclass(frozen=True)
class RuCoPaymentParameters:
    """Dated law as of the application date; ``regional_limit`` may be absent, then the federal floor is the
    limit.
    """

    limit_multiple: Decimal
    minimum: Decimal
    home_cap_percent: Decimal
    residential_cap_percent: Decimal
    regional_limit: Decimal | None = None


@dataclass(frozen=True)
class RuCoPaymentOutcome:
    """``cap`` is the legal ceiling of the fee, None when the service is free."""

    ground: str
    limit: Decimal
    cap: Decimal | None
    fee: Decimal | None
    subsidy: Decimal | None
    steps: tuple[Step, ...]
    formula_id: str = FORMULA_ID


def assess_co_payment_ru(*, facts: RuCoPaymentFacts, parameters: RuCoPaymentParameters) -> RuCoPaymentOutcome:
    """Monthly fee and the subsidy that covers the rest.

    Formula: limit = max(regional, 1.5 x minimum); home: min(cost, 50 % of (income - limit)); residential:
    min(cost, 75 % of income). Money: RUB; both ceilings are rounded down to 0.01, the limit half up.
    Source: PAY-RU-1..5, G-2. Raises: ValueError for an unknown form.
    Example: income 22999.99, limit 22875.00 -> ceiling 62.49 (half up would break the 50 %).
    """
    if facts.form not in FORMS:
        raise ValueError(f"unknown form of service {facts.form}")
    limit = _limit(parameters)
    ground, cap = _ceiling(facts, parameters, limit)
    if ground == "UNDETERMINED":
        return RuCoPaymentOutcome(ground, limit, None, None, None, (_limit_step(parameters, limit),))
    fee = ZERO if cap is None else min(facts.cost, cap)
    subsidy = facts.cost - fee
    return RuCoPaymentOutcome(ground, limit, cap, fee, subsidy, _steps(facts, parameters, limit, cap, fee, subsidy))


def _limit(parameters: RuCoPaymentParameters) -> Decimal:
    floor = round_half_up(parameters.limit_multiple * parameters.minimum)
    return max(parameters.regional_limit or ZERO, floor)


def _ceiling(facts: RuCoPaymentFacts, parameters: RuCoPaymentParameters, limit: Decimal) -> tuple[str, Decimal | None]:
    if facts.form == "urgent":
        return "PAY-RU-5", None
    if facts.free_category:
        return "PAY-RU-1", None
    if facts.income is None:
        return "UNDETERMINED", None
    if facts.form == "residential":
        return "PAY-RU-4", round_down(facts.income * parameters.residential_cap_percent / 100)
    if facts.income <= limit:
        return "PAY-RU-2", None
    return "PAY-RU-3", round_down((facts.income - limit) * parameters.home_cap_percent / 100)


def _limit_step(parameters: RuCoPaymentParameters, limit: Decimal) -> Step:
    formula = f"{parameters.limit_multiple} x {parameters.minimum}; {parameters.regional_limit or '-'}"
    return Step("limit", "Income limit of free services", str(limit), "RUB", formula, "ru.limit_multiple")


def _steps(
    facts: RuCoPaymentFacts,
    parameters: RuCoPaymentParameters,
    limit: Decimal,
    cap: Decimal | None,
    fee: Decimal,
    subsidy: Decimal,
) -> tuple[Step, ...]:
    steps = [_limit_step(parameters, limit)]
    if cap is not None:
        home = facts.form != "residential"
        percent = parameters.home_cap_percent if home else parameters.residential_cap_percent
        formula = f"{percent} % x ({facts.income} - {limit})" if home else f"{percent} % x {facts.income}"
        parameter = "ru.home_cap" if home else "ru.res_cap"
        steps.append(Step("cap", "Legal ceiling of the fee", str(cap), "RUB", formula, parameter))
    steps += [
        Step("cost", "Cost of the month by tariffs", str(facts.cost), "RUB"),
        Step(
            "fee",
            "Monthly fee of the recipient",
            str(fee),
            "RUB",
            f"min({facts.cost}; {cap})" if cap else "0",
        ),
        Step("subsidy", "Part paid from the budget", str(subsidy), "RUB", f"{facts.cost} - {fee}"),
    ]
    return tuple(steps)
