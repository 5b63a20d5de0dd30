"""Pages of refunds between municipalities that are to be worked out anew, and of the documents that did."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db.models import Count, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from config.accounts.access import requires
from contracts.queries import clearing_agreements
from contracts.views.pages import PAGE_SIZE, access_of, one_of, page_of, perform
from settlement.actions.clearing_anew import work_out_anew
from settlement.clearing_queries import items_anew, revisions_of
from settlement.refund_queries import differing_refunds

PAGE = "settlement:clearing_refunds"


@requires("clearing.view")
def refunds(request: HttpRequest, pk: int) -> HttpResponse:
    """Refunds under an agreement that the norm costs known now make others, and what was worked out before."""
    access = access_of(request)
    agreement = one_of(clearing_agreements(access.office()), pk)
    rows = differing_refunds(agreement)
    made = revisions_of(access.office()).filter(agreement=agreement)
    context = {
        "agreement": agreement,
        "ours": agreement.host_id == access.office().pk,
        "page": Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page")),
        "difference": sum(row.difference_minor for row in rows),
        "currency": access.office().currency,
        "revisions": made.annotate(lines=Count("items"), difference=Sum("items__due_minor")),
    }
    return render(request, "settlement/clearing/refunds.html", context)


@requires("clearing.draw")
@require_POST
def refunds_anew(request: HttpRequest, pk: int) -> HttpResponse:
    """Work all of them out anew."""
    access = access_of(request)
    return perform(
        request,
        lambda: work_out_anew(organisation=access.office(), agreement_id=pk, actor=access.actor, at=access.now()),
        done=_("The refunds are worked out anew. The next clearing statement takes the differences up."),
        to=PAGE,
        key=pk,
    )


@requires("clearing.view")
def revision(request: HttpRequest, pk: int) -> HttpResponse:
    """A document of refunds worked out anew: the difference of each visit and the statement that took it up."""
    access = access_of(request)
    made = one_of(revisions_of(access.office()), pk)
    items = items_anew(made)
    context = {
        "revision": made,
        "agreement": made.agreement,
        "ours": made.agreement.host_id == access.office().pk,
        "page": page_of(request, items),
        "difference": items.aggregate(total=Sum("due_minor"))["total"],
        "currency": access.office().currency,
    }
    return render(request, "settlement/clearing/revision.html", context)
