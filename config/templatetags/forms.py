"""Small filters of forms and people."""

from __future__ import annotations

from collections.abc import Iterable

from django import template

from config.roles import ROLE_TITLES

register = template.Library()


@register.filter
def role_titles(roles: Iterable[str]) -> list[str]:
    """Roles in words, in the order of the role table."""
    held = set(roles)
    return [str(title) for role, title in ROLE_TITLES.items() if role in held]
