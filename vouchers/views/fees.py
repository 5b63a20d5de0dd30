"""Pages on which the case worker decides how a recipient pays: from a month on, or anew for past months."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext

from config.accounts.access import Access, requires
from config.errors import DomainError
from config.periods import month_of
from contracts.parameters import parameter_value
from contracts.views.pages import access_of, one_of
from vouchers import forms
from vouchers.actions import assessments, fee_revisions
from vouchers.models import FeeAssessment, FeeRevision, Recipient
from vouchers.rules.income import income_window


def _recipient(access: Access, pk: int) -> Recipient:
    return one_of(Recipient.objects.filter(organisation=access.office()).select_related("organisation"), pk)


def _form(
    request: HttpRequest,
    recipient: Recipient,
    form: forms.FeeForm,
    decide: Callable[[assessments.FeeInputs], HttpResponse],
    template: str,
    **context: Any,
) -> HttpResponse:
    """Calculate, show how, then decide: the same calculation twice."""
    calculation, refusal = None, None
    if request.method == "POST" and form.is_valid():
        try:
            on = form.cleaned_data["application_date"]
            inputs = form.inputs(income_window(application_date=on, rule=_rule(recipient, on)))
            if "decide" in request.POST:
                return decide(inputs)
            calculation = assessments.calculate_fee(recipient=recipient, inputs=inputs)
        except DomainError as error:
            refusal = error
    context |= {
        "form": form,
        "refusal": refusal,
        "recipient": recipient,
        "calculation": calculation,
        "unverified": {row["key"] for row in calculation.parameters if row["unverified"]} if calculation else set(),
        "window": _window(recipient, form, access_of(request).today()),
    }
    return render(request, template, context)


def _rule(recipient: Recipient, on: date) -> str:
    return parameter_value(recipient.organisation, "inc.window", on).text


def _window(recipient: Recipient, form: forms.FeeForm, today: date) -> Any:
    """Months whose incomes count for the date in the form."""
    on = form.initial.get("application_date", today)
    if form.is_bound and form.is_valid():
        on = form.cleaned_data["application_date"]
    try:
        return income_window(application_date=on, rule=_rule(recipient, on))
    except DomainError:
        return None


@requires("fees.decide")
def fee_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Decide a fee from the first day of a month on."""
    access = access_of(request)
    recipient, today = _recipient(access, pk), access.today()
    form = forms.FeeForm(
        request.POST or None,
        jurisdiction=recipient.organisation.jurisdiction,
        initial={"application_date": today, "valid_from": month_of(today), "lost_ability": True},
    )

    def decide(inputs: assessments.FeeInputs) -> HttpResponse:
        assessments.decide_fee(
            recipient=recipient,
            inputs=inputs,
            valid_from=form.cleaned_data["valid_from"],
            actor=access.actor,
            at=access.now(),
        )
        return redirect("vouchers:recipient", pk)

    return _form(request, recipient, form, decide, "vouchers/fee.html")


@requires("fees.decide")
def fee_anew(request: HttpRequest, pk: int) -> HttpResponse:
    """Decide a fee anew for months that are over, for another person to approve."""
    access = access_of(request)
    recipient = _recipient(access, pk)
    fees = list(recipient.fee_assessments.order_by("-valid_from"))
    form = forms.FeeAnewForm(
        request.POST or None, jurisdiction=recipient.organisation.jurisdiction, initial=_as_decided(fees)
    )

    def decide(inputs: assessments.FeeInputs) -> HttpResponse:
        made: FeeRevision = fee_revisions.propose_fee_revision(
            recipient=recipient,
            inputs=inputs,
            actor=access.actor,
            at=access.now(),
            **{name: form.cleaned_data[name] for name in ("valid_from", "last_day", "reason")},
        )
        messages.success(request, gettext("Nothing has changed yet: another person approves it."))
        return redirect("settlement:fee_revision", made.pk)

    return _form(request, recipient, form, decide, "vouchers/fee_anew.html", fees=fees)


def _as_decided(fees: list[FeeAssessment]) -> dict[str, Any]:
    """The days of the newest decision and the date for which its incomes counted."""
    if not fees:
        return {"lost_ability": True}
    newest, said = fees[0], fees[0].inputs
    on = said.get("application_date")
    return {
        "application_date": date.fromisoformat(on) if on else newest.valid_from,
        "lost_ability": said.get("lost_ability", True),
        "crisis": said.get("crisis", False),
        "valid_from": newest.valid_from,
        "last_day": newest.last_day,
    }
