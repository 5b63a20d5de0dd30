"""Two bank lines pass the same fees on to a provider at the same moment: not more goes on than is held."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from contracts.models import Provider
from settlement.actions import fee_lines
from settlement.actions.fee_lines import NotHeld, explain_as_passed_on
from settlement.fee_queries import held_for
from settlement.models import StatementLine
from tests.concurrency.test_payments_race import at_once
from tests.settlement.actions.fee_statements import credit, debit, statement
from tests.settlement.actions.fee_town import balanced, fee_town, noticed
from tests.settlement.actions.test_undone_lines import Town, bring, who

pytestmark = pytest.mark.django_db(transaction=True)
HELD = 20_000


@pytest.fixture
def town(tmp_path: Path) -> Town:
    """200.00 came for the provider, and two bank lines of 150.00 each wait for a person."""
    town = fee_town(tmp_path)
    notice = noticed(*town)
    lines = credit(HELD, notice.rf_reference), debit(15_000, "перший"), debit(15_000, "другий")
    bring(town, statement(town[0], 1, *lines))
    return town


def both_lines(town: Town) -> Callable[[], Any]:
    provider = Provider.objects.get(code="P1")
    keys = iter(StatementLine.objects.filter(amount_minor__lt=0).order_by("pk").values_list("pk", flat=True))
    return lambda: explain_as_passed_on(line_id=next(keys), provider_id=provider.pk, **who(town))


def left(town: Town) -> int:
    return held_for(town[0], Provider.objects.get(code="P1"))


def test_without_the_lock_more_goes_on_than_is_held(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The harm: both read what is held before either has posted."""
    both_read = Barrier(2)

    def slow_read(*args: Any) -> int:
        found = held_for(*args)
        both_read.wait(timeout=20)
        return found

    monkeypatch.setattr(fee_lines, "_lock_held", lambda *args: None)
    monkeypatch.setattr(fee_lines, "held_for", slow_read)
    assert not [result for result in at_once(both_lines(town), times=2) if isinstance(result, Exception)]
    assert left(town) == HELD - 30_000


def test_what_is_held_goes_on_once(town: Town) -> None:
    results = at_once(both_lines(town), times=2)
    assert [type(result) for result in results if isinstance(result, Exception)] == [NotHeld]
    assert left(town) == HELD - 15_000 and balanced()
