"""A decision on a line with its receipt, judged again: as it was known then, and with what is known today."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from config.accounts.access import Access, requires
from config.errors import NotFound
from contracts.views.pages import access_of, perform
from settlement import line_queries
from settlement.actions.line_replays import order_replay, replay_job
from settlement.explanations import FiguresDisagree, explain_lines
from settlement.line_queries import LineHistory
from settlement.line_replays import changes_today, judged_today
from settlement.models import AdjudicationRun, Claim, ClaimLine
from settlement.receipts import receipts_of
from settlement.replay import replay_run, verdict_told
from settlement.views.claims import claim_of

# A run with more lines than a page may wait for is judged again by a job.
LINES_AT_ONCE = 20_000


@requires("claims.view")
def line_replay(request: HttpRequest, pk: int) -> HttpResponse:
    """Every decision on a line: receipt, the same judged again, and what today's records would change.

    ``?format=json`` gives the receipts and comparisons. Raises: NotFound.
    """
    access = access_of(request)
    claim, row = _line_of(access, pk)
    decisions = _decisions(claim, row, access.now(claim.organisation))
    if request.GET.get("format") == "json":
        told = [
            {"receipt": found.get("receipt"), "replay": found["replay"].as_json() if found["replay"] else None}
            for found in decisions
        ]
        return JsonResponse({"decisions": told}, json_dumps_params={"ensure_ascii": False, "indent": 1})
    context = {"claim": claim, "line": row, "decisions": decisions}
    return render(request, "settlement/claims/replay.html", context)


@require_POST
@requires("claims.view")
def line_replay_order(request: HttpRequest, pk: int, run: int) -> HttpResponse:
    """Have a decision of a large run judged again in the background. Raises: NotFound."""
    access = access_of(request)
    claim, line = _line_of(access, pk)
    judged = AdjudicationRun.objects.select_related("organisation").filter(pk=run, adjudications__claim_line=line)
    found = judged.first()
    if found is None:
        raise NotFound()
    return perform(
        request,
        lambda: order_replay(line=line, run=found, actor=access.actor, at=access.now(claim.organisation)),
        done=_("The run is being judged again. What comes out appears on this page in a minute or two."),
        to="settlement:line_replay",
        key=pk,
    )


def _line_of(access: Access, pk: int) -> tuple[Claim, ClaimLine]:
    line = ClaimLine.objects.filter(pk=pk, claim__in=line_queries.visible_claims(access).order_by()).first()
    if line is None:
        raise NotFound()
    claim = claim_of(access, line.claim_id)
    return claim, line_queries.claim_lines(claim).get(pk=line.pk)


def _decisions(claim: Claim, line: ClaimLine, now: datetime) -> list[dict[str, Any]]:
    (history,) = line_queries.histories([line], claim if claim.reverses_id else None)
    found: list[dict[str, Any]] = []
    for judged in history.judged:
        run = judged.adjudication.run
        large = run.lines > LINES_AT_ONCE
        said = _kept(run, line) if large else {"replay": replay_run(run, line=line)}
        found.append({"run": run, "large": large, **said})
    # Figures that do not add up are not explained; what was changed in them stands in the comparison.
    with suppress(FiguresDisagree):
        _add_receipts(claim, history, found, now)
    return found


def _kept(run: AdjudicationRun, line: ClaimLine) -> dict[str, Any]:
    """What the last job said, or that it is on its way."""
    job = replay_job(line, run)
    if job is None or "told" not in job.payload:
        return {"job": job, "replay": None}
    told = job.payload["told"]
    return {
        "job": job,
        "ordered_at": datetime.fromisoformat(job.payload["at"]),
        "replay": verdict_told(run, line, told["replay"]),
        "today": told["today"].get(get_language(), []),
    }


def _add_receipts(claim: Claim, history: LineHistory, found: list[dict[str, Any]], now: datetime) -> None:
    sources = line_queries.line_sources(claim.organisation_id, [history.line])
    (explained,) = explain_lines([history], sources)
    receipts = receipts_of(explained, sources)
    for row, judged, (_of, words, steps), receipt in zip(found, history.judged, explained.runs, receipts, strict=True):
        row |= {"words": words, "steps": steps, "receipt": receipt}
        if not row["large"]:
            today = judged_today(judged, history.line, now)
            row["today"] = changes_today(judged, history.line, steps, today, sources, now)
