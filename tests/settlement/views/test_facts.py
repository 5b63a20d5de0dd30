"""Pages of facts that checks ask for, and of patterns: each role its own, wrong input comes back, constant queries."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config.accounts.models import Organisation
from config.office.models import Attachment
from contracts.models import ProviderAccount, ProviderRelation, ProviderSchedule
from settlement.fact_kinds import KINDS
from settlement.models import Claim, ClaimDeclaration, FeeReport, Finding, FindingFeedback
from tests.settlement.test_prechecks import SOUND, draft
from tests.settlement.views.test_claims import text
from tests.settlement.views.town import Town, settled_town, url
from vouchers.models import EmergencyCase, Recipient, VisitComplaint

pytestmark = pytest.mark.django_db
ROWS: dict[str, dict[str, Any]] = {
    "schedules": {"provider": "P1", "weekdays_off": ["5", "6"], "valid_from": "2025-01-01", "valid_to": "2025-12-31"},
    "accounts": {
        "provider": "P1", "kind": "bank", "iban": "UA213223130000026007233566001", "reason": "лист від 02.12",
    },
    "relations": {"user": "halyna", "provider": "P1", "reason": "сестра", "valid_from": "2025-01-01"},
    "acts": {"service": "015.1", "valid_from": "2025-01-01"},
    "other-payers": {
        "recipient": "R1", "service": "015.1", "source": "grant", "reference": "Г-1", "valid_from": "2025-01-01",
    },
    "state-tasks": {"provider": "P1", "service": "015.1", "reference": "ДЗ-1", "valid_from": "2025-01-01"},
    "emergencies": {"recipient": "R1", "service": "015.1", "began_on": "2025-11-03"},
    "complaints": {"redemption": "V1", "text": "Ніхто не приходив"},
    "scans": {"redemption": "V1", "scanned_at": "2025-11-03T09:05", "distance_m": "1 200"},
}  # fmt: skip


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return settled_town(tmp_path)


def given(kind: str) -> dict[str, Any]:
    """What is posted; an account comes with the letter that asks for it."""
    paper = SimpleUploadedFile("lyst.txt", "Прошу платити сюди".encode())
    return {**ROWS[kind], **({"paper": paper} if kind == "accounts" else {})}


def recorder(town: Town, kind: str) -> Client:
    return town.browser("bohdan" if KINDS[kind].permission == "register.edit" else "sofiia")


@pytest.mark.parametrize("kind", ROWS)
def test_a_fact_is_recorded_and_listed(kind: str, town: Town) -> None:
    browser = recorder(town, kind)
    assert b"Nothing is recorded." in browser.get(url("facts", kind)).content
    answer = browser.post(url("fact_new", kind), given(kind), follow=True)
    assert answer.redirect_chain, answer.content.decode()[:3000]
    assert b"Nothing is recorded." not in answer.content
    assert KINDS[kind].model._default_manager.count() == 1
    assert b"Nothing was found." in browser.get(url("facts", kind), {"q": "жодного"}).content


@pytest.mark.parametrize("kind", ROWS)
def test_wrong_input_comes_back_with_its_reason(kind: str, town: Town) -> None:
    code = next(iter(ROWS[kind]))
    answer = recorder(town, kind).post(url("fact_new", kind), given(kind) | {code: "нема"})
    assert answer.status_code == 200 and b"There is no such code" in answer.content
    assert not KINDS[kind].model._default_manager.exists()


def test_a_new_account_at_stripe_passes_the_page_of_bank_accounts(town: Town) -> None:
    officer, finance = town.browser("bohdan"), town.browser("halyna")
    stripe = given("accounts") | {"kind": "stripe", "iban": "acct_1New"}
    for who in ("halyna", "ivan", "sofiia", "mariia", "nadiia"):
        assert town.browser(who).post(url("fact_new", "accounts"), stripe).status_code == 403
    bare = officer.post(url("fact_new", "accounts"), ROWS["accounts"] | {"kind": "stripe", "iban": "acct_1New"})
    assert bare.status_code == 200 and not ProviderAccount.objects.exists()
    wrong = officer.post(url("fact_new", "accounts"), given("accounts") | {"kind": "stripe"})
    assert wrong.status_code == 409 and b"is no account of Stripe" in wrong.content
    first = officer.get(url("fact_new", "accounts"), {"provider": "P1"}).content.decode()
    assert 'value="P1"' in first and 'enctype="multipart/form-data"' in first
    officer.post(url("fact_new", "accounts"), stripe | {"paper": SimpleUploadedFile("lyst.txt", b"x")})
    row, paper = ProviderAccount.objects.get(), Attachment.objects.get(kind="account_letter")
    where = reverse("contracts:provider", args=[row.provider_id])
    letter = url("account_letter", paper.pk)
    for reader in (officer, finance, town.browser("mariia")):
        page = reader.get(where).content.decode()
        assert "acct_1New" in page and "лист від 02.12" in page and letter in page
        assert reader.get(letter).content == b"x"
    assert "acct_1New" not in town.browser("sofiia").get(where).content.decode()
    assert town.browser("sofiia").get(letter).status_code == 403
    assert "Stripe" in finance.get(url("holds")).content.decode()


def test_the_letter_stays_with_the_office_that_recorded_it(town: Town, other_organisation: Organisation) -> None:
    town.browser("bohdan").post(url("fact_new", "accounts"), given("accounts"))
    paper = Attachment.objects.get(kind="account_letter")
    Attachment.objects.update(organisation=other_organisation)
    assert town.browser("halyna").get(url("account_letter", paper.pk)).status_code == 404


def test_each_role_records_its_own_kinds(town: Town) -> None:
    assert town.browser("sofiia").post(url("fact_new", "schedules"), ROWS["schedules"]).status_code == 403
    assert town.browser("bohdan").post(url("fact_new", "complaints"), ROWS["complaints"]).status_code == 403
    assert town.browser("halyna").get(url("facts_start")).status_code == 403
    assert town.browser("bohdan").get(url("facts", "nonsense")).status_code == 404
    assert not ProviderSchedule.objects.exists() and not VisitComplaint.objects.exists()


def test_days_are_written_as_people_count_them(town: Town) -> None:
    answer = town.browser("bohdan").post(url("fact_new", "schedules"), ROWS["schedules"], follow=True)
    assert str(ProviderSchedule.objects.get().valid_to) == "2026-01-01"
    assert "Saturday, Sunday" in answer.content.decode()


def test_a_complaint_is_answered_and_an_act_recorded(town: Town) -> None:
    browser = town.browser("sofiia")
    for kind in ("complaints", "emergencies"):
        browser.post(url("fact_new", kind), ROWS[kind])
    complaint, case = VisitComplaint.objects.get(), EmergencyCase.objects.get()
    assert b"\xd0\x9d\xd1\x96\xd1\x85\xd1\x82\xd0\xbe" in browser.get(url("complaint_answer", complaint.pk)).content
    browser.post(url("complaint_answer", complaint.pk), {"answer": "Вибачились"})
    browser.post(url("emergency_act", case.pk), {"act_on": "2025-11-04"})
    complaint.refresh_from_db()
    case.refresh_from_db()
    assert complaint.answer == "Вибачились" and str(case.act_on) == "2025-11-04"
    again = browser.post(url("complaint_answer", complaint.pk), {"answer": "Ще"})
    assert again.status_code == 409 and b"answered already" in again.content


def test_the_number_of_queries_does_not_grow(town: Town) -> None:
    browser = town.browser("bohdan")
    browser.post(url("fact_new", "relations"), ROWS["relations"])
    browser.get(url("facts", "relations"))
    with CaptureQueriesContext(connection) as one:
        browser.get(url("facts", "relations"))
    browser.post(url("fact_new", "relations"), ROWS["relations"] | {"user": "ivan"})
    assert ProviderRelation.objects.count() == 2
    with CaptureQueriesContext(connection) as two:
        assert str(town.users["ivan"]) in browser.get(url("facts", "relations")).content.decode()
    assert len(two) == len(one)


def test_a_provider_declares_only_what_is_still_a_draft(town: Town) -> None:
    browser = town.browser("nadiia")
    refused = browser.post(url("claim_declare", town.claim.pk), {"document_number": "7", "total": "1.00"})
    assert refused.status_code == 409 and b"handed in" in refused.content
    holder = town.claim.lines.exclude(certificate=None).first().certificate.recipient  # type: ignore[union-attr]
    fee = {"recipient": holder.pk, "collected": "1"}
    assert browser.post(url("claim_fee", town.claim.pk), fee).status_code == 409
    assert not ClaimDeclaration.objects.exists() and not FeeReport.objects.exists()
    assert town.browser("taras").get(url("claim_declare", town.claim.pk)).status_code == 404


def test_a_collected_fee_is_noted_by_the_certificate_that_the_provider_sees(town: Town) -> None:
    browser, contract = town.browser("nadiia"), town.claim.contract
    assert contract is not None
    browser.post(url("claim_from_redemptions"), {"contract": contract.pk, "period": "2025-12"})
    claim = Claim.objects.exclude(pk=town.claim.pk).get()
    holder = claim.lines.exclude(certificate=None)[0].certificate
    assert holder is not None
    # The choices alone: a token of the page may hold any two letters by chance.
    choices = text(browser.get(url("claim_fee", claim.pk))).split("<select")[1].split("</select>")[0]
    assert holder.number in choices and holder.recipient.code not in choices
    stranger = Recipient.objects.create(
        organisation=claim.organisation, code="R-OTHER", registered_at=claim.recorded_at
    )
    assert browser.post(url("claim_fee", claim.pk), {"recipient": stranger.pk, "collected": "1"}).status_code != 302
    assert not FeeReport.objects.exists()
    answer = browser.post(url("claim_fee", claim.pk), {"recipient": holder.recipient_id, "collected": "12,50"})
    assert answer.status_code == 302
    assert FeeReport.objects.get().collected_minor == 1250


def test_a_declared_invoice_is_read_back_and_compared_with_the_lines(town: Town) -> None:
    browser, claim = town.browser("nadiia"), draft(town, SOUND)
    assert "own invoice" not in text(browser.get(url("claim", claim.pk)))
    written = Decimal(claim.lines.get().amount_e4) / 10_000
    invoice = {"document_number": "77-А", "total": str(written + 5), "vat": ""}
    assert browser.post(url("claim_declare", claim.pk), invoice).status_code == 302
    page = text(browser.get(url("claim", claim.pk)))
    assert "№ 77-А" in page and "The lines are" in page and "own invoice" in page
    assert 'value="77-А"' in browser.get(url("claim_declare", claim.pk)).content.decode()
    browser.post(url("claim_declare", claim.pk), invoice | {"total": str(written)})
    page = text(browser.get(url("claim", claim.pk)))
    assert "№ 77-А" in page and "The lines are" not in page


def test_a_signed_act_comes_while_a_line_waits(town: Town) -> None:
    file = SimpleUploadedFile("акт.pdf", b"%PDF-1.7", "application/pdf")
    browser = town.browser("nadiia")
    assert browser.post(url("claim_act", town.claim.pk), {}).status_code == 200
    assert browser.post(url("claim_act", town.claim.pk), {"file": file}).status_code == 302
    assert Attachment.objects.get(kind="signed_act").name == "акт.pdf"


def pattern(town: Town) -> Finding:
    line = town.claim.lines.latest("line")
    return Finding.objects.create(
        run=town.run, claim_line=line, check_code="CLM-43", severity="W", detail={"metres": "612", "hours": "0"}
    )


def test_patterns_show_figures_and_take_feedback(town: Town) -> None:
    browser, finding = town.browser("halyna"), pattern(town)
    page = browser.get(url("patterns")).content.decode()
    assert "612 m from the recipient" in page and "There is nothing in it" in page
    assert b"No such finding" in browser.get(url("patterns"), {"check": "CLM-44"}).content
    assert browser.post(url("pattern_feedback", finding.pk), {"reason": ""}).status_code == 200
    browser.post(url("pattern_feedback", finding.pk), {"reason": "слабкий сигнал"})
    assert FindingFeedback.objects.get().reason == "слабкий сигнал"
    assert "слабкий сигнал" in browser.get(url("patterns")).content.decode()
    assert town.browser("mariia").get(url("patterns")).status_code == 200
    assert town.browser("mariia").get(url("pattern_feedback", finding.pk)).status_code == 403
    assert town.browser("bohdan").get(url("patterns")).status_code == 403


def test_queries_of_patterns_do_not_grow(town: Town) -> None:
    browser = town.browser("halyna")
    pattern(town)
    browser.get(url("patterns"))
    with CaptureQueriesContext(connection) as one:
        browser.get(url("patterns"))
    for line in town.claim.lines.order_by("line")[:3]:
        Finding.objects.create(run=town.run, claim_line=line, check_code="CLM-41", severity="W", detail={})
    with CaptureQueriesContext(connection) as two:
        assert browser.get(url("patterns")).content.count(b"There is nothing in it") == 4
    assert len(two) == len(one)
