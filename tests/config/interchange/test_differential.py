"""The product against the independent recalculation: import, settle every month, export, compare to the kopiyka."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import call_command

from config.accounts.models import Organisation
from config.audit.actors import SYSTEM
from config.interchange.exporting import export_package
from config.interchange.settling import EarlierMonthOpen, settle_month
from settlement.models import AdjudicationRun, Claim
from tests.config.interchange.packages import dump, load, load_tables
from tests.conftest import AT
from tests.oracle.generate import generate, write
from tests.oracle.recalculate import recalculate
from tests.oracle.small import Tables, add, add_visit, clean_tables, example_5_2

pytestmark = pytest.mark.django_db(transaction=True)

RESULTS = ("adjudications", "findings", "remittances")
LATE = date(2026, 12, 31)
Rows = list[tuple[object, ...]]


def settle_all() -> None:
    """Every month of the only municipality, in order, as known when all claims had been handed in."""
    organisation = Organisation.objects.get(code="TEST")
    months = Claim.objects.filter(status="submitted").values_list("period", flat=True)
    for period in sorted(set(months)):
        settle_month(organisation=organisation, period=period, as_of=LATE, actor=SYSTEM, at=AT)


def normal(row: dict[str, str]) -> tuple[object, ...]:
    """A row without detail, numbers as numbers."""
    texts = {"run", "claim_number", "line", "provider_code", "check", "severity", "outcome"}
    return tuple(value if name in texts else Decimal(value) for name, value in row.items() if name != "detail")


def exported(files: dict[str, bytes], name: str) -> Rows:
    """Rows of an exported table, sorted; without given findings of a run that has not judged their line."""
    rows = _rows(files, name)
    if name == "findings":
        judged = {_line(row) for row in _rows(files, "adjudications")}
        rows = [row for row in rows if _line(row) in judged]
    return sorted(normal(row) for row in rows)


def _rows(files: dict[str, bytes], name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files[f"{name}.csv"].decode())))


def _line(row: dict[str, str]) -> tuple[str, str, str]:
    return row["run"], row["claim_number"], row["line"]


def expected(path: Path) -> dict[str, Rows]:
    """What the independent recalculation says of the package."""
    result = recalculate(path)
    return {name: sorted(normal(row) for row in getattr(result, name)) for name in RESULTS}


@pytest.mark.parametrize("seed", range(200, 206))
def test_random_packages_settle_as_recalculated(tmp_path: Path, seed: int) -> None:
    path = write(generate(seed, lines=80), tmp_path / "given")
    assert load(path).imported
    settle_all()
    files = dump(tmp_path / "out")
    for name, rows in expected(path).items():
        assert exported(files, name) == rows, name


@pytest.mark.parametrize(("seed", "among"), [(201, "2025-12-26"), (204, "2025-11-05")])
def test_a_package_under_pseudonyms_recalculates_to_the_same(tmp_path: Path, seed: int, among: str) -> None:
    """With a death among the services and with others long after them."""
    tables = generate(seed, lines=80)
    for row in tables["recipients"]:
        row["death_date"] = row["death_date"] or "2027-02-10"
    path = write(tables, tmp_path / "given")
    assert load(path).imported
    organisation = Organisation.objects.get()
    export_package(organisation=organisation, path=tmp_path / "p", actor=SYSTEM, at=AT, pseudonymise=True)
    shown = csv.DictReader((tmp_path / "p" / "recipients.csv").open())
    assert {row["death_date"] for row in shown} == {among, "2027-02-28"}
    assert expected(tmp_path / "p") == expected(path)


def test_worked_example_of_rulebook_5_2(tmp_path: Path) -> None:
    path = write(example_5_2(), tmp_path / "given")
    assert load(path).imported
    settle_all()
    files = dump(tmp_path / "out")
    assert {name: exported(files, name) for name in RESULTS} == expected(path)
    (row,) = csv.DictReader(io.StringIO(files["remittances.csv"].decode()))
    assert (row["amount_claimed"], row["gross"], row["fee"], row["payable"]) == (
        "2058.00", "1520.00", "1278.00", "242.00",
    )  # fmt: skip


def test_settled_month_travels_with_its_runs(tmp_path: Path) -> None:
    """Exported after settling, imported elsewhere and settled there: the same results, byte for byte."""
    assert load(write(generate(203), tmp_path / "given")).imported
    settle_all()
    one = dump(tmp_path / "one")
    call_command("flush", verbosity=0, interactive=False)
    assert load(tmp_path / "one").imported
    settle_all()
    two = dump(tmp_path / "two")
    assert {name for name in one if one[name] != two[name]} <= {"postings.csv"}


def test_package_imported_again_after_settling_changes_nothing(tmp_path: Path) -> None:
    path = write(generate(204), tmp_path / "given")
    load(path)
    settle_all()
    again = load(path)
    assert again.imported, again.refusals
    assert sum(count.created for count in again.tables) == 0


def test_new_line_of_a_judged_claim_is_refused(tmp_path: Path) -> None:
    tables = example_5_2()
    load_tables(tables, tmp_path / "a")
    settle_all()
    add_visit(tables, "2025-11-20")
    report = load_tables(tables, tmp_path / "b")
    assert [(r.file, r.row, r.column, r.code) for r in report.refusals] == [
        ("claim_lines.csv", 16, "claim_number", "FROZEN")
    ]


def two_months() -> Tables:
    tables = clean_tables()
    add(tables, "claims", **(tables["claims"][0] | {"number": "A-0", "period": "2025-10"}))
    add_visit(tables, "2025-11-03")
    add_visit(tables, "2025-10-03", claim_number="A-0", starts_at="2025-10-03T09:00:00+03:00",
              ends_at="2025-10-03T10:30:00+03:00")  # fmt: skip
    return tables


def test_months_are_settled_in_order(tmp_path: Path) -> None:
    load_tables(two_months(), tmp_path)
    organisation = Organisation.objects.get()
    with pytest.raises(EarlierMonthOpen):
        settle_month(organisation=organisation, period=date(2025, 11, 1), as_of=AT.date(), actor=SYSTEM, at=AT)
    settle_all()
    assert AdjudicationRun.objects.count() == 2


def test_export_of_a_month_has_the_history_and_only_its_results(tmp_path: Path) -> None:
    load_tables(two_months(), tmp_path / "given")
    settle_all()
    organisation = Organisation.objects.get()

    def rows(name: str, **options: object) -> tuple[int, int]:
        written = export_package(
            organisation=organisation,
            path=tmp_path / name,
            actor=SYSTEM,
            at=AT,
            **options,  # type: ignore[arg-type]
        )
        counts = {table.table: table.rows for table in written}
        return counts["claim_lines"], counts["adjudications"]

    assert rows("november", period=date(2025, 11, 1)) == (2, 1)
    assert rows("october", period=date(2025, 10, 1)) == (1, 1)
    assert rows("run", period=date(2025, 11, 1), run=1) == (2, 1)
    assert rows("earlier", period=date(2025, 10, 1), run=1) == (1, 1)
    assert rows("all") == (2, 2)
