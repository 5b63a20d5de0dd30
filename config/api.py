"""The one interface for programs, ``/api/v1/``: errors, rate, description. Its operations live in the apps."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.throttling import SimpleRateThrottle

from config.accounts.access import requires
from config.accounts.api_auth import caller, permitted
from config.errors import DomainError
from config.product import NAME
from settlement.api import money_router
from settlement.api import router as claims_router
from vouchers.api import router as certificates_router

PROBLEM = "application/problem+json"
# What the framework refuses, by status: code and sentence.
WORDS: dict[int, tuple[str, Any]] = {
    400: ("BODY_UNREADABLE", _("The body of the request is not JSON.")),
    401: ("KEY_NEEDED", _("Send a key that is valid: it may be mistyped, taken back or at its end.")),
    403: ("FORGED_REQUEST", _("The request lacks the token of the page. Reload the page, or use a key.")),
    413: ("BODY_TOO_LARGE", _("The body of the request is too large. Send fewer lines at once.")),
    422: ("REQUEST_INVALID", _("Some values of the request cannot be used; each is named with the reason.")),
    429: ("TOO_MANY_REQUESTS", _("Too many requests in a minute. Wait as long as the answer says.")),
}

# What an operation says of itself, for the page of people; programs read it in English.
DESCRIPTIONS = (
    _("What is left on a certificate that somebody presents."),
    _("A redemption of the caller's provider."),
    _("Hold units for a visit. A wrong PIN counts, as at the door; a repetition holds nothing and says how it stands."),
    _("Capture what was given, at most what was held; the rest returns to the certificate."),
    _("Give the hold back."),
    _("Claims of the caller's scope: a provider's own, or those handed in to the office."),
    _("A claim: figures, what each check took, and its lines, each step of every decision in words."),
    _("Draft a claim with its lines."),
    _("Draft a claim with every confirmed visit of the month that is not claimed yet."),
    _("Other lines for a draft or a returned claim."),
    _("What would be decided about each line if the claim were submitted now; nothing is written."),
    _("Hand the claim in; from now on its lines cannot change."),
    _("Take the claim back before it is judged; its visits can be claimed again."),
    _("The road of money from one record to the budget and to the bank; amounts are minor units."),
)


class PersonThrottle(SimpleRateThrottle):
    """Requests of one person with all their keys, counted by each web process for itself."""

    def get_cache_key(self, request: HttpRequest) -> str:
        """The person's own count."""
        return f"api-rate-{caller(request).user.pk}"


class Interface(NinjaAPI):
    """Says in its description that refusals are problem documents."""

    def get_openapi_schema(self, **given: Any) -> Any:
        """OpenAPI 3.1."""
        schema = super().get_openapi_schema(**given)
        for operation in (found for methods in schema["paths"].values() for found in methods.values()):
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    answer["content"] = {PROBLEM: answer["content"]["application/json"]}
        return schema


api = Interface(
    title=NAME,
    version="1",
    docs_url=None,
    urls_namespace="api",
    auth=permitted(),  # an operation that names no permission is nobody's
    throttle=PersonThrottle(settings.API_RATE),
)
api.add_router("", claims_router)
api.add_router("", certificates_router)
api.add_router("", money_router)


def _problem(body: dict[str, Any], **headers: str) -> HttpResponse:
    return JsonResponse(body, status=body["status"], content_type=PROBLEM, headers=headers)


def _in_words(status: int, **more: Any) -> HttpResponse:
    code, sentence = WORDS.get(status, ("REFUSED", DomainError.message))
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return _problem(
        {"type": f"urn:problem:{code}", "title": code, "status": status, "detail": str(sentence), **more}, **headers
    )


@api.exception_handler(DomainError)
def refuse(request: HttpRequest, error: DomainError) -> HttpResponse:
    """An expected refusal, as everywhere."""
    return _problem(error.as_problem())


@api.exception_handler(HttpError)
def refuse_by_status(request: HttpRequest, error: HttpError) -> HttpResponse:
    """What the framework refuses."""
    return _in_words(error.status_code)


@api.exception_handler(ValidationError)
def refuse_values(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Every value that cannot be used, with the reason; the values themselves may be secret and are not repeated."""
    errors = [{"at": list(row["loc"]), "why": row["msg"], "code": row["type"]} for row in error.errors]
    return _in_words(422, errors=errors)


@api.exception_handler(RequestDataTooBig)
def refuse_size(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    """A body beyond DATA_UPLOAD_MAX_MEMORY_SIZE."""
    return _in_words(413)


@requires("tokens.own")
def docs(request: HttpRequest) -> HttpResponse:
    """What programs can do, from the description that machines read."""
    schema = api.get_openapi_schema()
    found = [
        {"path": path, "method": method.upper(), **operation}
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]
    context = {"operations": [_shown(operation, schema) for operation in found], "rate": settings.API_RATE}
    return render(request, "api/docs.html", context)


def _shown(operation: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """An operation with the names of what it takes and answers."""
    said = " ".join(operation["description"].split())
    asked = [row["name"] for row in operation["parameters"] if row["in"] != "path"]
    return {
        **operation,
        "words": gettext(said),
        "permissions": operation["x-permissions"],
        "takes": asked + _fields(operation.get("requestBody", {}), schema),
        "answer": _fields(next(iter(operation["responses"].values())), schema),
    }


def _fields(part: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    """Names in a body or an answer."""
    shape = part.get("content", {}).get("application/json", {}).get("schema", {})
    name = shape.get("$ref", "").rpartition("/")[2]
    return list(schema["components"]["schemas"].get(name, shape).get("properties", {}))
