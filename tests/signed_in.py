"""A person's browser."""

from __future__ import annotations

from django.conf import settings
from django.test import Client

from config.accounts.models import User


def browser(user: User, language: str = "") -> Client:
    """Signed in; without a language the pages are Ukrainian."""
    client = Client()
    if language:
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client
