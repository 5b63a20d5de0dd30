"""Dividing a bank line, and lines whose last day has passed, on the pages of finance."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from config.audit.actors import SYSTEM
from settlement.actions.bank_acts import draw_bank_act
from settlement.actions.overdue_lines import chase_overdue_lines
from settlement.models import ClawbackRecovery, FeeNotice, FeeReceipt, StatementLine
from tests.settlement.actions.clawback_town import DECIDED, ClawbackTown, clawback_town
from tests.settlement.views.town import url
from tests.signed_in import browser
from vouchers.models import Recipient

pytestmark = pytest.mark.django_db(transaction=True)
REFERENCE, OWED = "RF18539007547034", 14_250


@pytest.fixture
def town(tmp_path: Path) -> ClawbackTown:
    town = clawback_town(tmp_path)
    town.office.clock_offset = DECIDED - timezone.now()
    town.office.save()
    return town


@pytest.fixture
def notice(town: ClawbackTown) -> FeeNotice:
    return FeeNotice.objects.create(
        organisation=town.office, recipient=Recipient.objects.earliest("pk"), month=date(2025, 11, 1),
        number="FN-2025-000009", rf_reference=REFERENCE, issued_at=DECIDED,
    )  # fmt: skip


def rows(*said: tuple[str, str, str], reason: str = "Лист платника") -> dict[str, str]:
    """A filled page; the last row is left empty."""
    form = {"parts-TOTAL_FORMS": str(len(said) + 1), "parts-INITIAL_FORMS": "0", "reason": reason}
    for place, values in enumerate([*said, ("", "", "")]):
        form |= {
            f"parts-{place}-{name}": value for name, value in zip(("kind", "number", "amount"), values, strict=True)
        }
    return form


def text(client: Client, address: str, **more: Any) -> str:
    answer = client.get(address, more)
    assert answer.status_code == 200, answer.status_code
    return " ".join(unescape(answer.content.decode()).split())


def test_a_line_that_quotes_two_is_divided_and_every_part_can_be_undone(town: ClawbackTown, notice: FeeNotice) -> None:
    case = town.decided()
    line = town.receive((20_000, f"{case.rf_reference} {REFERENCE}")).lines.get()
    halyna, page = browser(town.cast["halyna"]), url("statement_line_divide", line.pk)
    assert page in text(halyna, url("statement_line", line.pk))
    shown = halyna.get(page)
    assert shown.context["parts"].initial[1] | {"amount": "…"} == {
        "kind": "clawback", "number": case.number, "amount": "…"
    }  # fmt: skip
    short = halyna.post(page, rows(("fee", notice.number, "57,49"), ("clawback", case.number, "142,50")))
    assert short.context["refusal"].code == "PARTS_SUM_DIFFERS" and "199,99" in short.context["refusal"].sentence
    for wrong, field in ((("fee", "", "57,50"), "number"), (("", "FN-1", "1"), "kind"), (("open", "", ""), "amount")):
        answer = halyna.post(page, rows(wrong))
        assert list(answer.context["parts"].errors[0]) == [field]
    assert halyna.post(page, rows(("fee", notice.number, "200"), reason="")).context["form"].errors
    assert not FeeReceipt.objects.exists()
    said = rows(("fee", notice.number, "40,00"), ("clawback", case.number, "142,50"), ("open", "", "17,50"))
    assert halyna.post(page, said)["Location"] == url("statement_line", line.pk)
    divided = text(browser(town.cast["ivan"]), url("statement_line", line.pk))
    for words in (notice.number, "40,00", case.number, "142,50", "17,50"):
        assert words in divided
    for name, row in (("receipt_undo", FeeReceipt.objects.get()), ("repayment_undo", ClawbackRecovery.objects.get())):
        assert url(name, row.pk) in divided
        halyna.post(url(name, row.pk), {"reason": "помилка"})
    line.refresh_from_db()
    assert line.status == "unmatched"
    trail = text(browser(town.cast["mariia"]), "/trail/")
    assert "Запис банку поділено на частини" in trail and f"плата отримувача {notice.number}: 40,00" in trail


def test_every_refusal_of_a_part_stands_at_its_row(town: ClawbackTown, notice: FeeNotice) -> None:
    case = town.decided()
    halyna = browser(town.cast["halyna"])
    page = url("statement_line_divide", town.receive((20_000, "за все разом")).lines.get().pk)
    fee, owed = ("fee", notice.number, "57,50"), ("clawback", case.number, "142,50")

    def refused(*said: tuple[str, str, str], reason: str = "Лист платника") -> list[tuple[int, str, str]]:
        answer = halyna.post(page, rows(*said, reason=reason))
        assert answer.context["refusal"] is None
        found = [
            (place, name, error.code)
            for place, row in enumerate(answer.context["parts"])
            for name, errors in row.errors.as_data().items()
            for error in errors
        ]
        # The summary on top leads to each of them.
        assert all(f'href="#id_parts-{place}-{name}"' in answer.content.decode() for place, name, _code in found)
        return found

    unknown = ("fee", "FN-0", "142,50")
    assert refused(fee, unknown) == refused(fee, unknown, reason="") == [(1, "number", "FEE_NOTICE_UNKNOWN")]
    assert refused(owed, ("fee", notice.number, "50"), ("fee", REFERENCE, "7,50")) == [(2, "number", "PART_TWICE")]
    assert refused(("open", "", "57,49"), ("clawback", case.number, "142,51")) == [
        (1, "amount", "CLAWBACK_MORE_THAN_OWED")
    ]
    assert refused(owed, ("open", "", "50"), ("words", "пожертва", "7,50")) == [(2, "kind", "PART_REST_TWICE")]
    nothing = halyna.post(page, rows(("words", "пожертва", "150"), ("words", "ще", "50"))).context
    assert nothing["refusal"].code == "PARTS_NOTHING" and not nothing["parts"].total_error_count()
    assert not FeeReceipt.objects.exists()
    halyna.post(page, rows(fee, owed))
    assert (FeeReceipt.objects.get().amount_minor, ClawbackRecovery.objects.get().amount_minor) == (5_750, OWED)


def test_who_may_divide_what(town: ClawbackTown, notice: FeeNotice) -> None:
    statement = town.receive((20_000, "?"))
    line = statement.lines.get()
    out = StatementLine.objects.create(
        statement=statement, position=9, booked_on=line.booked_on, amount_minor=-100, currency="UAH", status="unmatched"
    )
    page = url("statement_line_divide", line.pk)
    assert browser(town.cast["mariia"]).get(page).status_code == 403
    assert browser(town.cast["nadiia"]).get(page).status_code == 403
    halyna = browser(town.cast["halyna"])
    assert halyna.get(url("statement_line_divide", out.pk)).status_code == 404
    assert url("statement_line_divide", out.pk) not in text(halyna, url("statement_line", out.pk))
    said = rows(("fee", notice.number, "200,00"))
    assert browser(town.cast["mariia"]).post(page, said).status_code == 403 and not FeeReceipt.objects.exists()
    halyna.post(page, said)
    assert halyna.get(page).status_code == 404
    # A line is offered what it can be: money that went out pays no notice.
    forms = [halyna.get(url("statement_line", key)).context["fee_form"] for key in (out.pk,)]
    assert [kind for kind, _words in forms[0].fields["kind"].choices] == ["passed_on", "cards"]


def test_open_lines_show_their_age_and_the_last_day(town: ClawbackTown) -> None:
    line = town.receive((4_200, "без призначення")).lines.get()
    last = line.booked_on + timedelta(days=10)
    halyna = browser(town.cast["halyna"])
    for days, is_late in ((10, False), (11, True)):
        now = datetime.combine(line.booked_on + timedelta(days=days), DECIDED.timetz())
        town.office.clock_offset = now - timezone.now()
        town.office.save()
        page = text(halyna, url("open_bank_lines"), q="без призначення")
        assert f"{last:%d.%m.%Y}" in page and (">прострочено<" in page) is is_late
        found = halyna.get(url("open_bank_lines"), {"age": "overdue", "q": "без призначення"}).context["page"]
        assert [row.pk for row in found] == ([line.pk] if is_late else [])
    assert f"{url('open_bank_lines')}?age=overdue" in text(halyna, "/")
    chase_overdue_lines(organisation=town.office, actor=SYSTEM, at=now)
    notices = text(halyna, "/notices/")
    assert "Записи банку не пояснено до останнього дня" in notices and "/settlement/statement-lines/" in notices
    assert "Записи банку не пояснено до останнього дня" not in text(browser(town.cast["bohdan"]), "/notices/")


def test_the_act_of_the_month_names_the_open_lines(town: ClawbackTown) -> None:
    line = town.receive((4_200, "без призначення")).lines.get()
    at = DECIDED + timedelta(days=40)
    act = draw_bank_act(iban=town.office.iban, month=date(2026, 1, 1), **town.who("halyna", at))
    assert [line.pk, f"{line.statement.statement_id} / 1", line.booked_on.isoformat(), 4_200] in act.figures["lines"]
    assert sum(row[3] for row in act.figures["lines"]) == act.figures["waiting"]
    page = text(browser(town.cast["ivan"]), url("bank_act", act.pk))
    assert url("statement_line", line.pk) in page and "Записи банку, яких ще ніхто не пояснив" in page
    assert browser(town.cast["ivan"]).get(url("bank_act_pdf", act.pk)).content.startswith(b"%PDF")
