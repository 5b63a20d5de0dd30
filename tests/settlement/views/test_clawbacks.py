"""Clawbacks on the pages: from the paid line to the money, for finance, the second person and the provider."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from pypdf import PdfReader

from config.templatetags.show import iban
from contracts.models import Provider, ProviderUser
from settlement.clawback_forms import LinesForm
from settlement.documents import remittance_advice
from settlement.models import Claim, ClawbackCase, ClawbackRecovery, Payment, StatementLine
from settlement.money_trail import money_trail
from tests import signed_in
from tests.settlement.actions.advance_town import advance_town
from tests.settlement.actions.clawback_town import DECEMBER, DECIDED, LATER, OPENED, ClawbackTown, clawback_town
from tests.settlement.actions.test_debts_asked_back import ASKED
from tests.settlement.actions.test_provider_debts import lower_price
from tests.settlement.views.town import url

pytestmark = pytest.mark.django_db(transaction=True)
PDF = b"%PDF-1.7 journal"
WORDS = {"found_by": "office", "finding": "The journal has no such visit.", "ground": "clause 5.4"}


@pytest.fixture
def town(tmp_path: Path) -> ClawbackTown:
    with translation.override("en"):
        return clawback_town(tmp_path)


def on(town: ClawbackTown, at: datetime) -> None:
    """Play the pages at a moment."""
    town.office.clock_offset = at - timezone.now()
    town.office.save()


def browser(town: ClawbackTown, name: str) -> Client:
    return signed_in.browser(town.cast[name], "en")


def text(answer: Any) -> str:
    assert answer.status_code in (200, 409), answer.status_code
    return " ".join(unescape(answer.content.decode()).split())


def pdf_text(content: bytes) -> str:
    pages = PdfReader(io.BytesIO(content)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def test_money_is_asked_back_only_where_some_was_paid(town: ClawbackTown) -> None:
    town.december()
    on(town, LATER)
    halyna = browser(town, "halyna")
    for number, paid in (("A-1", True), ("A-2", False)):
        claim = Claim.objects.get(number=number)
        assert claim.status in ("paid", "adjudicated")
        form = url("clawback_new", claim.pk)
        for page in (url("claim", claim.pk), url("claim_line", town.line(number).pk)):
            assert (form in text(halyna.get(page))) is paid, page


def test_from_the_paid_line_to_the_closed_case(town: ClawbackTown) -> None:
    halyna, ivan, nadiia = (browser(town, name) for name in ("halyna", "ivan", "nadiia"))
    claim = Claim.objects.get(number="A-1")
    on(town, OPENED)
    form = url("clawback_new", claim.pk)
    assert form in text(halyna.get(url("claim", claim.pk)))
    assert f"{form}?line=2" in text(halyna.get(url("claim_line", town.line(line=2).pk)))
    page = text(halyna.get(form, {"line": "2"}))
    assert 'value="2"' in page and "142,50" in page.replace(".", ",")
    refused = halyna.post(form, WORDS | {"lines": "1, 7, 8"})
    assert refused.status_code == 409 and "has no lines 7, 8" in text(refused)
    assert "Write numbers of lines like this" in text(halyna.post(form, WORDS | {"lines": "one"}))
    sent = halyna.post(form, WORDS | {"lines": "1", "amount": "100,00"})
    case = ClawbackCase.objects.get()
    assert sent["Location"] == url("clawback", case.pk)
    assert "Nobody is told yet" in text(halyna.get(url("clawback", case.pk)))
    # The provider sees nothing before the notice, and neither does another one.
    assert nadiia.get(url("clawback", case.pk)).status_code == 404
    assert case.number not in text(nadiia.get(url("claim", claim.pk)))
    halyna.post(url("clawback_extend", case.pk), {"lines": "2"})
    halyna.post(url("clawback_notify", case.pk))
    assert "Notices that money is asked back" in text(nadiia.get(reverse("home")))
    own = text(nadiia.get(url("clawback", case.pk)))
    assert "The journal has no such visit." in own and url("clawback_reply", case.pk) in own
    assert "you can do it once" in own and "Waits for the provider" in text(halyna.get(url("clawback", case.pk)))
    assert "Drop the case" not in own and url("clawback_decide", case.pk) not in own
    other = browser(town, "taras")
    ProviderUser.objects.create(
        provider=Provider.objects.create(code="P9", name="Інший", sector="nonprofit"), user=town.cast["taras"]
    )
    assert other.get(url("clawback", case.pk)).status_code == 404
    assert case.number not in text(other.get(url("clawbacks")))
    notice = pdf_text(nadiia.get(url("clawback_notice", case.pk)).content)
    assert case.number in notice and "242,50" in notice
    assert nadiia.get(url("clawback_decision", case.pk)).status_code == 404
    on(town, OPENED + timedelta(days=1))
    file = SimpleUploadedFile("journal.pdf", PDF)
    assert "You can reply once" in text(nadiia.get(url("clawback_reply", case.pk)))
    nadiia.post(url("clawback_reply", case.pk), {"text": "The visit took place.", "file": file})
    assert "Cases of money asked back to decide" in text(ivan.get(reverse("home")))
    page = text(ivan.get(url("clawback", case.pk)))
    assert "The visit took place." in page and "journal.pdf" in page
    stored = page.split(f"/clawbacks/{case.pk}/files/")[1].split("/")[0]
    assert ivan.get(url("clawback_file", case.pk, int(stored))).content == PDF
    assert halyna.get(url("clawback_decide", case.pk)).status_code == 403
    on(town, DECIDED)
    first, second = case.lines.order_by("pk")
    values = {"reason": "One visit is proven.", f"line_{first.pk}": "100,00", f"line_{second.pk}": "0"}
    too_much = text(ivan.post(url("clawback_decide", case.pk), values | {f"line_{first.pk}": "100,01"}))
    assert "100" in too_much and ClawbackCase.objects.get().status == "replied"
    ivan.post(url("clawback_decide", case.pk), values)
    case.refresh_from_db()
    assert (case.status, case.outcome) == ("decided", "part")
    assert "Money to return" in text(nadiia.get(reverse("home")))
    assert "with the reference below" in text(nadiia.get(url("clawback", case.pk)))
    decision = pdf_text(nadiia.get(url("clawback_decision", case.pk)).content)
    assert case.rf_reference in decision.replace(" ", "") and "16.01.2026" in decision
    assert iban(town.office.iban) in decision and iban(town.office.iban) in text(nadiia.get(url("clawback", case.pk)))
    assert case.number in text(ivan.get(url("deadlines")))
    statement = town.receive((4000, "no reference"))
    line = StatementLine.objects.get(statement=statement)
    assert "A provider returns money" in text(ivan.get(url("statement_line", line.pk)))
    ivan.post(url("statement_line", line.pk), {"step": "clawback", "case": case.number})
    assert case.number in text(ivan.get(url("statement_line", line.pk)))
    town.december()
    on(town, LATER)
    page = text(halyna.get(url("clawback", case.pk)))
    assert "All the money is back" in page and "A-2" in page
    assert f"Kept back for the case {case.number}" in text(nadiia.get(url("claim", Claim.objects.get(number="A-2").pk)))
    assert "Say why" in text(halyna.post(url("clawback_close", case.pk), {}, follow=True))
    halyna.post(url("clawback_close", case.pk), {"reason": "All is back."})
    assert ClawbackCase.objects.get().status == "closed"
    assert "Cases of money asked back: send or close" in text(halyna.get(reverse("home")))


def test_a_case_is_dropped_before_anybody_is_told(town: ClawbackTown) -> None:
    case = town.opened()
    on(town, OPENED)
    ivan, nadiia = browser(town, "ivan"), browser(town, "nadiia")
    assert "Drop the case" in text(ivan.get(url("clawback", case.pk)))
    ivan.post(url("clawback_drop", case.pk), {"reason": "A wrong line."})
    assert "Dropped: nothing is asked back." in text(ivan.get(url("clawback", case.pk)))
    assert nadiia.get(url("clawback", case.pk)).status_code == 404


def test_the_list_is_searched_and_costs_the_same_queries(
    town: ClawbackTown, django_assert_max_num_queries: Any
) -> None:
    from settlement.actions.clawbacks import LineSum

    for _turn in range(30):
        town.opened(LineSum(town.line().pk, 100))
    on(town, OPENED)
    halyna = browser(town, "halyna")
    with django_assert_max_num_queries(30):
        page = text(halyna.get(url("clawbacks")))
    assert "CB-2025-0030" in page and "CB-2025-0001" not in page
    assert "CB-2025-0001" in text(halyna.get(url("clawbacks"), {"page": "2"}))
    assert "CB-2025-0002" in text(halyna.get(url("clawbacks"), {"q": "0002"}))
    assert "CB-2025-0003" not in text(halyna.get(url("clawbacks"), {"q": "0002"}))
    assert "Nothing was found." in text(halyna.get(url("clawbacks"), {"status": "closed"}))
    assert browser(town, "olena").get(url("clawbacks")).status_code == 403


def test_the_advice_names_the_case_and_the_trail_adds_up(town: ClawbackTown) -> None:
    from settlement.actions.clawbacks import LineSum

    case = town.decided(LineSum(town.line().pk), LineSum(town.line(line=2).pk, 2000))
    town.december()
    town.release()
    payment = Payment.objects.get(payment_run__period=DECEMBER)
    assert ClawbackRecovery.objects.count() == 2
    advice = pdf_text(remittance_advice(payment))
    assert case.number in advice and "A-2" in advice and "20,00" in advice and "122,50" in advice
    on(town, LATER)
    page = text(browser(town, "ivan").get(url("payment", payment.pk)))
    assert case.number in page and "Kept back" in page
    with translation.override("en"):
        for number, kept in (("A-2", 14250), ("A-3", 2000)):
            trail = money_trail(organisation=town.office, start="claim", pk=Claim.objects.get(number=number).pk)
            nodes = [node for level in trail.levels for node in level.nodes]
            assert {(node.label, node.gap, node.off) for node in nodes if node.gap or node.off} == set()
            stays = {rest.name: rest.amount for node in nodes for rest in node.stays}
            assert stays["kept back for money asked back"] == kept


def test_lines_are_written_as_people_write_them() -> None:
    def read(words: str) -> Any:
        form = LinesForm({"lines": words, "amount": ""})
        return form.cleaned_data["lines"] if form.is_valid() else None

    assert read("1, 3; 7 – 9") == [1, 3, 7, 8, 9]
    assert read("2") == [2]
    assert read("9-7") is None and read("x") is None and read("") is None
    assert not LinesForm({"lines": "1, 2", "amount": "5"}).is_valid()


def test_the_money_of_a_case_is_undone_on_the_page_of_its_line(town: ClawbackTown) -> None:
    case = town.decided()
    line = town.receive((14250, case.rf_reference)).lines.get()
    row = ClawbackRecovery.objects.get()
    on(town, DECIDED)
    maker, provider = browser(town, "halyna"), browser(town, "nadiia")
    undo = url("repayment_undo", row.pk)
    assert undo in text(maker.get(url("statement_line", line.pk)))
    assert provider.post(undo, {"reason": "x"}).status_code == 403
    maker.post(undo, {"reason": "Money of another provider"})
    case.refresh_from_db()
    assert case.status == "decided" and "142" in text(maker.get(url("clawback", case.pk)))
    shown, told = text(maker.get(url("clawback", case.pk))), text(provider.get(url("clawback", case.pk)))
    assert "Undone on" in shown and "Money of another provider" in shown
    assert "Undone on" in told and "another provider" not in told and "Reference to quote" in told


def test_the_refund_of_a_fee_is_undone_by_finance_alone(town: ClawbackTown) -> None:
    assert browser(town, "halyna").get(url("transfer_undo", 1)).status_code == 404
    assert browser(town, "nadiia").get(url("transfer_undo", 1)).status_code == 403


def test_the_debt_of_a_paid_month_is_asked_back(tmp_path: Path) -> None:
    """From the list of what providers owe to the case, its papers, the decision and the bank line."""
    with translation.override("en"):
        town = advance_town(tmp_path)
        lower_price(town)
    on(town, ASKED)
    halyna, ivan, nadiia = (browser(town, name) for name in ("halyna", "ivan", "nadiia"))
    provider = Provider.objects.get(code="P1")
    form = reverse("settlement:debt_ask_back", args=[provider.pk, "2025-11"])
    listed = url("provider_debts")
    assert listed in text(halyna.get(url("clawbacks"))) and listed not in text(nadiia.get(url("clawbacks")))
    assert form in text(halyna.get(listed)) and form not in text(ivan.get(listed))
    assert ivan.get(form).status_code == 403 and nadiia.get(form).status_code == 403
    assert halyna.get(form.replace("2025-11", "2025-10")).status_code == 404
    page = text(halyna.get(form))
    assert "P1" in page or provider.name in page
    assert "45.00" in page.replace(",", ".") and "After the payment for 11.2025" in page
    assert halyna.post(form, {"finding": "", "ground": "clause 5.4"}).status_code == 200
    sent = halyna.post(form, {"finding": "The price was put right.", "ground": "clause 5.4"})
    case = ClawbackCase.objects.get()
    assert sent["Location"] == url("clawback", case.pk)
    again = halyna.post(form, {"finding": "The price was put right.", "ground": "clause 5.4"})
    assert again.status_code == 409 and "owes nothing of 11.2025" in text(again)
    assert form not in text(halyna.get(listed))
    page = text(halyna.get(url("clawback", case.pk)))
    claims = set(case.debts.values_list("remittance__claim__number", flat=True))
    assert len(claims) == 2 and all(number in page for number in claims) and "Add lines" not in page
    assert case.number not in text(nadiia.get(url("clawbacks")))
    halyna.post(url("clawback_notify", case.pk))
    paper = pdf_text(nadiia.get(url("clawback_notice", case.pk)).content)
    assert case.number in paper and all(number in paper for number in claims)
    # The second person need not wait for a reply.
    assert url("clawback_decide", case.pk) in text(ivan.get(url("clawback", case.pk)))
    assert url("clawback_decide", case.pk) not in text(halyna.get(url("clawback", case.pk)))
    ivan.post(url("clawback_decide", case.pk), {"reason": "The correction stands."})
    case.refresh_from_db()
    assert (case.status, case.outcome) == ("decided", "whole")
    paper = pdf_text(nadiia.get(url("clawback_decision", case.pk)).content)
    assert case.rf_reference in paper and all(number in paper for number in claims)
    for number in claims:
        assert case.number in text(nadiia.get(url("claim", Claim.objects.get(number=number).pk)))
    line = town.receive((4500, "no reference")).lines.get()
    halyna.post(url("statement_line", line.pk), {"step": "clawback", "case": case.number})
    case.refresh_from_db()
    assert case.status == "recovered"
