"""Reported visits as evidence."""

from __future__ import annotations

import io
from datetime import datetime

import openpyxl
import pytest
from django.utils.translation import override

from config.office.storage import attachments_of
from tests.trail import trail_for
from tests.vouchers.town import KYIV, VISIT, Town
from vouchers.actions.visits import (
    VisitsColumnsMissing,
    VisitsOutcome,
    VisitsRefused,
    VisitsUnreadable,
    import_reported_visits,
)
from vouchers.gateways.headings import headings_of
from vouchers.models import Redemption

HEADER = "code,certificate_number,worker_code,service_code,starts_at,ends_at,units"
GOOD = "R1,CT-2025-0001,W-1,015.1,2025-11-03T09:00:00+02:00,2025-11-03T10:30:00+02:00,1.5"


def _import(town: Town, *rows: str, content: bytes | None = None, **changes: object) -> VisitsOutcome:
    fields: dict[str, object] = {
        "organisation": town.organisation,
        "provider": town.provider,
        "file_name": "visits.csv",
        "content": content if content is not None else "\n".join([HEADER, *rows]).encode(),
        "actor": town.provider_actor,
        "at": VISIT,
        **changes,
    }
    return import_reported_visits(**fields)  # type: ignore[arg-type]


def test_evidence_is_kept_as_written_and_resolved_where_known(town: Town) -> None:
    certificate = town.issue().certificate
    outcome = _import(town, GOOD, ",NOBODY-7,W-X,999,2025-11-03 11:00,,2")
    assert (outcome.read, outcome.created, outcome.bad) == (2, 2, [])
    assert [(cell.row, cell.column, cell.value, cell.code) for cell in outcome.warnings] == [
        (3, "certificate_number", "NOBODY-7", "CERTIFICATE_UNKNOWN"),
        (3, "service_code", "999", "SERVICE_UNKNOWN"),
        (3, "worker_code", "W-X", "WORKER_UNKNOWN"),
    ]
    known, unknown = Redemption.objects.order_by("starts_at")
    assert (known.certificate, known.service, known.worker, known.units_milli) == (
        certificate, town.service, town.worker, 1500,
    )  # fmt: skip
    assert (unknown.certificate_number, unknown.service_code, unknown.worker_code) == ("NOBODY-7", "999", "W-X")
    assert (unknown.certificate, unknown.service, unknown.ends_at) == (None, None, None)
    assert unknown.starts_at == datetime(2025, 11, 3, 11, 0, tzinfo=KYIV) and unknown.code.startswith("RV-")
    assert {row.status for row in (known, unknown)} == {"confirmed"} and known.channel == "reported"
    assert attachments_of(town.provider).get().name == "visits.csv"
    assert trail_for(town.provider).get(action="visits.reported").data["created"] == 2


def test_equal_visits_without_codes_are_both_evidence(town: Town) -> None:
    row = ",CT-1,W-1,015.1,2025-11-03 09:00,2025-11-03 10:00,1"
    assert _import(town, row, row).created == 2


def test_the_same_file_again_changes_nothing(town: Town) -> None:
    _import(town, GOOD)
    again = _import(town, GOOD)
    assert again.repeated and Redemption.objects.count() == 1


def test_every_bad_cell_is_reported_and_nothing_is_changed(town: Town) -> None:
    rows = (
        GOOD,
        "R2,,W-1,015.1,2025-11-03 09:00,,1",
        "R3,CT-1,W-1,015.1,yesterday,later,minus",
        "R4,CT-1,W-1,015.1,2025-11-03 09:00,,1.2345",
        "R5,CT-1,W-1,015.1,2025-11-03 09:00,,0",
        "R1,CT-1,W-1,015.1,2025-11-03 09:00,,1",
    )
    with pytest.raises(VisitsRefused) as refusal:
        _import(town, *rows)
    found = [(cell.row, cell.column, cell.value, cell.code) for cell in refusal.value.bad]
    assert found == [
        (3, "certificate_number", "", "MISSING"),
        (4, "starts_at", "yesterday", "NOT_A_TIME"),
        (4, "ends_at", "later", "NOT_A_TIME"),
        (4, "units", "minus", "NOT_A_NUMBER"),
        (5, "units", "1.2345", "TOO_MANY_PLACES"),
        (6, "units", "0", "NOT_POSITIVE"),
        (7, "code", "R1", "CODE_REPEATED"),
    ]
    assert all(cell.reason and cell.file == "visits.csv" for cell in refusal.value.bad)
    assert not Redemption.objects.exists()
    outcome = _import(town, *rows, accept_good_rows=True)
    assert (outcome.created, len(outcome.bad)) == (1, 7)


def test_a_visit_of_a_day_to_come_is_refused_and_taken_on_the_day(town: Town) -> None:
    rows = (
        GOOD,
        "R2,CT-2025-0001,W-1,015.1,2025-11-04 00:10,2025-11-04 01:10,1",
        "R3,CT-2025-0001,W-1,015.1,2025-11-03 23:00,2025-11-04 00:30,1",
    )
    today = datetime(2025, 11, 3, 12, 0, tzinfo=KYIV)
    with pytest.raises(VisitsRefused) as refusal:
        _import(town, *rows, at=today)
    assert [(cell.row, cell.column, cell.value, cell.code) for cell in refusal.value.bad] == [
        (3, "starts_at", "2025-11-04 00:10", "DAY_TO_COME"),
        (4, "ends_at", "2025-11-04 00:30", "DAY_TO_COME"),
    ]
    with override("en"):
        assert "still to come" in refusal.value.bad[0].reason
    assert not Redemption.objects.exists()
    assert _import(town, *rows, at=today, accept_good_rows=True).created == 1
    assert _import(town, *rows[1:], at=datetime(2025, 11, 4, 8, 0, tzinfo=KYIV)).created == 2


def test_a_code_of_another_visit_is_refused_and_of_the_same_one_left(town: Town) -> None:
    _import(town, GOOD)
    assert _import(town, GOOD, "R9,CT-1,W-1,015.1,2025-11-03 09:00,,1").unchanged == 1
    with pytest.raises(VisitsRefused) as refusal:
        _import(town, GOOD.replace(",1.5", ",2"))
    assert [cell.code for cell in refusal.value.bad] == ["CODE_TAKEN"]


@pytest.mark.parametrize("content", [b"PK\x03\x04 not a workbook", b"", b"\x00\xff\x17 noise"])
def test_files_that_are_none(town: Town, content: bytes) -> None:
    with pytest.raises(VisitsUnreadable):
        _import(town, content=content, accept_good_rows=True)


def test_random_bytes_with_the_name_of_a_workbook_are_none(town: Town) -> None:
    with pytest.raises(VisitsUnreadable):
        _import(town, content=HEADER.encode(), file_name="visits.XLSX")
    assert _import(town, content=HEADER.encode()).read == 0


@pytest.mark.parametrize(
    ("content", "missing"),
    [
        ("просто текст", ("certificate_number", "service_code", "starts_at", "units")),
        (GOOD, ("certificate_number", "service_code", "starts_at", "units")),
        ("certificate_number,послуга,x\n1,2,3", ("starts_at", "units")),
    ],
)
def test_missing_columns_are_named(town: Town, content: str, missing: tuple[str, ...]) -> None:
    with pytest.raises(VisitsColumnsMissing) as refusal:
        _import(town, content=content.encode(), accept_good_rows=True)
    assert headings_of(missing) in refusal.value.sentence and not Redemption.objects.exists()


def test_a_workbook_with_local_headers_and_decimal_commas(town: Town) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Сертифікат", "Послуга", "Працівник", "Початок", "Кінець", "Одиниці"])
    sheet.append(["CT-1", "015.1", "W-1", datetime(2025, 11, 4, 9, 0), datetime(2025, 11, 4, 10, 30), 1.5])
    sheet.append([None] * 6)
    sheet.append(["CT-1", "015.1", "W-1", "05.11.2025 09:00", "", "0,25"])
    out = io.BytesIO()
    book.save(out)
    assert _import(town, content=out.getvalue(), file_name="visits.xlsx").created == 2
    assert list(Redemption.objects.order_by("starts_at").values_list("units_milli", flat=True)) == [1500, 250]
    assert Redemption.objects.earliest("starts_at").starts_at == datetime(2025, 11, 4, 9, 0, tzinfo=KYIV)


def test_the_number_of_queries_does_not_grow_with_the_rows(town: Town, django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    rows = [f"Q{n},CT-1,W-1,015.1,2025-11-03 09:00,,1" for n in range(1500)]
    with django_assert_max_num_queries(25):
        _import(town, *rows)
    assert Redemption.objects.count() == 1500
