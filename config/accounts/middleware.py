"""Puts ``request.access`` on every signed-in request when first asked for."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from config.accounts.access import Access, access_of
from config.accounts.models import User

# Where a session keeps the municipality its person has switched to.
CHOSEN = "organisation"


class AccessMiddleware:
    """Lazy, so that static and public pages pay nothing. Times are read and shown where the municipality is."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            user, chosen = request.user, request.session.get(CHOSEN)
            request.access = SimpleLazyObject(lambda: _settled(user, chosen))  # type: ignore[attr-defined,arg-type]
        try:
            return self.get_response(request)
        finally:
            timezone.deactivate()


def _settled(user: User, chosen: int | None) -> Access:
    access = access_of(user, chosen)
    if access.organisation is not None:
        timezone.activate(ZoneInfo(access.organisation.zone))
    return access
