"""Claims: made, handed in, corrected, taken back; what is refused and why."""

from __future__ import annotations

import io
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from openpyxl import Workbook

from config.accounts.models import Organisation
from config.audit.actors import SYSTEM
from config.errors import NotFound
from config.office.storage import attachments_of
from config.states import InvalidMove
from contracts.actions.reference import load_reference
from contracts.models import Contract, Provider
from settlement.actions import claims
from settlement.claim_rows import (
    ClaimFileEmpty,
    ClaimFileUnreadable,
    ClaimRowsRefused,
    LineDraft,
    read_claim_file,
    read_claim_rows,
)
from settlement.line_queries import claimed_minor
from settlement.models import Claim
from tests.settlement.actions.month import AT, KYIV, NOVEMBER, imported, judge, two_visits
from tests.trail import trail_for

pytestmark = pytest.mark.django_db
VISIT = LineDraft("015.1", date(2025, 11, 5), Decimal("1.5"), Decimal("95"), "C1", worker_code="W1")


@pytest.fixture
def office(tmp_path: Path) -> Organisation:
    """A municipality with two visits, their claim withdrawn, so that they can be claimed anew."""
    tables = two_visits()
    tables["claims"][0]["status"] = "withdrawn"
    for row in tables["redemptions"]:
        row |= {"starts_at": f"2025-11-0{2 + int(row['code'][1:])}T09:00:00+02:00"}
    return imported(tables, tmp_path)


def make(office: Organisation, *lines: LineDraft, **changes: Any) -> Claim:
    values = {
        "organisation": office, "provider": Provider.objects.get(code="P1"), "contract": Contract.objects.get(),
        "period": NOVEMBER, "lines": lines or (VISIT,), "actor": SYSTEM, "at": AT,
    }  # fmt: skip
    return claims.create_claim(**values | changes)


def test_claim_from_redemptions_takes_every_confirmed_visit_once(office: Organisation) -> None:
    values = {
        "organisation": office, "provider": Provider.objects.get(code="P1"), "contract": Contract.objects.get(),
        "period": NOVEMBER, "actor": SYSTEM, "at": AT,
    }  # fmt: skip
    claim = claims.create_claim_from_redemptions(**values)
    assert claim.number == "CL-2025-0001"
    lines = list(claim.lines.order_by("line").values_list("line", "redemption_code", "units_milli", "amount_e4"))
    assert lines == [(1, "V1", 1500, 1_425_000), (2, "V2", 1500, 1_425_000)]
    with pytest.raises(claims.NothingToClaim):
        claims.create_claim_from_redemptions(**values)


def test_rows_are_kept_as_written_and_known_codes_resolved(office: Organisation) -> None:
    claim = make(office, VISIT, LineDraft("999", date(2025, 11, 5), Decimal(1), Decimal("90.005"), "C9"))
    known, unknown = claim.lines.order_by("line")
    assert known.certificate is not None and known.service is not None and known.worker is not None
    assert (unknown.certificate_number, unknown.certificate, unknown.service_code, unknown.service) == (
        "C9", None, "999", None,
    )  # fmt: skip
    assert (known.amount_e4, unknown.amount_e4) == (1_425_000, 900_100)


def test_evidence_is_attached(office: Organisation) -> None:
    claim = make(office, files=[("visits.csv", b"a,b", "text/csv")])
    assert [file.name for file in attachments_of(claim)] == ["visits.csv"]


def test_foreign_contract_is_refused(office: Organisation) -> None:
    other = Provider.objects.create(code="P2", name="Інший", sector="private")
    with pytest.raises(claims.ForeignContract):
        make(office, provider=other)


def test_submitted_claim_is_judged(office: Organisation) -> None:
    claim = claims.submit_claim(organisation=office, claim_id=make(office).pk, actor=SYSTEM, at=AT)
    assert (claim.status, claim.submitted_at) == ("submitted", AT)
    assert judge(office) is not None
    assert [event.action for event in trail_for(claim)] == ["claims.adjudicated", "claim.submitted", "claim.created"]


def test_empty_claim_cannot_be_submitted(office: Organisation) -> None:
    claim = make(office)
    claim.lines.all().delete()
    with pytest.raises(claims.ClaimEmpty):
        claims.submit_claim(organisation=office, claim_id=claim.pk, actor=SYSTEM, at=AT)


def test_lines_of_a_submitted_claim_are_frozen_by_the_database(office: Organisation) -> None:
    claim = claims.submit_claim(organisation=office, claim_id=make(office).pk, actor=SYSTEM, at=AT)
    with pytest.raises(IntegrityError, match="cannot be changed"), transaction.atomic():
        claim.lines.update(units_milli=1)
    with pytest.raises(InvalidMove):
        claims.replace_claim_lines(organisation=office, claim_id=claim.pk, lines=[VISIT], actor=SYSTEM, at=AT)


def test_returned_claim_is_corrected_and_submitted_again(office: Organisation) -> None:
    load_reference(at=AT)
    shared: dict[str, Any] = {"organisation": office, "claim_id": make(office).pk, "actor": SYSTEM, "at": AT}
    claims.submit_claim(**shared)
    claims.return_claim(**shared, reason="не той договір")
    corrected = claims.replace_claim_lines(**shared, lines=[VISIT, VISIT])
    assert corrected.lines.count() == 2
    assert claims.submit_claim(**shared).status == "submitted"


def test_withdrawn_claim_stays_withdrawn(office: Organisation) -> None:
    shared: dict[str, Any] = {"organisation": office, "claim_id": make(office).pk, "actor": SYSTEM, "at": AT}
    claims.withdraw_claim(**shared, reason="помилка")
    with pytest.raises(InvalidMove):
        claims.submit_claim(**shared)
    assert judge(office) is None


def test_claim_of_another_office_is_not_found(office: Organisation, other_organisation: Organisation) -> None:
    claim = make(office)
    with pytest.raises(NotFound):
        claims.submit_claim(organisation=other_organisation, claim_id=claim.pk, actor=SYSTEM, at=AT)


def test_only_judged_claims_are_reversed_and_only_once(office: Organisation) -> None:
    shared: dict[str, Any] = {"organisation": office, "claim_id": make(office).pk, "actor": SYSTEM, "at": AT}
    claims.submit_claim(**shared)
    with pytest.raises(claims.NotReversible):
        claims.reverse_claim(**shared, reason="рано")
    judge(office)
    reversing = claims.reverse_claim(**shared, reason="помилка")
    assert (reversing.status, reversing.reverses_id) == ("submitted", shared["claim_id"])
    with pytest.raises(claims.NotReversible):
        claims.reverse_claim(**shared, reason="знову")
    with pytest.raises(claims.NotReversible):
        claims.reverse_claim(**shared | {"claim_id": reversing.pk}, reason="навпаки")


def test_a_provider_neither_withdraws_nor_completes_what_takes_its_claim_back(office: Organisation) -> None:
    shared: dict[str, Any] = {"organisation": office, "claim_id": make(office).pk, "actor": SYSTEM, "at": AT}
    claims.submit_claim(**shared)
    judge(office)
    reversing = claims.reverse_claim(**shared, reason="помилка")
    of_office = shared | {"claim_id": reversing.pk}
    with pytest.raises(claims.MadeByOffice):
        claims.withdraw_claim(**of_office, reason="не згодні")
    with pytest.raises(claims.MadeByOffice):
        claims.add_evidence(**of_office, file=("a.pdf", b"%PDF-1.7", "application/pdf"))
    for status in ("withdrawn", "returned"):
        with pytest.raises(IntegrityError, match="takes another one back"), transaction.atomic():
            Claim.objects.filter(pk=reversing.pk).update(status=status)
    judge(office)
    assert Claim.objects.get(pk=shared["claim_id"]).status == "reversed"
    mine = claims.submit_claim(**shared | {"claim_id": make(office).pk})
    assert claims.withdraw_claim(**shared | {"claim_id": mine.pk}, reason="помилка").status == "withdrawn"


def test_claim_in_an_open_payment_run_is_not_reversed(office: Organisation) -> None:
    shared: dict[str, Any] = {"organisation": office, "claim_id": make(office).pk, "actor": SYSTEM, "at": AT}
    claims.submit_claim(**shared)
    judge(office)
    Claim.objects.filter(pk=shared["claim_id"], status="adjudicated").update(status="scheduled")
    with pytest.raises(claims.NotReversible):
        claims.reverse_claim(**shared, reason="помилка")


CSV = (
    "\ufeffredemption_code;certificate_number;service_code;service_date;starts_at;ends_at;worker_code;units;unit_rate;amount\n"
    "V1;C1;015.1;03.11.2025;9:00;10:30;W1;1,5;95;142,50\n"
    ";C1;015.1;2025-11-04;2025-11-04T09:00:00+02:00;;W1;1;1\u00a0000,5;\n"
)


def test_spreadsheet_is_read_as_people_write_it() -> None:
    first, second = read_claim_file(name="visits.csv", content=CSV.encode(), zone="Europe/Kyiv")
    assert first.starts_at == datetime(2025, 11, 3, 9, 0, tzinfo=KYIV)
    assert (first.units, first.amount_claimed) == (Decimal("1.5"), Decimal("142.50"))
    assert (second.unit_rate, second.amount_claimed, second.ends_at) == (Decimal("1000.5"), Decimal("1000.50"), None)


def test_workbook_is_read() -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["service_code", "service_date", "units", "unit_rate", "certificate_number"])
    sheet.append(["015.1", datetime(2025, 11, 3), 1.5, 95, "C1"])
    content = io.BytesIO()
    book.save(content)
    (line,) = read_claim_file(name="visits.xlsx", content=content.getvalue(), zone="Europe/Kyiv")
    assert line == LineDraft("015.1", date(2025, 11, 3), Decimal("1.5"), Decimal(95), "C1")


@pytest.mark.parametrize(
    ("changes", "column", "reason"),
    [
        ({"units": "0"}, "units", "NOT_POSITIVE"),
        ({"units": "1.2345"}, "units", "TOO_MANY_PLACES"),
        ({"units": "багато"}, "units", "NOT_A_NUMBER"),
        ({"units": "NaN"}, "units", "NOT_A_NUMBER"),
        ({"units": "1e30"}, "units", "TOO_LARGE"),
        ({"units": "10000"}, "units", "TOO_LARGE"),
        ({"unit_rate": "1000000"}, "unit_rate", "TOO_LARGE"),
        ({"amount": "-1000000000"}, "amount", "TOO_LARGE"),
        ({"service_date": "0001-01-01"}, "service_date", "NOT_OUR_TIME"),
        ({"starts_at": "0001-01-01T00:00+02:00"}, "starts_at", "NOT_OUR_TIME"),
        ({"worker_code": "W\0"}, "worker_code", "NOT_TEXT"),
        ({"redemption_code": "V" * 65}, "redemption_code", "TOO_LONG"),
        ({"unit_rate": ""}, "unit_rate", "MISSING"),
        ({"service_date": "31.02.2025"}, "service_date", "NOT_A_DATE"),
        ({"starts_at": "вранці"}, "starts_at", "NOT_A_TIME"),
    ],
)
def test_cell_that_cannot_be_read_is_named(changes: dict[str, str], column: str, reason: str) -> None:
    row = {"service_code": "015.1", "service_date": "2025-11-03", "units": "1", "unit_rate": "95"} | changes
    with pytest.raises(ClaimRowsRefused) as refusal:
        read_claim_rows([row], zone="Europe/Kyiv")
    assert [(fault.row, fault.column, fault.reason) for fault in refusal.value.faults] == [(2, column, reason)]


def test_the_largest_lines_that_a_file_may_hold_can_be_summed(office: Organisation) -> None:
    row = {"service_code": "015.1", "service_date": "2025-11-03", "units": "9999.999", "unit_rate": "999999.9999"}
    claim = make(office, *read_claim_rows([row] * 50, zone="Europe/Kyiv"))
    assert claimed_minor(claim) == 50 * 999_999_899_900


@pytest.mark.parametrize("day", ["31.02.2025", "", "3025-11-03"])
def test_good_times_beside_an_unreadable_day_are_no_faults(day: str) -> None:
    row = {"service_code": "015.1", "service_date": day, "units": "1", "unit_rate": "95"}
    with pytest.raises(ClaimRowsRefused) as refusal:
        read_claim_rows([row | {"starts_at": "9:00", "ends_at": "10:00"}], zone="Europe/Kyiv")
    assert [fault.column for fault in refusal.value.faults] == ["service_date"]
    with pytest.raises(ClaimRowsRefused) as refusal:
        read_claim_rows([row | {"starts_at": "вранці", "ends_at": "10:00"}], zone="Europe/Kyiv")
    assert [fault.column for fault in refusal.value.faults] == ["service_date", "starts_at"]


def test_headings_without_rows_are_told_so() -> None:
    heading = CSV.splitlines()[0]
    with pytest.raises(ClaimFileEmpty) as refusal:
        read_claim_file(name="visits.csv", content=f"{heading}\n;;;\n".encode(), zone="Europe/Kyiv")
    assert refusal.value.code == "CLAIM_FILE_EMPTY"
    assert read_claim_file(name="visits.csv", content=CSV.encode(), zone="Europe/Kyiv")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"a,b\n1,2\n"])
def test_other_files_are_refused(content: bytes) -> None:
    with pytest.raises(ClaimFileUnreadable):
        read_claim_file(name="visits.csv", content=content, zone="Europe/Kyiv")
    with pytest.raises(ClaimFileUnreadable):
        read_claim_file(name="visits.xlsx", content=content, zone="Europe/Kyiv")
