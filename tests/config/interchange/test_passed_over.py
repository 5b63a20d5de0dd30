"""Nothing in a package is passed over in silence: files, sheets, result tables, columns, names kept."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook

from contracts.models import Contract, Provider, Worker
from settlement.judging import ParameterUnreadable
from tests.config.interchange.packages import dump, load, refused
from tests.config.interchange.processes import run
from tests.oracle.generate import write
from tests.oracle.small import Tables, add_visit, clean_tables, example_5_2
from tests.settlement.actions.month import imported, judge, two_visits
from vouchers.models import Certificate

pytestmark = pytest.mark.django_db(transaction=True)


def test_files_and_result_tables_are_told(tmp_path: Path) -> None:
    path = write(example_5_2(), tmp_path)
    (path / "remittances.csv").write_text("run,claim_number\n1,A-1\n")
    (path / "Примітки.txt").write_text("…")
    (path / "old").mkdir()
    told = {(i.file, i.code) for i in load(path).ignored}
    assert told == {("remittances.csv", "RESULTS"), ("Примітки.txt", "UNKNOWN_FILE"), ("old/", "UNKNOWN_FILE")}
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        for file in ("datapackage.json", "services.csv", "old/services.csv"):
            archive.write(path / Path(file).name, file)
    assert [(i.file, i.code) for i in load(tmp_path / "p.zip").ignored] == [("old/services.csv", "UNKNOWN_FILE")]


def test_sheets_and_a_table_that_comes_twice_are_told(tmp_path: Path) -> None:
    path = write(example_5_2(), tmp_path)
    book = Workbook()
    for name in ("services", "payments", "Аркуш2"):
        book.create_sheet(name).append(["code"])
    book.save(path / "book.xlsx")
    told = {(i.file, i.code) for i in load(path).ignored}
    assert told == {
        ("book.xlsx#Sheet", "UNKNOWN_FILE"), ("book.xlsx#Аркуш2", "UNKNOWN_FILE"), ("book.xlsx#payments", "RESULTS"),
        ("book.xlsx#services", "TABLE_TWICE"),
    }  # fmt: skip


def test_command_tells_what_was_passed_over(tmp_path: Path) -> None:
    path = write(example_5_2(), tmp_path)
    (path / "notes.csv").write_text("a\n")
    _code, out, _err = run("import_package", path)
    assert any(line.startswith("notes.csv: ") for line in out.splitlines())
    _code, out, _err = run("import_package", path, "--json")
    (told,) = json.loads(out)["ignored"]
    assert (told["file"], told["code"]) == ("notes.csv", "UNKNOWN_FILE") and told["sentence"]


def with_column(tables: Tables, folder: Path) -> Path:
    path = write(tables, folder)
    rows = (path / "providers.csv").read_text().splitlines()
    (path / "providers.csv").write_text("\n".join([rows[0] + ",phone", *(row + ",044" for row in rows[1:])]) + "\n")
    return path


def test_unknown_column_is_one_refusal_and_blames_no_other_row(tmp_path: Path) -> None:
    path = with_column(example_5_2(), tmp_path)
    report = load(path)
    assert not report.imported
    assert refused(report) == [("providers.csv", 1, "phone", "", "UNKNOWN_COLUMN")]


def test_unknown_column_is_left_out_when_good_rows_are_accepted(tmp_path: Path) -> None:
    report = load(with_column(example_5_2(), tmp_path), accept_good_rows=True)
    assert report.imported and not report.refusals
    assert [(i.file, i.column, i.code) for i in report.ignored] == [("providers.csv", "phone", "UNKNOWN_COLUMN")]
    assert Provider.objects.get().code == "P1"


def test_missing_column_blames_no_other_row(tmp_path: Path) -> None:
    path = write(example_5_2(), tmp_path)
    (path / "providers.csv").write_text("code,sector\nP1,nonprofit\n")
    assert refused(load(path)) == [("providers.csv", 1, "name", "", "MISSING_COLUMN")]


def shared(iban: str) -> Tables:
    tables = clean_tables()
    tables["providers"][0]["iban"] = iban
    add_visit(tables, "2025-11-03")
    return tables


def test_a_provider_serves_two_municipalities_that_write_its_name_in_their_own_way(tmp_path: Path) -> None:
    tables = shared("UA213223130000026007233566001")
    assert load(write(tables, tmp_path / "a", code="A", name="Перша")).imported
    tables["providers"][0]["name"] = "ГО «Турбота»"
    tables["workers"][0]["name"] = "Надія Інша"
    tables["contracts"][0]["ceiling"] = "777.00"
    second = load(write(tables, tmp_path / "b", code="B", name="Друга"))
    assert second.imported, second.refusals
    assert [(i.file, i.code, i.rows) for i in second.ignored] == [
        ("providers.csv", "NAME_KEPT", 1), ("workers.csv", "NAME_KEPT", 1),
    ]  # fmt: skip
    assert Provider.objects.get().name == "Турбота" and Worker.objects.count() == 1
    # Contracts of one number are two: each municipality has its own.
    assert set(Contract.objects.values_list("number", "organisation__code")) == {("K1", "A"), ("K1", "B")}
    assert dump(tmp_path / "out", code="B")["contracts.csv"] != dump(tmp_path / "other", code="A")["contracts.csv"]


def test_other_providers_and_workers_of_the_same_code_are_refused(tmp_path: Path) -> None:
    assert load(write(shared(""), tmp_path / "a", code="A", name="Перша")).imported
    tables = shared("")
    tables["providers"][0]["name"] = "Зовсім інші"
    report = load(write(tables, tmp_path / "b", code="B", name="Друга"))
    assert refused(report) == [("providers.csv", 2, "name", "Зовсім інші", "OTHER_PROVIDER")]
    tables = shared("")
    tables["providers"].append(tables["providers"][0] | {"code": "P2", "name": "Друга турбота"})
    tables["workers"][0]["provider_code"] = "P2"
    report = load(write(tables, tmp_path / "c", code="B", name="Друга"))
    assert refused(report) == [("workers.csv", 2, "provider_code", "P2", "OTHER_WORKER")]


def test_stored_figure_of_law_that_nobody_can_read_refuses_the_run(tmp_path: Path) -> None:
    from contracts.models import Parameter
    from tests.conftest import AT

    office = imported(two_visits(), tmp_path)
    Parameter.objects.create(
        organisation=office, jurisdiction="UA", key="claim.window_days", valid_from="2025-01-01", value="багато",
        recorded_at=AT,
    )  # fmt: skip
    with pytest.raises(ParameterUnreadable):
        judge(office)


def test_certificate_that_was_not_handed_over_is_none_here_and_in_a_package(tmp_path: Path) -> None:
    office = imported(two_visits(), tmp_path / "given")
    # As it would stand between issuing and handing over.
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        Certificate.objects.update(status="issued")
        cursor.execute("SET session_replication_role = DEFAULT")
    judge(office)
    one = dump(tmp_path / "one")
    assert one["certificates.csv"].count(b"\n") == 1 and one["certificate_lines.csv"].count(b"\n") == 1
    assert b"CLM-07,R" in one["findings.csv"] and b"CLM-10" not in one["findings.csv"]
