"""The home page: what waits for this person, and what belongs to them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from config.accounts.access import Access
from config.audit.models import AuditEvent
from config.pages.notices import in_words, messages_of
from config.pages.trail import shown
from config.pages.waiting import cards_of
from vouchers.models import Certificate
from vouchers.queries import LineBalance, line_balances

LAST_EVENTS = 5
LAST_NOTICES = 3


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Cards with counts and links, by the roles of the reader; last messages; the auditor's last events; a recipient's
    balance.
    """
    access: Access = request.access  # type: ignore[attr-defined]
    cards = cards_of(access) if access.roles else []
    return render(
        request,
        "home.html",
        {
            "cards": cards,
            "waits": any(card.waits for card in cards),
            "notices": in_words(messages_of(access)[:LAST_NOTICES], access),
            "events": _last_events(access),
            "own": _own_certificates(access),
        },
    )


def _last_events(access: Access) -> list[Any]:
    if not access.may("trail.view"):
        return []
    return shown(AuditEvent.objects.filter(chain=access.office().code).order_by("-id")[:LAST_EVENTS])


def _own_certificates(access: Access) -> list[tuple[Certificate, list[LineBalance]]]:
    if not access.may("certificates.view") or access.may("fees.view"):
        return []
    rows = list(Certificate.objects.filter(recipient__user=access.user).order_by("-valid_from")[:3])
    balances = line_balances(rows) if rows else {}
    return [(row, balances.get(row.pk, [])) for row in rows]
