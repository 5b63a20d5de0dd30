"""Finance pages as finance people, an auditor and strangers see them."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from config.accounts.models import Organisation, User
from contracts.models import ProviderUser
from settlement.actions.payments import mark_payments_sent, write_remittance_advices
from settlement.gateways.simulated_bank import answer_payment_file
from settlement.models import Claim, ClosedMonth, Payment, PaymentRun, Statement, StatementLine
from tests.settlement.actions.paid import answered, bank_file, released_run
from tests.settlement.actions.payables import NOVEMBER, adjudicated, owe, ready
from tests.settlement.views.town import url
from tests.signed_in import browser

pytestmark = pytest.mark.django_db(transaction=True)
Cast = dict[str, User]
DECEMBER = date(2025, 12, 1)
LISTS = ["adjudication_runs", "payment_runs", "provider_debts", "payments", "statements", "months"]


@pytest.fixture
def office(organisation: Organisation, cast: Cast, at: datetime) -> Organisation:
    """An organisation whose business clock stands at ``at``, with a month to pay."""
    organisation.clock_offset = at - timezone.now() + timedelta(minutes=1)
    organisation.save()
    ready(at)
    owe(organisation, adjudicated(organisation, at, (1, 24200), (2, 152000)), at)
    return organisation


def test_lists_open_for_finance_and_the_auditor(office: Organisation, cast: Cast) -> None:
    for name in ("halyna", "ivan", "mariia"):
        for page in LISTS:
            assert browser(cast[name]).get(url(page)).status_code == 200, (name, page)


def test_strangers_see_nothing(office: Organisation, cast: Cast, at: datetime) -> None:
    run = released_run(office, cast, at)
    payment = run.payments.first()
    assert payment is not None
    pages = [url(page) for page in LISTS]
    pages += [
        url("payment_run", run.pk),
        url("payment", payment.pk),
        url("month", "2025-11"),
        url("payment_file", run.pk),
    ]
    for user in (cast["outsider"], cast["nadiia"], cast["bohdan"]):
        for page in pages:
            assert browser(user).get(page).status_code == 403, (user, page)
    for page in pages:
        assert Client().get(page).status_code == 302


def test_another_organisations_rows_are_not_found(
    office: Organisation, other_organisation: Organisation, cast: Cast, at: datetime
) -> None:
    run = released_run(office, cast, at)
    cast["ivan"].memberships.update(organisation=other_organisation)
    assert browser(cast["ivan"]).get(url("payment_run", run.pk)).status_code == 404
    assert browser(cast["ivan"]).get(url("payment", run.payments.get(provider__code="P1").pk)).status_code == 404


def test_the_road_through_the_pages(office: Organisation, cast: Cast, at: datetime) -> None:
    maker, checker = browser(cast["halyna"]), browser(cast["ivan"])
    page = maker.get(url("payment_runs"))
    assert "1 762,00" in page.content.decode().replace("\N{NO-BREAK SPACE}", " ")
    maker.post(url("payment_run_propose"), {"period": "2025-11"})
    run = PaymentRun.objects.get()
    own = maker.get(url("payment_run", run.pk))
    assert not own.context["may_approve"] and own.context["own"]
    checker.post(url("payment_run_approve", run.pk), {"seen": run.content_sha256})
    run.refresh_from_db()
    assert run.status == "approved"
    shown = checker.get(url("payment_run", run.pk))
    assert shown.context["may_release"]
    checker.post(url("payment_run_release", run.pk), {"execution_date": "2025-12-12"})
    run.refresh_from_db()
    assert run.status == "released" and Payment.objects.count() == 2

    content = bank_file(run, at)
    write_remittance_advices(organisation=office, run_id=run.pk, at=at)
    download = checker.get(url("payment_file", run.pk))
    assert download.content == content and "PR-2025-0001.xml" in download["Content-Disposition"]
    checker.post(url("payment_run_sent", run.pk))
    assert set(Payment.objects.values_list("status", flat=True)) == {"sent"}

    answer = SimpleUploadedFile("statement.xml", answer_payment_file(content), "text/xml")
    response = maker.post(url("statement_new"), {"file": answer}, follow=True)
    assert response.status_code == 200
    statement = Statement.objects.get()
    assert statement.status == "imported"
    line = StatementLine.objects.get(status="unmatched")
    assert checker.get(url("month", "2025-11")).context["blocked"]
    assert maker.get(url("statement_line", line.pk)).status_code == 200
    maker.post(url("statement_line", line.pk), {"step": "explain", "explanation": "Пожертва"})
    payment = Payment.objects.get(status="returned")
    detail = maker.get(url("payment", payment.pk)).content.decode()
    assert "AC04" in detail and statement.statement_id in detail
    assert maker.get(url("payment_advice", payment.pk))["Content-Type"] == "application/pdf"

    month = checker.get(url("month", "2025-11"))
    assert not month.context["blocked"] and month.context["may_close"]
    assert not maker.get(url("month", "2025-11")).context["may_close"]
    assert maker.post(url("month_close", "2025-11")).status_code == 403
    checker.post(url("month_close", "2025-11"))
    assert ClosedMonth.objects.get().month == NOVEMBER
    assert checker.get(url("month", "2025-11")).context["closed"]


def test_a_refused_file_says_why(office: Organisation, cast: Cast) -> None:
    file = SimpleUploadedFile("x.xml", b"<nothing/>", "text/xml")
    response = browser(cast["halyna"]).post(url("statement_new"), {"file": file})
    assert response.context["refusal"].code == "STATEMENT_UNREADABLE"
    said = response.content.decode()
    assert "це документ іншого виду" in said
    assert "NOT_A_STATEMENT" not in said


def test_a_quarantined_statement_waits_for_a_decision(office: Organisation, cast: Cast, at: datetime) -> None:
    run = released_run(office, cast, at)
    broken = answer_payment_file(bank_file(run, at)).replace(b">242.00<", b">242.01<", 1)
    client = browser(cast["halyna"])
    client.post(url("statement_new"), {"file": SimpleUploadedFile("st.xml", broken, "text/xml")})
    statement = Statement.objects.get()
    page = client.get(url("statement", statement.pk))
    assert page.context["may_decide"] and "BALANCE_MISMATCH" in page.content.decode()
    client.post(url("statement_accept", statement.pk), {"reason": "Лист банку"})
    statement.refresh_from_db()
    assert statement.status == "quarantined"
    browser(cast["ivan"]).post(url("statement_accept", statement.pk), {"reason": "Лист банку"})
    statement.refresh_from_db()
    assert statement.status == "imported"


def test_matching_by_hand(office: Organisation, cast: Cast, at: datetime) -> None:
    run = released_run(office, cast, at)
    content = bank_file(run, at)
    mark_payments_sent(organisation=office, run_id=run.pk, actor=cast["ivan"].as_actor(), at=at)
    unknown = answer_payment_file(content).replace(b"PAY-2025-00001", b"BANK-1").replace(b"1001<", b"9999<")
    for code in run.payments.values_list("rf_reference", flat=True):
        unknown = unknown.replace(code.encode(), b"-")
    client = browser(cast["halyna"])
    client.post(url("statement_new"), {"file": SimpleUploadedFile("st.xml", unknown, "text/xml")})
    line = StatementLine.objects.get(amount_minor=-24200)
    assert line.status == "unmatched"
    payment = run.payments.get(provider__code="P1")
    wrong = client.post(url("statement_line", line.pk), {"step": "match", "payments": [], "reason": "x"})
    assert wrong.context["form"].errors
    client.post(url("statement_line", line.pk), {"step": "match", "payments": [payment.pk], "reason": "лист банку"})
    payment.refresh_from_db()
    assert payment.status == "confirmed"


def test_the_claim_says_when_its_money_came(office: Organisation, cast: Cast, at: datetime) -> None:
    def shown(name: str) -> str:
        page = browser(cast[name], "en").get(url("claim", claim.pk)).content.decode()
        return " ".join(page.replace("\xa0", " ").split())

    claim = Claim.objects.get(provider__code="P1")
    ProviderUser.objects.create(provider=claim.provider, user=cast["nadiia"])
    assert "<dt>Payment</dt>" not in shown("nadiia")
    run = released_run(office, cast, at)
    payment = run.payments.get(provider__code="P1")
    assert f'<span class="code">{payment.reference}</span> <span class="status ">prepared' in shown("nadiia")
    answered(run, cast["halyna"], at)
    booked = payment.matches.get(kind="payment").statement_line.booked_on
    said = f"<strong>242.00 ₴</strong> paid on {booked:%d.%m.%Y} ·"
    assert said in shown("nadiia") and said in shown("halyna")
    assert f'href="{url("payment", payment.pk)}"' in shown("halyna")
    assert f'href="{url("payment", payment.pk)}"' not in shown("nadiia")


def test_a_released_run_is_not_called_sent_while_its_file_waits(office: Organisation, cast: Cast, at: datetime) -> None:
    run = released_run(office, cast, at)
    client = browser(cast["ivan"], "en")
    page = client.get(url("payment_run", run.pk)).content.decode()
    assert "released for payment" in page and "sent to the bank" not in page
    assert "The bank file is being written" in page and "The bank file is ready" not in page
    bank_file(run, at)
    page = client.get(url("payment_run", run.pk)).content.decode()
    assert "The bank file is ready" in page and "The bank file is being written" not in page


def test_bad_addresses_are_not_found(office: Organisation, cast: Cast) -> None:
    client = browser(cast["ivan"])
    assert client.get(url("month", "2025-13")).status_code == 404
    assert client.get(url("statement", 999)).status_code == 404
    assert browser(cast["halyna"]).post(url("payment_run_propose"), {"period": "x"}).status_code == 404


def test_lists_take_the_same_number_of_queries(office: Organisation, cast: Cast, at: datetime) -> None:
    client = browser(cast["ivan"])
    released_run(office, cast, at)

    def count(page: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(url(page))
        return len(queries)

    client.get(url("payments"))
    before = {page: count(page) for page in LISTS}
    for number in range(2, 6):
        adjudicated(office, at, (1, 100), (2, 100), (3, 100), number=number)
    released_run(office, cast, at)
    assert {page: count(page) for page in LISTS} == before


def test_the_act_of_a_month_is_a_pdf(office: Organisation, other_organisation: Organisation, cast: Cast) -> None:
    client = browser(cast["ivan"])
    row = client.get(url("month", "2025-11")).context["providers"][0]
    act = client.get(url("reconciliation_act", "2025-11", row["provider_id"]))
    assert act["Content-Type"] == "application/pdf" and act.content.startswith(b"%PDF")
    cast["ivan"].memberships.update(organisation=other_organisation)
    assert browser(cast["ivan"]).get(url("reconciliation_act", "2025-11", row["provider_id"])).status_code == 404


def test_what_is_taken_off_for_an_earlier_month_is_named(office: Organisation, cast: Cast, at: datetime) -> None:
    maker = browser(cast["halyna"])
    assert maker.get(url("payment_runs")).context["owed"] is None
    released_run(office, cast, at)
    # November was paid, then it was put right.
    adjudicated(office, at, (1, -12000), (1, 7500), (2, -500), number=2)
    assert maker.get(url("payment_runs")).context["owed"] == {"providers": 2, "minor": 5000}
    page = maker.get(url("provider_debts"), {"q": "11.2025"}).content.decode().replace("\N{NO-BREAK SPACE}", " ")
    assert "45,00" in page and "11.2025" in page and "5,00" in page
    with CaptureQueriesContext(connection) as two:
        maker.get(url("provider_debts"))
    adjudicated(office, at, (1, 24000), period=DECEMBER)
    run = released_run(office, cast, at, period=DECEMBER)
    assert str(run.total.amount) == "195.00"
    shown = maker.get(url("payment_run", run.pk)).content.decode()
    assert shown.count("за 11.2025") == 2
    payment = run.payments.get()
    assert maker.get(url("payment", payment.pk)).content.decode().count("за 11.2025") == 2
    assert [row["provider__code"] for row in maker.get(url("provider_debts")).context["rows"]] == ["P2"]
    with CaptureQueriesContext(connection) as one:
        maker.get(url("provider_debts"))
    assert len(one) == len(two)
    assert not maker.get(url("provider_debts"), {"q": "12.2025"}).context["rows"]
