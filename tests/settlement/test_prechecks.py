"""A claim is checked before it is submitted: the same decisions and words as later, and nothing is written."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from config.audit.actors import SYSTEM
from config.interchange.settling import settle_month
from config.office.storage import attach
from config.states import InvalidMove
from config.statuses import label_of_status
from contracts.models import Contract, Provider
from settlement import prechecks
from settlement.actions import claims
from settlement.claim_letter import checks_in_words, explain
from settlement.claim_rows import LineDraft
from settlement.judging import law_of
from settlement.line_queries import claim_lines, claim_totals, outcome_counts
from settlement.models import Claim
from settlement.own_facts_queries import CLAIM_FILE
from settlement.prechecks import Precheck, precheck
from settlement.run_queries import following_number
from settlement.run_tables import create_run_tables
from tests.oracle.generate import generate
from tests.settlement.actions.month import AT, imported, judge
from tests.settlement.views.town import Town, settled_town, url
from vouchers.models import Redemption

pytestmark = pytest.mark.django_db
DECEMBER = date(2025, 12, 1)
SOUND = LineDraft("015.1", DECEMBER, Decimal("1.5"), Decimal("95"), "C1", "D1", "W1")
LINES = (
    SOUND,
    replace(SOUND, redemption_code="D2", service_date=date(2025, 12, 2), unit_rate=Decimal(98)),
    replace(SOUND, redemption_code="", service_date=date(2025, 12, 2)),
    replace(SOUND, certificate_number="none", redemption_code=""),
    replace(SOUND, service_date=date(2025, 11, 25), redemption_code=""),
    replace(SOUND, service_date=date(2025, 12, 30), redemption_code=""),
)


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return settled_town(tmp_path)


def draft(town: Town, *lines: LineDraft, at: Any = AT) -> Claim:
    return claims.create_claim(
        organisation=town.organisation, provider=Provider.objects.get(code="P1"), contract=Contract.objects.get(),
        period=DECEMBER, lines=timed(lines or LINES), actor=SYSTEM, at=at,
    )  # fmt: skip


def timed(lines: tuple[LineDraft, ...]) -> list[LineDraft]:
    """Each line with the times of its redemption, if it names one."""
    times = {row.code: (row.starts_at, row.ends_at) for row in Redemption.objects.filter(code__in=["D1", "D2"])}
    found = [(line, times.get(line.redemption_code, (None, None))) for line in lines]
    return [replace(line, starts_at=starts, ends_at=ends) for line, (starts, ends) in found]


def submit(town: Town, claim: Claim) -> Claim:
    return claims.submit_claim(organisation=town.organisation, claim_id=claim.pk, actor=SYSTEM, at=AT)


def told(checked: Precheck) -> list[tuple[Any, ...]]:
    """Everything that is said about each line."""
    return [
        (row.line.pk, words, steps)
        for row in checked.explain(claim_lines(checked.claim))
        for _run, words, steps in row.runs
    ]


def test_what_is_foretold_is_what_the_run_decides_in_the_same_words(town: Town) -> None:
    claim = draft(town)
    checked = precheck(claim, at=AT)
    foretold = told(checked)
    submit(town, claim)
    judge(town.organisation, period=DECEMBER)
    decided = explain(claim, list(claim_lines(claim)))
    assert foretold == [(row.line.pk, words, steps) for row in decided for _run, words, steps in row.runs]
    assert checked.counts == outcome_counts(claim)
    assert checked.totals == claim_totals(claim)
    assert checked.checks == checks_in_words(claim)
    assert {"accepted", "rejected", "pended", "reduced"} == set(checked.counts)


def rows_of_all_tables() -> dict[str, int]:
    return {model._meta.db_table: model._default_manager.count() for model in apps.get_models()}


def test_nothing_is_written(town: Town) -> None:
    claim = draft(town)
    before, was = rows_of_all_tables(), Claim.objects.filter(pk=claim.pk).values().get()
    precheck(claim, at=AT)
    assert rows_of_all_tables() == before
    assert Claim.objects.filter(pk=claim.pk).values().get() == was


def test_the_moment_counts_as_that_of_submission(town: Town) -> None:
    claim = draft(town)
    late = precheck(claim, at=AT + timedelta(days=400))
    assert {row["check_code"] for row in late.checks} >= {"CLM-32"}
    assert "CLM-32" not in {row["check_code"] for row in precheck(claim, at=AT).checks}


def test_claims_of_the_provider_that_wait_come_first(town: Town) -> None:
    alone = draft(town, SOUND)
    assert precheck(alone, at=AT).counts == {"accepted": 1}
    submit(town, draft(town, SOUND))
    checked = precheck(alone, at=AT + timedelta(minutes=1))
    assert checked.counts == {"rejected": 1}
    assert {row["check_code"] for row in checked.checks} >= {"CLM-20"}


def test_a_claim_that_is_being_taken_back_stands_in_nobodys_way(town: Town) -> None:
    """What is made instead of it is judged by the run that takes it back."""
    first = submit(town, draft(town, SOUND))
    judge(town.organisation, period=DECEMBER)
    instead = draft(town, SOUND)
    assert precheck(instead, at=AT).counts == {"rejected": 1}
    claims.reverse_claim(organisation=town.organisation, claim_id=first.pk, reason="помилка", actor=SYSTEM, at=AT)
    checked = precheck(instead, at=AT)
    foretold = told(checked)
    assert checked.counts == {"accepted": 1}
    submit(town, instead)
    judge(town.organisation, period=DECEMBER)
    decided = explain(instead, list(claim_lines(instead)))
    assert foretold == [(row.line.pk, words, steps) for row in decided for _run, words, steps in row.runs]


def test_what_others_claim_and_is_not_decided_stays_theirs(town: Town) -> None:
    other = submit(town, draft(town, SOUND))
    Claim.objects.filter(pk=other.pk).update(provider=Provider.objects.get(code="P9"))
    assert precheck(draft(town, SOUND), at=AT).counts == {"accepted": 1}


def test_only_what_can_be_submitted_is_checked(town: Town) -> None:
    with pytest.raises(InvalidMove) as refused:
        precheck(town.claim, at=AT)
    assert refused.value.params == {"status": town.claim.status, "target": "submitted"}
    with override("uk"):
        present, wanted = label_of_status(town.claim.status), label_of_status("submitted")
        assert f"«{present}» і не може стати «{wanted}»" in refused.value.sentence and present != town.claim.status
        again = InvalidMove(status="submitted", target="submitted").sentence
        assert again.startswith(f"Цей запис уже має стан «{wanted}»")


def test_the_page_shows_each_line_and_submits(town: Town) -> None:
    claim = draft(town)
    browser = town.browser("nadiia")
    assert url("claim_precheck", claim.pk) in browser.get(url("claim", claim.pk)).content.decode()
    page = unescape(browser.get(url("claim_precheck", claim.pk)).content.decode())
    assert "There is no certificate «none», or its recipient is not on the register." in page
    assert page.count('<ol class="waterfall">') == len(LINES)
    assert url("claim_submit", claim.pk) in page
    one = unescape(browser.get(url("claim_precheck", claim.pk), {"outcome": "accepted"}).content.decode())
    assert one.count('<ol class="waterfall">') == 1
    assert Claim.objects.get(pk=claim.pk).status == "draft"


def test_others_do_not_see_it_and_a_decided_claim_has_none(town: Town) -> None:
    claim = draft(town)
    assert town.browser("taras").get(url("claim_precheck", claim.pk)).status_code == 404
    assert town.browser("halyna").get(url("claim_precheck", claim.pk)).status_code == 403
    answer = town.browser("nadiia").get(url("claim_precheck", town.claim.pk), follow=True)
    assert "note bad" in answer.content.decode()


def test_the_number_of_queries_does_not_depend_on_lines(town: Town) -> None:
    def queries(*lines: LineDraft) -> int:
        checked = precheck(draft(town, *lines), at=AT)  # a COPY cannot be counted: one a table of facts
        with CaptureQueriesContext(connection) as context:
            told(checked)
        return len(context)

    assert queries(SOUND) == queries(*[replace(SOUND, redemption_code="")] * 30)


# --- Only what can have to do with a claim is read --------------------------------------------------------------------


def foretold(claim: Claim, monkeypatch: pytest.MonkeyPatch, kept: list[int], *, near: bool) -> list[list[Any]]:
    """Adjudications and findings of a claim, judged by what is near it or by all that the office ever paid."""
    with monkeypatch.context() as patched:
        patched.setattr(prechecks, "create_run_tables", partial(read_with, near, kept))
        law = law_of(claim.organisation, claim.period, AT)
        number = following_number(claim.organisation, claim.period)
        found = prechecks._judge(claim, number, law, AT)
    tables = (found.adjudications, found.findings, found.remittances)
    return [table.sort_values(list(table.columns)).to_numpy().tolist() for table in tables]


def read_with(wanted: bool, kept: list[int], cursor: Any, scope: dict[str, Any], *, near: bool) -> None:
    assert near  # what a pre-check asks for
    create_run_tables(cursor, scope, near=wanted)
    cursor.execute("SELECT count(*) FROM past_line")
    kept.append(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", [307, 310, 312, 320])
def test_what_is_near_a_claim_decides_it_as_everything_does(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Random months of towns in which a claim has nothing to do with some earlier lines; codes of a few were not known
    when they came.
    """
    office = imported(generate(seed, lines=120), tmp_path)
    read: dict[bool, list[int]] = {True: [], False: []}
    for period in sorted(set(Claim.objects.filter(status="submitted").values_list("period", flat=True))):
        for claim in Claim.objects.filter(status="submitted", period=period, reverses=None):
            told_near, told_all = (foretold(claim, monkeypatch, read[near], near=near) for near in (True, False))
            assert told_near == told_all and told_near[0]
        settle_month(organisation=office, period=period, as_of=date(2026, 12, 31), actor=SYSTEM, at=AT)
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute(FORGET)
            cursor.execute("SET session_replication_role = DEFAULT")
    fewer = [near for near, everything in zip(read[True], read[False], strict=True) if 0 < near < everything]
    assert fewer and max(read[False]) > 0


FORGET = """
UPDATE settlement_claimline SET worker_id = CASE WHEN id % 11 = 0 THEN NULL ELSE worker_id END,
    redemption_id = CASE WHEN id % 13 = 0 THEN NULL ELSE redemption_id END,
    certificate_id = CASE WHEN id % 7 = 0 THEN NULL ELSE certificate_id END
WHERE claim_id IN (SELECT id FROM settlement_claim WHERE status IN ('adjudicated', 'rejected', 'reversed'))
"""


def test_the_same_file_of_another_contract_is_foretold(town: Town) -> None:
    """Nothing but the file connects the two claims: neither contract, nor recipient, worker or visit."""
    other = Contract.objects.get()
    other.pk, other.number = None, "K2"
    other.save(force_insert=True)
    content = b"visits of November"
    attach(
        organisation=town.organisation, to=town.claim, kind=CLAIM_FILE, name="a.csv", content=content,
        content_type="text/csv", uploaded_by_id=None, at=AT,
    )  # fmt: skip
    stranger = replace(SOUND, certificate_number="none", worker_code="none", redemption_code="")
    made = {"period": DECEMBER, "contract": other, "lines": [stranger], "actor": SYSTEM, "at": AT}
    claim = claims.create_claim(
        organisation=town.organisation, provider=Provider.objects.get(code="P1"),
        files=[("b.csv", content, "text/csv")], **made,
    )  # fmt: skip
    assert "CLM-02" in {row["check_code"] for row in precheck(claim, at=AT).checks}
    submit(town, claim)
    judge(town.organisation, period=DECEMBER)
    assert "CLM-02" in {row["check_code"] for row in checks_in_words(claim)}
