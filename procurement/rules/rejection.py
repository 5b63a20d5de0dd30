"""Grounds for rejecting a bid or an application (PRC-1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from config.periods import add_months


@dataclass(frozen=True)
class RejectionGround:
    """A coded ground; ``title`` is an English message id. Each use needs a motive text and can be appealed."""

    code: str
    title: str


GROUNDS = {
    ground.code: ground
    for ground in (
        RejectionGround("PRC-REJ-1", "Submitted after the deadline"),
        RejectionGround("PRC-REJ-2", "A mandatory document is missing after the correction round"),
        RejectionGround("PRC-REJ-3", "The bidder is not in the register of providers, or is suspended"),
        RejectionGround("PRC-REJ-4", "Bankruptcy, liquidation or debarment"),
        RejectionGround("PRC-REJ-5", "Tax or wage debt above the threshold"),
        RejectionGround("PRC-REJ-6", "The price is above the norm cost"),
        RejectionGround("PRC-REJ-7", "The service is not in the statute or licence of the bidder"),
        RejectionGround("PRC-REJ-8", "False information"),
        RejectionGround("PRC-REJ-9", "Undisclosed conflict of interest"),
        RejectionGround("PRC-REJ-10", "The sums of the budget do not agree and were not corrected"),
        RejectionGround("PRC-REJ-11", "Co-financing below the minimum"),
        RejectionGround("PRC-REJ-12", "The same project is financed from another source in this budget period"),
        RejectionGround("PRC-REJ-13", "Registered for less than the minimum period"),
        RejectionGround("PRC-REJ-14", "Score under the threshold"),
        RejectionGround("PRC-REJ-15", "Funds of an earlier grant not returned, or its report not submitted"),
    )
}


@dataclass(frozen=True)
class AdmissionFacts:
    """What the register, the clock and the application know of a bidder; None means not judged here."""

    submitted_at: datetime
    closes_at: datetime
    registered_on: date | None = None
    announced_on: date | None = None
    in_register: bool | None = None
    price: Decimal | None = None
    norm_cost: Decimal | None = None
    cofinance_percent: Decimal | None = None


@dataclass(frozen=True)
class AdmissionParameters:
    """Dated law; None switches a ground off."""

    min_registered_months: int | None = None
    cofinance_percent: Decimal | None = None


def admission_grounds(*, facts: AdmissionFacts, parameters: AdmissionParameters) -> tuple[str, ...]:
    """Codes of the grounds that the record itself proves, in code order; people decide on the others.

    Source: PRC-1, GR-UA-1, GR-UA-3, GR-UA-5, GR-UA-6, NRM-2. Formula id: ADMISSION/1.
    """
    found = {
        "PRC-REJ-1": facts.submitted_at > facts.closes_at,
        "PRC-REJ-3": facts.in_register is False,
        "PRC-REJ-6": _above(facts.price, facts.norm_cost),
        "PRC-REJ-11": _above(parameters.cofinance_percent, facts.cofinance_percent),
        "PRC-REJ-13": _registered_too_late(facts, parameters),
    }
    return tuple(code for code, holds in found.items() if holds)


def _above(value: Decimal | None, bound: Decimal | None) -> bool:
    return value is not None and bound is not None and value > bound


def _registered_too_late(facts: AdmissionFacts, parameters: AdmissionParameters) -> bool:
    months = parameters.min_registered_months
    if months is None or facts.registered_on is None or facts.announced_on is None:
        return False
    return add_months(facts.registered_on, months) > facts.announced_on


@dataclass(frozen=True)
class CompetitionFate:
    """Whether an award is possible, and the coded reason when it is not."""

    may_award: bool
    reason: str = ""


def competition_fate(*, valid_bids: int, winner_passes: bool, single_bid_allowed: bool) -> CompetitionFate:
    """No valid bid, a single bid that may not win, or nobody above the threshold annul a competition (3.5)."""
    if valid_bids == 0:
        return CompetitionFate(False, "NO_VALID_BIDS")
    if valid_bids == 1 and not single_bid_allowed:
        return CompetitionFate(False, "SINGLE_BID")
    return CompetitionFate(True) if winner_passes else CompetitionFate(False, "UNDER_THRESHOLD")
