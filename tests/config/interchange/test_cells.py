"""Cells as people write them."""

from __future__ import annotations

import pytest

from config.interchange.cells import CellError, parser_for
from config.interchange.tables import Column


@pytest.mark.parametrize(
    ("kind", "cell", "text"),
    [
        ("units", "1.5", "1.5"),
        ("units", "1,5", "1.5"),
        ("units", "1.50000", "1.50000"),
        ("amount", "1 234,50", "1234.50"),
        ("amount", "1\u00a0234\u202f567.89", "1234567.89"),
        ("amount", "0", "0"),
        ("exact", "-12.3456", "-12.3456"),
        ("rate", "+95", "+95"),
        ("int", "007", "7"),
        ("int", "1 000", "1000"),
        ("count", "0", "0"),
        ("date", " 2025-11-30 ", "2025-11-30"),
        ("date", "2025-11-30T00:00:00+02:00", "2025-11-30"),
        ("month", "2025-11", "2025-11-01"),
        ("month", "2025-11-01T00:00:00+02:00", "2025-11-01"),
        ("time", "2025-11-30T09:00:00Z", "2025-11-30T09:00:00+00:00"),
        ("time", "2025-11-30 09:00+02:00", "2025-11-30T09:00:00+02:00"),
        ("bool", "true", "true"),
        ("code", " К-1 ", " К-1 "),
    ],
)
def test_read(kind: str, cell: str, text: str) -> None:
    assert parser_for(Column("c", kind))(cell) == text


@pytest.mark.parametrize(
    ("kind", "cell", "code"),
    [
        ("units", "1.0001", "DECIMALS"),
        ("units", "0.000", "NOT_POSITIVE"),
        ("units", "1,234.5", "NUMBER"),
        ("units", "NaN", "NUMBER"),
        ("units", "١", "NUMBER"),
        ("rate", "1e2", "NUMBER"),
        ("rate", "-1", "NOT_POSITIVE"),
        ("amount", "-0.01", "NEGATIVE"),
        ("amount", "1" * 14, "TOO_LARGE"),
        ("int", "0", "NOT_POSITIVE"),
        ("int", "-1", "INTEGER"),
        ("int", "99999999999", "TOO_LARGE"),
        ("date", "2025-1-3", "DATE"),
        ("date", "20251103", "DATE"),
        ("date", "0001-01-01", "DATE"),
        ("date", "2025-11-30T00:00:01+02:00", "DATE"),
        ("month", "2025-11-02", "MONTH"),
        ("time", "2025-11-30", "TIME"),
        ("time", "2025-11-30T09:00:00", "TIME_ZONE"),
        ("time", "2025-11-30T25:00:00Z", "TIME"),
        ("bool", "1", "BOOLEAN"),
        ("code", "a\x00b", "CHARACTER"),
        ("code", "x" * 65, "TOO_LONG"),
    ],
)
def test_refused(kind: str, cell: str, code: str) -> None:
    with pytest.raises(CellError, match=code):
        parser_for(Column("c", kind, length=64))(cell)
