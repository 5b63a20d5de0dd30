"""Reads of the procurement app that rest on dated law."""

from __future__ import annotations

from datetime import date

import pytest

from procurement.queries import decision_deadlines
from tests.road import Road

pytestmark = pytest.mark.django_db


def test_social_orders_are_decided_until_the_day_of_the_act_or_the_next_working_day(road: Road) -> None:
    assert road.law
    days = {}
    for year in (2024, 2025):
        found = decision_deadlines(road.organisation, year)
        assert found is not None
        days[year] = (found.fixed.nominal, found.fixed.due)
    assert days == {
        2024: (date(2024, 3, 1), date(2024, 3, 1)),
        2025: (date(2025, 3, 1), date(2025, 3, 3)),
    }


def test_a_jurisdiction_without_such_a_day_shows_none(road: Road) -> None:
    assert road.law
    road.organisation.jurisdiction = "RU"
    assert decision_deadlines(road.organisation, 2025) is None
