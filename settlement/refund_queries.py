"""What issuers refund of visits bought for their certificates: as it stands, and by the norm costs known now."""

# ruff: noqa: S608  SQL is put together from names in this code; every value is a parameter.

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection

from contracts.models import ClearingAgreement

# The norm cost of the issuer on the day, where the recipient lives: territory and class, territory, class, neither. An
# issuer without one owes nothing under its own norm.
NORM = """
LEFT JOIN LATERAL (
    SELECT (n.unit_rate * 10000)::bigint AS rate FROM contracts_normcost n
    JOIN contracts_service s ON s.id = n.service_id
    LEFT JOIN vouchers_recipientresidence r ON r.recipient_id = h.recipient_id AND r.valid_from <= q.service_date
        AND (r.valid_to IS NULL OR q.service_date < r.valid_to)
    WHERE n.organisation_id = h.organisation_id AND n.status = 'approved' AND s.code = v.code
      AND n.valid_from <= q.service_date AND (n.valid_to IS NULL OR q.service_date < n.valid_to)
      AND (n.territory_id IS NULL OR n.territory_id = r.territory_id)
      AND (n.recipient_class = '' OR n.recipient_class = r.recipient_class)
    ORDER BY n.territory_id IS NOT NULL DESC, n.recipient_class <> '' DESC LIMIT 1
) n ON t.norm = 'home'
"""
# What a norm cost (n.rate) leaves of a decision (a) when the fee is paid. Thousandths of units times ten-thousandths of
# a rate are hundred-thousandths of a minor unit, rounded half up once.
BY_NORM = "GREATEST((a.units_allowed * COALESCE(n.rate, 0) + 50000) / 100000 - a.fee, 0)"
# An item (x) that the host did not give up.
NOT_GIVEN_UP = "NOT EXISTS (SELECT 1 FROM settlement_clearingline gl WHERE gl.item_id = x.id AND gl.answer = 'dropped')"
# Decisions on guests' lines that stand (id: their item), what the provider keeps of each, and what is refunded of that:
# with all that was worked out anew or came back since, without what the host gave up. A sum disputed or given up is
# ``settled`` between the two sides, and nothing is worked out anew of it.
STANDING = f"""
SELECT o.id, o.claim_line_id, o.adjudication_id, o.recorded_at,
    max(o.payable_minor) - COALESCE((SELECT sum(y.upheld_minor) FROM settlement_clawbackline y
        WHERE y.claim_line_id = o.claim_line_id), 0)::bigint AS kept,
    COALESCE(sum(x.due_minor) FILTER (WHERE {NOT_GIVEN_UP}), 0)::bigint AS due,
    bool_or(EXISTS (SELECT 1 FROM settlement_clearingline dl WHERE dl.item_id = x.id AND dl.disputed_at IS NOT NULL
        AND dl.answer <> 'owed')) AS disputed
FROM settlement_clearingitem o
JOIN settlement_adjudication d ON d.id = o.adjudication_id AND d.reverses_id IS NULL
JOIN settlement_clearingitem x ON x.claim_line_id = o.claim_line_id
    AND (x.id = o.id OR x.corrects_id = o.id OR x.clawback_line_id IS NOT NULL)
WHERE NOT EXISTS (SELECT 1 FROM settlement_adjudication r WHERE r.reverses_id = d.id) {{}}
GROUP BY o.id
"""
# Standing refunds of an agreement over which the issuer put a norm cost right, where the norm known now says otherwise.
DIFFERING = f"""
SELECT i.*, n.rate AS known_e4, s.due AS stands, LEAST(s.kept, {BY_NORM}) - s.due AS difference
FROM ({STANDING.format("AND o.organisation_id = %(host)s AND o.home_id = %(home)s AND o.period >= %(since)s")}) s
JOIN settlement_clearingitem i ON i.id = s.id
JOIN settlement_adjudication a ON a.id = s.adjudication_id
JOIN settlement_claimline q ON q.id = s.claim_line_id
JOIN vouchers_certificate g ON g.id = i.certificate_id JOIN vouchers_certificate h ON h.id = g.home_id
JOIN contracts_service v ON v.id = i.service_id
JOIN contracts_clearingagreement t ON t.id = %(agreement)s AND t.norm = 'home' AND t.valid_from <= q.service_date
    AND (t.valid_to IS NULL OR q.service_date < t.valid_to)
{NORM}
WHERE NOT s.disputed AND LEAST(s.kept, {BY_NORM}) <> s.due AND EXISTS (
    SELECT 1 FROM contracts_normcost p JOIN contracts_service z ON z.id = p.service_id
    WHERE p.organisation_id = i.home_id AND p.status = 'approved' AND p.reason <> '' AND z.code = v.code
      AND p.valid_from <= q.service_date AND (p.valid_to IS NULL OR q.service_date < p.valid_to)
      AND p.status_at >= s.recorded_at)
"""
_ROWS = f"""
SELECT q.claim_line_id, c.number, l.line, k.name, g.number, l.service_date, q.norm_e4, q.known_e4, q.stands,
    q.difference, q.period
FROM ({DIFFERING}) q
JOIN settlement_claim c ON c.id = q.claim_id JOIN settlement_claimline l ON l.id = q.claim_line_id
JOIN contracts_provider k ON k.id = c.provider_id JOIN vouchers_certificate g ON g.id = q.certificate_id
ORDER BY q.period, c.number, l.line, q.id
"""


@dataclass(frozen=True)
class DifferingRefund:
    """A visit whose refund the norm known now makes another. Minor units; norm costs in ten-thousandths, None: none
    was known, or the agreement of the day had no limit.
    """

    claim_line_id: int
    claim: str
    line: int
    provider: str
    certificate: str
    day: date
    norm_e4: int | None
    known_e4: int | None
    stands_minor: int
    difference_minor: int
    period: date

    @property
    def becomes_minor(self) -> int:
        """What is refunded in the end."""
        return self.stands_minor + self.difference_minor


def of_agreement(agreement: ClearingAgreement) -> Mapping[str, Any]:
    """Parameters of ``DIFFERING``."""
    return {
        "agreement": agreement.pk,
        "host": agreement.host_id,
        "home": agreement.home_id,
        "since": agreement.valid_from.replace(day=1),
    }


def differing_refunds(agreement: ClearingAgreement) -> list[DifferingRefund]:
    """Visits whose refund is to be worked out anew, by month and claim; none under the norm of the host."""
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, of_agreement(agreement))
        return [DifferingRefund(*row) for row in cursor.fetchall()]
