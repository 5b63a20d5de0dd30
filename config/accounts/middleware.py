"""Puts ``request.access`` on every signed-in request, in one query, when first asked for."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from config.accounts.access import access_of


class AccessMiddleware:
    """Lazy, so that static and public pages pay nothing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            user = request.user
            request.access = SimpleLazyObject(lambda: access_of(user))  # type: ignore[attr-defined,arg-type]
        return self.get_response(request)
