"""Average monthly income of a family: windows, spreading, imputation, rounding.

Formula ids: INCOME-UA (orders 419/2020 and 150/2022), INCOME-RU (decrees 1075/2014 and 1873/2024). Only the
window, the divisor and the imputation differ, and all three come in as values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from config.explanations import Step
from config.money import round_half_up
from config.periods import Period, add_months, month_of

# Values of the parameters inc.window and ru.income_window.
QUARTER = "QUARTER"
SIX_MONTHS = "SIX_MONTHS"
TWELVE_MONTHS_BEFORE_PREVIOUS_MONTH = "TWELVE_MONTHS_BEFORE_PREVIOUS_MONTH"
TWELVE_MONTHS_BEFORE_APPLICATION = "TWELVE_MONTHS_BEFORE_APPLICATION"

FORMULA_ID = "INCOME-AVERAGE/1"


@dataclass(frozen=True)
class IncomeRecord:
    """Income of one member. ``amount`` covers ``months`` months beginning with ``first_month``."""

    amount: Decimal
    first_month: date
    months: int = 1
    counted: bool = True


@dataclass(frozen=True)
class FamilyMember:
    """A member of the family as on the application date.

    ``statement_missing`` blocks the computation: an unknown income is never taken for none.
    """

    code: str
    is_recipient: bool = False
    is_minor: bool = False
    able_bodied: bool = False
    registered_unemployed: bool = False
    statement_missing: bool = False
    incomes: tuple[IncomeRecord, ...] = ()


@dataclass(frozen=True)
class IncomeParameters:
    """Dated law: which window, and the floors of imputation valid at the end of that window.

    ``unable_floor`` is the subsistence minimum of persons who lost ability to work times the multiple of the
    act, ``able_floor`` the minimum wage times the multiple; ``None`` means that the act imputes nothing.
    """

    window_rule: str
    unable_floor: Decimal | None = None
    able_floor: Decimal | None = None
    currency: str = "UAH"


@dataclass(frozen=True)
class ImputedMonth:
    """A month that counts with the floor instead of the smaller known income."""

    member: str
    month: date
    known: Decimal
    imputed: Decimal


@dataclass(frozen=True)
class IncomeOutcome:
    """Average income; ``per_member`` is None while a statement is missing (see ``missing``)."""

    window: Period
    months: int
    members: int
    total: Decimal | None
    month_average: Decimal | None
    per_member: Decimal | None
    missing: tuple[str, ...]
    imputed: tuple[ImputedMonth, ...]
    steps: tuple[Step, ...]
    formula_id: str = FORMULA_ID


def income_window(*, application_date: date, rule: str) -> Period:
    """Months whose incomes count, as a half-open period of whole months.

    Source: INC-UA-1, INC-UA-2, INC-RU-1, INC-RU-2. Raises: ValueError for an unknown rule.
    Example: 10.02.2026 by the quarter rule -> 01.10.2025 to 31.12.2025.
    """
    month = month_of(application_date)
    if rule == QUARTER:
        previous = add_months(month, -1)
        quarter_start = add_months(previous, -((previous.month - 1) % 3))
        return Period(add_months(quarter_start, -3), quarter_start)
    if rule == SIX_MONTHS:
        return Period(add_months(month, -6), month)
    if rule == TWELVE_MONTHS_BEFORE_APPLICATION:
        return Period(add_months(month, -12), month)
    if rule == TWELVE_MONTHS_BEFORE_PREVIOUS_MONTH:
        return Period(add_months(month, -13), add_months(month, -1))
    raise ValueError(f"unknown income window rule {rule}")


def average_income(
    *, application_date: date, members: Sequence[FamilyMember], parameters: IncomeParameters
) -> IncomeOutcome:
    """Average monthly income of one family member.

    Formula: month = round(sum / months, 2); member = round(month / members, 2), half up at these two points
    only.
    Money: currency of the jurisdiction, 0.01. Source: INC-UA-1..8, INC-RU-1..3.
    Raises: ValueError when no member is given.
    Example: couple, 276000 + 180000 in 12 months -> 19000.00.
    """
    if not members:
        raise ValueError("a family has at least one member")
    window = income_window(application_date=application_date, rule=parameters.window_rule)
    months = _months(window)
    missing = tuple(member.code for member in members if member.statement_missing)
    if missing:
        return _undetermined(window, len(months), len(members), missing)
    imputed: list[ImputedMonth] = []
    total = Fraction(0)
    for member in members:
        for month in months:
            total += _month_income(member, month, parameters, imputed)
    return _outcome(window, len(months), len(members), _exact(total), tuple(imputed), parameters.currency)


def _months(window: Period) -> list[date]:
    months = [window.start]
    while window.end is not None and add_months(months[-1], 1) < window.end:
        months.append(add_months(months[-1], 1))
    return months


def _month_income(
    member: FamilyMember, month: date, parameters: IncomeParameters, imputed: list[ImputedMonth]
) -> Fraction:
    known = sum((_share(record, month) for record in member.incomes), Fraction(0))
    floor = _floor(member, parameters)
    if floor is None or known >= Fraction(floor):
        return known
    imputed.append(ImputedMonth(member.code, month, round_half_up(_exact(known)), floor))
    return Fraction(floor)


def _share(record: IncomeRecord, month: date) -> Fraction:
    """Lump income is spread evenly over the months it covers (INC-UA-7)."""
    first = month_of(record.first_month)
    inside = first <= month < add_months(first, record.months)
    return Fraction(record.amount) / record.months if record.counted and inside else Fraction(0)


def _floor(member: FamilyMember, parameters: IncomeParameters) -> Decimal | None:
    """Floor of imputation by order 150, point 5.9 (INC-UA-5); a minor is never imputed an income (DESIGN)."""
    if member.is_minor:
        return None
    if member.is_recipient or member.registered_unemployed:
        return parameters.unable_floor
    return parameters.able_floor if member.able_bodied else None


def _exact(value: Fraction) -> Decimal:
    # A quotient that does not end can never be a rounding tie, so 28 digits are as good as exact.
    return Decimal(value.numerator) / Decimal(value.denominator)


def _undetermined(window: Period, months: int, members: int, missing: tuple[str, ...]) -> IncomeOutcome:
    steps = (
        _window_step(window),
        Step("income_missing", "Income statements missing", ", ".join(missing)),
    )
    return IncomeOutcome(window, months, members, None, None, None, missing, (), steps)


def _outcome(
    window: Period,
    months: int,
    members: int,
    total: Decimal,
    imputed: tuple[ImputedMonth, ...],
    currency: str,
) -> IncomeOutcome:
    month_average = round_half_up(total / months)
    per_member = round_half_up(month_average / members)
    steps = (
        _window_step(window),
        *(
            Step(
                "income_imputed",
                "Income counted instead of a smaller or missing one",
                str(row.imputed),
                currency,
                f"{row.member}, {row.month:%m.%Y}: {row.known} < {row.imputed}",
                "inc.impute",
            )
            for row in imputed
        ),
        Step("income_total", "Income of the family in the window", str(round_half_up(total)), currency),
        Step(
            "income_month",
            "Average income of the family in a month",
            str(month_average),
            currency,
            f"{round_half_up(total)} / {months}",
        ),
        Step(
            "income_member",
            "Average income of one member in a month",
            str(per_member),
            currency,
            f"{month_average} / {members}",
        ),
    )
    return IncomeOutcome(window, months, members, total, month_average, per_member, (), imputed, steps)


def _window_step(window: Period) -> Step:
    value = f"{window.start:%d.%m.%Y} - {window.last_day:%d.%m.%Y}"
    return Step("income_window", "Months whose incomes count", value, parameter="inc.window")
