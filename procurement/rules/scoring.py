"""Scores, ranking and winner of a competition (formula SCORE-332, SCO-1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from config.explanations import Step
from config.money import round_half_up

FORMULA_ID = "SCORE-332/1"
JUDGED = "scored"
PRICE = "price"
VOLUME = "volume"

REJECTED_BY_PRICE = "PRC-REJ-6"
UNDER_THRESHOLD = "PRC-REJ-14"
MUST_FAILED = "PRC-REJ-MUST"


@dataclass(frozen=True)
class CriterionRule:
    """One criterion: its weight in points and where its value comes from (members, price or volume).

    ``scale_max`` is the top of the members' scale for this criterion; blank: the competition's.
    """

    code: str
    weight: Decimal
    kind: str = JUDGED
    must: bool = False
    breaks_ties: bool = False
    scale_max: Decimal | None = None
    title: str = ""


@dataclass(frozen=True)
class ScoringParameters:
    """Announced with the tender: criteria, top of the scale, threshold in points, norm cost as price ceiling."""

    criteria: tuple[CriterionRule, ...]
    scale_max: Decimal
    threshold: Decimal
    price_ceiling: Decimal | None = None


@dataclass(frozen=True)
class BidFacts:
    """One bid. ``scores`` maps a judged criterion to the marks by member code; ``rejected`` holds a PRC-REJ
    code.
    """

    code: str
    submitted_at: datetime
    price: Decimal | None = None
    recipients: Decimal | None = None
    scores: tuple[tuple[str, tuple[tuple[str, Decimal], ...]], ...] = ()
    rejected: str = ""


def outlying(*, marks: Mapping[str, Decimal], scale_max: Decimal, percent: Decimal) -> frozenset[str]:
    """Members whose mark lies further from the mean of ``marks`` than ``percent`` of the scale.

    Source: COI-4, coi.outlier_pct. Exact: nothing is rounded.
    """
    total, count = sum(marks.values(), Decimal(0)), len(marks)
    bound = percent * scale_max * count
    return frozenset(member for member, mark in marks.items() if abs(mark * count - total) * 100 > bound)


@dataclass(frozen=True)
class PartScore:
    """Points of one criterion with the mean it came from (None for price and volume)."""

    criterion: str
    mean: Decimal | None
    points: Decimal


@dataclass(frozen=True)
class BidScore:
    """``rank`` is 1, 2, ... among valid bids; None for a rejected one (``rejected`` says why)."""

    code: str
    parts: tuple[PartScore, ...]
    total: Decimal | None
    rank: int | None
    rejected: str
    fails: tuple[str, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class ScoringOutcome:
    """Bids in rank order, rejected ones last; ``winner`` is None when nobody passes."""

    bids: tuple[BidScore, ...]
    winner: str | None
    formula_id: str = FORMULA_ID


def score_bids(
    *, bids: Sequence[BidFacts], parameters: ScoringParameters, excluded_members: frozenset[str] = frozenset()
) -> ScoringOutcome:
    """Points of every valid bid, their ranking and the winner.

    Formula: judged = weight x mean of members / scale; price = weight x lowest valid price / price; volume =
    weight x recipients / highest valid volume; the mean and each part are rounded half up to 0.01 before they
    are
    summed. A rejected bid, or one above the price ceiling, influences neither the lowest price nor the
    highest
    volume. Marks of ``excluded_members`` (a conflict found late) do not count.
    Source: SCO-1, COI-2. Raises: ValueError when a valid bid lacks marks, price or volume.
    Example: 85.00 against 78.50 -> 27.71 of 30 points; A 91.71, B 85.50.
    """
    refused = {bid.code: bid.rejected or _above_ceiling(bid, parameters) for bid in bids}
    valid = [bid for bid in bids if not refused[bid.code]]
    scored = [(bid, *_parts(bid, valid, parameters, excluded_members)) for bid in valid]
    scored.sort(key=lambda row: _order(row[0], row[1], parameters))
    ranked = [_ranked(bid, parts, steps, rank, parameters) for rank, (bid, parts, steps) in enumerate(scored, 1)]
    rejected = [BidScore(bid.code, (), None, None, refused[bid.code], (), ()) for bid in bids if refused[bid.code]]
    winner = ranked[0].code if ranked and not ranked[0].fails else None
    return ScoringOutcome((*ranked, *rejected), winner)


def _above_ceiling(bid: BidFacts, parameters: ScoringParameters) -> str:
    if parameters.price_ceiling is None or bid.price is None or bid.price <= parameters.price_ceiling:
        return ""
    return REJECTED_BY_PRICE


def _parts(
    bid: BidFacts, valid: Sequence[BidFacts], parameters: ScoringParameters, excluded: frozenset[str]
) -> tuple[tuple[PartScore, ...], tuple[Step, ...]]:
    rows = [_part(criterion, bid, valid, parameters, excluded) for criterion in parameters.criteria]
    return tuple(part for part, _ in rows), tuple(step for _, step in rows)


def _part(
    criterion: CriterionRule,
    bid: BidFacts,
    valid: Sequence[BidFacts],
    parameters: ScoringParameters,
    excluded: frozenset[str],
) -> tuple[PartScore, Step]:
    mean: Decimal | None = None
    if criterion.kind == PRICE:
        lowest, price = min(_value(row.price, row) for row in valid), _value(bid.price, bid)
        points = criterion.weight * lowest / price
        formula = f"{criterion.weight} x {lowest} / {price}"
    elif criterion.kind == VOLUME:
        most, volume = max(_value(row.recipients, row) for row in valid), _value(bid.recipients, bid)
        points = criterion.weight * volume / most
        formula = f"{criterion.weight} x {volume} / {most}"
    else:
        mean = mean_of_members(bid=bid, criterion=criterion.code, excluded=excluded)
        scale = criterion.scale_max or parameters.scale_max
        points = criterion.weight * mean / scale
        formula = f"{criterion.weight} x {mean} / {scale}"
    part = PartScore(criterion.code, mean, round_half_up(points))
    return part, Step(
        "part", "Points of a criterion", str(part.points), "points", f"{criterion.title or criterion.code}: {formula}"
    )


def _value(value: Decimal | None, bid: BidFacts) -> Decimal:
    if value is None or value <= 0:
        raise ValueError(f"bid {bid.code} has no price or volume")
    return value


def mean_of_members(*, bid: BidFacts, criterion: str, excluded: frozenset[str] = frozenset()) -> Decimal:
    """Mean of the members' marks, 0.01 half up. Raises: ValueError when no mark counts."""
    marks = [mark for member, mark in dict(bid.scores).get(criterion, ()) if member not in excluded]
    if not marks:
        raise ValueError(f"bid {bid.code} has no mark for {criterion}")
    return round_half_up(sum(marks, Decimal(0)) / len(marks))


def _total(parts: Sequence[PartScore]) -> Decimal:
    return sum((part.points for part in parts), Decimal("0.00"))


def _order(bid: BidFacts, parts: Sequence[PartScore], parameters: ScoringParameters) -> tuple[object, ...]:
    """Total desc, price asc, experience desc, earlier submission, code (so that the order is total)."""
    ties = {criterion.code for criterion in parameters.criteria if criterion.breaks_ties}
    experience = sum((part.points for part in parts if part.criterion in ties), Decimal(0))
    return (-_total(parts), bid.price or Decimal(0), -experience, bid.submitted_at, bid.code)


def _ranked(
    bid: BidFacts,
    parts: tuple[PartScore, ...],
    steps: tuple[Step, ...],
    rank: int,
    parameters: ScoringParameters,
) -> BidScore:
    total = _total(parts)
    fails = [UNDER_THRESHOLD] if total < parameters.threshold else []
    musts = {criterion.code for criterion in parameters.criteria if criterion.must}
    if any(part.criterion in musts and part.points <= 0 for part in parts):
        fails.append(MUST_FAILED)
    total_step = Step("total", "Sum of points", str(total), "points", f">= {parameters.threshold}")
    return BidScore(bid.code, parts, total, rank, "", tuple(fails), (*steps, total_step))
