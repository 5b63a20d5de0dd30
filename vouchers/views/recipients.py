"""Pages of the case worker (and, read only, the auditor): the register and one recipient."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from django.db.models import Q, QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from config.accounts.access import Access, requires
from contracts.models import Service
from contracts.views.pages import access_of, one_of, page_of, perform, stepped, submitted
from vouchers import forms, queries
from vouchers.actions import assessments, mandates, plans, recipients
from vouchers.models import FeeAssessment, NeedsAssessment, Recipient

SPECIAL = ["tax_id", "phone", "address", "free_category", "findings"]
# Shown in the tables of the page, and only together with the fields above: health, and grounds that tell of it.
SPECIAL_IN_TABLES = ("recipient_class", "fee_steps", "dependency_level", "absence_kind")
SPECIAL_TITLES = {
    "tax_id": _("Tax number"),
    "phone": _("Telephone"),
    "address": _("Address"),
    "free_category": _("Ground for free services"),
    "findings": _("Findings of the last assessment"),
}


@requires("recipients.view")
def recipient_list(request: HttpRequest) -> HttpResponse:
    """The register, names masked; search by code, or by exact name or tax number."""
    access = access_of(request)
    q = request.GET.get("q", "").strip()
    rows = queries.recipients(access.office(), on=access.today())
    page = page_of(request, _found(rows, q))
    rows_shown = [(row, queries.mask_name(row.name)) for row in page]
    return render(request, "vouchers/recipients.html", {"page": page, "rows": rows_shown, "q": q})


def _found(rows: QuerySet[Recipient], q: str) -> QuerySet[Recipient]:
    if not q:
        return rows
    return rows.filter(
        Q(code__istartswith=q)
        | Q(name_index=recipients.name_fingerprint(q))
        | Q(tax_id_index=recipients.tax_fingerprint(q))
    )


def _scope(access: Access) -> QuerySet[Recipient]:
    return Recipient.objects.filter(organisation=access.office()).select_related("organisation", "user")


@requires("recipients.view")
def recipient_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Facts, fee, plan, certificates and absences of one recipient; nothing that tells of health."""
    recipient = one_of(_scope(access_of(request)), pk)
    return _page(request, recipient)


@require_POST
@requires("recipients.special")
def recipient_special(request: HttpRequest, pk: int) -> HttpResponse:
    """The same page with the fields of a special category; the reading is recorded."""
    access = access_of(request)
    recipient = one_of(_scope(access), pk)
    shown = recipients.read_special(
        recipient=recipient, fields=SPECIAL, in_tables=SPECIAL_IN_TABLES, actor=access.actor, at=access.now()
    )
    return _page(request, recipient, special=[(SPECIAL_TITLES[key], value or "—") for key, value in shown.items()])


@require_POST
@requires("fees.explain")
def recipient_fee_steps(request: HttpRequest, pk: int) -> HttpResponse:
    """The same page with the calculation of the fee, for who checks it; the reading is recorded."""
    access = access_of(request)
    recipient = one_of(_scope(access), pk)
    recipients.read_special(
        recipient=recipient, fields=[], in_tables=["fee_steps"], actor=access.actor, at=access.now()
    )
    return _page(request, recipient, explained=True)


def _fee_on(fees: list[FeeAssessment], today: date) -> FeeAssessment | None:
    """The decision in force, else the newest one: a decision of next month is worth showing."""
    in_force = (fee for fee in fees if fee.valid_from <= today and (fee.valid_to is None or today < fee.valid_to))
    return next(in_force, None) or next(iter(fees), None)


def _assessments(recipient: Recipient) -> list[tuple[NeedsAssessment, list[tuple[Service, str]]]]:
    """Assessments, the newest first, each with the services it recommends and their units a month."""
    rows = list(recipient.assessments.order_by("-assessed_on", "-id"))
    codes = {wish["service"] for row in rows for wish in row.recommended}
    services = {
        service.code: service
        for service in Service.objects.filter(organisation=recipient.organisation_id, code__in=codes)
    }
    return [
        (row, [(services[w["service"]], w["units_per_month"]) for w in row.recommended if w["service"] in services])
        for row in rows
    ]


def _page(
    request: HttpRequest,
    recipient: Recipient,
    special: list[tuple[Any, str]] | None = None,
    explained: bool = False,
) -> HttpResponse:
    access = access_of(request)
    today = access.today()
    fees = list(recipient.fee_assessments.order_by("-valid_from"))
    fee = _fee_on(fees, today)
    certificates = list(recipient.certificates.order_by("-valid_from", "-number"))
    balances = queries.line_balances(certificates)
    context = {
        "recipient": recipient,
        "home": queries.home_of(recipient),
        "shown_name": queries.name_for(access, recipient),
        "special": special,
        "explained": explained or special is not None,
        "residences": recipient.residences.select_related("territory").order_by("-valid_from"),
        "assessments": _assessments(recipient),
        "fees": fees,
        "fee": fee,
        "revisions": recipient.fee_revisions.order_by("-proposed_at", "-id"),
        "unverified": {row["key"] for row in fee.parameters if row.get("unverified")} if fee else set(),
        "plan_lines": recipient.plan_lines.select_related("service", "plan").order_by("-valid_from", "service__code"),
        "certificates": [(row, balances.get(row.pk, [])) for row in certificates],
        "absences": recipient.absences.order_by("-from_date"),
        "mandates": [
            (row, row.name if access.may("recipients.edit") else queries.mask_name(row.name))
            for row in recipient.mandates.order_by("-valid_from", "-id")
        ],
        "today": today,
    }
    return render(request, "vouchers/recipient.html", context)


@requires("recipients.edit")
def recipient_new(request: HttpRequest) -> HttpResponse:
    """Register a person."""
    access = access_of(request)
    office = access.office()
    form = forms.RecipientForm(request.POST or None, organisation=office)
    made, refusal = submitted(
        request,
        form,
        lambda: recipients.register_recipient(
            organisation=office, actor=access.actor, at=access.now(), **form.cleaned_data
        ),
    )
    if made is not None:
        return redirect("vouchers:recipient", made.pk)
    context = {"form": form, "refusal": refusal, "title": _("New recipient"), "back": "vouchers:recipients"}
    return render(request, "vouchers/form.html", context)


def _step(
    request: HttpRequest, pk: int, title: Any, form: Callable[[Access, Recipient], Form], call: Callable[..., Any]
) -> HttpResponse:
    """One form about one recipient, one call, back to the recipient."""
    access = access_of(request)
    recipient = one_of(_scope(access), pk)
    bound = form(access, recipient)
    made, refusal = submitted(
        request,
        bound,
        lambda: call(recipient=recipient, data=bound.cleaned_data, form=bound, actor=access.actor, at=access.now()),
    )
    if made is not None:
        return redirect("vouchers:recipient", pk)
    context = {"form": bound, "refusal": refusal, "title": title, "recipient": recipient, "back": "vouchers:recipient"}
    return render(request, "vouchers/form.html", {**context, "key": pk})


@requires("recipients.edit")
def assess(request: HttpRequest, pk: int) -> HttpResponse:
    """Record an assessment of needs."""
    return _step(
        request,
        pk,
        _("Assessment of needs"),
        lambda access, _r: forms.NeedsForm(
            request.POST or None, organisation=access.office(), initial={"assessed_on": access.today()}
        ),
        lambda data, form, **rest: assessments.assess_needs(**form.facts(), recommended=form.recommended(), **rest),
    )


@requires("plans_individual.edit")
def plan_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve an individual plan."""
    return _step(
        request,
        pk,
        _("Individual plan"),
        lambda access, _r: forms.PlanForm(
            request.POST or None,
            organisation=access.office(),
            initial={"valid_from": forms.first_of_next_month(access.today())},
        ),
        lambda data, form, **rest: plans.approve_plan(volumes=form.volumes(), **rest),
    )


@requires("recipients.edit")
def absence_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Record an absence."""
    return _step(
        request,
        pk,
        _("Absence"),
        lambda access, _r: forms.AbsenceForm(request.POST or None, initial={"from_date": access.today()}),
        lambda data, form, **rest: recipients.record_absence(**data, **rest),
    )


@requires("recipients.edit")
def mandate_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Record who may act for the person."""
    return _step(
        request,
        pk,
        _("Representative"),
        lambda access, _r: forms.MandateForm(request.POST or None, initial={"valid_from": access.today()}),
        lambda data, form, **rest: mandates.record_mandate(**data, **rest),
    )


@requires("recipients.edit")
def mandate_end(request: HttpRequest, pk: int, mandate: int) -> HttpResponse:
    """End a mandate."""
    access = access_of(request)
    found = one_of(one_of(_scope(access), pk).mandates.all(), mandate)
    form = forms.MandateEndForm(request.POST or None, initial={"last_day": access.today()})
    return stepped(
        request,
        form,
        lambda: mandates.end_mandate(mandate=found, actor=access.actor, at=access.now(), **form.cleaned_data),
        done=_("The mandate ends with that day."),
        title=_("End of the mandate: %(name)s") % {"name": found.name},
        back="vouchers:recipient",
        key=pk,
        submit=_("End the mandate"),
    )


@requires("recipients.edit")
def move(request: HttpRequest, pk: int) -> HttpResponse:
    """Record a move."""
    return _step(
        request,
        pk,
        _("Move"),
        lambda access, _r: forms.MoveForm(
            request.POST or None, organisation=access.office(), initial={"moved_on": access.today()}
        ),
        lambda data, form, **rest: recipients.move_residence(**data, **rest),
    )


@requires("recipients.edit")
def death(request: HttpRequest, pk: int) -> HttpResponse:
    """Record a death."""
    return _step(
        request,
        pk,
        _("Date of death"),
        lambda _access, _r: forms.DeathForm(request.POST or None),
        lambda data, form, **rest: recipients.record_death(**data, **rest),
    )


@require_POST
@requires("plans_individual.edit")
def plan_close(request: HttpRequest, pk: int, plan: int) -> HttpResponse:
    """End a plan with today."""
    access = access_of(request)
    recipient = one_of(_scope(access), pk)
    found = one_of(recipient.plans.all(), plan)
    return perform(
        request,
        lambda: plans.close_plan(plan=found, last_day=access.today(), actor=access.actor, at=access.now()),
        done=_("The plan ends today. Certificates issued for it keep their units until they are cancelled."),
        to="vouchers:recipient",
        key=pk,
    )
