"""Words of the books."""

from __future__ import annotations

from settlement.book_queries import EVENTS, event_title
from settlement.rules.posting_plan import PLAN


def test_every_event_of_the_plan_has_words_and_nothing_else_has() -> None:
    assert set(PLAN) == set(EVENTS)
    assert not {event for event in PLAN if event_title(event) == event}
