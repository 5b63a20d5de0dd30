"""Competitions: lists and the page that gathers everything about one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as now_in
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from config.accounts.access import Access, requires
from config.errors import DomainError
from contracts.actions.agreements import AgreedMilestone
from contracts.parameters import ParameterBook
from contracts.queries import provider_of
from contracts.views.agreements import representative_of
from contracts.views.pages import access_of, one_of, page_of, perform, stepped, submitted
from procurement import queries
from procurement.actions import awards, competitions, complaints, evaluation
from procurement.actions import bids as bid_actions
from procurement.forms import (
    AnswerForm,
    CommissionForm,
    ComplaintForm,
    CriterionFormSet,
    DeclarationForm,
    GrantForm,
    PublishForm,
    ReasonForm,
    RejectionForm,
    TenderForm,
)
from procurement.models import Award, Bid, Complaint, Tender
from procurement.views.scope import own_provider, tenders_for

SOCIAL_ORDER_CRITERIA = (
    ("compliance", _("Compliance with the criteria of providers"), "scored", True),
    ("finance", _("Financial state"), "scored", False),
    ("experience", _("Experience"), "scored", False),
    ("staff", _("Qualification of staff"), "scored", False),
    ("recipients", _("Planned number of recipients"), "volume", False),
    ("price", _("Cost of the service"), "price", False),
)


@requires("tenders.view")
def tender_list(request: HttpRequest) -> HttpResponse:
    """Competitions of the reader's scope."""
    q = request.GET.get("q", "").strip()
    rows = tenders_for(access_of(request))
    if q:
        rows = rows.filter(title__icontains=q) | rows.filter(number__icontains=q)
    return render(request, "procurement/competitions.html", {"page": page_of(request, rows), "q": q})


@requires("tenders.view")
def tender_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A competition with criteria, commission, bids, results, awards and what can be done now."""
    access = access_of(request)
    rows = queries.with_commission(tenders_for(access)).select_related(
        "organisation", "service", "norm_cost", "budget_line", "author", "approver"
    )
    tender = one_of(rows, pk)
    return render(request, "procurement/competition.html", _context(access, tender))


def _context(access: Access, tender: Tender) -> dict[str, Any]:
    sees_bids = access.may("bids.view")
    at = access.now()
    closed = tender.bids_close_at is not None and at >= tender.bids_close_at
    seats = list(tender.commission.all())
    seat = next((row for row in seats if row.user_id == access.user.pk), None)
    return {
        "tender": tender,
        "criteria": sorted(tender.criteria.all(), key=lambda row: row.position),
        "seats": seats,
        "seat": seat,
        "closed": closed,
        "bids": queries.bids_of_tender(tender) if sees_bids else [],
        "unverified": {key for key, row in tender.settings.items() if row["unverified"]},
        "settings": tender.settings.values(),
        "awards": queries.awards_of(tender),
        "complaints": tender.complaints.select_related("provider").order_by("id") if sees_bids else [],
        "own_bids": queries.bids_of_provider(provider_of(access.user)).filter(tender=tender)
        if access.may("bids.submit")
        else [],
        "may_edit": access.may("tenders.edit"),
        "may_approve": access.may("tenders.approve") and tender.author_id != access.user.pk,
        "may_bid": access.may("bids.submit") and tender.status == "active" and not closed,
        "commission_form": CommissionForm(organisation=tender.organisation),
        "publish_form": PublishForm(initial={"bids_close_at": at + timedelta(days=32)}),
        "declaration_form": DeclarationForm(),
        "rejection_form": RejectionForm(),
        "reason_form": ReasonForm(),
        "grant_form": GrantForm(),
        "complaint_form": ComplaintForm(),
        "answer_form": AnswerForm(),
        "after_standstill": [row.pk for row in tender.awards.all() if at > row.standstill_until],
    }


@requires("tenders.edit")
def tender_new(request: HttpRequest) -> HttpResponse:
    """Write the documentation of a competition."""
    access = access_of(request)
    office = access.office()
    form = TenderForm(request.POST or None, organisation=office)
    initial = None if request.method == "POST" else _default_criteria(access)
    rows = CriterionFormSet(request.POST or None, initial=initial, prefix="criteria")
    if request.method == "POST" and form.is_valid() and rows.is_valid():
        data = {key: value for key, value in form.cleaned_data.items() if key != "required_documents"}
        tender, refusal = submitted(
            request,
            form,
            lambda: competitions.draft_tender(
                organisation=office,
                criteria=[row.draft() for row in rows if row.cleaned_data and not row.cleaned_data.get("DELETE")],
                required_documents=form.documents(),
                actor=access.actor,
                at=access.now(),
                **data,
            ),
        )
        if tender is not None:
            return redirect("procurement:competition", tender.pk)
        return _new(request, form, rows, refusal)
    return _new(request, form, rows, None)


def _new(request: HttpRequest, form: Any, rows: Any, refusal: DomainError | None) -> HttpResponse:
    return render(request, "procurement/competition_new.html", {"form": form, "rows": rows, "refusal": refusal})


def _default_criteria(access: Access) -> list[dict[str, Any]]:
    book = ParameterBook.load(access.office(), "so.weight.")
    on = access.now().date()
    weights = {code: book.get(f"so.weight.{code}", on) for code, *_rest in SOCIAL_ORDER_CRITERIA}
    return [
        {"code": code, "title": title, "kind": kind, "must": must, "weight": value.decimal if value else None}
        for code, title, kind, must in SOCIAL_ORDER_CRITERIA
        for value in [weights[code]]
    ]


Step = Callable[[Tender, Any, Access], Any]


def _publish(tender: Tender, data: dict[str, Any], access: Access) -> Any:
    return competitions.publish_tender(
        tender=tender, bids_close_at=data["bids_close_at"], actor=access.actor, at=access.now()
    )


def _appoint(tender: Tender, data: dict[str, Any], access: Access) -> Any:
    return competitions.appoint_commission(
        tender=tender,
        chair=data["chair"],
        members=[user for user in data["members"] if user != data["chair"]],
        actor=access.actor,
        at=access.now(),
    )


def _declare(tender: Tender, data: dict[str, Any], access: Access) -> Any:
    return competitions.declare_interest(tender=tender, actor=access.actor, at=access.now(), **data)


def _plain(call: Callable[..., Any]) -> Step:
    return lambda tender, data, access: call(tender=tender, actor=access.actor, at=access.now(), **data)


def _complain(tender: Tender, data: dict[str, Any], access: Access) -> Any:
    return complaints.submit_complaint(
        tender=tender, provider=own_provider(access), actor=access.actor, at=access.now(), **data
    )


# step -> permission, form, call, what is said afterwards
STEPS: dict[str, tuple[str, type[Any] | None, Step, Any]] = {
    "approve": ("tenders.approve", None, _plain(competitions.approve_tender), _("The documentation is approved.")),
    "commission": ("tenders.edit", CommissionForm, _appoint, _("The commission is appointed.")),
    "publish": ("tenders.edit", PublishForm, _publish, _("The competition is announced. Providers can bid.")),
    "declare": ("bids.score", DeclarationForm, _declare, _("Your declaration is kept.")),
    "open": ("bids.open", None, _plain(bid_actions.open_bids), _("The bids are open. Admit or reject each one.")),
    "lock": ("bids.score", None, _plain(evaluation.lock_scores), _("Your marks are locked.")),
    "evaluate": ("tenders.edit", None, _plain(evaluation.evaluate_tender), _("The results are computed.")),
    "award": ("awards.decide", ReasonForm, _plain(awards.award_tender), _("The award is made; the stand-still runs.")),
    "unsuccessful": (
        "awards.decide",
        ReasonForm,
        _plain(awards.declare_unsuccessful),
        _("The competition is closed without a winner."),
    ),
    "cancel": ("tenders.edit", ReasonForm, _plain(competitions.cancel_tender), _("The competition is cancelled.")),
    "complain": (
        "bids.submit",
        ComplaintForm,
        _complain,
        _("Your complaint is submitted; no contract before its answer."),
    ),
}


def step_view(name: str) -> Callable[..., HttpResponse]:
    """The view of one step: a button is one call, a form has a page of its own for what must be corrected."""
    permission, form_class, call, done = STEPS[name]
    if form_class is None:
        return require_POST(requires(permission)(_button(call, done)))
    return requires(permission)(_form_step(form_class, call, done))


def _button(call: Step, done: Any) -> Callable[..., HttpResponse]:
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        access = access_of(request)
        tender = one_of(tenders_for(access), pk)
        return perform(request, lambda: call(tender, {}, access), done=done, to="procurement:competition", key=pk)

    return view


def _form_step(form_class: type[Any], call: Step, done: Any) -> Callable[..., HttpResponse]:
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        access = access_of(request)
        tender = one_of(tenders_for(access), pk)
        extra = {"organisation": tender.organisation} if form_class is CommissionForm else {}
        form = form_class(request.POST or None, request.FILES or None, **extra)
        return stepped(
            request,
            form,
            lambda: call(tender, form.cleaned_data, access),
            done=done,
            title=tender.title,
            back="procurement:competition",
            key=pk,
            multipart=form.is_multipart(),
        )

    return view


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
