"""Temporary tables of one adjudication run: what is judged, what was allowed before, and codes nobody knows.

Text codes are resolved here, in SQL: the key stored on the line, else a look-up by code (a register may have been
completed since the claim came), else a negative number that the same text has everywhere in the run.
"""

# ruff: noqa: S608  SQL is put together from names in this code; every value is a parameter.

from __future__ import annotations

from typing import Any

from django.db.backends.utils import CursorWrapper

from settlement.own_facts_queries import TWINS

# Adjudications ``a`` that stood before the run; of a run that is being made, all of them.
EARLIER = "(%(before)s::bigint IS NULL OR a.run_id < %(before)s)"
# What the visit that a line names says beside it: none is known, the same (reported, or captured at the door), or else.
NO_VISIT, SAME, SAME_ONLINE, DIFFERS = range(4)
# Of a redemption only what it said while it was confirmed is kept.
CONFIRMED = """(r.recorded_at <= %(known_at)s AND CASE WHEN COALESCE(r.changed_at, r.recorded_at) <= %(known_at)s
    THEN r.status = 'confirmed' ELSE EXISTS (SELECT 1 FROM office_earlierversion h
        WHERE h.table_name = 'vouchers_redemption' AND h.row_id = r.id
          AND h.known_from <= %(known_at)s AND h.known_until > %(known_at)s) END)"""
# A code that no line of the run has: unequal to everything that is compared with it.
ELSEWHERE = -(1 << 62)

# Lines with a code that nobody knew when they came; an index of their own holds them.
_UNRESOLVED = """(l.redemption_id IS NULL AND l.redemption_code <> '' OR l.certificate_id IS NULL
    AND l.certificate_number <> '' OR l.worker_id IS NULL AND l.worker_code <> '')"""

_RESOLVED = """
    COALESCE(l.redemption_id, (SELECT r.id FROM vouchers_redemption r
        WHERE r.organisation_id = %(organisation)s AND r.code = l.redemption_code AND r.code <> '')) AS redemption_id,
    COALESCE(l.certificate_id, (SELECT r.id FROM vouchers_certificate r
        WHERE r.organisation_id = %(organisation)s AND r.number = l.certificate_number)) AS certificate_id,
    COALESCE(l.service_id, (SELECT r.id FROM contracts_service r
        WHERE r.organisation_id = %(organisation)s AND r.code = l.service_code)) AS service_id,
    COALESCE(l.worker_id, (SELECT r.id FROM contracts_worker r WHERE r.code = l.worker_code)) AS worker_id
"""

# Claims of the run: those new in it, and those of which a cleared line is judged again. ``fresh``: new.
_CLAIMS = """
CREATE TEMP TABLE run_claim ON COMMIT DROP AS
SELECT c.id AS claim_id, true AS fresh FROM settlement_claim c WHERE c.id = ANY(%(fresh)s)
UNION ALL
SELECT DISTINCT l.claim_id, false FROM settlement_claimline l WHERE l.id = ANY(%(cleared)s);
"""

_GONE = """
CREATE TEMP TABLE gone_claim ON COMMIT DROP AS
SELECT DISTINCT t.reverses_id AS claim_id FROM settlement_claim t
WHERE t.organisation_id = %(organisation)s AND t.reverses_id IS NOT NULL
  AND (t.id IN (SELECT claim_id FROM run_claim)
       OR t.status NOT IN ('draft', 'submitted', 'returned', 'withdrawn')
          AND (%(before)s::bigint IS NULL OR EXISTS (
              SELECT 1 FROM settlement_remittance m WHERE m.claim_id = t.id AND m.run_id < %(before)s)));
"""

# Codes are kept where no key says who is meant; a million of them are worth leaving out. So is all that a visit says
# when it is what its line says.
_LINES = f"""
CREATE TEMP TABLE run_line ON COMMIT DROP AS
SELECT l.*, CASE
    WHEN r.id IS NULL THEN {NO_VISIT}
    WHEN (r.certificate_id, r.service_id, r.worker_id, r.provider_id, r.units_milli)
        = (l.certificate_id, l.service_id, l.worker_id, k.provider_id, l.units_milli) AND {CONFIRMED}
    THEN CASE r.channel WHEN 'online' THEN {SAME_ONLINE} ELSE {SAME} END
    ELSE {DIFFERS} END AS visit
FROM (
    SELECT l.id, l.claim_id, l.line, l.redemption_code,
        CASE WHEN l.certificate_id IS NULL THEN l.certificate_number ELSE '' END AS certificate_number,
        CASE WHEN l.service_id IS NULL THEN l.service_code ELSE '' END AS service_code,
        CASE WHEN l.worker_id IS NULL THEN l.worker_code ELSE '' END AS worker_code,
        {_RESOLVED},
        l.service_date, l.starts_at, l.ends_at, l.units_milli, l.unit_rate_e4, l.amount_e4
    FROM settlement_claimline l
    WHERE l.claim_id = ANY(%(fresh)s) OR l.id = ANY(%(cleared)s)
) l
JOIN settlement_claim k ON k.id = l.claim_id
LEFT JOIN vouchers_redemption r ON r.id = l.redemption_id;
"""

# Lines of the claims that the run takes back and does not judge itself.
REVERSED_LINES = f"""
SELECT l.id, {_RESOLVED}
FROM settlement_claimline l JOIN settlement_claim t ON t.reverses_id = l.claim_id
WHERE t.id = ANY(%(fresh)s) AND l.id NOT IN (SELECT id FROM run_line)
"""

_UNKNOWN = """
CREATE TEMP TABLE unknown_code ON COMMIT DROP AS
SELECT code, -1 - row_number() OVER (ORDER BY code) AS id FROM (
    SELECT DISTINCT c.code FROM run_line l CROSS JOIN LATERAL (VALUES
        (l.redemption_id, l.redemption_code), (l.certificate_id, l.certificate_number),
        (l.service_id, l.service_code), (l.worker_id, l.worker_code)) c (id, code)
    WHERE NOT (l.redemption_id, l.certificate_id, l.service_id, l.worker_id) IS NOT NULL
      AND c.id IS NULL AND c.code <> ''
) codes;
CREATE UNIQUE INDEX ON unknown_code (code);
"""

# Lines of the office that can have to do with those of a run: of their contracts, recipients, workers and visits, and
# of claims with the same file or invoice. A line whose codes nobody knew when it came may, now that they are known.
_NEAR = f"""
CREATE TEMP TABLE near_line ON COMMIT DROP AS
WITH agreed AS (
    SELECT r.id, r.number FROM run_claim u JOIN settlement_claim k ON k.id = u.claim_id
    JOIN contracts_contract r ON r.organisation_id = k.organisation_id
        AND (r.id = k.contract_id OR k.contract_id IS NULL AND r.number = k.contract_number)
)
SELECT l.id FROM settlement_claim k JOIN settlement_claimline l ON l.claim_id = k.id
WHERE k.organisation_id = %(organisation)s AND (k.contract_id IN (SELECT id FROM agreed)
    OR k.contract_id IS NULL AND k.contract_number IN (SELECT number FROM agreed))
UNION SELECT l.id FROM settlement_claimline l WHERE l.certificate_id IN (
    SELECT c.id FROM vouchers_certificate c WHERE c.recipient_id IN (
        SELECT o.recipient_id FROM run_line l JOIN vouchers_certificate o ON o.id = l.certificate_id))
UNION SELECT l.id FROM settlement_claimline l WHERE l.worker_id IN (SELECT worker_id FROM run_line)
UNION SELECT l.id FROM settlement_claimline l WHERE l.redemption_id IN (SELECT redemption_id FROM run_line)
UNION SELECT l.id FROM settlement_claimline l WHERE l.claim_id IN (SELECT t.other FROM {TWINS} t)
UNION SELECT l.id FROM settlement_claimline l WHERE {_UNRESOLVED};
CREATE UNIQUE INDEX ON near_line (id);
ANALYZE near_line;
"""

# Lines of earlier runs with allowed units whose claim is not reversed: what they used up is gone.
_PAST = f"""
CREATE TEMP TABLE past_line ON COMMIT DROP AS
SELECT l.*, c.recipient_id FROM (
    SELECT l.id, l.claim_id, l.line, l.redemption_code, l.service_date, l.starts_at, l.ends_at,
        {_RESOLVED},
        COALESCE(k.contract_id, (SELECT r.id FROM contracts_contract r
            WHERE r.organisation_id = k.organisation_id AND r.number = k.contract_number)) AS contract_id,
        a.units_allowed, a.gross, a.fee
    FROM settlement_adjudication a
    JOIN settlement_claimline l ON l.id = a.claim_line_id AND l.claim_id = a.claim_id
    JOIN settlement_claim k ON k.id = l.claim_id
    WHERE k.organisation_id = %(organisation)s AND a.units_allowed > 0 AND {EARLIER}
      AND k.id NOT IN (SELECT claim_id FROM gone_claim) {{near}}
) l JOIN vouchers_certificate c ON c.id = l.certificate_id;
"""

_NAMES = ("run_claim", "gone_claim", "run_line", "unknown_code", "near_line", "past_line")


def create_run_tables(cursor: CursorWrapper, params: dict[str, Any], *, near: bool = False) -> None:
    """Fill the temporary tables. ``params``: organisation, known_at, fresh (claim ids), cleared (claim line ids),
    before (id of the run when it is replayed, else None).

    ``near``: of earlier runs only the lines that can have to do with these: the same judgement for a claim or two
    without reading all that the office ever paid. A run keeps the fingerprint of all of them, so it reads them.
    They vanish with the transaction; they are dropped first for the sake of several runs in one.
    """
    # What a run joins is to lie in memory: a join in parts writes and reads every row once more.
    cursor.execute("SET LOCAL work_mem = '128MB'")
    cursor.execute(f"DROP TABLE IF EXISTS {', '.join(_NAMES)}")
    past = _PAST.format(near="AND l.id IN (SELECT id FROM near_line)" if near else "")
    for statement in (_CLAIMS, _GONE, _LINES, _UNKNOWN, *([_NEAR] if near else []), past):
        cursor.execute(statement, params)
    # Joins are planned by these; what else a line says needs no statistics.
    keys = "redemption_id, certificate_id, service_date, redemption_code"
    cursor.execute(f"ANALYZE run_line (id, claim_id, {keys}); ANALYZE past_line")


def resolved_key(resolved: str, code: str, *, other: int = ELSEWHERE) -> str:
    """SQL of a key: the id, BLANK for an empty code, the number of an unknown code of the run, else ``other``."""
    return (
        f"COALESCE({resolved}, CASE WHEN {code} = '' THEN -1 ELSE "
        f"COALESCE((SELECT u.id FROM unknown_code u WHERE u.code = {code}), {other}) END)"
    )
