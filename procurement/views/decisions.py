"""Decisions about one bid, award or complaint of a competition."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as now_in
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from config.accounts.access import Access, requires
from contracts.actions.agreements import AgreedMilestone
from contracts.views.agreements import representative_of
from contracts.views.pages import access_of, one_of, perform, stepped
from procurement.actions import awards, complaints
from procurement.actions import bids as bid_actions
from procurement.forms import AnswerForm, GrantForm, RejectionForm
from procurement.models import Award, Bid, Complaint
from procurement.views.scope import tenders_for


@require_POST
@requires("bids.open")
def bid_admit(request: HttpRequest, pk: int) -> HttpResponse:
    """Admit an opened bid."""
    access = access_of(request)
    bid = _office_bid(access, pk)
    return perform(
        request,
        lambda: bid_actions.admit_bid(bid=bid, actor=access.actor, at=access.now()),
        done=_("The bid is admitted to scoring."),
        to="procurement:competition",
        key=bid.tender_id,
    )


@requires("bids.open")
def bid_reject(request: HttpRequest, pk: int) -> HttpResponse:
    """Reject an opened bid with a ground."""
    access = access_of(request)
    bid = _office_bid(access, pk)
    form = RejectionForm(request.POST or None)
    return stepped(
        request,
        form,
        lambda: bid_actions.reject_bid(bid=bid, actor=access.actor, at=access.now(), **form.cleaned_data),
        done=_("The bid is rejected. The bidder sees the ground and may complain."),
        title=bid.provider.name,
        back="procurement:competition",
        key=bid.tender_id,
        submit=_("Reject"),
        danger=True,
    )


def _office_bid(access: Access, pk: int) -> Bid:
    rows = Bid.objects.filter(tender__in=tenders_for(access)).exclude(status="draft")
    return one_of(rows.select_related("tender__organisation", "provider"), pk)


@requires("awards.decide")
def award_conclude(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign the contract or grant agreement of an award."""
    access = access_of(request)
    award = one_of(Award.objects.filter(tender__in=tenders_for(access)).select_related("bid", "tender"), pk)
    done = _("The contract is signed and in force.")
    if award.tender.kind == "project_contest":
        form = GrantForm(request.POST or None)
        return stepped(
            request,
            form,
            lambda: _conclude(award, form, access),
            done=done,
            title=award.number,
            back="procurement:competition",
            key=award.tender_id,
            submit=_("Sign the grant agreement"),
        )
    return _sign(request, award, done, access)


@require_POST
def _sign(request: HttpRequest, award: Award, done: Any, access: Access) -> HttpResponse:
    return perform(
        request, lambda: _conclude(award, None, access), done=done, to="procurement:competition", key=award.tender_id
    )


def _conclude(award: Award, form: GrantForm | None, access: Access) -> Any:
    signer = representative_of(award.bid.provider_id)
    if form is None:
        return awards.conclude_social_order(award=award, provider_user_id=signer, actor=access.actor, at=access.now())
    return awards.conclude_grant(
        award=award,
        milestones=_milestones(form.cleaned_data),
        provider_user_id=signer,
        actor=access.actor,
        at=access.now(),
    )


def _milestones(data: dict[str, Any]) -> list[AgreedMilestone]:
    return [
        AgreedMilestone("tranche_1", now_in("First tranche"), data["first_date"], data["first_amount"]),
        AgreedMilestone("tranche_2", now_in("Second tranche"), data["second_date"], data["second_amount"]),
        AgreedMilestone("final_report", now_in("Final report"), data["report_date"]),
    ]


@requires("tenders.approve")
def complaint_answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer a complaint."""
    access = access_of(request)
    complaint = one_of(Complaint.objects.filter(tender__in=tenders_for(access)).select_related("tender"), pk)
    form = AnswerForm(request.POST or None)
    return stepped(
        request,
        form,
        lambda: complaints.answer_complaint(
            complaint=complaint, actor=access.actor, at=access.now(), **form.cleaned_data
        ),
        done=_("The complaint is answered."),
        title=_("Complaint"),
        back="procurement:competition",
        key=complaint.tender_id,
        submit=_("Answer"),
    )
