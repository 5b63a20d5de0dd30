"""Drawings made by the server: shapes with words, one picture for the eye and a table beside it for the rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from textwrap import wrap
from typing import Any

from django import template
from django.template.context import Context
from django.utils.translation import gettext, ngettext

from config.statuses import label_of_status
from config.templatetags.show import minor

register = template.Library()

WIDTH = 400
LEFT, RIGHT = 30, 392
HEAD, NOTE, BOX, GAP = 30, 16, 48, 6
SHOWN = 3
NAME_LETTERS, TITLE_LETTERS, WARNING_LETTERS = 24, 44, 40


@dataclass(frozen=True)
class Box:
    """A record in the drawing; ``bar`` is the width of its share of the level."""

    y: int
    name: str
    amount: str
    note: str
    url: str
    kind: str
    bar: int


@dataclass(frozen=True)
class Band:
    """A level of the road."""

    y: int
    height: int
    title: str
    total: str
    warning: list[str]
    on: bool
    boxes: list[Box] = field(default_factory=list)

    @property
    def notes(self) -> list[tuple[int, str]]:
        """Lines of the warning, each with its baseline."""
        return [(self.y + HEAD + 10 + NOTE * place, words) for place, words in enumerate(self.warning)]

    @property
    def middle(self) -> int:
        """Where the road meets the band."""
        return self.y + 16


@register.inclusion_tag("components/road.html", takes_context=True)
def road(context: Context, trail: Any, title: str, description: str) -> dict[str, Any]:
    """The road of a money trail: levels from budget to bank, the largest records of each, the rest counted."""
    bands: list[Band] = []
    top = 8
    for level in trail.levels:
        band = _band(level, top, trail.currency)
        bands.append(band)
        top += band.height + 8
    ends = (bands[0].middle, bands[-1].middle) if bands else (0, 0)
    return {
        "bands": bands,
        "height": top,
        "width": WIDTH,
        "title": title,
        "description": description,
        "ends": ends,
        "may": context.get("may"),
    }


def _band(level: Any, top: int, currency: str) -> Band:
    # A drawing breaks no line by itself: what is longer than the band would be cut at its edge.
    warning = wrap(_warning(level, currency), WARNING_LETTERS)
    first = top + HEAD + (NOTE * len(warning) + GAP if warning else 0)
    boxes = _boxes(level, first, currency)
    height = first - top + len(boxes) * (BOX + GAP) + 2
    return Band(top, height, level.title, minor(level.total, currency), warning, level.total != 0, boxes)


def _warning(level: Any, currency: str) -> str:
    if level.difference:
        return f"{_signed(level.difference, currency)}: {level.reason}"
    if level.off:
        return f"{_signed(level.off, currency)}: {gettext('a record disagrees with its parts')}"
    return ""


def _signed(value: int, currency: str) -> str:
    return ("+" if value > 0 else "−") + minor(abs(value), currency)


def _boxes(level: Any, top: int, currency: str) -> list[Box]:
    nodes = level.nodes[:SHOWN]
    largest = max([abs(node.amount) for node in nodes] + [1])
    boxes = [_box(node, top + place * (BOX + GAP), largest, currency) for place, node in enumerate(nodes)]
    left = level.count - len(nodes)
    if left:
        rest = minor(level.total - sum(node.amount for node in nodes), currency)
        words = ngettext("and %(n)s more", "and %(n)s more", left) % {"n": left}
        boxes.append(Box(top + len(nodes) * (BOX + GAP), words, rest, gettext("listed in the table"), "", "rest", 0))
    return boxes


def _box(node: Any, y: int, largest: int, currency: str) -> Box:
    date = node.on_date.strftime("%d.%m.%Y") if node.on_date else ""
    words = [_short(node.title, TITLE_LETTERS - 14), label_of_status(node.status) if node.status else date]
    bar = (RIGHT - LEFT) * abs(node.amount) // largest
    note = " · ".join(word for word in words if word)
    return Box(
        y=y,
        name=_short(node.name, NAME_LETTERS),
        amount=minor(node.amount, currency),
        note=_short(note, TITLE_LETTERS),
        url=node.url,
        kind="start" if node.is_start else "",
        bar=bar,
    )


def _short(text: str, letters: int) -> str:
    return text if len(text) <= letters else text[: letters - 1].rstrip() + "…"
