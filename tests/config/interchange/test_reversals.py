"""Claims that reverse others, each in a package that is otherwise good."""

from __future__ import annotations

from pathlib import Path

import pytest

from settlement.models import Claim
from tests.config.interchange.packages import load_tables, refused
from tests.oracle.small import Tables, add, example_5_2

pytestmark = pytest.mark.django_db


def claim(tables: Tables, number: str, reverses: str = "A-1", **values: str) -> None:
    """One more claim of the month, which reverses the first one."""
    add(tables, "claims", **(tables["claims"][0] | {"number": number, "reverses": reverses} | values))


def test_good_reversal(tmp_path: Path) -> None:
    tables = example_5_2()
    claim(tables, "A-2", status="withdrawn")
    claim(tables, "A-3")
    claim(tables, "A-0", reverses="", period="2025-12")
    assert load_tables(tables, tmp_path / "a").imported
    assert Claim.objects.get(number="A-3").reverses == Claim.objects.get(number="A-1")
    again = load_tables(tables, tmp_path / "b")
    assert again.imported and not any(count.created for count in again.tables)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"reverses": "A-2"}, "REVERSES_ITSELF"),
        ({"provider_code": "P2"}, "REVERSES_FOREIGN"),
        ({"period": "2025-10"}, "REVERSES_LATER"),
        ({"run": "1"}, "REVERSES_LATER"),
    ],
)
@pytest.mark.parametrize("stored", [False, True])
def test_bad_reversal(tmp_path: Path, values: dict[str, str], code: str, stored: bool) -> None:
    tables = example_5_2()
    add(tables, "providers", **(tables["providers"][0] | {"code": "P2"}))
    tables["claims"][0]["run"] = "2" if "run" in values else ""
    if stored and "run" not in values:
        assert load_tables(tables, tmp_path / "a").imported
        tables["claims"][0] |= {"number": "A-3", "submitted_at": tables["claims"][0]["submitted_at"]}
        tables["claim_lines"].clear()
    claim(tables, "A-2", **values)
    report = load_tables(tables, tmp_path / "b")
    assert refused(report) == [("claims.csv", 3, "reverses", values.get("reverses", "A-1"), code)]
    assert report.refusals[0].sentence


@pytest.mark.parametrize("stored", [False, True])
def test_reversal_of_a_reversal_and_second_reversal(tmp_path: Path, stored: bool) -> None:
    tables = example_5_2()
    claim(tables, "A-2")
    if stored:
        assert load_tables(tables, tmp_path / "a").imported
    claim(tables, "A-3", reverses="A-2")
    claim(tables, "A-4")
    assert refused(load_tables(tables, tmp_path / "b")) == [
        ("claims.csv", 4, "reverses", "A-2", "REVERSES_REVERSAL"),
        ("claims.csv", 5, "reverses", "A-1", "REVERSED_TWICE"),
    ]


def test_reversal_has_no_lines(tmp_path: Path) -> None:
    tables = example_5_2()
    claim(tables, "A-2")
    add(tables, "claim_lines", **(tables["claim_lines"][0] | {"claim_number": "A-2"}))
    assert refused(load_tables(tables, tmp_path)) == [
        ("claim_lines.csv", len(tables["claim_lines"]) + 1, "claim_number", "A-2", "REVERSAL_LINE")
    ]


def test_reversal_of_a_refused_claim(tmp_path: Path) -> None:
    tables = example_5_2()
    claim(tables, "A-2", reverses="", period="2025-13")
    claim(tables, "A-3", reverses="A-2")
    report = load_tables(tables, tmp_path, accept_good_rows=True)
    assert refused(report) == [
        ("claims.csv", 3, "period", "2025-13", "MONTH"),
        ("claims.csv", 4, "reverses", "A-2", "PARENT_REFUSED"),
    ]


@pytest.mark.parametrize("status", ["withdrawn", "returned"])
def test_what_is_not_handed_in_is_not_reversed(tmp_path: Path, status: str) -> None:
    tables = example_5_2()
    tables["claims"][0]["status"] = status
    claim(tables, "A-2", status="submitted")
    assert refused(load_tables(tables, tmp_path)) == [
        ("claims.csv", 3, "reverses", "A-1", "REVERSES_UNSUBMITTED"),
    ]
