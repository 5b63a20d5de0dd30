"""Claims as EN 16931 invoices: written, read back the same, safe to read, and what they say otherwise is told."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pikepdf.pdfa
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import translation
from openpyxl import load_workbook
from pypdf import PdfReader

from config.accounts.models import Organisation
from contracts.models import Contract, Provider
from settlement.claim_invoice import (
    INVOICE,
    InvoiceIncomplete,
    InvoiceUnreadable,
    Known,
    known_of,
    read_invoice,
    write_invoice,
)
from settlement.claim_rows import ClaimRowsRefused
from settlement.line_queries import claim_lines
from settlement.models import Claim
from tests.conftest import AT
from tests.settlement.views.town import Town, settled_town, url

pytestmark = pytest.mark.django_db
ZONE = "Europe/Kyiv"
SELLER, BUYER, IBAN = "14360570", "04053789", "UA213223130000026007233566001"
FOREIGN = Path(__file__).parent / "data" / "invoice_of_another_program.xml"


@pytest.fixture
def town(tmp_path: Path) -> Town:
    found = settled_town(tmp_path)
    Provider.objects.filter(code="P1").update(registration_code=SELLER, iban=IBAN)
    Organisation.objects.filter(pk=found.organisation.pk).update(registration_code=BUYER)
    found.organisation.refresh_from_db()
    return found


@pytest.fixture
def known(town: Town) -> Known:
    return known_of(Contract.objects.select_related("organisation", "provider").get())


def written(town: Town) -> bytes:
    claim = Claim.objects.select_related("organisation", "provider").get(pk=town.claim.pk)
    return write_invoice(claim, claim_lines(claim), issued_on=date(2025, 12, 3))


def broken_rules(content: bytes) -> set[str]:
    """What a validator of its own (EN 16931, UBL) says of the invoice."""
    command = [sys.executable, "-m", "einvoice", "validate", "-", "--profile=en16931", "--json"]
    answer = subprocess.run(command, input=content, capture_output=True, check=False)
    told = json.loads(answer.stdout)
    found = {row["rule"] for row in told["violations"]}
    assert told["valid"] == (answer.returncode == 0) == (not found), told
    return found


def test_what_is_written_conforms(town: Town) -> None:
    assert broken_rules(written(town)) == set()


def test_of_any_jurisdiction_it_conforms(town: Town) -> None:
    Organisation.objects.update(jurisdiction="RU", currency="RUB")
    russian = written(town)
    Organisation.objects.update(jurisdiction="GENERIC", currency="GEL", iban="GE29NB0000000101904917")
    generic = written(town)
    assert b">RU<" in russian and b">GE<" in generic
    assert broken_rules(russian) | broken_rules(generic) == set()


def test_codes_that_nobody_knows_conform_too(town: Town) -> None:
    claim = Claim.objects.select_related("organisation", "provider").get(pk=town.claim.pk)
    lines = list(claim_lines(claim))
    for line, code in zip(lines, ("", "999\x01&<"), strict=False):
        line.service, line.service_code, line.redemption_code, line.worker_code = None, code, "", ""
    content = write_invoice(claim, lines, issued_on=date(2025, 12, 3))
    assert broken_rules(content) == set() and b"999&amp;&lt;" in content


def test_the_validator_finds_what_is_wrong(town: Town) -> None:
    content = written(town)
    sums = content.replace(b'<cbc:PayableAmount currencyID="UAH">2', b'<cbc:PayableAmount currencyID="UAH">3')
    assert "BR-CO-16" in broken_rules(sums)
    assert "BR-09" in broken_rules(content.replace(b">UA<", b"><", 1))


def test_without_the_codes_that_it_needs_no_invoice_is_written(town: Town) -> None:
    Provider.objects.filter(code="P1").update(registration_code="")
    with translation.override("en"), pytest.raises(InvoiceIncomplete, match="registration code"):
        written(town)
    browser = town.browser("nadiia")
    answer = browser.get(url("claim_invoice_xml", town.claim.pk))
    assert answer.status_code == 409 and "is not on record" in answer.content.decode()
    paper = PdfReader(io.BytesIO(browser.get(url("claim_invoice_pdf", town.claim.pk)).content))
    assert "Рахунок" in paper.pages[0].extract_text() and not paper.attachments
    Provider.objects.filter(code="P1").update(registration_code=SELLER)
    Organisation.objects.update(jurisdiction="GENERIC", iban="")
    with translation.override("en"), pytest.raises(InvoiceIncomplete, match="bank account"):
        written(town)


def test_an_invoice_of_another_program_conforms_and_is_read(known: Known) -> None:
    assert broken_rules(FOREIGN.read_bytes()) == set()
    invoice = read_invoice(FOREIGN.read_bytes(), zone=ZONE, known=known)
    assert [finding.code for finding in invoice.findings] == ["PAYABLE"]
    rows = [(row.redemption_code, row.service_code, row.worker_code, row.amount_claimed) for row in invoice.lines]
    assert rows == [("V1", "015.1", "W1", Decimal("142.50")), ("", "015.1", "", Decimal("142.50"))]


def test_what_is_written_is_read_back_line_by_line(town: Town, known: Known) -> None:
    invoice = read_invoice(written(town), zone=ZONE, known=known)
    assert (invoice.number, invoice.findings) == ("A-1", [])
    names = ("redemption_code", "certificate_number", "service_code", "service_date", "starts_at", "ends_at")
    for draft, line in zip(invoice.lines, claim_lines(town.claim), strict=True):
        assert [getattr(draft, name) for name in names] == [getattr(line, name) for name in names]
        assert (draft.worker_code, draft.units * 1000, draft.unit_rate * 10_000) == (
            line.worker_code, line.units_milli, line.unit_rate_e4,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"urn:cen.eu:en16931:2017", b"urn:other", "PROFILE"),
        (b">UAH<", b">EUR<", "CURRENCY"),
        (b">K1<", b">K9<", "CONTRACT"),
        (b'<cbc:PayableAmount currencyID="UAH">2', b'<cbc:PayableAmount currencyID="UAH">3', "PAYABLE"),
        (b'Amount currencyID="UAH">147.00', b'Amount currencyID="UAH">148.00', "LINE_SUM"),
    ],
)  # fmt: skip
def test_what_it_says_otherwise_is_told(town: Town, known: Known, old: bytes, new: bytes, code: str) -> None:
    content = written(town)
    assert old in content
    invoice = read_invoice(content.replace(old, new), zone=ZONE, known=known)
    assert code in {finding.code for finding in invoice.findings}
    assert all(finding.sentence for finding in invoice.findings)


def test_a_foreign_seller_is_told(town: Town, known: Known) -> None:
    invoice = read_invoice(written(town), zone=ZONE, known=replace(known, seller="12345678"))
    assert [finding.code for finding in invoice.findings] == ["SELLER"]


def test_cells_are_refused_as_in_a_spreadsheet(town: Town, known: Known) -> None:
    content = written(town).replace(b"<cbc:StartDate>2025-11-03<", b"<cbc:StartDate>2025-13-03<", 1)
    with pytest.raises(ClaimRowsRefused) as refusal:
        read_invoice(content, zone=ZONE, known=known)
    assert {(fault.column, fault.reason) for fault in refusal.value.faults} == {("service_date", "NOT_A_DATE")}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not xml",
        b"<a/>",
        f'<Invoice xmlns="{INVOICE}"/>'.encode(),
        f'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><Invoice xmlns="{INVOICE}">&e;</Invoice>'.encode(),
    ],
)
def test_what_is_no_invoice_or_is_dangerous_is_refused(town: Town, known: Known, content: bytes) -> None:
    with pytest.raises(InvoiceUnreadable):
        read_invoice(content, zone=ZONE, known=known)


def test_an_uploaded_invoice_becomes_a_draft_with_its_findings(town: Town) -> None:
    browser = town.browser("nadiia")
    content = browser.get(url("claim_invoice_xml", town.claim.pk)).content.replace(b">K1<", b">K9<")
    fields = {"contract": Contract.objects.get().pk, "period": "2025-11"}
    file = SimpleUploadedFile("invoice.xml", content, content_type="application/xml")
    answer = browser.post(url("claim_upload"), {**fields, "file": file}, follow=True)
    made = Claim.objects.exclude(pk=town.claim.pk).get()
    assert (made.status, made.lines.count()) == ("draft", 15)
    page = answer.content.decode()
    assert "The invoice names contract «K9»" in page and "invoice.xml" in page
    bad = SimpleUploadedFile("invoice.xml", b"<a/>", content_type="application/xml")
    assert browser.post(url("claim_upload"), {**fields, "file": bad}).status_code == 400


def test_the_act_and_the_invoice_are_printed(town: Town) -> None:
    for name, word in (("claim_act_pdf", "Акт"), ("claim_invoice_pdf", "Рахунок")):
        answer = town.browser("nadiia").get(url(name, town.claim.pk))
        text = PdfReader(io.BytesIO(answer.content)).pages[0].extract_text().replace("\xa0", " ")
        assert word in text and "2 200,50" in text and town.claim.provider.name in text
        assert town.browser("taras").get(url(name, town.claim.pk)).status_code == 404


def test_the_printed_invoice_carries_the_one_for_programs(town: Town, tmp_path: Path) -> None:
    browser = town.browser("nadiia")
    content = browser.get(url("claim_invoice_pdf", town.claim.pk)).content
    ((name, file),) = PdfReader(io.BytesIO(content)).attachments.items()
    answer = browser.get(url("claim_invoice_xml", town.claim.pk))
    assert file == [answer.content]
    assert name == f"claim-{town.claim.number}.xml" and name in answer["Content-Disposition"]
    made = tmp_path / "invoice.pdf"
    made.write_bytes(content)
    # Level A (with tags for readers) asks for more than level B, which the validator knows.
    found = [row.message for row in pikepdf.pdfa.validate_written(made, "3b").violations]
    assert found == ["pdfaid:conformance is 'A', expected 'B'"]
    assert not PdfReader(io.BytesIO(browser.get(url("claim_act_pdf", town.claim.pk)).content)).attachments


def test_what_takes_a_claim_back_asks_for_nothing(town: Town) -> None:
    reversing = Claim.objects.create(
        organisation=town.organisation, number="A-9", provider=town.claim.provider, period=town.claim.period,
        status="submitted", status_at=AT, recorded_at=AT, reverses=town.claim,
    )  # fmt: skip
    assert town.browser("nadiia").get(url("claim_invoice_xml", reversing.pk)).status_code == 404


def test_the_spreadsheet_holds_what_the_paper_shows(town: Town) -> None:
    for name, title in (("claim_act_xlsx", "Акт наданих послуг A-1"), ("claim_invoice_xlsx", "Рахунок A-1")):
        answer = town.browser("nadiia").get(url(name, town.claim.pk))
        rows = list(load_workbook(io.BytesIO(answer.content)).worksheets[0].iter_rows(values_only=True))
        assert answer["Content-Disposition"].startswith("attachment") and rows[0][0] == title
        assert sum(row[4] for row in rows if row[0] == "Догляд вдома") == 2200.5
        assert next(row[4] for row in rows if row[0] == "Разом") == 2200.5
        assert [row[3] for row in rows if row[1:3] == (2200.5, 2200.5)] == [0]
        assert town.browser("taras").get(url(name, town.claim.pk)).status_code == 404


def test_it_speaks_the_language_of_the_municipality_whoever_takes_it(town: Town) -> None:
    written_out = town.browser("nadiia").get(url("claim_invoice_xml", town.claim.pk)).content.decode()
    assert "Згідно з договором" in written_out and "Соціальні послуги звільнено" in written_out
    assert "As agreed" not in written_out and "exempt from" not in written_out
