"""A package with the facts of one run: recalculated and settled elsewhere it gives that run, whatever was learnt."""

from __future__ import annotations

import csv
import io
import json
import random
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from frictionless import Package as FrictionlessPackage

from config.accounts.models import Organisation
from config.audit.actors import SYSTEM
from config.audit.models import AuditEvent
from config.errors import DomainError
from config.interchange.exporting import export_package
from config.interchange.settling import settle_month
from contracts.models import Service
from settlement.actions.adjudication import adjudicate_claims
from settlement.actions.claims import reverse_claim
from settlement.books import verify_books
from settlement.models import AdjudicationRun, Claim, ClaimLine, DecidedLine, GivenFinding
from settlement.replay import replay_run
from tests.config.interchange.learning import learn_something
from tests.config.interchange.packages import dump, load, refused
from tests.config.interchange.processes import run as command
from tests.config.interchange.test_differential import RESULTS, expected, exported
from tests.conftest import AT
from tests.oracle.generate import generate, write
from tests.oracle.small import Tables, add, add_visit
from tests.settlement.actions.corrected_town import approve, closed_town, in_hospital, lower_income, propose
from tests.settlement.actions.lifting import lift
from tests.settlement.actions.month import NOVEMBER, free_visits, imported, judge
from tests.settlement.actions.put_right import put_norm_right, put_price_right
from tests.settlement.test_as_of import CASES, Case
from vouchers.models import Absence, Recipient, RecipientResidence

pytestmark = pytest.mark.django_db(transaction=True)
# Learnt on the 6th, as the cases of "as of" have it; judged again ten days later.
AGAIN = AT + timedelta(days=13)


def files_of_run(folder: Path, run: int, period: date = NOVEMBER, **options: Any) -> dict[str, bytes]:
    """The package of a run of the only municipality."""
    office = Organisation.objects.get(code="TEST")
    export_package(organisation=office, path=folder, actor=SYSTEM, at=AT, period=period, run=run, **options)
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def results(files: dict[str, bytes]) -> dict[str, list[tuple[object, ...]]]:
    """What the package says that its run made."""
    return {name: exported(files, name) for name in RESULTS}


def of_run(found: dict[str, list[tuple[object, ...]]], files: dict[str, bytes]) -> dict[str, list[tuple[object, ...]]]:
    """Rows of a recalculation that are of the run of the package."""
    number = json.loads(files["datapackage.json"])["facts"]["run"].partition("/")[2]
    claims = {row["claim_number"] for row in rows(files["remittances.csv"])}
    return {name: [row for row in found[name] if row[0] == number and row[1] in claims] for name in found}


def assert_recalculated(folder: Path, files: dict[str, bytes]) -> None:
    assert of_run(expected(folder), files) == results(files)


def assert_settles_elsewhere(folder: Path, files: dict[str, bytes], run: int, period: date = NOVEMBER) -> None:
    """Import into an empty database, export, settle, export the run: the same bytes."""
    call_command("flush", verbosity=0, interactive=False)
    report = load(folder)
    assert report.imported, report.refusals
    plain = dump(folder.parent / f"{folder.name}-plain")
    told = [name for name in files if name not in {"datapackage.json", *(f"{result}.csv" for result in RESULTS)}]
    assert {name: plain[name] for name in told if name not in ("postings.csv", "payments.csv")} == {
        name: files[name] for name in told if name not in ("postings.csv", "payments.csv")
    }
    again = load(folder)
    assert again.imported and not any(count.created for count in again.tables)
    office = Organisation.objects.get(code="TEST")
    settle_month(organisation=office, period=period, as_of=date(2030, 1, 1), actor=SYSTEM, at=AT)
    two = files_of_run(folder.parent / f"{folder.name}-two", run, period)
    names = [name for name in files if name not in {"datapackage.json", "postings.csv", "payments.csv"}]
    assert {name: two[name] for name in names} == {name: files[name] for name in names}
    assert [fault for fault in verify_books() if "certificate" not in fault.check] == []
    for played in AdjudicationRun.objects.all():
        assert replay_run(played).equal
    settled = load(folder)
    assert settled.imported and not any(count.created for count in settled.tables)


def later_visits(tables: Tables) -> None:
    """A second claim of the month, handed in after the first was judged: two visits more, and one of the first again.

    10 h on the certificate: what the first run used is what the second one lacks.
    """
    add(tables, "claims", **(tables["claims"][0] | {"number": "A-2", "submitted_at": "2025-12-05T10:00:00+02:00"}))
    for day in ("2025-11-10", "2025-11-11"):
        add_visit(tables, day, "09:00", "13:00", claim_number="A-2", unit_rate="95", units="4", amount="380.00")
    add_visit(tables, "2025-11-04", claim_number="A-2", unit_rate="95", amount="142.50", redemption_code="V2")
    tables["certificate_lines"][0]["units"] = "10"


# Of each kind one goes elsewhere: a way there and back takes seconds.
ELSEWHERE = {"death", "stay ended", "rest taken back", "visit reversed", "norm cost withdrawn", "contract amended"}


@pytest.mark.parametrize("name", CASES)
def test_each_run_comes_out_of_its_own_package(name: str, tmp_path: Path) -> None:
    case: Case = CASES[name]
    tables = free_visits()
    case.given(tables)
    later_visits(tables)
    office = imported(tables, tmp_path / "given")
    assert judge(office) is not None
    before = files_of_run(tmp_path / "before", 1)
    case.learn(office)
    assert judge(office, at=AGAIN) is not None
    one, two = files_of_run(tmp_path / "one", 1), files_of_run(tmp_path / "two", 2)
    # Nothing of what was learnt since is in it.
    assert one == before
    for folder, files in ((tmp_path / "one", one), (tmp_path / "two", two)):
        assert_recalculated(folder, files)
    assert {row["run"] for row in rows(two["decided_lines.csv"])} == {"1"}
    assert "decided_lines.csv" not in one
    if name in ELSEWHERE:
        assert_settles_elsewhere(tmp_path / "two", two, 2)


def test_the_present_facts_alone_would_give_something_else(tmp_path: Path) -> None:
    """What the packages of a run are for: a stay that was learnt between two runs."""
    tables = free_visits()
    later_visits(tables)
    office = imported(tables, tmp_path / "given")
    judge(office)
    recipient = Recipient.objects.get()
    stay = {"from_date": date(2025, 11, 2), "to_date": date(2025, 11, 7), "recorded_at": AT + timedelta(days=3)}
    Absence.objects.create(recipient=recipient, kind="hospital", **stay)
    judge(office, at=AGAIN)
    files = dump(tmp_path / "now")
    assert expected(tmp_path / "now") != results(files)
    one = files_of_run(tmp_path / "one", 1)
    two = files_of_run(tmp_path / "two", 2)
    assert rows(one["absences.csv"]) == [] and len(rows(two["absences.csv"])) == 1
    for folder, package in ((tmp_path / "one", one), (tmp_path / "two", two)):
        assert_recalculated(folder, package)
    # By the facts of the second run alone the first one would have used nothing, and the second would cut nothing.
    without = tmp_path / "without"
    without.mkdir()
    for name, content in two.items():
        if not name.startswith("decided_"):
            (without / name).write_bytes(content)
    assert of_run(expected(without), two) != results(two)


def test_a_corrected_month(tmp_path: Path) -> None:
    town = closed_town(tmp_path / "given")
    before = files_of_run(tmp_path / "before", 1)
    lower_income()
    in_hospital()
    made = approve(town, propose(town))
    assert made.run is not None
    one, two = files_of_run(tmp_path / "one", 1), files_of_run(tmp_path / "two", made.run.number)
    inputs = [name for name in one if name not in ("postings.csv", "payments.csv")]
    assert {name: one[name] for name in inputs} == {name: before[name] for name in inputs}
    for folder, files in ((tmp_path / "one", one), (tmp_path / "two", two)):
        assert_recalculated(folder, files)
    assert {row["outcome"] for row in rows(two["adjudications.csv"])} > {"rejected"}
    assert FrictionlessPackage(str(tmp_path / "two" / "datapackage.json")).validate().valid
    assert_settles_elsewhere(tmp_path / "two", two, made.run.number)


@pytest.mark.parametrize("right", ["norm", "price"])
def test_a_month_corrected_by_a_norm_or_a_price_of_past_days(right: str, tmp_path: Path) -> None:
    """Put right after the month: the run before keeps the figure that it had, the run of the correction has the new."""
    town = closed_town(tmp_path / "given")
    before = files_of_run(tmp_path / "before", 1)
    if right == "norm":
        put_norm_right(town, "-2.31")
    else:
        put_price_right(town, "90.00")
    made = approve(town, propose(town, ground="norm"))
    assert made.run is not None and made.gross_minor < 0
    one, two = files_of_run(tmp_path / "one", 1), files_of_run(tmp_path / "two", made.run.number)
    inputs = [name for name in one if name not in ("postings.csv", "payments.csv")]
    assert {name: one[name] for name in inputs} == {name: before[name] for name in inputs}
    for folder, files in ((tmp_path / "one", one), (tmp_path / "two", two)):
        assert_recalculated(folder, files)
    rates = {name: {row["rate_allowed"] for row in rows(files["adjudications.csv"]) if row["gross"][0] not in "-0"}
             for name, files in (("one", one), ("two", two))}  # fmt: skip
    assert rates == {"one": {"95.0000"}, "two": {"90.0000"}}
    if right == "norm":
        assert_settles_elsewhere(tmp_path / "two", two, made.run.number)


def test_a_claim_taken_back_and_handed_in_again_in_a_later_run(tmp_path: Path) -> None:
    tables = free_visits()
    later_visits(tables)
    tables["claims"][1]["run"] = "2"
    copy = tables["claims"][0] | {"number": "A-3", "submitted_at": "2025-12-14T10:00:00+02:00"}
    add(tables, "claims", **copy)
    for line in [row for row in tables["claim_lines"] if row["claim_number"] == "A-1"]:
        add(tables, "claim_lines", **(line | {"claim_number": "A-3"}))
    office = imported(tables, tmp_path / "given")
    Claim.objects.filter(number="A-1").update(run=1)
    judge(office)
    learn_something(random.Random(1), AT + timedelta(days=3), times=3)
    judge(office, at=AGAIN)
    taken = reverse_claim(claim_id=Claim.objects.get(number="A-1").pk, reason="помилка", actor=SYSTEM, at=AGAIN,
                          organisation=office)  # fmt: skip
    run = judge(office, at=AGAIN + timedelta(days=1))
    assert run is not None and run.number == 3
    for number in (1, 2, 3):
        assert_recalculated(tmp_path / str(number), files_of_run(tmp_path / str(number), number))
    three = files_of_run(tmp_path / "three", 3)
    assert taken.number in {row["claim_number"] for row in rows(three["adjudications.csv"])}
    assert taken.number not in {row["number"] for row in rows(files_of_run(tmp_path / "again", 2)["claims.csv"])}
    assert_settles_elsewhere(tmp_path / "three", three, 3)


def test_a_pend_that_was_lifted_between_two_runs(tmp_path: Path) -> None:
    tables = free_visits()
    tables["redemptions"][0]["status"] = "voided"
    later_visits(tables)
    tables["claim_lines"][-1]["redemption_code"] = "V9"
    add(tables, "findings", run="1", claim_number="A-1", line="2", check="CLM-33", severity="C", units="0.250",
        amount="23.75", detail="")  # fmt: skip
    office = imported(tables, tmp_path / "given")
    judge(office)
    lift(office, ClaimLine.objects.get(claim__number="A-1", line=1), at=AT + timedelta(days=1))
    judge(office, at=AGAIN)
    judge(office, at=AGAIN + timedelta(hours=1))
    one, last = files_of_run(tmp_path / "one", 1), files_of_run(tmp_path / "last", 3)
    assert rows(one["clearances.csv"]) == [] and len(rows(last["clearances.csv"])) == 1
    for folder, files in ((tmp_path / "one", one), (tmp_path / "last", last)):
        assert_recalculated(folder, files)
    assert_settles_elsewhere(tmp_path / "last", last, 3)
    # It is still a finding that a package cannot decide, where the line is judged anew.
    assert list(GivenFinding.objects.values_list("check_code", "run")) == [("CLM-33", 1)]


@pytest.mark.parametrize("seed", range(600, 604))
def test_random_months_with_facts_learnt_between_their_runs(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    assert load(write(generate(seed, lines=70), tmp_path / "given")).imported
    office, at = Organisation.objects.get(code="TEST"), datetime(2026, 12, 1, tzinfo=AT.tzinfo)
    for period in sorted(set(Claim.objects.filter(status="submitted").values_list("period", flat=True))):
        while adjudicate_claims(organisation=office, period=period, as_of=at.date(), actor=SYSTEM, at=at):
            at += timedelta(days=2)
            learn_something(chance, at - timedelta(days=1))
    played = list(AdjudicationRun.objects.order_by("pk"))
    assert len(played) > 1
    for place, run in enumerate(played):
        folder = tmp_path / str(place)
        assert_recalculated(folder, files_of_run(folder, run.number, run.period))
    last = played[-1]
    files = files_of_run(tmp_path / "last", last.number, last.period)
    assert_settles_elsewhere(tmp_path / "last", files, last.number, last.period)


OCTOBER = date(2025, 10, 1)


def october_after_november(folder: Path) -> dict[str, bytes]:
    """The package of the only run of October, which was made after that of November."""
    tables = free_visits()
    later = tables["claims"][0] | {"number": "A-0", "period": "2025-10", "submitted_at": "2025-12-05T10:00:00+02:00"}
    add(tables, "claims", **later)
    times = {"starts_at": "2025-10-13T09:00:00+03:00", "ends_at": "2025-10-13T17:00:00+03:00", "units": "8"}
    add_visit(tables, "2025-10-13", claim_number="A-0", unit_rate="95", amount="760.00", **times)
    tables["certificate_lines"][0]["units"] = "10"
    office = imported(tables, folder / "given")
    judge(office)
    judge(office, at=AGAIN, period=OCTOBER)
    return files_of_run(folder / "one", 1, OCTOBER)


def test_a_late_run_of_an_earlier_month(tmp_path: Path) -> None:
    """November was judged before October: its lines used up what October lacks then."""
    files = october_after_november(tmp_path)
    (line,) = rows(files["adjudications.csv"])
    assert line["units_allowed"] == "7.000"
    assert_recalculated(tmp_path / "one", files)
    assert_settles_elsewhere(tmp_path / "one", files, 1, OCTOBER)


def test_a_run_under_pseudonyms(tmp_path: Path) -> None:
    tables = free_visits()
    later_visits(tables)
    office = imported(tables, tmp_path / "given")
    judge(office)
    CASES["death"].learn(office)
    judge(office, at=AGAIN)
    deaths = {}
    for number in (1, 2):
        files = files_of_run(tmp_path / str(number), number, pseudonymise=True)
        assert "Олена".encode() not in b"".join(files.values())
        assert_recalculated(tmp_path / str(number), files)
        deaths[number] = rows(files["recipients.csv"])[0]["death_date"]
    assert deaths == {1: "", 2: "2025-11-02"}


def two_runs(folder: Path) -> Organisation:
    tables = free_visits()
    later_visits(tables)
    office = imported(tables, folder)
    judge(office)
    judge(office, at=AGAIN)
    return office


def refusal(folder: Path, run: int, period: date | None = NOVEMBER) -> DomainError:
    office = Organisation.objects.get(code="TEST")
    with pytest.raises(DomainError) as raised:
        export_package(organisation=office, path=folder, actor=SYSTEM, at=AT, period=period, run=run)
    assert not folder.exists()
    assert not AuditEvent.objects.filter(action="package.exported").exists()
    return raised.value


def test_a_run_that_was_not_made_or_is_not_named(tmp_path: Path) -> None:
    office = two_runs(tmp_path / "given")
    assert refusal(tmp_path / "a", 3).code == "RUN_UNKNOWN"
    assert refusal(tmp_path / "b", 1, date(2025, 10, 1)).code == "RUN_UNKNOWN"
    export_package(organisation=office, path=tmp_path / "c", actor=SYSTEM, at=AT, run=2)
    assert json.loads((tmp_path / "c" / "datapackage.json").read_text())["facts"]["run"] == "2025-11/2"


def test_what_is_not_on_record_as_it_was_is_not_exported(tmp_path: Path) -> None:
    """The catalogue has no second time; nobody changes it by an action while anything rests on it."""
    two_runs(tmp_path / "given")
    Service.objects.update(granularity=Decimal(1))
    problem = refusal(tmp_path / "a", 1)
    assert problem.code == "FACTS_NOT_KEPT"
    assert "каталог" in str(problem).lower() or "catalogue" in str(problem)
    Service.objects.update(granularity=Decimal("0.25"))
    assert_recalculated(tmp_path / "b", files_of_run(tmp_path / "b", 1))


def test_a_line_of_a_month_in_which_its_recipient_lived_elsewhere(tmp_path: Path) -> None:
    tables = free_visits()
    add_visit(tables, "2025-10-03", unit_rate="95", amount="142.50",
              starts_at="2025-10-03T09:00:00+03:00", ends_at="2025-10-03T10:30:00+03:00")  # fmt: skip
    office = imported(tables, tmp_path / "given")
    home = RecipientResidence.objects.get()
    home.change(at=AT - timedelta(days=9), valid_to=date(2025, 11, 1))
    RecipientResidence.objects.create(
        recipient=home.recipient, recipient_class="B", valid_from=date(2025, 11, 1), recorded_at=AT - timedelta(days=9)
    )
    judge(office)
    problem = refusal(tmp_path / "a", 1)
    assert problem.code == "SEVERAL_RESIDENCES" and "A-1/3" in str(problem)


def test_a_package_that_tells_too_little_or_too_much_is_refused(tmp_path: Path) -> None:
    two_runs(tmp_path / "given")
    files = files_of_run(tmp_path / "two", 2)
    call_command("flush", verbosity=0, interactive=False)

    def changed(name: str, old: bytes, new: bytes) -> list[tuple[str, int, str, str, str]]:
        assert old in files[name]
        (tmp_path / "two" / name).write_bytes(files[name].replace(old, new, 1))
        found = refused(load(tmp_path / "two"))
        (tmp_path / "two" / name).write_bytes(files[name])
        return found

    line = b"1,A-1,1,1.500,95.0000,142.50,0.00,accepted"
    assert changed("decided_lines.csv", line, line.replace(b"142.50,0.00", b"142.50,142.51"))[0][-1] == "FEE_TOO_HIGH"
    assert changed("decided_lines.csv", line, line.replace(b"A-1,1", b"A-1,9"))[0][-1] == "REFERENCE"
    assert changed("decided_lines.csv", line, line.replace(b"1,A-1", b"7,A-1"))[0][-1] == "REFERENCE"
    assert changed("decided_runs.csv", b"2025-11,1,1", b"2025-11,1,1\n2025-11,2,1")[0][-1] == "DUPLICATE_KEY"
    assert not Organisation.objects.exists()
    assert changed("decided_lines.csv", line + b"\n", b"")[-1][-1] == "RUN_INCOMPLETE"
    assert changed("decided_lines.csv", line, line.replace(b"142.50", b"142.49"))[-1][-1] == "RUN_INCOMPLETE"
    assert not Organisation.objects.exists()


def test_runs_of_a_package_are_played_in_their_order(tmp_path: Path) -> None:
    """Also where somebody orders the adjudication of a month by itself; and what came later is judged by the rules."""
    files = october_after_november(tmp_path)
    call_command("flush", verbosity=0, interactive=False)
    assert load(tmp_path / "one").imported
    office = Organisation.objects.get(code="TEST")
    common: dict[str, Any] = {"organisation": office, "actor": SYSTEM, "at": AT}
    with pytest.raises(DomainError) as raised:
        adjudicate_claims(period=OCTOBER, as_of=date(2030, 1, 1), **common)
    assert raised.value.code == "DECIDED_RUN_WAITS" and "2025-11/1" in str(raised.value)
    assert not AdjudicationRun.objects.exists()
    run = adjudicate_claims(period=NOVEMBER, as_of=date(2030, 1, 1), **common)
    assert run is not None and run.lines == DecidedLine.objects.count() == 2
    assert adjudicate_claims(period=OCTOBER, as_of=date(2030, 1, 1), **common) is not None
    assert files_of_run(tmp_path / "two", 1, OCTOBER)["adjudications.csv"] == files["adjudications.csv"]


def test_the_run_and_the_facts_by_command(tmp_path: Path) -> None:
    two_runs(tmp_path / "given")
    code, out, err = command("export_package", tmp_path / "now")
    assert code == 0, err
    assert "--run" in out
    code, out, err = command("export_package", tmp_path / "run", "--run", "2025-11/2", "--json")
    assert (code, json.loads(out)["facts"]) == (0, "as known at the run"), err
    assert {row["table"] for row in json.loads(out)["tables"]} >= {"decided_runs", "decided_lines"}
    code, out, _ = command("export_package", tmp_path / "none", "--run", "2025-11/9", "--json")
    assert (code, json.loads(out)["title"]) == (1, "RUN_UNKNOWN")
