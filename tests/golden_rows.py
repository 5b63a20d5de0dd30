"""Golden rows: one row of an official's spreadsheet is one test case; public case files when they are at
hand.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

GOLDEN = Path(__file__).parent / "golden"


def golden(name: str) -> list[Any]:
    """Rows of ``tests/golden/<name>.csv`` as parameters; the column ``case`` names the test."""
    with (GOLDEN / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return [pytest.param(row, id=row["case"]) for row in csv.DictReader(file)]


def case_file(name: str) -> dict[str, Any]:
    """A published case from $CASES_DIR; skips with the reason when the folder is not given."""
    folder = os.environ.get("CASES_DIR")
    if not folder:
        pytest.skip("CASES_DIR is not set: published cases are not at hand")
    data: dict[str, Any] = json.loads((Path(folder) / f"{name}.json").read_text(encoding="utf-8"))
    return data


def number(text: str) -> Decimal | None:
    """A cell as a number; an empty cell is not given."""
    return Decimal(text) if text else None


def numbers(text: str, separator: str = ";") -> list[Decimal]:
    """A cell with several numbers."""
    return [Decimal(part) for part in text.split(separator) if part]


def checked(rows: Iterable[Any]) -> list[Any]:
    """The rows of a case, refusing an empty list: a test over nothing cannot fail."""
    found = list(rows)
    assert found, "the case has no rows"
    return found
