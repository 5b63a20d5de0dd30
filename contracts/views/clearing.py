"""Pages of agreements with other municipalities about certificates used elsewhere."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from config.accounts.access import requires
from contracts.actions.clearing import end_agreement, offer_agreement, sign_agreement
from contracts.forms import ClearingAgreementForm, LastDayForm
from contracts.queries import clearing_agreements
from contracts.views.pages import access_of, one_of, page_of, perform, stepped

BACK = "contracts:clearing_agreements"


@requires("clearing_agreements.view")
def agreement_list(request: HttpRequest) -> HttpResponse:
    """Agreements in both directions, the newest first."""
    access = access_of(request)
    page = page_of(request, clearing_agreements(access.office()))
    context = {"page": page, "office": access.office(), "today": access.today()}
    return render(request, "contracts/clearing_agreements.html", context)


@requires("clearing_agreements.sign")
def agreement_new(request: HttpRequest) -> HttpResponse:
    """Offer an agreement and sign it for this side."""
    access = access_of(request)
    office = access.office()
    form = ClearingAgreementForm(request.POST or None, office=office, initial={"valid_from": access.today()})
    return stepped(
        request,
        form,
        lambda: offer_agreement(organisation=office, actor=access.actor, at=access.now(), **form.terms()),
        done=_("The agreement is offered and signed for this municipality. It holds once the other one signed too."),
        title=_("Offer an agreement"),
        back=BACK,
        key=None,
        submit=_("Sign and offer"),
    )


@requires("clearing_agreements.sign")
@require_POST
def agreement_sign(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign what the other side offered."""
    access = access_of(request)
    return perform(
        request,
        lambda: sign_agreement(organisation=access.office(), agreement_id=pk, actor=access.actor, at=access.now()),
        done=_("The agreement is signed by both municipalities."),
        to=BACK,
    )


@requires("clearing_agreements.sign")
def agreement_end(request: HttpRequest, pk: int) -> HttpResponse:
    """End an agreement with a last day."""
    access = access_of(request)
    row = one_of(clearing_agreements(access.office()), pk)
    form = LastDayForm(request.POST or None, initial={"last_day": access.today()})
    return stepped(
        request,
        form,
        lambda: end_agreement(
            organisation=access.office(),
            agreement_id=row.pk,
            last_day=form.cleaned_data["last_day"],
            actor=access.actor,
            at=access.now(),
        ),
        done=_("The agreement is ended. Visits up to its last day are still cleared."),
        title=_("End the agreement of %(home)s and %(host)s") % {"home": row.home, "host": row.host},
        back=BACK,
        key=None,
        submit=_("End the agreement"),
        danger=True,
    )
