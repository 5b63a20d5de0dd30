"""An advance under a corrected month: what its claim had used is used again, also when the rest was asked back."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction

from settlement.actions import advances
from settlement.actions.runs import NothingToPay, propose_payment_run
from settlement.advance_queries import with_sums
from settlement.books import verify_books
from settlement.models import AdjudicationRun, Advance, AdvanceUse, Remittance
from settlement.replay import replay_run
from tests.settlement.actions.advance_town import AdvanceTown, advance_town
from tests.settlement.actions.clawback_town import DECEMBER, LATER

pytestmark = pytest.mark.django_db


@pytest.fixture
def town(tmp_path: Path) -> AdvanceTown:
    """December of 285.00 at 95.00 an hour was served by 300.00 in advance; then it was closed."""
    town = advance_town(tmp_path)
    town.paid(30_000)
    town.december()
    return town


def asked_back(town: AdvanceTown) -> None:
    row = Advance.objects.get()
    advances.ask_advance_back(advance_id=row.pk, reason="Кінець року", until=date(2026, 2, 10),
                              **town.who("halyna", LATER))  # fmt: skip


def standing() -> tuple[str, int]:
    row = with_sums(Advance.objects.all()).get()
    return row.status, row.outstanding  # type: ignore[attr-defined]  # annotated


def payable() -> int:
    """What the budget still owes for December in cash."""
    return sum(Remittance.objects.filter(run__period=DECEMBER).values_list("payable", flat=True))


def agrees() -> None:
    assert [fault.sentence for fault in verify_books()] == []
    assert all(replay_run(run).equal for run in AdjudicationRun.objects.all())


@pytest.mark.parametrize("due", [False, True])
def test_only_the_difference_is_left(town: AdvanceTown, due: bool) -> None:
    if due:
        asked_back(town)
    town.close_december()
    assert town.corrected("80.00", 10).payable_minor == -4_500
    assert (standing(), payable()) == (("due" if due else "paid", 6_000), 0)
    with pytest.raises(NothingToPay):
        propose_payment_run(period=DECEMBER, **town.who("halyna", LATER + timedelta(days=30)))
    agrees()


@pytest.mark.parametrize(("due", "cash"), [(False, 0), (True, 3_000)])
def test_what_becomes_more_than_was_used_is_paid_where_the_rest_was_asked_back(
    town: AdvanceTown, due: bool, cash: int
) -> None:
    if due:
        asked_back(town)
    town.close_december()
    town.corrected("80.00", 10)
    assert town.corrected("90.00", 20).payable_minor == 3_000
    assert (standing()[1], payable()) == (3_000 + cash, cash)
    agrees()


def test_another_claim_uses_nothing_of_what_was_asked_back(town: AdvanceTown) -> None:
    asked_back(town)
    use = AdvanceUse.objects.earliest("pk")
    row = Advance.objects.get()
    assert (row.status, standing()[1]) == ("due", 1_500)
    other = Remittance.objects.filter(provider=row.provider).exclude(run=use.remittance.run).earliest("pk")
    with pytest.raises(IntegrityError), transaction.atomic():
        AdvanceUse.objects.create(
            advance=row, remittance=other, amount_minor=100, used_on=LATER.date(), recorded_at=LATER
        )  # fmt: skip
