"""An unused advance comes back by the bank while a run uses the same money: it is taken once."""

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
from settlement.actions.line_parts import AdvanceUnknown, repay_advance_with_line
from settlement.books import verify_books
from settlement.models import AdjudicationRun, Advance, AdvanceReturn, AdvanceUse, StatementLine
from tests.concurrency.test_payments_race import at_once
from tests.settlement.actions.advance_town import AdvanceTown, advance_town
from tests.settlement.actions.clawback_town import LATER

pytestmark = pytest.mark.django_db(transaction=True)
AMOUNT = 10_000


@pytest.fixture
def town(tmp_path: Path) -> AdvanceTown:
    """100.00 are advanced, December's claims would use them, and a bank line of that sum waits for a person."""
    town = advance_town(tmp_path)
    town.paid(AMOUNT)
    town.receive((AMOUNT, "no reference"))
    return town


def repayment(town: AdvanceTown) -> Callable[[], Any]:
    line, advance = StatementLine.objects.get(remittance_text="no reference"), Advance.objects.get()
    return lambda: repay_advance_with_line(line_id=line.pk, advance=advance.number, **town.who("ivan", LATER))


def test_without_the_lock_the_run_that_saw_the_advance_fails(
    town: AdvanceTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The harm: the money goes back after the run has read what stands, and the month cannot be judged."""
    judge, repay = adjudication.judge, repayment(town)

    def repaid_meanwhile(*args: Any) -> Any:
        found = judge(*args)
        thread = Thread(target=lambda: (repay(), connection.close()))
        thread.start()
        thread.join()
        return found

    monkeypatch.setattr(adjudication, "judge", repaid_meanwhile)
    monkeypatch.setattr(adjudication, "lock_advances", lambda organisation: [])
    with pytest.raises(ValueError, match="more of an advance is used than stands on it"):
        town.december()
    assert not AdjudicationRun.objects.filter(period__month=12).exists()


def test_what_stands_on_an_advance_is_taken_once(town: AdvanceTown) -> None:
    calls = iter([repayment(town), town.december])
    results = at_once(lambda: next(calls)(), times=2)
    used = AdvanceUse.objects.aggregate(s=Sum("amount_minor"))["s"] or 0
    back = AdvanceReturn.objects.aggregate(s=Sum("amount_minor"))["s"] or 0
    assert sorted((used, back)) == [0, AMOUNT]
    assert Advance.objects.get().status == "settled"
    refused = [type(result) for result in results if isinstance(result, DomainError)]
    assert refused == ([AdvanceUnknown] if used else [])
    assert verify_books() == []
