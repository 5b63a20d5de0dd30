"""A decision on a line with its receipt, judged again: as it was known then, and with what is known today."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from config.accounts.access import requires
from config.errors import NotFound
from contracts.views.pages import access_of
from settlement import line_queries
from settlement.explanations import FiguresDisagree, explain_lines, waterfall
from settlement.line_changes import Steps, changes_between
from settlement.line_queries import JudgedLine, LineHistory, LineSources
from settlement.models import Claim, ClaimLine
from settlement.receipts import receipts_of
from settlement.replay import judged_again, replay_run
from settlement.views.claims import claim_of

# A run with more lines than a page may wait for is replayed by the command.
LINES_AT_ONCE = 20_000


@requires("claims.view")
def line_replay(request: HttpRequest, pk: int) -> HttpResponse:
    """Every decision on a line: receipt, the same judged again, and what today's records would change.

    ``?format=json`` gives the receipts and comparisons. Raises: NotFound.
    """
    access = access_of(request)
    line = ClaimLine.objects.filter(pk=pk, claim__in=line_queries.visible_claims(access).order_by()).first()
    if line is None:
        raise NotFound()
    claim = claim_of(access, line.claim_id)
    (row,) = line_queries.claim_lines(claim).filter(pk=line.pk)
    decisions = _decisions(claim, row, access.now(claim.organisation))
    if request.GET.get("format") == "json":
        told = [
            {"receipt": found.get("receipt"), "replay": found["replay"].as_json() if found["replay"] else None}
            for found in decisions
        ]
        return JsonResponse({"decisions": told}, json_dumps_params={"ensure_ascii": False, "indent": 1})
    context = {"claim": claim, "line": row, "decisions": decisions}
    return render(request, "settlement/claims/replay.html", context)


def _decisions(claim: Claim, line: ClaimLine, now: datetime) -> list[dict[str, Any]]:
    (history,) = line_queries.histories([line], claim if claim.reverses_id else None)
    found: list[dict[str, Any]] = []
    for judged in history.judged:
        run = judged.adjudication.run
        small = run.lines <= LINES_AT_ONCE
        found.append({"run": run, "replay": replay_run(run, line=line) if small else None})
    # Figures that do not add up are not explained; what was changed in them stands in the comparison.
    with suppress(FiguresDisagree):
        _add_receipts(claim, history, found, now)
    return found


def _add_receipts(claim: Claim, history: LineHistory, found: list[dict[str, Any]], now: datetime) -> None:
    sources = line_queries.line_sources(claim.organisation_id, [history.line])
    (explained,) = explain_lines([history], sources)
    receipts = receipts_of(explained, sources)
    for row, judged, (_run, words, steps), receipt in zip(found, history.judged, explained.runs, receipts, strict=True):
        row |= {"words": words, "steps": steps, "receipt": receipt}
        if row["replay"]:
            row["today"] = _today(judged, history.line, steps, sources, now)


def _today(judged: JudgedLine, line: ClaimLine, was: Steps, sources: LineSources, now: datetime) -> list[str]:
    """What the run would decide differently with what is known now."""
    run = judged.adjudication.run
    again = judged_again(replay_run(run, line=line, known_at=now), line)
    if again is None or judged.adjudication.reverses_id:
        return []
    is_now = waterfall(line, again, sources.known(now))
    return changes_between(was, is_now, run.organisation.currency)
