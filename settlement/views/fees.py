"""Pages of recipients' fees: notices for the office, a recipient's own, paying by card, giving back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from config.accounts.access import Access, requires
from config.errors import NotFound
from config.money import to_minor
from config.templatetags.show import minor
from contracts.views.pages import access_of, one_of, page_of, perform, private_pdf, stepped
from settlement import documents, fee_queries
from settlement.actions import fee_checkout, fee_refunds
from settlement.actions.fees import NothingToCharge, issue_fee_notices
from settlement.finance_forms import FeeRefundForm, IssueNoticesForm, ReasonForm, month_of_text
from settlement.gateways.stripe_client import is_configured
from settlement.models import FeeCharge, FeeCheckout, FeeNotice
from settlement.revision_queries import own_revisions
from vouchers.queries import address_for


@requires("fee_notices.view")
def fee_notices(request: HttpRequest) -> HttpResponse:
    """All notices, and months whose fees stand in none yet."""
    access = access_of(request)
    q, state = request.GET.get("q", "").strip(), request.GET.get("status", "")
    context = {
        "page": page_of(request, fee_queries.fee_notices(access.office(), q, state)),
        "q": q,
        "status": state,
        "hidden": {"status": state},
        "months": fee_queries.months_to_charge(access.office()),
    }
    return render(request, "settlement/fees/list.html", context)


@requires("fee_notices.issue")
def issue(request: HttpRequest, month: str) -> HttpResponse:
    """Decide that the office collects the fees of a month (YYYY-MM): its notices say what was adjudicated."""
    access, period = access_of(request), month_of_text(month)
    if period is None:
        raise NotFound()
    office = access.office()
    rows = fee_queries.uncharged(office, period)
    if not rows:
        messages.error(request, NothingToCharge(month=f"{period:%m.%Y}").sentence)
        return redirect("settlement:fee_notices")
    return stepped(
        request,
        IssueNoticesForm(request.POST or None),
        lambda: issue_fee_notices(organisation=office, month=period, actor=access.actor, at=access.now()),
        done=_("The notices are issued. Print them, or let the recipients see them in their account."),
        title=_("Issue notices of fees for %(month)s") % {"month": f"{period:%m.%Y}"},
        back="settlement:fee_notices",
        key=None,
        submit=_("Issue notices"),
        notes=_what_is_decided(rows, office.currency),
    )


def _what_is_decided(rows: list[tuple[int, int, int]], currency: str) -> list[str]:
    """Whom the notices ask for how much, and what asking means."""
    count, total = len({row[0] for row in rows}), sum(row[2] for row in rows)
    return [
        _("Recipients: %(count)s. Fees: %(sum)s.") % {"count": count, "sum": minor(total, currency)},
        gettext(
            "With the notices the office decides that it collects the fees of this month itself and passes them on to "
            "the providers. Recipients who have paid a provider already would be asked for the same money again."
        ),
    ]


@requires("fee_notices.pay")
def own_fees(request: HttpRequest) -> HttpResponse:
    """A recipient's own notices."""
    page = page_of(request, fee_queries.own_fee_notices(access_of(request).user))
    return render(request, "settlement/fees/mine.html", {"page": page})


def _visible(access: Access) -> QuerySet[Any, Any]:
    if access.may("fee_notices.view"):
        return fee_queries.fee_notices(access.office())
    return fee_queries.own_fee_notices(access.user)


@requires("fee_notices.view", "fee_notices.pay")
def fee_notice(request: HttpRequest, pk: int) -> HttpResponse:
    """One notice: what is asked for, how to pay it, what came and what went back."""
    access = access_of(request)
    notice = one_of(_visible(access), pk)
    context = {
        "notice": notice,
        "charges": _charges(notice),
        "services": fee_queries.services_of(notice),
        "decided_anew": access.may("corrections.own") and own_revisions(access.user).exists(),
        # Each form has names of its own on the page, so that labels lead to their boxes.
        "receipts": [(row, FeeRefundForm(auto_id=f"receipt-{row.pk}-%s")) for row in fee_queries.receipts_of(notice)],
        "refunds": [(row, ReasonForm(auto_id=f"refund-{row.pk}-%s")) for row in fee_queries.refunds_of(notice)],
        "overpaid_minor": _overpaid(notice),
        "checkout": _open_page(notice),
        "may_pay": access.may("fee_notices.pay") and is_configured() and notice.left_minor > 0,
        "may_request": access.may("fee_refunds.request"),
        "may_approve": access.may("fee_refunds.approve"),
        "user_id": access.user.pk,
    }
    return render(request, "settlement/fees/detail.html", context)


def _overpaid(notice: Any) -> int:
    """What came beyond the charges and did not go back, minor units."""
    return max(-notice.left_minor, 0)


def _charges(notice: FeeNotice) -> list[tuple[FeeCharge, Any]]:
    """Each charge with what it is: the visits of the month, or the difference that a later decision made."""
    rows = list(notice.charges.select_related("provider").order_by("id"))
    first = {row.provider_id: row.pk for row in reversed(rows)}
    visits, less, more = _("Visits of the month"), _("Taken off by a later decision"), _("Added by a later decision")
    return [
        (row, visits if row.pk == first[row.provider_id] else less if row.amount_minor < 0 else more) for row in rows
    ]


def _open_page(notice: FeeNotice) -> FeeCheckout | None:
    """The page at Stripe that is waiting for the payer, by the real clock: Stripe knows no other."""
    rows = FeeCheckout.objects.filter(notice=notice, status="open", expires_at__gt=timezone.now())
    return rows.exclude(address="").first()


@require_POST
@requires("fee_notices.pay")
def pay(request: HttpRequest, pk: int) -> HttpResponse:
    """Have the page opened on which the rest is paid by card."""
    access = access_of(request)
    notice = one_of(_visible(access), pk)
    start = fee_checkout.Start(back=request.build_absolute_uri("../")[:400], clock=timezone.now())
    return perform(
        request,
        lambda: fee_checkout.pay_by_card(notice=notice, start=start, actor=access.actor, at=access.now()),
        done=_("The page for paying is ready. Follow the link below."),
        to="settlement:fee_notice",
        key=pk,
    )


@requires("fee_notices.view", "fee_notices.pay")
def notice_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The notice on paper."""
    access = access_of(request)
    notice = one_of(_visible(access), pk)
    content = documents.fee_notice(
        notice, fee_queries.services_of(notice), address_for(access, notice.recipient), _overpaid(notice)
    )
    return private_pdf(content, notice.number)


@require_POST
@requires("fee_refunds.request")
def refund_new(request: HttpRequest, pk: int, receipt: int) -> HttpResponse:
    """Ask for money to go back."""
    access, form = access_of(request), FeeRefundForm(request.POST)
    one_of(fee_queries.fee_notices(access.office()), pk)
    amount = to_minor(form.cleaned_data["amount"]) if form.is_valid() else 0
    return perform(
        request,
        lambda: fee_refunds.request_refund(
            organisation=access.office(),
            receipt_id=receipt,
            amount_minor=amount,
            reason=request.POST.get("reason", ""),
            actor=access.actor,
            at=access.now(),
        ),
        done=_("The refund is asked for. Another person now approves it."),
        to="settlement:fee_notice",
        key=pk,
    )


@require_POST
@requires("fee_refunds.approve")
def refund_decide(request: HttpRequest, pk: int, refund: int, decision: str) -> HttpResponse:
    """Let the money go, or not."""
    access = access_of(request)
    shared: dict[str, Any] = {
        "organisation": access.office(),
        "refund_id": refund,
        "actor": access.actor,
        "at": access.now(),
    }
    if decision == "approve":
        done = _("The refund is approved. By card it goes at once; by bank, make the transfer and quote the reference.")
        return perform(
            request, lambda: fee_refunds.approve_refund(**shared), done=done, to="settlement:fee_notice", key=pk
        )
    reason = request.POST.get("reason", "")
    return perform(
        request,
        lambda: fee_refunds.refuse_refund(reason=reason, **shared),
        done=_("The refund is refused."),
        to="settlement:fee_notice",
        key=pk,
    )
