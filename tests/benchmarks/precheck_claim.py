"""How fast a claim is checked before it is submitted, against one bare round trip of the facts of its lines.

    python -m tests.benchmarks.precheck_claim [--lines 500] [--history 100000]

Works in a scratch database of the server that DATABASE_URL names, made before and dropped afterwards.
"""

from __future__ import annotations

import argparse
import sys
from datetime import date
from typing import Any

from tests.benchmarks.adjudicate_lines import AT, scratch_database, timed, whole_run

# The draft claims visits of history again, on other days: every check has something to look at.
_DRAFT = """
INSERT INTO settlement_claimline (claim_id, line, redemption_code, certificate_number, service_code, service_date,
    starts_at, ends_at, worker_code, units_milli, unit_rate_e4, amount_e4, certificate_id, service_id, worker_id)
SELECT %(claim)s, row_number() OVER (ORDER BY l.id), '', l.certificate_number, l.service_code,
    l.service_date + 30, l.starts_at + interval '30 days', l.ends_at + interval '30 days', l.worker_code,
    l.units_milli, l.unit_rate_e4, l.amount_e4, l.certificate_id, l.service_id, l.worker_id
FROM settlement_claimline l JOIN settlement_claim k ON k.id = l.claim_id WHERE k.number = 'A-P0'
ORDER BY l.id LIMIT %(lines)s
"""

# One query, one answer: the lines with everything that is known of what they name.
_BARE = """
SELECT l.*, c.*, r.id, h.*, f.*, p.*, w.*, q.*, s.*, n.*, t.*, x.used, y.used
FROM settlement_claimline l
JOIN settlement_claim k ON k.id = l.claim_id
JOIN vouchers_certificate c ON c.id = l.certificate_id
JOIN vouchers_recipient r ON r.id = c.recipient_id
JOIN vouchers_recipientresidence h ON h.recipient_id = r.id
JOIN vouchers_feeassessment f ON f.recipient_id = r.id
JOIN vouchers_planline p ON p.recipient_id = r.id AND p.service_id = l.service_id
JOIN contracts_worker w ON w.id = l.worker_id
JOIN contracts_workerqualification q ON q.worker_id = w.id AND q.service_id = l.service_id
JOIN contracts_service s ON s.id = l.service_id
JOIN contracts_normcost n ON n.service_id = s.id AND n.territory_id IS NULL AND n.recipient_class = ''
    AND n.valid_from <= l.service_date AND (n.valid_to IS NULL OR l.service_date < n.valid_to)
JOIN contracts_contractline t ON t.contract_id = k.contract_id AND t.service_id = s.id
CROSS JOIN LATERAL (SELECT sum(a.units_allowed) AS used FROM settlement_claimline o
    JOIN settlement_adjudication a ON a.claim_line_id = o.id WHERE o.certificate_id = c.id) x
CROSS JOIN LATERAL (SELECT count(*) AS used FROM settlement_claimline o
    WHERE o.worker_id = w.id AND o.service_date = l.service_date) y
WHERE l.claim_id = %(claim)s
"""


def draft(lines: int) -> Any:
    """A claim of December with so many lines, and its statistics."""
    from django.db import connection

    from settlement.models import Claim

    first = Claim.objects.select_related("organisation").get(number="A-P0")
    claim = Claim.objects.create(
        organisation=first.organisation, number="D-1", provider=first.provider, contract=first.contract,
        contract_number=first.contract_number, period=date(2025, 12, 1), status="draft", recorded_at=AT,
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_DRAFT, {"claim": claim.pk, "lines": lines})
        cursor.execute("ANALYZE")
    return claim


def bare(claim: Any) -> None:
    """The facts of the lines, fetched once."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(_BARE, {"claim": claim.pk})
        assert cursor.fetchall()


def main(lines: int, history: int) -> None:
    """Print the figures; the best of five each, the first of a process warms caches."""
    with scratch_database():
        from settlement.prechecks import precheck
        from tests.benchmarks.month_sql import generate_month

        generate_month(history)
        whole_run()
        claim = draft(lines)
        checking = min(timed(lambda: precheck(claim, at=AT)) for _ in range(5))
        fetching = min(timed(lambda: bare(claim)) for _ in range(5))
        print(f"pre-check of {lines} lines after {history} {checking * 1000:8.1f} ms")
        print(f"bare round trip of the same facts {fetching * 1000:8.1f} ms")
        print(f"pre-check / bare round trip: {checking / fetching:.1f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=500)
    parser.add_argument("--history", type=int, default=100_000)
    given = parser.parse_args(sys.argv[1:])
    main(given.lines, given.history)
