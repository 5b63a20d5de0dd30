"""Every refusal of the import, each in a package that is otherwise good."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.accounts.models import Organisation
from config.audit.models import AuditEvent
from config.interchange.refusals import OrganisationDiffers, OrganisationUnclear, PackageUnreadable
from contracts.models import Provider, Service
from settlement.models import Claim, ClaimLine, Clearance
from tests.config.interchange.packages import load, load_tables, refused
from tests.oracle.generate import write
from tests.oracle.small import Tables, add, example_5_2

pytestmark = pytest.mark.django_db

_SERVICE = {"service_code": "015.1"}
_PLAN = {"recipient_code": "R1", **_SERVICE}

# table, the row that is changed or added (None: the first row changed), its columns, refused column, code
CASES: dict[str, tuple[str, bool, dict[str, str], str, str]] = {
    "blank where a value is needed": ("services", False, {"granularity": ""}, "granularity", "REQUIRED"),
    "zero units": ("claim_lines", False, {"units": "0"}, "units", "NOT_POSITIVE"),
    "negative units": ("claim_lines", False, {"units": "-1.5"}, "units", "NOT_POSITIVE"),
    "zero rate": ("contract_lines", False, {"unit_rate": "0.0000"}, "unit_rate", "NOT_POSITIVE"),
    "zero granularity": ("services", False, {"granularity": "0"}, "granularity", "NOT_POSITIVE"),
    "units with 4 decimals": ("plan_lines", False, {"units_per_month": "1.0005"}, "units_per_month", "DECIMALS"),
    "rate with 5 decimals": ("norm_costs", False, {"unit_rate": "96.54321"}, "unit_rate", "DECIMALS"),
    "claimed amount with 5 decimals": ("claim_lines", False, {"amount": "147.00001"}, "amount", "DECIMALS"),
    "money with 3 decimals": ("fee_assessments", False, {"monthly_limit": "1.001"}, "monthly_limit", "DECIMALS"),
    "negative ceiling": ("contracts", False, {"ceiling": "-1"}, "ceiling", "NEGATIVE"),
    "no number": ("claim_lines", False, {"units": "1,5,0"}, "units", "NUMBER"),
    "exponent": ("claim_lines", False, {"units": "1e3"}, "units", "NUMBER"),
    "too large": ("claim_lines", False, {"units": "1" + "0" * 30}, "units", "TOO_LARGE"),
    "no whole number": ("claim_lines", False, {"line": "1.5"}, "line", "INTEGER"),
    "boolean yes": ("services", False, {"basic": "yes"}, "basic", "BOOLEAN"),
    "boolean in capitals": ("services", False, {"one_off": "TRUE"}, "one_off", "BOOLEAN"),
    "boolean of a provider": ("providers", False, {"vat_payer": "0"}, "vat_payer", "BOOLEAN"),
    "word not in the list": ("services", False, {"unit": "minute"}, "unit", "CHOICE"),
    "no date": ("claim_lines", False, {"service_date": "03.11.2025"}, "service_date", "DATE"),
    "no such day": ("claim_lines", False, {"service_date": "2025-02-30"}, "service_date", "DATE"),
    "no month": ("claims", False, {"period": "2025-13"}, "period", "MONTH"),
    "no time": ("claim_lines", False, {"starts_at": "nine"}, "starts_at", "TIME"),
    "time without zone": ("claim_lines", False, {"starts_at": "2025-11-03T09:00:00"}, "starts_at", "TIME_ZONE"),
    "too long": ("services", False, {"name_uk": "x" * 256}, "name_uk", "TOO_LONG"),
    "control character": ("providers", False, {"name": "Тур\x07бота"}, "name", "CHARACTER"),
    "duplicate key": ("plan_lines", True, {**_PLAN, "valid_from": "2025-01-01", "units_per_month": "5"},
                      "recipient_code", "DUPLICATE_KEY"),
    "duplicate certificate": ("certificates", True, {"number": "C1", "recipient_code": "R1", "status": "active",
                                                     "valid_from": "2026-01-01"}, "number", "DUPLICATE_KEY"),
    "duplicate line": ("claim_lines", True, {"claim_number": "A-1", "line": "1", "service_date": "2025-11-03",
                                             "units": "1", "unit_rate": "1", "amount": "1"},
                       "claim_number", "DUPLICATE_KEY"),
    "overlapping plan lines": ("plan_lines", True, {**_PLAN, "valid_from": "2025-06-01", "units_per_month": "5"},
                               "valid_from", "OVERLAP"),
    "overlapping norm costs": ("norm_costs", True, {**_SERVICE, "valid_from": "2025-06-01", "unit_rate": "5"},
                               "valid_from", "OVERLAP"),
    "overlapping fee decisions": ("fee_assessments", True, {"recipient_code": "R1", "valid_from": "2025-06-01",
                                                            "mode": "F"}, "valid_from", "OVERLAP"),
    "fee decision in the middle of a month": ("fee_assessments", False, {"valid_from": "2025-01-02"}, "valid_from",
                                              "NOT_FIRST_OF_MONTH"),
    "differentiated fee without limit": ("fee_assessments", False, {"monthly_limit": ""}, "monthly_limit",
                                         "LIMIT_MISSING"),
    "last day before the first": ("certificates", False, {"valid_to": "2024-12-31"}, "valid_to", "RANGE"),
    "unknown recipient": ("certificates", False, {"recipient_code": "R9"}, "recipient_code", "REFERENCE"),
    "unknown provider of a claim": ("claims", False, {"provider_code": "P9"}, "provider_code", "REFERENCE"),
    "unknown service of a norm": ("norm_costs", False, {"service_code": "S9"}, "service_code", "REFERENCE"),
    "unknown territory": ("recipients", False, {"territory_code": "T9"}, "territory_code", "REFERENCE"),
    "unknown parent": ("territories", True, {"code": "T1", "name": "Село", "kind": "rural", "parent_code": "T9"},
                       "parent_code", "REFERENCE"),
    "unknown budget line": ("contracts", False, {"budget_line_code": "B9"}, "budget_line_code", "REFERENCE"),
    "unknown claim of a line": ("claim_lines", False, {"claim_number": "A-9"}, "claim_number", "REFERENCE"),
    "unknown reversed claim": ("claims", False, {"reverses": "A-9"}, "reverses", "REFERENCE"),
    "unknown line of a clearance": ("clearances", True, {"run": "1", "claim_number": "A-1", "line": "99",
                                                         "check": "CLM-11"}, "line", "REFERENCE"),
}  # fmt: skip


def bend(tables: Tables, table: str, added: bool, values: dict[str, str]) -> int:
    """Change the first row or add one; the row number a person sees."""
    if added:
        add(tables, table, **values)
        return len(tables[table]) + 1
    tables[table][0].update(values)
    return 2


@pytest.mark.parametrize("case", CASES)
def test_refused(tmp_path: Path, case: str) -> None:
    table, added, values, column, code = CASES[case]
    tables = example_5_2()
    row = bend(tables, table, added, values)
    report = load_tables(tables, tmp_path)
    assert not report.imported
    assert [(r.file, r.row, r.column, r.code) for r in report.refusals] == [(f"{table}.csv", row, column, code)]
    assert report.refusals[0].sentence
    if values.get(column):
        assert report.refusals[0].value == values[column][:200]
    # All or nothing: not even the municipality is left behind.
    assert not Organisation.objects.exists() and not Provider.objects.exists()
    assert not AuditEvent.objects.exists()


def test_existing_key_with_another_value_differs(tmp_path: Path) -> None:
    tables = example_5_2()
    load_tables(tables, tmp_path / "a")
    tables["contract_lines"][0]["unit_rate"] = "96"
    report = load_tables(tables, tmp_path / "b")
    assert refused(report) == [("contract_lines.csv", 2, "unit_rate", "96", "DIFFERS")]


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("claims", "status", "withdrawn"),
        ("claim_lines", "amount", "147.01"),
        ("claim_lines", "worker_code", "W2"),
        ("certificates", "valid_to", "2025-11-30"),
        ("services", "one_off", "true"),
        ("recipients", "recipient_class", "A"),
        ("providers", "iban", "UA213223130000026007233566001"),
        ("redemptions", "status", "voided"),
    ],
)
def test_every_kind_of_value_is_compared(tmp_path: Path, table: str, column: str, value: str) -> None:
    tables = example_5_2()
    load_tables(tables, tmp_path / "a")
    tables[table][0][column] = value
    report = load_tables(tables, tmp_path / "b")
    assert refused(report) == [(f"{table}.csv", 2, column, value, "DIFFERS")]


def test_another_name_of_a_person_differs_without_showing_it(tmp_path: Path) -> None:
    tables = example_5_2()
    load_tables(tables, tmp_path / "a")
    tables["recipients"][0]["name"] = "Олена Інша"
    report = load_tables(tables, tmp_path / "b")
    assert refused(report) == [("recipients.csv", 2, "name", "•••", "DIFFERS")]


def test_one_person_lifts_no_remark_on_a_claim_of_our_own(tmp_path: Path) -> None:
    tables = example_5_2()
    clearance = {"run": "2", "claim_number": "A-1", "line": "1", "check": "CLM-33", "decided_by": "Хтось"}
    load_tables(tables, tmp_path / "a")
    Claim.objects.filter(number="A-1").update(imported=False)
    add(tables, "clearances", **clearance)
    report = load_tables(tables, tmp_path / "b")
    assert refused(report) == [("clearances.csv", 2, "claim_number", "A-1", "CLAIMED_HERE")]
    assert not Clearance.objects.exists()
    Claim.objects.filter(number="A-1").update(imported=True)
    assert load_tables(tables, tmp_path / "c").imported
    # Known already: the same package again says nothing new.
    Claim.objects.filter(number="A-1").update(imported=False)
    assert load_tables(tables, tmp_path / "d").imported and Clearance.objects.count() == 1


def test_new_row_that_overlaps_a_stored_one(tmp_path: Path) -> None:
    tables = example_5_2()
    load_tables(tables, tmp_path / "a")
    tables["plan_lines"][0]["valid_from"] = "2025-03-01"
    report = load_tables(tables, tmp_path / "b")
    assert refused(report) == [("plan_lines.csv", 2, "valid_from", "2025-03-01", "OVERLAP")]


def test_evidence_with_unknown_codes_is_not_refused(tmp_path: Path) -> None:
    tables = example_5_2()
    line = tables["claim_lines"][0]
    line |= {"certificate_number": "C9", "service_code": "S9", "worker_code": "W9", "redemption_code": "V9"}
    tables["claims"][0]["contract_number"] = "немає"
    tables["redemptions"][0] |= {"certificate_number": "C9", "provider_code": "P9", "service_code": ""}
    assert load_tables(tables, tmp_path).imported
    stored = ClaimLine.objects.get(line=1)
    assert (stored.certificate_number, stored.certificate_id) == ("C9", None)
    assert Claim.objects.get().contract_id is None


def test_good_rows_are_accepted_on_request_and_children_of_bad_ones_are_not(tmp_path: Path) -> None:
    tables = example_5_2()
    add(tables, "services", code="S2", unit="minute", granularity="1")
    add(tables, "plan_lines", recipient_code="R1", service_code="S2", valid_from="2025-01-01", units_per_month="5")
    report = load_tables(tables, tmp_path, accept_good_rows=True)
    assert report.imported
    assert refused(report) == [
        ("services.csv", 3, "unit", "minute", "CHOICE"),
        ("plan_lines.csv", 3, "service_code", "S2", "PARENT_REFUSED"),
    ]
    assert Service.objects.get().code == "015.1"
    tables["services"][1]["unit"] = "visit"
    mended = load_tables(tables, tmp_path / "mended")
    assert {count.table: count.created for count in mended.tables if count.created} == {"services": 1, "plan_lines": 1}


def test_dry_run_says_and_changes_nothing(tmp_path: Path) -> None:
    report = load_tables(example_5_2(), tmp_path, dry_run=True)
    assert (report.imported, report.refused) == (False, 0)
    assert {count.table: count.created for count in report.tables}["claim_lines"] == 14
    assert not Organisation.objects.exists() and not AuditEvent.objects.exists()


@pytest.mark.parametrize(
    ("header", "code", "column"),
    [
        ("code,name,kind,color", "UNKNOWN_COLUMN", "color"),
        ("code,kind", "MISSING_COLUMN", "name"),
        ("code,name,kind,name", "HEADER", ""),
        (",\nT1,Село", "HEADER", ""),
    ],
)
def test_header_is_refused(tmp_path: Path, header: str, code: str, column: str) -> None:
    path = write(example_5_2(), tmp_path)
    (path / "territories.csv").write_text(header + "\n")
    report = load(path)
    assert refused(report) == [("territories.csv", 1, column, "", code)]
    assert not report.imported


def test_row_with_too_many_cells(tmp_path: Path) -> None:
    path = write(example_5_2(), tmp_path)
    (path / "territories.csv").write_text("code,name,kind\nT1,Село,rural,so\n")
    assert refused(load(path)) == [("territories.csv", 2, "", "4", "CELLS")]


def test_file_in_another_encoding(tmp_path: Path) -> None:
    path = write(example_5_2(), tmp_path)
    (path / "territories.csv").write_bytes("code,name,kind\nT1,Село,rural\n".encode("cp1251"))
    assert refused(load(path)) == [("territories.csv", 1, "", "", "ENCODING")]


def test_no_package(tmp_path: Path) -> None:
    with pytest.raises(PackageUnreadable):
        load(tmp_path)
    (tmp_path / "broken.zip").write_text("no archive")
    with pytest.raises(PackageUnreadable):
        load(tmp_path / "broken.zip")


def test_package_without_a_municipality(tmp_path: Path) -> None:
    path = write(example_5_2(), tmp_path)
    (path / "datapackage.json").write_text("{}")
    with pytest.raises(OrganisationUnclear):
        load(path)


def test_municipality_known_under_another_name(tmp_path: Path) -> None:
    load(write(example_5_2(), tmp_path / "a"))
    with pytest.raises(OrganisationDiffers):
        load(write(example_5_2(), tmp_path / "b", name="Інша"))
