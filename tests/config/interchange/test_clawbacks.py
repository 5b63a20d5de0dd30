"""What providers owed back goes with a package, and settles elsewhere to the same remittances."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from pathlib import Path

import pytest
from django.core.management import call_command
from frictionless import Package as FrictionlessPackage

from config.accounts.models import Organisation
from config.audit.actors import SYSTEM
from config.interchange.settling import settle_month
from settlement.actions.clawbacks import LineSum
from settlement.books import verify_books
from settlement.models import Claim, ClawbackStanding, Remittance
from tests.config.interchange.packages import dump, load, load_tables, refused
from tests.conftest import AT
from tests.oracle.generate import write
from tests.oracle.recalculate import recalculate
from tests.settlement.actions.clawback_town import clawback_town, two_months
from tests.settlement.actions.payables import balances

pytestmark = pytest.mark.django_db(transaction=True)

RESULTS = ("adjudications", "findings", "remittances")
LATE = date(2026, 12, 31)


def settled(office: Organisation) -> None:
    months = Claim.objects.filter(organisation=office, status="submitted").values_list("period", flat=True)
    for period in sorted(set(months)):
        settle_month(organisation=office, period=period, as_of=LATE, actor=SYSTEM, at=AT)


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_a_package_with_offsets_settles_to_the_same(tmp_path: Path) -> None:
    town = clawback_town(tmp_path / "given")
    town.decided(LineSum(town.line().pk), LineSum(town.line(line=2).pk, 5000))
    town.december()
    one = dump(tmp_path / "one")
    assert rows(one["clawbacks.csv"]) == [
        {"period": "2025-12", "run": "1", "provider_code": "P1", "outstanding": "192.50"}
    ]
    assert FrictionlessPackage(str(tmp_path / "one" / "datapackage.json")).validate().valid
    kept = {row["claim_number"]: row["offsets"] for row in rows(one["remittances.csv"])}
    assert kept == {"A-1": "0.00", "A-2": "142.50", "A-3": "50.00"}
    oracle = {row["claim_number"]: row["offsets"] for row in recalculate(tmp_path / "one").remittances}
    assert oracle == kept
    call_command("flush", verbosity=0, interactive=False)
    report = load(tmp_path / "one")
    assert report.imported, report.refusals
    office = Organisation.objects.get()
    settled(office)
    two = dump(tmp_path / "two")
    assert {name: two[f"{name}.csv"] for name in (*RESULTS, "clawbacks")} == {
        name: one[f"{name}.csv"] for name in (*RESULTS, "clawbacks")
    }
    assert ClawbackStanding.objects.get().given
    # The debt was owed before these books began: it stands against the opening balances.
    assert balances(office)["funding:opening"] == -19250
    assert verify_books() == []
    again = load(tmp_path / "one")
    assert [(row.created, row.unchanged) for row in again.tables if row.table == "clawbacks"] == [(0, 1)]


def test_a_package_without_clawbacks_has_no_such_table(tmp_path: Path) -> None:
    report = load_tables(two_months(), tmp_path / "given")
    assert "clawbacks" not in {count.table for count in report.tables}
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "clawbacks.csv").write_text("left from another export")
    files = dump(tmp_path / "one")
    assert "clawbacks.csv" not in files
    named = {row["name"] for row in json.loads(files["datapackage.json"])["resources"]}
    assert "remittances" in named and "clawbacks" not in named


def test_bad_rows_are_refused_with_their_cells(tmp_path: Path) -> None:
    folder = write(two_months(), tmp_path)
    lines = ["2025-12,1,P1,0", "2025-11,1,P7,5.00", "2025-11,0,P1,5.00"]
    (folder / "clawbacks.csv").write_text("\n".join(["period,run,provider_code,outstanding", *lines, ""]))
    report = load(folder)
    assert sorted(refused(report)) == [
        ("clawbacks.csv", 2, "outstanding", "0", "NOT_POSITIVE"),
        ("clawbacks.csv", 3, "provider_code", "P7", "REFERENCE"),
        ("clawbacks.csv", 4, "run", "0", "NOT_POSITIVE"),
    ]


def test_a_run_that_was_played_takes_no_debt_any_more(tmp_path: Path) -> None:
    folder = write(two_months(), tmp_path)
    load(folder)
    settled(Organisation.objects.get())
    (folder / "clawbacks.csv").write_text("period,run,provider_code,outstanding\n2025-11,1,P1,5.00\n")
    assert refused(load(folder)) == [("clawbacks.csv", 2, "run", "1", "RUN_DONE")]
    assert not Remittance.objects.exclude(offsets=0).exists()


def test_a_reversal_of_what_is_clawed_back_is_refused(tmp_path: Path) -> None:
    town = clawback_town(tmp_path / "given")
    town.decided()
    tables = two_months()
    tables["claims"].append(
        {**tables["claims"][0], "number": "A-9", "submitted_at": "2026-01-20T10:00:00+02:00", "reverses": "A-1"}
    )
    for row in tables["claims"]:
        row["run"] = "2" if row["number"] == "A-9" else row["run"]
    report = load(write(tables, tmp_path / "again"))
    assert [row[4] for row in refused(report) if row[0] == "claims.csv"] == ["REVERSES_CLAWBACK"]
