"""Claims as the provider, finance and the auditor read them: the same pages, each in its own scope."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from config.accounts.access import Access, requires
from config.errors import NotFound
from config.office.storage import attachments_of
from contracts.views.pages import access_of, one_of, page_of
from settlement import line_queries
from settlement.claim_letter import checks_in_words, claim_letter, explain
from settlement.explanations import LineExplained
from settlement.finance_forms import ReasonForm
from settlement.finding_words import title_of
from settlement.models import Claim, ClaimLine
from settlement.models.claims import CLAIM_STATES

LETTER_STATES = ("adjudicated", "scheduled", "paid", "rejected", "disputed", "reversed")


@requires("claims.view")
def claim_list(request: HttpRequest) -> HttpResponse:
    """Claims of the reader's scope."""
    q, status = request.GET.get("q", "").strip(), request.GET.get("status", "")
    rows = line_queries.claim_list(access_of(request), q, status)
    context = {
        "page": page_of(request, rows),
        "q": q,
        "status": status,
        "states": states(),
        "hidden": {"status": status},
    }
    return render(request, "settlement/claims/list.html", context)


def states() -> list[str]:
    """Claim states in the order of their life."""
    return list(dict.fromkeys([*CLAIM_STATES.moves, "withdrawn", "reversed"]))


def claim_of(access: Access, pk: int) -> Claim:
    """A claim of the reader's scope. Raises: NotFound."""
    rows = line_queries.visible_claims(access).select_related("contract", "reverses", "submitted_by")
    return one_of(rows, pk)


@requires("claims.view")
def claim_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A claim: figures, what each check took, and every line explained."""
    access = access_of(request)
    claim = claim_of(access, pk)
    outcome, q = request.GET.get("outcome", ""), request.GET.get("q", "").strip()
    page = page_of(request, line_queries.claim_lines(claim, outcome if outcome in line_queries.OUTCOMES else "", q))
    counts = line_queries.outcome_counts(claim)
    context = {
        "claim": claim,
        "page": page,
        "lines": explain(claim, list(page)),
        "outcome": outcome,
        "outcomes": [(code, counts[code]) for code in line_queries.OUTCOMES if counts.get(code)],
        "line_total": sum(counts.values()),
        "q": q,
        "hidden": {"outcome": outcome},
        "totals": line_queries.claim_totals(claim) if counts else None,
        "claimed_minor": line_queries.claimed_minor(claim),
        "checks": checks_in_words(claim),
        "files": attachments_of(claim),
        "reversals": claim.reversals.order_by("id"),
        "reason_form": ReasonForm(),
        **steps_allowed(access, claim),
    }
    return render(request, "settlement/claims/detail.html", context)


def steps_allowed(access: Access, claim: Claim) -> dict[str, Any]:
    """Buttons of a claim for this reader."""
    own, office = access.may("claims.submit"), access.may("claims.adjudicate")
    editable = claim.status in ("draft", "returned") and not claim.reverses_id
    reversible = claim.status in ("adjudicated", "disputed", "paid", "rejected") and not claim.reverses_id
    return {
        "may_submit": own and editable,
        "may_correct": own and editable,
        "may_withdraw": own and claim.status in ("draft", "submitted", "returned") and not claim.reverses_id,
        "may_return": office and claim.status == "submitted" and not claim.reverses_id,
        "may_reverse": office and reversible,
        "has_letter": claim.status in LETTER_STATES,
    }


@requires("claims.view")
def line_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One line with what every run made of it and, for those who may, the pends to lift."""
    access = access_of(request)
    line = ClaimLine.objects.filter(pk=pk, claim__in=line_queries.visible_claims(access).order_by()).first()
    if line is None:
        raise NotFound()
    claim = claim_of(access, line.claim_id)
    rows = list(line_queries.claim_lines(claim).filter(pk=line.pk))
    explained = explain(claim, rows)[0]
    context = {
        "claim": claim,
        "line": explained,
        "pends": open_pends(explained) if access.may("claims.clear") else [],
        "reason_form": ReasonForm(),
    }
    return render(request, "settlement/claims/line.html", context)


def open_pends(explained: LineExplained) -> list[dict[str, str]]:
    """Pends of the last decision that nobody has lifted: code and title."""
    judged = explained.judged
    if judged is None or judged.adjudication.outcome != "pended":
        return []
    lifted = {row.check_code for row in explained.history.clearances}
    pends = [row.check_code for row in judged.findings if row.severity == "P" and row.check_code not in lifted]
    return [{"code": code, "title": title_of(code)} for code in pends]


@requires("claims.view")
def letter(request: HttpRequest, pk: int) -> HttpResponse:
    """The letter about a decided claim, as PDF."""
    claim = claim_of(access_of(request), pk)
    if claim.status not in LETTER_STATES:
        raise NotFound()
    answer = HttpResponse(claim_letter(claim), content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{claim.number}.pdf"'
    return answer
