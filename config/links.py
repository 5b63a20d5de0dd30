"""Which page shows an object: "app.model" to the name of a URL that takes its primary key."""

from __future__ import annotations

from functools import lru_cache

from django.urls import NoReverseMatch, reverse

# label of a model -> URL name
PAGES: dict[str, str] = {}


def url_of_label(label: str) -> str:
    """Address of the page of "app.model:pk", or empty when the object has no page of its own."""
    model, _, key = label.partition(":")
    return url_of(model, key)


@lru_cache(maxsize=4096)
def url_of(model: str, key: str) -> str:
    """Address of the page of a row, or empty."""
    name = PAGES.get(model)
    if not name or not key:
        return ""
    try:
        return reverse(name, args=[key])
    except NoReverseMatch:
        return ""
