"""Which keys of parameters the program asks for, found in its own text: no list of them that could grow old."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from django.apps import apps

# A key as it is written where it is read: in full, with a place for a part of it, or the beginning of a family.
_WRITTEN = re.compile(r'"([a-z]\w*(?:\.(?:[\w-]+|\{[\w.]+\}))*\.?)"')
_PLACE = re.compile(r"\\\{[\w.]+\\\}")
_APPS = ("contracts", "vouchers", "procurement", "settlement")


@cache
def _keys() -> tuple[frozenset[str], re.Pattern[str]]:
    """Keys written in full, and a pattern of those that are put together."""
    whole, made = set(), []
    for text in _texts():
        for key in _WRITTEN.findall(text):
            if "{" in key:
                made.append(_PLACE.sub(r"[\\w-]+", re.escape(key)))
            elif key.endswith("."):
                # One dot only is the prefix of a book that is loaded; what is read of it is written elsewhere.
                made += [re.escape(key) + ".+"] if key.count(".") > 1 else []
            else:
                whole.add(key)
    return frozenset(whole), re.compile("|".join(made))


def _texts() -> Iterator[str]:
    for name in _APPS:
        folder = Path(apps.get_app_config(name).path)
        for path in sorted(folder.rglob("*.py")):
            if "migrations" not in path.parts:
                yield path.read_text(encoding="utf-8")


def is_read(key: str) -> bool:
    """Whether any calculation asks for the key; another one is kept for reference only."""
    whole, made = _keys()
    return key in whole or made.fullmatch(key) is not None
