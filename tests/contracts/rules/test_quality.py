"""Quality scores of rulebook 7.1 and 7.2."""

from __future__ import annotations

from decimal import Decimal

import pytest

from contracts.rules.quality import (
    Band,
    Indicator,
    QualityParameters,
    criterion_score,
    overall_score,
    service_quality,
)
from tests.golden_rows import golden, number, numbers

BANDS = (Band("good", Decimal(80)), Band("satisfactory", Decimal(51)), Band("unsatisfactory", Decimal(0)))
PARAMETERS = QualityParameters(BANDS, weak_below=Decimal(50), weak_status="satisfactory")


@pytest.mark.parametrize("row", golden("quality_ru"))
def test_overall_score(row: dict[str, str]) -> None:
    criteria = [Decimal(row[f"k{index}"]) for index in range(1, 6)]
    assert overall_score(criteria=criteria, weights=numbers(row["weights"])) == Decimal(row["score"])


def test_first_criterion() -> None:
    parts = [(Decimal("0.3"), Decimal(100)), (Decimal("0.3"), Decimal(90)), (Decimal("0.4"), Decimal("94.5"))]
    assert criterion_score(parts) == Decimal("94.80")


@pytest.mark.parametrize("row", golden("quality_ua"))
def test_service_quality(row: dict[str, str]) -> None:
    indicators = []
    for cell in row["indicators"].split(";"):
        code, _, share = cell.partition("=")
        positive, _, answered = share.partition("/")
        indicators.append(Indicator(code, int(positive), int(answered)))
    outcome = service_quality(indicators=indicators, parameters=PARAMETERS)
    assert (outcome.score, outcome.status) == (number(row["score"]), row["status"])
