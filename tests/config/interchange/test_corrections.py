"""A corrected month goes with a package: recalculated from it, the same is owed in the end."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

import pytest

from settlement.books import verify_books
from tests.config.interchange.packages import dump
from tests.oracle.recalculate import recalculate
from tests.settlement.actions.corrected_town import approve, closed_town, in_hospital, lower_income, propose

pytestmark = pytest.mark.django_db(transaction=True)
FIGURES = ("gross", "fee", "payable")


def _sums(rows: Iterable[dict[str, str]]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        for name in FIGURES:
            sums[name] += Decimal(row[name])
    return dict(sums)


def test_an_independent_recalculation_owes_the_same_after_a_correction(tmp_path: Path) -> None:
    town = closed_town(tmp_path / "given")
    lower_income()
    in_hospital()
    made = approve(town, propose(town))
    files = dump(tmp_path / "one")
    rows = {
        name: list(csv.DictReader(io.StringIO(files[f"{name}.csv"].decode()))) for name in ("adjudications", "claims")
    }
    oracle = recalculate(tmp_path / "one").adjudications
    assert _sums(oracle) == _sums(rows["adjudications"])
    # A package knows the present facts only: the copy is decided alike line by line, by them as by the correction.
    copy = made.claims.get().new_claim.number
    assert [row for row in oracle if row["claim_number"] == copy] == [
        row for row in rows["adjudications"] if row["claim_number"] == copy
    ]
    assert [row["run"] for row in rows["claims"]] == ["1", "2", "2"]
    assert [fault for fault in verify_books() if "certificate" not in fault.check] == []
