"""Claims as the provider, finance, the auditor and strangers see them."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.translation import override
from openpyxl import load_workbook
from pypdf import PdfReader

from config.accounts.models import Organisation
from config.audit.models import AuditEvent
from config.office.jobs import run_job
from config.office.models import Job
from config.templatetags.show import minor
from contracts.actions.reference import load_reference
from contracts.models import Contract
from settlement.actions import letters
from settlement.actions.fees import issue_fee_notices
from settlement.claim_queries import taken_by_check
from settlement.claim_rows import COLUMNS, read_claim_file
from settlement.finding_words import title_of
from settlement.line_queries import claimed_minor, outcome_counts
from settlement.models import Claim, ClaimLine, Finding
from settlement.tasks import run_jobs
from tests.oracle.small import add_visit
from tests.settlement.actions.lifting import lift
from tests.settlement.actions.month import AT, judge, two_visits
from tests.settlement.views.town import Town, settled_town, url
from vouchers.gateways.headings import heading_of

pytestmark = pytest.mark.django_db
HEADER = "certificate_number,service_code,service_date,starts_at,ends_at,worker_code,units,unit_rate,amount\n"


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return settled_town(tmp_path)


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().replace("\xa0", " ").split())


def test_the_provider_reads_why_each_line_was_decided_so(town: Town) -> None:
    page = text(town.browser("nadiia").get(url("claim", town.claim.pk)))
    assert page.count('<ol class="waterfall">') == 15
    assert "The contract&#x27;s rate of 95.00 is below the claimed 98.00: the rate was lowered." in page
    assert "in hospital or residential care" in page


def test_each_line_that_lost_something_says_why_beside_its_sums(town: Town) -> None:
    browser = town.browser("nadiia")
    for outcome, count in (("accepted", 0), ("rejected", 2), ("reduced", 12), ("pended", 1)):
        page = text(browser.get(url("claim", town.claim.pk), {"outcome": outcome}))
        assert page.count(">Reason:<") == count, outcome
    reason = page.split(">Reason:<")[1].split("</p>")[0]
    refused = text(browser.get(url("claim", town.claim.pk), {"outcome": "rejected"})).split(">Reason:<")[1:]
    codes = [row.split("<code>")[1].split("</code>")[0] for row in refused]
    assert codes == ["CLM-27", "CLM-20"]
    assert "CLM-11" in reason and "is not confirmed" in reason


def test_lines_of_checks_are_those_from_which_they_took(town: Town) -> None:
    """A line that several checks refuse is refused once: rows of refusals add up to the filter, and say the rest."""
    refusal = Finding.objects.filter(claim_line__claim=town.claim, check_code="CLM-20").get()
    for code in ("CLM-09", "CLM-31"):
        Finding.objects.create(
            run=refusal.run, claim_line=refusal.claim_line, check_code=code, severity="R", amount=0
        )  # fmt: skip
    checks = {(check["check_code"], check["severity"]): check for check in taken_by_check(town.claim)}
    refused = sum(check["lines"] for (_code, severity), check in checks.items() if severity == "R")
    assert refused == outcome_counts(town.claim)["rejected"]
    also = [checks[code, "R"] for code in ("CLM-09", "CLM-31")]
    assert [(check["lines"], check["found"]) for check in also] == [(0, 1), (0, 1)]


def test_who_collects_the_fees_is_said_as_it_is(town: Town) -> None:
    nadiia = town.browser("nadiia")
    provider, office = "there are no fee notices for this month", "The municipality collects the fees of this month"
    before = text(nadiia.get(url("claim", town.claim.pk)))
    assert provider in before and office not in before
    issue_fee_notices(
        organisation=town.organisation, month=town.claim.period, actor=town.users["halyna"].as_actor(), at=AT
    )
    after = text(nadiia.get(url("claim", town.claim.pk)))
    assert office in after and provider not in after


def test_the_list_names_what_took_most(town: Town) -> None:
    rows = text(town.browser("halyna").get(url("claims")))
    assert f'<td data-label="Main reason for less">{title_of(most(town))}</td>' in rows


def test_a_reason_names_what_failed_not_what_was_checked() -> None:
    with override("en"):
        said = {code: title_of(code) for code in ("CLM-01", "CLM-10", "CLM-11", "CLM-16", "CLM-32")}
    assert said == {
        "CLM-01": "Amount or times contradict themselves",
        "CLM-10": "Certificate not in force on the service date",
        "CLM-11": "No confirmed redemption agrees with the line",
        "CLM-16": "Rate above the contract",
        "CLM-32": "Claim submitted too late",
    }
    with override("uk"):
        assert title_of("CLM-10") == "Сертифікат не був чинний на дату послуги"


def most(town: Town) -> str:
    """The check that took most of the claim, counted another way."""
    taken: dict[str, int] = {}
    for row in Finding.objects.filter(claim_line__claim=town.claim).exclude(severity="W"):
        taken[row.check_code] = taken.get(row.check_code, 0) + row.amount
    return min(taken, key=lambda code: (-taken[code], code))


@pytest.mark.parametrize("username", ["nadiia", "halyna", "ivan", "mariia"])
def test_who_may_reads_the_same_claim(town: Town, username: str) -> None:
    browser = town.browser(username)
    assert "A-1" in text(browser.get(url("claims")))
    assert browser.get(url("claim", town.claim.pk)).status_code == 200
    line = ClaimLine.objects.filter(claim=town.claim).first()
    assert browser.get(url("claim_line", line.pk)).status_code == 200


def test_another_provider_finds_nothing(town: Town) -> None:
    browser = town.browser("taras")
    line = ClaimLine.objects.filter(claim=town.claim).first()
    assert "A-1" not in text(browser.get(url("claims")))
    for page in (url("claim", town.claim.pk), url("claim_line", line.pk), url("claim_letter", town.claim.pk)):
        assert browser.get(page).status_code == 404
    for step in ("submit", "withdraw"):
        assert browser.post(url(f"claim_{step}", town.claim.pk), {"reason": "x"}).status_code == 404


def test_another_office_finds_nothing(town: Town) -> None:
    other = Organisation.objects.create(code="other", name="Інша громада")
    town.users["halyna"].memberships.update(organisation=other)
    browser = town.browser("halyna")
    assert "A-1" not in text(browser.get(url("claims")))
    assert browser.get(url("claim", town.claim.pk)).status_code == 404
    assert browser.post(url("claim_return", town.claim.pk), {"reason": "x"}).status_code in (302, 404)
    assert Claim.objects.get(pk=town.claim.pk).status == "adjudicated"


@pytest.mark.parametrize("username", ["outsider", "olena", "sofiia", "chair"])
def test_strangers_are_refused(town: Town, username: str) -> None:
    browser = town.browser(username)
    pages = [url("claims"), url("claim", town.claim.pk), url("claim_new"), url("claim_upload"), url("claim_template")]
    assert [browser.get(page).status_code for page in pages] == [403] * 5
    assert browser.post(url("claim_submit", town.claim.pk)).status_code == 403


def test_lines_are_filtered_by_outcome_and_found(town: Town) -> None:
    browser = town.browser("halyna")
    page = text(browser.get(url("claim", town.claim.pk), {"outcome": "pended"}))
    assert page.count('<ol class="waterfall">') == 1
    assert text(browser.get(url("claim", town.claim.pk), {"q": "no such"})).count('<ol class="waterfall">') == 0


def test_two_clicks_make_a_claim_of_confirmed_visits_and_a_third_submits_it(town: Town) -> None:
    browser = town.browser("nadiia")
    assert "December 2025" in text(browser.get(url("claim_new")))
    contract = Contract.objects.get()
    answer = browser.post(url("claim_from_redemptions"), {"contract": contract.pk, "period": "2025-12"})
    claim = Claim.objects.exclude(pk=town.claim.pk).get()
    assert answer.headers["Location"] == url("claim", claim.pk)
    assert (claim.status, claim.lines.count()) == ("draft", 2)
    assert claim.number not in text(town.browser("halyna").get(url("claims")))
    browser.post(url("claim_submit", claim.pk))
    assert Claim.objects.get(pk=claim.pk).status == "submitted"
    assert claim.number in text(town.browser("halyna").get(url("claims")))
    again = browser.post(url("claim_from_redemptions"), {"contract": contract.pk, "period": "2025-12"}, follow=True)
    assert "note bad" in text(again)


def test_a_month_of_another_contract_is_not_found(town: Town) -> None:
    answer = town.browser("taras").post(
        url("claim_from_redemptions"), {"contract": Contract.objects.get().pk, "period": "2025-12"}
    )
    assert answer.status_code == 404


def upload(town: Town, content: str, address: str, **fields: Any) -> Any:
    file = SimpleUploadedFile("visits.csv", content.encode(), content_type="text/csv")
    return town.browser("nadiia").post(address, {"file": file, **fields})


def test_a_spreadsheet_becomes_a_draft_with_the_file_beside_it(town: Town) -> None:
    rows = HEADER + "C1,015.1,2025-12-01,09:00,10:30,W1,1.5,95,142.50\nX?,999,2025-12-02,,,,1,95,\n"
    answer = upload(town, rows, url("claim_upload"), contract=Contract.objects.get().pk, period="2025-12")
    assert answer.status_code == 302
    claim = Claim.objects.exclude(pk=town.claim.pk).get()
    assert list(claim.lines.order_by("line").values_list("certificate_number", flat=True)) == ["C1", "X?"]
    page = text(town.browser("nadiia").get(url("claim", claim.pk)))
    assert "visits.csv" in page


def test_bad_cells_of_a_spreadsheet_are_listed_and_nothing_is_made(town: Town) -> None:
    rows = HEADER + "C1,015.1,2025-13-01,09:00,10:30,W1,1.5,95,142.50\nC1,015.1,2025-12-02,,,,zero,95,\n"
    answer = upload(town, rows, url("claim_upload"), contract=Contract.objects.get().pk, period="2025-12")
    assert answer.status_code == 400
    page = text(answer)
    assert "2025-13-01" in page and "zero" in page and "is not a number" in page
    assert Claim.objects.count() == 1


def test_a_returned_claim_gets_new_lines_and_is_submitted_again(tmp_path: Path) -> None:
    tables = two_visits()
    tables["claims"].append(tables["claims"][0] | {"number": "A-2", "period": "2025-12", "run": ""})
    add_visit(tables, "2025-12-01", claim_number="A-2", redemption_code="")
    town = settled_town(tmp_path, tables)
    claim = Claim.objects.get(number="A-2")
    load_reference(at=AT)
    town.browser("halyna").post(url("claim_return", claim.pk), {"reason": "Codes of December are missing"})
    assert Claim.objects.get(pk=claim.pk).status == "returned"
    own, office = (text(town.browser(name).get(url("claim", claim.pk))) for name in ("nadiia", "halyna"))
    assert "Correct its lines" in own and "Correct its lines" not in office
    assert "was returned to the provider" in office and "was returned to the provider" not in own
    assert all("Codes of December are missing" in page for page in (own, office))
    rows = HEADER + "C1,015.1,2025-12-01,09:00,10:30,W1,1.5,95,142.50\n" * 2
    assert upload(town, rows, url("claim_correct", claim.pk)).status_code == 302
    browser = town.browser("nadiia")
    browser.post(url("claim_submit", claim.pk))
    claim.refresh_from_db()
    assert (claim.status, claim.lines.count()) == ("submitted", 2)
    browser.post(url("claim_withdraw", claim.pk), {"reason": "A mistake of ours"})
    claim.refresh_from_db()
    assert claim.status == "withdrawn"


def test_the_template_opens_in_a_spreadsheet(town: Town) -> None:
    body = town.browser("nadiia").get(url("claim_template")).content.decode("utf-8-sig")
    assert body.splitlines()[0].startswith(
        ",".join(map(heading_of, ("redemption_code", "certificate_number", "service_code")))
    )


def test_the_workbook_names_its_columns_in_words_and_is_read_like_the_text(town: Town) -> None:
    browser = town.browser("nadiia")
    content = browser.get(url("claim_template"), {"kind": "xlsx"}).content
    book = load_workbook(io.BytesIO(content))
    assert [row[0] for row in book.worksheets[1].iter_rows(values_only=True)] == list(map(heading_of, COLUMNS))
    assert book.worksheets[0]["C1"].comment.text == str(COLUMNS["service_code"])
    (line,) = read_claim_file(name="claim_lines.xlsx", content=content, zone="Europe/Kyiv")
    assert (line.service_code, line.units) == ("015.1", Decimal("1.5"))
    assert str(COLUMNS["units"]) in text(browser.get(url("claim_upload")))


def test_the_letter_is_made_once_it_is_ordered(town: Town) -> None:
    browser = town.browser("nadiia")
    assert browser.get(url("claim_letter", town.claim.pk)).status_code == 404
    browser.post(url("claim_letter_order", town.claim.pk))
    assert "is being made" in text(browser.get(url("claim", town.claim.pk)))
    run_job(Job.objects.get(kind=letters.WRITE_LETTER).pk)
    assert url("claim_letter", town.claim.pk) in text(browser.get(url("claim", town.claim.pk)))
    answer = browser.get(url("claim_letter", town.claim.pk))
    reader = PdfReader(io.BytesIO(answer.content))
    words = " ".join(page.extract_text() for page in reader.pages)
    assert answer.headers["Content-Type"] == "application/pdf"
    assert "A-1" in words


def test_a_letter_is_made_once_for_each_decision(town: Town) -> None:
    browser = town.browser("halyna")
    for _ in range(2):
        browser.post(url("claim_letter_order", town.claim.pk))
    job = Job.objects.get(kind=letters.WRITE_LETTER)
    run_jobs.letter(job)
    run_jobs.letter(job)
    first = letters.letter_of(town.claim)
    assert first is not None
    assert AuditEvent.objects.filter(action="claim.letter_written").count() == 1
    line = ClaimLine.objects.get(claim=town.claim, line=15)
    lift(town.organisation, line, at=AT)
    browser.post(url("run_start"), {"period": "2025-11"})
    assert letters.letter_of(town.claim) is None
    browser.post(url("claim_letter_order", town.claim.pk))
    assert Job.objects.filter(kind=letters.WRITE_LETTER).count() == 2


def test_only_readers_of_the_claim_order_its_letter(town: Town) -> None:
    assert town.browser("taras").post(url("claim_letter_order", town.claim.pk)).status_code == 404
    assert town.browser("outsider").post(url("claim_letter_order", town.claim.pk)).status_code == 403
    assert not Job.objects.filter(kind=letters.WRITE_LETTER).exists()


@pytest.mark.parametrize("lines", [30, 120])
def test_queries_do_not_grow_with_the_lines(tmp_path: Path, lines: int, django_assert_max_num_queries: Any) -> None:
    tables = two_visits()
    for number in range(lines):
        add_visit(
            tables, f"2025-11-{5 + number % 20:02}", f"{8 + number % 10:02}:00", f"{8 + number % 10:02}:30", units="0.5"
        )
    town = settled_town(tmp_path, tables)
    for username, address in (("nadiia", url("claim", town.claim.pk)), ("halyna", url("claims"))):
        browser = town.browser(username)
        # Terms given back, advances used up, fee notices and decided pends are asked for once a page.
        with django_assert_max_num_queries(48):
            assert browser.get(address).status_code == 200


def test_a_claim_taken_back_waits_for_nobody_and_names_what_stands_for_it(town: Town) -> None:
    halyna, nadiia = town.browser("halyna"), town.browser("nadiia")
    waiting = "wait for a person's decision"
    before = text(nadiia.get(url("claim", town.claim.pk)))
    assert waiting in before and "no longer counts" not in before
    what_it_does = "takes back the whole claim"
    offered = text(halyna.get(url("claim", town.claim.pk)))
    assert what_it_does in offered and url("claim_reverse", town.claim.pk) in offered and what_it_does not in before
    halyna.post(url("claim_reverse", town.claim.pk), {"reason": "Помилка"})
    assert url("claim_reverse", town.claim.pk) not in text(halyna.get(url("claim", town.claim.pk)))
    with override("en"):
        wanted = minor(claimed_minor(town.claim)).replace("\xa0", " ")
    asked = text(nadiia.get(url("claim", Claim.objects.get(reverses=town.claim).pk)))
    assert f"Claimed in the claim that is taken back</dt><dd>{wanted}" in asked
    judge(town.organisation)
    line = town.claim.lines.get(line=1)
    page = text(nadiia.get(url("claim", town.claim.pk)))
    assert "The whole claim was taken back: what was decided here no longer counts." in page and waiting not in page
    assert "Nothing was claimed again instead." in page
    back = Claim.objects.get(reverses=town.claim)
    assert url("claim", back.pk) in text(nadiia.get(url("claim_line", line.pk)))
    again = Claim.objects.create(
        organisation=town.organisation, number="A-9", provider=town.claim.provider, period=town.claim.period,
        status="submitted", status_at=AT, submitted_at=AT, recorded_at=AT,
    )  # fmt: skip
    copied = ClaimLine.objects.get(pk=line.pk)
    copied.pk, copied.claim, copied._state.adding = None, again, True
    copied.save()
    assert url("claim_line", copied.pk) in text(nadiia.get(url("claim_line", line.pk)))
    assert url("claim", again.pk) in text(nadiia.get(url("claim", town.claim.pk)))
