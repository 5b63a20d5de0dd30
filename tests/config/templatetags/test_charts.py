"""Charts: round axes, bars that end where their figures do, lines with gaps, words for those who do not see them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal as D
from typing import Any

import pytest
from django.template import Context, Template
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from config.templatetags.charts import BARS, BOTTOM, LINES, RIGHT, STACKED, TOP, Chart, Series, chart

MONTHS = [f"{number:02d}.2025" for number in range(1, 13)]


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


def drawn(kind: str, *values: list[Any], limits: list[Any] | None = None) -> dict[str, Any]:
    series = [Series(f"S{number}", row) for number, row in enumerate(values)]
    return chart(Chart(kind, "Title", MONTHS[: len(values[0])], series, [Series("Limit", limits)] if limits else []), 1)


def test_bars_on_top_of_each_other_reach_their_sum() -> None:
    lower, upper = drawn(STACKED, [D(30)], [D(70)])["bars"]
    assert (lower.y + lower.height, upper.y + upper.height, upper.y) == (BOTTOM, lower.y, TOP)
    assert lower.height / upper.height == pytest.approx(30 / 70, abs=0.01)
    assert lower.x == upper.x


def test_bars_side_by_side_share_a_place() -> None:
    first, second = drawn(BARS, [D(50)], [D(100)])["bars"]
    assert second.x == pytest.approx(first.x + first.width) and second.height == pytest.approx(2 * first.height)


def test_what_is_not_above_zero_has_no_bar() -> None:
    assert [bar.words for bar in drawn(STACKED, [D(-5), D(0), None, D(5)])["bars"]] == ["S0, 04.2025: 5.00"]


def test_a_line_begins_anew_after_a_gap() -> None:
    (line,) = drawn(LINES, [D(1), None, D(2), D(3)])["lines"]
    assert re.sub(r"[\d. ]", "", line.path) == "MML"
    assert len(line.points) == 3


def test_lines_far_above_zero_begin_nearer_and_bars_never() -> None:
    assert drawn(LINES, [D(440), D(448)])["ticks"][0][1] != "0"
    assert drawn(BARS, [D(440), D(448)])["ticks"][0][1] == "0"


def test_large_sums_are_written_in_thousands() -> None:
    told = chart(Chart(BARS, "T", ["01.2025"], [Series("S", [D(4_200_000)])]), 1, "₴")
    assert "₴" in told["unit"] and told["unit"] != "₴"
    assert told["ticks"][-1][1] == "6,000"


def test_many_months_name_the_year_once() -> None:
    labels = drawn(BARS, [D(1)] * 12)["labels"]
    assert [(words, year) for _x, words, year in labels][:2] == [("01", "2025"), ("02", "")]
    assert [words for _x, words, _year in drawn(BARS, [D(1)])["labels"]] == ["01.2025"]


def test_long_names_stand_below_with_their_numbers() -> None:
    names = ["ГО «Турбота» (вигадана)", "Державний центр реабілітації (вигаданий)", "А", "Б"]
    told = chart(Chart(BARS, "T", names, [Series("S", [D(1)] * 4)]), 1)
    assert told["names"] == names and [words for _x, words, _more in told["labels"]] == ["1", "2", "3", "4"]


def test_names_with_room_stand_under_their_bars_in_two_lines() -> None:
    told = chart(Chart(BARS, "T", ["ГО «Турбота» (вигадана)", "Б"], [Series("S", [D(1)] * 2)]), 1)
    assert not told["names"] and told["labels"][0][1:] == ("ГО «Турбота»", "(вигадана)")
    assert chart(Chart(LINES, "T", MONTHS[:6], [Series("S", [D(1)] * 6)]), 1)["names"] == []


def test_the_description_says_the_figures() -> None:
    found = Chart(LINES, "T", MONTHS[:3], [Series("Price", [D("92.86"), None, D("85.00")])]).description
    assert "Price" in found and "92.86" in found and "85.00" in found
    assert Chart(LINES, "T", MONTHS[:1], [Series("Price", [None])]).description == ""


def test_the_drawing_is_named_and_has_points_not_commas_in_its_places() -> None:
    chart_of_year = Chart(STACKED, "Назва <1>", MONTHS, [Series("S", [D("0.37")] * 12)])
    with translation.override("uk"):
        page = Template("{% load charts %}{% chart drawn 7 '₴' %}").render(Context({"drawn": chart_of_year}))
    assert 'aria-labelledby="chart-7-title chart-7-desc"' in page and "Назва &lt;1&gt;" in page
    places = re.findall(r' (?:x|y|width|height)="([^"]*)"', page)
    assert places and all(re.fullmatch(r"-?\d+(\.\d+)?", place) for place in places)


@given(
    st.lists(st.decimals("0.01", "9999999", places=2), min_size=1, max_size=12), st.sampled_from([BARS, LINES, STACKED])
)
def test_nothing_leaves_the_drawing(values: list[D], kind: str) -> None:
    told = drawn(kind, list(values), limits=[max(values) * 2] * len(values))
    heights = [bar.y for bar in told["bars"]]
    for line in (*told["lines"], *told["limits"]):
        heights += [y for _x, y, _words in line.points]
    assert all(TOP <= y <= BOTTOM for y in heights)
    assert all(bar.x + bar.width <= RIGHT for bar in told["bars"])
    assert 2 <= len(told["ticks"]) <= 7
