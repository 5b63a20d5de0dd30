"""The scoring sheet of a commission member."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from config.accounts.access import requires
from contracts.views.pages import access_of, one_of, perform
from procurement import queries
from procurement.actions import evaluation
from procurement.forms import MarksForm
from procurement.models import Tender


@requires("bids.score")
def scoring_sheet(request: HttpRequest, pk: int) -> HttpResponse:
    """Own marks of every admitted bid; other members' marks are not shown."""
    access = access_of(request)
    tender = one_of(queries.tenders_of_member(access.user), pk)
    criteria = list(tender.criteria.filter(kind="scored").order_by("position"))
    given = queries.scores_of_member(tender, access.user)
    bids = list(queries.bids_of_tender(tender).filter(status="valid"))
    sheets = []
    for bid in bids:
        marks = {row.code: given.get((bid.pk, row.code)) for row in criteria}
        locked = bool(marks) and all(score and score.locked_at for score in marks.values())
        form = MarksForm(criteria=criteria, marks=marks, auto_id=f"id_{bid.pk}_%s")
        if not locked:
            del form.fields["reason"]
        sheets.append({"bid": bid, "form": form, "locked": locked})
    seat = tender.commission.filter(user=access.user).get()
    context = {"tender": tender, "sheets": sheets, "seat": seat, "all_locked": all(row["locked"] for row in sheets)}
    return render(request, "procurement/scoring.html", context)


@requires("bids.score")
def score_one(request: HttpRequest, pk: int, bid_pk: int) -> HttpResponse:
    """Keep the marks of one bid."""
    access = access_of(request)
    tender: Tender = one_of(queries.tenders_of_member(access.user), pk)
    bid = one_of(queries.bids_of_tender(tender), bid_pk)
    criteria = list(tender.criteria.filter(kind="scored").order_by("position"))
    form = MarksForm(request.POST or None, criteria=criteria, marks={})
    if not form.is_valid():
        context = {"form": form, "title": bid.provider.name, "back": "procurement:scoring", "key": pk}
        return render(request, "contracts/form.html", context)
    return perform(
        request,
        lambda: evaluation.score_bid(
            bid=bid,
            marks=form.marks(),
            reason=form.cleaned_data["reason"],
            actor=access.actor,
            at=access.now(),
        ),
        done=_("Your marks are kept. Lock them when every bid is judged."),
        to="procurement:scoring",
        key=pk,
    )
