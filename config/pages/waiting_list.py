"""The list behind a card of the home page: exactly the rows that the card counts, each with the way to its page."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from config.accounts.access import Access, requires
from config.audit.recording import label_of
from config.errors import NotFound
from config.links import may_open, url_of_label
from config.money import from_minor
from config.pages.waiting import DUTIES, OWN, Duty, duties_of
from config.record_names import full_names_of
from procurement.models import Tender

PAGE = 25
# Columns with the sum of a record in minor units; documents keep theirs in ``total``.
MINOR = ("payable", "left_minor", "amount_minor")


@requires(*sorted({duty.permission for duty in (*DUTIES, OWN)}))
def waiting_list(request: HttpRequest, key: str) -> HttpResponse:
    """Rows of one kind of waiting work. Raises: NotFound for work of other roles."""
    access: Access = request.access  # type: ignore[attr-defined]
    duty = next((duty for duty in duties_of(access) if duty.key == key), None)
    if duty is None:
        raise NotFound()
    rows = duty.rows(access)
    rows = rows.select_related(*duty.related) if duty.related else rows
    page = Paginator(rows if rows.ordered else rows.order_by("pk"), PAGE).get_page(request.GET.get("page"))
    place = reverse(duty.url_name) if duty.url_name else ""
    named = _named(duty, page, access)
    shown = {name: any(row[name] not in (None, "") for row in named) for name in ("amount", "status")}
    context = {"duty": duty, "page": page, "rows": named, "shown": shown, "place": place}
    return render(request, "waiting.html", context)


def _amount_of(row: Any) -> Decimal | None:
    """What a record is worth, when it has a sum."""
    minor = next((value for name in MINOR if (value := getattr(row, name, None)) is not None), None)
    return from_minor(minor) if minor is not None else getattr(row, "total", None)


def _named(duty: Duty, page: Page[Any], access: Access) -> list[dict[str, Any]]:
    """Rows in words; a constant number of queries."""
    subjects = [duty.subject(row) for row in page]
    labels = [label_of(subject) for subject in subjects]
    names = full_names_of(labels)
    addresses = [url_of_label(label) for label in labels]
    return [
        {
            "name": names[label],
            "url": address if may_open(address, access.permissions) else "",
            "amount": _amount_of(row),
            "tender": subject if isinstance(subject, Tender) else None,
            "status": getattr(row, "status", "") or getattr(row, "outcome", ""),
        }
        for row, subject, label, address in zip(page, subjects, labels, addresses, strict=True)
    ]
