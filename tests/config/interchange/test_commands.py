"""The commands as people run them."""

from __future__ import annotations

import getpass
import json
import signal
import time
from argparse import ArgumentTypeError
from datetime import date
from pathlib import Path

import pytest
from django.db import connection
from django.utils.translation import override

from config.accounts.models import Membership, Organisation, User
from config.audit.models import AuditEvent
from config.interchange.management.commands.export_package import run_number
from config.interchange.tables import OPTIONAL_TABLES, READ_TABLES
from settlement.models import Claim, ClaimLine
from tests.config.interchange.processes import run, start
from tests.oracle.generate import write
from tests.oracle.small import add_visit, clean_tables, example_5_2

pytestmark = pytest.mark.django_db(transaction=True)


def test_import_says_what_it_did(tmp_path: Path) -> None:
    path = write(example_5_2(), tmp_path)
    code, out, err = run("import_package", path)
    assert code == 0, err
    line = next(line for line in out.splitlines() if line.startswith("claim_lines"))
    assert line.split()[1:] == ["14", "14", "0", "0"]
    code, out, _ = run("import_package", path, "--json")
    counts = {row["table"]: row for row in json.loads(out)["tables"]}
    assert code == 0
    assert set(counts) == set(READ_TABLES) - set(OPTIONAL_TABLES)
    assert counts["claim_lines"] == {
        "table": "claim_lines", "read": 14, "created": 0, "unchanged": 14, "refused": 0
    }  # fmt: skip


def test_refused_import_ends_with_one_and_lists_the_rows(tmp_path: Path) -> None:
    tables = example_5_2()
    tables["claim_lines"][2]["units"] = "0"
    code, out, _ = run("import_package", write(tables, tmp_path), "--json")
    (refusal,) = json.loads(out)["refused"]
    assert code == 1
    assert (refusal["file"], refusal["row"], refusal["column"], refusal["value"], refusal["code"]) == (
        "claim_lines.csv", 4, "units", "0", "NOT_POSITIVE",
    )  # fmt: skip
    assert refusal["sentence"]
    assert not Claim.objects.exists()


def test_no_package_and_wrong_usage(tmp_path: Path) -> None:
    code, out, _ = run("import_package", tmp_path / "nothing", "--json")
    assert (code, json.loads(out)["title"]) == (1, "PACKAGE_UNREADABLE")
    assert run("import_package")[0] == 2
    assert run("export_package", tmp_path / "out", "--period", "November")[0] == 2
    code, _, err = run("export_package", tmp_path / "out")
    assert code == 1 and "ORGANISATION_UNKNOWN" in err


@pytest.mark.parametrize("text", ["2025-99/9", "2025-11/0", "2025/1", "/2", "2025-11/x", "x"])
def test_a_run_that_is_written_otherwise_is_told_how_to_write_it(text: str) -> None:
    assert (run_number("2"), run_number("2025-11/2")) == ((None, 2), (date(2025, 11, 1), 2))
    with override("en"), pytest.raises(ArgumentTypeError, match="2025-11/2"):
        run_number(text)


def test_export_by_command(tmp_path: Path) -> None:
    run("import_package", write(example_5_2(), tmp_path / "in"))
    code, out, err = run("export_package", tmp_path / "out", "--json", "--period", "2025-11")
    assert code == 0, err
    rows = {row["table"]: row["rows"] for row in json.loads(out)["tables"]}
    assert (rows["claims"], rows["claim_lines"], rows["adjudications"]) == (1, 14, 0)
    assert (tmp_path / "out" / "datapackage.json").exists()
    code, out, _ = run("export_package", tmp_path / "early", "--json", "--period", "2025-10")
    assert {row["table"]: row["rows"] for row in json.loads(out)["tables"]}["claims"] == 0


def test_export_names_who_did_it(tmp_path: Path) -> None:
    run("import_package", write(example_5_2(), tmp_path / "in"))
    office = Organisation.objects.get()
    for name, role in (("audit", "auditor"), ("case", "case_worker"), ("gone", "auditor")):
        user = User.objects.create_user(name, is_active=name != "gone")
        Membership.objects.create(user=user, organisation=office, role=role)
    assert run("export_package", tmp_path / "a", "--as", "audit")[0] == 0
    for name in ("case", "gone", "nobody"):
        code, out, _ = run("export_package", tmp_path / "b", "--json", "--as", name)
        assert (code, json.loads(out)["title"]) == (1, "NOT_PERMITTED")
    assert not (tmp_path / "b").exists()
    assert run("export_package", tmp_path / "c")[0] == 0
    named, unnamed = AuditEvent.objects.filter(action="package.exported").order_by("id")
    assert (named.actor, "operator" in named.data) == ("audit", False)
    assert (unnamed.actor, unnamed.data["operator"]) == ("system", getpass.getuser())


def test_settle_plays_the_runs_and_then_has_nothing_left(tmp_path: Path) -> None:
    run("import_package", write(example_5_2(), tmp_path / "in"))
    code, out, err = run("settle", "--period", "2025-11", "--json")
    assert code == 0, err
    (figures,) = json.loads(out)["runs"]
    assert (figures["run"], figures["claims"], figures["lines"]) == (1, 1, 14)
    assert (figures["gross"], figures["fee"], figures["payable"]) == ("1520.00", "1278.00", "242.00")
    code, out, _ = run("settle", "--period", "2025-11", "--json")
    assert (code, json.loads(out)["runs"]) == (0, [])


def test_settle_refuses_with_a_code(tmp_path: Path) -> None:
    code, out, _ = run("settle", "--period", "2025-11", "--organisation", "nobody", "--json")
    assert (code, json.loads(out)["title"]) == (1, "ORGANISATION_UNKNOWN")
    assert run("settle", "--period", "2025-11", "--as-of", "yesterday")[0] == 2
    tables = example_5_2()
    tables["claims"].append(tables["claims"][0] | {"number": "A-0", "period": "2025-10"})
    run("import_package", write(tables, tmp_path / "in"))
    code, out, _ = run("settle", "--period", "2025-11", "--json")
    assert (code, json.loads(out)["title"]) == (1, "EARLIER_PERIOD_OPEN")


def busy_with(fragment: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND query LIKE %s",
            [f"%{fragment}%"],
        )
        return bool(cursor.fetchone()[0])


@pytest.mark.parametrize("moment", ["COPY stage_claim_lines", "INSERT INTO settlement_claimline"])
def test_import_killed_in_the_middle_leaves_nothing(tmp_path: Path, moment: str) -> None:
    tables = clean_tables()
    for _ in range(8_000):
        add_visit_fast(tables)
    path = write(tables, tmp_path)
    process = start("import_package", path)
    deadline = time.monotonic() + 60
    while not busy_with(moment) and time.monotonic() < deadline:
        assert process.poll() is None, "the import ended before it could be killed"
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    while busy_with("stage_") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Organisation.objects.exists()
    assert not ClaimLine.objects.exists()
    assert not AuditEvent.objects.exists()


def add_visit_fast(tables: dict[str, list[dict[str, str]]]) -> None:
    """One more copy of the first visit: what is in it does not matter here."""
    lines = tables["claim_lines"] or [add_visit(tables, "2025-11-03")]
    lines.append(lines[0] | {"line": str(len(lines) + 1)})
