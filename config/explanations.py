"""One row of a stored calculation: what the officer sees, the letter prints and the auditor reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Step:
    """A step of a calculation, values as text so that a stored row never changes its places.

    ``code`` names the step for programs; ``label`` is an English message id that the page translates.
    """

    code: str
    label: str
    value: str
    unit: str = ""
    formula: str = ""
    parameter: str = ""
    act: str = ""


def steps_as_rows(steps: Iterable[Step]) -> list[dict[str, Any]]:
    """Steps as JSON rows for storage."""
    return [asdict(step) for step in steps]
