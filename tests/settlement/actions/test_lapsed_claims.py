"""Returned claims that nobody corrected: rejected on the day after the term, once, with their visits free again."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pypdf import PdfReader

from config.audit.actors import SYSTEM
from config.audit.models import AuditEvent
from config.office.models import OutboxMessage
from config.states import InvalidMove
from contracts.actions.reference import load_reference
from settlement import tasks
from settlement.actions import claims
from settlement.actions.lapsed_claims import reject_uncorrected
from settlement.claim_letter import claim_letter
from settlement.claim_queries import unclaimed_visits
from settlement.models import Claim, ClaimReturn
from tests.conftest import AT
from tests.settlement.actions.month import judge
from tests.settlement.views.town import Town, settled_town, url
from vouchers.models import Redemption
from vouchers.queries import claim_of

pytestmark = pytest.mark.django_db
DECEMBER = date(2025, 12, 1)
LAST_DAY = date(2025, 12, 10)


@pytest.fixture
def town(tmp_path: Path) -> Town:
    load_reference(at=AT)
    return settled_town(tmp_path)


def by(town: Town, name: str, at: datetime = AT) -> dict[str, Any]:
    return {"organisation": town.organisation, "actor": town.users[name].as_actor(), "at": at}


def returned(town: Town) -> Claim:
    """A claim of December, submitted and sent back with a term until the tenth."""
    made = claims.create_claim_from_redemptions(
        **by(town, "nadiia"), provider=town.claim.provider, contract=town.claim.contract, period=DECEMBER
    )
    claims.submit_claim(**by(town, "nadiia"), claim_id=made.pk)
    claims.return_claim(**by(town, "halyna"), claim_id=made.pk, reason="не той тариф")
    assert ClaimReturn.objects.get(claim=made).correct_by == LAST_DAY
    return made


def lapse(town: Town, at: datetime) -> list[Claim]:
    return reject_uncorrected(organisation=town.organisation, actor=SYSTEM, at=at)


# Midnight in Kyiv is 22:00 of the day before in universal time.
BEFORE = datetime(2025, 12, 10, 21, 59, tzinfo=UTC)
AFTER = datetime(2025, 12, 10, 22, 0, tzinfo=UTC)


def test_the_last_day_counts_and_the_next_one_rejects(town: Town) -> None:
    claim = returned(town)
    assert lapse(town, BEFORE) == [] and Claim.objects.get(pk=claim.pk).status == "returned"
    assert lapse(town, AFTER) == [claim]
    found = Claim.objects.get(pk=claim.pk)
    assert (found.status, found.status_at, found.run) == ("rejected", AFTER, None)
    (event,) = AuditEvent.objects.filter(action="claims.lapsed")
    assert event.data == {"count": 1, "codes": [claim.number]} and event.actor == "system"
    assert f"settlement.claim:{claim.pk}" in event.objects_touched
    (message,) = OutboxMessage.objects.filter(code="claim.lapsed")
    assert (message.user, message.params["correct_by"]) == (town.users["nadiia"], "2025-12-10")


def test_again_changes_nothing(town: Town) -> None:
    returned(town)
    assert len(lapse(town, AFTER)) == 1
    assert lapse(town, AFTER + timedelta(days=1)) == []
    assert AuditEvent.objects.filter(action="claims.lapsed").count() == 1
    assert OutboxMessage.objects.filter(code="claim.lapsed").count() == 1


def test_what_was_corrected_in_time_is_left_alone(town: Town) -> None:
    claim = returned(town)
    claims.submit_claim(**by(town, "nadiia", BEFORE), claim_id=claim.pk)
    assert lapse(town, AFTER) == []
    claims.return_claim(**by(town, "halyna", AFTER), claim_id=claim.pk, reason="ще раз")
    assert lapse(town, AFTER + timedelta(days=1)) == []  # the term of the second return counts


def test_the_claims_of_another_office_are_left_alone(town: Town, other_organisation: Any) -> None:
    claim = returned(town)
    assert reject_uncorrected(organisation=other_organisation, actor=SYSTEM, at=AFTER) == []
    assert Claim.objects.get(pk=claim.pk).status == "returned"


def test_its_visits_are_free_for_a_new_claim(town: Town) -> None:
    claim = returned(town)
    visit = Redemption.objects.get(code="D1")
    assert unclaimed_visits(town.claim.provider) == [] and claim_of(visit) == claim.number
    lapse(town, AFTER)
    assert [row.visits for row in unclaimed_visits(town.claim.provider)] == [2] and claim_of(visit) == ""
    again = claims.create_claim_from_redemptions(
        **by(town, "nadiia", AFTER), provider=town.claim.provider, contract=town.claim.contract, period=DECEMBER
    )
    claims.submit_claim(**by(town, "nadiia", AFTER), claim_id=again.pk)
    run = judge(town.organisation, at=AFTER, period=DECEMBER, as_of=date(2026, 1, 1))
    assert run is not None and run.lines == 2
    assert set(run.adjudications.values_list("claim", flat=True)) == {again.pk}


def test_it_was_never_judged_so_nothing_can_be_taken_back(town: Town) -> None:
    claim = returned(town)
    lapse(town, AFTER)
    with pytest.raises(claims.NotReversible):
        claims.reverse_claim(**by(town, "halyna", AFTER), claim_id=claim.pk, reason="x")
    with pytest.raises(InvalidMove):
        claims.submit_claim(**by(town, "nadiia", AFTER), claim_id=claim.pk)


def test_the_page_and_the_letter_say_so(town: Town) -> None:
    claim = returned(town)
    lapse(town, AFTER)
    page = town.browser("nadiia").get(url("claim", claim.pk)).content.decode()
    assert "rejected without being judged" in page
    assert "Take the whole claim back" not in town.browser("halyna").get(url("claim", claim.pk)).content.decode()
    letter = claim_letter(Claim.objects.select_related("organisation", "provider").get(pk=claim.pk))
    text = " ".join(PdfReader(io.BytesIO(letter)).pages[0].extract_text().split())
    assert "не той тариф" in text and "10.12.2025" in text and claim.number in text


def test_many_claims_take_as_many_queries_as_one(town: Town) -> None:
    def spent(count: int) -> int:
        for number in range(count):
            claim = Claim.objects.create(
                organisation=town.organisation, provider=town.claim.provider, period=DECEMBER, recorded_at=AT,
                number=f"R-{count}-{number}", status="returned",
            )  # fmt: skip
            ClaimReturn.objects.create(claim=claim, version=1, reason="x", correct_by=LAST_DAY, recorded_at=AT)
        with CaptureQueriesContext(connection) as queries:
            assert len(lapse(town, AFTER)) == count
        return len(queries)

    assert spent(1) == spent(40)


def test_the_command_and_the_clock_do_it(town: Town) -> None:
    claim = returned(town)
    told = io.StringIO()
    call_command("reject_uncorrected", "--json", stdout=told)
    assert json.loads(told.getvalue()) == {"claims": []}
    town.organisation.clock_offset += timedelta(days=30)
    town.organisation.save()
    tasks.reject_claims_uncorrected()
    assert Claim.objects.get(pk=claim.pk).status == "rejected"
    call_command("reject_uncorrected", stdout=told)
    assert AuditEvent.objects.filter(action="claims.lapsed").count() == 1
