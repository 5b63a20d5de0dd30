"""The scoring sheet of a commission member."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _

from config.accounts.access import requires
from config.errors import DomainError
from contracts.views.pages import access_of, one_of, submitted
from procurement import queries
from procurement.actions import evaluation
from procurement.forms import MarksForm
from procurement.models import Bid, Criterion, Score, Tender


@requires("bids.score")
def scoring_sheet(request: HttpRequest, pk: int) -> HttpResponse:
    """Own marks of every admitted bid; other members' marks are not shown."""
    access = access_of(request)
    return _sheet_page(request, one_of(queries.tenders_of_member(access.user), pk), {})


@requires("bids.score")
def score_one(request: HttpRequest, pk: int, bid_pk: int) -> HttpResponse:
    """Keep the marks of one bid; what is wrong comes back in its place on the sheet with what was typed."""
    access = access_of(request)
    tender: Tender = one_of(queries.tenders_of_member(access.user), pk)
    bid = one_of(queries.bids_of_tender(tender), bid_pk)
    form = MarksForm(
        request.POST if request.method == "POST" else None,
        criteria=_criteria(tender),
        marks={},
        auto_id=f"id_{bid.pk}_%s",
    )
    saved, refusal = submitted(
        request,
        form,
        lambda: evaluation.score_bid(
            bid=bid,
            marks=form.marks(),
            reason=form.cleaned_data["reason"],
            actor=access.actor,
            at=access.now(bid.tender.organisation),
        ),
    )
    if saved is not None:
        messages.success(request, str(_("Your marks are kept. Lock them when every bid is judged.")))
        return redirect("procurement:scoring", pk)
    return _sheet_page(request, tender, {bid.pk: form} if form.is_bound else {}, refusal)


def _criteria(tender: Tender) -> list[Criterion]:
    return list(tender.criteria.filter(kind="scored").order_by("position"))


def _sheet_page(
    request: HttpRequest, tender: Tender, typed: dict[int, MarksForm], refusal: DomainError | None = None
) -> HttpResponse:
    """The sheet; ``typed``: the form of a bid that was sent and not kept."""
    user = access_of(request).user
    criteria, given = _criteria(tender), queries.scores_of_member(tender, user)
    sheets = [
        _sheet(bid, {row.code: given.get((bid.pk, row.code)) for row in criteria}, criteria, typed.get(bid.pk))
        for bid in queries.bids_of_tender(tender).filter(status="valid")
    ]
    context = {
        "tender": tender,
        "sheets": sheets,
        "seat": tender.commission.filter(user=user).get(),
        "all_locked": all(row["locked"] for row in sheets),
        "refusal": refusal,
    }
    return render(request, "procurement/scoring.html", context, status=409 if refusal else 200)


def _sheet(
    bid: Bid, marks: dict[str, Score | None], criteria: list[Criterion], typed: MarksForm | None
) -> dict[str, Any]:
    locked = bool(marks) and all(score and score.locked_at for score in marks.values())
    form = typed or MarksForm(criteria=criteria, marks=marks, auto_id=f"id_{bid.pk}_%s")
    if not locked:
        del form.fields["reason"]
    return {"bid": bid, "form": form, "locked": locked, "typed": typed is not None}
