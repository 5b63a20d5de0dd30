"""Findings that look for patterns: figures, what people say of them, how often there was nothing in them."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from config.accounts.access import requires
from contracts.views.pages import access_of, one_of, page_of, stepped
from settlement.actions.check_facts import give_feedback
from settlement.explanations import LineExplained, WaterfallRow
from settlement.finance_forms import ReasonForm
from settlement.finding_words import title_of
from settlement.models import Finding
from settlement.patterns import PATTERNS, pattern_counts, pattern_findings
from settlement.views.pends import explain_pends


@requires("runs.view")
def pattern_list(request: HttpRequest) -> HttpResponse:
    """Findings with their figures, newest first, and how often people saw nothing in them."""
    access = access_of(request)
    q, check = (request.GET.get(name, "").strip() for name in ("q", "check"))
    page = page_of(request, pattern_findings(access.office(), check=check if check in PATTERNS else "", q=q))
    explained = explain_pends(access.office().pk, list(page))
    context = {
        "page": page,
        "rows": [(row, _step_of(row, explained[row.claim_line_id])) for row in page],
        "q": q,
        "check": check,
        "checks": [(code, title_of(code)) for code in PATTERNS],
        "counts": pattern_counts(access.office()),
        "hidden": {"check": check},
        "may_answer": access.may("claims.clear"),
    }
    return render(request, "settlement/runs/patterns.html", context)


def _step_of(finding: Finding, line: LineExplained) -> WaterfallRow | None:
    """The step, of the decision in which it was found."""
    steps = (step for run, _, found in line.runs if run.pk == finding.run_id for step in found)
    return next((step for step in steps if step.code == finding.check_code), None)


@requires("claims.clear")
def pattern_feedback(request: HttpRequest, pk: int) -> HttpResponse:
    """Say why there is nothing in a finding."""
    access = access_of(request)
    finding = one_of(pattern_findings(access.office()), pk)
    form = ReasonForm(request.POST or None)
    return stepped(
        request,
        form,
        lambda: give_feedback(
            organisation=access.office(),
            finding_id=finding.pk,
            reason=form.cleaned_data["reason"],
            actor=access.actor,
            at=access.now(),
        ),
        done=_("Noted. It lowers nothing by itself: a line that waits is lifted as always."),
        title=_("Nothing in it: %(check)s") % {"check": title_of(finding.check_code)},
        back="settlement:patterns",
        key=None,
    )
