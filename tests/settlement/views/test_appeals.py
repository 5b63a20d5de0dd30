"""Appeals on the pages: from the refused line to the answer; files and earlier versions beside a claim."""

from __future__ import annotations

from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.office.models import Attachment
from config.office.storage import storage_path
from contracts.actions.reference import load_reference
from settlement.actions import claims
from settlement.actions.pends import keep_pend
from settlement.claim_letter import checks_in_words, explain
from settlement.models import Adjudication, AdjudicationRun, Appeal, Claim, ClaimLine
from tests.settlement.actions.month import AT, add_visit
from tests.settlement.views.town import Town, settled_town, tables_of_month, url

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7 evidence"


@pytest.fixture
def town(tmp_path: Path) -> Town:
    load_reference(at=AT)
    tables = tables_of_month()
    add_visit(tables, "2025-11-21", unit_rate="95", amount="142.50")
    return settled_town(tmp_path, tables)


def text(answer: Any) -> str:
    return unescape(answer.content.decode())


def refused_line(town: Town) -> ClaimLine:
    return Adjudication.objects.filter(claim=town.claim, outcome="rejected").earliest("pk").claim_line


def send(town: Town, line: ClaimLine, **fields: Any) -> Any:
    page = f"{url('appeal_new', town.claim.pk)}?line={line.line}"
    values = {"reason": "The certificate of the hospital is wrong.", "file": SimpleUploadedFile("proof.pdf", PDF)}
    return town.browser("nadiia").post(page, values | fields)


def test_from_the_refused_line_to_the_answer(town: Town) -> None:
    nadiia, ivan, line = town.browser("nadiia"), town.browser("ivan"), refused_line(town)
    form = f"{url('appeal_new', town.claim.pk)}?line={line.line}"
    assert form in text(nadiia.get(url("claim_line", line.pk)))
    asked = text(nadiia.get(form))
    assert "This decision can be appealed until" in asked and "What you appeal against" in asked
    assert line.certificate_number in asked and str(explain(town.claim, [line])[0].reason.title) in asked
    whole = text(nadiia.get(url("appeal_new", town.claim.pk)))
    assert all(row["title"] in whole for row in checks_in_words(town.claim) if row["taken"])
    assert send(town, line).status_code == 302
    appeal = Appeal.objects.get()
    assert "waits for an answer" in text(ivan.get(url("appeals"), {"status": "open"}))
    page = text(ivan.get(url("appeal", appeal.pk)))
    assert "The certificate of the hospital is wrong." in page and "proof.pdf" in page
    assert "The disputed line" in page and line.certificate_number in page and "CLM-" in page
    file = Attachment.objects.get(name="proof.pdf")
    assert ivan.get(url("appeal_file", appeal.pk, file.pk)).content == PDF
    ivan.post(url("appeal_uphold", appeal.pk), {"reason": "Right: the days were corrected."})
    told = text(nadiia.get(url("appeal", appeal.pk)))
    assert "The appeal is upheld" in told and "Right: the days were corrected." in told
    assert "upheld" in text(nadiia.get(url("claim", town.claim.pk)))


def test_what_is_appealed_already_offers_no_form(town: Town) -> None:
    nadiia, line = town.browser("nadiia"), refused_line(town)
    form = f"{url('appeal_new', town.claim.pk)}?line={line.line}"
    send(town, line)
    assert form not in text(nadiia.get(url("claim_line", line.pk)))
    answer = nadiia.get(form, follow=True)
    assert answer.redirect_chain[-1][0] == url("claim", town.claim.pk)
    assert "This decision on «A-1» is appealed already" in text(answer)
    # The whole claim is another decision.
    assert url("appeal_new", town.claim.pk) in text(nadiia.get(url("claim", town.claim.pk)))


def test_a_file_that_is_lost_is_a_sentence(town: Town) -> None:
    send(town, refused_line(town))
    appeal, file = Appeal.objects.get(), Attachment.objects.get(name="proof.pdf")
    default_storage.delete(storage_path(file.sha256))
    answer = town.browser("ivan").get(url("appeal_file", appeal.pk, file.pk))
    assert answer.status_code == 404 and "proof.pdf is not in the store of files any more" in text(answer)


def test_an_appeal_without_a_reason_comes_back(town: Town) -> None:
    answer = send(town, refused_line(town), reason="")
    assert answer.status_code == 200 and not Appeal.objects.exists()
    accepted = Adjudication.objects.filter(claim=town.claim, outcome="accepted").earliest("pk").claim_line
    assert send(town, accepted).status_code == 409
    assert url("appeal_new", town.claim.pk) not in text(town.browser("nadiia").get(url("claim_line", accepted.pk)))


def test_an_answer_needs_a_reason_and_the_permission(town: Town) -> None:
    send(town, refused_line(town))
    appeal = Appeal.objects.get()
    town.browser("ivan").post(url("appeal_refuse", appeal.pk), {"reason": ""})
    assert town.browser("mariia").post(url("appeal_refuse", appeal.pk), {"reason": "x"}).status_code == 403
    assert town.browser("nadiia").post(url("appeal_uphold", appeal.pk), {"reason": "x"}).status_code == 403
    assert not hasattr(Appeal.objects.get(), "answer")


def test_strangers_see_no_appeal(town: Town) -> None:
    send(town, refused_line(town))
    appeal, file = Appeal.objects.get(), Attachment.objects.get(name="proof.pdf")
    taras = town.browser("taras")
    for page in (url("appeal", appeal.pk), url("appeal_file", appeal.pk, file.pk), url("appeal_new", town.claim.pk)):
        assert taras.get(page).status_code == 404
    assert "A-1" not in text(taras.get(url("appeals")))
    assert town.browser("outsider").get(url("appeals")).status_code == 403


def test_the_list_asks_the_same_questions_however_long(town: Town) -> None:
    def queries() -> int:
        browser = town.browser("ivan")
        with CaptureQueriesContext(connection) as context:
            browser.get(url("appeals"))
        return len(context)

    lines = [row.claim_line for row in Adjudication.objects.filter(claim=town.claim, outcome="rejected")]
    send(town, lines[0])
    one = queries()
    for line in lines[1:]:
        send(town, line)
    assert Appeal.objects.count() > 1 and queries() == one


def test_files_and_versions_beside_a_claim(town: Town) -> None:
    nadiia, halyna = town.browser("nadiia"), town.browser("halyna")
    shared: dict[str, Any] = {"organisation": town.organisation, "actor": town.users["nadiia"].as_actor(), "at": AT}
    claim = claims.create_claim_from_redemptions(
        **shared, provider=town.claim.provider, contract=town.claim.contract, period=AT.date().replace(day=1)
    )
    nadiia.post(url("claim_evidence", claim.pk), {"file": SimpleUploadedFile("list.pdf", PDF)})
    file = Attachment.objects.get(name="list.pdf")
    assert file.sha256[:16] in text(nadiia.get(url("claim", claim.pk)))
    assert nadiia.get(url("claim_file", claim.pk, file.pk)).content == PDF
    assert town.browser("taras").get(url("claim_file", claim.pk, file.pk)).status_code == 404
    claim.lines.update(worker_code="=HYPERLINK(1)")
    claims.submit_claim(**shared, claim_id=claim.pk)
    halyna.post(url("claim_return", claim.pk), {"reason": "one visit is missing"})
    page = text(nadiia.get(url("claim", claim.pk)))
    assert "It can be submitted again until" in page and "one visit is missing" in page
    kept = nadiia.get(url("claim_version", claim.pk, 1)).content.decode("utf-8-sig").splitlines()
    assert kept[0].startswith("line,redemption_code") and kept[1].startswith("1,D1,C1")
    assert ",'=HYPERLINK(1)," in kept[1], "a spreadsheet program would calculate it"
    assert nadiia.get(url("claim_version", claim.pk, 2)).status_code == 404
    refused = nadiia.post(url("claim_evidence", town.claim.pk), {"file": SimpleUploadedFile("x", PDF)}, follow=True)
    assert "note bad" in text(refused)
    assert Claim.objects.get(pk=claim.pk).status == "returned"


def test_only_another_person_is_asked_to_answer(town: Town) -> None:
    """Halyna made the decision: her page says so, her home page does not count the appeal, Ivan's does."""
    AdjudicationRun.objects.update(started_by=town.users["halyna"])
    send(town, refused_line(town))
    page = url("appeal", Appeal.objects.get().pk)
    counted = {name: town.browser(name).get("/waiting/appeals_to_answer/") for name in ("halyna", "ivan")}
    assert [answer.context["page"].paginator.count for answer in counted.values()] == [0, 1]
    assert ">A-1, № " in text(counted["ivan"]) and ">A-1, № " not in text(counted["halyna"])
    assert "Another person answers: the decision is yours." in text(town.browser("halyna").get(page))
    assert "Your answer" in text(town.browser("ivan").get(page))


def test_who_left_a_line_unpaid_is_not_asked_to_answer(town: Town) -> None:
    line = Adjudication.objects.filter(claim=town.claim, outcome="pended").earliest("pk").claim_line
    finding = line.findings.filter(severity="P").earliest("pk")
    keep_pend(
        organisation=town.organisation,
        claim_line_id=line.pk,
        check_code=finding.check_code,
        reason="No evidence",
        actor=town.users["ivan"].as_actor(),
        at=AT,
    )
    send(town, line)
    counted = [
        town.browser(name).get("/waiting/appeals_to_answer/").context["page"].paginator.count
        for name in ("ivan", "halyna")
    ]
    assert counted == [0, 1]
