"""A bank line that was no payment of a clearing statement is taken back, and the statement is paid by another."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from config.accounts.models import Organisation, User
from config.errors import NotFound
from settlement.actions.bank_lines import ReasonMissing
from settlement.actions.clearing import ClearingSumDiffers, StatementNotAgreed, book_payment
from settlement.actions.ledger import IntoClosedMonth
from settlement.actions.line_parts import Part, divide_line
from settlement.actions.undone_lines import undo_clearing_payment
from settlement.age_queries import unmatched_ages
from settlement.bank_queries import takings_of
from settlement.books import verify_books
from settlement.models import ClearingPayment, ClearingStatement, ClosedMonth, StatementLine
from tests.settlement.actions.clearing_town import DECEMBER, Neighbours, bank_line, build_neighbours
from tests.settlement.actions.payables import balances
from tests.trail import trail_for

pytestmark = pytest.mark.django_db
LATER = DECEMBER + timedelta(days=1)


@pytest.fixture
def towns(organisation: Organisation, other_organisation: Organisation, cast: dict[str, User]) -> Neighbours:
    return build_neighbours(organisation, other_organisation, cast)


@pytest.fixture
def statement(towns: Neighbours) -> ClearingStatement:
    """Agreed; the home of the certificates owes."""
    towns.agree()
    return towns.agreed()


def pay(towns: Neighbours, side: Any, statement: ClearingStatement, line: StatementLine) -> ClearingPayment:
    office = side.organisation
    who = {"actor": towns.of(side, "maker"), "at": DECEMBER}
    return book_payment(organisation=office, statement_id=statement.pk, line_id=line.pk, **who)


def undo(towns: Neighbours, side: Any, payment: ClearingPayment, reason: str = "Інший платіж") -> ClearingPayment:
    who = {"organisation": side.organisation, "actor": towns.of(side, "maker"), "at": LATER}
    return undo_clearing_payment(payment_id=payment.pk, reason=reason, **who)


def beside(line: StatementLine) -> StatementLine:
    """Another line of the same sum, a day later."""
    return StatementLine.objects.create(
        statement=line.statement, position=2, booked_on=LATER.date(), amount_minor=line.amount_minor,
        currency=line.currency, status="unmatched",
    )  # fmt: skip


def proved() -> bool:
    """The books hold; the statements of these tests have no balances."""
    return [fault.sentence for fault in verify_books() if fault.check != "bank balances equal the ledger"] == []


def test_a_payment_is_undone_and_made_with_the_right_line(towns: Neighbours, statement: ClearingStatement) -> None:
    home, due = towns.home.organisation, statement.paid_by(towns.home.organisation)
    wrong = bank_line(home, -due)
    right = beside(wrong)
    before = balances(home)
    payment = pay(towns, towns.home, statement, wrong)
    pay(towns, towns.host, statement, bank_line(towns.host.organisation, due))
    statement.refresh_from_db()
    assert statement.status == "settled" and proved()
    with pytest.raises(ReasonMissing):
        undo(towns, towns.home, payment, " ")
    undone = undo(towns, towns.home, payment)
    statement.refresh_from_db()
    wrong.refresh_from_db()
    assert (statement.status, wrong.status, undone.amount_minor) == ("agreed", "unmatched", due)
    assert balances(home) | {"bank:" + str(home.iban): 0} == before | {"bank:" + str(home.iban): 0}
    assert proved() and trail_for(statement)[0].action == "clearing.unpaid"
    assert sum(row.total for row in unmatched_ages(home, LATER.date())) == due * 2
    assert takings_of(wrong.statement) == {}
    for again in (payment, undone):
        with pytest.raises(NotFound):
            undo(towns, towns.home, again)
    assert pay(towns, towns.home, statement, right).amount_minor == -due
    statement.refresh_from_db()
    assert statement.status == "settled" and proved()
    with pytest.raises(StatementNotAgreed):
        pay(towns, towns.home, statement, wrong)
    [(taken,)] = takings_of(right.statement).values()
    assert (taken.number, taken.undo) == (statement.number, "settlement:clearing_undo")


def test_the_same_line_may_be_booked_again(towns: Neighbours, statement: ClearingStatement) -> None:
    home = towns.home.organisation
    line = bank_line(home, -statement.paid_by(home))
    undo(towns, towns.home, pay(towns, towns.home, statement, line))
    pay(towns, towns.home, statement, line)
    line.refresh_from_db()
    assert line.status == "matched" and ClearingPayment.objects.count() == 3 and proved()


def test_the_net_sum_is_a_part_of_a_larger_line(towns: Neighbours, statement: ClearingStatement) -> None:
    host, due = towns.host.organisation, statement.paid_by(towns.home.organisation)
    line = bank_line(host, due + 500)
    who: dict[str, Any] = {
        "organisation": host,
        "line_id": line.pk,
        "reason": "x",
        "actor": towns.of(towns.host, "maker"),
    }
    who |= {"at": DECEMBER}
    with pytest.raises(ClearingSumDiffers):
        divide_line(parts=[Part("clearing", statement.number, due + 1), Part("open", "", 499)], **who)
    with pytest.raises(StatementNotAgreed):
        divide_line(parts=[Part("clearing", "CS-0", due), Part("open", "", 500)], **who)
    divide_line(parts=[Part("clearing", statement.number, due), Part("open", "", 500)], **who)
    line.refresh_from_db()
    payment = ClearingPayment.objects.get()
    assert (line.status, payment.amount_minor, payment.organisation) == ("partial", due, host) and proved()
    assert takings_of(line.statement)[line.pk][0].amount == due
    undo(towns, towns.host, payment)
    line.refresh_from_db()
    assert line.status == "unmatched" and proved()


def test_a_side_undoes_its_own_line_only(towns: Neighbours, statement: ClearingStatement) -> None:
    home = towns.home.organisation
    payment = pay(towns, towns.home, statement, bank_line(home, -statement.paid_by(home)))
    with pytest.raises(NotFound):
        undo(towns, towns.host, payment)
    assert ClearingPayment.objects.count() == 1


def test_nothing_is_undone_into_a_closed_month(towns: Neighbours, statement: ClearingStatement) -> None:
    home = towns.home.organisation
    payment = pay(towns, towns.home, statement, bank_line(home, -statement.paid_by(home)))
    month = payment.statement_line.booked_on.replace(day=1)
    by = User.objects.get(username=f"checker.{home.code}")
    ClosedMonth.objects.create(organisation=home, month=month, closed_at=LATER, closed_by=by)
    with pytest.raises(IntoClosedMonth):
        undo(towns, towns.home, payment)
    payment.statement_line.refresh_from_db()
    assert payment.statement_line.status == "matched" and ClearingPayment.objects.count() == 1


def test_the_database_pays_a_statement_once_and_undoes_the_opposite(
    towns: Neighbours, statement: ClearingStatement
) -> None:
    home = towns.home.organisation
    payment = pay(towns, towns.home, statement, bank_line(home, -statement.paid_by(home)))
    other = beside(payment.statement_line)
    said: dict[str, Any] = {
        "statement": statement, "organisation": home, "statement_line": payment.statement_line,
        "amount_minor": -payment.amount_minor, "recorded_by": payment.recorded_by, "recorded_at": LATER,
        "reason": "x", "undoes": payment,
    }  # fmt: skip
    refused = {
        "another line": {"statement_line": other},
        "another sum": {"amount_minor": -payment.amount_minor + 1},
        "no reason": {"reason": ""},
        "paid twice": {"statement_line": other, "amount_minor": payment.amount_minor, "undoes": None, "reason": ""},
        "a line twice": {"amount_minor": payment.amount_minor, "undoes": None, "reason": ""},
    }
    for changed in refused.values():
        with pytest.raises(IntegrityError), transaction.atomic():
            ClearingPayment.objects.create(**said | changed)
    assert ClearingPayment.objects.create(**said).undoes == payment
