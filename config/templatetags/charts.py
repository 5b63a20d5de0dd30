"""Charts made by the server: bars side by side, bars on top of each other, lines. The table of the same figures stands
beside each, so that a chart needs to be read by nobody.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from math import ceil
from textwrap import wrap
from typing import Any

from django import template
from django.utils.translation import gettext

from config.figures import written

register = template.Library()

BARS, STACKED, LINES = "bars", "stacked", "lines"
Values = list[Decimal | None] | list[Decimal]

# A drawing that stays readable on a telephone: about as wide as one.
WIDTH, HEIGHT = 400, 250
LEFT, RIGHT, TOP, BOTTOM = 52, 392, 24, 214
LETTER, CROWDED = 7.8, 6
STEPS = (1, 2, 5, 10)
THOUSAND = 1000


@dataclass(frozen=True)
class Series:
    """A name and a figure for each label; None where there is none."""

    name: str
    values: Values


@dataclass(frozen=True)
class Chart:
    """What is drawn: ``series`` as bars or lines, ``limits`` as dashed lines over them;
    ``unit``: of the figures where they are no money.
    """

    kind: str
    title: str
    labels: list[str]
    series: list[Series]
    limits: list[Series] = field(default_factory=list)
    unit: str = ""

    @property
    def description(self) -> str:
        """The chart in a sentence for those who do not see it: each series with its first, last and highest figure."""
        return " ".join(filter(None, (_told(found, self.labels) for found in [*self.series, *self.limits])))


def _told(series: Series, labels: list[str]) -> str:
    known = [(value, label) for value, label in zip(series.values, labels, strict=True) if value is not None]
    if not known:
        return ""
    highest = max(known)
    told = {
        "name": series.name,
        "first": f"{known[0][1]} {_written(known[0][0])}",
        "last": f"{known[-1][1]} {_written(known[-1][0])}",
        "highest": f"{highest[1]} {_written(highest[0])}",
    }
    return gettext("%(name)s: first %(first)s, last %(last)s, highest %(highest)s.") % told


@dataclass(frozen=True)
class Bar:
    """A rectangle of a series, with what it says when it is pointed at."""

    x: float
    y: float
    width: float
    height: float
    place: int
    words: str


@dataclass(frozen=True)
class Line:
    """A series as points and the way between them; a gap begins anew."""

    path: str
    points: list[tuple[float, float, str]]
    place: int


@register.inclusion_tag("components/chart.html")
def chart(drawn: Chart, number: int, currency: str = "", printed: bool = False) -> dict[str, Any]:
    """The drawing of a chart; ``number`` makes its parts' names unique on the page; ``printed``: on paper."""
    scale = _scale(drawn)
    thousands, unit = scale.top >= THOUSAND * 10, drawn.unit or currency
    bars = _bars(drawn, scale) if drawn.kind != LINES else []
    solid = drawn.series if drawn.kind == LINES else []
    return {
        "chart": drawn,
        "number": number,
        "printed": printed,
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "right": RIGHT,
        "bottom": BOTTOM,
        "ticks": [(scale.y(value), _tick(value, thousands)) for value in scale.ticks],
        "unit": gettext("thousand %(sign)s") % {"sign": unit} if thousands else unit,
        "bars": bars,
        "lines": [_line(found, drawn, scale, place) for place, found in enumerate(solid)],
        "limits": [_line(found, drawn, scale, place) for place, found in enumerate(drawn.limits)],
        "labels": _labels(drawn),
        "names": _names(drawn),
        "legend": [found.name for found in drawn.series],
    }


def _tenths(place: float) -> float:
    """A place in the drawing, as near as the eye sees it."""
    return int(place * 10 + 0.5) / 10


@dataclass(frozen=True)
class Scale:
    """The axis of figures: its ends and the step of its ticks, round numbers."""

    bottom: Decimal
    top: Decimal
    step: Decimal

    @property
    def ticks(self) -> list[Decimal]:
        """Figures that are written beside the axis."""
        return [self.bottom + self.step * number for number in range(int((self.top - self.bottom) / self.step) + 1)]

    def y(self, value: Decimal) -> float:
        """Where a value stands; below the axis there is nothing to draw."""
        share = max(value - self.bottom, Decimal(0)) / (self.top - self.bottom)
        return _tenths(BOTTOM - float(share) * (BOTTOM - TOP))


def _scale(drawn: Chart) -> Scale:
    """Four or five ticks. Bars begin at zero; lines that stay far above it begin nearer, or they would look flat."""
    limits, highs = _known(drawn.limits), _heights(drawn)
    highest = max([*highs, *limits, Decimal(0)]) or Decimal(1)
    bottom = _floor(min([*highs, *limits]), highest) if drawn.kind == LINES else Decimal(0)
    quarter = (highest - bottom) / 4
    power = Decimal(10) ** quarter.adjusted()
    step = next(power * times for times in STEPS if power * times >= quarter)
    bottom = bottom // step * step
    return Scale(bottom, bottom + ceil((highest - bottom) / step) * step, step)


def _floor(lowest: Decimal, highest: Decimal) -> Decimal:
    return lowest - max(highest - lowest, highest / 10) / 2 if lowest > highest / 2 else Decimal(0)


def _heights(drawn: Chart) -> list[Decimal]:
    if drawn.kind != STACKED:
        return _known(drawn.series)
    columns = zip(*(found.values for found in drawn.series), strict=True)
    return [sum((max(value or Decimal(0), Decimal(0)) for value in column), Decimal(0)) for column in columns]


def _known(series: list[Series]) -> list[Decimal]:
    return [value for found in series for value in found.values if value is not None]


def _tick(value: Decimal, thousands: bool) -> str:
    return written(value / THOUSAND if thousands else value, "#,##0.##")


def _written(value: Decimal) -> str:
    return written(value, "#,##0.00")


def _slot(drawn: Chart) -> float:
    return (RIGHT - LEFT) / max(len(drawn.labels), 1)


def _bars(drawn: Chart, scale: Scale) -> list[Bar]:
    slot, side = _slot(drawn), 1 if drawn.kind == STACKED else len(drawn.series)
    width = _tenths(min(slot * 0.76, 64) / side)
    bars: list[Bar] = []
    for index, label in enumerate(drawn.labels):
        start, under = LEFT + slot * index + (slot - width * side) / 2, Decimal(0)
        for place, found in enumerate(drawn.series):
            value = found.values[index] or Decimal(0)
            if value <= 0:
                continue
            upper, lower = scale.y(under + value), scale.y(under)
            x = start if drawn.kind == STACKED else start + width * place
            words = f"{found.name}, {label}: {_written(value)}"
            bars.append(Bar(_tenths(x), upper, width, _tenths(lower - upper), place, words))
            under += value if drawn.kind == STACKED else 0
    return bars


def _line(series: Series, drawn: Chart, scale: Scale, place: int) -> Line:
    slot, path, points, move = _slot(drawn), [], [], "M"
    for index, (value, label) in enumerate(zip(series.values, drawn.labels, strict=True)):
        if value is None:
            move = "M"
            continue
        x, y = _tenths(LEFT + slot * (index + 0.5)), scale.y(value)
        path.append(f"{move}{x} {y}")
        points.append((x, y, f"{series.name}, {label}: {_written(value)}"))
        move = "L"
    return Line(" ".join(path), points, place)


def _labels(drawn: Chart) -> list[tuple[float, str, str]]:
    """Labels under the axis in two lines: months, names, or the numbers of names that stand below the drawing."""
    numbers = [[str(number)] for number, _name in enumerate(drawn.labels, 1)]
    lines = _months(drawn.labels) if _crowded(drawn) else numbers if _names(drawn) else _wrapped(drawn)
    slot, pairs = _slot(drawn), [[*found, "", ""] for found in lines]
    return [(_tenths(LEFT + slot * (at + 0.5)), pair[0], pair[1]) for at, pair in enumerate(pairs)]


def _crowded(drawn: Chart) -> bool:
    """Months, too many for a year under each."""
    pairs = [label.partition(".") for label in drawn.labels]
    return len(pairs) > CROWDED and all(month.isdigit() and year.isdigit() for month, _dot, year in pairs)


def _months(labels: list[str]) -> list[list[str]]:
    """Many months lose their year but for the first of each year."""
    found, before = [], ""
    for month, year in (label.split(".") for label in labels):
        found.append([month, year if year != before else ""])
        before = year
    return found


def _names(drawn: Chart) -> list[str]:
    """All labels where one of them has no room under the axis: no word is broken."""
    room = _letters(drawn)
    fit = all(len(lines) <= 2 and all(len(line) <= room for line in lines) for lines in _wrapped(drawn))
    return [] if fit or _crowded(drawn) else drawn.labels


def _wrapped(drawn: Chart) -> list[list[str]]:
    return [wrap(label, _letters(drawn), break_long_words=False, break_on_hyphens=False) for label in drawn.labels]


def _letters(drawn: Chart) -> int:
    """How many letters have room under one bar."""
    return max(int(_slot(drawn) / LETTER), 1)
