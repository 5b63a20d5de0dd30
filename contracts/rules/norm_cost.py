"""Norm cost of one unit of a service in Ukraine (formula NORM-UA-1186)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from math import prod

from config.explanations import Step
from config.money import round_half_up

FORMULA_ID = "NORM-UA-1186/1"
DIRECT_PAY = "DIRECT_PAY"
DIRECT_COST = "DIRECT_COST"
SHOWN_PLACES = 6


@dataclass(frozen=True)
class StaffPay:
    """Monthly pay of one kind of staff. Only main staff bring contact hours; auxiliary staff only cost."""

    label: str
    pay_month: Decimal
    positions: Decimal = Decimal(1)
    auxiliary: bool = False


@dataclass(frozen=True)
class CostItem:
    """A purchase or another direct cost per unit of service."""

    label: str
    amount_per_unit: Decimal


@dataclass(frozen=True)
class AdministrativeCosts:
    """Administrative costs of a month and the pay of all main staff of the provider over which they are
    spread.
    """

    amount_month: Decimal
    pay_base_month: Decimal


@dataclass(frozen=True)
class NormCostFacts:
    """Components of one unit: of an hour, or of ``hours_per_unit`` working hours (a day, a visit, a trip)."""

    staff: tuple[StaffPay, ...]
    hours_month: Decimal
    utilisation: Decimal
    purchases: tuple[CostItem, ...]
    other_direct: tuple[CostItem, ...]
    administrative: AdministrativeCosts
    vat_exempt: bool = True
    hours_per_unit: Decimal | None = None


@dataclass(frozen=True)
class NormCostParameters:
    """Dated law: rates in percent; ``admin_cap_base`` is DIRECT_PAY or DIRECT_COST (not verified: NRM-UA-4)."""

    contribution_percent: Decimal
    admin_cap_percent: Decimal
    admin_cap_base: str
    vat_percent: Decimal


@dataclass(frozen=True)
class NormCostOutcome:
    """Components unrounded; ``unit_cost`` and ``unit_cost_with_vat`` rounded half up to 0.01, the only
    roundings.
    """

    direct_pay: Decimal
    labour: Decimal
    purchases: Decimal
    other_direct: Decimal
    direct_cost: Decimal
    admin_raw: Decimal
    admin_cap: Decimal
    admin: Decimal
    unit_cost: Decimal
    vat: Decimal
    unit_cost_with_vat: Decimal
    steps: tuple[Step, ...]
    formula_id: str = FORMULA_ID


def compute_norm_cost(*, facts: NormCostFacts, parameters: NormCostParameters) -> NormCostOutcome:
    """Cost of one unit = direct cost + administrative share, and VAT when the service is not exempt.

    Formula: labour = pay x (1 + contribution) / (hours x utilisation) x hours of a unit;
    direct = labour + purchases + other;
    administrative = min(share of administrative costs in pay x direct pay, cap % x base).
    Money: UAH per unit, rounded once at the unit cost; VAT on the rounded cost. Source: NRM-UA-1..6.
    Raises: ValueError when no main staff or no hours are given or a unit takes none, or for an unknown cap base.
    Example: pay 9600.00, 167 h x 0.80, 3.50 + 4.20 -> 106.14; with VAT 127.37.
    """
    hours = _contact_hours(facts)
    pay = sum((row.pay_month * row.positions for row in facts.staff), Decimal(0))
    direct_pay = pay * _unit_hours(facts) / hours
    labour = direct_pay * (1 + parameters.contribution_percent / 100)
    purchases = sum((item.amount_per_unit for item in facts.purchases), Decimal(0))
    other = sum((item.amount_per_unit for item in facts.other_direct), Decimal(0))
    direct_cost = labour + purchases + other
    admin_raw = facts.administrative.amount_month / facts.administrative.pay_base_month * direct_pay
    admin_cap = _cap_base(parameters, direct_pay, direct_cost) * parameters.admin_cap_percent / 100
    admin = min(admin_raw, admin_cap)
    unit_cost = round_half_up(direct_cost + admin)
    vat = Decimal("0.00") if facts.vat_exempt else round_half_up(unit_cost * parameters.vat_percent / 100)
    outcome = NormCostOutcome(
        direct_pay,
        labour,
        purchases,
        other,
        direct_cost,
        admin_raw,
        admin_cap,
        admin,
        unit_cost,
        vat,
        unit_cost + vat,
        (),
    )
    return _with_steps(outcome, facts, parameters, hours)


def _contact_hours(facts: NormCostFacts) -> Decimal:
    positions = sum((row.positions for row in facts.staff if not row.auxiliary), Decimal(0))
    hours = facts.hours_month * facts.utilisation * positions
    if hours <= 0:
        raise ValueError("a norm cost needs main staff, hours and utilisation above zero")
    return hours


def _unit_hours(facts: NormCostFacts) -> Decimal:
    hours = Decimal(1) if facts.hours_per_unit is None else facts.hours_per_unit
    if hours <= 0:
        raise ValueError("a unit takes some time")
    return hours


def _cap_base(parameters: NormCostParameters, direct_pay: Decimal, direct_cost: Decimal) -> Decimal:
    bases = {DIRECT_PAY: direct_pay, DIRECT_COST: direct_cost}
    if parameters.admin_cap_base not in bases:
        raise ValueError(f"unknown base of the administrative cap {parameters.admin_cap_base}")
    return bases[parameters.admin_cap_base]


def index_norm(*, unit_cost: Decimal, factors: Sequence[Decimal]) -> Decimal:
    """Norm of a later year: product of all factors first, one rounding to 0.01.

    Example: 106.14 x 1.08 -> 114.63.
    """
    return round_half_up(unit_cost * prod(factors, start=Decimal(1)))


def _with_steps(
    outcome: NormCostOutcome, facts: NormCostFacts, parameters: NormCostParameters, hours: Decimal
) -> NormCostOutcome:
    admin = facts.administrative
    base = _cap_base(parameters, outcome.direct_pay, outcome.direct_cost)
    rows = (
        *(_staff_step(row) for row in facts.staff),
        Step(
            "hours",
            "Contact hours in a month",
            str(hours),
            "hour",
            f"{facts.hours_month} x {facts.utilisation}",
        ),
        *(
            [Step("hours_per_unit", "Working hours of one unit", str(facts.hours_per_unit), "hour")]
            if facts.hours_per_unit is not None
            else []
        ),
        _shown("direct_pay", "Direct pay per unit", outcome.direct_pay),
        _shown(
            "labour",
            "Pay with social contribution per unit",
            outcome.labour,
            f"{_six(outcome.direct_pay)} x (1 + {parameters.contribution_percent} %)",
            "esv_rate",
        ),
        *(_shown("purchase", "Goods and works per unit", item.amount_per_unit, item.label) for item in facts.purchases),
        *(
            _shown("other", "Other direct costs per unit", item.amount_per_unit, item.label)
            for item in facts.other_direct
        ),
        _shown("direct_cost", "Direct cost per unit", outcome.direct_cost),
        _shown(
            "admin_raw",
            "Administrative costs by share of pay",
            outcome.admin_raw,
            f"{admin.amount_month} / {admin.pay_base_month} x {_six(outcome.direct_pay)}",
        ),
        _shown(
            "admin_cap",
            "Ceiling of administrative costs",
            outcome.admin_cap,
            f"{parameters.admin_cap_percent} % x {_six(base)} ({parameters.admin_cap_base})",
            "admin_cap_pct",
        ),
        _shown(
            "admin",
            "Administrative costs counted",
            outcome.admin,
            f"min({_six(outcome.admin_raw)}; {_six(outcome.admin_cap)})",
        ),
        Step(
            "unit_cost",
            "Norm cost of a unit",
            str(outcome.unit_cost),
            "UAH",
            f"{_six(outcome.direct_cost)} + {_six(outcome.admin)}",
        ),
        Step("vat", "Value added tax", str(outcome.vat), "UAH", _vat_formula(facts, parameters), "vat_rate"),
        Step("unit_cost_with_vat", "Norm cost of a unit with tax", str(outcome.unit_cost_with_vat), "UAH"),
    )
    return replace(outcome, steps=rows)


def _staff_step(row: StaffPay) -> Step:
    label = "Monthly pay of auxiliary staff" if row.auxiliary else "Monthly pay of main staff"
    return Step("staff_pay", label, str(row.pay_month), "UAH", f"{row.label} x {row.positions}")


def _vat_formula(facts: NormCostFacts, parameters: NormCostParameters) -> str:
    return "0 %" if facts.vat_exempt else f"{parameters.vat_percent} %"


def _six(value: Decimal) -> str:
    return str(round_half_up(value, SHOWN_PLACES))


def _shown(code: str, label: str, value: Decimal, formula: str = "", parameter: str = "") -> Step:
    return Step(code, label, _six(value), "UAH", formula, parameter)
