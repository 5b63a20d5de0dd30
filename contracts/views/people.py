"""People of providers: who acts for one, and its workers with what they are qualified for."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from config.accounts.access import requires
from config.accounts.forms import InvitationForm
from config.accounts.models import User
from config.accounts.people_actions import renew_visitor_password
from config.errors import NotFound
from contracts import queries
from contracts.actions import register
from contracts.forms import AppointmentForm, QualificationForm, WorkerForm
from contracts.models import Provider, Worker
from contracts.views.pages import access_of, invited, link_shown, one_of, page_of, perform, stepped, submitted

BACK = "contracts:provider"


@never_cache
@requires("representatives.appoint")
def representative_invite(request: HttpRequest, pk: int) -> HttpResponse:
    """A new person who acts for a provider; the link is shown here once."""
    access = access_of(request)
    provider = one_of(queries.providers(), pk)
    form = InvitationForm(request.POST or None)
    user, refusal = submitted(
        request,
        form,
        lambda: register.invite_representative(
            organisation=access.office(), provider=provider, actor=access.actor, at=access.now(), **form.cleaned_data
        ),
    )
    if user is not None:
        return invited(request, user, back=BACK, key=pk)
    title = _("Invite a person who acts for «%(provider)s»") % {"provider": provider.name}
    context = {"form": form, "refusal": refusal, "title": title, "back": BACK, "key": pk, "submit": _("Invite")}
    return render(request, "contracts/form.html", context, status=409 if refusal else 200)


@requires("representatives.appoint")
def representative_appoint(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a person who has access act for a provider."""
    access = access_of(request)
    provider = one_of(queries.providers(), pk)
    form = AppointmentForm(request.POST or None)

    def call() -> object:
        username = form.cleaned_data["username"]
        user = User.objects.filter(username=username).first()
        if user is None:
            raise register.NoProviderAccess(username=username)
        return register.appoint_representative(
            organisation=access.office(), provider=provider, user=user, actor=access.actor, at=access.now()
        )

    return stepped(
        request,
        form,
        call,
        done=_("The person acts for the provider from now on."),
        title=_("Let a person act for «%(provider)s»") % {"provider": provider.name},
        back=BACK,
        key=pk,
        submit=_("Appoint"),
    )


@never_cache
@require_POST
@requires("representatives.appoint")
def representative_link(request: HttpRequest, pk: int, user_pk: int) -> HttpResponse:
    """End the password of a provider's person and show a new link once."""
    access = access_of(request)
    user = User.objects.filter(provider_user__provider=pk, pk=user_pk).first()
    if user is None:
        raise NotFound()
    return link_shown(
        request,
        lambda: renew_visitor_password(user=user, organisation=access.office(), actor=access.actor, at=access.now()),
        back=BACK,
        key=pk,
    )


@require_POST
@requires("representatives.appoint")
def representative_end(request: HttpRequest, pk: int, user_pk: int) -> HttpResponse:
    """The person acts for the provider no more."""
    access = access_of(request)
    provider = one_of(queries.providers(), pk)
    return perform(
        request,
        lambda: register.end_representation(
            organisation=access.office(), provider=provider, user_id=user_pk, actor=access.actor, at=access.now()
        ),
        done=_("The person acts for the provider no more."),
        to=BACK,
        key=pk,
    )


@requires("register.edit")
def worker_list(request: HttpRequest, pk: int) -> HttpResponse:
    """Workers of a provider, for the register."""
    return _workers(request, one_of(queries.providers(), pk))


@requires("workers.own")
def own_workers(request: HttpRequest) -> HttpResponse:
    """The provider's own workers, as the register has them. Raises: NotFound."""
    provider = queries.provider_of(access_of(request).user)
    if provider is None:
        raise NotFound()
    return _workers(request, provider)


def _workers(request: HttpRequest, provider: Provider) -> HttpResponse:
    q = request.GET.get("q", "").strip()
    page = page_of(request, queries.workers(provider, search=q))
    several = len(access_of(request).organisations) > 1
    return render(request, "contracts/workers.html", {"provider": provider, "page": page, "q": q, "several": several})


@requires("register.edit")
def worker_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a worker on record."""
    access = access_of(request)
    provider = one_of(queries.providers(), pk)
    form = WorkerForm(request.POST or None, services=queries.services(access.office()))
    return stepped(
        request,
        form,
        lambda: register.add_worker(
            organisation=access.office(), provider=provider, actor=access.actor, at=access.now(), **form.values()
        ),
        done=_("The worker is on record."),
        title=_("New worker of «%(provider)s»") % {"provider": provider.name},
        back="contracts:workers",
        key=pk,
    )


@requires("register.edit")
def worker_qualify(request: HttpRequest, pk: int) -> HttpResponse:
    """Further services of a worker."""
    access = access_of(request)
    worker = one_of(Worker.objects.select_related("provider"), pk)
    form = QualificationForm(request.POST or None, services=queries.services(access.office()))
    return stepped(
        request,
        form,
        lambda: register.qualify_worker(
            organisation=access.office(), worker=worker, actor=access.actor, at=access.now(), **form.values()
        ),
        done=_("The services are recorded."),
        title=_("Further services of the worker %(worker)s") % {"worker": worker.code},
        back="contracts:workers",
        key=worker.provider_id,
    )
