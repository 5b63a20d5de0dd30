"""Pages at the door: redeem, confirm, void; lists of redemptions; import of visits."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _

from config.accounts.access import Access, requires
from config.errors import DomainError, NotPermitted
from config.money import from_units
from contracts.models import Provider
from contracts.queries import provider_of
from contracts.views.pages import access_of, one_of, page_of, stepped
from vouchers import forms, queries
from vouchers.actions.redemptions import (
    authorise_redemption,
    confirm_redemption,
    find_certificate,
    reverse_redemption,
    void_redemption,
)
from vouchers.actions.visits import VisitsOutcome, VisitsRefused, import_reported_visits
from vouchers.models import Certificate, Redemption

MAX_FILE = 20 * 1024 * 1024
SHOWN_CELLS = 200
STATES = ("authorised", "confirmed", "voided", "expired", "reversed")


def own_provider(access: Access) -> Provider:
    """The provider the reader acts for. Raises: NotPermitted."""
    provider = provider_of(access.user)
    if provider is None:
        raise NotPermitted()
    return provider


@requires("certificates.redeem")
def redeem(request: HttpRequest) -> HttpResponse:
    """Two steps: which certificate; then what, by whom, how much, and the PIN."""
    access = access_of(request)
    provider = own_provider(access)
    if request.method != "POST":
        return render(request, "vouchers/redeem.html", {"form": forms.CodeForm(), "step": 1})
    form = forms.CodeForm(request.POST)
    if not form.is_valid():
        return render(request, "vouchers/redeem.html", {"form": form, "step": 1})
    try:
        certificate = find_certificate(form.cleaned_data["certificate_key"])
    except DomainError as error:
        return render(request, "vouchers/redeem.html", {"form": form, "step": 1, "refusal": error}, status=409)
    if "pin" not in request.POST:
        return _second_step(request, access, provider, certificate)
    return _authorise(request, access, provider, certificate)


def _second_step(request: HttpRequest, access: Access, provider: Provider, certificate: Certificate) -> HttpResponse:
    zone = certificate.organisation.zone
    now = access.now(certificate.organisation).astimezone(ZoneInfo(zone))
    initial = {
        "certificate_key": request.POST["certificate_key"],
        "idempotency_key": uuid.uuid4().hex,
        "units": 1,
        "starts_at": now.replace(second=0, microsecond=0, tzinfo=None),
    }
    form = forms.RedeemForm(initial=initial, certificate=certificate, provider=provider, zone=zone)
    return _step_two_page(request, form, certificate)


def _step_two_page(
    request: HttpRequest, form: forms.RedeemForm, certificate: Certificate, refusal: DomainError | None = None
) -> HttpResponse:
    context = {"form": form, "step": 2, "certificate": certificate, "refusal": refusal}
    return render(request, "vouchers/redeem.html", context, status=409 if refusal else 200)


def _authorise(request: HttpRequest, access: Access, provider: Provider, certificate: Certificate) -> HttpResponse:
    form = forms.RedeemForm(
        request.POST, certificate=certificate, provider=provider, zone=certificate.organisation.zone
    )
    if not form.is_valid():
        return _step_two_page(request, form, certificate)
    try:
        redemption = authorise_redemption(
            provider=provider,
            actor=access.actor,
            at=access.now(certificate.organisation),
            **form.cleaned_data,
        )
    except DomainError as error:
        return _step_two_page(request, form, certificate, error)
    return redirect("vouchers:redemption", redemption.pk)


def _visible(access: Access) -> QuerySet[Redemption]:
    """Own redemptions of a provider; those of the office otherwise."""
    if access.may("certificates.redeem"):
        return queries.redemptions_of_provider(provider_of(access.user))
    return queries.redemptions_of_office(access.office())


@requires("redemptions.view")
def redemption_list(request: HttpRequest) -> HttpResponse:
    """Redemptions, the latest first; search by code, certificate or worker; filter by state."""
    access = access_of(request)
    q, state = request.GET.get("q", "").strip(), request.GET.get("state", "")
    rows = queries.found_redemptions(_visible(access), q)
    if state in STATES:
        rows = rows.filter(status=state)
    context = {
        "page": page_of(request, rows),
        "q": q,
        "state": state,
        "states": STATES,
        "hidden": {"state": state},
        "by_provider": not access.may("certificates.redeem"),
    }
    return render(request, "vouchers/redemptions.html", context)


@requires("redemptions.view")
def redemption_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One redemption: its movements, and for its provider the way to confirm or void it."""
    access = access_of(request)
    redemption = one_of(_visible(access).select_related("organisation", "provider", "service", "certificate"), pk)
    certificate = redemption.certificate
    context = {
        "redemption": redemption,
        "balances": queries.line_balances([certificate]).get(certificate.pk, []) if certificate else [],
        "movements": redemption.entries.order_by("id"),
        "may_change": access.may("certificates.redeem") and redemption.status == "authorised",
        "confirm": _confirm_form(redemption, access.now(redemption.organisation)),
        "void": forms.ReasonForm(auto_id="void_%s"),
        "may_reverse": access.may("redemptions.reverse") and _reversible(redemption),
    }
    return render(request, "vouchers/redemption.html", context)


def _reversible(redemption: Redemption) -> bool:
    """Confirmed online, and no claim asks for it."""
    online = redemption.status == "confirmed" and redemption.channel == "online"
    return online and not queries.claim_of(redemption)


def _confirm_form(redemption: Redemption, at: datetime, data: Any = None) -> forms.ConfirmForm:
    """What was authorised, ending as planned; what is not counted in hours has ended by now."""
    zone = ZoneInfo(redemption.organisation.zone)
    units = from_units(redemption.authorised_milli or 0)
    by_hours = bool(redemption.service and redemption.service.unit == "hour")
    ends = redemption.starts_at and (redemption.starts_at + timedelta(hours=float(units) if by_hours else 1))
    if ends and redemption.starts_at and not by_hours and redemption.starts_at < at < ends:
        ends = at.replace(second=0, microsecond=0)
    ends = ends and ends.astimezone(zone)
    initial = {"units": units.normalize(), "ends_at": ends and ends.replace(tzinfo=None)}
    return forms.ConfirmForm(data, initial=initial, zone=redemption.organisation.zone)


@requires("certificates.redeem")
def redemption_confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """Capture what was given."""
    access = access_of(request)
    provider = own_provider(access)
    redemption = one_of(_visible(access).select_related("organisation", "service"), pk)
    form = _confirm_form(redemption, access.now(redemption.organisation), request.POST or None)
    return stepped(
        request,
        form,
        lambda: confirm_redemption(
            redemption=redemption,
            provider=provider,
            actor=access.actor,
            at=access.now(redemption.organisation),
            **form.cleaned_data,
        ),
        done=_("The visit is confirmed and can go into a claim."),
        title=redemption.code,
        back="vouchers:redemption",
        key=pk,
        submit=_("Confirm"),
    )


@requires("certificates.redeem")
def redemption_void(request: HttpRequest, pk: int) -> HttpResponse:
    """Give the hold back."""
    access = access_of(request)
    provider = own_provider(access)
    redemption = one_of(_visible(access), pk)
    form = forms.ReasonForm(request.POST or None, auto_id="void_%s")
    return stepped(
        request,
        form,
        lambda: void_redemption(
            redemption=redemption,
            provider=provider,
            reason=form.cleaned_data["reason"],
            actor=access.actor,
            at=access.now(redemption.organisation),
        ),
        done=_("The authorisation is void; the units are on the certificate again."),
        title=redemption.code,
        back="vouchers:redemption",
        key=pk,
        submit=_("Give the units back"),
    )


@requires("redemptions.reverse")
def redemption_reverse(request: HttpRequest, pk: int) -> HttpResponse:
    """Undo a redemption that was confirmed by mistake."""
    access = access_of(request)
    redemption = one_of(_visible(access), pk)
    form = forms.ReasonForm(request.POST or None)
    return stepped(
        request,
        form,
        lambda: reverse_redemption(
            redemption=redemption, reason=form.cleaned_data["reason"], actor=access.actor, at=access.now()
        ),
        done=_("The redemption is undone. Its units are on the certificate again while it is valid."),
        title=_("Undo the redemption %(code)s") % {"code": redemption.code},
        back="vouchers:redemption",
        key=pk,
        notes=[_("Do this when a visit was confirmed by mistake. The provider can no longer claim it.")],
        submit=_("Undo the redemption"),
        danger=True,
    )


@requires("certificates.redeem")
def visits_import(request: HttpRequest) -> HttpResponse:
    """Import reported visits; every bad cell is shown with what is wrong."""
    access = access_of(request)
    provider = own_provider(access)
    form = forms.VisitsForm(
        request.POST or None,
        request.FILES or None,
        organisations=access.organisations,
        initial={"organisation": access.organisation},
    )
    outcome: VisitsOutcome | None = None
    refusal: DomainError | None = None
    if request.method == "POST" and form.is_valid():
        upload = form.cleaned_data["file"]
        if upload.size > MAX_FILE:
            form.add_error("file", _("The file is larger than 20 MB. Split it by weeks."))
        else:
            outcome, refusal = _import(access, provider, form, upload)
    bad = refusal.bad if isinstance(refusal, VisitsRefused) else outcome.bad if outcome else []
    warnings = outcome.warnings if outcome else []
    context = {
        "form": form,
        "outcome": outcome,
        "refusal": refusal,
        "bad": bad[:SHOWN_CELLS],
        "bad_count": len(bad),
        "warnings": warnings[:SHOWN_CELLS],
        "warnings_count": len(warnings),
    }
    return render(request, "vouchers/visits_import.html", context, status=409 if refusal else 200)


def _import(
    access: Access, provider: Provider, form: forms.VisitsForm, upload: Any
) -> tuple[VisitsOutcome | None, DomainError | None]:
    organisation = form.cleaned_data.get("organisation") or access.office()
    try:
        outcome = import_reported_visits(
            organisation=organisation,
            provider=provider,
            file_name=upload.name[:200],
            content=upload.read(),
            accept_good_rows=form.cleaned_data["accept_good_rows"],
            actor=access.actor,
            at=access.now(organisation),
        )
    except DomainError as error:
        return None, error
    return outcome, None
