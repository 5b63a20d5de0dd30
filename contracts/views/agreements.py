"""Contracts, for the office and for the provider's own people."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from config.accounts.access import Access, requires
from config.errors import DomainError
from contracts import queries
from contracts.actions import agreements, amendments
from contracts.actions.agreements import AgreedLine
from contracts.forms import AmendmentForm, RegisterContractForm, TerminationForm
from contracts.models import Contract, PastTerms
from contracts.views.pages import access_of, one_of, page_of, perform, stepped, submitted


class NoRepresentative(DomainError):
    """Nobody signs for the provider."""

    code = "NO_REPRESENTATIVE"
    message = _("Nobody acts for «%(provider)s» in the system. Appoint a representative first.")


def in_scope(access: Access) -> QuerySet[Contract]:
    """The office sees all contracts of the organisation, a provider its own."""
    if access.may("register.view"):
        return queries.contracts_of_office(access.office())
    return queries.contracts_of_provider(queries.provider_of(access.user))


@requires("contracts.view")
def contract_list(request: HttpRequest) -> HttpResponse:
    """Contracts of the reader's scope."""
    q = request.GET.get("q", "").strip()
    rows = in_scope(access_of(request))
    if q:
        rows = rows.filter(number__icontains=q) | rows.filter(provider__name__icontains=q)
    return render(request, "contracts/contracts.html", {"page": page_of(request, rows), "q": q})


@requires("contracts.view")
def contract_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A contract with prices, milestones and signatures."""
    access = access_of(request)
    rows = in_scope(access).select_related("signed_by", "signed_by_provider", "organisation")
    contract = one_of(rows, pk)
    context = {
        "contract": contract,
        "lines": contract.lines.select_related("service").order_by("service__code", "valid_from"),
        "milestones": contract.milestones.order_by("due_date", "id"),
        "may_sign": access.may("contracts.edit") and contract.status == "pending",
        "may_amend": access.may("contracts.edit") and contract.status in ("pending", "active"),
        "may_terminate": access.may("contracts.edit") and contract.status == "active",
        "may_put_right": access.may("contracts.edit") and contract.status in ("active", "terminated"),
        "past_terms": _past_terms(access, contract),
    }
    return render(request, "contracts/contract.html", context)


def _past_terms(access: Access, contract: Contract) -> QuerySet[PastTerms]:
    """Terms of past days that wait, and those that hold; a provider sees the latter."""
    states = ["draft", "approved"] if access.may("register.view") else ["approved"]
    return contract.past_terms.filter(status__in=states).select_related("service").order_by("-id")


@requires("contracts.edit")
def contract_new(request: HttpRequest) -> HttpResponse:
    """Draw up a contract with a provider of the register."""
    access = access_of(request)
    office = access.office()
    form = RegisterContractForm(request.POST or None, organisation=office)

    def call() -> Contract:
        data = form.cleaned_data
        return agreements.conclude_register_contract(
            organisation=office,
            provider=data["provider"],
            budget_line=data["budget_line"],
            lines=[AgreedLine(data["service"], data["unit_rate"], data["units_ceiling"])],
            valid_from=data["valid_from"],
            valid_to=data["valid_to"],
            ceiling=data["ceiling"],
            actor=access.actor,
            at=access.now(),
        )

    contract, refusal = submitted(request, form, call)
    if contract is not None:
        return redirect("contracts:contract", contract.pk)
    context = {"form": form, "refusal": refusal, "title": _("New contract"), "back": "contracts:contracts"}
    return render(request, "contracts/form.html", context)


@require_POST
@requires("contracts.edit")
def contract_sign(request: HttpRequest, pk: int) -> HttpResponse:
    """Note that both sides have signed."""
    access = access_of(request)
    contract = one_of(queries.contracts_of_office(access.office()), pk)

    def call() -> Contract:
        return agreements.sign_contract(
            contract=contract,
            provider_user_id=representative_of(contract.provider_id),
            actor=access.actor,
            at=access.now(),
        )

    done = _("The contract is in force. Certificates may now be redeemed at its price.")
    return perform(request, call, done=done, to="contracts:contract", key=pk)


@requires("contracts.edit")
def contract_amend(request: HttpRequest, pk: int) -> HttpResponse:
    """Agree on another price or volume from a day."""
    access = access_of(request)
    contract = one_of(queries.contracts_of_office(access.office()), pk)
    form = AmendmentForm(request.POST or None, services=queries.services_of_contract(contract))

    def call() -> object:
        data = form.cleaned_data
        return amendments.amend_contract_line(
            contract=contract,
            line=AgreedLine(data["service"], data["unit_rate"], data["units_ceiling"]),
            valid_from=data["valid_from"],
            basis=data["basis"],
            actor=access.actor,
            at=access.now(),
        )

    done = _("The contract is amended. Days before keep the earlier terms.")
    title = _("Amend contract %(number)s") % {"number": contract.number}
    return stepped(
        request, form, call, done=done, title=title, back="contracts:contract", key=pk, submit=_("Amend the contract")
    )


@requires("contracts.edit")
def contract_terminate(request: HttpRequest, pk: int) -> HttpResponse:
    """End a contract early."""
    access = access_of(request)
    contract = one_of(queries.contracts_of_office(access.office()), pk)
    form = TerminationForm(request.POST or None)
    notes = [_("Services after the last day are not paid. This cannot be undone; a new contract would be needed.")]
    if contract.basis == "grant":
        notes.append(_("What the agreement has set aside and not used goes back to the budget line."))
    return stepped(
        request,
        form,
        lambda: amendments.terminate_contract(
            contract=contract,
            valid_to=form.cleaned_data["last_day"] + timedelta(days=1),
            reason=form.cleaned_data["reason"],
            actor=access.actor,
            at=access.now(),
        ),
        done=_("The contract ends with that day."),
        title=_("End contract %(number)s early") % {"number": contract.number},
        back="contracts:contract",
        key=pk,
        notes=notes,
        submit=_("End the contract"),
        danger=True,
    )


def representative_of(provider_id: int) -> int:
    """The person who signs for a provider. Raises: NoRepresentative."""
    link = queries.representative(provider_id)
    if link is None:
        raise NoRepresentative(provider=queries.providers().get(pk=provider_id))
    return link.user_id
