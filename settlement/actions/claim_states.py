"""The state of an adjudicated claim follows its remittances: a claim may be paid in parts, by run and by line.

Of the states that payments decide, the first that is true:
* ``scheduled``: something of it is in a payment run or on its way to the bank;
* ``reversed``: nothing is on its way, and a judged claim takes it back;
* ``paid``: everything that moves money is paid, kept back (advance, clawback) or asked back by a decided case as the
  debt of its month, and no line waits for a person;
* ``adjudicated``: something can be paid now, or may be once a pend is lifted, or there is nothing to pay.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import connection

from config.transactions import step
from settlement.models.clawbacks import ASKED_BACK

# Disputed, rejected and reversed claims stay as they are: those states are decisions.
_SETTLE = f"""
UPDATE settlement_claim c SET status = n.status, status_at = %(at)s
FROM (
    SELECT k.id, CASE
        WHEN s.under_way THEN 'scheduled'
        WHEN EXISTS (SELECT 1 FROM settlement_claim t WHERE t.reverses_id = k.id
                     AND t.status IN ('adjudicated', 'scheduled', 'paid')) THEN 'reversed'
        WHEN NOT s.paid OR s.payable THEN 'adjudicated'
        WHEN s.waited AND EXISTS (
            SELECT 1 FROM (SELECT DISTINCT ON (a.claim_line_id) a.outcome FROM settlement_adjudication a
                           WHERE a.claim_id = k.id AND a.reverses_id IS NULL
                           ORDER BY a.claim_line_id, a.id DESC) latest
            WHERE latest.outcome = 'pended') THEN 'adjudicated'
        ELSE 'paid' END AS status
    FROM settlement_claim k CROSS JOIN LATERAL (
        SELECT COALESCE(bool_or(i.id IS NOT NULL AND y.status IS DISTINCT FROM 'confirmed'), false) AS under_way,
            COALESCE(bool_or(y.status = 'confirmed' OR m.payable = 0 AND m.offsets <> 0 OR d.asked), false) AS paid,
            COALESCE(bool_or(i.id IS NULL AND NOT d.asked AND m.payable <> 0), false) AS payable,
            COALESCE(bool_or(m.pended <> 0), false) AS waited
        FROM settlement_remittance m
        LEFT JOIN settlement_paymentremittance i ON i.remittance_id = m.id AND i.live
        LEFT JOIN settlement_payment y ON y.id = i.payment_id
        CROSS JOIN LATERAL (SELECT {ASKED_BACK} AS asked) d
        WHERE m.claim_id = k.id
    ) s
    WHERE k.id = ANY(%(claims)s) AND k.status IN ('adjudicated', 'scheduled', 'paid')
) n
WHERE c.id = n.id AND c.status <> n.status
"""  # noqa: S608  put together from constants


@step
def settle_claims(claims: Iterable[int], *, at: datetime) -> None:
    """Bring the states of claims into step with their remittances, in one statement.

    Locks: none of its own; the caller has locked the claims before it read or changed their payments.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE, {"claims": sorted(set(claims)), "at": at})
