"""Template context: what is offered to the reader as ``may``."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest


def access(request: HttpRequest) -> dict[str, Any]:
    """``access`` and ``may`` (a set of permission names) for templates; empty when not signed in."""
    held = getattr(request, "access", None)
    return {"access": held, "may": held.offered if held else frozenset()}
