"""What a provider prints and signs about a claim: the act of services and the invoice, tagged PDF (PDF/UA-1)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection

from settlement.documents import pdf_of
from settlement.line_queries import claimed_minor
from settlement.models import Claim

# Money: round(units x rate, 2) of each line, then summed, as adjudication starts.
_SERVICES = """
SELECT COALESCE(s.name_uk, l.service_code), COALESCE(s.name_ru, ''), COALESCE(s.unit, ''), l.unit_rate_e4, count(*),
    sum(l.units_milli)::bigint, sum((l.units_milli * l.unit_rate_e4 + 50000) / 100000)::bigint
FROM settlement_claimline l LEFT JOIN contracts_service s ON s.id = l.service_id
WHERE l.claim_id = %s GROUP BY 1, 2, 3, 4 ORDER BY 1, 4
"""


def claim_paper(claim: Claim, kind: str, *, made_at: datetime) -> bytes:
    """PDF of a claim by service and price, in the state language. ``kind``: act or invoice."""
    context = {
        "claim": claim,
        "kind": kind,
        "rows": _services(claim),
        "total": claimed_minor(claim),
        "made_at": made_at,
    }
    return pdf_of("documents/claim_paper.html", context, claim.organisation, made_at)


def _services(claim: Claim) -> list[dict[str, Any]]:
    names = ("name_uk", "name_ru", "unit", "rate", "visits", "units", "amount")
    russian = claim.organisation.jurisdiction == "RU"
    with connection.cursor() as cursor:
        cursor.execute(_SERVICES, [claim.reverses_id or claim.pk])
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return [{**row, "name": (russian and row["name_ru"]) or row["name_uk"]} for row in rows]
