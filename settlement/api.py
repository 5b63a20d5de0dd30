"""Claims and the road of money for programs: the same reads, actions and words as on the pages."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Query, Router

from config.accounts.access import Access
from config.accounts.api_auth import caller, opens
from config.errors import NotFound
from config.money import from_rate
from config.office.api_parts import (
    REFUSALS,
    Limit,
    RequestKey,
    RowId,
    amount_text,
    in_scope,
    page_after,
    units_text,
    written_once,
)
from config.statuses import label_of_status
from contracts.models import Contract
from contracts.queries import provider_of
from settlement import api_shapes as shapes
from settlement import line_queries
from settlement.actions import claims as claim_actions
from settlement.claim_letter import checks_in_words, explain
from settlement.clearing_queries import cleared_on_the_road
from settlement.explanations import LineExplained, WaterfallRow
from settlement.models import AdjudicationRun, Claim, ClaimLine
from settlement.money_trail import money_trail, start_exists
from settlement.prechecks import precheck
from settlement.term_queries import with_counted

router = Router(tags=["claims"])
money_router = Router(tags=["money"])


@router.get("/claims", response={200: shapes.ClaimPage, **REFUSALS}, **opens("claims.view"), url_name="claims")
def list_claims(request: HttpRequest, wish: Query[shapes.ClaimFilter]) -> dict[str, Any]:
    """Claims of the caller's scope: a provider's own, or those handed in to the office."""
    access = caller(request)
    rows = with_counted(in_scope(access, line_queries.claim_list(access, wish.q.strip(), wish.status or "")))
    if wish.period:
        rows = rows.filter(period=f"{wish.period}-01")
    found, following = page_after(rows, wish.after, wish.limit)
    return {"items": [_short(claim) for claim in found], "next": following}


def _short(claim: Any) -> dict[str, Any]:
    """``claim`` with the sums of claim_list."""
    return {
        **_head(claim),
        "claimed": amount_text(int(claim.claimed or 0) // 100),
        "allowed": amount_text(claim.gross_minor),
        "payable": amount_text(claim.payable_minor),
    }


def _head(claim: Any) -> dict[str, Any]:
    """``claim`` with the time that counts."""
    return {
        "id": claim.pk,
        "number": claim.number,
        "status": claim.status,
        "status_words": label_of_status(claim.status),
        "organisation": claim.organisation.code,
        "provider": claim.provider.code,
        "contract": claim.contract_number,
        "period": f"{claim.period:%Y-%m}",
        "submitted_at": claim.submitted_at,
        "counts_as_submitted_at": claim.counted,
        "currency": claim.organisation.currency,
    }


def _claim(access: Access, pk: int) -> Claim:
    """A claim of the caller's scope. Raises: NotFound, also for claims of others."""
    found = with_counted(in_scope(access, line_queries.visible_claims(access))).filter(pk=pk).first()
    if found is None:
        raise NotFound()
    return found


@router.get("/claims/{int:pk}", response={200: shapes.ClaimFull, **REFUSALS}, **opens("claims.view"), url_name="claim")
def read_claim(
    request: HttpRequest, pk: RowId, after_line: int = Query(0, ge=0, le=2**31 - 1), limit: Limit = 100
) -> Any:
    """A claim: figures, what each check took, and its lines, each step of every decision in words."""
    claim = _claim(caller(request), pk)
    lines, following = _page_of_lines(claim, after_line, limit)
    return {
        **_head(claim),
        **_figures(claim),
        "checks": [_taken(row) for row in checks_in_words(claim)],
        "line_count": claim.lines.count(),
        "lines": [_line(explained) for explained in explain(claim, lines)],
        "next_line": following,
    }


def _page_of_lines(claim: Claim, after: int, limit: int) -> tuple[list[ClaimLine], int | None]:
    lines = list(line_queries.claim_lines(claim).filter(line__gt=after)[: limit + 1])
    return lines[:limit], lines[limit - 1].line if len(lines) > limit else None


def _figures(claim: Claim) -> dict[str, Any]:
    if not line_queries.outcome_counts(claim):
        nothing = dict.fromkeys(("allowed", "payable", "reductions", "waiting", "fee"))
        return {**nothing, "claimed": amount_text(line_queries.claimed_minor(claim))}
    return _texts(line_queries.claim_totals(claim))


def _texts(totals: dict[str, int]) -> dict[str, Any]:
    names = {"claimed": "amount_claimed", "allowed": "gross", "waiting": "pended"}
    same = {name: name for name in ("payable", "reductions", "fee")}
    return {name: amount_text(totals[source]) for name, source in {**names, **same}.items()}


def _taken(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "check": row["check_code"], "taken": amount_text(row["taken"])}


def _line(explained: LineExplained) -> dict[str, Any]:
    line: ClaimLine = explained.line
    return {
        "line": line.line,
        "redemption": line.redemption_code,
        "certificate": line.certificate.number if line.certificate else line.certificate_number,
        "service": line.service_code,
        "service_name": explained.service,
        "service_date": line.service_date,
        "starts_at": line.starts_at,
        "ends_at": line.ends_at,
        "worker": line.worker_code,
        "units": units_text(line.units_milli),
        "unit_rate": str(from_rate(line.unit_rate_e4)),
        "amount": str(from_rate(line.amount_e4)),
        "runs": _runs(explained),
    }


def _runs(explained: LineExplained) -> list[dict[str, Any]]:
    judged = zip(explained.runs, explained.history.judged, strict=True)
    return [_run(run, words, steps, row.adjudication) for (run, words, steps), row in judged]


def _run(run: AdjudicationRun, words: str, steps: tuple[WaterfallRow, ...], row: Any) -> dict[str, Any]:
    return {
        "run": str(run),
        "outcome": row.outcome,
        "outcome_words": words,
        "units_allowed": units_text(row.units_allowed),
        "rate_allowed": str(from_rate(row.rate_allowed)),
        "allowed": amount_text(row.gross),
        "fee": amount_text(row.fee),
        "payable": amount_text(row.payable),
        "steps": [_step(step) for step in steps],
    }


def _step(step: WaterfallRow) -> dict[str, Any]:
    basis = (step.basis.parameter, step.basis.act, str(step.basis.since or ""))
    return {
        "kind": step.kind,
        "check": step.code,
        "severity": step.severity,
        "title": step.title,
        "sentence": step.sentence,
        "advice": step.advice,
        "units": units_text(step.units),
        "amount": amount_text(step.amount),
        "left": amount_text(step.left),
        "basis": ", ".join(part for part in basis if part),
        "basis_unverified": step.basis.unverified,
        "ground": {
            "words": step.ground.words,
            "evidence": step.ground.evidence,
            "unverified": step.ground.unverified,
        },
    }


def _written(claim: Claim) -> dict[str, Any]:
    return {"id": claim.pk, "number": claim.number, "status": claim.status, "line_count": claim.lines.count()}


def _own_contract(access: Access, number: str) -> Contract:
    """The caller's contract of the number. Raises: NotFound, also when two organisations use the number."""
    rows = in_scope(access, Contract.objects.filter(provider=provider_of(access.user), number=number))
    found = list(rows.select_related("organisation", "provider")[:2])
    if len(found) != 1:
        raise NotFound()
    return found[0]


WRITE: dict[str, Any] = {"response": {200: shapes.ClaimWritten, **REFUSALS}, **opens("claims.submit")}
CREATE: dict[str, Any] = {"response": {201: shapes.ClaimWritten, **REFUSALS}, **opens("claims.submit")}


@router.post("/claims", **CREATE)
def create_claim(request: HttpRequest, wish: shapes.ClaimWish, key: RequestKey) -> Any:
    """Draft a claim with its lines."""
    access = caller(request)
    contract = _own_contract(access, wish.contract)

    def call() -> Claim:
        return claim_actions.create_claim(
            organisation=contract.organisation,
            provider=contract.provider,
            contract=contract,
            period=wish.first_day(),
            lines=[line.draft(contract.organisation.zone) for line in wish.lines],
            actor=access.actor,
            at=access.now(contract.organisation),
        )

    return 201, written_once(request, key, wish, call, _written)


@router.post("/claims/from-redemptions", **CREATE)
def create_claim_from_redemptions(request: HttpRequest, wish: shapes.MonthWish, key: RequestKey) -> Any:
    """Draft a claim with every confirmed visit of the month that is not claimed yet."""
    access = caller(request)
    contract = _own_contract(access, wish.contract)

    def call() -> Claim:
        return claim_actions.create_claim_from_redemptions(
            organisation=contract.organisation,
            provider=contract.provider,
            contract=contract,
            period=wish.first_day(),
            actor=access.actor,
            at=access.now(contract.organisation),
        )

    return 201, written_once(request, key, wish, call, _written)


@router.put("/claims/{int:pk}/lines", **WRITE)
def replace_lines(request: HttpRequest, pk: RowId, wish: shapes.LinesWish, key: RequestKey) -> Any:
    """Other lines for a draft or a returned claim."""
    access = caller(request)
    claim = _claim(access, pk)

    def call() -> Claim:
        return claim_actions.replace_claim_lines(
            organisation=claim.organisation,
            claim_id=claim.pk,
            lines=[line.draft(claim.organisation.zone) for line in wish.lines],
            actor=access.actor,
            at=access.now(claim.organisation),
        )

    return written_once(request, key, wish, call, _written)


@router.post("/claims/{int:pk}/precheck", response={200: shapes.Prechecked, **REFUSALS}, **opens("claims.submit"))
def precheck_claim(request: HttpRequest, pk: RowId, wish: shapes.PrecheckWish) -> Any:
    """What would be decided about each line if the claim were submitted now; nothing is written."""
    access = caller(request)
    claim = _claim(access, pk)
    checked = precheck(claim, at=access.now(claim.organisation))
    lines, following = _page_of_lines(claim, wish.after_line, wish.limit)
    return {
        "id": claim.pk,
        "number": claim.number,
        **_texts(checked.totals),
        "outcomes": checked.counts,
        "checks": [_taken(row) for row in checked.checks],
        "lines": [_line(explained) for explained in checked.explain(lines)],
        "next_line": following,
    }


@router.post("/claims/{int:pk}/submit", **WRITE)
def submit_claim(request: HttpRequest, pk: RowId, key: RequestKey) -> Any:
    """Hand the claim in; from now on its lines cannot change."""
    access = caller(request)
    claim = _claim(access, pk)

    def call() -> Claim:
        return claim_actions.submit_claim(
            organisation=claim.organisation, claim_id=claim.pk, actor=access.actor, at=access.now(claim.organisation)
        )

    return written_once(request, key, None, call, _written)


@router.post("/claims/{int:pk}/withdraw", **WRITE)
def withdraw_claim(request: HttpRequest, pk: RowId, wish: shapes.ReasonWish, key: RequestKey) -> Any:
    """Take the claim back before it is judged; its visits can be claimed again."""
    access = caller(request)
    claim = _claim(access, pk)

    def call() -> Claim:
        return claim_actions.withdraw_claim(
            organisation=claim.organisation,
            claim_id=claim.pk,
            reason=wish.reason,
            actor=access.actor,
            at=access.now(claim.organisation),
        )

    return written_once(request, key, wish, call, _written)


@money_router.get("/money/{start}/{int:pk}", response=REFUSALS, **opens("money.follow"), url_name="money")
def follow_money(request: HttpRequest, start: shapes.Start, pk: RowId) -> HttpResponse:
    """The road of money from one record to the budget and to the bank; amounts are minor units."""
    office = caller(request).office()
    if not start_exists(office, start, pk):
        raise NotFound()
    road = money_trail(organisation=office, start=start, pk=pk).as_json()
    return JsonResponse(road | {"clearing": cleared_on_the_road(office, start, pk)})
