"""Two people undo the same bank line at the same moment: one does, the others are told that it is done."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import NotFound
from settlement.actions import undone_lines
from settlement.actions.bank_lines import undo_match
from settlement.books import verify_books
from settlement.models import ClawbackRecovery, FeeReceipt, Match, StatementLine
from tests.concurrency.test_payments_race import at_once
from tests.settlement.actions.clawback_town import DECIDED, clawback_town
from tests.settlement.actions.fee_statements import credit, statement
from tests.settlement.actions.fee_town import AT, OWED, balanced, fee_town, noticed, sums
from tests.settlement.actions.test_undone_lines import bring, who

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_receipt_is_undone_once(tmp_path: Path) -> None:
    town = fee_town(tmp_path)
    notice = noticed(*town)
    bring(town, statement(town[0], 1, credit(10_000, notice.rf_reference)))
    receipt = FeeReceipt.objects.get()
    say = {"receipt_id": receipt.pk, "reason": "помилка", **who(town)}
    results = at_once(lambda: undone_lines.undo_fee_receipt(**say))
    assert sorted(type(result) is NotFound for result in results) == [False, True, True]
    assert FeeReceipt.objects.count() == 2 and sums(notice)[3] == OWED and balanced()
    assert StatementLine.objects.get().status == "unmatched"


def test_a_repayment_is_undone_once(tmp_path: Path) -> None:
    town = clawback_town(tmp_path)
    case = town.decided()
    town.receive((14_250, case.rf_reference))
    row = ClawbackRecovery.objects.get()
    say = {"recovery_id": row.pk, "reason": "помилка", **town.who("ivan", DECIDED)}
    results = at_once(lambda: undone_lines.undo_repayment(**say))
    assert sorted(type(result) is NotFound for result in results) == [False, True, True]
    assert ClawbackRecovery.objects.count() == 2 and verify_books() == []


def test_a_match_is_undone_once(tmp_path: Path) -> None:
    town = clawback_town(tmp_path)
    match = Match.objects.get()
    say = {"match_id": match.pk, "reason": "помилка", **town.who("ivan", AT)}
    results = at_once(lambda: undo_match(**say))
    assert sorted(type(result) is NotFound for result in results) == [False, True, True]
    assert Match.objects.count() == 2 and verify_books() == []
