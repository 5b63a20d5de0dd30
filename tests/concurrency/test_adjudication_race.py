"""Two adjudications at the same moment: together they never allow more than there is."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest
from django.db.models import Sum

from config.accounts.models import Organisation
from settlement.actions import adjudication
from settlement.models import Adjudication, AdjudicationRun, Claim, Entry
from settlement.run_queries import next_run
from tests.concurrency.test_payments_race import at_once
from tests.oracle.small import add, add_visit, clean_tables
from tests.settlement.actions.month import NOVEMBER, imported, judge

pytestmark = pytest.mark.django_db(transaction=True)
OCTOBER = date(2025, 10, 1)


@pytest.fixture
def office(tmp_path: Path) -> Organisation:
    """One certificate of 1.5 h, claimed once in October and once in November."""
    tables = clean_tables()
    tables["certificate_lines"][0]["units"] = "1.5"
    add(tables, "claims", **(tables["claims"][0] | {"number": "A-0", "period": "2025-10"}))
    add_visit(tables, "2025-11-03", unit_rate="95")
    add_visit(tables, "2025-10-03", claim_number="A-0", unit_rate="95")
    return imported(tables, tmp_path)


def allowed() -> int:
    return Adjudication.objects.aggregate(units=Sum("units_allowed"))["units"]


def both_months(office: Organisation) -> list[Any]:
    """October and November judged at the same moment."""
    months = iter([OCTOBER, NOVEMBER])
    return at_once(lambda: judge(office, period=next(months)), times=2)


def meet_before_writing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have read before either writes, where nothing makes them wait."""
    both, write = Barrier(2), adjudication._write

    def slow_write(*args: Any) -> None:
        with suppress(BrokenBarrierError):
            both.wait(timeout=3)
        write(*args)

    monkeypatch.setattr(adjudication, "_write", slow_write)


def test_without_taking_turns_the_certificate_is_spent_twice(
    office: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    meet_before_writing(monkeypatch)
    monkeypatch.setattr(adjudication, "take_turns", lambda organisation: None)
    both_months(office)
    assert allowed() == 3000


def test_taking_turns_allows_what_the_certificate_has(
    office: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    meet_before_writing(monkeypatch)
    both_months(office)
    assert AdjudicationRun.objects.count() == 2
    assert allowed() == 1500


def test_a_month_is_judged_once(office: Organisation, at: datetime) -> None:
    results = at_once(lambda: judge(office), times=4)
    runs = [result for result in results if isinstance(result, AdjudicationRun)]
    assert len(runs) == 1 and results.count(None) == 3
    assert Adjudication.objects.count() == 1 and Entry.objects.count() <= 1
    assert next_run(office, NOVEMBER, at) is None


def test_claim_is_withdrawn_or_judged_never_both(office: Organisation, at: datetime) -> None:
    from config.audit.actors import SYSTEM
    from settlement.actions.claims import withdraw_claim

    claim = Claim.objects.get(number="A-1")
    calls = iter([
        lambda: judge(office),
        lambda: withdraw_claim(organisation=office, claim_id=claim.pk, reason="-", actor=SYSTEM, at=at),
    ])  # fmt: skip
    at_once(lambda: next(calls)(), times=2)
    claim.refresh_from_db()
    judged = Adjudication.objects.filter(claim=claim).exists()
    assert (claim.status, judged) in {("withdrawn", False), ("adjudicated", True)}
