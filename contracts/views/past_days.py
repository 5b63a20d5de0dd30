"""Pages of what is put right for days already served: what it touches, terms of contracts, their second person."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from config.accounts.access import Access, requires
from config.accounts.models import Organisation
from config.errors import NotPermitted
from config.templatetags.show import rate
from contracts import queries
from contracts.actions import past_terms as actions
from contracts.actions.agreements import AgreedLine
from contracts.forms import PastTermsForm, RefusalForm
from contracts.models import NormCost, ParameterProposal, PastTerms
from contracts.settled_queries import Settled, corrections_since
from contracts.views.agreements import in_scope
from contracts.views.pages import access_of, one_of, perform, stepped, submitted


def touched_part(
    fact: NormCost | ParameterProposal | PastTerms, organisation: Organisation, settled: Settled, act: str
) -> dict[str, Any]:
    """What a page shows of lines already decided; once the fact holds, with the corrections of each month."""
    since = fact.status_at if fact.status == "approved" else None
    made = corrections_since(organisation, [row.month for row in settled.closed], since) if since else {}
    return {
        "settled": settled,
        "months": [(row, made.get(row.month, [])) for row in settled.months],
        "holds": since is not None,
        "correction_reason": act,
        "currency": organisation.currency,
    }


def terms_shown(access: Access) -> QuerySet[PastTerms]:
    """The office sees what is proposed; a provider what holds for its own contracts."""
    parts = ("contract__organisation", "contract__provider", "service", "author", "approver", "line")
    rows = PastTerms.objects.filter(contract__in=in_scope(access)).select_related(*parts).order_by("-id")
    return rows if access.may("register.view") else rows.filter(status="approved")


@requires("contracts.view")
def past_terms(request: HttpRequest, pk: int) -> HttpResponse:
    """Terms of past days, beside those on record, and what they touch."""
    access = access_of(request)
    terms = one_of(terms_shown(access), pk)
    contract, waits = terms.contract, terms.status == "draft"
    own_work = terms.author_id == access.user.pk
    office = contract.organisation
    context = {
        "terms": terms,
        "contract": contract,
        "present": waits and queries.contract_line_on(contract=contract, service=terms.service, on=terms.valid_from),
        "own_work": waits and own_work,
        "may_approve": waits and not own_work and access.may("past_days.approve"),
        "may_withdraw": waits and _may_withdraw(access, terms),
        **touched_part(terms, office, actions.settled_by_terms(office, terms), contract.number),
    }
    return render(request, "contracts/past_terms.html", context)


def _may_withdraw(access: Access, terms: PastTerms) -> bool:
    return terms.author_id == access.user.pk or access.may("past_days.approve")


@requires("contracts.edit")
def past_terms_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down which price or volume was right from a day already served."""
    access = access_of(request)
    contract = one_of(queries.contracts_of_office(access.office()), pk)
    form = PastTermsForm(request.POST or None, services=queries.services_of_contract(contract))

    def call() -> PastTerms:
        data = form.cleaned_data
        return actions.propose_past_terms(
            contract=contract,
            line=AgreedLine(data["service"], data["unit_rate"], data["units_ceiling"]),
            valid_from=data["valid_from"],
            basis=data["basis"],
            reason=data["reason"],
            actor=access.actor,
            at=access.now(),
        )

    terms, refusal = submitted(request, form, call)
    if terms is not None:
        return redirect("contracts:past_terms", terms.pk)
    context = {
        "form": form,
        "refusal": refusal,
        "title": _("Put past terms of contract %(number)s right") % {"number": contract.number},
        "back": "contracts:contract",
        "key": pk,
        "submit": _("Hand over for approval"),
        "notes": [_("For days already served only. What was paid changes by a correction of the month, not by this.")],
    }
    return render(request, "contracts/form.html", context, status=409 if refusal else 200)


@require_POST
@requires("past_days.approve")
def past_terms_approve(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve terms of past days as the second person."""
    access = access_of(request)
    terms = one_of(terms_shown(access), pk)
    return perform(
        request,
        lambda: actions.approve_past_terms(terms=terms, actor=access.actor, at=access.now()),
        done=_("The terms hold from their day. Closed months change by their corrections only."),
        to="contracts:past_terms",
        key=pk,
    )


@requires("contracts.edit", "past_days.approve")
def past_terms_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take proposed terms back, or refuse them with a reason."""
    access = access_of(request)
    terms = one_of(terms_shown(access), pk)
    if not _may_withdraw(access, terms):
        raise NotPermitted()
    form = RefusalForm(request.POST or None)
    return stepped(
        request,
        form,
        lambda: actions.withdraw_past_terms(
            terms=terms, reason=form.cleaned_data["reason"], actor=access.actor, at=access.now()
        ),
        done=_("The terms are not taken over. Those on record stay."),
        title=_("Terms of past days of contract %(number)s") % {"number": terms.contract.number},
        back="contracts:past_terms",
        key=pk,
        submit=_("Withdraw") if terms.author_id == access.user.pk else _("Do not take them over"),
        danger=True,
        notes=[f"{terms.service.name}, {rate(terms.unit_rate)}: {terms.basis}"],
    )
