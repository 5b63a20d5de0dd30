"""No page without a permission: each address of the product names one, or is on the short list of public ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from config.accounts.models import User
from config.roles import PERMISSIONS

# Sign-in, language, the progress bar of an installation that nobody can sign in to yet; home has its own guard.
PUBLIC = {"login", "logout", "set_language", "progress", "home", "welcome", "settlement:stripe_webhook"}
# Public by law or by design: open data, public keys of certificates, callbacks with their own signature.
PUBLIC_PREFIXES = (".well-known/", "opendata/", "api/", "webhooks/")


def _views(patterns: list[Any], prefix: str = "", namespace: str = "") -> Iterator[tuple[str, str, Any]]:
    for entry in patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from _views(entry.url_patterns, route, inner)
        elif isinstance(entry, URLPattern):
            yield namespace + (entry.name or ""), route, entry.callback


VIEWS = sorted(
    (entry for entry in _views(get_resolver().url_patterns) if not entry[1].startswith(PUBLIC_PREFIXES)),
    key=lambda entry: entry[1],
)


def test_every_page_names_its_permissions() -> None:
    unguarded = [
        route for name, route, view in VIEWS if name not in PUBLIC and not getattr(view, "required_permissions", ())
    ]
    assert unguarded == []


def test_permissions_of_pages_are_in_the_role_table() -> None:
    named = {permission for _name, _route, view in VIEWS for permission in getattr(view, "required_permissions", ())}
    assert named <= set(PERMISSIONS)


@pytest.mark.django_db
def test_the_outsider_is_refused_on_every_page_without_arguments(client: Client, outsider: User) -> None:
    client.force_login(outsider)
    said = []
    for name, _route, _view in VIEWS:
        if name in PUBLIC:
            continue
        try:
            address = reverse(name)
        except NoReverseMatch:
            continue
        status = client.get(address).status_code
        if status not in (403, 404, 405):
            said.append((address, status))
    assert said == []
