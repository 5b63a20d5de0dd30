"""Quality scores: Ukrainian indicators (order 904) and the Russian five criteria (order 344n): QUA-1, QUA-2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from config.explanations import Step
from config.money import round_half_up

SERVICE_FORMULA_ID = "QUALITY-UA-904/1"


@dataclass(frozen=True)
class Indicator:
    """Answers to one indicator; "not applicable" answers are not among ``answered``."""

    code: str
    positive: int
    answered: int


@dataclass(frozen=True)
class Band:
    """A status from ``lowest`` percent upwards."""

    status: str
    lowest: Decimal


@dataclass(frozen=True)
class QualityParameters:
    """``bands`` from best to worst; an indicator under ``weak_below`` percent caps the status at
    ``weak_status``.
    """

    bands: tuple[Band, ...]
    weak_below: Decimal
    weak_status: str


@dataclass(frozen=True)
class QualityOutcome:
    """``score`` is None when nobody answered anything."""

    score: Decimal | None
    status: str
    weak: tuple[str, ...]
    steps: tuple[Step, ...]
    formula_id: str = SERVICE_FORMULA_ID


def indicator_percent(indicator: Indicator) -> Decimal:
    """Share of positive answers in percent, unrounded. Raises: ValueError when nobody answered."""
    if indicator.answered <= 0:
        raise ValueError(f"nobody answered {indicator.code}")
    return Decimal(100) * indicator.positive / indicator.answered


def service_quality(*, indicators: Sequence[Indicator], parameters: QualityParameters) -> QualityOutcome:
    """Mean of the indicators to 0.1 and its band. Source: QUA-1 (scale not verified).

    Example: 90, 80 and 40 percent -> 70.0, "satisfactory" because one indicator is under 50.
    """
    rated = [row for row in indicators if row.answered > 0]
    if not rated:
        return QualityOutcome(None, "not_rated", (), ())
    percents = [indicator_percent(row) for row in rated]
    score = round_half_up(sum(percents, Decimal(0)) / len(percents), 1)
    weak = tuple(row.code for row, value in zip(rated, percents, strict=True) if value < parameters.weak_below)
    status = _status(score, weak, parameters)
    steps = tuple(
        Step("indicator", "Share of positive answers", str(round_half_up(value, 2)), "percent", row.code)
        for row, value in zip(rated, percents, strict=True)
    )
    return QualityOutcome(
        score,
        status,
        weak,
        (*steps, Step("score", "Score of the service", str(score), "percent", "mean", "q.bands")),
    )


def _status(score: Decimal, weak: tuple[str, ...], parameters: QualityParameters) -> str:
    names = [band.status for band in parameters.bands]
    found = next((band.status for band in parameters.bands if score >= band.lowest), names[-1])
    if weak:
        return names[max(names.index(found), names.index(parameters.weak_status))]
    return found


def criterion_score(parts: Sequence[tuple[Decimal, Decimal]]) -> Decimal:
    """One criterion of order 344n: sum of weight x points, 0.01 half up. Example: K1 of 100, 90, 94.5 ->
    94.80.
    """
    return round_half_up(sum((weight * points for weight, points in parts), Decimal(0)))


def overall_score(*, criteria: Sequence[Decimal], weights: Sequence[Decimal]) -> Decimal:
    """Weighted mean of the criteria, 0.01 half up; weights need not sum to one.

    Example: 94.80, 95.60, 79.10, 97.80, 95.30 with equal weights -> 92.52; draft weights -> 93.21.
    """
    weighted = sum((weight * score for weight, score in zip(weights, criteria, strict=True)), Decimal(0))
    return round_half_up(weighted / sum(weights, Decimal(0)))
