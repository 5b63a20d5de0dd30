"""Values look like the others of their key."""

from __future__ import annotations

import pytest

from contracts.rules.parameter_values import Shape, ValueShape, read_value, shape_of


@pytest.mark.parametrize(
    ("unit", "known", "kind"),
    [
        ("boolean", {"true"}, Shape.FLAG),
        ("month-day", {"01-15", "04-01"}, Shape.MONTH_DAY),
        ("percent", {"15"}, Shape.DECIMAL),
        ("working days", {"5", "10"}, Shape.WHOLE),
        ("working days", {"0.5", "10"}, Shape.DECIMAL),
        ("", {"2920.00"}, Shape.DECIMAL),
        ("calendar days", {"60,30,7"}, Shape.LIST),
        ("method", {"DIRECT_PAY", "DIRECT_COST"}, Shape.CHOICE),
        ("formula", {"A = B + C"}, Shape.TEXT),
    ],
)
def test_the_shape_is_told_by_unit_and_values(unit: str, known: set[str], kind: Shape) -> None:
    assert shape_of(unit, known).kind is kind


@pytest.mark.parametrize(
    ("kind", "text", "kept"),
    [
        (Shape.DECIMAL, "1 234,50", "1234.50"),
        (Shape.DECIMAL, " 15 ", "15"),
        (Shape.WHOLE, "7", "7"),
        (Shape.MONTH_DAY, "12-31", "12-31"),
        (Shape.MONTH_DAY, "31.12", "12-31"),
        (Shape.MONTH_DAY, "5.2.", "02-05"),
        (Shape.MONTH_DAY, "02-29", "02-29"),
        (Shape.LIST, "60; 30;7", "60,30,7"),
        (Shape.TEXT, "A = B", "A = B"),
    ],
)
def test_what_is_kept(kind: Shape, text: str, kept: str) -> None:
    assert read_value(ValueShape(kind), text) == kept


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *((Shape.DECIMAL, text) for text in ("", "  ", "abc", "-1", "NaN", "1e9", "1,2,3", "15%")),
        *((Shape.WHOLE, text) for text in ("7.5", "7,0", "seven", "-7", "9" * 20)),
        *((Shape.MONTH_DAY, text) for text in ("31.02", "13-01", "00-10", "15", "01-15-2025", "²-01")),
        *((Shape.LIST, text) for text in ("60,x", ",", "60,,7")),
    ],
)
def test_what_is_refused(kind: Shape, text: str) -> None:
    with pytest.raises(ValueError):
        read_value(ValueShape(kind), text)


def test_a_choice_is_one_of_its_options() -> None:
    flag = shape_of("boolean", {"true"})
    assert read_value(flag, "false") == "false"
    with pytest.raises(ValueError):
        read_value(flag, "maybe")
