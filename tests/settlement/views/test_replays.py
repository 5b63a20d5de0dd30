"""The receipt of a line, its decision judged again for whoever reads the line, and what changed, in words."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from config.audit.actors import SYSTEM
from config.office.jobs import run_job
from config.office.models import Job
from contracts.models import NormCost
from settlement import run_jobs
from settlement.actions.claims import reverse_claim
from settlement.actions.line_replays import REPLAY_LINE
from settlement.line_queries import line_taken_back
from settlement.models import Adjudication, ClaimLine
from settlement.views import replays
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


def ordered(town: Town, username: str, number: int) -> str:
    browser = town.browser(username)
    return text(browser.post(url("line_replay_order", line_of(number).pk, town.run.pk), follow=True))


def test_a_line_of_a_large_run_is_judged_again_by_a_job(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = text(town.browser("nadiia").get(url("line_replay", line_of(1).pk)))
    monkeypatch.setattr(replays, "LINES_AT_ONCE", 0)
    browser, verdict = town.browser("nadiia"), "Line 1 in run 2025-11/1 judged again comes out the same"
    page = text(browser.get(url("line_replay", line_of(1).pk)))
    assert "takes a minute or two" in page and "Judge again" in page and verdict not in page and verdict in at_once
    assert "The run is being judged again" in ordered(town, "nadiia", 1)
    ordered(town, "nadiia", 1)
    job = Job.objects.get(kind=REPLAY_LINE)
    run_job(job.pk)
    run_jobs.replay_line(job)
    job.refresh_from_db()
    assert job.state == "done" and not job.error
    page = text(browser.get(url("line_replay", line_of(1).pk)))
    assert verdict in page and "Nothing changed between the two decisions." in page
    (decision,) = browser.get(url("line_replay", line_of(1).pk), {"format": "json"}).json()["decisions"]
    assert decision["replay"]["equal"] and decision["receipt"]["run"]["digest"] == town.run.digest
    browser.cookies["language"] = "uk"
    assert "Між двома рішеннями нічого не змінилося" in text(browser.get(url("line_replay", line_of(1).pk)))


def test_a_damaged_row_of_a_large_run_is_shown_too(
    town: Town, as_owner: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replays, "LINES_AT_ONCE", 0)
    row = Adjudication._base_manager.get(claim_line=line_of(1))
    Adjudication._base_manager.filter(pk=row.pk).update(gross=row.gross + 1, payable=row.payable + 1)
    ordered(town, "mariia", 1)
    run_jobs.replay_line(Job.objects.get(kind=REPLAY_LINE))
    page = text(town.browser("mariia").get(url("line_replay", line_of(1).pk)))
    assert "They were changed after the run" in page and "amount allowed" in page


def test_one_person_has_one_line_judged_again_at_a_time(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replays, "LINES_AT_ONCE", 0)
    ordered(town, "nadiia", 1)
    assert "Another line is being judged again for you" in ordered(town, "nadiia", 2)
    assert "The run is being judged again" in ordered(town, "halyna", 2)
    run_jobs.replay_line(job := Job.objects.earliest("pk"))
    Job.objects.filter(pk=job.pk).update(state="done")
    assert "Another line" not in ordered(town, "nadiia", 2)


def test_a_job_that_failed_says_so(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replays, "LINES_AT_ONCE", 0)
    ordered(town, "nadiia", 1)
    Job.objects.filter(kind=REPLAY_LINE).update(state="failed")
    assert "could not be judged again" in text(town.browser("nadiia").get(url("line_replay", line_of(1).pk)))


@pytest.mark.parametrize(("username", "status"), [("taras", 404), ("bohdan", 403), ("outsider", 403)])
def test_nobody_else_orders_it(town: Town, username: str, status: int) -> None:
    browser = town.browser(username)
    assert browser.post(url("line_replay_order", line_of(1).pk, town.run.pk)).status_code == status
    assert not Job.objects.filter(kind=REPLAY_LINE).exists()


def test_a_run_that_did_not_judge_the_line_is_not_found(town: Town) -> None:
    page = url("line_replay_order", line_of(1).pk, town.run.pk + 1)
    assert town.browser("nadiia").post(page).status_code == 404


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
