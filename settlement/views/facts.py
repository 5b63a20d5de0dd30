"""Facts that checks of claims ask for: lists by kind, recording one, closing what is open."""

from __future__ import annotations

from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from config.accounts.access import requires
from config.errors import NotFound, NotPermitted
from config.money import from_minor, to_minor
from config.office.models import Attachment
from config.periods import Period
from contracts.views.pages import access_of, download, one_of, page_of, stepped
from settlement.actions import check_facts
from settlement.actions.provider_accounts import LETTER
from settlement.fact_forms import ActForm, AnswerForm, DeclarationForm, FeeReportForm, SignedActForm
from settlement.fact_kinds import KINDS, PEOPLE, REGISTER, Kind
from settlement.finding_words import title_of
from settlement.line_queries import declaration_of
from settlement.models import Claim
from settlement.views.claims import claim_of
from vouchers.actions import check_facts as people
from vouchers.models import EmergencyCase, VisitComplaint

BACK = "settlement:facts"


def _kind(name: str) -> Kind:
    if name not in KINDS:
        raise NotFound()
    return KINDS[name]


@requires(REGISTER, PEOPLE, "trail.view")
def fact_list(request: HttpRequest, kind: str = "schedules") -> HttpResponse:
    """Facts of a kind, and which check reads them."""
    access, chosen, q = access_of(request), _kind(kind), request.GET.get("q", "").strip()
    page = page_of(request, chosen.rows(access.office(), q).distinct())
    context = {
        "page": page,
        "rows": [(row, *chosen.words(row), _last_day(row)) for row in page],
        "q": q,
        "kind": kind,
        "kinds": [(name, each.title) for name, each in KINDS.items()],
        "chosen": chosen,
        "check": title_of(chosen.check),
        "may_record": access.may(chosen.permission),
    }
    return render(request, "settlement/facts/list.html", context)


def _last_day(row: object) -> date | None:
    """The last day that counts, as people write it."""
    first, end = getattr(row, "valid_from", None), getattr(row, "valid_to", None)
    return Period(first, end).last_day if first else None


@requires(REGISTER, PEOPLE)
def fact_new(request: HttpRequest, kind: str) -> HttpResponse:
    """Record a fact."""
    access, chosen = access_of(request), _kind(kind)
    if not access.may(chosen.permission):
        raise NotPermitted()
    form = chosen.form(
        request.POST or None, request.FILES or None, organisation=access.office(), initial=request.GET.dict()
    )
    return stepped(
        request,
        form,
        lambda: chosen.record(organisation=access.office(), actor=access.actor, at=access.now(), **form.cleaned_data),
        done=_("It is recorded. Claims are judged by it from the next run on."),
        title=chosen.title,
        back=BACK,
        key=kind,
        submit=_("Record it"),
        multipart=form.is_multipart(),
    )


@requires(REGISTER, "payment_runs.view")
def account_letter(request: HttpRequest, pk: int) -> HttpResponse:
    """What a provider asked with for another account; kept by the office that recorded the change."""
    papers = Attachment.objects.filter(organisation=access_of(request).office(), kind=LETTER)
    return download(one_of(papers, pk))


@requires(PEOPLE)
def complaint_answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer a complaint about a visit."""
    access = access_of(request)
    row = one_of(VisitComplaint.objects.filter(redemption__organisation=access.office()), pk)
    form = AnswerForm(request.POST or None)
    return stepped(
        request,
        form,
        lambda: people.answer_complaint(
            organisation=access.office(), complaint_id=pk, actor=access.actor, at=access.now(), **form.cleaned_data
        ),
        done=_("The complaint is answered. A line that waited for it can be judged again."),
        title=_("Answer the complaint"),
        back=BACK,
        key="complaints",
        notes=[row.text],
    )


@requires(PEOPLE)
def emergency_act(request: HttpRequest, pk: int) -> HttpResponse:
    """Record the act of an emergency service."""
    access = access_of(request)
    one_of(EmergencyCase.objects.filter(recipient__organisation=access.office()), pk)
    form = ActForm(request.POST or None)
    return stepped(
        request,
        form,
        lambda: people.record_emergency_act(
            organisation=access.office(), emergency_id=pk, actor=access.actor, at=access.now(), **form.cleaned_data
        ),
        done=_("The day of the act is recorded."),
        title=_("Act of the emergency service"),
        back=BACK,
        key="emergencies",
    )


def _declared(claim: Claim) -> dict[str, object]:
    row = declaration_of(claim)
    if row is None:
        return {}
    total = None if row.total_minor is None else from_minor(row.total_minor)
    return {"document_number": row.document_number, "total": total, "vat": from_minor(row.vat_minor)}


@requires("claims.submit")
def claim_declare(request: HttpRequest, pk: int) -> HttpResponse:
    """The provider's own invoice behind a draft."""
    access = access_of(request)
    claim = claim_of(access, pk)
    form = DeclarationForm(request.POST or None, initial=_declared(claim))

    def call() -> object:
        total, vat = form.cleaned_data["total"], form.cleaned_data["vat"]
        return check_facts.declare_claim(
            organisation=claim.organisation,
            claim_id=claim.pk,
            document_number=form.cleaned_data["document_number"],
            total_minor=None if total is None else to_minor(total),
            vat_minor=to_minor(vat or 0),
            actor=access.actor,
            at=access.now(claim.organisation),
        )

    done, title = _("Your invoice is noted with the claim."), _("Your invoice behind the claim")
    return stepped(request, form, call, done=done, title=title, back="settlement:claim", key=pk)


@requires("claims.submit")
def claim_fee(request: HttpRequest, pk: int) -> HttpResponse:
    """What was collected from a recipient."""
    access = access_of(request)
    claim = claim_of(access, pk)
    form = FeeReportForm(request.POST or None, claim=claim)

    def call() -> object:
        return check_facts.report_fee(
            organisation=claim.organisation,
            claim_id=claim.pk,
            recipient=form.cleaned_data["recipient"],
            collected_minor=to_minor(form.cleaned_data["collected"]),
            actor=access.actor,
            at=access.now(claim.organisation),
        )

    done, title = _("The fee is noted with the claim."), _("Fee collected from a recipient")
    return stepped(request, form, call, done=done, title=title, back="settlement:claim", key=pk)


@requires("claims.submit")
def claim_act(request: HttpRequest, pk: int) -> HttpResponse:
    """Attach the act that the recipients signed."""
    access = access_of(request)
    claim = claim_of(access, pk)
    form = SignedActForm(request.POST or None, request.FILES or None)

    def call() -> object:
        file = form.cleaned_data["file"]
        return check_facts.attach_signed_act(
            organisation=claim.organisation,
            claim_id=claim.pk,
            name=file.name,
            content=file.read(),
            content_type=file.content_type or "application/octet-stream",
            actor=access.actor,
            at=access.now(claim.organisation),
        )

    done, title = _("The signed act is attached."), _("Signed act")
    return stepped(request, form, call, done=done, title=title, back="settlement:claim", key=pk, multipart=True)
