"""Pages of fees and the door of Stripe."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models import Sum
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pypdf import PdfReader

from config.accounts.models import Organisation, User
from config.audit.actors import SYSTEM
from settlement.actions.claims import reverse_claim
from settlement.actions.fee_refunds import request_refund
from settlement.actions.fees import issue_fee_notices
from settlement.actions.reconciliation import import_statement
from settlement.fee_queries import services_of
from settlement.models import (
    Adjudication,
    FeeCharge,
    FeeNotice,
    FeeReceipt,
    FeeRefund,
    StatementLine,
    StripeEvent,
    WebhookRefusal,
)
from settlement.views.stripe import MAX_BYTES
from tests import signed_in
from tests.settlement.actions.fee_statements import credit, statement
from tests.settlement.actions.fee_town import AT, NOVEMBER, OWED, balanced, fee_town, noticed, session_of, work
from tests.settlement.actions.month import judge
from tests.settlement.gateways.stripe_stand_in import StripeStandIn, event, signature, stripe_on_loopback
from vouchers.models import Recipient
from vouchers.queries import mask_name

pytestmark = pytest.mark.django_db(transaction=True)
Town = tuple[Organisation, dict[str, User]]
WEBHOOK = "/settlement/stripe/webhook"


@pytest.fixture
def stripe() -> Iterator[StripeStandIn]:
    with stripe_on_loopback() as server:
        yield server


@pytest.fixture
def town(tmp_path: Path) -> Town:
    organisation, users = fee_town(tmp_path)
    Recipient.objects.update(user=users["olena"])
    return organisation, users


def browser(town: Town, username: str) -> Client:
    return signed_in.browser(town[1][username], "en")


def address(name: str, *args: int) -> str:
    return reverse(f"settlement:{name}", args=args)


def issue_page(month: str = "2025-11") -> str:
    return reverse("settlement:fee_notices_issue", args=[month])


def text_of(client: Client, notice: FeeNotice) -> str:
    """What the notice on paper says."""
    pdf = client.get(address("fee_notice_pdf", notice.pk)).content
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())


def deliver(content: bytes, header: str | None = None) -> int:
    """A delivery as Stripe makes it: no session, no token of the form."""
    client = Client(enforce_csrf_checks=True)
    signed = signature(content) if header is None else header
    answer = client.post(WEBHOOK, content, content_type="application/json", headers={"Stripe-Signature": signed})
    return answer.status_code


def test_finance_issues_notices_and_the_recipient_sees_her_own(town: Town) -> None:
    finance = browser(town, "halyna")
    page = finance.get(address("fee_notices"))
    assert "Issue notices" in page.content.decode()
    asked = unescape(finance.get(issue_page()).content.decode())
    assert "Recipients: 1." in asked and "would be asked for the same money again" in asked
    assert finance.post(issue_page()).status_code == 200 and not FeeNotice.objects.exists()
    done = finance.post(issue_page(), {"collects": "on"}, follow=True).content.decode()
    assert "FN-2025-000001" in done and "Issue notices" not in done
    notice = FeeNotice.objects.get()
    own = browser(town, "olena")
    assert "How to pay" in own.get(address("own_fees")).content.decode()
    shown = own.get(address("fee_notice", notice.pk)).content.decode()
    assert notice.rf_reference in shown and "Pay by bank transfer" in shown and "Pay by card" not in shown
    pdf = own.get(address("fee_notice_pdf", notice.pk))
    assert pdf.content[:5] == b"%PDF-" and "no-store" in pdf["Cache-Control"]


def test_the_paper_names_the_payer_in_full_to_the_payer_and_to_who_keeps_the_register(town: Town) -> None:
    notice, whole = noticed(*town), "Ковальчук Олена Петрівна"
    person = Recipient.objects.get(pk=notice.recipient_id)
    person.name = whole
    person.save(update_fields=["name"])
    masked = f"{person.code}, {mask_name(whole)}"
    for username, name in (("olena", whole), ("sofiia", whole), ("halyna", masked), ("ivan", masked)):
        text = text_of(browser(town, username), notice)
        assert name in text and ("Ковальчук" in text) == (name == whole), username


def test_a_notice_says_which_services_it_is_for_and_whom_to_tell_that_it_is_wrong(town: Town) -> None:
    notice, own = noticed(*town), browser(town, "olena")
    (row,) = services_of(notice)
    lines = Adjudication.objects.filter(claim__organisation=town[0])
    sums = lines.aggregate(units=Sum("units_allowed"), cost=Sum("gross"), fee=Sum("fee"))
    assert (row.units, row.cost, row.fee) == (sums["units"], sums["cost"], sums["fee"])
    assert row.fee == sum(charge.amount_minor for charge in notice.charges.all()) == OWED
    shown = unescape(own.get(address("fee_notice", notice.pk)).content.decode())
    service = row.service.split(",")[0]
    assert service in shown and "If you do not agree" in shown and f"Tell the office: {town[0].name}" in shown
    assert "issued on" in shown and "to which you can object" not in shown
    paper = text_of(own, notice)
    assert service in paper and "Якщо ви не згодні" in paper and f"{notice.issued_at:%d.%m.%Y}" in paper


def test_services_judged_after_the_notice_are_not_among_its_services(town: Town) -> None:
    notice = noticed(*town)
    (before,) = services_of(notice)
    claim = Adjudication.objects.filter(claim__organisation=town[0]).latest("pk").claim
    reverse_claim(organisation=town[0], claim_id=claim.pk, reason="error", actor=SYSTEM, at=AT)
    later = AT + timedelta(days=1)
    judge(town[0], at=later)
    assert services_of(notice) == [before]
    issue_fee_notices(organisation=town[0], month=NOVEMBER, actor=SYSTEM, at=later)
    assert services_of(notice) == []


def test_messages_name_a_notice_that_is_not_paid(town: Town) -> None:
    own = browser(town, "olena")
    assert "My fees to pay" not in own.get(reverse("notices")).content.decode()
    notice = noticed(*town)
    page = own.get(reverse("notices")).content.decode()
    assert "My fees to pay: 1" in page and address("own_fees") in page
    FeeReceipt.objects.create(
        notice=notice, method="card", payment="pi_1", amount_minor=OWED, received_on=AT.date(), recorded_at=AT
    )
    assert "My fees to pay" not in own.get(reverse("notices")).content.decode().split("<main")[1]


def test_a_difference_says_what_it_is_and_nothing_is_asked_for_when_too_much_came(town: Town) -> None:
    notice, own = noticed(*town), browser(town, "olena")
    assert "Visits of the month" in own.get(address("fee_notice", notice.pk)).content.decode()
    assert notice.rf_reference in text_of(own, notice)
    FeeReceipt.objects.create(
        notice=notice, method="card", payment="pi_1", amount_minor=OWED, received_on=AT.date(), recorded_at=AT
    )
    provider = notice.charges.get().provider
    FeeCharge.objects.create(notice=notice, provider=provider, amount_minor=-8_500, charged_at=AT)
    assert "Taken off by a later decision" in own.get(address("fee_notice", notice.pk)).content.decode()
    paper = text_of(own, notice)
    assert "Сплачено зайве 85,00" in paper and notice.rf_reference not in paper


def test_a_month_with_notices_says_how_much_is_not_asked_for(town: Town) -> None:
    finance = browser(town, "halyna")
    before = finance.get(address("fee_notices")).content.decode()
    assert "Issue notices" in before and "This month has notices already" not in before
    noticed(*town)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE settlement_feecharge SET amount_minor = amount_minor - 1234")
        cursor.execute("SET session_replication_role = DEFAULT")
    shown = unescape(finance.get(address("fee_notices")).content.decode())
    assert re.search(r"another \S*12\.34.* not asked for.*This month has notices already", shown)


def test_others_see_nothing_of_a_notice(town: Town) -> None:
    notice = noticed(*town)
    Recipient.objects.update(user=None)
    for username, status in (("olena", 404), ("nadiia", 403), ("outsider", 403)):
        client = browser(town, username)
        assert client.get(address("fee_notice", notice.pk)).status_code == status, username
        assert client.get(address("fee_notice_pdf", notice.pk)).status_code == status, username
    assert browser(town, "sofiia").post(issue_page(), {"collects": "on"}).status_code == 403
    assert browser(town, "ivan").post(address("fee_pay", notice.pk)).status_code == 403


def test_the_recipient_pays_by_card_and_finance_gives_back(town: Town, stripe: StripeStandIn) -> None:
    notice = noticed(*town)
    own, page = browser(town, "olena"), address("fee_notice", notice.pk)
    assert "Pay by card" in own.get(page).content.decode()
    shown = own.post(address("fee_pay", notice.pk), follow=True).content.decode()
    (session,) = stripe.of("checkout.session")
    assert session["url"] in shown and "Go to the payment page" in shown
    assert deliver(event("payment_intent.succeeded", stripe.pay(session))) == 200
    work("settlement.stripe_event")
    paid = own.get(page).content.decode()
    assert "Go to the payment page" not in paid and "Pay by card" not in paid
    maker, checker = browser(town, "halyna"), browser(town, "ivan")
    receipt = FeeReceipt.objects.get()
    refund_new = address("fee_refund_new", notice.pk, receipt.pk)
    wrong = maker.post(refund_new, {"amount": "285,01", "reason": "помилка"}, follow=True).content.decode()
    assert "can go back" in wrong
    maker.post(refund_new, {"amount": "85,00", "reason": "помилка"})
    refund = FeeRefund.objects.get()
    approve = address("fee_refund_approve", notice.pk, refund.pk)
    assert maker.post(approve).status_code == 403
    assert "is approved" in checker.post(approve, follow=True).content.decode()
    work("settlement.send_refund")
    assert FeeRefund.objects.get().status == "refunded" and stripe.of("refund")[0]["amount"] == 8_500
    assert balanced()


def test_a_service_that_does_not_answer_is_told_in_words(town: Town, stripe: StripeStandIn) -> None:
    notice = noticed(*town)
    stripe.faults = ["lost_answer"]
    said = browser(town, "olena").post(address("fee_pay", notice.pk), follow=True).content.decode()
    assert "did not answer" in said
    said = browser(town, "olena").post(address("fee_pay", notice.pk), follow=True).content.decode()
    assert "Go to the payment page" in said and len(stripe.of("checkout.session")) == 1


def test_the_list_takes_the_same_queries_for_many(town: Town) -> None:
    client = browser(town, "halyna")
    noticed(*town)
    client.get(address("fee_notices"))
    with CaptureQueriesContext(connection) as one:
        client.get(address("fee_notices"))
    recipients = [Recipient.objects.create(organisation=town[0], code=f"Z{n}", registered_at=AT) for n in range(12)]
    FeeNotice.objects.bulk_create(
        [
            FeeNotice(
                organisation=town[0], recipient=row, month=NOVEMBER, number=f"FN-2025-1{n:05d}",
                rf_reference=f"RF00X{n}", issued_at=AT,
            )
            for n, row in enumerate(recipients)
        ]
    )  # fmt: skip
    with CaptureQueriesContext(connection) as many:
        shown = client.get(address("fee_notices")).content.decode()
    assert "FN-2025-100011" in shown and len(many) == len(one)
    assert "FN-2025-000001" not in client.get(address("fee_notices") + "?q=Z3").content.decode()
    assert "FN-2025-000001" in client.get(address("fee_notices") + "?status=open").content.decode()


def test_forged_stale_large_and_unreadable_deliveries_are_refused_and_counted(
    town: Town, stripe: StripeStandIn
) -> None:
    notice = noticed(*town)
    session = session_of(notice, town[1]["olena"], stripe)
    content = event("payment_intent.succeeded", stripe.pay(session))
    assert deliver(content, "") == deliver(content, signature(content, secret="whsec_other")) == 400
    assert deliver(content, signature(content, moment=1)) == deliver(content + b" ", signature(content)) == 400
    assert deliver(b"{}") == 400
    assert deliver(b" " * (MAX_BYTES + 1)) == 413
    assert {(row.reason, row.count) for row in WebhookRefusal.objects.all()} == {
        ("NOT_SIGNED", 4),
        ("UNREADABLE_EVENT", 1),
        ("TOO_LARGE", 1),
    }
    assert StripeEvent.objects.count() == 0 and FeeReceipt.objects.count() == 0
    assert Client().get(WEBHOOK).status_code == 405
    assert [deliver(content), deliver(content)] == [200, 200]
    work("settlement.stripe_event")
    assert StripeEvent.objects.count() == 1 and FeeReceipt.objects.get().amount_minor == OWED
    kept: dict[str, Any] = StripeEvent.objects.get().facts
    assert set(kept) == {"id", "payment", "amount", "currency", "status", "office", "notice"}


def test_without_a_secret_there_is_no_door(town: Town) -> None:
    with override_settings(STRIPE_WEBHOOK_SECRET=""):
        assert deliver(b"{}", "x") == 404
    assert WebhookRefusal.objects.count() == 0


def test_issuing_again_says_so(town: Town) -> None:
    noticed(*town)
    said = browser(town, "halyna").post(issue_page(), {"collects": "on"}, follow=True)
    assert "stands in a notice already" in said.content.decode()
    assert browser(town, "halyna").post(issue_page("x"), {"collects": "on"}).status_code == 404


def test_finance_undoes_a_receipt_on_the_page_of_its_line_and_the_pair_is_shown(town: Town) -> None:
    notice = noticed(*town)
    content = statement(town[0], 1, credit(10_000, notice.rf_reference))
    actor = town[1]["halyna"].as_actor()
    import_statement(organisation=town[0], name="s.xml", content=content, actor=actor, at=AT)
    receipt, line = FeeReceipt.objects.get(), StatementLine.objects.get()
    maker, auditor, own = browser(town, "halyna"), browser(town, "mariia"), browser(town, "olena")
    page, undo = address("statement_line", line.pk), address("receipt_undo", receipt.pk)
    listed = maker.get(address("statement", line.statement_id)).content.decode()
    assert page in listed and notice.number in listed
    assert undo in maker.get(page).content.decode()
    seen = auditor.get(page).content.decode()
    assert notice.number in seen and undo not in seen
    assert auditor.get(undo).status_code == 403 and own.post(undo, {"reason": "x"}).status_code == 403
    assert maker.get(undo).status_code == 200 and not maker.post(undo, {"reason": ""}).context["form"].is_valid()
    assert "waits again" in maker.post(undo, {"reason": "Money of a neighbour"}, follow=True).content.decode()
    assert maker.get(undo).status_code == 404 and undo not in maker.get(page).content.decode()
    shown = maker.get(address("fee_notice", notice.pk)).content.decode()
    assert "Undone on" in shown and "Takes back what was booked" in shown and "Money of a neighbour" in shown
    assert "Give money back" not in shown
    # Why it was somebody else's money is the office's business.
    told = own.get(address("fee_notice", notice.pk)).content.decode()
    assert "Undone on" in told and "neighbour" not in told and notice.rf_reference in told


def test_a_refusal_to_undo_is_told_on_the_form(town: Town) -> None:
    notice = noticed(*town)
    content = statement(town[0], 1, credit(10_000, notice.rf_reference))
    maker = town[1]["halyna"].as_actor()
    import_statement(organisation=town[0], name="s.xml", content=content, actor=maker, at=AT)
    receipt = FeeReceipt.objects.get()
    request_refund(organisation=town[0], receipt_id=receipt.pk, amount_minor=500, reason="Зайве", actor=maker, at=AT)
    answer = browser(town, "halyna").post(address("receipt_undo", receipt.pk), {"reason": "x"})
    assert answer.status_code == 409 and answer.context["refusal"].code == "FEE_RECEIPT_REFUNDED"
