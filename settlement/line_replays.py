"""A decision on a line judged again: as it was known then, and with what is known today."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.translation import override

from settlement import line_queries
from settlement.explanations import FiguresDisagree, explain_lines, waterfall
from settlement.line_changes import Steps, changes_between
from settlement.line_queries import JudgedLine, LineSources
from settlement.models import AdjudicationRun, Claim, ClaimLine
from settlement.replay import judged_again, replay_run


def judged_today(judged: JudgedLine, line: ClaimLine, now: datetime) -> JudgedLine | None:
    """What the run would decide on the line with what is known now; nothing for what is taken back."""
    if judged.adjudication.reverses_id:
        return None
    return judged_again(replay_run(judged.adjudication.run, line=line, known_at=now), line)


def changes_today(
    judged: JudgedLine, line: ClaimLine, was: Steps, today: JudgedLine | None, sources: LineSources, now: datetime
) -> list[str]:
    """Sentences from the steps of the decision to those of today."""
    if today is None:
        return []
    is_now = waterfall(line, today, sources.known(now))
    return changes_between(was, is_now, judged.adjudication.run.organisation.currency)


def told_of_line(claim: Claim, line: ClaimLine, run: AdjudicationRun, now: datetime) -> dict[str, Any]:
    """The verdict on one line of a run as ``Verdict.as_json`` tells it, and what today's records would change, in words
    of each language. Judges the whole run twice.
    """
    (history,) = line_queries.histories([line], claim if claim.reverses_id else None)
    place = next(n for n, row in enumerate(history.judged) if row.adjudication.run_id == run.pk)
    judged = history.judged[place]
    replay, today = replay_run(run, line=line).as_json(), judged_today(judged, line, now)
    changes: dict[str, list[str]] = {}
    for language, _name in settings.LANGUAGES:
        # Figures that do not add up are not explained; what was changed in them stands in the verdict.
        with override(language), suppress(FiguresDisagree):
            sources = line_queries.line_sources(claim.organisation_id, [line])
            (explained,) = explain_lines([history], sources)
            _run, _words, steps = explained.runs[place]
            changes[language] = changes_today(judged, line, steps, today, sources, now)
    return {"replay": replay, "today": changes}
