"""Two people import the bank's answer at the same moment: every movement counts once."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime
from threading import Barrier, Event
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.db.models import Sum

from config.accounts.models import Organisation, User
from settlement.actions import bank_lines, reconciliation
from settlement.actions.bank_lines import NotInForce, explain_line
from settlement.actions.reconciliation import import_statement, store_statement
from settlement.books import verify_books
from settlement.gateways.bank_file import BankFileGateway
from settlement.gateways.simulated_bank import answer_payment_file
from settlement.models import Match, Payment, PaymentRun, Posting, Statement, StatementLine
from tests.concurrency.test_payments_race import at_once
from tests.settlement.actions.paid import bank_file, released_run
from tests.settlement.actions.payables import adjudicated, owe, ready
from tests.settlement.actions.told import SECOND, told

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run(organisation: Organisation, cast: dict[str, User], at: datetime) -> PaymentRun:
    """A released run that pays two providers what is owed to them: 3.00 in all."""
    ready(at)
    owe(organisation, adjudicated(organisation, at, (1, 100), (2, 200)), at)
    return released_run(organisation, cast, at)


def paid_out() -> int:
    """What left the bank account for payments by the ledger, minor units."""
    rows = Posting.objects.filter(account__kind="bank", entry__event__startswith="payment.")
    return rows.aggregate(s=Sum("credit"))["s"] or 0


def test_without_turns_the_late_one_crashes(
    run: PaymentRun, cast: dict[str, User], at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The harm without turns: both find the statement new; the constraint holds, but one person sees a crash."""
    content = answer_payment_file(bank_file(run, at))
    [bank] = BankFileGateway().read_report(content)
    both, known = Barrier(2), reconciliation._known

    def both_look(*args: Any) -> Statement | None:
        found = known(*args)
        both.wait(timeout=20)
        return found

    monkeypatch.setattr(reconciliation, "_known", both_look)
    monkeypatch.setattr(reconciliation, "take_statement_turn", lambda organisation: None)
    actor = cast["halyna"].as_actor()
    results = at_once(
        lambda: store_statement(
            organisation=run.organisation, bank=bank, name="s.xml", content=content, actor=actor, at=at
        ),
        times=2,
    )
    assert sum(isinstance(result, IntegrityError) for result in results) == 1
    assert Statement.objects.count() == 1


def test_a_statement_imported_at_once_pays_once(run: PaymentRun, cast: dict[str, User], at: datetime) -> None:
    content = answer_payment_file(bank_file(run, at))
    actor = cast["halyna"].as_actor()
    results = at_once(
        lambda: import_statement(organisation=run.organisation, name="s.xml", content=content, actor=actor, at=at)[0]
    )
    assert sorted(result.repeated for result in results) == [False, True, True]
    assert paid_out() == 300


def test_one_movement_in_several_reports_at_once_pays_once(
    run: PaymentRun, cast: dict[str, User], at: datetime
) -> None:
    """A bank tells the same movement in a day's report and in the statement: the later is left open for a person."""
    content = answer_payment_file(bank_file(run, at))
    [bank] = BankFileGateway().read_report(content)
    reports = iter([replace(bank, identifier=f"R-{number}") for number in range(3)])
    actor = cast["halyna"].as_actor()

    def store() -> Any:
        report = next(reports)
        return store_statement(
            organisation=run.organisation, bank=report, name="s.xml", content=content, actor=actor, at=at
        )

    results = at_once(store)
    assert not any(isinstance(result, Exception) for result in results), results
    assert Statement.objects.count() == 3
    assert sorted(result.matched for result in results)[:2] == [0, 0]
    # The simulated bank sends one of the two payments back.
    matches = Match.objects.filter(undoes=None, undone_by=None)
    assert sorted(matches.values_list("kind", flat=True)) == ["payment", "payment", "return"]
    assert sorted(Payment.objects.values_list("status", flat=True)) == ["confirmed", "returned"]
    assert paid_out() == 300


# --- A statement is thrown out while another person works on its line ------------------------------------------------


def somebody_waits() -> None:
    """Until another connection waits for a lock of this one."""
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
    for _attempt in range(400):
        with connection.cursor() as cursor:
            cursor.execute(waiting)
            if cursor.fetchone()[0]:
                return
        time.sleep(0.05)
    raise AssertionError("nobody waits")


def thrown_out_meanwhile(
    organisation: Organisation, cast: dict[str, User], at: datetime, monkeypatch: pytest.MonkeyPatch
) -> list[Any]:
    """What comes of explaining a line while its statement is thrown out."""
    organisation.other_ibans = [SECOND]
    organisation.save()
    shared = {"organisation": organisation, "at": at}
    content = told("2025-12-12", "100.00", "5.00")
    [found] = import_statement(name="s.xml", content=content, actor=cast["halyna"].as_actor(), **shared)
    line, chosen, reopen = found.statement.lines.get(), Event(), reconciliation.reopen_repetitions

    def slowly(*args: Any, **kwargs: Any) -> Any:
        chosen.set()
        somebody_waits()
        return reopen(*args, **kwargs)

    monkeypatch.setattr(reconciliation, "reopen_repetitions", slowly)

    def explain() -> Any:
        chosen.wait(timeout=20)
        return explain_line(line_id=line.pk, explanation="Внесок", actor=cast["ivan"].as_actor(), **shared)

    said = {"statement_id": found.statement.pk, "reason": "Не той файл", "actor": cast["ivan"].as_actor()}
    calls = iter([lambda: reconciliation.refuse_statement(**said, **shared), explain])
    results = at_once(lambda: next(calls)(), times=2)
    assert Statement.objects.get().status == "refused" and StatementLine.objects.get().status == "unmatched"
    assert verify_books() == []
    return [type(result) for result in results]


def test_without_the_lock_only_the_database_keeps_money_off_a_statement_that_left(
    organisation: Organisation, cast: dict[str, User], at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready(at)
    monkeypatch.setattr(bank_lines, "lock_rows", list)
    results = thrown_out_meanwhile(organisation, cast, at, monkeypatch)
    assert sorted(results, key=str) == sorted([Statement, IntegrityError], key=str)


def test_whoever_waits_for_a_line_of_a_statement_that_leaves_is_told(
    organisation: Organisation, cast: dict[str, User], at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready(at)
    results = thrown_out_meanwhile(organisation, cast, at, monkeypatch)
    assert sorted(results, key=str) == sorted([Statement, NotInForce], key=str)
