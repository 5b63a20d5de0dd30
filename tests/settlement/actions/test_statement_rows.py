"""What the lines of a statement may be: of our currency, of days that have come, and each told once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from config.accounts.models import Organisation, User
from config.errors import NotFound
from settlement.actions.bank_lines import (
    LineNotOpen,
    NotToldBefore,
    NotToUndo,
    ReasonMissing,
    count_once,
    explain_line,
    match_line,
    undo_explanation,
)
from settlement.actions.fee_lines import explain_as_cards
from settlement.actions.ledger import IntoClosedMonth
from settlement.actions.payment_postings import OtherCurrency
from settlement.actions.reconciliation import (
    ImportedStatement,
    NotToAccept,
    StatementUnreadable,
    accept_statement,
    import_statement,
    match_again,
    refuse_statement,
)
from settlement.actions.statement_layouts import ColumnTwice, save_layout
from settlement.actions.undone_lines import undo_count_once
from settlement.age_queries import unmatched_ages
from settlement.books import verify_books
from settlement.models import ClosedMonth, Entry, Match, Payment, Statement, StatementLine
from settlement.repeat_queries import perhaps_told_before
from tests.settlement.actions.paid import released_run
from tests.settlement.actions.payables import adjudicated, ready
from tests.settlement.views.town import url
from tests.signed_in import browser
from tests.trail import trail_for

pytestmark = pytest.mark.django_db(transaction=True)
Cast = dict[str, User]
HEADINGS = ["Дата", "Сума", "Валюта", "Призначення", "Рахунок", "Номер", "Інше"]
COLUMNS = {"date": "Дата", "amount": "Сума", "currency": "Валюта", "text": "Призначення", "account": "Рахунок"}


@pytest.fixture
def bank(organisation: Organisation, cast: Cast, at: datetime) -> Any:
    ready(at)
    return Bank(organisation, cast, at)


class Bank:
    """Tables of the account as Halyna brings them; Ivan decides."""

    def __init__(self, office: Organisation, cast: Cast, at: datetime) -> None:
        self.office, self.at = office, at
        self.maker = {"organisation": office, "actor": cast["halyna"].as_actor(), "at": at}
        self.checker = {"organisation": office, "actor": cast["ivan"].as_actor(), "at": at}

    def layout(self, **other: str) -> None:
        columns = COLUMNS | other
        save_layout(name="Банк", iban=self.office.iban, headings=HEADINGS, columns=columns, **self.maker)

    def bring(self, *rows: str, content: bytes = b"") -> ImportedStatement:
        text = "\n".join([";".join(HEADINGS), *rows]) + "\n"
        [found] = import_statement(
            name="t.csv", content=content or text.encode(), account=self.office.iban, **self.maker
        )
        return found


def camt(office: Organisation, currency: str, line: str) -> bytes:
    return f"""<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt><Id>S1</Id>
<Acct><Id><IBAN>{office.iban}</IBAN></Id><Ccy>{currency}</Ccy></Acct>
<Ntry><Amt Ccy="{line}">100.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>
<BookgDt><Dt>2025-12-01</Dt></BookgDt></Ntry></Stmt></BkToCstmrStmt></Document>""".encode()


def mt940(office: Organisation, currency: str) -> bytes:
    return (
        f":20:S\n:25:{office.iban}\n:28C:1\n:60F:C251130{currency}0,00\n:61:2512011201C100,00NTRFX//B1\n"
        f":62F:C251201{currency}100,00\n"
    ).encode()


# --- Currency --------------------------------------------------------------------------------------------------------


def aside(bank: Bank, found: ImportedStatement) -> list[str]:
    """What set a statement aside that nobody can take in, match or explain."""
    line = StatementLine.objects.get(statement=found.statement)
    assert found.statement.status == "quarantined" and found.open_lines == 1
    with pytest.raises(NotToAccept):
        accept_statement(statement_id=found.statement.pk, reason="Так і є", **bank.checker)
    # Were it in force all the same, nothing could be booked of it.
    Statement.objects.filter(pk=found.statement.pk).update(status="imported")
    if line.currency != bank.office.currency:
        with pytest.raises(OtherCurrency):
            explain_line(line_id=line.pk, explanation="Внесок", **bank.checker)
        with pytest.raises(OtherCurrency):
            explain_as_cards(line_id=line.pk, **bank.checker)
        match_again(**bank.checker)
    assert not Entry.objects.exclude(event="opening.bank").exists()
    return [item["code"] for item in found.statement.problems if item["severity"] == "block"]


def test_a_table_with_a_line_of_another_currency_is_set_aside(bank: Bank) -> None:
    bank.layout()
    found = bank.bring("01.12.2025;100,00;EUR;Внесок;;1;")
    assert found.statement.problems[-1]["params"] == {
        "entry": "1", "amount": "100.00", "found": "EUR", "expected": "UAH",
    }  # fmt: skip
    assert aside(bank, found) == ["LINE_CURRENCY"]


def test_our_currency_is_taken_however_it_is_written(bank: Bank) -> None:
    bank.layout()
    found = bank.bring("01.12.2025;100,00;980;Внесок;;1;", "01.12.2025;50,00;;Внесок;;2;")
    assert found.statement.status == "imported"
    assert set(found.statement.lines.values_list("currency", flat=True)) == {"UAH"}
    for line in found.statement.lines.all():
        explain_line(line_id=line.pk, explanation="Внесок", **bank.checker)
    assert Entry.objects.filter(event="receipt.explained").count() == 2


def test_a_text_that_is_no_currency_is_not_taken_for_ours(bank: Bank) -> None:
    bank.layout()
    found = bank.bring("01.12.2025;100,00;UAHX;Внесок;;1;")
    assert found.statement.lines.get().currency == "N/A"
    assert aside(bank, found) == ["LINE_CURRENCY"]


@pytest.mark.parametrize(("of", "line", "code"), [("UAH", "EUR", "LINE_CURRENCY"), ("EUR", "EUR", "ACCOUNT_CURRENCY")])
def test_camt_of_another_currency_is_set_aside(bank: Bank, of: str, line: str, code: str) -> None:
    assert aside(bank, bank.bring(content=camt(bank.office, of, line))) == [code]


def test_camt_of_our_currency_is_taken(bank: Bank) -> None:
    assert bank.bring(content=camt(bank.office, "UAH", "UAH")).statement.status == "imported"


def test_mt940_of_another_currency_is_set_aside(bank: Bank) -> None:
    assert bank.bring(content=mt940(bank.office, "UAH")).statement.status == "imported"
    assert aside(bank, bank.bring(content=mt940(bank.office, "EUR").replace(b":28C:1", b":28C:2"))) == [
        "ACCOUNT_CURRENCY"
    ]


def test_a_payment_is_not_matched_with_money_of_another_currency(bank: Bank, cast: Cast) -> None:
    adjudicated(bank.office, bank.at, (1, 24200))
    payment = released_run(bank.office, cast, bank.at).payments.get()
    bank.layout()
    found = bank.bring(f"12.12.2025;-242,00;EUR;{payment.reference};;1;")
    Statement.objects.filter(pk=found.statement.pk).update(status="imported")
    line = found.statement.lines.get()
    assert match_again(**bank.checker) == 0
    with pytest.raises(OtherCurrency):
        match_line(line_id=line.pk, payment_ids=[payment.pk], reason="Та сама", **bank.checker)
    assert not Match.objects.exists() and Payment.objects.get().status == "prepared"


# --- Read again ------------------------------------------------------------------------------------------------------


def test_a_refused_file_is_read_again_with_other_columns(bank: Bank) -> None:
    rows = ["01.12.2025;100,00;UAH;Внесок;;25,00;EUR"]
    bank.layout(currency="Інше")
    first = bank.bring(*rows)
    assert first.statement.status == "quarantined"
    bank.layout(amount="Номер")
    # Until it is refused the file is known.
    assert bank.bring(*rows).repeated
    refuse_statement(statement_id=first.statement.pk, reason="Не ті стовпці", **bank.checker)
    again = bank.bring(*rows)
    assert not again.repeated and again.statement.status == "imported"
    assert again.statement.lines.get().amount_minor == 2500
    bank.layout()
    assert bank.bring(*rows).repeated and Statement.objects.count() == 2


def test_a_row_that_cannot_be_read_is_not_lost_by_accepting(bank: Bank) -> None:
    bank.layout()
    found = bank.bring("01.12.2025;100,00;UAH;Внесок;;1;", "02.12.2025;сто;UAH;Внесок;;2;")
    assert [item["code"] for item in found.statement.problems] == ["ROW_SUM_UNREADABLE", "BALANCE_MISSING"]
    with pytest.raises(NotToAccept):
        accept_statement(statement_id=found.statement.pk, reason="Так і є", **bank.checker)
    refuse_statement(statement_id=found.statement.pk, reason="Виправити файл", **bank.checker)
    assert bank.bring("01.12.2025;100,00;UAH;Внесок;;1;", "02.12.2025;100;UAH;Внесок;;2;").open_lines == 2


def test_a_table_without_records_is_refused(bank: Bank) -> None:
    bank.layout()
    with pytest.raises(StatementUnreadable) as refused:
        bank.bring()
    assert refused.value.params["reason_code"] == "NO_ROWS"
    with pytest.raises(StatementUnreadable) as refused:
        bank.bring("вчора;сто;;;;;")
    assert refused.value.params["reason_code"] == "NO_READABLE_ROW"
    assert not Statement.objects.exists()


def test_one_column_means_one_thing(bank: Bank) -> None:
    with pytest.raises(ColumnTwice):
        bank.layout(text="Сума")
    bank.layout()


# --- Days and repeats ------------------------------------------------------------------------------------------------


def test_a_day_far_ahead_sets_the_statement_aside(bank: Bank) -> None:
    """Business time is 3 December 2025; 31 days ahead may be dated."""
    bank.layout()
    assert bank.bring("03.01.2026;100,00;;Внесок;;;").statement.status == "imported"
    found = bank.bring("13.12.2025;50,00;;Внесок;;;", "17.12.2030;100,00;;Внесок;;;")
    assert found.statement.status == "quarantined" and not Entry.objects.exists()
    assert found.statement.problems[-1] == {
        "code": "DAY_TO_COME", "severity": "block", "params": {"entry": "2", "day": "17.12.2030", "last": "03.01.2026"},
    }  # fmt: skip


def test_a_line_of_an_earlier_statement_waits_for_a_person_and_counts_once(bank: Bank, cast: Cast) -> None:
    adjudicated(bank.office, bank.at, (1, 24200))
    payment = released_run(bank.office, cast, bank.at).payments.get()
    bank.layout(end_to_end="Інше")
    paid = f"12.12.2025;-242,00;;Оплата;UA1;;{payment.reference}"
    gift = "12.12.2025;100,00;;Внесок;UA2;;"
    first = bank.bring(paid, gift)
    assert first.matched == 1 and perhaps_told_before(first.statement) == {}
    second = bank.bring(paid.replace("Оплата", "Платіж"), gift, gift, "13.12.2025;100,00;;Внесок;UA2;;")
    told = perhaps_told_before(second.statement)
    lines = list(second.statement.lines.order_by("position"))
    assert {key: (row.statement_id, row.position) for key, row in told.items()} == {
        lines[0].pk: (first.statement.pk, 1), lines[1].pk: (first.statement.pk, 2),
    }  # fmt: skip
    assert second.matched == 0 and second.open_lines == 4 and match_again(**bank.checker) == 0

    page = browser(cast["ivan"])
    assert first.statement.statement_id in page.get(url("statement", second.statement.pk)).content.decode()
    asked = page.get(url("statement_line", lines[0].pk))
    assert asked.context["told"].pk == told[lines[0].pk].pk
    page.post(url("statement_line", lines[0].pk), {"step": "told"})
    count_once(line_id=lines[1].pk, **bank.checker)
    with pytest.raises(LineNotOpen):
        count_once(line_id=lines[1].pk, **bank.checker)
    # The same gift told twice within one statement came twice; another day is another movement.
    for line in lines[2:]:
        with pytest.raises(NotToldBefore):
            count_once(line_id=line.pk, **bank.checker)
        explain_line(line_id=line.pk, explanation="Внесок", **bank.checker)
    second.statement.refresh_from_db()
    assert second.statement.status == "reconciled"
    assert Entry.objects.filter(event="receipt.explained").count() == 2
    checks = {"statement lines equal their matches", "bank balances equal the ledger", "every entry balances"}
    assert not [fault for fault in verify_books() if fault.check in checks]


def test_lines_with_numbers_of_the_bank_are_told_apart_by_them(bank: Bank) -> None:
    bank.layout(bank_reference="Номер")
    bank.bring("02.12.2025;100,00;;Внесок;UA2;1;")
    second = bank.bring("02.12.2025;100,00;;Внесок;UA2;2;").statement
    assert perhaps_told_before(second) == {}


def test_a_line_stands_for_one_repetition_however_often_it_is_looked_at(bank: Bank) -> None:
    """Two equal transfers of a batch bear one number of the bank; the first table told of one of them."""
    bank.layout(bank_reference="Номер")
    row = "02.12.2025;100,00;;Внесок;UA2;1;"
    first = bank.bring(row).statement
    second = bank.bring(row, row + "2")
    assert second.open_lines == 1
    lines = StatementLine.objects.filter(statement__in=(first, second.statement)).order_by("statement", "position")
    for _time in range(2):
        match_again(**bank.checker)
        assert list(lines.values_list("status", flat=True)) == ["unmatched", "explained", "unmatched"]
    # A third table of both adds nothing: two movements, however often they are told.
    bank.bring(row + "3", row + "4")
    for _time in range(3):
        match_again(**bank.checker)
        assert StatementLine.objects.filter(status="unmatched").count() == 2


# --- Counted once by mistake -----------------------------------------------------------------------------------------

GIFT = "12.12.2025;100,00;;Внесок;UA2;;"


def told_twice(bank: Bank) -> StatementLine:
    """A gift that the first statement told and somebody explained, told by a second one of the same days."""
    bank.layout()
    first = bank.bring(GIFT).statement.lines.get()
    explain_line(line_id=first.pk, explanation="Внесок", **bank.checker)
    return bank.bring(GIFT, "13.12.2025;5,00;;Інше;UA3;;").statement.lines.get(position=1)


def booked(bank: Bank) -> int:
    """Entries of explained receipts; the books hold."""
    assert verify_books() == []
    return Entry.objects.filter(organisation=bank.office, event="receipt.explained").count()


def test_what_a_person_counted_once_is_a_movement_of_its_own_again(bank: Bank) -> None:
    line = told_twice(bank)
    with pytest.raises(LineNotOpen):
        undo_count_once(line_id=line.pk, reason="рано", **bank.checker)
    assert booked(bank) == 1
    explain_line(line_id=line.statement.lines.get(position=2).pk, explanation="Інше", **bank.checker)
    counted = count_once(line_id=line.pk, **bank.checker)
    first = StatementLine.objects.exclude(statement=line.statement).get().statement
    assert (counted.explanation, counted.told_by_id) == (first.statement_id, bank.checker["actor"].user_id)
    assert Statement.objects.get(pk=line.statement_id).status == "reconciled" and booked(bank) == 2
    assert unmatched_ages(bank.office, line.booked_on) == []
    with pytest.raises(ReasonMissing):
        undo_count_once(line_id=line.pk, reason=" ", **bank.maker)
    # Nothing was posted, so there is no explanation to take back.
    with pytest.raises(NotToUndo):
        undo_explanation(line_id=line.pk, reason="помилка", **bank.maker)
    undo_count_once(line_id=line.pk, reason="Два внески одного дня", **bank.maker)
    line.refresh_from_db()
    assert (line.status, line.explanation, line.told_by, line.statement.status) == ("unmatched", "", None, "imported")
    assert [row.total for row in unmatched_ages(bank.office, line.booked_on)] == [10_000] and booked(bank) == 2
    event = trail_for(line)[0]
    assert (event.action, event.data["reason"]) == ("statement_line.told_apart", "Два внески одного дня")
    with pytest.raises(LineNotOpen):
        undo_count_once(line_id=line.pk, reason="ще раз", **bank.maker)
    # No machine takes it; a person explains it, or says once more that it is the same.
    assert match_again(**bank.maker) == 0
    count_once(line_id=line.pk, **bank.maker)
    undo_count_once(line_id=line.pk, reason="таки два", **bank.checker)
    explain_line(line_id=line.pk, explanation="Другий внесок", **bank.maker)
    assert booked(bank) == 3 and Statement.objects.get(pk=line.statement_id).status == "reconciled"


def test_a_payment_counted_once_by_mistake_is_matched(bank: Bank, cast: Cast) -> None:
    """Two payments of a sum to one account: the second statement tells the other one."""
    adjudicated(bank.office, bank.at, (1, 24200))
    payment = released_run(bank.office, cast, bank.at).payments.get()
    bank.layout()
    paid = "12.12.2025;-242,00;;Оплата;UA1;;"
    charge = bank.bring(paid).statement.lines.get()
    explain_line(line_id=charge.pk, explanation="Комісія", **bank.checker)
    line = bank.bring(paid + "2").statement.lines.get()
    count_once(line_id=line.pk, **bank.checker)
    with pytest.raises(LineNotOpen):
        match_line(line_id=line.pk, payment_ids=[payment.pk], reason="Це вона", **bank.checker)
    undo_count_once(line_id=line.pk, reason="Це виплата", **bank.checker)
    match_line(line_id=line.pk, payment_ids=[payment.pk], reason="Це вона", **bank.checker)
    payment.refresh_from_db()
    assert payment.status == "confirmed" and Match.objects.get().statement_line == line


def test_a_line_of_a_closed_month_stays_counted_once(bank: Bank, cast: Cast) -> None:
    line = told_twice(bank)
    count_once(line_id=line.pk, **bank.checker)
    ClosedMonth.objects.create(
        organisation=bank.office, month=line.booked_on.replace(day=1), closed_at=bank.at, closed_by=cast["ivan"]
    )
    with pytest.raises(IntoClosedMonth):
        undo_count_once(line_id=line.pk, reason="помилка", **bank.maker)
    line.refresh_from_db()
    assert (line.status, line.told_by) == ("explained", cast["ivan"])


def test_what_the_import_recognised_no_person_undoes(bank: Bank, other_organisation: Organisation) -> None:
    """The bank's own number says that it is one movement; what a person said beside it can be undone."""
    bank.layout(bank_reference="Номер")
    bank.bring("12.12.2025;100,00;;Внесок;UA2;1;", GIFT)
    lines = bank.bring("12.12.2025;100,00;;Внесок;UA2;1;", GIFT + "2").statement.lines.order_by("position")
    assert [(line.status, line.told_by) for line in lines] == [("explained", None), ("unmatched", None)]
    known, told = lines
    count_once(line_id=told.pk, **bank.checker)
    with pytest.raises(NotToUndo):
        undo_count_once(line_id=known.pk, reason="помилка", **bank.checker)
    with pytest.raises(NotFound):
        undo_count_once(line_id=told.pk, reason="чуже", **bank.checker | {"organisation": other_organisation})
    assert undo_count_once(line_id=told.pk, reason="помилка", **bank.checker).status == "unmatched"


def test_only_a_repetition_was_told_by_somebody(bank: Bank, cast: Cast) -> None:
    line = told_twice(bank)
    other = line.statement.lines.get(position=2)
    explain_line(line_id=other.pk, explanation="Інше", **bank.checker)
    count_once(line_id=line.pk, **bank.checker)
    first = StatementLine.objects.exclude(statement=line.statement).get()
    for row in (other, first):
        with pytest.raises(IntegrityError, match="statement_line_told_by"), transaction.atomic():
            StatementLine.objects.filter(pk=row.pk).update(told_by=cast["ivan"])
    with pytest.raises(IntegrityError, match="statement_line_told_by"), transaction.atomic():
        StatementLine.objects.filter(pk=line.pk).update(status="unmatched")
    assert StatementLine.objects.filter(pk=line.pk).update(told_by=cast["halyna"]) == 1


def test_the_page_opens_what_was_counted_once(bank: Bank, cast: Cast) -> None:
    line = told_twice(bank)
    count_once(line_id=line.pk, **bank.checker)
    page, road = browser(cast["halyna"], "en"), url("statement_line_open", line.pk)
    shown = page.get(url("statement_line", line.pk)).content.decode()
    assert road in shown and f"Reported before in {StatementLine.objects.get(pk=line.pk).explanation}, " in shown
    assert str(cast["ivan"]) in page.get(url("statement", line.statement_id)).content.decode()
    asked = page.get(road)
    assert str(asked.context["title"]) == "Undo that it counts once"
    assert page.post(road, {"reason": ""}).context["form"].errors.keys() == {"reason"}
    done = page.post(road, {"reason": "Два внески"}, follow=True)
    assert "waits again" in done.content.decode() and road not in done.content.decode()
    assert page.post(road, {"reason": "ще раз"}).context["refusal"].code == "LINE_NOT_OPEN"
    # Others look only.
    count_once(line_id=line.pk, **bank.checker)
    assert browser(cast["bohdan"]).post(road, {"reason": "x"}).status_code == 403
