"""Facts that only the checks of claims handed in here ask for: one query a table, none of them in a package.

What was recorded after ``known_at`` is not read. Claims that came with a package have no row here.
"""

# ruff: noqa: S608  SQL is put together from names in this code; every value is a parameter.

from __future__ import annotations

from config.versions import as_known
from settlement.fact_columns import day, first_day, last_day, scaled
from settlement.rules.facts import LAST_DAY, NO_AMOUNT

# Kinds of attachments of a claim: the file it was read from, and the act that the recipients signed.
CLAIM_FILE, SIGNED_ACT = "claim_evidence", "signed_act"

_KNOWN = "recorded_at <= %(known_at)s"
_OWN = """(SELECT k.*, c.fresh, 'settlement.claim:' || k.id AS label
    FROM run_claim c JOIN settlement_claim k ON k.id = c.claim_id WHERE NOT k.imported)"""
_DECLARED = f"""(SELECT DISTINCT ON (d.claim_id) d.* FROM settlement_claimdeclaration d
    JOIN run_claim c ON c.claim_id = d.claim_id WHERE d.{_KNOWN} ORDER BY d.claim_id, d.recorded_at DESC, d.id DESC)"""
# Another claim with the same file, or the same number of the same provider's invoice.
TWINS = f"""(
    SELECT substring(a.label FROM 18)::bigint AS claim, substring(b.label FROM 18)::bigint AS other
    FROM office_attachment a JOIN office_attachment b ON b.sha256 = a.sha256 AND b.kind = a.kind AND b.label <> a.label
    WHERE a.kind = '{CLAIM_FILE}' AND a.label IN (SELECT label FROM {_OWN} o) AND b.label LIKE 'settlement.claim:%%'
      AND a.uploaded_at <= %(known_at)s AND b.uploaded_at <= %(known_at)s
    UNION ALL
    SELECT d.claim_id, e.claim_id
    FROM {_DECLARED} d JOIN settlement_claim k ON k.id = d.claim_id
    JOIN settlement_claimdeclaration e ON e.document_number = d.document_number AND e.claim_id <> d.claim_id
    JOIN settlement_claim x ON x.id = e.claim_id AND x.provider_id = k.provider_id
      AND x.organisation_id = k.organisation_id
    WHERE d.document_number <> '' AND e.{_KNOWN})"""
# The first of them that this run judges before, or that was paid.
_TWIN = f"""(SELECT t.claim, min(t.other) AS other FROM {TWINS} t
    WHERE t.other < t.claim AND t.other IN (SELECT claim_id FROM run_claim WHERE fresh)
       OR EXISTS (SELECT 1 FROM past_line p WHERE p.claim_id = t.other) GROUP BY t.claim)"""
_IN_RUN = "(SELECT provider_id FROM settlement_claim WHERE id IN (SELECT claim_id FROM run_claim))"

OWN_QUERIES: dict[str, str] = {
    "own_claims": f"""
        SELECT k.id AS claim, COALESCE(w.other, -1) AS twin,
            COALESCE(d.total_minor, {NO_AMOUNT}) AS declared_total, COALESCE(s.written, 0) AS written,
            COALESCE(s.first_line, 0) AS first_line, k.fresh::int AS fresh
        FROM {_OWN} k LEFT JOIN {_DECLARED} d ON d.claim_id = k.id LEFT JOIN {_TWIN} w ON w.claim = k.id
        LEFT JOIN LATERAL (SELECT sum(l.amount_e4) AS written, min(l.line) AS first_line
            FROM settlement_claimline l WHERE l.claim_id = d.claim_id) s ON d.total_minor IS NOT NULL""",
    "vat_lines": f"""
        SELECT l.id, l.claim_id AS claim, l.units_milli AS units, l.unit_rate_e4 AS unit_rate, d.vat_minor AS vat
        FROM {_DECLARED} d JOIN settlement_claimline l ON l.claim_id = d.claim_id WHERE d.vat_minor > 0""",
    "schedules": f"""
        SELECT provider_id AS provider, days_off, {first_day("valid_from")} AS valid_from,
            {last_day("valid_to")} AS valid_to
        FROM {as_known("contracts_providerschedule")} s WHERE {_KNOWN} AND provider_id IN {_IN_RUN}""",
    "account_changes": f"""
        SELECT provider_id AS provider, {day("since")} AS changed_on
        FROM contracts_provideraccount a WHERE {_KNOWN} AND provider_id IN {_IN_RUN}""",
    "other_funding": f"""
        SELECT f.recipient_id AS recipient, f.service_id AS service, {first_day("f.valid_from")} AS valid_from,
            {last_day("f.valid_to")} AS valid_to
        FROM {as_known("vouchers_otherfunding")} f JOIN contracts_service s ON s.id = f.service_id
        WHERE s.organisation_id = %(organisation)s AND f.{_KNOWN}""",
    "incompatible_services": f"""
        SELECT x.service_id AS service, x.other_id AS other FROM (
            SELECT service_id, other_id, recorded_at FROM contracts_serviceincompatibility
            UNION SELECT other_id, service_id, recorded_at FROM contracts_serviceincompatibility) x
        JOIN contracts_service s ON s.id = x.service_id
        WHERE s.organisation_id = %(organisation)s AND x.{_KNOWN}""",
    "state_tasks": f"""
        SELECT t.provider_id AS provider, t.service_id AS service, COALESCE(t.recipient_id, -1) AS recipient,
            {first_day("t.valid_from")} AS valid_from, {last_day("t.valid_to")} AS valid_to
        FROM {as_known("vouchers_statetask")} t JOIN contracts_service s ON s.id = t.service_id
        WHERE s.organisation_id = %(organisation)s AND t.{_KNOWN}""",
    "evidence_needed": f"""
        SELECT e.service_id AS service, {first_day("e.valid_from")} AS valid_from,
            {last_day("e.valid_to")} AS valid_to
        FROM {as_known("contracts_requiredevidence")} e JOIN contracts_service s ON s.id = e.service_id
        WHERE s.organisation_id = %(organisation)s AND e.{_KNOWN}""",
    "evidence_given": f"""
        SELECT k.id AS claim FROM {_OWN} k WHERE k.label IN (SELECT label FROM office_attachment
            WHERE kind = '{SIGNED_ACT}' AND uploaded_at <= %(known_at)s)""",
    # Lines of all reported people are counted at once: line by line of each report it grows with its square.
    "fee_reports": f"""
        WITH told AS (
            SELECT f.* FROM (SELECT DISTINCT ON (r.claim_id, r.recipient_id) r.* FROM settlement_feereport r
                WHERE r.{_KNOWN} ORDER BY r.claim_id, r.recipient_id, r.recorded_at DESC, r.id DESC) f
            JOIN {_OWN} k ON k.id = f.claim_id
        ), bearing AS (
            SELECT f.claim_id, f.recipient_id, count(*) AS lines
            FROM told f
            JOIN vouchers_certificate c ON c.recipient_id = f.recipient_id AND c.organisation_id = %(organisation)s
            JOIN settlement_claimline l ON l.claim_id = f.claim_id AND l.certificate_number = c.number
            JOIN contracts_service s ON s.organisation_id = %(organisation)s AND s.code = l.service_code
            WHERE NOT s.free_for_all GROUP BY 1, 2
        )
        SELECT f.claim_id AS claim, f.recipient_id AS recipient, f.collected_minor AS collected,
            COALESCE(b.lines, 0) AS bearing
        FROM told f LEFT JOIN bearing b ON b.claim_id = f.claim_id AND b.recipient_id = f.recipient_id""",
    "group_visits": f"""
        WITH visit AS (
            SELECT l.* FROM settlement_claimline l JOIN {_OWN} k ON k.id = l.claim_id
            WHERE l.starts_at IS NOT NULL AND l.ends_at IS NOT NULL AND l.worker_code <> ''
              AND l.service_code IN (SELECT code FROM contracts_service
                  WHERE organisation_id = %(organisation)s AND group_size_max IS NOT NULL)
        ), meeting AS (
            SELECT service_code, worker_code, starts_at, ends_at, count(DISTINCT certificate_number) AS people
            FROM visit GROUP BY 1, 2, 3, 4)
        SELECT v.id, m.people AS participants
        FROM visit v JOIN meeting m USING (service_code, worker_code, starts_at, ends_at)""",
    "scans": f"""
        SELECT s.redemption_id AS redemption, s.scanned_at, COALESCE(s.latitude_e5, {NO_AMOUNT}) AS latitude,
            COALESCE(s.longitude_e5, {NO_AMOUNT}) AS longitude, COALESCE(s.distance_m, -1) AS distance
        FROM vouchers_visitscan s WHERE s.{_KNOWN} AND s.redemption_id IN (SELECT redemption_id FROM run_line)""",
    "emergencies": f"""
        SELECT e.recipient_id AS recipient, e.service_id AS service, {day("e.began_on")} AS began_on,
            COALESCE({day("e.act_on")}, {LAST_DAY}) AS act_on
        FROM {as_known("vouchers_emergencycase")} e JOIN contracts_service s ON s.id = e.service_id
        WHERE s.organisation_id = %(organisation)s AND e.{_KNOWN}""",
    "calendar": f"""
        SELECT DISTINCT ON (c.date) {day("c.date")} AS day, (c.kind = 'working')::int AS working
        FROM contracts_calendarday c JOIN accounts_organisation o ON o.id = %(organisation)s
        WHERE c.jurisdiction = o.jurisdiction AND (c.organisation_id IS NULL OR c.organisation_id = o.id)
          AND EXISTS (SELECT 1 FROM vouchers_emergencycase)
        ORDER BY c.date, c.organisation_id NULLS LAST""",
    "complaints": f"""
        SELECT DISTINCT c.redemption_id AS redemption FROM {as_known("vouchers_visitcomplaint")} c
        WHERE c.{_KNOWN} AND c.answered_at IS NULL""",
    "grant_items": f"""
        SELECT i.contract_id AS contract, i.service_id AS service, {first_day("i.valid_from")} AS valid_from,
            {last_day("i.valid_to")} AS valid_to, {scaled("i.amount", 2)} AS amount, COALESCE((
                SELECT sum(p.gross) FROM past_line p
                WHERE p.contract_id = i.contract_id AND p.service_id = i.service_id), 0) AS used
        FROM contracts_grantitem i JOIN contracts_contract c ON c.id = i.contract_id
        WHERE c.organisation_id = %(organisation)s AND i.{_KNOWN}""",
    "grants": f"""
        SELECT c.id AS contract, CASE WHEN EXISTS (
                SELECT 1 FROM contracts_milestone m WHERE m.contract_id = c.id AND m.tranche IS NOT NULL)
            THEN (SELECT COALESCE(sum(m.tranche * 100), 0)::bigint FROM contracts_milestone m
                  WHERE m.contract_id = c.id AND EXISTS (SELECT 1 FROM contracts_milestonenote n
                      WHERE n.milestone_id = m.id AND n.kind = 'met' AND n.{_KNOWN}))
            ELSE -1 END AS released,
            COALESCE((SELECT sum(p.gross) FROM past_line p WHERE p.contract_id = c.id), 0) AS used
        FROM contracts_contract c WHERE c.organisation_id = %(organisation)s
          AND c.id IN (SELECT i.contract_id FROM contracts_grantitem i WHERE i.{_KNOWN})""",
}
