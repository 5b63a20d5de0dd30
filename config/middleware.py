"""The one mapping from a refusal to an HTTP answer."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from config.errors import DomainError


class PlainTextMiddleware:
    """What no database text can hold is looked for as a sign that nothing contains: an address finds no page, a search
    finds nothing. Forms and bodies check their own values.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.META["QUERY_STRING"] = request.META.get("QUERY_STRING", "").replace("%00", "%EF%BF%BD")
        if "\0" in request.path_info:
            request.path_info = request.path_info.replace("\0", "\ufffd")
        return self.get_response(request)


class DomainErrorMiddleware:
    """A DomainError that a view did not turn into a form error becomes a page or an RFC 9457 body."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer for expected refusals; bugs pass on."""
        if not isinstance(exception, DomainError):
            return None
        if request.path.startswith("/api/") or "application/json" in request.headers.get("Accept", ""):
            return JsonResponse(
                exception.as_problem(), status=exception.http_status, content_type="application/problem+json"
            )
        return render(request, "refused.html", {"error": exception}, status=exception.http_status)
