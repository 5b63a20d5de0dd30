"""A provider's money comes by the bank while a run keeps the same sum back: it is taken once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.db import connection
from django.db.models import Sum

from config.errors import DomainError
from settlement.actions import adjudication
from settlement.actions.line_parts import CaseUnknown, repay_with_line
from settlement.books import verify_books
from settlement.models import AdjudicationRun, ClawbackCase, ClawbackRecovery, StatementLine
from tests.concurrency.test_payments_race import at_once
from tests.settlement.actions.clawback_town import LATER, ClawbackTown, clawback_town

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def town(tmp_path: Path) -> ClawbackTown:
    """142.50 are owed, their term has passed, and a bank line of that sum waits for a person."""
    town = clawback_town(tmp_path)
    town.decided()
    town.receive((14250, "no reference"))
    return town


def repayment(town: ClawbackTown) -> Callable[[], Any]:
    line, case = StatementLine.objects.get(statement__statement_id="ST-2"), ClawbackCase.objects.get()
    return lambda: repay_with_line(line_id=line.pk, case=case.number, **town.who("ivan", LATER))


def test_without_the_lock_the_run_that_saw_the_debt_fails(town: ClawbackTown, monkeypatch: pytest.MonkeyPatch) -> None:
    """The harm: the money comes after the run has read the debt, and the month cannot be judged."""
    judge, repay = adjudication.judge, repayment(town)

    def paid_meanwhile(*args: Any) -> Any:
        found = judge(*args)
        thread = Thread(target=lambda: (repay(), connection.close()))
        thread.start()
        thread.join()
        return found

    monkeypatch.setattr(adjudication, "judge", paid_meanwhile)
    monkeypatch.setattr(adjudication, "lock_owing", lambda organisation: [])
    with pytest.raises(ValueError, match="more is kept back than is owed"):
        town.december()
    assert not AdjudicationRun.objects.filter(period__month=12).exists()


def test_what_is_owed_is_taken_once(town: ClawbackTown) -> None:
    calls = iter([repayment(town), town.december])
    results = at_once(lambda: next(calls)(), times=2)
    assert ClawbackRecovery.objects.aggregate(s=Sum("amount_minor"))["s"] == 14250
    assert ClawbackCase.objects.get().status == "recovered"
    refused = [result for result in results if isinstance(result, DomainError)]
    kept = ClawbackRecovery.objects.filter(remittance__isnull=False).exists()
    assert [type(result) for result in refused] == ([CaseUnknown] if kept else [])
    assert verify_books() == []
