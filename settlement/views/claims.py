"""Claims as the provider, finance and the auditor read them: the same pages, each in its own scope."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from config.accounts.access import Access, requires
from config.accounts.models import Organisation
from config.clock import local_date
from config.errors import NotFound
from config.office.storage import attachments_of, open_attachment
from contracts.views.pages import access_of, one_of, page_of
from settlement import advance_queries, clawback_queries, line_queries
from settlement.actions import letters
from settlement.actions.claims import why_not_taken_back
from settlement.appeal_queries import offers_appeal
from settlement.claim_letter import checks_in_words, explain
from settlement.claim_queries import payments_of_claim
from settlement.clearing_queries import cleared_on_the_road
from settlement.correction_queries import corrections_of, taken_back
from settlement.explanations import LineExplained
from settlement.fee_queries import collects_fees
from settlement.finance_forms import ReasonForm
from settlement.finding_words import title_of
from settlement.line_changes import changes_between, changes_of
from settlement.models import Claim, ClaimLine
from settlement.models.claims import CLAIM_STATES
from settlement.pend_evidence import evidence_of
from settlement.pend_queries import deciders, tasks_of
from settlement.ru_form_papers import PROFILES
from settlement.term_queries import refused_as_late, term_shown

# States in which something of a claim may have been paid.
ASKED_BACK = ("adjudicated", "scheduled", "paid", "disputed")
LETTER_STATES = ("adjudicated", "scheduled", "paid", "rejected", "disputed", "reversed")


@requires("claims.view")
def claim_list(request: HttpRequest) -> HttpResponse:
    """Claims of the reader's scope."""
    q, status = request.GET.get("q", "").strip(), request.GET.get("status", "")
    rows = line_queries.claim_list(access_of(request), q, status)
    page = page_of(request, rows)
    context = {
        "page": page,
        "reasons": _reasons(page),
        "q": q,
        "status": status,
        "states": states(),
        "hidden": {"status": status},
    }
    return render(request, "settlement/claims/list.html", context)


def _reasons(claims: Iterable[Any]) -> dict[int, str]:
    """Why less than was claimed is allowed, in a few words, by claim; ``claims`` with the sums of claim_list."""
    less = [row for row in claims if row.gross_minor is not None and row.gross_minor * 100 < (row.claimed or 0)]
    return {claim: title_of(code) for claim, code in line_queries.main_reasons(less).items()}


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
    counts, checks = line_queries.outcome_counts(claim), checks_in_words(claim)
    totals = line_queries.claim_totals(claim) if counts else None
    context = {
        "claim": claim,
        "page": page,
        "lines": explain(claim, list(page)),
        "outcome": outcome,
        "outcomes": [(code, counts[code]) for code in line_queries.OUTCOMES if counts.get(code)],
        "line_total": sum(counts.values()),
        "taken_back": taken_back(claim),
        "payments": payments_of_claim(claim),
        "q": q,
        "hidden": {"outcome": outcome},
        "totals": totals,
        "noticed": collects_fees(claim.organisation, claim.period),
        "claimed_minor": line_queries.claimed_minor(claim.reverses or claim),
        "declaration": line_queries.declaration_of(claim),
        "checks": checks,
        "refused_as_late": refused_as_late(checks),
        "term": term_shown(access, claim),
        "files": attachments_of(claim).exclude(kind__startswith=letters.LETTER),
        "reversals": claim.reversals.order_by("id"),
        "corrections": corrections_of(claim),
        "returns": claim.returns.order_by("-version"),
        "clawbacks": clawback_queries.cases_of_claim(access, claim) if access.may("clawbacks.view") else (),
        "advances_used": advance_queries.used_by(claim.remittances.exclude(offsets=0)),
        "offsets": clawback_queries.offsets_of(claim.remittances.exclude(offsets=0)),
        "appeals": claim.appeals.select_related("claim_line", "answer").order_by("id"),
        "reason_form": ReasonForm(),
        "compensation": access.may("settlement_forms.draw") and claim.organisation.jurisdiction in PROFILES,
        **steps_allowed(access, claim),
        **letter_shown(claim),
        **(line_queries.waits_of(claim, counts.get("pended", 0), totals["pended"]) if totals else {}),
    }
    return render(request, "settlement/claims/detail.html", context)


def steps_allowed(access: Access, claim: Claim) -> dict[str, Any]:
    """Buttons of a claim for this reader."""
    own, office = access.may("claims.submit"), access.may("claims.adjudicate")
    editable = claim.status in ("draft", "returned") and not claim.reverses_id
    return {
        "may_submit": own and editable,
        "may_correct": own and editable,
        "may_withdraw": own and claim.status in ("draft", "submitted", "returned") and not claim.reverses_id,
        "may_return": office and claim.status == "submitted" and not claim.reverses_id,
        "may_reverse": office and why_not_taken_back(claim) is None,
        "may_attach": own and claim.status in ("draft", "submitted", "returned") and not claim.reverses_id,
        "may_claw_back": access.may("clawbacks.open")
        and not claim.reverses_id
        and claim.status in ASKED_BACK
        and clawback_queries.anything_paid(claim),
        "may_appeal": own and offers_appeal(claim, None, _day_there(access, claim)),
    }


@requires("claims.view")
def line_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One line with what every run made of it, and what waits with its evidence; those who may decide here."""
    access = access_of(request)
    line = ClaimLine.objects.filter(pk=pk, claim__in=line_queries.visible_claims(access).order_by()).first()
    if line is None:
        raise NotFound()
    claim = claim_of(access, line.claim_id)
    rows = list(line_queries.claim_lines(claim).filter(pk=line.pk))
    explained, steps = explain(claim, rows)[0], steps_allowed(access, claim)
    context = {
        "claim": claim,
        "line": explained,
        "taken_back": taken_back(claim, line),
        "changes": changes_of(explained, claim.organisation.currency),
        "resubmitted": resubmission_of(claim, explained),
        "clearing": cleared_on_the_road(claim.organisation, "claim_line", line.pk)
        if access.may("clearing.view")
        else (),
        "pends": open_pends(access, claim.organisation, explained),
        "may_clear": access.may("claims.clear"),
        "deciders": deciders(claim.organisation) if access.may("claims.clear") else (),
        "may_claw_back": steps["may_claw_back"] and clawback_queries.claimable([line.pk])[line.pk].left > 0,
        "may_appeal": access.may("claims.submit") and offers_appeal(claim, line, _day_there(access, claim)),
        "reason_form": ReasonForm(),
    }
    return render(request, "settlement/claims/line.html", context)


def _day_there(access: Access, claim: Claim) -> date:
    """The day of the business time where the claim was handed in."""
    return local_date(access.now(claim.organisation), claim.organisation.zone)


def resubmission_of(claim: Claim, explained: LineExplained) -> dict[str, Any] | None:
    """The line of a reversed claim that names the same visit, and what is decided differently this time."""
    line, steps = explained.line, explained.runs[-1][2] if explained.runs else ()
    taken_back = line_queries.line_taken_back(claim, line) if steps else None
    if taken_back is None:
        return None
    rows = list(line_queries.claim_lines(taken_back.claim).filter(pk=taken_back.pk))
    before = explain(taken_back.claim, rows)[0]
    was = before.runs[-1][2] if before.runs else ()
    return {"line": before.line, "sentences": changes_between(was, steps, claim.organisation.currency)}


def open_pends(access: Access, organisation: Organisation, explained: LineExplained) -> list[dict[str, Any]]:
    """Pends of the last decision that nobody has lifted: code, title, what speaks for and against, who works on it."""
    judged = explained.judged
    if judged is None or judged.adjudication.outcome != "pended":
        return []
    lifted = {row.check_code for row in explained.history.clearances}
    pends = [row for row in judged.findings if row.severity == "P" and row.check_code not in lifted]
    for row in pends:
        row.claim_line, row.run = explained.line, judged.adjudication.run
    evidence = evidence_of(organisation, pends, access.may)
    tasks = tasks_of(organisation, pends, access.now(organisation))
    return [
        {
            "code": row.check_code,
            "title": title_of(row.check_code),
            "evidence": evidence[row.pk],
            "task": tasks[row.pk],
        }
        for row in pends
    ]


@requires("claims.view")
def letter(request: HttpRequest, pk: int) -> HttpResponse:
    """The letter about a decided claim, as PDF. Raises: NotFound while it is not made."""
    made = letters.letter_of(claim_of(access_of(request), pk))
    if made is None:
        raise NotFound()
    with open_attachment(made) as file:
        answer = HttpResponse(file.read(), content_type=made.content_type)
    answer["Content-Disposition"] = f'inline; filename="{made.name}"'
    return answer


@require_POST
@requires("claims.view")
def letter_order(request: HttpRequest, pk: int) -> HttpResponse:
    """Have the letter made: a long claim takes longer than a page may wait."""
    access = access_of(request)
    claim = claim_of(access, pk)
    if claim.status not in LETTER_STATES:
        raise NotFound()
    letters.order_letter(claim=claim, actor=access.actor, at=access.now(claim.organisation))
    messages.info(request, gettext("The letter is being made. Its link appears on this page in a few seconds."))
    return redirect("settlement:claim", pk)


def letter_shown(claim: Claim) -> dict[str, Any]:
    """What the page of a claim says about its letter: made, being made, or to be ordered."""
    if claim.status not in LETTER_STATES:
        return {}
    return {"may_letter": True, "letter": letters.letter_of(claim), "letter_job": letters.letter_job(claim)}
