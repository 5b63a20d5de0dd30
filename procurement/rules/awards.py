"""Sharing a demand or a fund among ranked bids (formulas AWARD-QUANTITY, AWARD-FUND; SCO-2,
TAR-8, TAR-9).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from config.money import round_half_up


@dataclass(frozen=True)
class RankedOffer:
    """An offer in rank order: what it can supply (``capacity``) or asks for, and its own price."""

    code: str
    capacity: Decimal
    price: Decimal = Decimal(1)


@dataclass(frozen=True)
class Allocation:
    """Quantity at the bidder's own price."""

    code: str
    quantity: Decimal
    price: Decimal

    @property
    def amount(self) -> Decimal:
        """Value of the award, 0.01 half up."""
        return round_half_up(self.quantity * self.price)


@dataclass(frozen=True)
class AwardOutcome:
    """Allocations in rank order and the demand or fund nobody covers."""

    allocations: tuple[Allocation, ...]
    left: Decimal


def award_quantities(*, offers: Sequence[RankedOffer], demand: Decimal) -> AwardOutcome:
    """Rank 1 gets its capacity, rank 2 the remainder, and so on, each at its own price. Source: SCO-2."""
    left = demand
    allocations = []
    for offer in offers:
        quantity = min(offer.capacity, left)
        if quantity > 0:
            allocations.append(Allocation(offer.code, quantity, offer.price))
            left -= quantity
    return AwardOutcome(tuple(allocations), left)


@dataclass(frozen=True)
class GrantRequest:
    """A project in rank order; ``accepts_part`` when the applicant agreed to a partial grant."""

    code: str
    amount: Decimal
    accepts_part: bool = False


def award_fund(*, requests: Sequence[GrantRequest], fund: Decimal, partial_allowed: bool) -> AwardOutcome:
    """Grants in rank order until the fund is used up; the last winner may receive only the remainder.

    The first request that cannot be met ends the list: a lower rank never overtakes a higher one.
    Source: TAR-9. Example: 60, 50 of 100 -> 60 and a partial 40.
    """
    left = fund
    allocations = []
    for request in requests:
        amount = min(request.amount, left)
        if amount < request.amount and not (partial_allowed and request.accepts_part):
            break
        if amount <= 0:
            break
        allocations.append(Allocation(request.code, amount, Decimal(1)))
        left -= amount
    return AwardOutcome(tuple(allocations), left)


def min_step(*, lot_value: Decimal, percent: Decimal) -> Decimal:
    """Minimum step of a lot: value x percent, 0.01 half up (policy 8). Example: 183870.00 at 0.5 % -> 919.35."""
    return round_half_up(lot_value * percent / 100)
