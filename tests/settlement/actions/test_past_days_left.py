"""What is put right for past days leaves no day bare, outlives nothing, and the source of before stays known."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from config.office.models import EarlierVersion
from contracts.actions import norms, past_norms
from contracts.actions.parameters import Source
from contracts.actions.past_norms import approve_past_norm
from contracts.actions.past_parameters import approve_past_parameter, settled_by_value
from contracts.models import NormCost, Parameter
from contracts.parameters import ParameterBook, confirmations
from contracts.queries import norm_cost_on, unverified_parameters
from tests.settlement.actions.corrected_town import LEARNT, closed_town
from tests.settlement.actions.put_right import (
    BASIS,
    SINCE,
    draft_norm,
    propose_value,
    put_norm_right,
    put_parameter_right,
    put_price_right,
)
from tests.settlement.views.town import Town

pytestmark = pytest.mark.django_db
HOURS = "worker.hours_per_day_max"
NINTH = date(2025, 11, 9)
DECEMBER = date(2025, 12, 1)


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return closed_town(tmp_path)


def held(town: Town, on: date) -> NormCost | None:
    return norm_cost_on(organisation=town.organisation, service=NormCost.objects.all()[0].service, on=on)


def own_value(town: Town, value: str = "11", **changes: Any) -> Parameter:
    said = {"valid_from": date(2025, 1, 1), "recorded_at": LEARNT - timedelta(days=100), **changes}
    where = {"organisation": town.organisation, "jurisdiction": town.organisation.jurisdiction}
    return Parameter.objects.create(**where, key=HOURS, value=value, **said)


def test_a_norm_that_ends_before_the_one_it_replaces_is_refused(town: Town) -> None:
    was = NormCost.objects.get()
    with pytest.raises(norms.NormLeavesDays) as refused:
        draft_norm(town, "-2.31", until=NINTH)
    assert refused.value.code == "NORM_LEAVES_DAYS" and refused.value.params == {"day": "09.11.2025"}
    assert list(NormCost.objects.all()) == [was] and held(town, NINTH) == was
    # Without an end, and a second draft for what holds again.
    right = put_norm_right(town, "-2.31")
    again = put_norm_right(town, since=NINTH, at=LEARNT + timedelta(minutes=1))
    assert (held(town, SINCE), held(town, NINTH)) == (right, again)


def test_a_norm_that_came_to_leave_days_is_refused_at_its_approval(town: Town) -> None:
    """The norm on record ended with November when the draft was written; then it went on."""
    was = NormCost.objects.get()
    was.change(at=LEARNT, valid_to=DECEMBER)
    norm = draft_norm(town, "-2.31", until=DECEMBER)
    was.change(at=LEARNT, valid_to=None)
    with pytest.raises(norms.NormLeavesDays):
        approve_past_norm(norm=norm, actor=town.users["oksana"].as_actor(), at=LEARNT)
    was.refresh_from_db()
    norm.refresh_from_db()
    assert (was.valid_to, norm.status) == (None, "draft")
    was.change(at=LEARNT, valid_to=DECEMBER)
    approve_past_norm(norm=norm, actor=town.users["oksana"].as_actor(), at=LEARNT)
    assert (held(town, date(2025, 11, 30)), held(town, DECEMBER)) == (norm, None)


def test_a_norm_before_the_first_one_lasts_until_it_begins(town: Town) -> None:
    was = NormCost.objects.get()
    start = was.valid_from - timedelta(days=60)
    with pytest.raises(norms.NormLeavesDays):
        draft_norm(town, "-2.31", since=start, until=was.valid_from - timedelta(days=1))
    norm = draft_norm(town, "-2.31", since=start, until=was.valid_from)
    approve_past_norm(norm=norm, actor=town.users["oksana"].as_actor(), at=LEARNT)
    assert (held(town, start), held(town, was.valid_from)) == (norm, was)


def test_of_two_drafts_at_once_the_later_sees_what_the_earlier_left(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    was, oksana = NormCost.objects.get(), town.users["oksana"].as_actor()
    first, second = draft_norm(town, "-2.31", since=date(2025, 11, 5)), draft_norm(town, "-1.31", since=NINTH)
    lock, waited = past_norms.lock_rows, list[Any]()

    def waits(rows: Any) -> Any:
        """The rows of the key are free when the other approval has ended."""
        found = rows.model is NormCost and any(row.status == "approved" for row in rows)
        if found and not waited:
            waited.append(rows)
            was.change(at=LEARNT, valid_to=first.valid_from)
            first.move_to("approved", at=LEARNT, approver_id=oksana.user_id)
        return lock(rows)

    monkeypatch.setattr(past_norms, "lock_rows", waits)
    approve_past_norm(norm=second, actor=oksana, at=LEARNT + timedelta(seconds=1))
    first.refresh_from_db()
    assert waited and (first.valid_to, second.valid_to) == (NINTH, None)
    assert (held(town, date(2025, 11, 8)), held(town, NINTH)) == (first, second)


def test_a_value_holds_no_longer_than_the_own_one_it_replaces(town: Town) -> None:
    was = own_value(town, valid_to=DECEMBER)
    proposal = propose_value(town, HOURS, "10")
    assert [row.month for row in settled_by_value(proposal).months] == [SINCE]
    made = approve_past_parameter(proposal=proposal, actor=town.users["oksana"].as_actor(), at=LEARNT)
    was.refresh_from_db()
    assert (was.valid_to, made.valid_to) == (SINCE, DECEMBER)
    read = ParameterBook.load(town.organisation, HOURS)
    assert [read.value(HOURS, day).text for day in (NINTH, DECEMBER)] == ["10", "12"]


def test_a_value_holds_no_longer_than_the_national_one_it_replaces(town: Town) -> None:
    national = Parameter.objects.get(organisation=None, key=HOURS, jurisdiction="UA")
    national.change(at=LEARNT, valid_to=DECEMBER)
    assert put_parameter_right(town, HOURS, "10").valid_to == DECEMBER


def test_a_value_holds_at_most_until_the_next_own_one(town: Town) -> None:
    own_value(town, "9", valid_from=NINTH)
    assert put_parameter_right(town, HOURS, "10").valid_to == NINTH


def test_the_source_of_before_is_known_as_of_before_and_the_new_one_confirms_nothing(town: Town) -> None:
    own_value(town, valid_from=SINCE, act="рішення № 1", article="п. 3", evidence="V-TEXT", note="як було")
    proposal = propose_value(town, HOURS, "10", source=Source("рішення № 6", "MEM", "п. 9"))
    approve_past_parameter(proposal=proposal, actor=town.users["oksana"].as_actor(), at=LEARNT)
    before = ParameterBook.load(town.organisation, HOURS, known_at=LEARNT - timedelta(days=1)).value(HOURS, SINCE)
    now = ParameterBook.load(town.organisation, HOURS).value(HOURS, SINCE)
    assert (before.text, before.act, before.article, before.unverified) == ("11", "рішення № 1", "п. 3", False)
    assert (now.text, now.act, now.article, now.unverified) == ("10", "рішення № 6", "п. 9", True)
    proposal.refresh_from_db()
    assert proposal.status == "approved" and not confirmations(town.organisation).exists()
    assert HOURS in unverified_parameters(town.organisation, SINCE).values_list("key", flat=True)


def test_the_paper_of_a_price_said_anew_stays_among_the_earlier_versions(town: Town) -> None:
    row = put_price_right(town, "92.00")
    said_anew = put_price_right(town, "91.00", basis="додаткова угода № 3", at=LEARNT + timedelta(minutes=1))
    assert (said_anew.pk, said_anew.amendment) == (row.pk, "додаткова угода № 3")
    [before] = EarlierVersion.objects.filter(table_name="contracts_contractline", row_id=row.pk)
    assert (before.was["amendment"], before.was["unit_rate"]) == (BASIS, 92)
