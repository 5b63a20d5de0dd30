"""Whether a visit may be redeemed: one ordered list of refusals, each with a code and its figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

Figures = dict[str, str]
Answer = Figures | None


@dataclass(frozen=True)
class RedemptionFacts:
    """What is known when a provider asks to redeem. Units are of the service's unit; ``None`` limits do not bind.

    ``used_day`` and ``used_month`` count units held or confirmed for the same recipient and service on the day and
    in its calendar month.
    """

    on: date
    units: Decimal
    status: str
    valid_from: date
    valid_to: date | None
    suspended: bool
    entitled: bool
    granularity: Decimal
    balance: Decimal
    used_day: Decimal = Decimal(0)
    used_month: Decimal = Decimal(0)
    day_max: Decimal | None = None
    month_max: Decimal | None = None
    plan_month_max: Decimal | None = None
    death_date: date | None = None


@dataclass(frozen=True)
class Refusal:
    """The first reason against, with the figures its sentence needs."""

    code: str
    figures: Figures = field(default_factory=dict)


def first_refusal(facts: RedemptionFacts) -> Refusal | None:
    """The first check that fails, or None.

    Order: the certificate (state, death, validity, rest), its service, then units (step, balance, day, month, plan).
    Source: CRT-03, CRT-04, CRT-09, CRT-11.
    """
    for code, check in CHECKS:
        figures = check(facts)
        if figures is not None:
            return Refusal(code, figures)
    return None


def is_multiple(units: Decimal, granularity: Decimal) -> bool:
    """Whether units are a positive multiple of the smallest billable step."""
    return units > 0 and units % granularity == 0


def _replaced(facts: RedemptionFacts) -> Answer:
    return {} if facts.status == "replaced" else None


def _suspended(facts: RedemptionFacts) -> Answer:
    return {"on": f"{facts.on:%d.%m.%Y}"} if facts.suspended or facts.status == "suspended" else None


def _exhausted(facts: RedemptionFacts) -> Answer:
    return {} if facts.status == "exhausted" else None


def _not_active(facts: RedemptionFacts) -> Answer:
    return {"status": facts.status} if facts.status != "active" else None


def _deceased(facts: RedemptionFacts) -> Answer:
    return {} if facts.death_date is not None and facts.on > facts.death_date else None


def _outside(facts: RedemptionFacts) -> Answer:
    inside = facts.valid_from <= facts.on and (facts.valid_to is None or facts.on < facts.valid_to)
    return None if inside else {"on": f"{facts.on:%d.%m.%Y}"}


def _not_entitled(facts: RedemptionFacts) -> Answer:
    return None if facts.entitled else {}


def _bad_step(facts: RedemptionFacts) -> Answer:
    if is_multiple(facts.units, facts.granularity):
        return None
    return {"units": _show(facts.units), "granularity": _show(facts.granularity)}


def _over_balance(facts: RedemptionFacts) -> Answer:
    if facts.units <= facts.balance:
        return None
    return {"units": _show(facts.units), "balance": _show(facts.balance)}


def _over(used: Decimal, units: Decimal, limit: Decimal | None) -> Answer:
    if limit is None or used + units <= limit:
        return None
    return {"left": _show(max(limit - used, Decimal(0))), "limit": _show(limit)}


def _over_day(facts: RedemptionFacts) -> Answer:
    return _over(facts.used_day, facts.units, facts.day_max)


def _over_month(facts: RedemptionFacts) -> Answer:
    return _over(facts.used_month, facts.units, facts.month_max)


def _over_plan(facts: RedemptionFacts) -> Answer:
    return _over(facts.used_month, facts.units, facts.plan_month_max)


def _show(value: Decimal) -> str:
    return format(value.normalize(), "f")


CHECKS: tuple[tuple[str, Callable[[RedemptionFacts], Answer]], ...] = (
    ("CERTIFICATE_REPLACED", _replaced),
    ("CERTIFICATE_SUSPENDED", _suspended),
    ("CERTIFICATE_EXHAUSTED", _exhausted),
    ("CERTIFICATE_NOT_ACTIVE", _not_active),
    ("RECIPIENT_DECEASED", _deceased),
    ("CERTIFICATE_OUT_OF_DATE", _outside),
    ("SERVICE_NOT_ON_CERTIFICATE", _not_entitled),
    ("UNITS_STEP", _bad_step),
    ("BALANCE_TOO_SMALL", _over_balance),
    ("DAY_LIMIT", _over_day),
    ("MONTH_LIMIT", _over_month),
    ("PLAN_LIMIT", _over_plan),
)
