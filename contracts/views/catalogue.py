"""The catalogue of services and the price lists."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from config.accounts.access import requires
from contracts import queries
from contracts.actions import catalogue, reference
from contracts.forms import NewServiceForm, ServiceForm, TariffForm, TerritoryForm
from contracts.views.pages import access_of, one_of, page_of, perform, stepped, submitted


@requires("catalogue.view")
def territory_list(request: HttpRequest) -> HttpResponse:
    """Parts of the municipality."""
    q = request.GET.get("q", "").strip()
    page = page_of(request, queries.territories(access_of(request).office(), search=q))
    return render(request, "contracts/territories.html", {"page": page, "q": q})


@requires("catalogue.edit")
def territory_new(request: HttpRequest) -> HttpResponse:
    """Add a part of the municipality."""
    access = access_of(request)
    form = TerritoryForm(request.POST or None, territories=queries.territories(access.office()))
    return stepped(
        request,
        form,
        lambda: catalogue.add_territory(
            organisation=access.office(), actor=access.actor, at=access.now(), **form.cleaned_data
        ),
        done=_("The territory is added. Recipients can be registered in it."),
        title=_("New territory"),
        back="contracts:territories",
        key=None,
    )


@requires("catalogue.view")
def service_list(request: HttpRequest) -> HttpResponse:
    """Services of the organisation."""
    access = access_of(request)
    q = request.GET.get("q", "").strip()
    page = page_of(request, queries.services(access.office(), search=q))
    may_adopt = access.may("catalogue.edit") and reference.has_service_list(access.office())
    return render(request, "contracts/services.html", {"page": page, "q": q, "may_adopt": may_adopt})


@require_POST
@requires("catalogue.edit")
def service_adopt(request: HttpRequest) -> HttpResponse:
    """Take over the list of services of the jurisdiction; own services stay as they are."""
    access = access_of(request)
    return perform(
        request,
        lambda: reference.adopt_service_list(
            organisation=access.office(), limits={}, actor=access.actor, at=access.now()
        ),
        done=_("The list is taken over. Set your own limits before the services are used."),
        to="contracts:services",
    )


@requires("catalogue.view")
def service_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A service with its limits and whether anything rests on it."""
    access = access_of(request)
    service = one_of(queries.services(access.office()), pk)
    norms = queries.norm_costs(access.office()).filter(service=service, status="approved")
    context = {
        "service": service,
        "used": queries.service_in_use(service),
        "norms": norms if access.may("norms.view") else [],
    }
    return render(request, "contracts/service.html", context)


@requires("catalogue.edit")
def service_new(request: HttpRequest) -> HttpResponse:
    """A service of the municipality's own."""
    access = access_of(request)
    form = NewServiceForm(request.POST or None)
    service, refusal = submitted(
        request,
        form,
        lambda: catalogue.add_service(
            organisation=access.office(),
            code=form.cleaned_data["code"],
            values={name: value for name, value in form.cleaned_data.items() if name != "code"},
            actor=access.actor,
            at=access.now(),
        ),
    )
    if service is not None:
        return redirect("contracts:service", service.pk)
    context = {"form": form, "refusal": refusal, "title": _("New service"), "back": "contracts:services"}
    return render(request, "contracts/form.html", context, status=409 if refusal else 200)


@requires("catalogue.edit")
def service_change(request: HttpRequest, pk: int) -> HttpResponse:
    """Names of a service; its unit and limits while nothing rests on it."""
    access = access_of(request)
    service = one_of(queries.services(access.office()), pk)
    form = ServiceForm(request.POST or None, initial={name: getattr(service, name) for name in ServiceForm.base_fields})
    used = queries.service_in_use(service)
    return stepped(
        request,
        form,
        lambda: catalogue.change_service(
            service=service, values=form.cleaned_data, actor=access.actor, at=access.now()
        ),
        done=_("The service is changed."),
        title=service.name,
        back="contracts:service",
        key=pk,
        notes=[_("The service is used already: only its names can change.")] if used else [],
    )


@requires("catalogue.edit")
def tariff_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Publish a provider's price."""
    access = access_of(request)
    office = access.office()
    provider = one_of(queries.providers(), pk)
    form = TariffForm(request.POST or None, services=queries.services(office))

    def call() -> object:
        data = dict(form.cleaned_data)
        last = data.pop("last_day")
        return catalogue.publish_tariff(
            organisation=office,
            provider=provider,
            valid_to=last + timedelta(days=1) if last else None,
            actor=access.actor,
            at=access.now(),
            **data,
        )

    return stepped(
        request,
        form,
        call,
        done=_("The price is published. It stands on the provider's page."),
        title=_("Publish a price of «%(provider)s»") % {"provider": provider.name},
        back="contracts:provider",
        key=pk,
        submit=_("Publish"),
    )


@requires("catalogue.view")
def tariff_set_list(request: HttpRequest) -> HttpResponse:
    """Price lists of the organisation's providers."""
    q = request.GET.get("q", "").strip()
    page = page_of(request, queries.tariff_sets(access_of(request).office(), search=q))
    return render(request, "contracts/tariff_sets.html", {"page": page, "q": q})


@requires("catalogue.view")
def tariff_set_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A price list: published prices beside the recomputed ones."""
    tariff_set = one_of(queries.tariff_sets(access_of(request).office()), pk)
    items = tariff_set.items.order_by("position")
    return render(request, "contracts/tariff_set.html", {"set": tariff_set, "items": items})
