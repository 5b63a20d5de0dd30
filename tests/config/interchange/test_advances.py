"""What was paid in advance goes with a package, and settles elsewhere to the same remittances."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command

from config.accounts.models import Organisation
from settlement.actions.claims import reverse_claim
from settlement.books import verify_books
from settlement.models import AdvanceStanding, AdvanceUse, Claim
from tests.config.interchange.packages import dump, load
from tests.config.interchange.test_clawbacks import RESULTS, rows, settled
from tests.oracle.recalculate import recalculate
from tests.settlement.actions.advance_town import advance_town
from tests.settlement.actions.clawback_town import DECEMBER, LATER
from tests.settlement.actions.month import judge
from tests.settlement.actions.payables import balances

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_package_with_used_advances_settles_to_the_same(tmp_path: Path) -> None:
    town = advance_town(tmp_path / "given")
    town.paid()
    town.december()
    claim = Claim.objects.get(number="A-2")
    taking = reverse_claim(claim_id=claim.pk, reason="помилка", **town.who("halyna", LATER))
    judge(town.office, at=LATER, period=DECEMBER)
    one = dump(tmp_path / "one")
    number = town.contract.number
    assert rows(one["advances.csv"]) == [
        {"period": "2025-12", "run": "1", "contract_number": number, "outstanding": "200.00"},
        {"period": "2025-12", "run": "2", "contract_number": number, "outstanding": "142.50"},
    ]
    used = {row["claim_number"]: row["offsets"] for row in rows(one["remittances.csv"])}
    assert used == {"A-1": "0.00", "A-2": "142.50", "A-3": "57.50", taking.number: "-142.50"}
    oracle = {row["claim_number"]: row["offsets"] for row in recalculate(tmp_path / "one").remittances}
    assert oracle == used
    call_command("flush", verbosity=0, interactive=False)
    report = load(tmp_path / "one")
    assert report.imported, report.refusals
    office = Organisation.objects.get()
    settled(office)
    settled(office)
    two = dump(tmp_path / "two")
    names = [f"{name}.csv" for name in (*RESULTS, "advances")]
    assert {name: two[name] for name in names} == {name: one[name] for name in names}
    assert set(AdvanceStanding.objects.values_list("given", flat=True)) == {True}
    assert set(AdvanceUse.objects.values_list("advance", flat=True)) == {None}
    # It was paid before these books began: what was used of it stands against the opening balances.
    assert balances(office)["funding:opening"] == -5750
    assert verify_books() == []
