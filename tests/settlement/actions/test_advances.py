"""Advances: from the proposal to the last kopiyka that was used or came back, with what is refused on the way."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from config.accounts.models import Organisation
from config.audit.actors import SYSTEM
from config.errors import FourEyes, NotFound
from config.money import from_minor
from config.office.models import OutboxMessage
from config.periods import add_working_days
from config.states import InvalidMove
from contracts.actions.budgets import BudgetExceeded, add_budget_line, amend_budget_line
from contracts.models import BudgetEntry
from contracts.queries import working_calendar
from settlement import advance_papers
from settlement.actions import advances
from settlement.actions.advance_money import match_advances
from settlement.actions.advances import (
    AboveThePlan,
    AdvanceDayWrong,
    AdvanceInUse,
    AdvanceTooLarge,
    Plan,
    ReturnDayPast,
)
from settlement.actions.bank_lines import match_line, undo_match
from settlement.actions.claims import reverse_claim
from settlement.actions.holds import place_hold
from settlement.actions.line_parts import AdvanceUnknown, MoreThanLeft, repay_advance_with_line
from settlement.actions.payments import fail_payment
from settlement.actions.runs import NothingToPay, propose_advance_run
from settlement.actions.settlement_forms import draw_form
from settlement.actions.undone_lines import undo_advance_return
from settlement.actions.year_close import AdvancesUnpaid, approve_year_closing, propose_year_closing
from settlement.advance_queries import with_sums
from settlement.age_queries import advance_ages
from settlement.books import verify_books
from settlement.models import (
    AdjudicationRun,
    Advance,
    AdvanceReturn,
    AdvanceUse,
    Claim,
    ClosedMonth,
    Entry,
    Match,
    Remittance,
)
from settlement.replay import replay_run
from tests.settlement.actions.advance_town import GRANTED, AdvanceTown, advance_town
from tests.settlement.actions.clawback_town import DECEMBER, LATER
from tests.settlement.actions.month import KYIV, judge
from tests.settlement.actions.payables import balances

pytestmark = pytest.mark.django_db(transaction=True)
OTHERS_REFERENCE = "RF18539007547034"


@pytest.fixture
def town(tmp_path: Path) -> AdvanceTown:
    with translation.override("en"):
        return advance_town(tmp_path)


def remittances(run: AdjudicationRun) -> dict[str, tuple[int, int]]:
    rows = Remittance.objects.filter(run=run).values_list("claim__number", "offsets", "payable")
    return {number: (offset, payable) for number, offset, payable in rows}


def test_an_advance_is_paid_and_used_up_by_claims(town: AdvanceTown) -> None:
    row = town.approved()
    account = f"advance:P1:{town.contract.number}"
    assert (row.number, row.status, row.rule["value"]) == ("ADV-2025-0001", "approved", "30")
    before = balances(town.office)
    assert (before[account], before["payable:P1"]) == (20000, -20000)
    assert verify_books() == []
    row = town.paid(5000)
    assert (row.status, balances(town.office)["payable:P1"]) == ("paid", 0)
    assert verify_books() == []
    run = town.december()
    assert remittances(run) == {"A-2": (14250, 0), "A-3": (10750, 3500)}
    assert balances(town.office)[account] == 0
    assert list(AdvanceUse.objects.order_by("id").values_list("amount_minor", flat=True)) == [14250, 5750, 5000]
    assert Claim.objects.get(number="A-2").status == "paid"
    assert replay_run(run).equal
    assert verify_books() == []


def test_what_is_refused_and_what_is_granted_from_the_same_town(town: AdvanceTown) -> None:
    # 30 percent of 1 000.00, none of it advanced yet.
    with pytest.raises(AdvanceTooLarge):
        town.proposed(30001)
    with pytest.raises(AboveThePlan):
        town.proposed(20000, plan=Plan(Decimal(2), Decimal("95.0000")))
    for day in (date(2025, 12, 15), date(2026, 1, 1)):
        with pytest.raises(AdvanceDayWrong):
            town.proposed(until=day)
    first, second = town.proposed(19000, plan=Plan(Decimal(2), Decimal("95.0000"))), town.proposed(20000)
    ivan = town.who("ivan", GRANTED)
    with pytest.raises(FourEyes):
        advances.approve_advance(advance_id=first.pk, **town.who("halyna", GRANTED))
    advances.approve_advance(advance_id=first.pk, **ivan)
    with pytest.raises(InvalidMove):
        advances.approve_advance(advance_id=first.pk, **ivan)
    # Each alone was within the share; together they are not.
    with pytest.raises(AdvanceTooLarge):
        advances.approve_advance(advance_id=second.pk, **ivan)
    assert Entry.objects.filter(event="advance.granted").count() == 1
    assert OutboxMessage.objects.filter(code="advance.approved").count() == 1
    assert verify_books() == []


def test_nothing_is_advanced_beyond_the_budget_line(town: AdvanceTown) -> None:
    spent = sum(BudgetEntry.objects.filter(kind="spending").values_list("amount_minor", flat=True))
    line = town.contract.budget_line
    who = {"actor": town.cast["halyna"].as_actor(), "at": GRANTED}
    amend_budget_line(line=line, amount=from_minor(spent + 15000), basis="x", **who)
    with pytest.raises(BudgetExceeded):
        town.proposed(15001)
    row = town.proposed(15000)
    assert advances.approve_advance(advance_id=row.pk, **town.who("ivan", GRANTED)).status == "approved"


def test_an_unpaid_advance_is_not_used_and_can_be_cancelled(town: AdvanceTown) -> None:
    row = town.approved()
    who = town.who("halyna", GRANTED)
    run = town.december()
    assert remittances(run) == {"A-2": (0, 14250), "A-3": (0, 14250)}
    released = town.released_advances()
    with pytest.raises(AdvanceInUse):
        advances.cancel_advance(advance_id=row.pk, reason="x", **who)
    payment = released.payments.get()
    fail_payment(payment_id=payment.pk, reason="x", **town.who("ivan", GRANTED))
    assert advances.cancel_advance(advance_id=row.pk, reason="x", **who).status == "cancelled"
    assert balances(town.office)[f"advance:P1:{town.contract.number}"] == 0
    with pytest.raises(NothingToPay):
        propose_advance_run(**who)
    assert verify_books() == []


def test_a_held_contract_keeps_its_advance(town: AdvanceTown) -> None:
    town.approved()
    run = propose_advance_run(**town.who("halyna", GRANTED)).run
    words = {"reason": "Перевірка", "from_date": GRANTED.date()}
    place_hold(target=town.contract, **words, **town.who("ivan", GRANTED))
    run.refresh_from_db()
    assert run.status == "cancelled"
    with pytest.raises(NothingToPay):
        propose_advance_run(**town.who("halyna", GRANTED))


def test_a_returned_payment_is_paid_again_also_when_the_advance_was_used(town: AdvanceTown) -> None:
    row = town.paid()
    town.december()
    match = Match.objects.get(payment__advance_items__advance=row)
    undo_match(match_id=match.pk, reason="не той рядок", **town.who("ivan", LATER))
    row.refresh_from_db()
    assert (row.status, sum(row.uses.values_list("amount_minor", flat=True))) == ("approved", 20000)
    assert verify_books() == []
    match_line(
        line_id=match.statement_line_id, payment_ids=[match.payment_id], reason="усе ж той", **town.who("ivan", LATER)
    )
    row.refresh_from_db()
    assert row.status == "settled"
    assert verify_books() == []


def test_a_reversal_gives_back_what_its_claim_used(town: AdvanceTown) -> None:
    row = town.paid()
    run = town.december()
    assert remittances(run) == {"A-2": (14250, 0), "A-3": (5750, 8500)}
    row.refresh_from_db()
    assert row.status == "settled"
    claim = Claim.objects.get(number="A-3")
    taking = reverse_claim(claim_id=claim.pk, reason="помилка", **town.who("halyna", LATER))
    second = judge(town.office, at=LATER, period=DECEMBER)
    assert second is not None
    assert remittances(second) == {taking.number: (-5750, -8500)}
    row.refresh_from_db()
    assert (row.status, balances(town.office)[f"advance:P1:{town.contract.number}"]) == ("paid", 5750)
    assert replay_run(run).equal and replay_run(second).equal
    assert verify_books() == []


def test_the_advance_comes_before_money_that_is_owed_back(town: AdvanceTown) -> None:
    town.paid(10000)
    case = town.decided()
    assert case.status == "decided"
    run = town.december()
    # 100.00 of the advance, then 142.50 that is owed back.
    assert remittances(run) == {"A-2": (14250, 0), "A-3": (10000, 4250)}
    assert sum(AdvanceUse.objects.values_list("amount_minor", flat=True)) == 10000
    case.refresh_from_db()
    assert case.status == "recovered"
    assert replay_run(run).equal
    assert verify_books() == []


def test_the_rest_comes_back_by_the_bank_and_a_wrong_line_is_undone(town: AdvanceTown) -> None:
    row = town.paid(30000)
    town.december()
    asked = {"advance_id": row.pk, "reason": "Рік закінчується"}
    with pytest.raises(ReturnDayPast):
        advances.ask_advance_back(**asked, **town.who("halyna", LATER))
    due = advances.ask_advance_back(**asked, until=date(2026, 2, 10), **town.who("halyna", LATER))
    assert (due.status, OutboxMessage.objects.filter(code="advance.asked_back").count()) == ("due", 1)
    statement = town.receive((1000, f"Повернення {row.rf_reference}"), (600, row.rf_reference), (500, "решта"))
    first, second, third = statement.lines.order_by("position")
    # 15.00 are left: the first part is taken, the second would be more than is left of it.
    assert [first.status, second.status, third.status] == ["matched", "unmatched", "unmatched"]
    who = town.who("ivan", LATER)
    with pytest.raises(MoreThanLeft):
        repay_advance_with_line(line_id=second.pk, advance=row.number, **who)
    with pytest.raises(AdvanceUnknown):
        repay_advance_with_line(line_id=third.pk, advance="ADV-0", **who)
    repay_advance_with_line(line_id=third.pk, advance=row.number, **who)
    row.refresh_from_db()
    assert (row.status, balances(town.office)[f"advance:P1:{town.contract.number}"]) == ("settled", 0)
    assert verify_books() == []
    back = AdvanceReturn.objects.get(statement_line=first)
    undo_advance_return(return_id=back.pk, reason="інший платіж", **who)
    with pytest.raises(NotFound):
        undo_advance_return(return_id=back.pk, reason="ще раз", **who)
    row.refresh_from_db()
    assert (row.status, balances(town.office)[f"advance:P1:{town.contract.number}"]) == ("due", 1000)
    assert [(each.name, each.total) for each in advance_ages(town.office, LATER.date())] == [("Турбота", 1000)]
    assert verify_books() == []


def test_credits_that_quote_others_cost_no_query_each(town: AdvanceTown) -> None:
    row = town.paid()
    queries = []
    for others in (2, 9):
        statement = town.receive((99_999, row.rf_reference), *[(5, OTHERS_REFERENCE)] * others, at=LATER)
        assert statement.lines.filter(status="unmatched").count() == others + 1
        with CaptureQueriesContext(connection) as asked, transaction.atomic():
            assert match_advances(statement, actor=SYSTEM, at=LATER) == 0
        queries.append(len(asked))
    assert queries[0] == queries[1]


def test_claims_no_longer_use_what_was_asked_back(town: AdvanceTown) -> None:
    row = town.paid()
    advances.ask_advance_back(advance_id=row.pk, reason="x", **town.who("halyna", GRANTED))
    row.refresh_from_db()
    assert row.return_until == date(2025, 12, 31)
    assert remittances(town.december()) == {"A-2": (0, 14250), "A-3": (0, 14250)}


def test_the_database_refuses_more_than_stands_on_an_advance(town: AdvanceTown) -> None:
    row = town.paid(10000)
    run = town.december()
    remittance = Remittance.objects.get(run=run, claim__number="A-3")
    with pytest.raises(IntegrityError, match="more is taken of advance"):
        AdvanceUse.objects.create(
            advance=row, remittance=remittance, amount_minor=1, used_on=GRANTED.date(), recorded_at=GRANTED
        )


def test_nobody_else_sees_or_moves_an_advance(town: AdvanceTown) -> None:
    row = town.proposed()
    other = Organisation.objects.exclude(pk=town.office.pk).first() or Organisation.objects.create(
        code="OTHER", name="Інша", jurisdiction="UA", zone="Europe/Kyiv", currency="UAH"
    )
    with pytest.raises(NotFound):
        advances.approve_advance(organisation=other, advance_id=row.pk, actor=town.cast["ivan"].as_actor(), at=GRANTED)


def test_the_form_of_an_advance_subsidy_is_compared_with_the_books(town: AdvanceTown) -> None:
    row = town.paid()
    Organisation.objects.update(jurisdiction="RU")
    town.office.refresh_from_db()
    money = {"tariff": Decimal("95.00"), "actual_volume": Decimal(3), "recipient_payment": Decimal("0.00")}
    rows = [{"recipient": "", "service": "Уход", **money, "paid": Decimal("200.00")}]
    form = {"form": "true-up", "provider": row.provider, "period": DECEMBER, "sha256": "0" * 64}
    paper = draw_form(rows=rows, **form, **town.who("halyna", GRANTED))
    assert (paper.checks[-1].parts, paper.checks[-1].difference) == (Decimal("200.00"), 0)
    less = draw_form(rows=[rows[0] | {"paid": Decimal("150.00")}], **form, **town.who("halyna", GRANTED))
    assert less.checks[-1].difference == Decimal("50.00")
    other = draw_form(rows=rows, **(form | {"period": date(2026, 1, 1)}), **town.who("halyna", GRANTED))
    assert len(other.checks) == len(paper.checks) - 1


@pytest.mark.parametrize("law", ["UA", "RU"])
def test_the_end_of_the_year_asks_back_what_is_left(town: AdvanceTown, law: str) -> None:
    row = town.paid(30000)
    town.december(datetime(2026, 1, 9, 10, 0, tzinfo=KYIV))
    Organisation.objects.update(jurisdiction=law)
    town.office.refresh_from_db()
    at = datetime(2026, 1, 12, 10, 0, tzinfo=KYIV)
    halyna, ivan = town.who("halyna", at), town.who("ivan", at)
    line = row.budget_line
    add_budget_line(code=line.code, year=2026, amount=Decimal(10_000), **halyna)
    for month in (date(2025, 11, 1), DECEMBER):
        ClosedMonth.objects.create(organisation=town.office, month=month, closed_by=town.cast["ivan"], closed_at=at)
    closing = propose_year_closing(year=2025, **halyna)
    (named,) = [each for each in closing.plan["unused"] if each.get("advance")]
    day = date(2025, 12, 31)
    working = add_working_days(day, 15, working_calendar(town.office))
    wanted = {"UA": day, "RU": working}[law]
    assert (named["advance"], named["amount"], named["due"]) == (row.number, 1500, wanted.isoformat())
    approve_year_closing(closing_id=closing.pk, content_sha256=closing.content_sha256, **ivan)
    row.refresh_from_db()
    # A day that has passed becomes the day of the closing.
    assert (row.status, row.return_until) == ("due", max(wanted, at.date()))
    assert OutboxMessage.objects.get(code="advance.asked_back").params["amount_minor"] == 1500
    assert advance_papers.return_letter(with_sums(Advance.objects.all()).get(pk=row.pk)).startswith(b"%PDF")
    assert verify_books() == []
    statement = town.receive((1500, row.rf_reference), at=LATER)
    assert statement.lines.get().status == "matched"
    row.refresh_from_db()
    assert row.status == "settled"
    assert verify_books() == []


def test_a_year_is_not_closed_over_an_unpaid_advance(town: AdvanceTown) -> None:
    row = town.approved()
    at = datetime(2026, 1, 12, 10, 0, tzinfo=KYIV)
    for month in (date(2025, 11, 1), DECEMBER):
        ClosedMonth.objects.create(organisation=town.office, month=month, closed_by=town.cast["ivan"], closed_at=at)
    with pytest.raises(AdvancesUnpaid, match=row.number):
        propose_year_closing(year=2025, **town.who("halyna", at))
