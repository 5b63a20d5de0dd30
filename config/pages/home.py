"""The home page: what waits for this person."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Cards with counts and links, by the roles of the reader."""
    cards: list[Any] = []
    return render(request, "home.html", {"cards": cards})
