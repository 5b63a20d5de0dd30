"""Puts ``request.access`` on every signed-in request when first asked for."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from config.accounts.access import access_of

# Where a session keeps the municipality its person has switched to.
CHOSEN = "organisation"


class AccessMiddleware:
    """Lazy, so that static and public pages pay nothing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            user, chosen = request.user, request.session.get(CHOSEN)
            request.access = SimpleLazyObject(lambda: access_of(user, chosen))  # type: ignore[attr-defined,arg-type]
        return self.get_response(request)
