"""Lines that wait for a person: the queue with its evidence, decisions of two persons, and who decided how often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from config.accounts.access import Access, requires
from contracts.views.pages import access_of, page_of, perform
from settlement import line_queries, pend_queries
from settlement.actions import pends as pend_actions
from settlement.explanations import LineExplained, WaterfallRow, explain_lines
from settlement.finance_forms import ReasonForm
from settlement.finding_words import title_of
from settlement.models import Finding
from settlement.pend_evidence import evidence_of

BACK = "settlement:pends"
STATE_WORDS = {
    "mine": _("mine"),
    "nobody": _("nobody works on it"),
    "proposed": _("waits for a second person"),
    "kept": _("decided: not paid"),
    "overdue": _("overdue"),
}


@requires("claims.clear", "runs.view")
def pend_list(request: HttpRequest) -> HttpResponse:
    """Lines that wait for a person, with the reason in words, the evidence, who is in charge and until when."""
    access = access_of(request)
    q, check, state = (request.GET.get(name, "").strip() for name in ("q", "check", "state"))
    page = page_of(request, pend_queries.queue(access, search=q, check=check, state=state))
    context = {
        "page": page,
        "rows": _rows(access, list(page)),
        "q": q,
        "check": check,
        "checks": [(code, title_of(code)) for code in pend_queries.waiting_checks(access, chosen=check, state=state)],
        "state": state,
        "states": STATE_WORDS.items(),
        "hidden": {"check": check, "state": state},
        "may_clear": access.may("claims.clear"),
        "deciders": pend_queries.deciders(access.office()),
    }
    return render(request, "settlement/runs/pends.html", context)


def _rows(access: Access, findings: list[Finding]) -> list[dict[str, Any]]:
    office = access.office()
    explained = explain_pends(office.pk, findings)
    evidence = evidence_of(office, findings, access.may)
    tasks = pend_queries.tasks_of(office, findings, access.now())
    return [
        {
            "finding": row,
            "line": explained[row.claim_line_id],
            "step": step_of(row, explained[row.claim_line_id]),
            "evidence": evidence[row.pk],
            "task": tasks[row.pk],
        }
        for row in findings
    ]


def step_of(finding: Finding, line: LineExplained) -> WaterfallRow | None:
    """The step of the last decision that a finding is."""
    steps = line.runs[-1][2] if line.runs else ()
    return next((step for step in steps if step.code == finding.check_code), None)


def explain_pends(organisation_id: int, findings: list[Finding]) -> dict[int, LineExplained]:
    """Lines of the findings in words, by line; a constant number of queries."""
    lines = list({finding.claim_line_id: finding.claim_line for finding in findings}.values())
    sources = line_queries.line_sources(organisation_id, lines)
    return {row.line.pk: row for row in explain_lines(line_queries.histories(lines), sources)}


def _decide_with_reason(
    request: HttpRequest, decide: Callable[..., object], pk: int, check: str, *, unsaid: Any, done: Any
) -> HttpResponse:
    """A decision about a pend that needs a reason; ``unsaid`` asks for it."""
    access, form = access_of(request), ReasonForm(request.POST)
    if not form.is_valid():
        messages.error(request, str(unsaid))
        return redirect(BACK)
    return perform(
        request,
        lambda: decide(
            organisation=access.office(),
            claim_line_id=pk,
            check_code=check,
            reason=form.cleaned_data["reason"],
            actor=access.actor,
            at=access.now(),
        ),
        done=done,
        to=BACK,
    )


@require_POST
@requires("claims.clear")
def propose(request: HttpRequest, pk: int, check: str) -> HttpResponse:
    """Propose with a reason to lift a pend."""
    return _decide_with_reason(
        request,
        pend_actions.propose_clearance,
        pk,
        check,
        unsaid=_("Say why the line may be paid, then try again."),
        done=_("Your proposal is recorded. Another person reads it and confirms or refuses it."),
    )


@require_POST
@requires("claims.clear")
def confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """Lift a pend that another person proposed to lift."""
    access = access_of(request)
    return perform(
        request,
        lambda: pend_actions.confirm_clearance(
            organisation=access.office(), proposal_id=pk, actor=access.actor, at=access.now()
        ),
        done=_("The pend is lifted. The line is judged again in the next run of its month."),
        to=BACK,
    )


@require_POST
@requires("claims.clear")
def keep(request: HttpRequest, pk: int, check: str) -> HttpResponse:
    """Decide that a pend stays, with the reason that the provider reads."""
    return _decide_with_reason(
        request,
        pend_actions.keep_pend,
        pk,
        check,
        unsaid=_("Say why the line is not paid, then try again."),
        done=_("The line stays unpaid; the provider reads your reason. Two persons can still lift it."),
    )


@require_POST
@requires("claims.clear")
def assign(request: HttpRequest, pk: int, check: str) -> HttpResponse:
    """Put a colleague in charge of a pend, or nobody."""
    access, chosen = access_of(request), request.POST.get("person", "")
    return perform(
        request,
        lambda: pend_actions.assign_pend(
            organisation=access.office(),
            claim_line_id=pk,
            check_code=check,
            assigned_to_id=int(chosen) if chosen.isdecimal() and len(chosen) < 19 else None,
            actor=access.actor,
            at=access.now(),
        ),
        done=_("Who works on the line is recorded."),
        to=BACK,
    )


@requires("claims.clear", "runs.view")
def decisions(request: HttpRequest) -> HttpResponse:
    """Decisions about pends by person and check. ``?format=json`` gives the same rows."""
    rows = pend_queries.decisions_about_pends(access_of(request).office())
    if request.GET.get("format") == "json":
        told = {"decisions": [asdict(row) for row in rows]}
        return JsonResponse(told, json_dumps_params={"ensure_ascii": False, "indent": 1})
    counts = ("proposed", "confirmed", "kept", "refused", "given")
    names = pend_queries.names_of_deciders(rows)
    context = {
        "rows": [(row, names.get(row.person, row.person), title_of(row.check)) for row in rows],
        "totals": {name: sum(getattr(row, name) for row in rows) for name in counts},
    }
    return render(request, "settlement/runs/pend_decisions.html", context)
