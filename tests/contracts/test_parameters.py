"""Reading dated law."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.utils.translation import override

from config.accounts.models import Organisation
from config.law_words import parameter_title
from contracts.models import Parameter
from contracts.parameters import ParameterBook, ParameterMissing, parameter_value

RECORDED = datetime(2025, 1, 1, tzinfo=UTC)
NOVEMBER = date(2025, 11, 10)


def _row(key: str, value: str, **changes: object) -> Parameter:
    fields = {"jurisdiction": "UA", "valid_from": date(2025, 1, 1), "recorded_at": RECORDED, "evidence": "V-SEC"}
    return Parameter.objects.create(key=key, value=value, **{**fields, **changes})


def test_the_national_value_holds_on_its_days(organisation: Organisation) -> None:
    row = _row("sm.test", "2361", valid_to=date(2026, 1, 1), act="Budget Law")
    _row("sm.test", "2595", valid_from=date(2026, 1, 1))
    value = parameter_value(organisation, "sm.test", date(2025, 12, 31))
    assert (value.id, value.value, value.act, value.unverified) == (row.pk, Decimal("2361"), "Budget Law", False)
    assert parameter_value(organisation, "sm.test", date(2026, 1, 1)).decimal == Decimal(2595)


def test_the_organisations_own_row_wins_and_is_not_seen_by_others(
    organisation: Organisation, other_organisation: Organisation
) -> None:
    _row("hold.test", "7")
    _row("hold.test", "3", organisation=organisation)
    assert parameter_value(organisation, "hold.test", NOVEMBER).whole == 3
    assert parameter_value(other_organisation, "hold.test", NOVEMBER).whole == 7


def test_a_general_row_serves_where_the_jurisdiction_has_none(organisation: Organisation) -> None:
    _row("general.test", "5", jurisdiction="GENERIC")
    _row("foreign.test", "6", jurisdiction="RU")
    assert parameter_value(organisation, "general.test", NOVEMBER).whole == 5
    with pytest.raises(ParameterMissing) as refusal:
        parameter_value(organisation, "foreign.test", NOVEMBER)
    assert refusal.value.code == "PARAMETER_MISSING"


@pytest.mark.parametrize(
    ("language", "title"),
    [("en", "working days for an appeal"), ("uk", "робочих днів на оскарження"), ("ru", "рабочих дней на обжалование")],
)
def test_a_missing_parameter_is_named_in_words(language: str, title: str) -> None:
    refusal = ParameterMissing(key="claim.appeal_days", on=NOVEMBER)
    with override(language):
        assert f"«{parameter_title('claim.appeal_days')}»" in refusal.sentence
        assert "claim.appeal_days" not in refusal.sentence
        assert title in refusal.sentence
    assert refusal.params["key"] == "claim.appeal_days"


def test_what_was_recorded_later_is_not_known_before(organisation: Organisation) -> None:
    _row("late.test", "9", recorded_at=datetime(2025, 12, 1, tzinfo=UTC))
    assert parameter_value(organisation, "late.test", NOVEMBER).whole == 9
    with pytest.raises(ParameterMissing):
        parameter_value(organisation, "late.test", NOVEMBER, known_at=datetime(2025, 11, 1, tzinfo=UTC))


def test_a_book_is_two_queries_and_answers_like_the_single_reader(
    organisation: Organisation, django_assert_num_queries: object
) -> None:
    _row("book.a", "1")
    _row("book.b", "EXCESS_CAP", evidence="MEM")
    _row("other.c", "true")
    with django_assert_num_queries(2):  # type: ignore[operator]  # values, and what was confirmed of them
        book = ParameterBook.load(organisation, ("book.", "other."))
    assert book.value("book.a", NOVEMBER).value == Decimal(1)
    assert book.value("book.b", NOVEMBER).value == "EXCESS_CAP"
    assert book.value("book.b", NOVEMBER).unverified
    assert book.value("other.c", NOVEMBER).flag
    assert book.get("book.c", NOVEMBER) is None
    assert book.get("book.a", date(2024, 12, 31)) is None
