"""A statement that counts already is thrown out: afterwards everything is as if it had never come."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from config.accounts.models import Organisation, User
from config.errors import NotFound
from config.states import InvalidMove
from settlement.actions.bank_lines import NotInForce, ReasonMissing, count_once, explain_line, undo_match
from settlement.actions.ledger import IntoClosedMonth
from settlement.actions.reconciliation import (
    ImportedStatement,
    OwnStatement,
    import_statement,
    match_again,
    refuse_statement,
)
from settlement.actions.refused_statements import StatementInUse
from settlement.actions.undone_lines import undo_count_once
from settlement.age_queries import unmatched_ages
from settlement.bank_queries import bank_figures
from settlement.books import verify_books
from settlement.finance_queries import exceptions
from settlement.models import ClosedMonth, Entry, Match, Payment, Statement, StatementLine
from tests.settlement.actions.paid import released_run
from tests.settlement.actions.payables import adjudicated, balances, ready
from tests.settlement.actions.test_statement_rows import GIFT, Bank, told_twice
from tests.settlement.actions.told import SECOND, told
from tests.settlement.views.town import url
from tests.signed_in import browser
from tests.trail import trail_for

pytestmark = pytest.mark.django_db(transaction=True)
Cast = dict[str, User]
FIRST, SECOND_DAY = "2025-12-12", "2025-12-15"
LATER = date(2025, 12, 31)


@pytest.fixture
def bank(organisation: Organisation, cast: Cast, at: datetime) -> Bank:
    ready(at)
    organisation.other_ibans = [SECOND]
    organisation.save()
    return Bank(organisation, cast, at)


def bring(bank: Bank, content: bytes) -> Statement:
    [found] = import_statement(name="s.xml", content=content, **bank.maker)
    return found.statement


def refuse(bank: Bank, statement: Statement, **other: Any) -> Statement:
    said = {"statement_id": statement.pk, "reason": "Не той рахунок", **bank.checker} | other
    return refuse_statement(**said)


def close_november(bank: Bank, cast: Cast) -> None:
    month = date(2025, 11, 1)
    ClosedMonth.objects.create(organisation=bank.office, month=month, closed_at=bank.at, closed_by=cast["ivan"])


def state(bank: Bank) -> dict[str, Any]:
    """What the office sees of the second account's money."""
    figures = bank_figures(bank.office, SECOND, date(2025, 12, 1))
    return {
        "books": {key: sum_ for key, sum_ in balances(bank.office).items() if sum_},
        "waits": [(line.booked_on, line.open_minor) for line in exceptions(bank.office)],
        "ages": [(row.name, row.total) for row in unmatched_ages(bank.office, LATER)],
        "figures": figures,
    }


def test_a_statement_that_counts_leaves_no_trace_in_the_books(bank: Bank) -> None:
    bring(bank, told(FIRST, "100.00", "5.00"))
    before = state(bank)
    wrong = bring(bank, told(SECOND_DAY, "105.00", "7.00", "-3.00", sequence=2))
    assert wrong.status == "imported" and state(bank) != before
    refused = refuse(bank, wrong)
    assert match_again(**bank.checker) == 0
    assert (refused.status, refused.decided_by_id) == ("refused", bank.checker["actor"].user_id)
    assert state(bank) == before and verify_books() == []
    event = trail_for(refused)[0]
    assert (event.action, event.data["reason"]) == ("statement.refused", "Не той рахунок")
    # Its number is free for the right file, and nobody takes the old one out again.
    right = bring(bank, told(SECOND_DAY, "105.00", "7.00", sequence=2))
    assert right.statement_id == wrong.statement_id and right.status == "imported"
    with pytest.raises(InvalidMove):
        refuse(bank, wrong)
    with pytest.raises(NotInForce):
        explain_line(line_id=wrong.lines.earliest("pk").pk, explanation="Внесок", **bank.checker)
    assert verify_books() == []


def test_another_person_refuses_with_a_reason_what_nobody_uses(bank: Bank, other_organisation: Organisation) -> None:
    wrong = bring(bank, told(FIRST, "100.00", "5.00", "7.00"))
    with pytest.raises(OwnStatement):
        refuse(bank, wrong, **bank.maker)
    with pytest.raises(ReasonMissing):
        refuse(bank, wrong, reason=" ")
    with pytest.raises(NotFound):
        refuse(bank, wrong, organisation=other_organisation)
    explain_line(line_id=wrong.lines.get(position=2).pk, explanation="Внесок", **bank.checker)
    with pytest.raises(StatementInUse) as used:
        refuse(bank, wrong)
    assert used.value.params == {"count": 1, "lines": "2"}
    wrong.refresh_from_db()
    assert wrong.status == "imported" and wrong.decided_by is None


def test_what_a_statement_confirmed_is_undone_first_and_matched_by_the_right_file(bank: Bank, cast: Cast) -> None:
    payment, wrong = paid_by_table(bank, cast)
    assert wrong.statement.status == "reconciled" and Payment.objects.get().status == "confirmed"
    with pytest.raises(StatementInUse):
        refuse(bank, wrong.statement)
    undo_match(match_id=Match.objects.get().pk, reason="Не той файл", **bank.checker)
    refuse(bank, wrong.statement)
    assert Payment.objects.get().status == "sent"
    # The very same file may be brought again: what a person undid in the old one binds nobody in the new one.
    again = bank.bring(row_of(payment))
    assert again.matched == 1 and Payment.objects.get().status == "confirmed"
    faults = [fault.check for fault in verify_books()]
    assert "payments equal the bank" not in faults and "statement lines equal their matches" not in faults


def row_of(payment: Payment, more: str = "") -> str:
    return f"12.12.2025;-242,00;;Оплата{more};UA1;7;{payment.reference}"


def paid_by_table(bank: Bank, cast: Cast) -> tuple[Payment, ImportedStatement]:
    """A payment, and the table that tells of it."""
    adjudicated(bank.office, bank.at, (1, 24200))
    payment = released_run(bank.office, cast, bank.at).payments.get()
    bank.layout(bank_reference="Номер", end_to_end="Інше")
    return payment, bank.bring(row_of(payment))


def test_what_counted_once_because_of_it_is_matched_anew(bank: Bank, cast: Cast) -> None:
    """Two more tables tell of the movement of the first; the payment stays paid once."""
    payment, wrong = paid_by_table(bank, cast)
    second, third = bank.bring(row_of(payment, "2")).statement, bank.bring(row_of(payment, "3")).statement
    assert (second.status, third.status) == ("reconciled", "reconciled")
    undo_match(match_id=Match.objects.get().pk, reason="Не той файл", **bank.checker)
    refuse(bank, wrong.statement)
    assert match_again(**bank.checker) == 1
    lines = StatementLine.objects.filter(statement__in=(second, third)).order_by("statement")
    assert sorted(line.status for line in lines) == ["explained", "matched"]
    [told_once] = [line for line in lines if line.status == "explained"]
    [taken] = [line for line in lines if line.status == "matched"]
    assert told_once.explanation == taken.statement.statement_id
    assert Payment.objects.get().status == "confirmed" and Match.objects.filter(undoes=None).count() == 2
    assert trail_for(second)[0].action == trail_for(third)[0].action == "statement.refused"


def test_what_a_person_counted_once_because_of_it_waits_again(bank: Bank) -> None:
    line = told_twice(bank)
    first = StatementLine.objects.exclude(statement=line.statement).get()
    count_once(line_id=line.pk, **bank.checker)
    with pytest.raises(StatementInUse):
        refuse(bank, first.statement)
    other = bank.bring("14.12.2025;100,00;;Внесок;UA2;;").statement
    fourth = bank.bring("14.12.2025;100,00;;Внесок;UA2;;", "15.12.2025;1,00;;Інше;UA3;;").statement
    repeated = fourth.lines.get(position=1)
    count_once(line_id=repeated.pk, **bank.checker)
    explain_line(line_id=fourth.lines.get(position=2).pk, explanation="Інше", **bank.checker)
    fourth.refresh_from_db()
    assert fourth.status == "reconciled"
    refuse(bank, other)
    repeated.refresh_from_db()
    fourth.refresh_from_db()
    assert (repeated.status, repeated.explanation, repeated.told_by) == ("unmatched", "", None)
    assert fourth.status == "imported"
    line.refresh_from_db()
    assert line.status == "explained"  # by the first statement, which stands


def test_repetitions_in_it_keep_nobody(bank: Bank) -> None:
    """Its own lines that another statement told: it is reconciled at once and may be refused."""
    bank.layout(bank_reference="Номер")
    gift = "12.12.2025;100,00;;Внесок;UA2;1;"
    bank.bring(gift)
    copy = bank.bring(gift + "2").statement
    assert copy.status == "reconciled"
    refuse(bank, copy)
    with pytest.raises(NotInForce):
        undo_count_once(line_id=copy.lines.get().pk, reason="помилка", **bank.checker)
    assert [line.statement_id for line in exceptions(bank.office)] == [Statement.objects.order_by("pk")[0].pk]


# --- The opening balance ---------------------------------------------------------------------------------------------


def test_the_opening_rests_on_the_next_statement_and_moves_as_often_as_need_be(bank: Bank) -> None:
    late, early = told(SECOND_DAY, "105.00", "7.00", sequence=2), told(FIRST, "100.00", "5.00")
    bring(bank, late)
    opened = state(bank)["books"]
    for _time in range(3):
        first = bring(bank, early)
        assert state(bank)["books"] == {f"bank:{SECOND}": 10_000, "funding:opening": -10_000}
        refuse(bank, first)
        assert state(bank)["books"] == opened == {f"bank:{SECOND}": 10_500, "funding:opening": -10_500}
        assert verify_books() == []
    refuse(bank, Statement.objects.exclude(status="refused").get())
    assert state(bank)["books"] == {} and verify_books() == []


def test_a_statement_that_gave_no_opening_leaves_the_ledger_alone(bank: Bank) -> None:
    bring(bank, told(FIRST, "100.00", "5.00"))
    wrong = bring(bank, told(SECOND_DAY, "105.00", "7.00", sequence=2))
    entries = list(Entry.objects.values_list("pk", flat=True))
    refuse(bank, wrong)
    assert list(Entry.objects.values_list("pk", flat=True)) == entries


def test_movements_told_before_the_first_balance_count_in_it_again(bank: Bank) -> None:
    """A table told of money that came before the first statement: the balance held it, the books left it out."""
    bank.layout()
    office_day = told(SECOND_DAY, "200.00", "7.00", iban=bank.office.iban)
    table = bank.bring(GIFT).statement
    bring(bank, office_day)
    name = f"bank:{bank.office.iban}"
    assert balances(bank.office)[name] == 10_000
    refuse(bank, table)
    assert balances(bank.office)[name] == 20_000 and verify_books() == []
    # Brought again it counts by itself again.
    again = bank.bring(GIFT).statement
    assert balances(bank.office)[name] == 10_000
    explain_line(line_id=again.lines.get().pk, explanation="Внесок", **bank.checker)
    assert balances(bank.office)[name] == 20_000 and verify_books() == []


def test_what_is_recognised_anew_leaves_the_opening_whole(bank: Bank) -> None:
    """Three tables tell one movement of a day before the first balance; the one that counted is thrown out."""
    bank.layout(bank_reference="Номер")
    gift, name = "12.12.2025;100,00;;Внесок;UA2;1;", f"bank:{bank.office.iban}"
    first = bank.bring(gift).statement
    for more in "23":
        bank.bring(gift + more)
    bring(bank, told(SECOND_DAY, "300.00", "7.00", iban=bank.office.iban))
    assert balances(bank.office)[name] == 20_000
    refuse(bank, first)
    match_again(**bank.checker)
    assert balances(bank.office)[name] == 20_000
    left = StatementLine.objects.get(booked_on=date(2025, 12, 12), status="unmatched", statement__status="imported")
    explain_line(line_id=left.pk, explanation="Внесок", **bank.checker)
    assert balances(bank.office)[name] == 30_000 and verify_books() == []


def test_what_a_person_counts_once_moves_the_opening_there_and_back(bank: Bank) -> None:
    bank.layout()
    name = f"bank:{bank.office.iban}"
    bank.bring(GIFT)
    line = bank.bring(GIFT, "13.12.2025;5,00;;Інше;UA3;;").statement.lines.get(position=1)
    bring(bank, told(SECOND_DAY, "300.00", "7.00", iban=bank.office.iban))
    assert balances(bank.office)[name] == 30_000 - 20_500
    count_once(line_id=line.pk, **bank.checker)
    assert balances(bank.office)[name] == 30_000 - 10_500
    undo_count_once(line_id=line.pk, reason="Два внески", **bank.checker)
    assert balances(bank.office)[name] == 30_000 - 20_500


def test_a_difference_of_a_closed_month_hinders_no_refusal(bank: Bank, cast: Cast) -> None:
    """A table that came too late for the opening of a closed month changes nothing in it, and neither does leaving."""
    bank.layout()
    bring(bank, told("2025-11-28", "100.00", "5.00", iban=bank.office.iban))
    close_november(bank, cast)
    entries = list(Entry.objects.values_list("pk", flat=True))
    late = bank.bring("20.11.2025;50,00;;Внесок;UA2;;").statement
    wrong = bring(bank, told(SECOND_DAY, "105.00", "7.00", sequence=2, iban=bank.office.iban))
    for statement in (wrong, late):
        refuse(bank, statement)
    assert list(Entry.objects.values_list("pk", flat=True)) == entries and verify_books() == []


@pytest.mark.parametrize("opening", ["100.00", "0.00", "50.00"])
def test_tables_that_came_too_late_come_and_go(bank: Bank, cast: Cast, opening: str) -> None:
    """Their movements cannot be booked, so the balance holds them; a balance of nought is one like any other."""
    bank.layout()
    bring(bank, told("2025-11-28", opening, "5.00", iban=bank.office.iban))
    close_november(bank, cast)
    entries = list(Entry.objects.values_list("pk", flat=True))
    first = bank.bring("20.11.2025;50,00;;Внесок;UA2;;").statement
    second = bank.bring("21.11.2025;30,00;;Внесок;UA2;;").statement
    repeated = bank.bring("20.11.2025;50,00;;Внесок;UA2;;2").statement
    count_once(line_id=repeated.lines.get().pk, **bank.checker)
    for statement in (second, repeated, first):
        refuse(bank, statement)
    assert list(Entry.objects.values_list("pk", flat=True)) == entries and verify_books() == []


def test_a_movement_told_in_time_leaves_a_closed_opening_no_more(bank: Bank, cast: Cast) -> None:
    bank.layout()
    in_time = bank.bring("20.11.2025;50,00;;Внесок;UA2;;").statement
    bring(bank, told("2025-11-28", "100.00", "5.00", iban=bank.office.iban))
    assert balances(bank.office)[f"bank:{bank.office.iban}"] == 5_000
    bank.at += timedelta(minutes=1)
    close_november(bank, cast)
    bank.maker["at"] = bank.checker["at"] = bank.at
    late = bank.bring("21.11.2025;30,00;;Внесок;UA2;;").statement
    refuse(bank, late)
    with pytest.raises(IntoClosedMonth):
        refuse(bank, in_time)


def test_a_movement_of_an_open_month_does_not_pass_by_a_closed_opening(bank: Bank, cast: Cast) -> None:
    """The balance holds the movement and would have to be lowered in the closed month: it is not booked twice."""
    bank.layout()
    bring(bank, told("2025-11-28", "100.00", "5.00", iban=bank.office.iban))
    close_november(bank, cast)
    with pytest.raises(IntoClosedMonth):
        bank.bring("20.10.2025;50,00;;Внесок;UA2;;")
    assert Statement.objects.count() == 1 and verify_books() == []


def test_the_opening_of_a_closed_month_stays_and_so_does_its_statement(bank: Bank, cast: Cast) -> None:
    wrong = bring(bank, told("2025-11-28", "100.00", "5.00"))
    close_november(bank, cast)
    with pytest.raises(IntoClosedMonth):
        refuse(bank, wrong)
    wrong.refresh_from_db()
    assert wrong.status == "imported" and verify_books() == []


# --- The database ----------------------------------------------------------------------------------------------------


def throw_out(statement: Statement, by: User | None) -> None:
    with transaction.atomic():
        Statement.objects.filter(pk=statement.pk).update(status="refused", decided_by=by)


def test_the_database_lets_nobody_throw_out_what_counts_alone_or_in_use(bank: Bank, cast: Cast) -> None:
    line = told_twice(bank)
    first = StatementLine.objects.exclude(statement=line.statement).get().statement
    for by in (None, cast["halyna"]):
        with pytest.raises(IntegrityError, match="another person"):
            throw_out(line.statement, by)
    with pytest.raises(IntegrityError, match="money is booked"):
        throw_out(first, cast["ivan"])
    gift = bank.bring("14.12.2025;100,00;;Внесок;UA2;;").statement
    repeated = bank.bring("14.12.2025;100,00;;Внесок;UA2;;" + "2").statement
    count_once(line_id=repeated.lines.get().pk, **bank.checker)
    with pytest.raises(IntegrityError, match="counts once because of it"):
        throw_out(gift, cast["ivan"])
    throw_out(repeated, cast["ivan"])
    throw_out(gift, cast["ivan"])  # what named it counts for nothing itself


def test_the_database_moves_no_line_of_a_statement_that_does_not_count(bank: Bank) -> None:
    wrong = bring(bank, told(FIRST, "100.00", "5.00"))
    other = bring(bank, told(SECOND_DAY, "105.00", "7.00", sequence=2))
    refuse(bank, wrong)
    rows = StatementLine.objects
    with pytest.raises(IntegrityError, match="does not count"), transaction.atomic():
        rows.filter(statement=wrong).update(status="matched")
    for named in (wrong.statement_id, other.statement_id, "", "S-невідома"):
        with pytest.raises(IntegrityError, match="counts once by a statement"), transaction.atomic():
            rows.filter(statement=other).update(status="explained", explanation=named)
    assert rows.filter(statement=other).update(status="matched") == 1


def test_a_line_that_left_its_statement_while_a_person_waited_is_not_explained(bank: Bank) -> None:
    """The person's page is older than the refusal: the lock on the line is not enough, its statement is asked again."""
    wrong = bring(bank, told(FIRST, "100.00", "5.00"))
    line = wrong.lines.get()
    refuse(bank, wrong)
    with pytest.raises(NotInForce):
        explain_line(line_id=line.pk, explanation="Внесок", **bank.checker)
    line.refresh_from_db()
    assert line.status == "unmatched" and verify_books() == []


# --- The page --------------------------------------------------------------------------------------------------------


def test_the_page_says_what_refusing_does_and_offers_it_where_it_can_be_done(bank: Bank, cast: Cast) -> None:
    wrong = bring(bank, told(FIRST, "100.00", "5.00"))
    page, road = url("statement", wrong.pk), url("statement_refuse", wrong.pk)
    shown = browser(cast["ivan"], "en").get(page).content.decode()
    assert road in shown and "counts for nothing" in shown
    own = browser(cast["halyna"], "en").get(page).content.decode()
    assert road not in own and "Another person can refuse it" in own
    explain_line(line_id=wrong.lines.get().pk, explanation="Внесок", **bank.checker)
    used = browser(cast["ivan"], "en").get(page).content.decode()
    assert road not in used and "Money is booked by 1 line." in used
    # Whoever only looks reads nothing of it.
    looked = browser(cast["mariia"], "en").get(page)
    assert looked.status_code == 200 and "Imported by mistake" not in looked.content.decode()


def test_the_page_refuses(bank: Bank, cast: Cast) -> None:
    wrong = bring(bank, told(FIRST, "100.00", "5.00"))
    road = url("statement_refuse", wrong.pk)
    assert browser(cast["bohdan"]).post(road, {"reason": "x"}).status_code == 403
    said = browser(cast["halyna"], "en").post(road, {"reason": "x"}, follow=True).content.decode()
    assert "Another person must look at it" in said
    done = browser(cast["ivan"], "en").post(road, {"reason": "Не той файл"}, follow=True).content.decode()
    assert "The statement is refused." in done and road not in done
    wrong.refresh_from_db()
    assert wrong.status == "refused"


def test_a_large_statement_is_refused_in_as_few_queries_as_a_small_one(bank: Bank) -> None:
    few = bring(bank, told(FIRST, "100.00", *["1.00"] * 2))
    many = bring(bank, told(SECOND_DAY, "102.00", *["1.00"] * 60, sequence=2))
    taken = []
    for statement in (few, many):
        with CaptureQueriesContext(connection) as asked:
            refuse(bank, statement)
        taken.append(len(asked))
    assert taken[1] <= taken[0]
