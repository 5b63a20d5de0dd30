"""Finance pages: payment runs and payments."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from config.accounts.access import requires
from config.clock import local_date
from config.errors import NotFound
from config.office.models import Attachment
from config.office.storage import open_attachment
from config.periods import next_working_day
from contracts.models import Provider
from contracts.queries import working_calendar
from contracts.views.pages import PAGE_SIZE, access_of, one_of, page_of, perform, perform_with_reason
from settlement import documents, finance_queries
from settlement.actions import payments as payment_actions
from settlement.actions import run_content
from settlement.actions import runs as run_actions
from settlement.debt_queries import owed_in_all, provider_debts
from settlement.finance_forms import ApproveForm, ReasonForm, ReleaseForm, month_of_text
from settlement.models import PaymentRun
from settlement.statement_words import return_words


@requires("payment_runs.view")
def payment_runs(request: HttpRequest) -> HttpResponse:
    """Payment runs, and months that could be paid."""
    access, q = access_of(request), request.GET.get("q", "").strip()
    office = access.office()
    page = page_of(request, finance_queries.payment_runs(office, q))
    months = finance_queries.payable_months(office, access.today())
    context = {"page": page, "q": q, "months": months, "owed": owed_in_all(office)}
    return render(request, "settlement/finance/payment_runs.html", context)


@requires("payment_runs.view")
def debts(request: HttpRequest) -> HttpResponse:
    """What providers owe of paid months, and for how long."""
    access, q = access_of(request), request.GET.get("q", "").strip()
    office, today = access.office(), access.today()
    page = Paginator(provider_debts(office, q), PAGE_SIZE).get_page(request.GET.get("page"))
    rows = [row | {"days": (today - local_date(row["since"], office.zone)).days} for row in page]
    return render(request, "settlement/finance/provider_debts.html", {"page": page, "rows": rows, "q": q})


def _payee(provider: Provider, run: PaymentRun) -> dict[str, str]:
    """Where the money would go; once there are payments they say where it went."""
    open_run = run.status in run_actions.OPEN_STATES
    return {"account": run_content.payee(provider, run.organisation)[1] if open_run else ""}


@require_POST
@requires("payment_runs.propose")
def propose(request: HttpRequest) -> HttpResponse:
    """Propose a run for a month."""
    access = access_of(request)
    period = month_of_text(request.POST.get("period", ""))
    if period is None:
        raise NotFound()
    return perform(
        request,
        lambda: run_actions.propose_payment_run(
            organisation=access.office(), period=period, actor=access.actor, at=access.now()
        ),
        done=_("The payment run is proposed. Another person now looks at it and approves it."),
        to="settlement:payment_runs",
    )


@requires("payment_runs.view")
def payment_run(request: HttpRequest, pk: int) -> HttpResponse:
    """One run: who is paid what, who signed, what comes next."""
    access = access_of(request)
    run = one_of(finance_queries.payment_runs(access.office()), pk)
    signed = set(run_actions.signatures_of(run).values_list("approved_by_id", flat=True))
    own = access.user.pk == run.proposed_by_id
    open_run = run.status in run_actions.OPEN_STATES
    context = {
        "run": run,
        "returned": run_content.accounts_returned(run) if open_run else [],
        "groups": [group | _payee(group["provider"], run) for group in finance_queries.payment_run_groups(run)],
        "advances": [(item, _payee(item.advance.provider, run)) for item in finance_queries.advances_of_run(run)],
        "approvals": run.approvals.select_related("approved_by").order_by("id"),
        "payments": run.payments.select_related("provider").order_by("reference"),
        "file": finance_queries.payment_file(run),
        "own": own,
        "may_approve": access.may("payment_runs.approve")
        and run.status == "proposed"
        and not own
        and access.user.pk not in signed,
        "may_release": access.may("payment_runs.release")
        and run.status == "approved"
        and not own
        and not (run.release_apart and access.user.pk in signed),
        "signed": len(signed),
        "changed": open_run and run_content.has_changed(run, access.today()),
        "may_renew": access.may("payment_runs.propose") and open_run and access.user.pk not in signed,
        "may_follow": access.may("payment_runs.propose") and finance_queries.given_back(run).exists(),
        "may_send": access.may("payment_runs.release")
        and run.payments.filter(status="prepared", gateway=run_content.BY_FILE).exists(),
        "may_cancel": access.may("payment_runs.propose") and open_run,
        "release_form": ReleaseForm(initial={"execution_date": _payment_day(request)}),
        "approve_form": ApproveForm(),
        "cancel_form": ReasonForm(),
    }
    return render(request, "settlement/finance/payment_run.html", context)


def _payment_day(request: HttpRequest) -> str:
    access = access_of(request)
    office = access.office()
    return next_working_day(access.today(), working_calendar(office)).isoformat()


@require_POST
@requires("payment_runs.propose")
def renew(request: HttpRequest, pk: int) -> HttpResponse:
    """Take up accounts and holds that changed."""
    access = access_of(request)
    return perform(
        request,
        lambda: run_actions.renew_payment_run(
            organisation=access.office(), run_id=pk, actor=access.actor, at=access.now()
        ),
        done=_("The payment run is renewed. Approvals of what it paid before no longer count."),
        to="settlement:payment_run",
        key=pk,
    )


@require_POST
@requires("payment_runs.propose")
def follow_up(request: HttpRequest, pk: int) -> HttpResponse:
    """Propose what this run no longer pays and can be paid now."""
    access = access_of(request)
    run = one_of(finance_queries.payment_runs(access.office()), pk)
    return perform(
        request,
        lambda: run_actions.propose_payment_run(
            organisation=access.office(), period=run.period, follows_id=pk, actor=access.actor, at=access.now()
        ),
        done=_("The payment run is proposed. Another person now looks at it and approves it."),
        to="settlement:payment_runs",
    )


@require_POST
@requires("payment_runs.approve")
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign the run as it was shown."""
    access = access_of(request)
    return perform(
        request,
        lambda: run_actions.approve_payment_run(
            organisation=access.office(),
            run_id=pk,
            content_sha256=request.POST.get("seen", ""),
            reason=request.POST.get("reason", ""),
            actor=access.actor,
            at=access.now(),
        ),
        done=_("You have approved the payment run."),
        to="settlement:payment_run",
        key=pk,
    )


@require_POST
@requires("payment_runs.release")
def release(request: HttpRequest, pk: int) -> HttpResponse:
    """Make the payments and have the bank file written."""
    access, form = access_of(request), ReleaseForm(request.POST)
    if not form.is_valid():
        return redirect("settlement:payment_run", pk)
    return perform(
        request,
        lambda: run_actions.release_payment_run(
            organisation=access.office(),
            run_id=pk,
            execution_date=form.cleaned_data["execution_date"],
            actor=access.actor,
            at=access.now(),
        ),
        done=_("The payments are prepared. The bank file is being written; reload the page in a moment."),
        to="settlement:payment_run",
        key=pk,
    )


@require_POST
@requires("payment_runs.propose")
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Give the remittances back."""
    access = access_of(request)
    return perform_with_reason(
        request,
        ReasonForm(request.POST),
        lambda reason: run_actions.cancel_payment_run(
            organisation=access.office(),
            run_id=pk,
            reason=reason,
            actor=access.actor,
            at=access.now(),
        ),
        done=_("The payment run is cancelled. Its remittances can be proposed again."),
        to="settlement:payment_run",
        key=pk,
    )


@require_POST
@requires("payment_runs.release")
def sent(request: HttpRequest, pk: int) -> HttpResponse:
    """The file was handed to the bank."""
    access = access_of(request)
    return perform(
        request,
        lambda: payment_actions.mark_payments_sent(
            organisation=access.office(), run_id=pk, actor=access.actor, at=access.now()
        ),
        done=_("The payments count as sent. Import the bank statement when it comes."),
        to="settlement:payment_run",
        key=pk,
    )


@requires("payment_runs.view")
def payment_file(request: HttpRequest, pk: int) -> HttpResponse:
    """The pain.001 file of a run. Raises: NotFound while it is not written."""
    run = one_of(PaymentRun.objects.filter(organisation=access_of(request).office()), pk)
    return _download(finance_queries.payment_file(run))


@requires("payment_runs.view")
def payments(request: HttpRequest) -> HttpResponse:
    """All payments."""
    q, status = request.GET.get("q", "").strip(), request.GET.get("status", "")
    page = page_of(request, finance_queries.payments(access_of(request).office(), q, status))
    return render(request, "settlement/finance/payments.html", {"page": page, "q": q, "status": status})


@requires("payment_runs.view")
def payment(request: HttpRequest, pk: int) -> HttpResponse:
    """One payment: what it is for, what the bank said, what it posted."""
    access = access_of(request)
    row = one_of(finance_queries.payments(access.office()), pk)
    matches = finance_queries.matches_of_payment(row)
    by_hand = row.status == "prepared" or (row.status == "sent" and row.gateway == run_content.BY_FILE)
    may_fail = by_hand and access.may("payment_runs.release")
    context = {
        "payment": row,
        "claims": documents.paid_claims(row),
        "kept_back": documents.kept_back(row),
        "used": documents.advances_used(row),
        "advances": row.advance_items.select_related("advance__contract"),
        "matches": [(match, return_words(match.statement_line.return_reason)) for match in matches],
        "postings": finance_queries.postings_of_payment(row),
        "advice": payment_actions.advice_of(row),
        "may_fail": may_fail,
        "partly_paid": may_fail and bool(payment_actions.partly_paid([row])),
        "reason_form": ReasonForm(),
    }
    return render(request, "settlement/finance/payment.html", context)


@require_POST
@requires("payment_runs.release")
def payment_failed(request: HttpRequest, pk: int) -> HttpResponse:
    """The bank refused the payment."""
    access = access_of(request)
    return perform_with_reason(
        request,
        ReasonForm(request.POST),
        lambda reason: payment_actions.fail_payment(
            organisation=access.office(),
            payment_id=pk,
            reason=reason,
            actor=access.actor,
            at=access.now(),
        ),
        done=_("The payment counts as failed. Its claims can be paid by another run."),
        to="settlement:payment",
        key=pk,
    )


@requires("payment_runs.view")
def payment_advice(request: HttpRequest, pk: int) -> HttpResponse:
    """The remittance advice as PDF. Raises: NotFound while it is not written."""
    row = one_of(finance_queries.payments(access_of(request).office()), pk)
    return _download(payment_actions.advice_of(row))


def _download(attachment: Attachment | None) -> HttpResponse:
    if attachment is None:
        raise NotFound()
    with open_attachment(attachment) as file:
        response = HttpResponse(file.read(), content_type=attachment.content_type)
    response["Content-Disposition"] = content_disposition_header(True, attachment.name) or "attachment"
    return response
