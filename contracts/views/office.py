"""Pages of the office: parameters, the register, budget lines."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _

from config.accounts.access import Access, requires
from config.audit.recording import label_of
from config.office.models import Attachment
from contracts import queries
from contracts.actions import budgets, register
from contracts.forms import (
    AdmissionForm,
    BudgetAmendmentForm,
    BudgetLineForm,
    ProviderForm,
    ResumptionForm,
    SuspensionForm,
)
from contracts.models import Parameter, Provider, ProviderAccount
from contracts.parameter_use import is_read
from contracts.parameters import with_confirmations
from contracts.views.pages import access_of, one_of, page_of, stepped, submitted


@requires("parameters.view")
def parameter_list(request: HttpRequest) -> HttpResponse:
    """Dated law of the jurisdiction; what is not verified is flagged."""
    access = access_of(request)
    office = access.office()
    everything = request.GET.get("all") == "1"
    on = None if everything else access.today()
    q = request.GET.get("q", "").strip()
    page = page_of(request, queries.parameters(office, search=q, on=on))
    page.object_list = with_confirmations(office, page.object_list)
    context = {
        "page": page,
        "q": q,
        "everything": everything,
        "on": on,
        "hidden": {"all": "1" if everything else ""},
        "evidence": dict(Parameter.EVIDENCE),
        "reference": {row.key for row in page if not is_read(row.key)},
    }
    return render(request, "contracts/parameters.html", context)


@requires("register.view")
def provider_list(request: HttpRequest) -> HttpResponse:
    """The register of providers."""
    access = access_of(request)
    q = request.GET.get("q", "").strip()
    page = page_of(request, queries.providers(q))
    today = access.today()
    rows = [(provider, provider_state(provider, today)) for provider in page]
    return render(request, "contracts/providers.html", {"page": page, "rows": rows, "q": q})


def provider_state(provider: Provider, today: object) -> str:
    """State of a provider in the register, as a badge code."""
    if provider.admitted_at is None and provider.active_from and provider.active_from > today:  # type: ignore[operator]
        return "pending"
    if register.is_suspended(provider, today):  # type: ignore[arg-type]
        return "suspended"
    return "active" if register.is_active(provider, today) else "closed"  # type: ignore[arg-type]


@requires("register.view")
def provider_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A provider with its suspensions, prices and contracts with this organisation."""
    access = access_of(request)
    office = access.office()
    provider = one_of(queries.providers(), pk)
    today = access.today()
    context = {
        "provider": provider,
        "state": provider_state(provider, today),
        "contracts": queries.contracts_of_office(office).filter(provider=provider)[:25],
        "tariffs": queries.tariffs(provider, office),
        "tariff_sets": provider.tariffset_set.filter(organisation=office),
        "workers": provider.workers.count(),
        "accounts": _accounts(access, provider),
        "people": provider.users.select_related("user").order_by("appointed_at", "id"),
        "admission": AdmissionForm(initial={"from_date": today}),
        "suspension": SuspensionForm(initial={"from_date": today}),
        "resumption": ResumptionForm(initial={"to_date": today}),
    }
    return render(request, "contracts/provider.html", context)


def _accounts(access: Access, provider: Provider) -> list[tuple[ProviderAccount, Attachment | None]]:
    """Changed accounts, newest first, each with its letter if this office keeps it; for who pays or records."""
    if not (access.may("payment_runs.view") or access.may("register.edit")):
        return []
    rows = list(provider.accounts.select_related("recorded_by").order_by("-id"))
    papers = Attachment.objects.filter(organisation=access.office(), label__in=[label_of(row) for row in rows])
    found = {paper.label: paper for paper in papers}
    return [(row, found.get(label_of(row))) for row in rows]


@requires("register.edit")
def provider_new(request: HttpRequest) -> HttpResponse:
    """Put a provider on record."""
    access = access_of(request)
    form = ProviderForm(request.POST or None)
    provider, refusal = submitted(
        request,
        form,
        lambda: register.register_provider(
            organisation=access.office(), actor=access.actor, at=access.now(), **form.cleaned_data
        ),
    )
    if provider is not None:
        return redirect("contracts:provider", provider.pk)
    context = {"form": form, "refusal": refusal, "title": _("New provider"), "back": "contracts:providers"}
    return render(request, "contracts/form.html", context)


FORMS = {
    "admit": (AdmissionForm, register.admit_provider, _("The provider is on the register.")),
    "suspend": (SuspensionForm, register.suspend_provider, _("The provider is suspended.")),
    "resume": (ResumptionForm, register.end_suspension, _("The provider serves again from this day.")),
}


@requires("register.edit")
def provider_step(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    """Admit, suspend or resume a provider."""
    access = access_of(request)
    provider = one_of(queries.providers(), pk)
    form_class, call, done = FORMS[step]
    form = form_class(request.POST or None)
    return stepped(
        request,
        form,
        lambda: call(  # type: ignore[operator]
            organisation=access.office(), provider=provider, actor=access.actor, at=access.now(), **form.cleaned_data
        ),
        done=done,
        title=provider.name,
        back="contracts:provider",
        key=pk,
    )


@requires("budget.view")
def budget_list(request: HttpRequest) -> HttpResponse:
    """Budget lines with what is set aside and free."""
    q = request.GET.get("q", "").strip()
    rows = queries.budget_lines(access_of(request).office())
    if q:
        rows = rows.filter(name__icontains=q) | rows.filter(code__startswith=q)
    return render(request, "contracts/budget_lines.html", {"page": page_of(request, rows), "q": q})


@requires("budget.view")
def budget_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A budget line with its movements."""
    access = access_of(request)
    line = one_of(queries.budget_lines(access.office()), pk)
    entries = line.entries.select_related("recorded_by").order_by("-id")
    context = {
        "line": line,
        "totals": queries.budget_totals(line),
        "page": page_of(request, entries),
        "may_amend": access.may("budget.edit") and not queries.is_closed_line(line),
    }
    return render(request, "contracts/budget_line.html", context)


@requires("budget.edit")
def budget_amend(request: HttpRequest, pk: int) -> HttpResponse:
    """Change an appropriation by a decision."""
    access = access_of(request)
    line = one_of(queries.budget_lines(access.office()), pk)
    form = BudgetAmendmentForm(request.POST or None, initial={"amount": line.amount.amount})
    return stepped(
        request,
        form,
        lambda: budgets.amend_budget_line(line=line, actor=access.actor, at=access.now(), **form.cleaned_data),
        done=_("The appropriation is changed."),
        title=_("Amend the budget line %(line)s") % {"line": line},
        back="contracts:budget_line",
        key=pk,
        submit=_("Change the appropriation"),
    )


@requires("budget.edit")
def budget_new(request: HttpRequest) -> HttpResponse:
    """Enter an appropriation."""
    access = access_of(request)
    form = BudgetLineForm(request.POST or None, jurisdiction=access.office().jurisdiction)
    line, refusal = submitted(
        request,
        form,
        lambda: budgets.add_budget_line(
            organisation=access.office(), actor=access.actor, at=access.now(), **form.cleaned_data
        ),
    )
    if line is not None:
        return redirect("contracts:budget_line", line.pk)
    context = {"form": form, "refusal": refusal, "title": _("New budget line"), "back": "contracts:budget_lines"}
    return render(request, "contracts/form.html", context)
