"""Findings of checks that a package cannot decide: kept as given, settled, exported in the same words."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from config.accounts.models import Organisation
from config.audit.actors import SYSTEM
from config.interchange.settling import given_unused, settle_month
from settlement.explanations import explain_lines
from settlement.line_queries import claim_lines, histories, line_sources
from settlement.models import Claim, Finding, GivenFinding
from settlement.rules.given import DECIDABLE
from tests.config.interchange.packages import dump, load, load_tables, refused
from tests.config.interchange.test_differential import RESULTS, expected, exported
from tests.conftest import AT
from tests.oracle.generate import write
from tests.oracle.small import Tables, add, add_visit, clean_tables
from tests.settlement.actions.month import NOVEMBER

pytestmark = pytest.mark.django_db(transaction=True)

BLURRED = {"check": "CLM-33", "severity": "C", "units": "0.500", "amount": "47.50", "detail": "скан розмитий"}


def visits(*findings: dict[str, str]) -> Tables:
    """Two visits of 1.5 h at 95.00, each finding on the first, in run 1."""
    tables = clean_tables()
    for day in ("2025-11-03", "2025-11-04"):
        add_visit(tables, day, unit_rate="95", amount="142.50")
    for finding in findings:
        add(tables, "findings", **({"run": "1", "claim_number": "A-1", "line": "1"} | finding))
    return tables


def settle() -> None:
    organisation = Organisation.objects.get(code="TEST")
    settle_month(organisation=organisation, period=NOVEMBER, as_of=AT.date(), actor=SYSTEM, at=AT)


def lines(files: dict[str, bytes]) -> dict[str, tuple[str, str, str]]:
    rows = csv.DictReader(io.StringIO(files["adjudications.csv"].decode()))
    return {row["line"]: (row["units_allowed"], row["gross"], row["outcome"]) for row in rows}


@pytest.mark.parametrize(
    ("finding", "outcome", "taken"),
    [
        (BLURRED, ("1.000", "95.00", "reduced"), (500, 4750)),
        (BLURRED | {"units": "9.000", "amount": "855.00"}, ("0.000", "0.00", "reduced"), (1500, 14250)),
        (BLURRED | {"units": "0", "amount": "12.34"}, ("1.500", "130.16", "reduced"), (0, 1234)),
        (BLURRED | {"units": "0", "amount": "999"}, ("1.500", "0.00", "reduced"), (0, 14250)),
        (BLURRED | {"severity": "R", "units": "1.5", "amount": "142.50"}, ("0.000", "0.00", "rejected"), (1500, 14250)),
        (BLURRED | {"severity": "P", "units": "0.5"}, ("0.000", "0.00", "pended"), (1500, 14250)),
        (BLURRED | {"severity": "P", "units": "0", "amount": "0"}, ("1.500", "142.50", "accepted"), (0, 0)),
        (BLURRED | {"severity": "W", "units": "0", "amount": "0"}, ("1.500", "142.50", "accepted"), (0, 0)),
    ],
)
def test_given_finding_takes_what_it_says_bounded_by_what_is_left(
    tmp_path: Path, finding: dict[str, str], outcome: tuple[str, str, str], taken: tuple[int, int]
) -> None:
    path = write(visits(finding), tmp_path / "given")
    assert load(path).imported
    settle()
    files = dump(tmp_path / "out")
    assert lines(files) == {"1": outcome, "2": ("1.500", "142.50", "accepted")}
    assert Finding.objects.values_list("check_code", "units", "amount").get() == ("CLM-33", *taken)
    assert {name: exported(files, name) for name in RESULTS} == expected(path)


def test_travels_byte_for_byte_before_and_after_settling(tmp_path: Path) -> None:
    details = ('{"b":1,"a":[1.50,null]}', "{", '{"text": "a\\u0000b"}', "", '{"date": "soon", "left": "x"}', "NaN")
    found = [BLURRED | {"check": f"CLM-{40 + n}", "detail": detail, "units": "0"} for n, detail in enumerate(details)]
    assert load_tables(visits(*found), tmp_path / "given").imported
    before = dump(tmp_path / "before")["findings.csv"]
    rows = list(csv.DictReader(io.StringIO(before.decode())))
    assert [row["detail"] for row in rows] == list(details)
    settle()
    one = dump(tmp_path / "one")
    call_command("flush", verbosity=0, interactive=False)
    assert load(tmp_path / "one").imported
    settle()
    assert dump(tmp_path / "two") == one
    again = load(tmp_path / "one")
    assert again.imported and not any(count.created for count in again.tables)


def test_decidable_checks_are_recalculated_and_counted(tmp_path: Path) -> None:
    assert len(DECIDABLE) == 28
    nonsense = {"check": "CLM-12", "severity": "?", "units": "many"}
    report = load_tables(visits(nonsense, BLURRED), tmp_path)
    assert report.imported
    assert [(i.file, i.code, i.rows) for i in report.ignored] == [("findings.csv", "RECALCULATED", 1)]
    assert GivenFinding.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "column", "code"),
    [
        ({"claim_number": "A-9"}, "claim_number", "REFERENCE"),
        ({"line": "9"}, "line", "REFERENCE"),
        ({"severity": "X"}, "severity", "CHOICE"),
        ({"units": "-1"}, "units", "NEGATIVE"),
        ({"units": "0.0001"}, "units", "DECIMALS"),
        ({"amount": "a lot"}, "amount", "NUMBER"),
        ({"check": "CLM-3"}, "check", "CHECK"),
        ({"run": "0"}, "run", "NOT_POSITIVE"),
        ({"severity": "W"}, "amount", "TAKES"),
        ({"severity": "R", "units": "0"}, "amount", "TAKES"),
        ({"detail": "x" * 4001}, "detail", "TOO_LONG"),
    ],
)
def test_refused(tmp_path: Path, change: dict[str, str], column: str, code: str) -> None:
    report = load_tables(visits(BLURRED | change), tmp_path)
    assert [(r.file, r.row, r.column, r.code) for r in report.refusals] == [("findings.csv", 2, column, code)]
    assert not report.imported and not GivenFinding.objects.exists()


def test_a_key_twice_a_run_before_the_claims_own_and_a_played_run_are_refused(tmp_path: Path) -> None:
    twice = load_tables(visits(BLURRED, BLURRED), tmp_path / "a")
    assert [(r.row, r.code) for r in twice.refusals] == [(3, "DUPLICATE_KEY")]
    tables = visits(BLURRED)
    tables["claims"][0]["run"] = "2"
    assert [r.code for r in load_tables(tables, tmp_path / "b").refusals] == ["RUN_TOO_EARLY"]
    load_tables(visits(), tmp_path / "c")
    settle()
    assert [r.code for r in load_tables(visits(BLURRED), tmp_path / "d").refusals] == ["RUN_DONE"]


def test_same_findings_again_change_nothing_and_others_differ(tmp_path: Path) -> None:
    load_tables(visits(BLURRED), tmp_path / "a")
    again = load_tables(visits(BLURRED), tmp_path / "b")
    assert again.imported and not any(count.created for count in again.tables)
    other = load_tables(visits(BLURRED | {"amount": "47.51"}), tmp_path / "c")
    assert refused(other) == [("findings.csv", 2, "amount", "47.51", "DIFFERS")]


def test_a_lifted_pend_and_a_run_that_did_not_judge_the_line(tmp_path: Path) -> None:
    tables = visits(BLURRED | {"severity": "P"}, BLURRED | {"check": "CLM-34", "run": "7"})
    tables["claims"][0]["run"] = "1"
    add(tables, "clearances", run="2", claim_number="A-1", line="1", check="CLM-33")
    path = write(tables, tmp_path / "given")
    assert load(path).imported
    settle()
    files = dump(tmp_path / "out")
    assert {name: exported(files, name) for name in RESULTS} == expected(path)
    assert lines(files)["1"] == ("1.500", "142.50", "accepted")
    assert given_unused(Organisation.objects.get(code="TEST"), NOVEMBER) == 1


def test_history_is_append_only(tmp_path: Path) -> None:
    load_tables(visits(BLURRED), tmp_path)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE settlement_givenfinding SET amount = 1")


def test_claim_page_says_that_it_was_given(tmp_path: Path) -> None:
    strange = BLURRED | {"check": "CLM-39", "detail": '{"date": "soon", "left": "x"}', "units": "0", "amount": "1"}
    load_tables(visits(BLURRED, strange), tmp_path)
    settle()
    claim = Claim.objects.get()
    rows = list(claim_lines(claim))
    (explained, _second) = explain_lines(histories(rows), line_sources(claim.organisation_id, rows))
    ((_run, _outcome, steps),) = explained.runs
    words = {step.code: step.sentence for step in steps if step.kind == "finding"}
    assert words["CLM-33"].endswith(": скан розмитий") and words["CLM-39"].endswith("date: soon; left: x")
