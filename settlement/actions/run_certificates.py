"""What a run means for certificates: units of reported visits leave the balance once they are allowed."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from config.audit.actors import Actor
from config.transactions import step

# Online visits were captured at the door. The balance gives what it has: a visit redeemed at the door and not claimed
# yet may have taken the units first, and CLM-12 of its claim then says so.
_CAPTURE = """
INSERT INTO vouchers_certificateentry (certificate_line_id, kind, units_milli, occurred_at, recorded_at, recorded_by_id)
SELECT x.line, CASE WHEN x.units > 0 THEN 'captured' ELSE 'restored' END,
    CASE WHEN x.units > 0 THEN -LEAST(x.units, b.balance) ELSE LEAST(-x.units, b.taken) END, %(at)s, %(at)s, %(by)s
FROM (
    SELECT v.id AS line, c.status, sum(p.reported)::bigint AS units
    FROM run_part p
    JOIN vouchers_certificate c ON c.id = p.certificate_id
    JOIN vouchers_certificateline v ON v.certificate_id = c.id AND v.service_id = p.service_id
    GROUP BY v.id, c.status
) x
JOIN (
    SELECT e.certificate_line_id AS line, sum(e.units_milli)::bigint AS balance,
        COALESCE(-sum(e.units_milli) FILTER (
            WHERE e.kind IN ('captured', 'restored') AND e.redemption_id IS NULL), 0)::bigint AS taken
    FROM vouchers_certificateentry e WHERE e.certificate_line_id IN (
        SELECT v.id FROM run_part p JOIN vouchers_certificateline v
            ON v.certificate_id = p.certificate_id AND v.service_id = p.service_id)
    GROUP BY e.certificate_line_id
) b ON b.line = x.line
WHERE (x.units > 0 AND b.balance > 0)
   OR (x.units < 0 AND b.taken > 0 AND x.status IN ('active', 'suspended', 'exhausted'))
"""


_LOCK = """
SELECT c.id FROM vouchers_certificate c WHERE c.id IN (SELECT certificate_id FROM run_part) ORDER BY c.id FOR UPDATE
"""


@step
def lock_certificates() -> None:
    """Lock the certificates of the run's lines by primary key: a redemption waits and then sees what is left."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK)


@step
def capture_reported(*, actor: Actor, at: datetime) -> int:
    """Take the allowed units of reported and offline visits off their certificates; a reversal gives them back while
    the certificate lives. One movement a certificate line and run, set-based; returns how many.

    Units: thousandths. Source: CRT-06, CRT-18.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CAPTURE, {"at": at, "by": actor.user_id})
        return cursor.rowcount
