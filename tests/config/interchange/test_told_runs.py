"""What a package may tell of earlier runs: whole runs of imported claims, that nobody waits for in vain."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from config.audit.actors import SYSTEM
from config.errors import DomainError
from config.interchange.importing import ImportReport
from config.interchange.tables import OPTIONAL_TABLES
from settlement.actions.claims import withdraw_claim
from settlement.decided_queries import decided_runs_waiting
from settlement.models import AdjudicationRun, Claim, ClaimLine, DecidedFinding, DecidedLine, DecidedRun
from tests.config.interchange.packages import dump, load, refused
from tests.oracle.generate import write
from tests.oracle.small import Tables, add, add_visit
from tests.settlement.actions.month import AT, free_visits, imported, judge, the_claim

pytestmark = pytest.mark.django_db
RUN = "2025-11,1,1"
LINES = ("1,A-1,1,1.500,95.0000,142.50,0.00,accepted", "1,A-1,2,1.500,95.0000,142.50,0.00,accepted")
# Half of the second line was rejected.
REDUCED = LINES[1].replace("1.500", "1.000").replace("142.50", "95.00").replace("accepted", "reduced")
TAKEN = "1,A-1,2,CLM-33,R,0.500,47.50,"


def month() -> Tables:
    """Two visits of a claim of the first run, claimed at the price of the contract."""
    tables = free_visits()
    tables["claims"][0]["run"] = "1"
    for line in tables["claim_lines"]:
        line |= {"unit_rate": "95", "amount": "142.50"}
    return tables


def package(
    tables: Tables, folder: Path, *, runs: tuple[str, ...] = (RUN,), lines: tuple[str, ...] = LINES,
    findings: tuple[str, ...] = (),
) -> Path:  # fmt: skip
    """The tables and what is told of earlier runs."""
    write(tables, folder)
    descriptor = json.loads((folder / "datapackage.json").read_text())
    for name, rows in (("decided_runs", runs), ("decided_lines", lines), ("decided_findings", findings)):
        header = ",".join(OPTIONAL_TABLES[name].names)
        (folder / f"{name}.csv").write_text("\n".join([header, *rows]) + "\n")
        descriptor["resources"].append({"name": name, "path": f"{name}.csv"})
    (folder / "datapackage.json").write_text(json.dumps(descriptor))
    return folder


def codes(report: ImportReport) -> list[tuple[str, int, str]]:
    """File, row and code of every refusal."""
    assert not report.imported
    return [(file, row, code) for file, row, _column, _value, code in refused(report)]


def told() -> int:
    return DecidedRun.objects.count() + DecidedLine.objects.count() + DecidedFinding.objects.count()


def test_what_is_told_of_an_imported_claim_is_taken_as_it_is(tmp_path: Path) -> None:
    report = load(package(month(), tmp_path / "a", lines=(LINES[0], REDUCED), findings=(TAKEN,)))
    assert report.imported, report.refusals
    run = judge(the_claim().organisation)
    assert run is not None and run.payable_minor == 23_750
    again = load(tmp_path / "a")
    assert again.imported and not any(count.created for count in again.tables)


def test_no_package_decides_a_claim_that_was_made_here(tmp_path: Path) -> None:
    """Adjudicated here, it is paid by the rules; a package with the same decisions says nothing new."""
    office = imported(month(), tmp_path / "given")
    Claim.objects.update(imported=False)
    report = load(package(month(), tmp_path / "a", lines=(LINES[0], REDUCED), findings=(TAKEN,)))
    assert codes(report) == [
        ("decided_lines.csv", 2, "JUDGED_HERE"),
        ("decided_lines.csv", 3, "JUDGED_HERE"),
        ("decided_findings.csv", 2, "JUDGED_HERE"),
        ("decided_runs.csv", 2, "MONTH_HELD_HERE"),
    ]
    assert told() == 0
    run = judge(office)
    assert run is not None and run.payable_minor == 28_500
    assert load(package(month(), tmp_path / "same")).imported and told() == 0


def test_a_month_with_claims_made_here_takes_no_told_run(tmp_path: Path) -> None:
    """Its claims would be judged in told runs, or these wait for claims that are not there."""
    tables = month()
    add(tables, "claims", **(tables["claims"][0] | {"number": "A-2", "run": ""}))
    add_visit(tables, "2025-11-10", claim_number="A-2", unit_rate="95", amount="142.50")
    imported(tables, tmp_path / "given")
    Claim.objects.filter(number="A-2").update(imported=False)
    folder = package(tables, tmp_path / "a")
    assert codes(load(folder)) == [("decided_runs.csv", 2, "MONTH_HELD_HERE")]
    Claim.objects.update(imported=True)
    assert load(folder).imported


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1.500", "1.501"),
        ("95.0000", "95.0001"),
        ("142.50", "142.51"),
        ("1,1.500", "1,1.000"),
    ],
)
def test_nothing_above_what_was_claimed_is_told(tmp_path: Path, old: str, new: str) -> None:
    bad = LINES[0].replace(old, new)
    assert bad != LINES[0]
    found = codes(load(package(month(), tmp_path / "a", lines=(bad, LINES[1]))))
    assert found[0] == ("decided_lines.csv", 2, "ALLOWED_TOO_MUCH")


def test_a_run_is_told_as_a_whole(tmp_path: Path) -> None:
    """None of its lines, one too few, or amounts that do not add up: it would wait for ever, and every run with it."""
    whole = [("decided_runs.csv", 2, "RUN_INCOMPLETE")]
    assert codes(load(package(month(), tmp_path / "a", lines=()))) == whole
    assert codes(load(package(month(), tmp_path / "b", lines=LINES[:1]))) == whole
    assert codes(load(package(month(), tmp_path / "c", lines=(LINES[0], REDUCED)))) == whole
    elsewhere = package(month(), tmp_path / "d", runs=(RUN, "2025-10,1,2"))
    assert codes(load(elsewhere)) == [("decided_runs.csv", 3, "RUN_INCOMPLETE")]
    assert load(package(month(), tmp_path / "e")).imported


def test_a_run_of_which_a_row_was_refused_is_not_taken_either(tmp_path: Path) -> None:
    """Good rows alone are accepted; the claim is judged by the rules then."""
    bad = LINES[1].replace("142.50,0.00", "142.50,142.51")
    report = load(package(month(), tmp_path / "a", lines=(LINES[0], bad)), accept_good_rows=True)
    assert report.imported and [refusal.code for refusal in report.refusals] == ["FEE_TOO_HIGH", "RUN_INCOMPLETE"]
    assert not DecidedRun.objects.exists()
    run = judge(the_claim().organisation)
    assert run is not None and run.payable_minor == 28_500


def two_runs(folder: Path, *runs: str) -> Path:
    """A claim of each of two runs; ``runs`` are told."""
    tables = month()
    add(tables, "claims", **(tables["claims"][0] | {"number": "A-2", "run": "2"}))
    add_visit(tables, "2025-11-10", claim_number="A-2", unit_rate="95", amount="142.50")
    wanted = {run.split(",")[1] for run in runs}
    lines = (*LINES, LINES[0].replace("1,A-1", "2,A-2"))
    return package(tables, folder, runs=runs, lines=tuple(line for line in lines if line[0] in wanted))


def test_runs_of_a_month_are_told_in_the_order_in_which_they_can_be_played(tmp_path: Path) -> None:
    turned = codes(load(two_runs(tmp_path / "a", "2025-11,1,2", "2025-11,2,1")))
    assert turned == [("decided_runs.csv", 2, "RUN_ORDER"), ("decided_runs.csv", 3, "RUN_ORDER")]
    assert codes(load(two_runs(tmp_path / "b", "2025-11,2,1"))) == [("decided_runs.csv", 2, "RUN_ORDER")]
    assert load(two_runs(tmp_path / "c", "2025-11,1,1", "2025-11,2,2")).imported
    office = the_claim().organisation
    assert [run.number for run in (judge(office), judge(office)) if run] == [1, 2]
    assert judge(office) is None


def test_a_run_that_was_overtaken_here_is_not_told_any_more(tmp_path: Path) -> None:
    tables = month()
    add(tables, "claims", **(tables["claims"][0] | {"number": "A-2", "run": "2"}))
    tables["claims"] = tables["claims"][1:]
    for line in tables["claim_lines"]:
        line["claim_number"] = "A-2"
    office = imported(tables, tmp_path / "given")
    assert getattr(judge(office), "number", None) == 2
    late = month()
    late["claims"] += tables["claims"]
    late["claim_lines"] += tables["claim_lines"]
    assert codes(load(package(late, tmp_path / "a"))) == [("decided_runs.csv", 2, "RUN_DONE")]


def test_a_run_that_was_told_takes_no_more_claims_or_lines(tmp_path: Path) -> None:
    """It would be incomplete, and could never be played."""
    folder = package(month(), tmp_path / "a")
    assert load(folder).imported
    more = month()
    add_visit(more, "2025-11-10", unit_rate="95", amount="142.50")
    assert codes(load(write(more, tmp_path / "b")))[0] == ("claim_lines.csv", 4, "RUN_TOLD")
    other = month()
    add(other, "claims", **(other["claims"][0] | {"number": "A-2"}))
    assert codes(load(write(other, tmp_path / "c"))) == [("claims.csv", 3, "RUN_TOLD")]
    other["claims"][1]["run"] = "2"
    assert load(write(other, tmp_path / "d")).imported


def test_nobody_waits_for_a_run_whose_claims_were_withdrawn(tmp_path: Path) -> None:
    assert load(two_runs(tmp_path / "a", "2025-11,1,1")).imported
    claim = the_claim()
    assert decided_runs_waiting(claim.organisation) == [(claim.period, 1)]
    withdraw_claim(organisation=claim.organisation, claim_id=claim.pk, reason="помилка", actor=SYSTEM, at=AT)
    assert decided_runs_waiting(claim.organisation) == []
    run = judge(claim.organisation)
    assert run is not None and (run.number, run.payable_minor) == (2, 14_250)


def test_a_line_that_came_otherwise_stops_the_run(tmp_path: Path) -> None:
    """An import refuses such a package; what changed a claim after it is found when the run is played."""
    assert load(package(month(), tmp_path / "a")).imported
    line = ClaimLine.objects.get(line=2)
    line.pk, line.line = None, 3
    line.save(force_insert=True)
    with pytest.raises(DomainError) as raised:
        judge(line.claim.organisation)
    assert raised.value.code == "DECIDED_INCOMPLETE" and "A-1" in str(raised.value)
    assert not AdjudicationRun.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_descriptor_says_how_the_tables_of_earlier_runs_are_used(tmp_path: Path) -> None:
    assert load(package(month(), tmp_path / "a", lines=(LINES[0], REDUCED), findings=(TAKEN,))).imported
    resources = {row["name"]: row for row in json.loads(dump(tmp_path / "b")["datapackage.json"])["resources"]}
    for name in ("decided_runs", "decided_lines", "decided_findings"):
        assert resources[name]["title"] and resources[name]["description"]
        assert all(field["description"] for field in resources[name]["schema"]["fields"])
    assert "turn" in resources["decided_runs"]["description"]
