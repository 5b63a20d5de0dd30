"""Two writers cannot overspend a budget line: the harm with the guard off, then its absence."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection
from django.db.models import Sum

from config.accounts.models import Organisation
from contracts.models import BudgetEntry, BudgetLine
from tests.conftest import AT

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def line() -> BudgetLine:
    organisation = Organisation.objects.create(code="race", name="race")
    return BudgetLine.objects.create(organisation=organisation, code="L", year=2025, amount="100.00")


def _reserve_at_once(line: BudgetLine, barrier: threading.Barrier, refused: list[str], *, guard: bool) -> None:
    try:
        with connection.cursor() as cursor:
            if not guard:
                cursor.execute("SET session_replication_role = replica")
        taken = BudgetEntry.objects.filter(budget_line=line).aggregate(s=Sum("amount_minor"))["s"] or 0
        barrier.wait(timeout=10)
        if taken + 8000 <= 10000:
            BudgetEntry.objects.create(
                budget_line=line,
                kind="reservation",
                amount_minor=8000,
                label="t:1",
                occurred_on=AT.date(),
                recorded_at=AT,
            )
    except IntegrityError as error:
        refused.append(str(error))
    finally:
        connection.close()


def _race(line: BudgetLine, work: Callable[..., None], *, guard: bool) -> list[str]:
    barrier, refused = threading.Barrier(2), []
    threads = [
        threading.Thread(target=work, args=(line, barrier, refused), kwargs={"guard": guard}) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return refused


def _sum(line: BudgetLine) -> int:
    return BudgetEntry.objects.filter(budget_line=line).aggregate(s=Sum("amount_minor"))["s"]


def test_without_the_guard_the_line_is_overspent(line: BudgetLine) -> None:
    assert _race(line, _reserve_at_once, guard=False) == []
    assert _sum(line) == 16000


def test_with_the_guard_one_of_two_is_refused(line: BudgetLine) -> None:
    refused = _race(line, _reserve_at_once, guard=True)
    assert len(refused) == 1
    assert "overspent" in refused[0]
    assert _sum(line) == 8000
