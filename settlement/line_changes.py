"""Why two decisions on one line differ: step by step what went, what came, and what each step rested on, in words.

The two may be of one line (a lifted pend), of a line and the one that stands for it after a reversal, or of a run and
its replay with what is known today.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext

from config.templatetags.show import minor
from settlement.explanations import LineExplained, WaterfallRow
from settlement.finding_bases import Basis
from settlement.models import AdjudicationRun, Clearance

Steps = Sequence[WaterfallRow]


def changes_of(line: LineExplained, currency: str) -> list[tuple[AdjudicationRun, AdjudicationRun, list[str]]]:
    """What changed between each two runs that judged the line, one after the other."""
    found = []
    for (before, _said, was), (after, _says, is_now) in zip(line.runs, line.runs[1:], strict=False):
        lifted = [row for row in line.history.clearances if before.number < row.run <= after.number]
        found.append((before, after, changes_between(was, is_now, currency, lifted)))
    return found


def changes_between(was: Steps, is_now: Steps, currency: str, lifted: Iterable[Clearance] = ()) -> list[str]:
    """Sentences from the first waterfall to the second; one that says so when they are the same."""
    before, after = _by_step(was), _by_step(is_now)
    reasons = {row.check_code: row.reason for row in lifted}
    sentences: list[str] = []
    for key in dict.fromkeys([*before, *after]):
        old, new = before.get(key), after.get(key)
        if old and new:
            sentences += _changed(old, new, currency)
        elif old:
            sentences.append(_gone(old, reasons, currency))
        elif new:
            sentences.append(_came(new, currency))
    return sentences or [gettext("Nothing changed between the two decisions.")]


def _by_step(steps: Steps) -> dict[tuple[str, str], WaterfallRow]:
    return {(step.kind, step.code): step for step in steps}


def _gone(step: WaterfallRow, reasons: dict[str, str], currency: str) -> str:
    told: dict[str, Any] = {"title": step.title, "amount": minor(-step.amount, currency)}
    if step.code in reasons:
        words = gettext("«%(title)s» was lifted by decision: %(reason)s. %(amount)s wait no longer.")
        return words % (told | {"reason": reasons[step.code]})
    return gettext("«%(title)s» takes nothing any more; it took %(amount)s.") % told


def _came(step: WaterfallRow, currency: str) -> str:
    told = {"title": step.title, "amount": minor(-step.amount, currency), "why": step.sentence}
    return gettext("«%(title)s» takes %(amount)s now: %(why)s") % told


def _changed(old: WaterfallRow, new: WaterfallRow, currency: str) -> list[str]:
    found = []
    if (old.amount, old.sentence) != (new.amount, new.sentence):
        found.append(_moved(old, new, currency))
    if old.basis != new.basis:
        told = {"title": new.title, "was": basis_words(old.basis), "now": basis_words(new.basis)}
        found.append(gettext("«%(title)s» rested on %(was)s, now on %(now)s.") % told)
    return found


def _moved(old: WaterfallRow, new: WaterfallRow, currency: str) -> str:
    signed = new.kind in ("finding", "fee")
    figures = [minor(-row.amount if signed else row.amount, currency) for row in (old, new)]
    told = {"title": new.title, "was": figures[0], "now": figures[1], "said": old.sentence, "says": new.sentence}
    if old.amount == new.amount:
        return gettext("«%(title)s»: «%(said)s» became «%(says)s»") % told
    if new.kind == "fee" and old.basis == new.basis:
        words = gettext(
            "«%(title)s»: %(was)s became %(now)s, because the recipient's fee of the month is shared over other sums."
        )
        return words % told
    words = gettext("«%(title)s»: %(was)s became %(now)s. %(says)s")
    return (words % told).strip()


def basis_words(basis: Basis) -> str:
    """A parameter or record with its act and day."""
    since = date_format(basis.since, "SHORT_DATE_FORMAT") if basis.since else ""
    return ", ".join(part for part in (basis.parameter, basis.act, since) if part) or "—"
