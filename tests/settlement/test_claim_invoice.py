"""Claims as EN 16931 invoices: written, read back the same, safe to read, and what they say otherwise is told."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import load_workbook
from pypdf import PdfReader

from contracts.models import Contract
from settlement.claim_invoice import INVOICE, InvoiceUnreadable, Known, known_of, read_invoice, write_invoice
from settlement.claim_rows import ClaimRowsRefused
from settlement.line_queries import claim_lines
from settlement.models import Claim
from tests.settlement.views.town import Town, settled_town, url

pytestmark = pytest.mark.django_db
ZONE = "Europe/Kyiv"


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return settled_town(tmp_path)


@pytest.fixture
def known(town: Town) -> Known:
    return known_of(Contract.objects.select_related("organisation", "provider").get())


def written(town: Town) -> bytes:
    claim = Claim.objects.select_related("organisation", "provider").get(pk=town.claim.pk)
    return write_invoice(claim, claim_lines(claim), issued_on=date(2025, 12, 3))


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


def test_the_spreadsheet_holds_what_the_paper_shows(town: Town) -> None:
    for name, title in (("claim_act_xlsx", "Акт наданих послуг A-1"), ("claim_invoice_xlsx", "Рахунок A-1")):
        answer = town.browser("nadiia").get(url(name, town.claim.pk))
        rows = list(load_workbook(io.BytesIO(answer.content)).worksheets[0].iter_rows(values_only=True))
        assert answer["Content-Disposition"].startswith("attachment") and rows[0][0] == title
        assert sum(row[4] for row in rows if row[0] == "Догляд вдома") == 2200.5
        assert next(row[4] for row in rows if row[0] == "Разом") == 2200.5
        assert [row[3] for row in rows if row[1:3] == (2200.5, 2200.5)] == [0]
        assert town.browser("taras").get(url(name, town.claim.pk)).status_code == 404
