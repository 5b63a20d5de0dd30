"""The menu: which pages a person may open, grouped by what they do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import template
from django.template.context import Context
from django.urls import NoReverseMatch, reverse

from config.accounts.models import Organisation
from config.demo.accounts import demo_accounts
from config.office.queries import demo_job

register = template.Library()


@dataclass(frozen=True)
class Item:
    """A line of the menu: shown to holders of any of the permissions once its URL exists."""

    title: Any
    url_name: str
    permissions: tuple[str, ...]


MENU: tuple[tuple[Any, tuple[Item, ...]], ...] = ()


def _address(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def _shown(item: Item, may: frozenset[str], path: str) -> dict[str, Any] | None:
    address = _address(item.url_name)
    if not address or not may.intersection(item.permissions):
        return None
    here = "page" if path == address else "true" if path.startswith(address) else ""
    return {"title": item.title, "url": address, "here": here}


@register.inclusion_tag("components/menu.html", takes_context=True)
def menu(context: Context) -> dict[str, Any]:
    """The menu of the signed-in person."""
    request = context.get("request")
    may = context.get("may") or frozenset()
    path = request.path if request else ""
    groups = []
    for title, items in MENU:
        shown = [row for item in items if (row := _shown(item, may, path))]
        if shown:
            groups.append({"title": title, "items": shown})
    return {"groups": groups, "path": path, "home": _address("home")}


@register.inclusion_tag("components/demo_progress.html")
def demo_progress() -> dict[str, Any]:
    """How far the demonstration is, while it is being loaded."""
    return {"job": demo_job()}


@register.simple_tag
def demo_people() -> list[dict[str, str]]:
    """People one can sign in as on a demonstration; nobody on any other installation."""
    if not Organisation.objects.filter(is_demo=True).exists():
        return []
    return demo_accounts()
