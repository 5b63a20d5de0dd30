"""Refusals: figures for a person, raw values for a machine."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.utils import translation

from config.errors import DomainError


class Sample(DomainError):
    code = "SAMPLE"
    message = "%(value)s"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Decimal("1226354.11"), "1\u00a0226\u00a0354,11"),
        (Decimal("5000.00"), "5\u00a0000,00"),
        (Decimal("103.7200"), "103,72"),
        (Decimal("1.500"), "1,5"),
        (Decimal(100), "100"),
        (Decimal("-63.00"), "−63,00"),
        (date(2025, 12, 1), "01.12.2025"),
        (datetime(2025, 12, 1, 8, 0, tzinfo=UTC), "01.12.2025 10:00"),
        (2025, "2025"),
        ("1.500", "1.500"),
    ],
)
def test_a_person_reads_figures_and_a_machine_gets_them_raw(value: object, shown: str) -> None:
    refusal = Sample(value=value)
    with translation.override("uk"):
        assert refusal.sentence == shown
        assert refusal.as_problem()["params"] == {"value": str(value)}
