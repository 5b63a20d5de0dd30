"""Figures for people: one minus sign wherever they are read, a hyphen in what programs read."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation

from config.figures import written
from config.money import read_number
from config.templatetags.components import figure
from config.templatetags.show import amount, e4, minor, rate, taken, units


@pytest.mark.parametrize("language", ["uk", "ru", "en"])
@pytest.mark.parametrize(
    ("show", "value"),
    [
        (minor, -10752745),
        (amount, Decimal("-107527.45")),
        (e4, -1075274500),
        (rate, -1075274500),
        (units, -1500),
        (figure, "-107527.45"),
        (taken, 6300),
    ],
)
def test_a_negative_figure_has_a_minus_sign(show: Callable[[Any], str], value: Any, language: str) -> None:
    with translation.override(language):
        shown = show(value)
    assert shown.startswith("\N{MINUS SIGN}")
    assert "-" not in shown


def test_what_is_taken_is_shown_as_taken_and_nothing_as_nothing() -> None:
    with translation.override("uk"):
        assert taken(0) == minor(0)
        assert taken(-6300) == minor(6300)


def test_a_figure_copied_from_a_page_is_read_again() -> None:
    with translation.override("uk"):
        assert read_number(written(Decimal("-107527.45"), "#,##0.00")) == Decimal("-107527.45")
