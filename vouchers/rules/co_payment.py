"""Payment mode and monthly fee of a recipient in Ukraine (formula FEE-UA-1).

Modes: ``F`` free, ``D`` differentiated fee, ``C`` at the recipient's expense, ``U`` undetermined (blocks the
decision).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from config.explanations import Step
from config.money import round_down, round_half_up

FORMULA_ID = "FEE-UA-1/1"
ZERO = Decimal("0.00")

UNDER_6 = "under_6"
AGE_6_18 = "age_6_18"
ABLE_BODIED = "able_bodied"
LOST_ABILITY = "lost_ability"


@dataclass(frozen=True)
class FreeCategory:
    """A category of persons served free of charge; it counts only with a proving document."""

    code: str
    document: str = ""

    @property
    def proven(self) -> bool:
        """Whether a document proves it."""
        return bool(self.document.strip())


@dataclass(frozen=True)
class PlannedService:
    """Volume of one service in a month: within the state standard, and above it."""

    code: str
    tariff: Decimal
    units: Decimal
    units_above_standard: Decimal = Decimal(0)
    free_for_all: bool = False


@dataclass(frozen=True)
class CoPaymentFacts:
    """What is known about the recipient on the calculation date (the application date).

    ``member_categories`` holds the categories of each listed family member when a family is served; for a
    person, of that person alone. ``income`` is the average monthly income per member, None while not
    computed.
    """

    age: int
    lost_ability: bool
    income: Decimal | None
    services: tuple[PlannedService, ...]
    member_categories: tuple[tuple[FreeCategory, ...], ...] = ((),)
    crisis: bool = False


@dataclass(frozen=True)
class CoPaymentParameters:
    """Dated law as of the calculation date.

    ``minimums`` maps a group to its subsistence minimum; ``age_child`` and ``age_adult`` are the birthdays on
    which the group changes. ``method_settings`` belong to the method: ``percent`` of PCT_OF_INCOME, ``table``
    of
    PCT_OF_TARIFF (pairs: multiple of the minimum up to which the row
    holds, percent of the tariff). ``act``: act and article that say who pays, as the row of the free bound
    names them.
    """

    minimums: Mapping[str, Decimal]
    free_multiple: Decimal
    full_multiple: Decimal
    age_child: int
    age_adult: int
    act: str = ""
    method: str = "EXCESS_CAP"
    method_settings: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class ModeOutcome:
    """Payment mode with the ground (an id of docs/legal.md) and, in mode D, the ceiling of the monthly fee."""

    mode: str
    ground: str
    limit: Decimal | None
    minimum_group: str
    minimum: Decimal
    steps: tuple[Step, ...]

    @property
    def blocks_decision(self) -> bool:
        """An undetermined mode never defaults to free."""
        return self.mode == "U"


@dataclass(frozen=True)
class CoPaymentOutcome:
    """Monthly fee. ``fee`` = part within the standard + everything above the standard; None while
    undetermined.
    """

    mode: str
    ground: str
    limit: Decimal | None
    cost: Decimal
    fee_in_standard: Decimal | None
    fee_above_standard: Decimal
    fee: Decimal | None
    budget: Decimal | None
    method: str
    steps: tuple[Step, ...]
    formula_id: str = FORMULA_ID


def subsistence_group(*, age: int, lost_ability: bool, age_child: int, age_adult: int) -> str:
    """Group whose subsistence minimum applies. The general minimum is never used.

    Source: PAY-UA-9. A child's group goes by age even when the child has a disability.
    """
    if age < age_child:
        return UNDER_6
    if age < age_adult:
        return AGE_6_18
    return LOST_ABILITY if lost_ability else ABLE_BODIED


def payment_mode(*, facts: CoPaymentFacts, parameters: CoPaymentParameters) -> ModeOutcome:
    """Who pays: first ground that matches wins.

    Formula: crisis, free service, proven category of every member, income unknown, <= 2 minimums, > 4,
    between.
    Source: PAY-UA-1..6, PAY-UA-9, G-4 (the lower band includes its upper bound).
    Example: income 4722.01, minimum 2361 -> D with limit 0.01.
    """
    group = subsistence_group(
        age=facts.age,
        lost_ability=facts.lost_ability,
        age_child=parameters.age_child,
        age_adult=parameters.age_adult,
    )
    minimum = parameters.minimums[group]
    mode, ground, limit = _decide(facts, parameters, minimum)
    steps = _mode_steps(facts, parameters, group, minimum, mode, ground, limit)
    return ModeOutcome(mode, ground, limit, group, minimum, steps)


def _decide(
    facts: CoPaymentFacts, parameters: CoPaymentParameters, minimum: Decimal
) -> tuple[str, str, Decimal | None]:
    free_bound = parameters.free_multiple * minimum
    if facts.crisis:
        return "F", "PAY-UA-3/crisis", None
    if facts.services and all(service.free_for_all for service in facts.services):
        return "F", "PAY-UA-3", None
    if every_member_is_free(facts.member_categories):
        return "F", "PAY-UA-2", None
    if facts.income is None:
        return "U", "INC-UA", None
    if facts.income <= free_bound:
        return "F", "PAY-UA-4", None
    if facts.income > parameters.full_multiple * minimum:
        return "C", "PAY-UA-6", None
    return "D", "PAY-UA-5", round_down(facts.income - free_bound)


def every_member_is_free(member_categories: Sequence[Sequence[FreeCategory]]) -> bool:
    """Whether each listed member (a person alone is one) has a proven free category."""
    return bool(member_categories) and all(
        any(category.proven for category in categories) for categories in member_categories
    )


def assess_co_payment(*, facts: CoPaymentFacts, parameters: CoPaymentParameters) -> CoPaymentOutcome:
    """Monthly fee of the recipient and the part of the budget.

    Formula: cost = sum of round(tariff x units, 2); D: min(cost, ceiling by method); C: cost; F: 0;
    units above the state standard x tariff are added in full whatever the mode (PAY-UA-7).
    Money: UAH, lines half up to 0.01, ceilings down to 0.01 (G-2). Free-for-all services cost the recipient
    nothing.
    Source: FEE-UA-1, PAY-UA-1..9. Raises: KeyError for an unknown method.
    Example: 20 h x 85.00 in standard and 4 h above, income 6000.00, 2025 -> fee 1618.00, budget 422.00.
    """
    decision = payment_mode(facts=facts, parameters=parameters)
    cost = _cost(facts.services)
    charged = _cost([service for service in facts.services if not service.free_for_all])
    extra = sum((round_half_up(s.tariff * s.units_above_standard) for s in facts.services), ZERO)
    within = _fee_in_standard(decision, charged, facts, parameters)
    fee = None if within is None else within + extra
    budget = None if within is None else cost - within
    steps = decision.steps + _fee_steps(facts, cost, within, extra, fee, budget, parameters.method)
    return CoPaymentOutcome(
        decision.mode,
        decision.ground,
        decision.limit,
        cost,
        within,
        extra,
        fee,
        budget,
        parameters.method,
        steps,
    )


def _cost(services: Sequence[PlannedService]) -> Decimal:
    return sum((round_half_up(service.tariff * service.units) for service in services), ZERO)


def _fee_in_standard(
    decision: ModeOutcome, cost: Decimal, facts: CoPaymentFacts, parameters: CoPaymentParameters
) -> Decimal | None:
    if decision.mode == "U":
        return None
    if decision.mode == "F":
        return ZERO
    if decision.mode == "C":
        return cost
    assert facts.income is not None and decision.limit is not None
    ceiling = FEE_METHODS[parameters.method](facts.income, decision.limit, cost, decision.minimum, parameters)
    return min(cost, ceiling)


def _excess_cap(
    income: Decimal, limit: Decimal, cost: Decimal, minimum: Decimal, parameters: CoPaymentParameters
) -> Decimal:
    """The fee never takes what is left below the free bound."""
    return limit


def _percent_of_income(
    income: Decimal, limit: Decimal, cost: Decimal, minimum: Decimal, parameters: CoPaymentParameters
) -> Decimal:
    """A ceiling in percent of the income: "not more than" rounds down."""
    return round_down(income * Decimal(str(parameters.method_settings["percent"])) / 100)


def _percent_of_tariff(
    income: Decimal, limit: Decimal, cost: Decimal, minimum: Decimal, parameters: CoPaymentParameters
) -> Decimal:
    """Percent of the tariff from a table: the first row whose multiple of the minimum is not exceeded."""
    table = parameters.method_settings["table"]
    assert isinstance(table, Sequence)
    for multiple, percent in table:
        if income <= Decimal(str(multiple)) * minimum:
            return round_half_up(cost * Decimal(str(percent)) / 100)
    return cost


FeeMethod = Callable[[Decimal, Decimal, Decimal, Decimal, CoPaymentParameters], Decimal]
FEE_METHODS: dict[str, FeeMethod] = {
    "EXCESS_CAP": _excess_cap,
    "PCT_OF_INCOME": _percent_of_income,
    "PCT_OF_TARIFF": _percent_of_tariff,
}


def _mode_steps(
    facts: CoPaymentFacts,
    parameters: CoPaymentParameters,
    group: str,
    minimum: Decimal,
    mode: str,
    ground: str,
    limit: Decimal | None,
) -> tuple[Step, ...]:
    free, full = parameters.free_multiple, parameters.full_multiple
    steps = [Step("payment_mode", "Payment mode", mode, formula=ground, act=parameters.act)]
    if ground in ("PAY-UA-4", "PAY-UA-5", "PAY-UA-6"):
        steps[:0] = [
            Step(
                "minimum",
                "Subsistence minimum of the recipient's group",
                str(minimum),
                "UAH",
                group,
                f"sm.{group}",
            ),
            Step("income", "Average income of one member in a month", str(facts.income), "UAH"),
            Step(
                "free_bound",
                "Free of charge up to",
                str(round_half_up(free * minimum)),
                "UAH",
                f"{free} x {minimum}",
                "pay.free_multiple_sm",
            ),
            Step(
                "full_bound",
                "Full payment above",
                str(round_half_up(full * minimum)),
                "UAH",
                f"{full} x {minimum}",
                "pay.full_multiple_sm",
            ),
        ]
    if limit is not None:
        formula = f"{facts.income} - {round_half_up(free * minimum)}"
        steps.append(Step("limit", "Ceiling of the monthly fee", str(limit), "UAH", formula))
    return tuple(steps)


def _fee_steps(
    facts: CoPaymentFacts,
    cost: Decimal,
    within: Decimal | None,
    extra: Decimal,
    fee: Decimal | None,
    budget: Decimal | None,
    method: str,
) -> tuple[Step, ...]:
    lines = tuple(
        Step(
            "service_cost",
            "Cost of the planned service in a month",
            str(round_half_up(service.tariff * service.units)),
            "UAH",
            f"{service.code}: {service.units} x {service.tariff}",
        )
        for service in facts.services
    )
    if within is None:
        return lines
    return (
        *lines,
        Step("cost", "Cost within the state standard", str(cost), "UAH"),
        Step("fee_in_standard", "Fee within the state standard", str(within), "UAH", method, "pay.fee_method"),
        Step("fee_above", "Volume above the state standard, paid in full", str(extra), "UAH"),
        Step("fee", "Monthly fee of the recipient", str(fee), "UAH"),
        Step("budget", "Part paid from the budget", str(budget), "UAH"),
    )
