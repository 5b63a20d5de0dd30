"""The shapes of a check. A check is a module; the registry lists modules, and mypy checks them against these.

CODE: as in docs/legal.md. SEVERITY: R rejects, P pends, C cuts, W warns. TITLE, ADVICE: English message ids
(the sentences stand in ``settlement.finding_words``, filled with what ``explain`` gives; what a check rests on in
``settlement.check_grounds``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

import numpy as np

from settlement.rules.ceilings import Ceiling, Cut
from settlement.rules.facts import Ints, Mask
from settlement.rules.frame import Frame
from settlement.rules.integers import write_money, write_units


class Words(Protocol):
    """What every check module says of itself."""

    CODE: str
    SEVERITY: str
    TITLE: str
    ADVICE: str


class Check(Words, Protocol):
    """A check that speaks of lines."""

    def explain(self, frame: Frame, rows: Ints) -> dict[str, list[str]]:
        """Figures of the sentence for the lines at ``rows``, JSON-safe texts."""


class RejectCheck(Check, Protocol):
    """Says which lines it rejects."""

    def find(self, frame: Frame) -> Mask:
        """True where the check fires."""


class OverlapCheck(RejectCheck, Protocol):
    """Rejects only the covered hours of services counted in hours."""

    def hours(self, frame: Frame) -> Ints:
        """Covered time in thousandths of an hour, rounded up to the granularity."""


class PendCheck(Check, Protocol):
    """Says which lines wait for a person."""

    def find_pend(self, frame: Frame) -> Mask:
        """True where the check fires."""


class RateCheck(Check, Protocol):
    """Lowers the rate."""

    def limits(self, frame: Frame) -> Ints:
        """Highest rate in ten-thousandths; NO_RATE_LIMIT where the check does not judge."""


class CeilingCheck(Check, Protocol):
    """Lowers units or money by what earlier lines left."""

    def ceilings(self, frame: Frame) -> tuple[Ceiling, ...]:
        """The ceilings in their order."""


NO_RATE_LIMIT = (1 << 63) - 1


def first_reason(reasons: Callable[[Frame], Iterable[tuple[str, Mask]]], frame: Frame, rows: Ints) -> list[str]:
    """For each line at ``rows`` the first reason whose mask (over all lines) holds; empty where none does."""
    result = np.full(len(rows), "", dtype=object)
    for word, mask in reversed(list(frame.once(reasons)) if len(rows) else []):
        result[mask[rows]] = word
    words: list[str] = result.tolist()
    return words


def or_dash(written: list[str], known: Mask) -> list[str]:
    """Figures with a dash where there is no limit."""
    return [text if here else "-" for text, here in zip(written, known.tolist(), strict=True)]


def explain_units(cut: Cut, rows: Ints) -> dict[str, list[str]]:
    """What was left and what was taken, in units."""
    return {"left": write_units(cut.left[rows]), "taken": write_units(cut.taken[rows])}


def explain_money(cut: Cut, rows: Ints) -> dict[str, list[str]]:
    """What was left and what was taken, in money."""
    return {"left": write_money(cut.left[rows]), "taken": write_money(cut.taken[rows])}
