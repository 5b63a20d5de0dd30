"""People of the office: invited, given roles, closed and opened again by the administrator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from config.accounts import people_actions as actions
from config.accounts.access import Access, requires
from config.accounts.forms import PersonForm, RolesForm
from config.accounts.models import User
from config.accounts.people import (
    ACTIVE,
    CLOSED,
    INVITED,
    LOCKED,
    invitation_days,
    invitation_path,
    people_of,
    state_of,
)
from config.errors import DomainError
from contracts.views.pages import access_of, one_of, page_of, perform, stepped, submitted

STATE_TITLES = {
    ACTIVE: _("may sign in"),
    INVITED: _("has not chosen a password yet"),
    LOCKED: _("sign-in is paused"),
    CLOSED: _("access is closed"),
}
TONES = {ACTIVE: "good", INVITED: "wait", LOCKED: "warn", CLOSED: ""}


@requires("users.manage")
def people_list(request: HttpRequest) -> HttpResponse:
    """Everybody who holds a role in the reader's office."""
    access = access_of(request)
    q, state = request.GET.get("q", "").strip(), request.GET.get("state", "")
    page = page_of(request, people_of(access.office(), now=timezone.now(), search=q, state=state))
    context = {
        "page": page,
        "rows": [(person, *_shown_state(person)) for person in page],
        "q": q,
        "state": state if state in STATE_TITLES else "",
        "states": STATE_TITLES,
        "hidden": {"state": state},
    }
    return render(request, "people/list.html", context)


@requires("users.manage")
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """One person, with what the administrator may do."""
    access = access_of(request)
    return _page(request, _person(access, pk))


def _page(request: HttpRequest, user: User, *, link: str = "", refusal: DomainError | None = None) -> HttpResponse:
    title, tone = _shown_state(user)
    context = {
        "person": user,
        "state": state_of(user),
        "title": title,
        "tone": tone,
        "own": user.pk == access_of(request).user.pk,
        "link": request.build_absolute_uri(link) if link else "",
        "days": invitation_days(),
        "refusal": refusal,
    }
    return render(request, "people/person.html", context, status=409 if refusal else 200)


def _shown_state(user: User) -> tuple[Any, str]:
    return STATE_TITLES[state_of(user)], TONES[state_of(user)]


def _person(access: Access, pk: int) -> User:
    """Raises: NotFound, also for people of other offices."""
    return one_of(people_of(access.office(), now=timezone.now()), pk)


@never_cache
@requires("users.manage")
def person_new(request: HttpRequest) -> HttpResponse:
    """Invite a person; the link is shown here once."""
    access = access_of(request)
    form = PersonForm(request.POST or None)
    user, refusal = submitted(
        request,
        form,
        lambda: actions.invite_user(
            organisation=access.office(), password=None, actor=access.actor, at=access.now(), **form.cleaned_data
        ),
    )
    if user is not None:
        return _page(request, _person(access, user.pk), link=invitation_path(user))
    title = _("Invite a person")
    context = {"form": form, "refusal": refusal, "title": title, "submit": title, "back": "people"}
    return render(request, "contracts/form.html", context, status=409 if refusal else 200)


@requires("users.manage")
def person_roles(request: HttpRequest, pk: int) -> HttpResponse:
    """Change what a person may do."""
    access = access_of(request)
    user = _person(access, pk)
    held = [membership.role for membership in user.held]  # type: ignore[attr-defined]
    form = RolesForm(request.POST or None, initial={"roles": held})
    return stepped(
        request,
        form,
        lambda: actions.change_roles(
            user=user,
            organisation=access.office(),
            roles=form.cleaned_data["roles"],
            actor=access.actor,
            at=access.now(),
        ),
        done=_("The roles are changed. They count at once, also for whoever is signed in."),
        title=str(user),
        back="person",
        key=pk,
        submit=_("Save the roles"),
    )


@never_cache
@require_POST
@requires("users.manage")
def person_link(request: HttpRequest, pk: int) -> HttpResponse:
    """End the password and show a new link once."""
    access = access_of(request)
    user = _person(access, pk)
    try:
        renewed = actions.renew_password(user=user, organisation=access.office(), actor=access.actor, at=access.now())
    except DomainError as refusal:
        return _page(request, user, refusal=refusal)
    return _page(request, _person(access, pk), link=invitation_path(renewed))


STEPS: dict[str, tuple[Callable[..., None], Any]] = {
    "close": (actions.deactivate_user, _("The access is closed. The person is signed out everywhere.")),
    "open": (
        actions.reactivate_user,
        _("The access is open again. Make a new link for the person."),
    ),
    "unlock": (actions.unlock_user, _("The pause is over. The person can sign in again.")),
}


@require_POST
@requires("users.manage")
def person_step(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    """Close, open or unlock an access."""
    access = access_of(request)
    user = _person(access, pk)
    call, done = STEPS[step]
    return perform(
        request,
        lambda: call(user=user, organisation=access.office(), actor=access.actor, at=access.now()),
        done=done,
        to="person",
        key=pk,
    )
