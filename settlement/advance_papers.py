"""The letter that asks an unused advance back, tagged PDF for people (PDF/UA-1)."""

from __future__ import annotations

from settlement.advance_queries import returns_of, uses_of
from settlement.documents import pdf_of
from settlement.models import Advance


def return_letter(advance: Advance) -> bytes:
    """What is left of an advance, how it was used, until when and where it comes back. ``advance`` has its sums.

    Money: minor units, as they are when it is printed.
    """
    context = {"advance": advance, "uses": uses_of(advance), "returns": returns_of(advance)}
    return pdf_of("documents/advance_return.html", context, advance.organisation, advance.status_at)
