"""Pages of certificates for the office, and a recipient's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Q
from django.forms import Form
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from config.accounts.access import requires
from config.clock import local_date
from config.errors import DomainError
from contracts.views.pages import access_of, one_of, page_of, private_pdf, stepped
from vouchers import forms, queries
from vouchers.actions import certificate_life
from vouchers.actions.certificates import IssuedCertificate, issue_certificate
from vouchers.documents import certificate_pdf
from vouchers.gateways.certificate_keys import signing_key
from vouchers.models import Certificate, CertificateEntry, Recipient
from vouchers.models.certificates import ENDING
from vouchers.rules.certificate_code import normalise_short_code, show_short_code


@requires("recipients.view", "fees.view")
def certificate_list(request: HttpRequest) -> HttpResponse:
    """All certificates; search by number, short code or the recipient's code."""
    access = access_of(request)
    q = request.GET.get("q", "").strip()
    rows = queries.certificates(access.office())
    if q:
        code = normalise_short_code(q) or "—"
        rows = rows.filter(Q(number__istartswith=q) | Q(short_code=code) | Q(recipient__code__istartswith=q))
    page = page_of(request, rows)
    balances = queries.line_balances(page)
    context = {"page": page, "rows": [(row, balances.get(row.pk, [])) for row in page], "q": q}
    return render(request, "vouchers/certificates.html", context)


@requires("certificates.view")
def certificate_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A certificate with what is left on it and every movement."""
    access = access_of(request)
    certificate = one_of(queries.visible_certificates(access), pk)
    movements = (
        CertificateEntry.objects.filter(certificate_line__certificate=certificate)
        .select_related("certificate_line__service", "redemption")
        .order_by("-id")
    )
    today = local_date(access.now(), certificate.organisation.zone)
    context = {
        "certificate": certificate,
        "short_code": show_short_code(certificate.short_code or ""),
        "balances": queries.line_balances([certificate]).get(certificate.pk, []),
        "page": page_of(request, movements),
        "suspensions": certificate.suspensions.order_by("-from_date"),
        "successor": Certificate.objects.filter(replaces=certificate).first(),
        # Another municipality's certificate is changed there.
        "may_change": access.may("certificates.issue") and certificate.home_id is None,
        # Free text of why somebody needs no service for a while: often an illness.
        "may_read_reasons": access.may("certificates.issue") or certificate.recipient.user_id == access.user.pk,
        "open": certificate.state_on(today) in ENDING,
        "rest": forms.RestForm(initial={"from_date": today}),
        "resume": forms.ResumeForm(initial={"from_date": today}),
        "end": forms.EndForm(initial={"status_from": today}),
        "reason": forms.ReasonForm(),
    }
    return render(request, "vouchers/certificate.html", context)


@require_GET
@requires("certificates.view")
def certificate_print(request: HttpRequest, pk: int) -> HttpResponse:
    """The certificate as PDF."""
    access = access_of(request)
    scope = queries.visible_certificates(access)
    if not access.may("certificates.issue"):
        scope = scope.filter(recipient__user=access.user)
    certificate = one_of(scope, pk)
    pdf = certificate_pdf(certificate=certificate, printed_at=access.now())
    return private_pdf(pdf, f"certificate-{certificate.pk}")


@requires("certificates.issue")
def certificate_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Issue a certificate to a recipient and tell its PIN once."""
    access = access_of(request)
    office = access.office()
    recipient = one_of(Recipient.objects.filter(organisation=office).select_related("organisation"), pk)
    start = forms.first_of_next_month(access.today())
    form = forms.IssueForm(
        request.POST or None, organisation=office, today=access.today(), initial={"first_day": start}
    )
    refusal = None
    if request.method == "POST" and form.is_valid():
        try:
            issued = issue_certificate(recipient=recipient, actor=access.actor, at=access.now(), **form.cleaned_data)
            return _told_once(request, issued)
        except DomainError as error:
            refusal = error
    context = {"form": form, "refusal": refusal, "title": _("New certificate"), "back": "vouchers:recipient", "key": pk}
    return render(request, "vouchers/form.html", context)


def _told_once(request: HttpRequest, issued: IssuedCertificate) -> HttpResponse:
    """The one page that shows a PIN. It is not redirected to: nothing on the way may keep it."""
    context = {"issued": issued, "certificate": issued.certificate, "short_code": show_short_code(issued.short_code)}
    answer = render(request, "vouchers/issued.html", context)
    answer["Cache-Control"] = "no-store, private"
    return answer


@requires("certificates.issue")
def certificate_replace(request: HttpRequest, pk: int) -> HttpResponse:
    """Void a lost certificate and tell the PIN of the new one once."""
    access = access_of(request)
    certificate = one_of(queries.certificates(access.office()), pk)
    form = forms.ReasonForm(request.POST or None)
    refusal = None
    if request.method == "POST" and form.is_valid():
        try:
            issued = certificate_life.replace_certificate(
                certificate=certificate, reason=form.cleaned_data["reason"], actor=access.actor, at=access.now()
            )
            return _told_once(request, issued)
        except DomainError as error:
            refusal = error
    context = {"form": form, "refusal": refusal, "title": certificate.number, "back": "vouchers:certificate", "key": pk}
    return render(request, "vouchers/form.html", context, status=409 if refusal else 200)


def _change(
    request: HttpRequest, pk: int, form_class: type[Form], call: Callable[..., Any], done: Any, submit: Any
) -> HttpResponse:
    access = access_of(request)
    certificate = one_of(queries.certificates(access.office()), pk)
    form = form_class(request.POST or None)
    return stepped(
        request,
        form,
        lambda: call(certificate=certificate, actor=access.actor, at=access.now(), **form.cleaned_data),
        done=done,
        title=certificate.number,
        back="vouchers:certificate",
        key=pk,
        template="vouchers/form.html",
        submit=submit,
    )


@requires("certificates.issue")
def certificate_suspend(request: HttpRequest, pk: int) -> HttpResponse:
    """Let it rest."""
    done = _("The certificate rests. Nothing can be redeemed on these days; its units stay.")
    return _change(request, pk, forms.RestForm, certificate_life.suspend_certificate, done, _("Let it rest"))


@requires("certificates.issue")
def certificate_resume(request: HttpRequest, pk: int) -> HttpResponse:
    """End its rest."""
    done = _("The certificate can be used again.")
    return _change(request, pk, forms.ResumeForm, certificate_life.resume_certificate, done, _("Resume"))


@requires("certificates.issue")
def certificate_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Cancel it."""
    done = _("The certificate is cancelled; what was reserved for unused units is free again.")
    return _change(request, pk, forms.EndForm, certificate_life.cancel_certificate, done, _("Cancel the certificate"))


@requires("certificates.view")
def own_certificates(request: HttpRequest) -> HttpResponse:
    """A recipient's own certificates, what is left, and where to use them."""
    access = access_of(request)
    recipient = queries.recipient_of(access.user)
    today = local_date(access.now(), recipient.organisation.zone)
    rows = list(recipient.certificates.select_related("organisation").order_by("-valid_from", "-number"))
    usable = [row for row in rows if row.state_on(today) in ENDING]
    balances = queries.line_balances(usable)
    fee = recipient.fee_assessments.filter(queries.in_force(today)).first()
    context = {
        "recipient": recipient,
        "certificates": [(row, balances.get(row.pk, []), show_short_code(row.short_code or "")) for row in usable],
        "older": [row for row in rows if row not in usable],
        "fee": fee,
        "providers": queries.providers_to_choose(usable[0], on=today) if usable else [],
        "visits": queries.redemptions_of_recipient(recipient)[:10],
    }
    return render(request, "vouchers/mine.html", context)


@require_GET
def public_keys(request: HttpRequest) -> JsonResponse:
    """Public keys that verify certificates without asking us (RFC 7517). Open to everybody."""
    answer = JsonResponse({"keys": [signing_key().as_jwk()]})
    answer["Cache-Control"] = "public, max-age=3600"
    answer["Access-Control-Allow-Origin"] = "*"
    return answer
