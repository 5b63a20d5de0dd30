from __future__ import annotations

import csv
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from django.db import transaction

from config.accounts.models import Organisation
from config.audit.models import AuditEvent
from contracts.actions.reference import REFERENCE, load_reference, load_services, read_rows
from contracts.models import CalendarDay, CpvCode, Parameter, Service

pytestmark = pytest.mark.django_db(transaction=True)


def value(key: str, on: date, jurisdiction: str = "UA") -> str:
    rows = Parameter.objects.filter(organisation=None, jurisdiction=jurisdiction, key=key, valid_from__lte=on).exclude(
        valid_to__lte=on
    )
    return rows.get().value


def test_loads_everything_once(at: datetime) -> None:
    first = load_reference(at=at)
    assert all(item.created == item.read > 20 for item in first)
    again = load_reference(at=at)
    assert all(item.created == item.changed == 0 for item in again)
    assert AuditEvent.objects.filter(action="reference.loaded").count() == 1


def test_last_day_that_counts_becomes_exclusive(at: datetime) -> None:
    load_reference(at=at)
    assert value("sm.lost_ability", date(2022, 6, 30)) == "1934"
    assert value("sm.lost_ability", date(2022, 7, 1)) == "2027"
    assert value("inc.window", date(2022, 6, 23)) == "SIX_MONTHS"
    assert value("inc.window", date(2022, 6, 24)) == "QUARTER"
    assert value("claim.december_stop", date(2025, 12, 31)) == "01-15"


def test_a_changed_file_changes_only_its_rows(at: datetime, tmp_path: Path) -> None:
    load_reference(at=at)
    folder = tmp_path / "UA"
    folder.mkdir()
    rows = list(read_rows("parameters", profiles=["UA"]))
    (last,) = [row for row in rows if row["key"] == "esv_rate"]
    last["valid_to"] = "2026-12-31"
    rows.append({**last, "valid_from": "2027-01-01", "valid_to": "", "value": "23"})
    with (folder / "parameters.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(last))
        writer.writeheader()
        writer.writerows(rows)
    parameters, *_ = load_reference(at=at, folder=tmp_path)
    assert (parameters.created, parameters.changed) == (1, 1)
    assert value("esv_rate", date(2026, 12, 31)) == "22"
    assert value("esv_rate", date(2027, 1, 1)) == "23"


def test_rows_of_an_organisation_stay(at: datetime, organisation: Organisation) -> None:
    own = Parameter.objects.create(
        organisation=organisation,
        jurisdiction="UA",
        key="claim.window_days",
        valid_from=date(2020, 1, 1),
        value="45",
        recorded_at=at,
    )
    load_reference(at=at)
    own.refresh_from_db()
    assert own.value == "45"
    assert value("claim.window_days", date(2025, 11, 1)) == "60"


def test_under_martial_law_holidays_are_working_days(at: datetime) -> None:
    load_reference(at=at)
    assert CalendarDay.objects.get(jurisdiction="UA", date=date(2021, 1, 7)).kind == "off"
    assert CalendarDay.objects.get(jurisdiction="UA", date=date(2021, 1, 16)).kind == "working"
    assert not CalendarDay.objects.filter(jurisdiction="UA", date__gte=date(2022, 3, 24)).exists()
    assert CpvCode.objects.get(code="85312400-3").name_en.startswith("Welfare services not delivered")


def test_services_become_the_catalogue_of_an_organisation(organisation: Organisation) -> None:
    with transaction.atomic():
        services = load_services(organisation=organisation)
        load_services(organisation=organisation)
    assert Service.objects.count() == len(services) == 23
    assert services["015.1"].unit == "hour" and not services["015.1"].provisional
    assert {code for code, service in services.items() if not service.provisional} == {"001.0", "002.0", "015.1"}


def test_every_act_is_named_with_its_issuer() -> None:
    for profile in ("UA", "RU", "GENERIC"):
        acts = {row["act"] for row in read_rows("acts", profiles=[profile])}
        used = {row["act"] for row in read_rows("parameters", profiles=[profile])} - {""}
        assert used <= acts


def test_labels_units_and_lengths_of_parameters() -> None:
    labels = {code for code, _ in Parameter.EVIDENCE}
    rows = list(read_rows("parameters"))
    assert {row["evidence"] for row in rows} <= labels
    assert max(len(row["unit"]) for row in rows) <= 32
    assert len({(row["jurisdiction"], row["key"], row["valid_from"]) for row in rows}) == len(rows)


def test_subsistence_minimums_have_no_gap() -> None:
    rows = [row for row in read_rows("parameters", profiles=["UA"]) if row["key"] == "sm.able_bodied"]
    rows.sort(key=lambda row: row["valid_from"])
    for before, after in pairwise(rows):
        days = date.fromisoformat(after["valid_from"]) - date.fromisoformat(before["valid_to"])
        assert days.days == 1
    assert rows[0]["valid_from"] == "2019-01-01" and rows[-1]["valid_to"] == ""


def test_reference_folder_names_its_sources() -> None:
    text = (REFERENCE / "README.md").read_text(encoding="utf-8")
    names = {path.name for path in REFERENCE.glob("*/*.csv")}
    assert {name for name in names if name not in text} == set()
