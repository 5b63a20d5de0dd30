"""Bids and applications: written by the bidder, read by others only after opening."""

from __future__ import annotations

import json
from itertools import zip_longest
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from config.accounts.access import Access, requires
from config.errors import DomainError, NotFound
from config.office.storage import attachments_of
from contracts.models import Provider
from contracts.views.pages import access_of, download, one_of, page_of, perform, stepped, submitted
from procurement import queries
from procurement.actions import applications
from procurement.actions import bids as bid_actions
from procurement.actions.application_checks import check_application
from procurement.actions.competitions import is_decided
from procurement.application_forms import (
    DECLARED,
    ApplicationForm,
    DocumentForm,
    ItemFormSet,
    KpiFormSet,
    SourceFormSet,
    StepFormSet,
    application_draft,
)
from procurement.finding_words import sentence_of
from procurement.forms import BidForm, OfferForm
from procurement.models import Bid, BidFinding, Tender
from procurement.rules.project_budget import TITLES
from procurement.rules.rejection import GROUNDS
from procurement.views.scope import bid_for, own_provider

FORMSETS: dict[str, Any] = {
    "sources": SourceFormSet,
    "items": ItemFormSet,
    "kpis": KpiFormSet,
    "steps": StepFormSet,
}


@requires("bids.submit")
def bid_list(request: HttpRequest) -> HttpResponse:
    """The provider's own bids and applications."""
    q = request.GET.get("q", "").strip()
    rows = queries.bids_of_provider(own_provider(access_of(request)), q)
    return render(request, "procurement/bids.html", {"page": page_of(request, rows), "q": q})


@requires("bids.submit")
def bid_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Submit a sealed bid in two steps: the offer; then what speaks against it, the files, and the seal."""
    access = access_of(request)
    provider = own_provider(access)
    tender = one_of(queries.tenders_published().filter(kind="social_order"), pk)
    offer = OfferForm(request.POST or None)
    if request.method != "POST" or "back" in request.POST or not offer.is_valid():
        return render(request, "procurement/bid_new.html", {"form": offer, "tender": tender, "step": 1})
    form, refusal = BidForm(initial=request.POST.dict(), tender=tender), None
    if "seal" in request.POST:
        form = BidForm(request.POST, request.FILES, tender=tender)
        bid, refusal = submitted(request, form, lambda: _seal(access, tender, provider, form))
        if bid is not None:
            return redirect("procurement:bid", bid.pk)
    against = bid_actions.grounds_against(
        tender=tender,
        provider=provider,
        unit_price=offer.cleaned_data["unit_price"],
        at=access.now(tender.organisation),
    )
    context = {
        "form": form,
        "tender": tender,
        "step": 2,
        "refusal": refusal,
        "offer": offer.cleaned_data,
        "grounds": [(code, _(GROUNDS[code].title)) for code in against],
    }
    return render(request, "procurement/bid_new.html", context, status=409 if refusal else 200)


def _seal(access: Access, tender: Tender, provider: Provider, form: BidForm) -> Bid:
    return bid_actions.submit_bid(
        tender=tender,
        provider=provider,
        unit_price=form.cleaned_data["unit_price"],
        recipients=form.cleaned_data["recipients"],
        documents=form.sealed_files(),
        note=form.cleaned_data["note"],
        actor=access.actor,
        at=access.now(tender.organisation),
    )


@requires("bids.submit", "bids.view")
def bid_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A bid: the bidder's own at any time, for the office and the commission after opening."""
    access = access_of(request)
    bid, own = bid_for(access, pk)
    context: dict[str, Any] = {"bid": bid, "tender": bid.tender, "own": own, "at": access.now(bid.tender.organisation)}
    if _sees_protocol(access, bid.tender):
        context["marks"] = queries.protocol_of(bid)
    if bid.tender.kind == "project_contest":
        context |= _application(bid)
        return render(request, "procurement/application.html", context)
    context["findings"] = [_said(row) for row in bid.findings.all()]
    context["content"] = json.loads(bid.sealed) if bid.sealed else {}
    context["files"] = bid_actions.sealed_documents(bid) if bid.tender.opened_at is None else attachments_of(bid)
    return render(request, "procurement/bid.html", context)


def _sees_protocol(access: Access, tender: Tender) -> bool:
    """The office once results are computed; whoever marks bids, only when no mark can change any more."""
    if tender.evaluated_at is None or not access.may("bids.view"):
        return False
    return not access.may("bids.score") or is_decided(tender)


def _application(bid: Bid) -> dict[str, Any]:
    outcome = check_application(bid)
    sources = sorted(bid.sources.all(), key=lambda row: row.position)
    items = sorted(bid.items.all(), key=lambda row: row.position)
    findings = sorted(bid.findings.all(), key=lambda row: row.position)
    return {
        "sources": list(zip(sources, outcome.source_shares, strict=False)),
        "items": list(zip_longest(items, outcome.item_shares, outcome.item_shares_of_total)),
        "shares_of_items": sum(outcome.item_shares),
        "shares_of_total": sum(outcome.item_shares_of_total),
        "kpis": sorted(bid.kpis.all(), key=lambda row: row.position),
        "plan": sorted(bid.work_plan.all(), key=lambda row: (row.month_from, row.position)),
        "outcome": outcome,
        "blocked": any(row.severity == "block" for row in findings),
        "findings": [_said(row) for row in findings],
        "files": attachments_of(bid),
        "document_form": DocumentForm(),
    }


def _said(row: BidFinding) -> dict[str, Any]:
    """A finding in sentences; the line by which it is told to others stands beside them as the check wrote it."""
    if row.code in GROUNDS:
        return {"severity": row.severity, "code": row.code, "title": _(GROUNDS[row.code].title)}
    return {
        "severity": row.severity,
        "code": row.text,
        "title": _(TITLES[row.code]),
        "text": sentence_of(row.code, row.params),
    }


@require_POST
@requires("bids.submit")
def bid_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an own bid back."""
    access = access_of(request)
    bid = _own(access, pk)
    return perform(
        request,
        lambda: bid_actions.withdraw_bid(bid=bid, actor=access.actor, at=access.now(bid.tender.organisation)),
        done=_("The bid is withdrawn. You may submit another until bids close."),
        to="procurement:competition",
        key=bid.tender_id,
    )


def _own(access: Access, pk: int) -> Bid:
    return one_of(queries.bids_of_provider(own_provider(access)).select_related("tender__organisation", "provider"), pk)


@requires("bids.submit")
def application_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Fill in an application to a contest."""
    tender = one_of(queries.tenders_published().filter(kind="project_contest"), pk)
    return _edit(request, tender, None)


@requires("bids.submit")
def application_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Correct an own draft."""
    bid = _own(access_of(request), pk)
    if bid.tender.kind != "project_contest":
        raise NotFound()
    return _edit(request, bid.tender, bid)


def _edit(request: HttpRequest, tender: Tender, bid: Bid | None) -> HttpResponse:
    access = access_of(request)
    provider = own_provider(access)
    # A bound formset takes no initial rows: it would drop the rows that were not changed.
    initial = _initial(bid) if bid and request.method != "POST" else {}
    form = ApplicationForm(request.POST or None, initial=initial.get("head"))
    parts = {
        name: formset(request.POST or None, prefix=name, initial=initial.get(name))
        for name, formset in FORMSETS.items()
    }
    refusal: DomainError | None = None
    if request.method == "POST" and all([form.is_valid(), *(part.is_valid() for part in parts.values())]):
        saved, refusal = submitted(
            request,
            form,
            lambda: applications.save_application(
                tender=tender,
                provider=provider,
                draft=application_draft(form, parts),
                bid=bid,
                actor=access.actor,
                at=access.now(tender.organisation),
            ),
        )
        if saved is not None:
            return redirect("procurement:bid", saved.pk)
    context = {"form": form, "parts": parts, "tender": tender, "bid": bid, "refusal": refusal}
    return render(request, "procurement/application_edit.html", context)


def _initial(bid: Bid) -> dict[str, Any]:
    times = bid.unit_multiplier
    paid_by = {number: row["source"] for row in bid.earmarks for number in row["items"]}
    return {
        "head": {
            "title": bid.project_title,
            "summary": bid.summary,
            "duration_months": bid.duration_months,
            "unit_multiplier": times,
            "declared_total": bid.declared_total.amount / times if bid.declared_total else None,
            "activity_numbers": ", ".join(str(number) for number in bid.activity_numbers),
            **{name: getattr(bid, name) for name in DECLARED},
            "partners": "\n".join(bid.partners),
        },
        "sources": [
            {
                "kind": row.kind,
                "title": row.name,
                "amount": row.amount.amount / times,
                "declared_share": row.declared_share,
                "conditional": row.conditional,
            }
            for row in bid.sources.order_by("position")
        ],
        "items": [
            {"title": row.name, "amount": row.amount.amount / times, "paid_by": paid_by.get(row.position, "")}
            for row in bid.items.order_by("position")
        ],
        "kpis": [
            {
                "title": row.name,
                "baseline": row.baseline,
                "target": row.target,
                "stated_baseline": row.stated_baseline,
                "stated_target": row.stated_target,
            }
            for row in bid.kpis.order_by("position")
        ],
        "steps": [
            {
                "month_from": row.month_from,
                "month_to": row.month_to,
                "description": row.description,
                "executors": row.executors,
            }
            for row in bid.work_plan.order_by("position")
        ],
    }


@requires("bids.submit")
def application_attach(request: HttpRequest, pk: int, document: str) -> HttpResponse:
    """Add an annex to an own draft."""
    access = access_of(request)
    bid = _own(access, pk)
    form = DocumentForm(request.POST or None, request.FILES or None)
    return stepped(
        request,
        form,
        lambda: _attach(access, bid, document, form.cleaned_data["file"]),
        done=_("The document is added."),
        title=bid.project_title,
        back="procurement:bid",
        key=pk,
        multipart=True,
        submit=_("Add"),
    )


def _attach(access: Access, bid: Bid, document: str, file: Any) -> Any:
    return applications.attach_document(
        bid=bid,
        document=document,
        filename=file.name,
        content=file.read(),
        content_type=file.content_type or "application/octet-stream",
        actor=access.actor,
        at=access.now(bid.tender.organisation),
    )


@require_POST
@requires("bids.submit")
def application_submit(request: HttpRequest, pk: int) -> HttpResponse:
    """Submit an own application; findings that block are shown again on its page."""
    access = access_of(request)
    bid = _own(access, pk)
    return perform(
        request,
        lambda: applications.submit_application(bid=bid, actor=access.actor, at=access.now(bid.tender.organisation)),
        done=_("The application is submitted. You may withdraw it until the contest closes."),
        to="procurement:bid",
        key=pk,
    )


@requires("bids.submit", "bids.view")
def bid_file(request: HttpRequest, pk: int, file_pk: int) -> HttpResponse:
    """A document of a bid that the reader may see."""
    bid, _own_bid = bid_for(access_of(request), pk)
    return download(one_of(attachments_of(bid), file_pk))
