"""Steps of a provider: make a claim from redemptions or a spreadsheet, correct, submit, withdraw."""

from __future__ import annotations

import csv

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from config.accounts.access import requires
from config.accounts.models import Organisation, User
from config.clock import local_date
from config.errors import DomainError, NotFound
from config.periods import month_of
from contracts.models import Contract, Provider
from contracts.queries import provider_of
from contracts.views.pages import access_of, page_of, perform, perform_with_reason
from settlement.actions import claims as claim_actions
from settlement.claim_invoice import Known, known_of, read_invoice
from settlement.claim_queries import unclaimed_visits
from settlement.claim_rows import COLUMNS, ClaimRowsRefused, LineDraft, read_claim_file
from settlement.finance_forms import ReasonForm, month_of_text
from settlement.forms import ClaimFileForm, ClaimUploadForm
from settlement.line_queries import claim_lines
from settlement.models import Claim
from settlement.prechecks import precheck
from settlement.row_files import RowFault
from settlement.views.claims import claim_of
from vouchers.gateways.headings import heading_of
from vouchers.gateways.visits_template import XLSX, headed, template_xlsx

FAULTS = {
    "MISSING": _("must not be empty"),
    "NOT_A_NUMBER": _("is not a number"),
    "TOO_MANY_PLACES": _("has too many digits"),
    "TOO_LARGE": _("is larger than one visit can be"),
    "TOO_LONG": _("is longer than 64 characters"),
    "NOT_TEXT": _("holds a character that is no text"),
    "NOT_OUR_TIME": _("must lie between 1990 and 2199"),
    "NOT_POSITIVE": _("must be above zero"),
    "NOT_A_DATE": _("is not a date; write 2025-11-03 or 03.11.2025"),
    "NOT_A_TIME": _("is not a time; write 09:30 or 2025-11-03T09:30"),
}
OPEN_MONTH = _("This month is not over: visits still to come are not in the claim. Submit it after the last of them.")
EXAMPLE = ("", "CERT-2025-000001", "015.1", "2025-11-03", "09:00", "10:30", "W-01", "1.5", "95.00", "142.50")
SHOWN_FAULTS = 100


def own_provider(user: User) -> Provider:
    """The provider the person acts for. Raises: NotFound."""
    provider = provider_of(user)
    if provider is None:
        raise NotFound()
    return provider


@requires("claims.submit")
def claim_new(request: HttpRequest) -> HttpResponse:
    """What can be claimed now, one button for each contract and month; or a spreadsheet."""
    provider = own_provider(access_of(request).user)
    context = {
        "unclaimed": unclaimed_visits(provider),
        "form": ClaimUploadForm(provider=provider),
        "columns": headed(COLUMNS),
        "this_month": month_of(access_of(request).today()),
    }
    return render(request, "settlement/claims/new.html", context)


@require_POST
@requires("claims.submit")
def claim_from_redemptions(request: HttpRequest) -> HttpResponse:
    """Draft a claim with every confirmed visit of the month."""
    access = access_of(request)
    provider = own_provider(access.user)
    period = month_of_text(request.POST.get("period", ""))
    contract = _own_contract(provider, request.POST.get("contract", ""))
    if period is None or contract is None:
        raise NotFound()
    try:
        claim = claim_actions.create_claim_from_redemptions(
            organisation=contract.organisation,
            provider=provider,
            contract=contract,
            period=period,
            actor=access.actor,
            at=access.now(contract.organisation),
        )
    except DomainError as error:
        messages.error(request, error.sentence)
        return redirect("settlement:claim_new")
    messages.success(request, str(_("The claim is prepared. Look through its lines, then submit it.")))
    _warn_of_open_month(request, claim)
    return redirect("settlement:claim", claim.pk)


def _warn_of_open_month(request: HttpRequest, claim: Claim) -> None:
    """The claim may be submitted; whoever prepares it learns what a month that is not over means."""
    if claim.period >= month_of(local_date(access_of(request).now(claim.organisation), claim.organisation.zone)):
        messages.warning(request, str(OPEN_MONTH))


def _own_contract(provider: Provider, key: str) -> Contract | None:
    rows = Contract.objects.filter(provider=provider).select_related("organisation")
    return rows.filter(pk=key).first() if key.isdigit() else None


@requires("claims.submit")
def claim_upload(request: HttpRequest) -> HttpResponse:
    """Draft a claim from a spreadsheet; every cell that cannot be read is listed."""
    access = access_of(request)
    provider = own_provider(access.user)
    form = ClaimUploadForm(request.POST or None, request.FILES or None, provider=provider)
    refusal = None
    if request.method == "POST" and form.is_valid():
        contract = form.cleaned_data["contract"]
        try:
            lines, files = _read(request, form, contract.organisation, contract)
            claim = claim_actions.create_claim(
                organisation=contract.organisation,
                provider=provider,
                contract=contract,
                period=form.cleaned_data["period"],
                lines=lines,
                files=files,
                actor=access.actor,
                at=access.now(contract.organisation),
            )
        except DomainError as error:
            refusal = error
        else:
            messages.success(request, str(_("The file is read. Look through the lines, then submit the claim.")))
            _warn_of_open_month(request, claim)
            return redirect("settlement:claim", claim.pk)
    return _upload_page(request, form, refusal, None)


def _read(
    request: HttpRequest, form: ClaimFileForm, organisation: Organisation, contract: Contract | None
) -> tuple[list[LineDraft], list[claim_actions.File]]:
    """Lines of the uploaded file, and the file as it came; what an invoice says otherwise is told."""
    file = form.cleaned_data["file"]
    content, name = file.read(), str(file.name)
    kept = [(name, content, file.content_type or "")]
    if not name.lower().endswith(".xml"):
        return read_claim_file(name=name, content=content, zone=organisation.zone), kept
    known = known_of(contract) if contract else Known(organisation.currency, "", "", organisation.registration_code)
    invoice = read_invoice(content, zone=organisation.zone, known=known)
    for finding in invoice.findings[:SHOWN_FAULTS]:
        messages.warning(request, finding.sentence)
    return invoice.lines, kept


def _upload_page(
    request: HttpRequest, form: ClaimFileForm, refusal: DomainError | None, claim: Claim | None
) -> HttpResponse:
    faults = refusal.faults if isinstance(refusal, ClaimRowsRefused) else []
    context = {
        "form": form,
        "refusal": refusal,
        "faults": [(fault, heading_of(fault.column), fault_words(fault)) for fault in faults[:SHOWN_FAULTS]],
        "more_faults": max(0, len(faults) - SHOWN_FAULTS),
        "columns": headed(COLUMNS),
        "claim": claim,
    }
    return render(request, "settlement/claims/upload.html", context, status=400 if refusal or form.errors else 200)


def fault_words(fault: RowFault) -> str:
    """Why a cell cannot be read."""
    return str(FAULTS.get(fault.reason, fault.reason))


@requires("claims.submit")
def claim_correct(request: HttpRequest, pk: int) -> HttpResponse:
    """New lines for a draft or a returned claim."""
    access = access_of(request)
    claim = claim_of(access, pk)
    form = ClaimFileForm(request.POST or None, request.FILES or None)
    refusal = None
    if request.method == "POST" and form.is_valid():
        try:
            lines, files = _read(request, form, claim.organisation, claim.contract)
            claim_actions.replace_claim_lines(
                organisation=claim.organisation,
                claim_id=claim.pk,
                lines=lines,
                files=files,
                actor=access.actor,
                at=access.now(claim.organisation),
            )
        except DomainError as error:
            refusal = error
        else:
            messages.success(request, str(_("The lines are replaced. Look through them, then submit the claim.")))
            return redirect("settlement:claim", claim.pk)
    return _upload_page(request, form, refusal, claim)


@requires("claims.submit")
def claim_template(request: HttpRequest) -> HttpResponse:
    """A spreadsheet to fill in: the columns and one example; as XLSX with what each column is."""
    if request.GET.get("kind") == "xlsx":
        answer = HttpResponse(template_xlsx(gettext("Claim lines"), headed(COLUMNS), EXAMPLE), content_type=XLSX)
        answer["Content-Disposition"] = 'attachment; filename="claim_lines.xlsx"'
        return answer
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="claim_lines.csv"'
    answer.write("\ufeff")
    csv.writer(answer).writerows([headed(COLUMNS), EXAMPLE])
    return answer


@requires("claims.submit")
def claim_precheck(request: HttpRequest, pk: int) -> HttpResponse:
    """What would be decided about each line if the claim were submitted now."""
    access = access_of(request)
    claim = claim_of(access, pk)
    try:
        checked = precheck(claim, at=access.now(claim.organisation))
    except DomainError as error:
        messages.error(request, error.sentence)
        return redirect("settlement:claim", pk)
    asked = request.GET.get("outcome", "")
    outcome, q = asked if asked in checked.counts else "", request.GET.get("q", "").strip()
    page = page_of(request, claim_lines(claim, search=q).filter(pk__in=checked.lines_of(outcome)))
    context = {
        "claim": claim,
        "checked": checked,
        "lines": checked.explain(page),
        "page": page,
        "outcome": outcome,
        "outcomes": list(checked.counts.items()),
        "line_total": sum(checked.counts.values()),
        "waiting_minor": checked.totals["pended"],
        "q": q,
        "hidden": {"outcome": outcome},
    }
    return render(request, "settlement/claims/precheck.html", context)


@require_POST
@requires("claims.submit")
def claim_submit(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand the claim in."""
    access = access_of(request)
    claim = claim_of(access, pk)
    return perform(
        request,
        lambda: claim_actions.submit_claim(
            organisation=claim.organisation, claim_id=claim.pk, actor=access.actor, at=access.now(claim.organisation)
        ),
        done=_("The claim is submitted. You will see here what was decided about each line."),
        to="settlement:claim",
        key=pk,
    )


@require_POST
@requires("claims.submit")
def claim_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the claim back before it is judged."""
    access = access_of(request)
    claim = claim_of(access, pk)
    return perform_with_reason(
        request,
        ReasonForm(request.POST),
        lambda reason: claim_actions.withdraw_claim(
            organisation=claim.organisation,
            claim_id=claim.pk,
            reason=reason,
            actor=access.actor,
            at=access.now(claim.organisation),
        ),
        done=_("The claim is withdrawn. Its visits can be claimed again."),
        to="settlement:claim",
        key=pk,
    )
