"""CLM-45: nobody judges a provider to whom they are related. It refuses the person, and says nothing of a line."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass
from datetime import date

CODE = "CLM-45"
SEVERITY = "R"
TITLE = "Conflict of interest"
ADVICE = "Another person has to do it."


@dataclass(frozen=True)
class Relation:
    """A person stands close to a provider from ``valid_from`` until before ``valid_to``."""

    provider: int
    valid_from: date
    valid_to: date | None = None


def blocking(relations: Iterable[Relation], *, providers: Set[int], on: date) -> list[int]:
    """Providers among those to be judged to whom the person is related on the day, in order."""
    held = {
        row.provider
        for row in relations
        if row.provider in providers and row.valid_from <= on and (row.valid_to is None or on < row.valid_to)
    }
    return sorted(held)
