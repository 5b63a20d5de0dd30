"""The receipt of a line, its decision judged again for whoever reads the line, and what changed, in words."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from config.audit.actors import SYSTEM
from contracts.models import NormCost
from settlement.actions.claims import reverse_claim
from settlement.line_queries import line_taken_back
from settlement.models import Adjudication, ClaimLine
from tests.settlement.actions.lifting import lift
from tests.settlement.actions.month import AT, judge
from tests.settlement.views.test_claims import text
from tests.settlement.views.town import Town, settled_town, url
from vouchers.models import FeeAssessment

pytestmark = pytest.mark.django_db
LATER = AT + timedelta(seconds=5)


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return settled_town(tmp_path)


def line_of(number: int) -> ClaimLine:
    return ClaimLine.objects.get(claim__number="A-1", line=number)


@pytest.mark.parametrize("username", ["nadiia", "halyna", "mariia"])
def test_whoever_reads_a_line_has_it_judged_again(town: Town, username: str) -> None:
    browser = town.browser(username)
    assert url("line_replay", line_of(1).pk) in text(browser.get(url("claim_line", line_of(1).pk)))
    page = text(browser.get(url("line_replay", line_of(1).pk)))
    assert "Line 1 in run 2025-11/1 judged again comes out the same, to the last kopiyka." in page
    assert "Nothing changed between the two decisions." in page
    (decision,) = browser.get(url("line_replay", line_of(1).pk), {"format": "json"}).json()["decisions"]
    receipt = decision["receipt"]
    assert decision["replay"]["equal"] and decision["replay"]["digest_equal"]
    assert receipt["run"]["digest"] == town.run.digest and len(receipt["rules"]["engine"]) == 16
    assert receipt["steps"][-1]["amount"] == receipt["result"]["payable"]
    assert receipt["records"]["prices"][0]["unit_rate"].startswith("95")
    assert set(receipt["rules"]) == {"engine", *(row["check"] for row in receipt["findings"])}


def test_nobody_else_does(town: Town) -> None:
    for username, status in (("taras", 404), ("bohdan", 403), ("outsider", 403)):
        assert town.browser(username).get(url("line_replay", line_of(1).pk)).status_code == status


def test_today_is_compared_and_the_past_keeps_its_words(town: Town) -> None:
    fee = FeeAssessment.objects.get()
    words = f"fee decision{f', {fee.decision}' if fee.decision else ''}"
    before = text(town.browser("halyna").get(url("claim_line", line_of(1).pk)))
    fee.change(at=LATER, valid_to=date(2025, 11, 1))
    for norm in NormCost.objects.all():
        norm.change(at=LATER, valid_to=date(2025, 11, 1))
    after = text(town.browser("halyna").get(url("claim_line", line_of(1).pk)))
    assert words in before and words in after
    page = text(town.browser("halyna").get(url("line_replay", line_of(1).pk)))
    assert "comes out the same" in page
    assert "takes" in page and "no norm cost" in page.lower()


def test_a_damaged_row_is_shown_as_damaged(town: Town, as_owner: None) -> None:
    row = Adjudication._base_manager.get(claim_line=line_of(1))
    Adjudication._base_manager.filter(pk=row.pk).update(gross=row.gross + 1, payable=row.payable + 1)
    page = text(town.browser("mariia").get(url("line_replay", line_of(1).pk)))
    assert "They were changed after the run" in page and "amount allowed" in page


def test_a_lifted_pend_says_what_changed(town: Town) -> None:
    lift(town.organisation, line_of(15), at=AT, reason="The act is signed")
    judge(town.organisation)
    page = text(town.browser("nadiia").get(url("claim_line", line_of(15).pk)))
    assert "What changed from run 2025-11/1 to run 2025-11/2" in page
    assert "was lifted by decision: The act is signed." in page


def claimed_again(town: Town, number: int = 8, **changes: object) -> ClaimLine:
    """A line in a claim of its own, after its claim was taken back."""
    again = line_of(number)
    reverse_claim(organisation=town.organisation, claim_id=town.claim.pk, reason="error", actor=SYSTEM, at=AT)
    judge(town.organisation)
    claim = town.claim
    claim.pk, claim.number, claim.run, claim.status = None, "A-2", None, "draft"
    claim.save(force_insert=True)
    again.pk, again.claim, again.unit_rate_e4, again.amount_e4 = None, claim, 800_000, again.units_milli * 800
    for name, value in changes.items():
        setattr(again, name, value)
    again.save(force_insert=True)
    return again


@pytest.mark.parametrize("changes", [{}, {"redemption_code": "", "redemption": None}], ids=["code", "no code"])
def test_a_line_that_is_claimed_again_is_compared_with_the_one_taken_back(
    town: Town, changes: dict[str, object]
) -> None:
    old, again = line_of(8), claimed_again(town, **changes)
    type(again.claim).objects.filter(pk=again.claim_id).update(status="submitted")
    judge(town.organisation)
    page = text(town.browser("nadiia").get(url("claim_line", again.pk)))
    assert "What changed since the claim that was taken back" in page
    assert url("claim_line", old.pk) in page and "Claimed" in page and "became" in page


@pytest.mark.parametrize(
    "changes", [{"service_date": date(2025, 11, 29)}, {"number": 1}, {"twin": True}], ids=["day", "two then", "two now"]
)
def test_a_line_without_a_code_is_compared_only_with_the_one_it_must_be(town: Town, changes: dict[str, Any]) -> None:
    twin = changes.get("twin")
    rest = {name: value for name, value in changes.items() if name != "twin"}
    again = claimed_again(town, redemption_code="", redemption=None, **rest)
    claim = again.claim
    if twin:
        again.pk, again.line = None, again.line + 1
        again.save(force_insert=True)
    assert line_taken_back(claim, again) is None
