"""What was known before stays known: kept by the database, whoever writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from config.accounts.models import Organisation
from config.office.models import EarlierVersion
from config.versions import as_known, known_rows
from contracts.models import Parameter
from tests.conftest import AT
from vouchers.models import Absence, Recipient

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
Rows = list[tuple[Any, ...]]


@pytest.fixture
def recipient(organisation: Organisation) -> Recipient:
    return Recipient.objects.create(organisation=organisation, code="R-1", registered_at=AT)


@pytest.fixture
def stay(recipient: Recipient) -> Absence:
    """An open stay in hospital, learnt at AT, its end learnt two hours later."""
    row = Absence.objects.create(recipient=recipient, kind="hospital", from_date=date(2025, 11, 4), recorded_at=AT)
    row.change(at=AT + 2 * HOUR, to_date=date(2025, 11, 9))
    return row


def known(at: datetime) -> Rows:
    """Stays as known at a moment."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, kind, from_date, to_date FROM {as_known('vouchers_absence')} a "
            "WHERE recorded_at <= %(known_at)s ORDER BY id",
            {"known_at": at},
        )
        return cursor.fetchall()


def present() -> Rows:
    return list(Absence.objects.order_by("id").values_list("id", "kind", "from_date", "to_date"))


def test_an_end_is_known_from_the_moment_it_was_learnt(stay: Absence) -> None:
    open_stay = (stay.pk, "hospital", date(2025, 11, 4), None)
    ended = (stay.pk, "hospital", date(2025, 11, 4), date(2025, 11, 9))
    assert known(AT - HOUR) == []
    assert known(AT) == known(AT + HOUR) == [open_stay]
    assert known(AT + 2 * HOUR) == known(AT + 9 * HOUR) == [ended] == present()


def test_a_withdrawn_fact_is_still_known_as_of_before(stay: Absence) -> None:
    number = stay.pk
    stay.withdraw(at=AT + 3 * HOUR)
    assert present() == known(AT + 3 * HOUR) == []
    assert known(AT + 2 * HOUR) == [(number, "hospital", date(2025, 11, 4), date(2025, 11, 9))]
    assert known(AT) == [(number, "hospital", date(2025, 11, 4), None)]


def test_two_changes_at_one_instant_are_both_kept(stay: Absence) -> None:
    stay.change(at=AT + 2 * HOUR, to_date=date(2025, 11, 7))
    assert stay.changed_at == AT + 2 * HOUR + timedelta(microseconds=1)
    assert EarlierVersion.objects.count() == 2
    assert known(AT + 3 * HOUR)[0][3] == date(2025, 11, 7)


def test_what_is_learnt_later_is_not_known_before_what_is_known(stay: Absence) -> None:
    stay.change(at=AT - 5 * HOUR, to_date=date(2025, 11, 7))
    assert known(AT + 2 * HOUR)[0][3] == date(2025, 11, 9)
    assert known(AT + 3 * HOUR)[0][3] == date(2025, 11, 7)


def test_a_new_figure_of_law_leaves_the_old_one_known(organisation: Organisation) -> None:
    row = Parameter.objects.create(
        organisation=organisation, jurisdiction="UA", key="k", valid_from=date(2025, 1, 1), value="60", recorded_at=AT
    )
    row.change(at=AT + HOUR, value="30", valid_to=date(2026, 1, 1))
    found = [known_rows(Parameter.objects.filter(key="k"), moment)[0] for moment in (AT, AT + HOUR)]
    assert [(value.value, value.valid_to) for value in found] == [("60", None), ("30", date(2026, 1, 1))]


def test_the_moment_of_a_change_stays(stay: Absence) -> None:
    Absence.objects.update(changed_at=AT + 9 * HOUR)
    assert known(AT + 2 * HOUR)[0][3] == date(2025, 11, 9)
    stay.change(at=AT + 9 * HOUR, to_date=stay.to_date)
    assert EarlierVersion.objects.count() == 1


BENT: dict[str, str] = {
    "an end in place": "UPDATE vouchers_absence SET to_date = '2025-12-01'",
    "an end taken away": "UPDATE vouchers_absence SET to_date = NULL",
    "a start in place": "UPDATE vouchers_absence SET from_date = '2025-10-01'",
    "an end learnt before the last one": "UPDATE vouchers_absence SET to_date = '2025-12-01', "
    "changed_at = changed_at - interval '1 hour'",
    "the moment of the fact": "UPDATE vouchers_absence SET recorded_at = recorded_at - interval '1 year'",
    "the moment of the fact, with a change": "UPDATE vouchers_absence SET to_date = '2025-12-01', "
    "recorded_at = recorded_at - interval '1 year', changed_at = changed_at + interval '1 hour'",
    "a fact gone": "DELETE FROM vouchers_absence",
    "an earlier version rewritten": "UPDATE office_earlierversion SET was = '{}'",
    "an earlier version moved": "UPDATE office_earlierversion SET known_until = now()",
    "an earlier version gone": "DELETE FROM office_earlierversion",
    "earlier versions gone": "TRUNCATE office_earlierversion",
    "an earlier version made up": "INSERT INTO office_earlierversion (table_name, row_id, was, known_until) "
    "SELECT table_name, row_id, was, known_until + interval '1 day' FROM office_earlierversion",
}


@pytest.mark.parametrize("role", ["web", ""])
@pytest.mark.parametrize("statement", BENT.values(), ids=BENT.keys())
def test_history_cannot_be_bent(stay: Absence, statement: str, role: str) -> None:
    before = [known(AT + step * HOUR) for step in range(4)]
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        _become(cursor, role)
        cursor.execute(statement)
    assert [known(AT + step * HOUR) for step in range(4)] == before


def test_a_change_with_its_moment_passes_for_the_web_role(stay: Absence) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        _become(cursor, "web")
        cursor.execute(
            "UPDATE vouchers_absence SET to_date = '2025-12-01', changed_at = changed_at + interval '1 hour'"
        )
        cursor.execute("RESET ROLE")
    assert known(AT + 2 * HOUR)[0][3] == date(2025, 11, 9)
    assert known(AT + 3 * HOUR)[0][3] == date(2025, 12, 1)


def _become(cursor: Any, role: str) -> None:
    if role:
        cursor.execute(f"SET LOCAL ROLE {settings.DB_ROLE_PREFIX}{role}")


def test_a_death_is_learnt_once(recipient: Recipient) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        Recipient.objects.update(death_date=date(2025, 11, 3))
    Recipient.objects.update(death_date=date(2025, 11, 3), death_recorded_at=AT)
    for bent in ({"death_date": date(2025, 11, 5)}, {"death_recorded_at": AT - HOUR}, {"death_date": None}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Recipient.objects.update(**bent)


@dataclass
class Story:
    """Facts told hour by hour."""

    recipient: Recipient
    now: datetime = AT

    def learn(self, day: int) -> None:
        kinds = ("hospital", "residential", "away")
        for kind in kinds:
            start = date(2025, 11, day)
            if not Absence.objects.filter(kind=kind, from_date=start).exists():
                Absence.objects.create(recipient=self.recipient, kind=kind, from_date=start, recorded_at=self.now)
                return

    def end(self, day: int) -> None:
        row = self._some(day)
        if row is not None:
            row.change(at=self.now, to_date=row.from_date + timedelta(days=day))

    def reopen(self, day: int) -> None:
        row = self._some(day)
        if row is not None:
            row.change(at=self.now, to_date=None)

    def withdraw(self, day: int) -> None:
        row = self._some(day)
        if row is not None:
            row.withdraw(at=self.now)

    def _some(self, day: int) -> Absence | None:
        rows = list(Absence.objects.order_by("id"))
        return rows[day % len(rows)] if rows else None


steps = st.lists(st.tuples(st.sampled_from(["learn", "end", "reopen", "withdraw"]), st.integers(1, 28)), max_size=14)


@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(told=steps)
def test_as_of_any_moment_is_what_was_present_then(recipient: Recipient, told: list[tuple[str, int]]) -> None:
    with transaction.atomic():
        story, snapshots = Story(recipient), []
        for verb, day in told:
            tell: Callable[[int], None] = getattr(story, verb)
            tell(day)
            snapshots.append((story.now, present()))
            story.now += HOUR
        assert known(story.now) == present()
        assert [(moment, known(moment)) for moment, _rows in snapshots] == snapshots
        transaction.set_rollback(True)
