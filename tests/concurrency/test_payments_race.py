"""Two people at the same moment: a month is proposed once, a statement is stored once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, connection

from config.accounts.models import Organisation, User
from config.errors import DomainError
from settlement.actions import runs
from settlement.actions.reconciliation import import_statement
from settlement.actions.runs import propose_payment_run
from settlement.gateways.simulated_bank import answer_payment_file
from settlement.models import Match, PaymentRun, Statement
from tests.settlement.actions.paid import bank_file, released_run
from tests.settlement.actions.payables import NOVEMBER, adjudicated, ready

pytestmark = pytest.mark.django_db(transaction=True)
Cast = dict[str, User]


def at_once(call: Callable[[], Any], times: int = 3) -> list[Any]:
    """Results or refusals of the same call made by several connections at the same moment."""
    barrier = Barrier(times)

    def one(_number: int) -> Any:
        try:
            barrier.wait(timeout=20)
            return call()
        except (DomainError, IntegrityError) as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))


def test_without_the_lock_only_the_database_stops_a_second_run(
    organisation: Organisation, cast: Cast, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The harm that the lock prevents: late comers crash on the constraint instead of being told."""
    ready(at)
    adjudicated(organisation, at, *((number, 100) for number in range(1, 30)))
    both_chose = Barrier(2)
    choose = runs.choose

    def slow_choose(*args: Any) -> Any:
        found = choose(*args)
        both_chose.wait(timeout=20)
        return found

    monkeypatch.setattr(runs, "lock_rows", lambda rows: list(rows))
    monkeypatch.setattr(runs, "choose", slow_choose)
    actor = cast["halyna"].as_actor()
    results = at_once(
        lambda: propose_payment_run(organisation=organisation, period=NOVEMBER, actor=actor, at=at), times=2
    )
    assert sum(isinstance(result, IntegrityError) for result in results) == 1


def test_a_month_is_proposed_once(organisation: Organisation, cast: Cast, at: datetime) -> None:
    ready(at)
    adjudicated(organisation, at, *((number, 100) for number in range(1, 30)))
    actor = cast["halyna"].as_actor()
    results = at_once(lambda: propose_payment_run(organisation=organisation, period=NOVEMBER, actor=actor, at=at))
    refused = [result for result in results if isinstance(result, DomainError)]
    assert [error.code for error in refused] == ["NOTHING_TO_PAY", "NOTHING_TO_PAY"]
    assert PaymentRun.objects.count() == 1


def test_a_statement_is_stored_once(organisation: Organisation, cast: Cast, at: datetime) -> None:
    ready(at)
    adjudicated(organisation, at, (1, 100), (2, 200))
    run = released_run(organisation, cast, at)
    content = answer_payment_file(bank_file(run, at))
    actor = cast["halyna"].as_actor()
    results = at_once(
        lambda: import_statement(organisation=organisation, name="s.xml", content=content, actor=actor, at=at)
    )
    repeated = sorted(result[0].repeated for result in results)
    assert repeated == [False, True, True]
    assert Statement.objects.count() == 1 and Match.objects.count() == 3
