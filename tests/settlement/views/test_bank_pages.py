"""Pages of bank lines, tables and acts as finance people and strangers see them."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.translation import gettext as _

from config.accounts.models import Organisation, User
from config.audit.models import AuditEvent
from config.pages.trail_words import values_of
from settlement.actions import reconciliation
from settlement.bank_forms import LAYOUT_LABELS
from settlement.bank_queries import silent_payments, with_open
from settlement.finance_forms import MatchForm
from settlement.models import BankAct, Match, PaymentRun, Statement, StatementLayout, StatementLine
from settlement.statement_words import WORDS
from tests.settlement.actions.paid import released_run
from tests.settlement.actions.payables import adjudicated, ready
from tests.settlement.views.town import url
from tests.signed_in import browser

pytestmark = pytest.mark.django_db(transaction=True)
Cast = dict[str, User]
SECOND = "UA223996220000026007233566001"
TABLE = "Дата;Сума;Призначення;Номер;Документ\n12.11.2025;-1520,00;Послуги;1;{reference}\n13.11.2025;200,00;Внесок;2;\n"
COLUMNS = {"date": "Дата", "amount": "Сума", "text": "Призначення", "bank_reference": "Номер", "end_to_end": "Документ"}


@pytest.fixture
def run(organisation: Organisation, cast: Cast, at: datetime) -> PaymentRun:
    organisation.clock_offset = at - timezone.now() + timedelta(minutes=1)
    organisation.save()
    ready(at)
    adjudicated(organisation, at, (1, 24200), (2, 152000))
    return released_run(organisation, cast, at)


def posted(client: Client, text: str, **more: str) -> Any:
    file = SimpleUploadedFile("t.csv", text.encode(), "text/csv")
    return client.post(url("statement_new"), {"file": file, **more})


def upload(client: Client, text: str, **more: str) -> str:
    return str(posted(client, text, **more)["Location"])


def test_the_road_of_a_table(run: PaymentRun, cast: Cast) -> None:
    maker, checker = browser(cast["halyna"]), browser(cast["ivan"])
    payment = run.payments.get(provider__code="P2")
    text = TABLE.format(reference=payment.reference)
    assert upload(maker, text) == url("statement_layout")
    page = maker.get(url("statement_layout"))
    assert "Призначення" in page.content.decode()
    assert all(page.context["form"].fields[name].help_text for name in LAYOUT_LABELS)
    said = {"bank": "Банк", "iban": run.organisation.iban}
    refused = maker.post(url("statement_layout"), said)
    assert refused.context["refusal"].code == "STATEMENT_LAYOUT_INCOMPLETE"
    maker.post(url("statement_layout"), said | COLUMNS)
    layout = StatementLayout.objects.get()
    assert maker.get(url("statement_layout_edit", layout.pk)).status_code == 200
    kept = AuditEvent.objects.get(action="statement_layout.saved")
    assert (str(_("Name of the bank")), "Банк") in values_of(kept.action, kept.data, "UAH")
    assert upload(maker, text) == url("statement", Statement.objects.get().pk)
    payment.refresh_from_db()
    assert payment.status == "confirmed"

    match = Match.objects.get()
    line = url("statement_line", match.statement_line_id)
    assert url("match_undo", match.pk) in checker.get(line).content.decode()
    assert checker.get(url("match_undo", match.pk)).status_code == 200
    checker.post(url("match_undo", match.pk), {"reason": "не той"})
    form = {"step": "split", "payment": payment.reference, "amount": "1000,00", "reason": "частина"}
    assert checker.post(line, form | {"amount": "1520,01"}).context["refusal"].code == "MATCH_PART_TOO_LARGE"
    checker.post(line, form)
    assert StatementLine.objects.get(pk=match.statement_line_id).status == "partial"
    assert "520,00" in checker.get(line).content.decode()
    # What is open of the payment is what the rest of the line can be; the whole stands beside it.
    (offered,) = checker.get(line).context["match_form"].fields["payments"].choices
    assert offered[0] == payment.pk and _sums(offered[1]) == _sums("520,00 ₴ 1 520,00 ₴")
    silent = silent_payments(run.organisation, date(2026, 3, 1)).filter(pk=payment.pk)
    assert list(silent.values_list("open_minor", "whole_minor")) == [(52_000, 152_000)]
    run.organisation.clock_offset += timedelta(days=60)
    run.organisation.save()
    assert _sums("520,00 ₴ 1 520,00 ₴") <= _sums(checker.get(url("open_bank_lines")).content.decode())
    run.organisation.clock_offset -= timedelta(days=60)
    run.organisation.save()

    open_page = maker.get(url("open_bank_lines"), {"age": "month"})
    assert [row.pk for row in open_page.context["page"]] == list(
        StatementLine.objects.order_by("booked_on").values_list("pk", flat=True)
    )
    assert not maker.get(url("open_bank_lines"), {"age": "older"}).context["page"]
    assert maker.get(url("open_bank_lines"), {"q": "Внесок"}).context["page"].paginator.count == 1


def _sums(text: str) -> set[str]:
    """Sums in hryvnias that a text holds, without the spaces inside."""
    return {re.sub(r"\s", "", found) for found in re.findall(r"\d[\d\s]*,\d\d(?=\s₴)", text)}


def test_a_table_is_of_the_account_that_is_said(run: PaymentRun, cast: Cast) -> None:
    """The columns are explained once; of which account a table is, an office of several says each time."""
    maker, office = browser(cast["halyna"]), run.organisation
    assert "account" not in maker.get(url("statement_new")).context["form"].fields
    office.other_ibans = [SECOND]
    office.save()
    first, text = office.iban.replace(" ", ""), TABLE.format(reference="")
    assert upload(maker, text, account=SECOND) == url("statement_layout")
    saved = maker.post(url("statement_layout"), {"bank": "Банк", "iban": first} | COLUMNS)["Location"]
    assert parse_qs(urlsplit(saved).query) == {"account": [first]}
    assert f'value="{first}"' in _chosen(maker.get(saved))
    asked = posted(maker, text)
    assert asked.context["form"].errors.as_data()["account"][0].code == "STATEMENT_ACCOUNT_NOT_SAID"
    assert "file" not in asked.context["form"].errors and f'value="{first}"' in _chosen(asked)
    assert posted(maker, text, account="UA00").context["form"].errors and not Statement.objects.exists()
    found = Statement.objects.get(pk=upload(maker, text, account=SECOND).rstrip("/").rsplit("/")[-1])
    assert found.iban == SECOND and found.lines.count() == 2
    with pytest.raises(reconciliation.WrongAccount):
        reconciliation.import_statement(
            organisation=office, name="t.csv", content=text.encode(), actor=cast["halyna"].as_actor(),
            at=timezone.now(), account="UA00",
        )  # fmt: skip
    assert Statement.objects.count() == 1


def _chosen(answer: Any) -> str:
    """The chosen radio button of a page."""
    (found,) = re.findall(r"<input[^>]*type=.radio.[^>]*checked[^>]*>", answer.content.decode())
    return str(found)


def test_a_match_without_a_reason_is_asked_for_it_once(run: PaymentRun) -> None:
    payments = list(with_open(run.payments.order_by("pk")))
    for plain in (None, payments[0]):
        said = {"payments": [payments[1].pk], "reason": ""}
        form = MatchForm(said, can=run.payments.all(), offered=payments, plain=plain)
        assert len(form.errors["reason"]) == 1
    assert not MatchForm(
        {"payments": [payments[0].pk], "reason": ""}, can=run.payments.all(), offered=payments, plain=payments[0]
    ).errors


def test_a_line_is_offered_what_it_may_be_and_search_finds_the_rest(run: PaymentRun, cast: Cast) -> None:
    client = browser(cast["halyna"])
    likely, other = run.payments.get(provider__code="P2"), run.payments.get(provider__code="P1")
    text = TABLE.format(reference="") + "14.11.2025;-77,00;Комісія;3;\n"
    upload(client, text)
    client.post(url("statement_layout"), {"bank": "Банк", "iban": run.organisation.iban} | COLUMNS)
    upload(client, text)
    lines = {row.amount_minor: url("statement_line", row.pk) for row in StatementLine.objects.all()}
    page = client.get(lines[-152_000])
    assert [choice[0] for choice in page.context["match_form"].fields["payments"].choices] == [likely.pk]
    found = client.get(lines[-152_000], {"q": other.reference})
    assert [choice[0] for choice in found.context["match_form"].fields["payments"].choices] == [other.pk]
    nothing = client.get(lines[-77_00])
    text = nothing.content.decode()
    # What fits nothing is asked for in words first; no payment is offered, all can be searched for.
    assert nothing.context["offered"] == [] and text.index('value="explain"') < text.index('role="search"')
    wrong = {"step": "split", "payment": "PAY-0", "amount": "1,00", "reason": "x"}
    assert "payment" in client.post(lines[-77_00], wrong).context["form"].errors
    # What search found is matched, though the rules would not have named it.
    client.post(f"{lines[-152_000]}?q={likely.reference}", {"payments": [likely.pk], "reason": "Одна сума"})
    assert StatementLine.objects.get(amount_minor=-152_000).status == "matched"


def test_open_lines_are_tried_again(run: PaymentRun, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that could not be matched when it came is; the line that fits nothing stays, as does what was undone."""
    maker, auditor = browser(cast["halyna"]), browser(cast["mariia"])
    text = TABLE.format(reference=run.payments.get(provider__code="P2").reference)
    upload(maker, text)
    maker.post(url("statement_layout"), {"bank": "Банк", "iban": run.organisation.iban} | COLUMNS)
    with monkeypatch.context() as early:
        early.setattr(reconciliation, "match_open_lines", lambda *_args, **_more: [])
        upload(maker, text)
    assert StatementLine.objects.filter(status="unmatched").count() == 2
    again = url("match_again")
    assert again in maker.get(url("open_bank_lines")).content.decode()
    assert again not in auditor.get(url("open_bank_lines")).content.decode()
    assert auditor.post(again).status_code == 403
    maker.post(again, follow=True)
    assert [line.remittance_text for line in StatementLine.objects.filter(status="unmatched")] == ["Внесок"]
    unchanged = maker.post(again, follow=True)
    assert len(list(unchanged.context["messages"])) == 1
    maker.post(url("match_undo", Match.objects.get().pk), {"reason": "не той"})
    maker.post(again, follow=True)
    assert StatementLine.objects.filter(status="unmatched").count() == 2


def test_an_act_on_pages(run: PaymentRun, cast: Cast) -> None:
    maker, checker, auditor = browser(cast["halyna"]), browser(cast["ivan"]), browser(cast["mariia"])
    wrong = maker.post(url("bank_acts"), {"iban": run.organisation.iban, "month": "грудень"})
    assert wrong.status_code == 200 and not BankAct.objects.exists()
    maker.post(url("bank_acts"), {"iban": run.organisation.iban, "month": "2025-11"})
    act = BankAct.objects.get()
    assert not maker.get(url("bank_act", act.pk)).context["may_sign"]
    assert checker.get(url("bank_act", act.pk)).context["may_sign"]
    checker.post(url("bank_act_sign", act.pk))
    assert act.signatures.count() == 2
    assert auditor.post(url("bank_act_sign", act.pk)).status_code == 403
    assert auditor.get(url("bank_act_pdf", act.pk)).content.startswith(b"%PDF")
    assert auditor.post(url("bank_acts"), {"iban": run.organisation.iban, "month": "2025-11"}).status_code == 200
    assert BankAct.objects.count() == 1


def test_strangers_see_nothing(run: PaymentRun, other_organisation: Organisation, cast: Cast) -> None:
    browser(cast["halyna"]).post(url("bank_acts"), {"iban": run.organisation.iban, "month": "2025-11"})
    act = BankAct.objects.get()
    pages = [url("open_bank_lines"), url("bank_acts"), url("bank_act", act.pk), url("bank_act_pdf", act.pk)]
    for user in (cast["outsider"], cast["nadiia"]):
        assert {browser(user).get(page).status_code for page in pages} == {403}
    cast["ivan"].memberships.update(organisation=other_organisation)
    assert {browser(cast["ivan"]).get(page).status_code for page in pages[2:]} == {404}


def test_the_list_of_open_lines_asks_the_same_whatever_its_length(run: PaymentRun, cast: Cast) -> None:
    client = browser(cast["halyna"])
    client.get(url("open_bank_lines"))
    counts = []
    for size in (1, 20):
        statement = Statement.objects.create(
            organisation=run.organisation,
            iban=run.organisation.iban,
            statement_id=f"S{size}",
            format="CSV",
            content_sha256=str(size),
            currency="UAH",
            imported_at=timezone.now(),
            status="imported",
        )
        StatementLine.objects.bulk_create(
            StatementLine(
                statement=statement,
                position=place,
                booked_on=datetime(2025, 11, 3).date(),
                amount_minor=5,
                currency="UAH",
                status="unmatched",
            )
            for place in range(size)
        )
        with CaptureQueriesContext(
            connection,
        ) as asked:
            client.get(url("open_bank_lines"))
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_what_set_a_statement_aside_is_said(run: PaymentRun, cast: Cast) -> None:
    """The cause is the true one, and what would lose a row offers no way to accept it."""
    maker, checker = browser(cast["halyna"]), browser(cast["ivan"])
    text = TABLE.format(reference="") + "14.11.2025;сто;Внесок;3;\n"
    upload(maker, text)
    maker.post(url("statement_layout"), {"bank": "Банк", "iban": run.organisation.iban} | COLUMNS)
    file = SimpleUploadedFile("t.csv", text.encode(), "text/csv")
    said = [str(item) for item in maker.post(url("statement_new"), {"file": file}, follow=True).context["messages"]]
    row = Statement.objects.get()
    assert str(WORDS["ROW_SUM_UNREADABLE"][0]) in said[-1]
    assert str(WORDS["BALANCE_MISMATCH"][0]) not in said[-1]
    page = checker.get(url("statement", row.pk)).content.decode()
    assert "сто" in page and "Сума" in page
    assert url("statement_refuse", row.pk) in page
    assert str(_("Accept the statement")) not in page
    # Nothing is offered of a line whose statement waits.
    line = checker.get(url("statement_line", row.lines.order_by("pk")[0].pk))
    assert not line.context["may_match"]
    checker.post(url("statement_refuse", row.pk), {"reason": "Виправити файл"})
    upload(maker, text)
    assert Statement.objects.filter(status="quarantined").exclude(pk=row.pk).count() == 1
