"""The language of a page is the one its reader chose; before a choice it is the language of the office."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from django.utils.translation import get_supported_language_variant


def chosen_language(request: HttpRequest) -> str:
    """Language of the cookie, else the office's. The browser's list is not asked: an office computer set up in
    English would otherwise speak English to people who never chose it.
    """
    try:
        return get_supported_language_variant(request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, ""))
    except LookupError:
        return settings.LANGUAGE_CODE


class ChosenLanguageMiddleware(LocaleMiddleware):
    """LocaleMiddleware that follows the cookie alone."""

    def process_request(self, request: HttpRequest) -> None:
        """Switch to the reader's language for this request."""
        translation.activate(chosen_language(request))
        request.LANGUAGE_CODE = translation.get_language()  # type: ignore[attr-defined]


def remember_language(response: HttpResponse, language: str) -> None:
    """Keep a choice of language for a year."""
    response.set_cookie(settings.LANGUAGE_COOKIE_NAME, language, max_age=365 * 86400, samesite="Lax")
