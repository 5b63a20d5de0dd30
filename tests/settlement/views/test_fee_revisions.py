"""Pages of fees decided anew: proposed, signed, followed by the correction of a closed month, read and disputed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config.audit.models import AuditEvent
from settlement.models import Correction
from tests.settlement.actions.corrected_town import (
    LATER,
    closed_town,
    disagreements,
    let_olena_in,
    lower_income,
    propose,
)
from tests.settlement.actions.corrected_town import approve as approve_correction
from tests.settlement.views.test_clawbacks import pdf_text
from tests.settlement.views.town import Town, url
from vouchers.models import FeeAssessment, FeeObjection, FeeRevision, Recipient

pytestmark = pytest.mark.django_db
FORM = {
    "application_date": "2025-11-01", "valid_from": "2025-11-01", "last_day": "2025-11-30", "lost_ability": "on",
    "income": "16566.00", "reason": "Довідка про доходи від 05.12.2025",
}  # fmt: skip


@pytest.fixture
def town(tmp_path: Path) -> Town:
    town = closed_town(tmp_path)
    let_olena_in(town)
    return town


def anew(town: Town, name: str = "sofiia", **changes: str) -> Any:
    address = reverse("vouchers:fee_anew", args=[Recipient.objects.get().pk])
    return town.browser(name).post(address, FORM | changes, follow=True)


def test_from_the_statement_of_income_to_the_corrected_month(town: Town) -> None:
    recipient = Recipient.objects.get()
    assert "Decide past months anew" in town.browser("sofiia").get(
        reverse("vouchers:recipient", args=[recipient.pk])
    ).content.decode()  # fmt: skip
    page = anew(town, calculate="1").content.decode()
    assert "800.00" in page and "Propose" in page and not FeeRevision.objects.exists()
    page = anew(town, decide="1").content.decode()
    made = FeeRevision.objects.get()
    assert "Nothing has changed yet" in page and "The month is closed: a correction follows" in page
    assert FeeAssessment.objects.get().valid_to is None
    ivan, halyna = town.browser("ivan"), town.browser("halyna")
    assert "Fees of past months to approve" in ivan.get("/").content.decode()
    page = ivan.post(url("fee_revision_approve", made.pk), follow=True).content.decode()
    assert "The fee is decided anew." in page and "finance prepares a correction" in page
    page = halyna.get(url("fee_revision", made.pk)).content.decode()
    assert f"{url('correction_new')}?month=2025-11&amp;ground=income&amp;reason={made.number}" in page
    answer = halyna.get(url("correction_new"), {"month": "2025-11", "ground": "income", "reason": made.number})
    form = answer.context["form"]
    assert (form["ground"].value(), form["reason"].value(), form["month"].value()) == ("income", made.number, "2025-11")
    soon = LATER + timedelta(hours=1)
    correction = approve_correction(town, propose(town, at=soon), at=soon)
    assert correction.fee_minor == -47_800 and disagreements() == []
    assert correction.number in halyna.get(url("fee_revision", made.pk)).content.decode()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"reason": ""}, "This field is required"),
        ({"valid_from": "2024-11-01"}, "No decision covers 01.11.2024"),
        ({"income": "18000.00"}, "Nothing is to be changed"),
        ({"income": "20000.00"}, "The fee would rise"),
        ({"income": ""}, "income statements are missing"),
    ],
)
def test_refusals_stand_above_the_form(town: Town, changes: dict[str, str], words: str) -> None:
    # The decision of the package says 1 278.00, which 6 000.00 a month gives.
    page = anew(town, decide="1", **changes).content.decode()
    assert words in page and not FeeRevision.objects.exists()


def test_who_proposed_it_does_not_approve_it_and_may_give_it_up(town: Town) -> None:
    anew(town, decide="1")
    made, sofiia = FeeRevision.objects.get(), town.browser("sofiia")
    page = sofiia.get(url("fee_revision", made.pk)).content.decode()
    assert "another person approves it" in page and url("fee_revision_approve", made.pk) not in page
    page = sofiia.post(url("fee_revision_approve", made.pk), follow=True).content.decode()
    assert "Another person must take this one." in page
    assert "Say why" in sofiia.post(url("fee_revision_cancel", made.pk), {}, follow=True).content.decode()
    page = sofiia.post(url("fee_revision_cancel", made.pk), {"reason": "Помилка"}, follow=True).content.decode()
    assert "the decisions hold as they were" in page and FeeRevision.objects.get().status == "cancelled"
    assert FeeAssessment.objects.get().valid_to is None


def test_the_calculation_is_shown_on_demand_and_each_reading_recorded(town: Town) -> None:
    made = lower_income()
    readings = AuditEvent.objects.filter(action="recipient.special_read")
    for name, expected in (("ivan", 1), ("mariia", 2)):
        client = town.browser(name)
        assert "How it was computed" not in client.get(url("fee_revision", made.pk)).content.decode()
        assert "How it was computed" in client.post(url("fee_revision_steps", made.pk)).content.decode()
        assert readings.count() == expected
    assert town.browser("halyna").post(url("fee_revision_steps", made.pk)).status_code == 403


def test_the_recipient_reads_it_objects_and_is_answered(town: Town) -> None:
    made = lower_income()
    olena, sofiia, halyna = (town.browser(name) for name in ("olena", "sofiia", "halyna"))
    assert made.number in olena.get(url("own_corrections")).content.decode()
    page = olena.get(url("own_fee_revision", made.pk)).content.decode()
    assert "800.00" in page and "Send the objection" in page
    for client in (olena, sofiia):
        assert client.get(url("fee_revision_notice", made.pk)).content[:5] == b"%PDF-"
    page = olena.post(url("own_fee_revision", made.pk), {"reason": "Дохід ще менший"}, follow=True).content.decode()
    assert "Your objection is with the office." in page and "Send the objection" not in page
    objection = FeeObjection.objects.get()
    refused = sofiia.post(url("fee_objection_uphold", made.pk, objection.pk), {"reason": "Так"}, follow=True)
    assert "Another person must take this one." in refused.content.decode()
    assert "Objections to fees to answer" in halyna.get("/").content.decode()
    page = halyna.post(url("fee_objection_refuse", made.pk, objection.pk), {"reason": "Ні"}, follow=True)
    assert "The objection is refused" in page.content.decode()
    assert "The objection is refused" in olena.get(url("own_fee_revision", made.pk)).content.decode()


@pytest.mark.parametrize(
    ("name", "whole"), [("sofiia", True), ("olena", True), ("ivan", False), ("halyna", False), ("mariia", False)]
)
def test_the_notice_names_the_recipient_only_to_whom_the_page_does(town: Town, name: str, whole: bool) -> None:
    Recipient.objects.update(name="Тополенко Олена Петрівна")
    made = lower_income()
    text = pdf_text(town.browser(name).get(url("fee_revision_notice", made.pk)).content)
    assert ("Тополенко Олена Петрівна" in text) is whole
    assert ("Топ… О. П." in text and Recipient.objects.get().code in text) is not whole


@pytest.mark.parametrize("name", ["outsider", "bohdan", "nadiia", "petro"])
def test_others_see_nothing(town: Town, name: str) -> None:
    made, client = lower_income(), town.browser(name)
    for address in (url("fee_revisions"), url("fee_revision", made.pk)):
        assert client.get(address).status_code == 403
    assert client.get(url("own_fee_revision", made.pk)).status_code in (403, 404)
    assert client.get(url("fee_revision_notice", made.pk)).status_code in (403, 404)
    assert anew(town, name, decide="1").status_code == 403


def test_the_list_is_searched_and_costs_the_same_for_many(town: Town) -> None:
    lower_income()
    client = town.browser("mariia")
    with CaptureQueriesContext(connection) as few:
        page = client.get(url("fee_revisions"), {"q": "nothing"}).content.decode()
    assert "FD-" not in page
    assert '<td data-label="Months">11.2025</td>' in client.get(url("fee_revisions")).content.decode()
    first = FeeRevision.objects.get()
    for number in range(30):
        first.pk, first.number = None, f"FD-2024-{number:04}"
        first.status = "proposed"
        first.approved_by = None
        first.save(force_insert=True)
        first.move_to("cancelled", at=first.proposed_at)
    with CaptureQueriesContext(connection) as many:
        page = client.get(url("fee_revisions"), {"q": "FD-2024"}).content.decode()
    assert page.count("FD-2024-") == 25 and len(many) <= len(few) + 1
    assert not Correction.objects.exists()
