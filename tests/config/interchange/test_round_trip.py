"""Packages in and out: what comes in goes out again, byte for byte."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from frictionless import Package as FrictionlessPackage

from config.accounts.models import Organisation
from config.audit.actors import SYSTEM
from config.audit.models import AuditEvent
from config.interchange.exporting import export_package
from config.interchange.tables import INPUT_TABLES, OUTPUT_TABLES, READ_TABLES
from contracts.models import Parameter
from settlement.rules.given import DECIDABLE
from tests.config.interchange.packages import dump, load, load_tables
from tests.conftest import AT
from tests.oracle.generate import generate, write
from tests.oracle.small import Tables, example_5_2
from vouchers.models import Redemption

pytestmark = pytest.mark.django_db(transaction=True)

INPUT_FILES = {f"{name}.csv" for name in INPUT_TABLES}


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def canonical(table: str, row: dict[str, str]) -> tuple[str, ...]:
    """A row with numbers compared as numbers and times as instants."""
    values = []
    for column in READ_TABLES[table].columns:
        text = row[column.name]
        if text and column.kind in ("units", "taken", "rate", "amount", "exact"):
            text = str(Decimal(text).normalize())
        elif text and column.kind == "time":
            text = str(datetime.fromisoformat(text).timestamp())
        values.append(text)
    return tuple(values)


@pytest.mark.parametrize("seed", [1, 2])
def test_export_of_an_import_is_the_same_byte_for_byte(tmp_path: Path, seed: int) -> None:
    tables = generate(seed)
    first = load_tables(tables, tmp_path / "given")
    assert first.imported, first.refusals
    one = dump(tmp_path / "one")
    for name, given in tables.items():
        kept = [row for row in given if name != "findings" or row["check"] not in DECIDABLE]
        assert sorted(canonical(name, row) for row in kept) == sorted(
            canonical(name, row) for row in rows(one[f"{name}.csv"])
        ), name
    call_command("flush", verbosity=0, interactive=False)
    again = load(tmp_path / "one")
    assert again.imported, again.refusals
    assert dump(tmp_path / "two") == one
    assert set(one) == INPUT_FILES | {f"{name}.csv" for name in OUTPUT_TABLES} | {"datapackage.json"}


def test_words_of_others_come_out_as_they_were_written(tmp_path: Path) -> None:
    tables = example_5_2()
    tables["contracts"][0]["status"] = "Діє, доки «так»"
    tables["redemptions"][0]["status"] = " Confirmed? "
    assert load_tables(tables, tmp_path / "given").imported
    one = dump(tmp_path / "one")
    assert rows(one["contracts.csv"])[0]["status"] == "Діє, доки «так»"
    code = tables["redemptions"][0]["code"]
    assert {row["code"]: row["status"] for row in rows(one["redemptions.csv"])}[code] == " Confirmed? "
    call_command("flush", verbosity=0, interactive=False)
    assert load(tmp_path / "one").imported
    assert dump(tmp_path / "two") == one


def test_a_visit_that_did_not_take_place_comes_out_without_units(tmp_path: Path, as_owner: None) -> None:
    """A person says so on the page of the visit, and nothing is left of its units."""
    assert load_tables(example_5_2(), tmp_path / "given").imported
    code = Redemption.objects.order_by("pk").values_list("code", flat=True)[0]
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE vouchers_redemption SET status = 'voided', units_milli = 0 WHERE code = %s", [code])
        cursor.execute("SET session_replication_role = origin")
    one = dump(tmp_path / "one")
    assert {row["code"]: row["units"] for row in rows(one["redemptions.csv"])}[code] == ""
    call_command("flush", verbosity=0, interactive=False)
    again = load(tmp_path / "one")
    assert again.imported, again.refusals
    assert dump(tmp_path / "two") == one


def test_the_same_package_twice_changes_nothing_and_leaves_one_event(tmp_path: Path) -> None:
    path = write(generate(4), tmp_path)
    first, second = load(path), load(path)
    assert first.imported and second.imported
    assert sum(count.created for count in second.tables) == 0
    for before, after in zip(first.tables, second.tables, strict=True):
        assert after.unchanged == before.created
    assert AuditEvent.objects.filter(action="package.imported").count() == 1


def test_order_of_rows_does_not_change_the_export(tmp_path: Path) -> None:
    tables = generate(5)
    load_tables(tables, tmp_path / "a")
    one = dump(tmp_path / "one")
    call_command("flush", verbosity=0, interactive=False)
    load_tables({name: rows[::-1] for name, rows in tables.items()}, tmp_path / "b")
    assert dump(tmp_path / "two") == one


def test_export_is_valid_for_frictionless(tmp_path: Path) -> None:
    load_tables(generate(6), tmp_path / "given")
    dump(tmp_path / "out")
    report = FrictionlessPackage(str(tmp_path / "out" / "datapackage.json")).validate()
    assert report.valid, report.flatten(["name", "rowNumber", "fieldName", "note"])[:5]


def test_export_to_a_zip_is_deterministic_and_imports_again(tmp_path: Path) -> None:
    load_tables(generate(6), tmp_path / "given")
    organisation = Organisation.objects.get(code="TEST")
    for name in ("one.zip", "two.zip"):
        export_package(organisation=organisation, path=tmp_path / name, actor=SYSTEM, at=AT)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    report = load(tmp_path / "one.zip")
    assert report.imported
    assert sum(count.created for count in report.tables) == 0


def test_zip_of_a_folder_inside_a_folder(tmp_path: Path) -> None:
    write(generate(7), tmp_path / "in")
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        for file in (tmp_path / "in").iterdir():
            archive.write(file, f"громада/{file.name}")
    assert load(tmp_path / "p.zip").imported


def test_national_law_is_exported_where_the_municipality_has_none_of_its_own(tmp_path: Path) -> None:
    key = "worker.hours_per_day_max"
    national = {"jurisdiction": "UA", "key": key, "recorded_at": AT, "act": "Порядок", "evidence": "V-TEXT"}
    Parameter.objects.create(**national, valid_from="2019-01-01", value="12")
    Parameter.objects.create(**national | {"key": "claim.window_days"}, valid_from="2019-01-01", value="60")
    general = national | {"jurisdiction": "GENERIC"}
    Parameter.objects.create(**general, valid_from="2015-01-01", value="11")
    tables = example_5_2()
    tables["parameters"] = [
        {"jurisdiction": "UA", "key": key, "valid_from": "2025-01-01", "value": "10", "valid_to": "2025-12-31",
         "act": "", "article": "", "evidence": ""},
        {"jurisdiction": "UA", "key": "claim.window_days", "valid_from": "2019-01-01", "value": "60", "valid_to": "",
         "act": "Порядок", "article": "", "evidence": "V-TEXT"},
    ]  # fmt: skip
    report = load_tables(tables, tmp_path / "given")
    assert (report.tables[0].created, report.tables[0].unchanged) == (1, 1)
    exported = rows(dump(tmp_path / "out")["parameters.csv"])
    assert [(r["key"], r["valid_from"], r["valid_to"], r["value"]) for r in exported] == [
        ("claim.window_days", "2019-01-01", "", "60"),
        (key, "2015-01-01", "2018-12-31", "11"),
        (key, "2019-01-01", "2024-12-31", "12"),
        (key, "2025-01-01", "2025-12-31", "10"),
        (key, "2026-01-01", "", "12"),
    ]
    assert sum(count.created for count in load(tmp_path / "out").tables) == 3
    assert rows(dump(tmp_path / "again")["parameters.csv"]) == exported


def test_municipalities_see_only_their_own(tmp_path: Path) -> None:
    load(write(generate(8), tmp_path / "a", code="A"))
    one = dump(tmp_path / "one", code="A")
    load(write(generate(9), tmp_path / "b", code="B", name="Друга"))
    assert dump(tmp_path / "two", code="A") == one


def test_pseudonymised_export_hides_persons_and_still_links(tmp_path: Path) -> None:
    load_tables(example_5_2(), tmp_path / "given")
    organisation = Organisation.objects.get(code="TEST")
    export_package(organisation=organisation, path=tmp_path / "p", actor=SYSTEM, at=AT, pseudonymise=True)
    files = {file.stem: rows(file.read_bytes()) for file in (tmp_path / "p").glob("*.csv")}
    text = "".join(file.read_text() for file in (tmp_path / "p").glob("*.csv"))
    assert "Олена" not in text and "Надія" not in text and "1941-03-05" not in text
    (recipient,) = files["recipients"]
    assert recipient["code"].startswith("R-") and recipient["birth_date"] == "1941-01-01"
    assert {row["recipient_code"] for row in files["certificates"]} == {recipient["code"]}
    certificate = files["certificates"][0]["number"]
    assert {row["certificate_number"] for row in files["claim_lines"]} == {certificate}
    call_command("flush", verbosity=0, interactive=False)
    assert load(tmp_path / "p").imported


def pseudonymised(tables: Tables, folder: Path) -> dict[str, list[dict[str, str]]]:
    assert load_tables(tables, folder / "given").imported
    organisation = Organisation.objects.get(code="TEST")
    export_package(organisation=organisation, path=folder / "p", actor=SYSTEM, at=AT, pseudonymise=True)
    return {file.stem: rows(file.read_bytes()) for file in (folder / "p").glob("*.csv")}


def test_pseudonymised_export_hides_codes_of_visits_and_words_of_others(tmp_path: Path) -> None:
    tables = example_5_2()
    visit, line = tables["redemptions"][0], tables["claim_lines"][0]
    line["redemption_code"] = visit["code"] = "R-SEPTEMBER-351"
    visit["status"], tables["contracts"][0]["status"] = "sick: Олена", "as Олена wished"
    files = pseudonymised(tables, tmp_path)
    text = "".join(file.read_text() for file in (tmp_path / "p").glob("*.csv"))
    assert "R-SEPTEMBER-351" not in text and "Олена" not in text
    codes = {row["code"] for row in files["redemptions"]}
    assert all(code.startswith("V-") for code in codes) and len(codes) == len(tables["redemptions"])
    named = {row["redemption_code"] for row in files["claim_lines"]} - {""}
    known = {row["code"] for row in tables["redemptions"]}
    assert len(named & codes) == len({row["redemption_code"] for row in tables["claim_lines"]} & known) > 0
    assert {row["name"] for row in files["workers"]} == {""}


# Visits of the example lie in November 2025, the last one after the 20th.
@pytest.mark.parametrize(("death", "shown"), [("2025-11-05", "2025-11-05"), ("2025-12-05", "2025-12-31"), ("", "")])
def test_pseudonymised_export_keeps_a_day_of_death_only_where_services_came_after(
    tmp_path: Path, death: str, shown: str
) -> None:
    tables = example_5_2()
    tables["recipients"][0]["death_date"] = death
    if death:
        ended = str(date.fromisoformat(death) + timedelta(days=1))
        tables["certificates"][0] |= {"status": "cancelled", "status_from": ended}
    files = pseudonymised(tables, tmp_path)
    assert files["recipients"][0]["death_date"] == shown
    ended = str(date.fromisoformat(shown) + timedelta(days=1)) if shown else ""
    assert files["certificates"][0]["status_from"] == (ended or tables["certificates"][0]["status_from"])
    call_command("flush", verbosity=0, interactive=False)
    assert load(tmp_path / "p").imported


def test_export_is_in_the_trail(tmp_path: Path) -> None:
    load_tables(example_5_2(), tmp_path / "given")
    dump(tmp_path / "out")
    event = AuditEvent.objects.get(action="package.exported")
    assert event.chain == "TEST"
    assert event.data["rows"]["claim_lines"] == 14
