"""Numbers, days and moments as people type them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from config.accounts.models import Organisation
from config.form_fields import RowField, WholeField, day_field, moment_field, money_field, rate_field, units_field
from config.money import read_number

SAME = (
    "18 000,00",
    "18 000.00",
    "18\u00a0000,00",
    "18\u2009000,00",
    "18\u202f000.00",
    "18'000,00",
    "18.000,00",
    "18,000.00",
    "18000",
    " 18000,0 ",
)
NO_NUMBERS = ("abc", "1.2.3", "1,2,3", "12,34.5", "1..2", "NaN", "inf", "1e999", "--1", "9" * 60, "\x00", "12 грн")


@pytest.mark.parametrize("language", ["uk", "ru", "en"])
@pytest.mark.parametrize("text", SAME)
def test_every_way_to_write_an_amount_is_the_same(text: str, language: str) -> None:
    with translation.override(language):
        assert money_field("x").clean(text) == Decimal("18000.00")


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_what_is_no_number_is_a_field_error(text: str) -> None:
    for field in (money_field("x"), rate_field("x"), units_field("x"), WholeField()):
        with pytest.raises(ValidationError):
            field.clean(text)


@pytest.mark.parametrize(
    ("text", "value"), [("1.234.567", "1234567"), ("1,234,567.89", "1234567.89"), ("−5", "-5"), (",5", "0.5")]
)
def test_groups_and_signs(text: str, value: str) -> None:
    assert read_number(text) == Decimal(value)


def test_a_lone_comma_is_never_read_as_thousands() -> None:
    assert units_field("x").clean("18,000") == Decimal(18)
    with pytest.raises(ValidationError):
        money_field("x").clean("18,000")


def test_figures_are_shown_as_the_reader_writes_them() -> None:
    with translation.override("uk"):
        assert 'value="0,80"' in str(money_field("x").get_bound_field(_form(), "x").as_widget())


def _form() -> object:
    from django import forms

    return forms.Form(initial={"x": Decimal("0.80")})


def test_counts_fit_the_column() -> None:
    assert WholeField().clean("20 000") == 20000
    for text in ("2147483648", "1,5"):
        with pytest.raises(ValidationError):
            WholeField().clean(text)


@pytest.mark.parametrize("language", ["uk", "ru", "en"])
def test_days_are_read_the_same_in_every_language(language: str) -> None:
    with translation.override(language):
        assert day_field("x").clean("03.11.2025") == day_field("x").clean("2025-11-03") == date(2025, 11, 3)


@pytest.mark.parametrize("text", ["0001-01-01", "9999-12-31", "2025-02-30", "вчора", "\x00"])
def test_impossible_days_are_field_errors(text: str) -> None:
    with pytest.raises(ValidationError):
        day_field("x").clean(text)
    with pytest.raises(ValidationError):
        moment_field("x").clean(text + "T10:00")


@pytest.mark.parametrize(("language", "bound"), [("uk", "0,001"), ("ru", "0,001"), ("en", "0.001")])
def test_a_bound_is_told_as_figures_are_read(language: str, bound: str) -> None:
    field = units_field("", min_value=Decimal("0.001"))
    with translation.override(language), pytest.raises(ValidationError) as refused:
        field.clean("0")
    assert len(refused.value.messages) == 1 and bound in refused.value.messages[0]
    assert field.clean("0,001") == Decimal("0.001")


@pytest.mark.parametrize(("required", "words"), [(True, "Виберіть зі списку"), (False, "Нічого не вибрано")])
def test_a_list_begins_with_words(required: bool, words: str) -> None:
    field = RowField(Organisation.objects.none(), required=required)
    with translation.override("uk"):
        assert [str(label) for _key, label in field.choices] == [words]
