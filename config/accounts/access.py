"""Permission checks at the edges: a view is denied until @requires names a permission of the role table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, reduce, wraps
from operator import or_
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse

from config.accounts.models import AccessToken, Membership, Organisation, User
from config.audit.actors import Actor
from config.clock import business_now, local_date
from config.errors import NotPermitted
from config.roles import permissions_of

View = Callable[..., HttpResponse]


@dataclass(frozen=True)
class Access:
    """What the signed-in person may do, and for whom; ``request.access`` holds it."""

    user: User
    organisation: Organisation | None
    roles: frozenset[str]
    permissions: frozenset[str]
    # Municipalities between which the person may switch; ``organisation`` is the present one of them.
    organisations: tuple[Organisation, ...] = ()
    # The one organisation that a program's key is for; a person at a screen sees all of theirs.
    only: Organisation | None = None

    @property
    def actor(self) -> Actor:
        """The person as an actor."""
        return self.user.as_actor()

    def may(self, permission: str) -> bool:
        """Whether a role of the person holds the permission."""
        return permission in self.permissions

    @cached_property
    def offered(self) -> frozenset[str]:
        """Permissions whose pages have something to show: a role may outlive what it was given for.

        Only for what is offered; what is refused and whose records are seen follows ``permissions``.
        """
        ended = {role for role, holds in _STANDINGS.items() if role in self.roles and not holds(self.user)}
        return permissions_of(self.roles - ended) if ended else self.permissions

    def now(self, organisation: Organisation | None = None) -> datetime:
        """Business time of the municipality whose record it is, else of the present one."""
        clock = organisation or self.organisation
        return business_now(clock.clock_offset if clock else None)

    def today(self) -> date:
        """Day of the business time where the organisation is; the day in UTC ends hours later."""
        return local_date(self.now(), self.organisation.zone) if self.organisation else local_date(self.now())

    def office(self) -> Organisation:
        """The organisation the person works for. Raises: NotPermitted."""
        if self.organisation is None:
            raise NotPermitted()
        return self.organisation


def access_by_token(token: AccessToken) -> Access:
    """What a person's program may do: the roles that the person holds for the organisation of its key, one query."""
    held = Q(organisation=token.organisation_id) | Q(organisation=None)
    roles = frozenset(Membership.objects.filter(held, user=token.user_id).values_list("role", flat=True))
    return Access(token.user, token.organisation, roles, permissions_of(roles), only=token.organisation)


def permitted(username: str, organisation: Organisation, permission: str) -> Actor:
    """The person of a command as its actor. Raises: NotPermitted, also where nobody has that name."""
    held = Q(organisation=organisation) | Q(organisation=None)
    rows = Membership.objects.filter(held, user__username=username, user__is_active=True)
    roles = frozenset(rows.values_list("role", flat=True))
    if permission not in permissions_of(roles):
        raise NotPermitted()
    return User.objects.get(username=username).as_actor()


# Whether a holder of the role still acts for somebody; apps above say it (``stands``).
_STANDINGS: dict[str, Callable[[User], bool]] = {}


def stands(role: str, condition: Callable[[User], bool]) -> None:
    """Name what a person must be besides holding the role."""
    _STANDINGS[role] = condition


# Whom people without an office deal with, a provider or a recipient: apps above say it (``serves``).
_SERVED: list[Callable[[User], Q]] = []


def serves(condition: Callable[[User], Q]) -> None:
    """Name municipalities of a person without an office: ``condition`` selects them."""
    _SERVED.append(condition)


def served_by(user: User) -> QuerySet[Organisation]:
    """Municipalities that a person without an office deals with."""
    met = reduce(or_, (condition(user) for condition in _SERVED), Q(pk__in=[]))
    return Organisation.objects.filter(met).distinct().order_by("name", "id")


def access_of(user: User, chosen: int | None = None) -> Access:
    """Build the access of a person: one query, two for people without an office.

    ``chosen``: the municipality that the person switched to, if it is one of theirs; else the first.
    """
    memberships = list(Membership.objects.filter(user=user).select_related("organisation").order_by("id"))
    own = tuple(dict.fromkeys(m.organisation for m in memberships if m.organisation))
    if not own and memberships:
        # Whoever has dealt with none yet, a new provider, may look at each.
        own = tuple(served_by(user)) or tuple(Organisation.objects.order_by("id"))
    organisation = next((row for row in own if row.pk == chosen), own[0] if own else None)
    # What is held in a second organisation gives nothing in the first.
    roles = frozenset(m.role for m in memberships if m.organisation in (None, organisation))
    return Access(user, organisation, roles, permissions_of(roles), organisations=own)


def requires(*permissions: str) -> Callable[[View], View]:
    """Let in a signed-in person who holds any of the permissions.

    Raises: NotPermitted (answered with 403 and a sentence).
    """

    def decorate(view: View) -> View:
        @login_required
        @wraps(view)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            access: Access = request.access  # type: ignore[attr-defined]
            if not any(access.may(permission) for permission in permissions):
                raise NotPermitted()
            return view(request, *args, **kwargs)

        inner.required_permissions = permissions  # type: ignore[attr-defined]
        return inner

    return decorate
