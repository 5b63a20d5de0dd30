"""Competitions: lists and the page that gathers everything about one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from config.accounts.access import Access, requires
from config.errors import DomainError
from config.office.storage import attachments_of
from contracts.parameters import ParameterBook
from contracts.queries import provider_of
from contracts.views.pages import access_of, download, one_of, page_of, perform, stepped, submitted
from procurement import queries
from procurement.actions import awards, closing, competitions, complaints, evaluation
from procurement.actions import bids as bid_actions
from procurement.actions.documentation import norm_to_follow
from procurement.forms import (
    AnswerForm,
    ClosingForm,
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
from procurement.models import CommissionMember, Score, Tender
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
    at = access.now(tender.organisation)
    closed = tender.bids_close_at is not None and at >= tender.bids_close_at
    seats = list(tender.commission.all())
    seat = next((row for row in seats if row.user_id == access.user.pk), None)
    return {
        "tender": tender,
        "norm_to_follow": norm_to_follow(tender) and tender.status in {"planning", "planned", "active"},
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
        "unexplained": _unexplained(tender, sees_bids, seat),
        "may_approve": access.may("tenders.approve") and tender.author_id != access.user.pk,
        "may_bid": access.may("bids.submit") and tender.status == "active" and not closed,
        "commission_form": CommissionForm(organisation=tender.organisation),
        "publish_form": PublishForm(initial={"bids_close_at": _first_close(tender, at)}),
        "declaration_form": DeclarationForm(),
        "rejection_form": RejectionForm(),
        "reason_form": ReasonForm(),
        "grant_form": GrantForm(),
        "complaint_form": ComplaintForm(),
        "answer_form": AnswerForm(),
        "decisions": attachments_of(tender) if tender.closing_reason else [],
        "may_cancel": access.may("awards.decide") and _may_cancel(tender),
        "may_close": access.may("awards.decide") and _may_close(tender, at),
        "after_standstill": [row.pk for row in tender.awards.all() if at > row.standstill_until],
    }


def _unexplained(tender: Tender, sees_bids: bool, seat: CommissionMember | None) -> list[Score]:
    """Marks that lack their reason: all for the chair and the office, the own ones for another member."""
    if not sees_bids or tender.status != "active" or tender.evaluated_at:
        return []
    rows = evaluation.unexplained_marks(tender)
    own_only = seat is not None and seat.role != "chair"
    return [row for row in rows if not own_only or row.member_id == seat.pk]  # type: ignore[union-attr]


def _first_close(tender: Tender, at: datetime) -> datetime | None:
    """The earliest permitted day, at the present time of day; only where the form is shown."""
    if tender.status != "planned":
        return None
    now = at.astimezone(ZoneInfo(tender.organisation.zone))
    try:
        day = competitions.earliest_close(tender, now.date())
    except DomainError:
        return None
    return datetime.combine(day, time(now.hour, now.minute), now.tzinfo)


def _may_cancel(tender: Tender) -> bool:
    open_state = Tender.STATES.allows(tender.status, "cancelled")
    return open_state and not tender.awards.filter(contract__isnull=False).exists()


def _may_close(tender: Tender, at: datetime) -> bool:
    try:
        closing.check_nobody_wins(tender, at)
    except DomainError:
        return False
    return True


@requires("tenders.view")
def tender_decision(request: HttpRequest, pk: int, file_pk: int) -> HttpResponse:
    """The decision that ended a competition."""
    tender = one_of(tenders_for(access_of(request)), pk)
    return download(one_of(attachments_of(tender), file_pk))


@requires("tenders.edit")
def tender_new(request: HttpRequest) -> HttpResponse:
    """Write the documentation of a competition."""
    access = access_of(request)
    office = access.office()
    form = TenderForm(request.POST or None, organisation=office, on=access.today())
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
    on = access.today()
    weights = {code: book.get(f"so.weight.{code}", on) for code, *_rest in SOCIAL_ORDER_CRITERIA}
    return [
        {"code": code, "title": title, "kind": kind, "must": must, "weight": value.decimal if value else None}
        for code, title, kind, must in SOCIAL_ORDER_CRITERIA
        for value in [weights[code]]
    ]


Step = Callable[[Tender, Any, Access], Any]


def _publish(tender: Tender, form: Any, access: Access) -> Any:
    return competitions.publish_tender(
        tender=tender, bids_close_at=form.cleaned_data["bids_close_at"], actor=access.actor, at=access.now()
    )


def _appoint(tender: Tender, form: Any, access: Access) -> Any:
    data = form.cleaned_data
    return competitions.appoint_commission(
        tender=tender,
        chair=data["chair"],
        members=[user for user in data["members"] if user != data["chair"]],
        actor=access.actor,
        at=access.now(),
    )


def _closing(call: Callable[..., Any]) -> Step:
    def step(tender: Tender, form: ClosingForm, access: Access) -> Any:
        reason, document = form.cleaned_data["reason"], form.decision()
        return call(tender=tender, reason=reason, document=document, actor=access.actor, at=access.now())

    return step


def _plain(call: Callable[..., Any]) -> Step:
    def step(tender: Tender, form: Any, access: Access) -> Any:
        data = form.cleaned_data if form else {}
        return call(tender=tender, actor=access.actor, at=access.now(tender.organisation), **data)

    return step


def _complain(tender: Tender, form: Any, access: Access) -> Any:
    return complaints.submit_complaint(
        tender=tender,
        provider=own_provider(access),
        actor=access.actor,
        at=access.now(tender.organisation),
        **form.cleaned_data,
    )


# step -> permission, form, call, what is said afterwards
STEPS: dict[str, tuple[str, type[Any] | None, Step, Any]] = {
    "approve": ("tenders.approve", None, _plain(competitions.approve_tender), _("The documentation is approved.")),
    "commission": ("tenders.edit", CommissionForm, _appoint, _("The commission is appointed.")),
    "publish": ("tenders.edit", PublishForm, _publish, _("The competition is announced. Providers can bid.")),
    "declare": ("bids.score", DeclarationForm, _plain(competitions.declare_interest), _("Your declaration is kept.")),
    "open": ("bids.open", None, _plain(bid_actions.open_bids), _("The bids are open. Admit or reject each one.")),
    "evaluate": ("tenders.edit", None, _plain(evaluation.evaluate_tender), _("The results are computed.")),
    "award": ("awards.decide", ReasonForm, _plain(awards.award_tender), _("The award is made; the stand-still runs.")),
    "unsuccessful": (
        "awards.decide",
        ClosingForm,
        _closing(closing.declare_unsuccessful),
        _("The competition is closed without a winner."),
    ),
    "cancel": (
        "awards.decide",
        ClosingForm,
        _closing(closing.cancel_tender),
        _("The competition is cancelled; its bidders are told."),
    ),
    "complain": (
        "bids.submit",
        ComplaintForm,
        _complain,
        _("Your complaint is submitted; no contract before its answer."),
    ),
}


CLOSING_NOTES = {
    "cancel": [_("A cancelled competition cannot be taken up again. Bids that are not opened stay sealed.")],
    "unsuccessful": [_("Say it when no bid is admitted, or when no admitted bid may win.")],
}
SUBMITS = {
    "cancel": _("Cancel the competition"),
    "unsuccessful": _("Close without a winner"),
    "commission": _("Appoint"),
    "publish": _("Announce the competition"),
    "declare": _("Declare"),
    "award": _("Award to the first in rank"),
    "complain": _("Submit the complaint"),
}


def step_view(name: str) -> Callable[..., HttpResponse]:
    """The view of one step: a button is one call, a form has a page of its own for what must be corrected."""
    permission, form_class, call, done = STEPS[name]
    if form_class is None:
        return require_POST(requires(permission)(_button(call, done)))
    return requires(permission)(_form_step(name, form_class, call, done))


def _scope_of(form_class: type[Any], tender: Tender) -> dict[str, Any]:
    if form_class is CommissionForm:
        return {"organisation": tender.organisation}
    return {"tender": tender} if form_class is ClosingForm else {}


def _button(call: Step, done: Any) -> Callable[..., HttpResponse]:
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        access = access_of(request)
        tender = one_of(tenders_for(access), pk)
        return perform(request, lambda: call(tender, None, access), done=done, to="procurement:competition", key=pk)

    return view


def _form_step(name: str, form_class: type[Any], call: Step, done: Any) -> Callable[..., HttpResponse]:
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        access = access_of(request)
        tender = one_of(tenders_for(access), pk)
        form = form_class(request.POST or None, request.FILES or None, **_scope_of(form_class, tender))
        return stepped(
            request,
            form,
            lambda: call(tender, form, access),
            done=done,
            title=f"{SUBMITS[name]}: {tender.title}" if name in SUBMITS else tender.title,
            back="procurement:competition",
            key=pk,
            multipart=form.is_multipart(),
            danger=form_class is ClosingForm,
            notes=CLOSING_NOTES.get(name, []),
            submit=SUBMITS.get(name),
        )

    return view
