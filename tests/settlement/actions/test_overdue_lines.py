"""Open bank lines have a last day; who may match them is told once of each that has passed it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from config.accounts.models import Organisation
from config.audit.actors import SYSTEM
from config.audit.models import AuditEvent
from config.office.models import OutboxMessage
from settlement import bank_queries, tasks
from settlement.actions.bank_lines import explain_line, undo_explanation
from settlement.actions.overdue_lines import chase_overdue_lines
from settlement.bank_queries import open_days, overdue_lines
from settlement.models import StatementLine
from tests.settlement.actions.clawback_town import DECIDED, ClawbackTown, clawback_town
from tests.trail import trail_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def town(tmp_path: Path) -> ClawbackTown:
    return clawback_town(tmp_path)


@pytest.fixture
def line(town: ClawbackTown) -> StatementLine:
    """Of an account on which nothing else is open."""
    by = town.who("ivan", DECIDED)["actor"].user_id
    StatementLine.objects.filter(status="unmatched").update(status="explained", explained_by=by)
    return town.receive((4_200, "без призначення")).lines.get()


def chase(town: ClawbackTown, days: int, line: StatementLine) -> list[StatementLine]:
    """So many days after the booking of the line."""
    at = DECIDED + (line.booked_on - DECIDED.date()) + timedelta(days=days)
    return chase_overdue_lines(organisation=town.office, actor=SYSTEM, at=at)


def told() -> dict[str, dict[str, object]]:
    rows = OutboxMessage.objects.filter(code="statement_lines.overdue").values_list("user__username", "params")
    return dict(rows)


def test_people_of_finance_are_told_on_the_day_after_the_last_one_and_once(
    town: ClawbackTown, line: StatementLine, other_organisation: Organisation
) -> None:
    days = open_days(town.office, line.booked_on)
    assert days == 10 and chase(town, days, line) == [] and told() == {}
    assert chase(town, days + 1, line) == [line]
    said = {"count": 1, "booked_on": line.booked_on.isoformat()}
    assert told() == {"halyna": said, "ivan": said}
    assert trail_for(line)[0].action == "statement_lines.overdue" and trail_for(line)[0].data == said
    events = AuditEvent.objects.count()
    assert chase(town, days + 2, line) == [] and (len(told()), AuditEvent.objects.count()) == (2, events)
    later = chase_overdue_lines(organisation=other_organisation, actor=SYSTEM, at=DECIDED + timedelta(days=99))
    assert later == [] and OutboxMessage.objects.filter(code="statement_lines.overdue").count() == 2


def test_another_line_is_told_of_by_itself_and_an_explained_one_not_at_all(
    town: ClawbackTown, line: StatementLine
) -> None:
    explained = {"line_id": line.pk, **town.who("halyna", DECIDED)}
    explain_line(explanation="Пожертва", **explained)
    assert chase(town, 30, line) == []
    undo_explanation(reason="помилка", **explained)
    second = town.receive((77, "ще")).lines.get()
    assert chase(town, 11, line) == [line]
    assert chase(town, 30, line) == [second] and OutboxMessage.objects.count() == 4


def test_a_line_that_was_opened_anew_is_told_of_anew(town: ClawbackTown, line: StatementLine) -> None:
    assert chase(town, 11, line) == [line] and chase(town, 12, line) == []
    who = {"line_id": line.pk, **town.who("halyna", DECIDED)}
    explain_line(explanation="Пожертва", **who)
    assert chase(town, 13, line) == []
    undo_explanation(reason="помилка", **who)
    assert chase(town, 14, line) == [line] and chase(town, 15, line) == []


def test_without_a_term_nothing_is_overdue(
    town: ClawbackTown, line: StatementLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(overdue_lines(town.office, line.booked_on + timedelta(days=11))) == [line]
    monkeypatch.setattr(bank_queries, "OPEN_DAYS", "bank.of_no_law")
    assert not overdue_lines(town.office, date(2027, 1, 1)) and chase(town, 400, line) == []


def test_the_clock_tells(town: ClawbackTown, line: StatementLine) -> None:
    """The task looks at every office by its own clock."""
    tasks.chase_lines_overdue()
    assert set(told()) == {"halyna", "ivan"}
