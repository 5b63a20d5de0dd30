"""The list behind a card of the home page: exactly the rows that the card counts, each with the way to its page."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from config.accounts.access import Access, requires
from config.audit.recording import label_of
from config.errors import NotFound
from config.links import may_open, url_of_label
from config.pages.waiting import DUTIES, OWN, Duty, duties_of
from config.pages.waiting_columns import COLUMNS, cells_of, related_of
from config.record_names import names_of
from procurement.models import Tender

PAGE = 25


@requires(*sorted({duty.permission for duty in (*DUTIES, OWN)}))
def waiting_list(request: HttpRequest, key: str) -> HttpResponse:
    """Rows of one kind of waiting work. Raises: NotFound for work of other roles."""
    access: Access = request.access  # type: ignore[attr-defined]
    duty = next((duty for duty in duties_of(access) if duty.key == key), None)
    if duty is None:
        raise NotFound()
    rows, columns = duty.rows(access), COLUMNS.get(duty.key, ())
    related = {*duty.related, *related_of(rows.model, columns)}
    rows = rows.select_related(*sorted(related)) if related else rows
    page = Paginator(rows if rows.ordered else rows.order_by("pk"), PAGE).get_page(request.GET.get("page"))
    place = reverse(duty.url_name) if duty.url_name else ""
    named = _named(duty, page, access)
    context = {"duty": duty, "page": page, "rows": named, "columns": columns, "place": place}
    return render(request, "waiting.html", context)


def _named(duty: Duty, page: Page[Any], access: Access) -> list[dict[str, Any]]:
    """Rows in words; a constant number of queries."""
    told = cells_of(list(page), COLUMNS.get(duty.key, ()))
    subjects = [duty.subject(row) for row in page]
    labels = [label_of(subject) for subject in subjects]
    names = names_of(labels)
    addresses = [url_of_label(label) for label in labels]
    return [
        {
            "name": names[label],
            "url": address if may_open(address, access.permissions) else "",
            "cells": cells,
            "tender": subject if isinstance(subject, Tender) else None,
            "status": getattr(row, "status", "") or getattr(row, "outcome", ""),
        }
        for row, cells, subject, label, address in zip(page, told, subjects, labels, addresses, strict=True)
    ]
