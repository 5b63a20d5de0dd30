"""Pages of corrections: prepared, looked at, approved, read by those whom they concern, and by nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from settlement.models import Correction, CorrectionObjection
from tests.settlement.actions.corrected_town import (
    approve,
    closed_town,
    in_hospital,
    let_olena_in,
    lower_income,
    propose,
)
from tests.settlement.views.test_clawbacks import pdf_text
from tests.settlement.views.town import Town, url
from vouchers.models import Recipient

pytestmark = pytest.mark.django_db


@pytest.fixture
def town(tmp_path: Path) -> Town:
    town = closed_town(tmp_path)
    let_olena_in(town)
    return town


def test_a_correction_is_prepared_seen_approved_and_read(town: Town) -> None:
    lower_income()
    halyna, ivan = town.browser("halyna"), town.browser("ivan")
    month = halyna.get(url("month", "2025-11")).content.decode()
    assert url("correction_new") + "?month=2025-11" in month
    form = {"month": "2025-11", "ground": "income", "reason": "Довідка про доходи від 5 грудня"}
    empty = halyna.get(url("correction_new")).content.decode()
    assert "Propose the correction for approval" in empty and "Show what would change" not in empty
    page = halyna.post(url("correction_new"), form, follow=True).content.decode()
    made = Correction.objects.get()
    assert "Nothing is posted until another person approves it." in page
    assert "You prepared this correction" in page and "Approve and post" not in page
    assert "A-1" in page and "Recipients&#x27; own part of the cost" in page
    page = ivan.get("/").content.decode()
    assert "Corrections of closed months to approve" in page
    page = ivan.get(url("correction", made.pk)).content.decode()
    assert "Approve and post" in page and made.content_sha256 in page
    refused = ivan.post(url("correction_approve", made.pk), {"seen": "0"}, follow=True).content.decode()
    assert "Something changed since the correction" in refused
    page = ivan.post(url("correction_approve", made.pk), {"seen": made.content_sha256}, follow=True).content.decode()
    assert "The correction is posted in the open month." in page and "Judged again as" in page
    assert made.number in ivan.get(url("claim", town.claim.pk)).content.decode()


def test_refusals_stand_above_the_form(town: Town) -> None:
    answer = town.browser("halyna").post(
        url("correction_new"), {"month": "2025-11", "ground": "norm", "reason": "Рішення"}
    )
    assert answer.status_code == 409
    assert "every line of 11.2025 is decided as it was" in answer.content.decode()
    empty = town.browser("halyna").post(url("correction_new"), {"month": "2025-11"})
    assert empty.status_code == 200 and "This field is required" in empty.content.decode()


def test_a_correction_is_given_up_with_a_reason(town: Town) -> None:
    lower_income()
    made, client = propose(town), town.browser("halyna")
    assert "Say why" in client.post(url("correction_cancel", made.pk), {}, follow=True).content.decode()
    page = client.post(url("correction_cancel", made.pk), {"reason": "Помилка"}, follow=True).content.decode()
    assert "nothing was posted" in page and Correction.objects.get().status == "cancelled"


def test_the_provider_sees_its_own_lines_and_its_notice(town: Town) -> None:
    in_hospital()
    made = propose(town, ground="attendance")
    nadiia, taras = town.browser("nadiia"), town.browser("taras")
    assert nadiia.get(url("correction", made.pk)).status_code == 404
    approve(town, made)
    page = nadiia.get(url("correction", made.pk)).content.decode()
    assert "An appeal is sent from the page of this claim." in page and "What is booked" not in page
    pdf = nadiia.get(url("provider_notice", made.pk, town.claim.provider_id))
    assert (pdf["Content-Type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
    assert made.number in nadiia.get(url("corrections")).content.decode()
    for address in (url("correction", made.pk), url("provider_notice", made.pk, town.claim.provider_id)):
        assert taras.get(address).status_code == 404
    assert nadiia.get(url("recipient_notice", made.pk, Recipient.objects.get().pk)).status_code == 404
    assert nadiia.get(url("claim", made.claims.get().new_claim_id)).status_code == 200


def test_a_provider_reads_what_changed_and_not_why_the_office_knows(town: Town) -> None:
    secret = "приховала пенсію з Польщі"
    decided = lower_income(reason=secret)
    halyna, nadiia, mariia = (town.browser(name) for name in ("halyna", "nadiia", "mariia"))
    page = halyna.get(url("fee_revision", decided.pk)).content.decode()
    assert f'ground=income&amp;reason={decided.number}"' in page
    # A person may write more all the same.
    made = approve(town, propose(town, reason=secret))
    paper = url("provider_notice", made.pk, town.claim.provider_id)
    for address in (url("correction", made.pk), url("corrections")):
        assert secret in mariia.get(address).content.decode()
        page = nadiia.get(address).content.decode()
        assert secret not in page and made.get_ground_display() in page
    assert secret not in pdf_text(nadiia.get(paper).content)
    assert made.number in mariia.get(url("corrections"), {"q": "приховала"}).content.decode()
    assert made.number not in nadiia.get(url("corrections"), {"q": "приховала"}).content.decode()
    assert made.number in nadiia.get(url("corrections"), {"q": made.number}).content.decode()


def test_the_recipient_reads_what_changed_and_objects(town: Town) -> None:
    lower_income()
    made = approve(town, propose(town))
    olena = town.browser("olena")
    assert made.number in olena.get(url("own_corrections")).content.decode()
    page = olena.get(url("own_correction", made.pk)).content.decode()
    assert "you pay" in page and "Send the objection" in page
    recipient = Recipient.objects.get()
    assert olena.get(url("recipient_notice", made.pk, recipient.pk)).content[:5] == b"%PDF-"
    page = olena.post(url("own_correction", made.pk), {"reason": "Дохід був інший"}, follow=True).content.decode()
    assert "Your objection is with the office." in page and "Send the objection" not in page
    objection = CorrectionObjection.objects.get()
    halyna = town.browser("halyna")
    page = halyna.get(url("correction", made.pk)).content.decode()
    assert "Дохід був інший" in page and "A person who had no part in the correction answers." in page
    answer = halyna.post(url("objection_refuse", made.pk, objection.pk), {"reason": "Ні"}, follow=True)
    assert not CorrectionObjection.objects.filter(answer__isnull=False).exists()
    assert answer.status_code == 200
    sofiia = town.browser("sofiia")
    assert "Objections of recipients to answer" in sofiia.get("/").content.decode()
    answered = sofiia.post(url("objection_uphold", made.pk, objection.pk), {"reason": "Так"}, follow=True)
    assert "The objection is upheld" in answered.content.decode()
    assert "The objection is upheld" in olena.get(url("own_correction", made.pk)).content.decode()
    assert town.browser("petro").get(url("own_correction", made.pk)).status_code == 404


@pytest.mark.parametrize(("name", "whole"), [("sofiia", True), ("olena", True), ("ivan", False), ("mariia", False)])
def test_the_notice_names_the_recipient_to_the_register_and_to_themselves(town: Town, name: str, whole: bool) -> None:
    Recipient.objects.update(name="Тополенко Олена Петрівна")
    lower_income()
    made, recipient = approve(town, propose(town)), Recipient.objects.get()
    text = pdf_text(town.browser(name).get(url("recipient_notice", made.pk, recipient.pk)).content)
    assert (recipient.name in text) is whole
    assert (f"{recipient.code}, Топ… О. П." in text) is not whole


@pytest.mark.parametrize(("name", "opens"), [("mariia", True), ("sofiia", False)])
def test_a_page_that_the_reader_may_not_open_is_no_link(town: Town, name: str, opens: bool) -> None:
    lower_income()
    made = approve(town, propose(town))
    page = town.browser(name).get(url("correction", made.pk)).content.decode()
    assert "A-1" in page
    for address in ("/settlement/claims/", "/contracts/budget/"):
        assert (f'href="{address}' in page) is opens, address


@pytest.mark.parametrize("name", ["outsider", "bohdan"])
def test_others_see_nothing(town: Town, name: str) -> None:
    lower_income()
    made = approve(town, propose(town))
    client = town.browser(name)
    for address in (url("corrections"), url("correction", made.pk), url("correction_new"), url("own_corrections")):
        assert client.get(address).status_code == 403
    assert client.post(url("correction_approve", made.pk)).status_code == 403


def test_lines_are_searched_and_the_page_costs_the_same_for_many(town: Town) -> None:
    lower_income()
    made, client = propose(town), town.browser("mariia")
    with CaptureQueriesContext(
        connection,
    ) as few:
        page = client.get(url("correction", made.pk), {"q": "nobody"}).content.decode()
    assert "Nothing was found." in page
    with CaptureQueriesContext(connection) as many:
        page = client.get(url("correction", made.pk), {"q": "A-1"}).content.decode()
    assert made.lines.count() > 5 and len(many) <= len(few) + 1


def test_a_line_of_a_corrected_claim_says_what_became_of_it(town: Town) -> None:
    lower_income()
    line, client = town.claim.lines.get(line=1), town.browser("nadiia")
    assert "no longer counts" not in client.get(url("claim_line", line.pk)).content.decode()
    made = approve(town, propose(town))
    copy = made.claims.get().new_claim
    page = client.get(url("claim_line", line.pk)).content.decode()
    assert "Taken back by a correction of the closed month: what was decided here no longer counts." in page
    assert url("correction", made.pk) in page and url("claim_line", copy.lines.get(line=1).pk) in page
    assert "no longer counts" not in client.get(url("claim_line", copy.lines.get(line=1).pk)).content.decode()
    page = client.get(url("claim", town.claim.pk)).content.decode()
    assert "no longer counts" in page and f'<a href="{url("claim", copy.pk)}">{copy}</a>' in page
