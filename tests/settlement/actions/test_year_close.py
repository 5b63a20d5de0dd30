"""The end of a year: what it carries, what lapses, what it posts, and what it refuses."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction

from config.accounts.models import Organisation, User
from config.audit.actors import SYSTEM
from config.audit.models import AuditEvent
from config.errors import FourEyes
from config.states import InvalidMove
from contracts.actions.budgets import (
    BudgetExceeded,
    BudgetYearClosed,
    add_budget_line,
    amend_budget_line,
)
from contracts.models import BudgetEntry, BudgetLine, ClosedBudgetLine, Contract, Parameter
from settlement.actions.claims import reverse_claim
from settlement.actions.ledger import Amounts, EntryDraft, post_entries
from settlement.actions.month_close import close_month
from settlement.actions.year_close import (
    EarlierYearOpen,
    LinesOverspent,
    NextYearLineMissing,
    YearChanged,
    YearHasOpenMonths,
    YearNotOver,
    YearTaken,
    approve_year_closing,
    cancel_year_closing,
    propose_year_closing,
)
from settlement.books import verify_books
from settlement.models import ClosedMonth, Entry, YearClosing
from settlement.money_trail import money_trail
from tests.settlement.actions.month import AT, KYIV, balance, free_visits, imported, judge, reserve, the_claim
from tests.settlement.actions.payables import ready
from vouchers.models import Certificate

pytestmark = pytest.mark.django_db(transaction=True)
JANUARY = datetime(2026, 1, 12, 10, 0, tzinfo=KYIV)
SPENT, RESERVED, GRANTED = 28_500, 60_000, 40_000


@pytest.fixture
def people(db: None) -> dict[str, User]:
    return {name: User.objects.create(username=name) for name in ("halyna", "ivan")}


@pytest.fixture
def office(tmp_path: Path, db: None) -> Organisation:
    """November is judged for 285.00; a certificate reserves the rest of 600.00, a grant agreement 400.00."""
    office = imported(free_visits(), tmp_path)
    ready(AT)
    line = BudgetLine.objects.get()
    reserve(Certificate.objects.get(), RESERVED)
    judge(office)
    grant = Contract.objects.create(
        organisation=office,
        number="G1",
        provider=Contract.objects.get().provider,
        budget_line=line,
        basis="grant",
        valid_from=date(2025, 6, 1),
        valid_to=date(2026, 6, 1),
        ceiling=GRANTED / 100,
        status="active",
    )
    BudgetEntry.objects.create(
        budget_line=line,
        kind="commitment",
        amount_minor=GRANTED,
        label=f"contracts.contract:{grant.pk}",
        occurred_on=AT.date(),
        recorded_at=AT,
    )
    return office


def next_line(office: Organisation, people: dict[str, User], amount: str = "10000") -> BudgetLine:
    return add_budget_line(
        organisation=office,
        code=BudgetLine.objects.get(year=2025).code,
        year=2026,
        amount=Decimal(amount),
        actor=people["halyna"].as_actor(),
        at=JANUARY,
    )


def close_months(office: Organisation, people: dict[str, User]) -> None:
    for month in (11, 12):
        close_month(organisation=office, month=date(2025, month, 1), actor=people["ivan"].as_actor(), at=JANUARY)


@pytest.fixture
def over(office: Organisation, people: dict[str, User]) -> Organisation:
    """Every month is closed and the next year's line is there."""
    next_line(office, people)
    close_months(office, people)
    return office


def propose(office: Organisation, people: dict[str, User], year: int = 2025) -> YearClosing:
    return propose_year_closing(organisation=office, year=year, actor=people["halyna"].as_actor(), at=JANUARY)


def approve(closing: YearClosing, user: User) -> YearClosing:
    return approve_year_closing(
        organisation=closing.organisation,
        closing_id=closing.pk,
        content_sha256=closing.content_sha256,
        actor=user.as_actor(),
        at=JANUARY,
    )


def standing(line: BudgetLine) -> dict[str, int]:
    sums: dict[str, int] = {}
    for entry in line.entries.all():
        sums[entry.kind] = sums.get(entry.kind, 0) + entry.amount_minor
    return sums


def test_promises_go_over_and_costs_end_on_the_result(over: Organisation, people: dict[str, User]) -> None:
    closing = propose(over, people)
    row = closing.plan["lines"][0]
    assert (row["spent"], row["carried_commitments"], row["carried_reservations"], row["lapsed"]) == (
        SPENT, GRANTED, RESERVED - SPENT, 0,
    )  # fmt: skip
    assert approve(closing, people["ivan"]).status == "approved"
    old, new = BudgetLine.objects.get(year=2025), BudgetLine.objects.get(year=2026)
    assert standing(old) == {"spending": SPENT, "reservation": 0, "commitment": 0}
    assert standing(new) == {"reservation": RESERVED - SPENT, "commitment": GRANTED}
    assert (balance(f"expense:{old.code}-2025"), balance("result:2025")) == (0, SPENT)
    assert Entry.objects.get(event="year.expense_closed").date == date(2026, 1, 1)
    assert ClosedBudgetLine.objects.get().unspent_minor == int(old.amount.amount * 100) - SPENT
    assert Certificate.objects.get().budget_line == new == Contract.objects.get(number="G1").budget_line
    assert AuditEvent.objects.filter(action="year.closed").count() == 1
    assert verify_books() == []


def test_what_the_rule_does_not_carry_lapses(over: Organisation, people: dict[str, User]) -> None:
    Parameter.objects.create(
        organisation=over, jurisdiction=over.jurisdiction, key="yearend.carry", valid_from=date(2020, 1, 1),
        value="NONE", recorded_at=AT,
    )  # fmt: skip
    closing = propose(over, people)
    row = closing.plan["lines"][0]
    assert (row["carried_commitments"], row["lapsed"]) == (0, GRANTED)
    assert row["carried_reservations"] == RESERVED - SPENT, "a certificate in force keeps what it promised"
    approve(closing, people["ivan"])
    assert standing(BudgetLine.objects.get(year=2026)) == {"reservation": RESERVED - SPENT}
    assert verify_books() == []


def test_a_late_reversal_falls_on_the_open_year(over: Organisation, people: dict[str, User]) -> None:
    approve(propose(over, people), people["ivan"])
    old, new = BudgetLine.objects.get(year=2025), BudgetLine.objects.get(year=2026)
    reverse_claim(organisation=over, claim_id=the_claim().pk, reason="x", actor=people["halyna"].as_actor(), at=JANUARY)
    judge(over, at=JANUARY)
    assert standing(old)["spending"] == SPENT and standing(new)["spending"] == -SPENT
    assert balance(f"expense:{old.code}-2025") == 0 and balance(f"expense:{new.code}-2026") == -SPENT
    assert verify_books() == []
    for line, payable in ((old, SPENT), (new, -SPENT)):
        trail = money_trail(organisation=over, start="budget_line", pk=line.pk)
        assert (trail.payable, trail.levels[0].off) == (payable, 0)


def test_open_months_and_a_running_year_are_refused(office: Organisation, people: dict[str, User]) -> None:
    next_line(office, people)
    with pytest.raises(YearNotOver):
        propose(office, people, 2026)
    with pytest.raises(YearHasOpenMonths) as refused:
        propose(office, people)
    assert refused.value.params["months"] == "11.2025, 12.2025"
    close_months(office, people)
    assert propose(office, people).status == "proposed"


def test_lines_of_the_next_year_are_asked_for(office: Organisation, people: dict[str, User]) -> None:
    close_months(office, people)
    with pytest.raises(NextYearLineMissing):
        propose(office, people)
    line = next_line(office, people, "1")
    with pytest.raises(BudgetExceeded):
        propose(office, people)
    amend_budget_line(line=line, amount=Decimal(10_000), basis="x", actor=people["halyna"].as_actor(), at=JANUARY)
    assert propose(office, people).status == "proposed"


def test_an_overspent_line_and_an_earlier_year_are_refused(over: Organisation, people: dict[str, User]) -> None:
    line = BudgetLine.objects.get(year=2025)
    shared = {"kind": "spending", "label": "x:1", "occurred_on": AT.date(), "recorded_at": AT}
    before = BudgetLine.objects.create(organisation=over, code="OLD", year=2024, amount=10)
    entry = BudgetEntry.objects.create(budget_line=before, amount_minor=1, **shared)
    with pytest.raises(EarlierYearOpen) as refused:
        propose(over, people)
    assert refused.value.params["years"] == "2024" and entry.pk
    ClosedBudgetLine.objects.create(budget_line=before, successor=line, unspent_minor=0, closed_at=AT)
    BudgetEntry.objects.create(budget_line=line, amount_minor=int(line.amount.amount * 100), **shared)
    with pytest.raises(LinesOverspent):
        propose(over, people)


def test_two_people_and_what_was_seen(over: Organisation, people: dict[str, User]) -> None:
    closing = propose(over, people)
    with pytest.raises(YearTaken):
        propose(over, people)
    with pytest.raises(FourEyes):
        approve(closing, people["halyna"])
    line = BudgetLine.objects.get(year=2025)
    more = line.amount.amount + 1
    amend_budget_line(line=line, amount=more, basis="x", actor=people["halyna"].as_actor(), at=JANUARY)
    with pytest.raises(YearChanged):
        approve(closing, people["ivan"])
    cancel_year_closing(
        organisation=over, closing_id=closing.pk, reason="x", actor=people["ivan"].as_actor(), at=JANUARY
    )
    assert approve(propose(over, people), people["ivan"]).status == "approved"


def test_a_year_is_closed_once(over: Organisation, people: dict[str, User]) -> None:
    closing = approve(propose(over, people), people["ivan"])
    entries, moves = Entry.objects.count(), BudgetEntry.objects.count()
    with pytest.raises(InvalidMove):
        approve(closing, people["ivan"])
    with pytest.raises(YearTaken):
        propose(over, people)
    assert (entries, moves) == (Entry.objects.count(), BudgetEntry.objects.count())


def test_the_database_keeps_a_closed_year(over: Organisation, people: dict[str, User]) -> None:
    line = BudgetLine.objects.get(year=2025)
    entry = {"organisation": over, "event": "test", "label": "x:1", "recorded_at": AT, "date": date(2025, 3, 5)}
    assert Entry.objects.create(number="E1", key="1", **entry).pk
    with pytest.raises(YearHasOpenMonths):
        propose(over, people)
    close_month(organisation=over, month=date(2025, 3, 1), actor=people["ivan"].as_actor(), at=JANUARY)
    approve(propose(over, people), people["ivan"])
    with pytest.raises(IntegrityError, match="closed year"), transaction.atomic():
        Entry.objects.create(number="E2", key="2", **entry | {"date": date(2025, 4, 5)})
    with pytest.raises(IntegrityError, match="is closed"), transaction.atomic():
        BudgetEntry.objects.create(
            budget_line=line, kind="spending", amount_minor=1, label="x:1", occurred_on=AT.date(), recorded_at=AT
        )
    with pytest.raises(IntegrityError, match="is closed"), transaction.atomic():
        BudgetLine.objects.filter(pk=line.pk).update(amount=1)
    with pytest.raises(BudgetYearClosed):
        amend_budget_line(line=line, amount=Decimal(1), basis="x", actor=people["ivan"].as_actor(), at=JANUARY)


def test_money_paid_for_nothing_is_asked_back(over: Organisation, people: dict[str, User]) -> None:
    assert propose(over, people).plan["unused"] == []
    YearClosing.objects.get().move_to("cancelled", at=JANUARY)
    provider = Contract.objects.get(number="G1").provider
    draft = EntryDraft("payment.sent", "k", "x:1", [Amounts({"amount": SPENT + 700}, provider=provider)])
    with transaction.atomic():
        post_entries(organisation=over, drafts=[draft], on=date(2025, 10, 1), actor=SYSTEM, at=JANUARY)
    ClosedMonth.objects.create(organisation=over, month=date(2025, 10, 1), closed_by=people["ivan"], closed_at=JANUARY)
    unused = {"code": provider.code, "name": provider.name, "amount": 700, "due": "2025-12-31"}
    assert propose(over, people).plan["unused"] == [unused]
