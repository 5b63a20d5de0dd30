"""Every address, with arguments too: public by name, or behind a permission that really keeps people out."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import getclosurevars, isfunction
from typing import Any, NamedTuple

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.converters import IntConverter, SlugConverter, StringConverter

from config.accounts.models import User
from config.roles import PERMISSIONS, RESERVED

# By their exact names; a prefix would let in whatever is mounted below it.
PUBLIC = {
    "login",
    "logout",
    "set_language",
    # The bar of an installation being filled: nobody can sign in before it is done.
    "progress",
    # The link of an invitation proves itself: whoever chooses a password has none yet.
    "welcome",
    # Public keys of certificates: whoever holds a phone verifies a paper with them.
    "certificate_keys",
    # Messages of Stripe prove themselves by their signature.
    "settlement:stripe_webhook",
    # What programs can do, without a row of data; the root of it is nothing.
    "api:openapi-json",
    "api:api-root",
}
# Asks for a signed-in person and shows each only what their roles allow, or what was written to them.
SIGNED_IN = {"home", "notices", "switch"}
EXAMPLES: dict[type, int | str] = {IntConverter: 1, StringConverter: "x", SlugConverter: "x"}


class Address(NamedTuple):
    """A mounted view."""

    name: str
    view: Any
    arguments: dict[str, Any]

    @property
    def permissions(self) -> tuple[str, ...]:
        """What @requires left on the view, or what every operation of the interface at this address names."""
        operations = operations_of(self.view)
        if not operations:
            return getattr(self.view, "required_permissions", ())
        named = [door.permissions for operation in operations for door in operation.auth_callbacks]
        return tuple({name for names in named for name in names}) if all(named) else ()

    def path(self) -> str:
        """An example of the address."""
        return reverse(self.name, kwargs=self.arguments)


def operations_of(view: Any) -> list[Any]:
    """Operations of the interface behind a view, none behind a page."""
    return getattr(getclosurevars(view).nonlocals.get("self"), "operations", []) if isfunction(view) else []


def addresses(patterns: list[Any], namespace: str = "", outer: dict[str, Any] | None = None) -> Iterator[Address]:
    """All of them, whatever resolver they lie under."""
    for entry in patterns:
        examples = {name: EXAMPLES[type(kind)] for name, kind in entry.pattern.converters.items()}
        arguments = {**(outer or {}), **examples}
        if isinstance(entry, URLResolver):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from addresses(entry.url_patterns, inner, arguments)
        elif isinstance(entry, URLPattern):
            yield Address(namespace + (entry.name or ""), entry.callback, arguments)


ALL = list(addresses(get_resolver().url_patterns))
GUARDED = [address for address in ALL if address.name not in PUBLIC | SIGNED_IN]
# The interface answers programs, not people: tests/config/test_api.py tries each of its operations by its own method.
PAGES = [address for address in GUARDED if not operations_of(address.view)]


def test_every_address_names_its_permissions() -> None:
    assert len(GUARDED) > 100
    assert [address.name for address in GUARDED if not address.permissions] == []


def test_lists_of_exceptions_hold_no_name_that_is_gone() -> None:
    assert {address.name for address in ALL} >= PUBLIC | SIGNED_IN


def test_every_permission_is_asked_by_a_page_or_reserved() -> None:
    used = {permission for address in ALL for permission in address.permissions}
    assert used <= set(PERMISSIONS)
    # Both ways: a permission that a page asks for now leaves the list of reserved ones.
    assert set(PERMISSIONS) - used == RESERVED


@pytest.mark.django_db
def test_the_outsider_is_refused_at_every_address(client: Client, outsider: User) -> None:
    client.force_login(outsider)
    assert {address.name: said for address in PAGES if (said := answers(client, address)) not in REFUSALS} == {}


@pytest.mark.django_db
def test_whoever_is_not_signed_in_is_sent_to_sign_in(client: Client) -> None:
    sent = {address.name: said for address in PAGES if (said := answers(client, address)) not in SENDINGS}
    assert sent == {}
    for name in SIGNED_IN:
        assert client.get(reverse(name)).url.startswith(reverse("login"))  # type: ignore[attr-defined]


# 405 is the word of a page that takes the other method only; one of the two must be the guard's own word.
REFUSALS = {(403, 403), (403, 405), (405, 403)}
SENDINGS = {(302, 302), (302, 405), (405, 302)}


def answers(client: Client, address: Address) -> tuple[int, int]:
    """Status of GET and of POST; a redirect counts only when it leads to the sign-in page."""
    return _status(client.get(address.path())), _status(client.post(address.path()))


def _status(response: Any) -> int:
    leads_away = response.status_code == 302 and not response.url.startswith(reverse("login"))
    return 0 if leads_away else response.status_code
