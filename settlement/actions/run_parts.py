"""What a run gave, summed up once for all that follows from it: by claim, certificate and service.

The adjudications of a run are new to the planner, which would look up each of a million lines by its key. The lines of
the run stand in a temporary table whose size it knows, and codes are resolved there.
"""

# ruff: noqa: S608  SQL is put together from names in this code; every value is a parameter.

from __future__ import annotations

from typing import Any

from django.db import connection

from config.transactions import step
from settlement.models import AdjudicationRun
from settlement.run_queries import NextRun
from settlement.run_tables import REVERSED_LINES

# ``priced``: some line has money. ``stands``: some line is allowed or waits. ``reported``: units of visits that were
# not captured at the door.
_PARTS = f"""
CREATE TEMP TABLE run_part ON COMMIT DROP AS
SELECT a.claim_id, l.certificate_id, l.service_id, bool_or(a.gross <> 0) AS priced,
    bool_or(a.units_allowed > 0 OR a.outcome = 'pended') AS stands,
    sum(a.gross)::bigint AS gross, sum(a.fee)::bigint AS fee, sum(a.payable)::bigint AS payable,
    COALESCE(sum(CASE WHEN a.reverses_id IS NULL THEN a.units_allowed ELSE -a.units_allowed END)
        FILTER (WHERE o.id IS NULL), 0)::bigint AS reported
FROM settlement_adjudication a
JOIN (
    SELECT id, redemption_id, certificate_id, service_id, worker_id FROM run_line
    UNION ALL {REVERSED_LINES}
) l ON l.id = a.claim_line_id
LEFT JOIN vouchers_redemption o ON o.id = l.redemption_id AND o.channel = 'online'
WHERE a.run_id = %(run)s
GROUP BY 1, 2, 3
"""


@step
def sum_up(run: AdjudicationRun, batch: NextRun) -> None:
    """Fill ``run_part`` from the written results of the run whose temporary tables still stand.

    Money: minor units; units: thousandths. It goes with the transaction.
    """
    params: dict[str, Any] = {"run": run.pk, "organisation": run.organisation_id, "fresh": list(batch.claims)}
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS run_part")
        cursor.execute(_PARTS, params)
        cursor.execute("ANALYZE run_part")
