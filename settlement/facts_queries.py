"""The facts of a run, one query a table, as the rules want them (see ``settlement.rules.facts``).

Ranges are half-open in the database and inclusive in the facts. What was recorded after ``known_at`` is not read, and
what ended, changed or was withdrawn after it is read as it was.
"""

# ruff: noqa: S608  SQL is put together from names in this code; every value is a parameter.

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
from django.db.backends.utils import CursorWrapper

from config.versions import as_known
from settlement.bulk import read_integers
from settlement.fact_columns import day as _day
from settlement.fact_columns import first_day as _first
from settlement.fact_columns import last_day as _last
from settlement.fact_columns import scaled as _scaled
from settlement.models.clawbacks import UPHELD
from settlement.own_facts_queries import OWN_QUERIES
from settlement.rules.facts import COLUMNS, FIRST_DAY, LAST_DAY, TEXT, Facts, build_facts, column
from settlement.rules.lookup import Register
from settlement.run_tables import CONFIRMED, DIFFERS, EARLIER, SAME, SAME_ONLINE, resolved_key

TIMES = frozenset({"starts_at", "ends_at", "scanned_at"})


# Such a certificate is none yet: it opens no door, and a package does not have it either.
NOT_HANDED_OVER = "('draft', 'issued')"

_MONTH = "((EXTRACT(YEAR FROM {0}) - 1970) * 12 + EXTRACT(MONTH FROM {0}) - 1)"
_KNOWN = "recorded_at <= %(known_at)s"
_CLASSES = """(SELECT recipient_class, row_number() OVER (ORDER BY recipient_class) AS id FROM (
    SELECT DISTINCT recipient_class FROM contracts_normcost
    WHERE organisation_id = %(organisation)s AND recipient_class <> '') names)"""
_CLASS_KEY = "CASE WHEN {0}.recipient_class = '' THEN -1 ELSE COALESCE(classes.id, -2) END"

_VISIT = {
    "redemption": "l.redemption_id",
    "certificate": resolved_key(
        """COALESCE(r.certificate_id, (SELECT x.id FROM vouchers_certificate x
            WHERE x.organisation_id = r.organisation_id AND x.number = r.certificate_number))""",
        "r.certificate_number",
    ),
    "service": resolved_key(
        """COALESCE(r.service_id, (SELECT x.id FROM contracts_service x
            WHERE x.organisation_id = r.organisation_id AND x.code = r.service_code))""",
        "r.service_code",
    ),
    "provider": "COALESCE(r.provider_id, (SELECT x.id FROM contracts_provider x WHERE x.code = r.provider_code), -1)",
    "worker": resolved_key(
        "COALESCE(r.worker_id, (SELECT x.id FROM contracts_worker x WHERE x.code = r.worker_code))", "r.worker_code"
    ),
    "units": "COALESCE(r.units_milli, -1)",
    "confirmed": f"{CONFIRMED}::int",
    # Not for the rules: units of visits that were captured at the door leave the certificate there.
    "online": "(r.channel = 'online')::int",
}
# Visits that do not say what the line says that names them.
_OTHER_VISITS = f"""
SELECT DISTINCT ON (l.redemption_id) {", ".join(f"{value} AS {name}" for name, value in _VISIT.items())}
FROM run_line l JOIN vouchers_redemption r ON r.id = l.redemption_id WHERE l.visit = {DIFFERS} ORDER BY l.redemption_id
"""
# A term that two persons have given back counts from their decision on.
_SUBMITTED = """COALESCE((SELECT t.counts_as_submitted_at FROM settlement_restoredterm t
    WHERE t.claim_id = k.id AND t.status = 'confirmed' AND t.decided_at <= %(known_at)s),
    k.submitted_at, k.recorded_at)"""

QUERIES: dict[str, str] = {
    "lines": f"""
        SELECT l.id, l.claim_id AS claim, l.line,
            {resolved_key("l.redemption_id", "l.redemption_code")} AS redemption,
            {resolved_key("l.certificate_id", "l.certificate_number")} AS certificate,
            {resolved_key("l.service_id", "l.service_code")} AS service,
            {_day("l.service_date")} AS service_date,
            COALESCE(l.starts_at, 'infinity') AS starts_at, COALESCE(l.ends_at, 'infinity') AS ends_at,
            COALESCE({_day("(l.starts_at AT TIME ZONE %(zone)s)::date")}, {FIRST_DAY}) AS starts_on,
            {resolved_key("l.worker_id", "l.worker_code")} AS worker,
            l.units_milli AS units, l.unit_rate_e4 AS unit_rate, l.amount_e4 AS amount, l.visit
        FROM run_line l""",
    "lifted": """
        SELECT l.claim_id AS claim, l.line, substring(x.check_code FROM 5)::bigint AS "check"
        FROM settlement_clearance x JOIN run_line l ON l.id = x.claim_line_id
        WHERE x.run <= %(run)s AND x.recorded_at <= %(known_at)s AND x.check_code ~ '^CLM-[0-9]+$'""",
    "services": f"""
        SELECT id AS service, (unit = 'hour')::int AS in_hours, (form = 'home')::int AS at_home,
            {_scaled("granularity", 3)} AS granularity,
            {_scaled("units_per_day_max", 3)} AS units_per_day_max,
            {_scaled("units_per_month_max", 3)} AS units_per_month_max,
            {_scaled("amount_per_year_max", 2)} AS amount_per_year_max,
            COALESCE(group_size_max, -1) AS group_size_max, free_for_all::int AS free_for_all, one_off::int AS one_off
        FROM contracts_service WHERE organisation_id = %(organisation)s""",
    "norm_costs": f"""
        SELECT n.service_id AS service, COALESCE(n.territory_id, -1) AS territory,
            {_CLASS_KEY.format("n")} AS recipient_class,
            {_first("n.valid_from")} AS valid_from, {_last("n.valid_to")} AS valid_to,
            {_scaled("n.unit_rate", 4)} AS unit_rate
        FROM {as_known("contracts_normcost")} n
        LEFT JOIN {_CLASSES} classes ON classes.recipient_class = n.recipient_class
        WHERE n.organisation_id = %(organisation)s AND n.status = 'approved' AND n.{_KNOWN}""",
    "providers": f"""
        SELECT id AS provider, {_first("active_from")} AS active_from, {_last("active_to")} AS active_to
        FROM {as_known("contracts_provider")} p""",
    "provider_suspensions": f"""
        SELECT provider_id AS provider, {_first("from_date")} AS from_date, {_last("to_date")} AS to_date
        FROM {as_known("contracts_providersuspension")} s WHERE {_KNOWN}""",
    "workers": "SELECT id AS worker, provider_id AS provider FROM contracts_worker",
    "worker_qualifications": f"""
        SELECT q.worker_id AS worker, q.service_id AS service,
            {_first("q.valid_from")} AS valid_from, {_last("q.valid_to")} AS valid_to
        FROM {as_known("contracts_workerqualification")} q JOIN contracts_service s ON s.id = q.service_id
        WHERE s.organisation_id = %(organisation)s AND q.{_KNOWN}""",
    "contracts": f"""
        SELECT id AS contract, provider_id AS provider, (status = 'active')::int AS active,
            {_first("valid_from")} AS valid_from, {_last("valid_to")} AS valid_to, {_scaled("ceiling", 2)} AS ceiling
        FROM {as_known("contracts_contract")} c WHERE organisation_id = %(organisation)s""",
    "contract_lines": f"""
        SELECT l.id AS contract_line, l.contract_id AS contract, l.service_id AS service,
            {_first("COALESCE(l.valid_from, c.valid_from)")} AS valid_from,
            {_last("COALESCE(l.valid_to, c.valid_to)")} AS valid_to,
            {_scaled("l.unit_rate", 4)} AS unit_rate, {_scaled("l.units_ceiling", 3)} AS units_ceiling
        FROM {as_known("contracts_contractline")} l JOIN {as_known("contracts_contract")} c ON c.id = l.contract_id
        WHERE c.organisation_id = %(organisation)s AND l.{_KNOWN}
        ORDER BY l.valid_from NULLS FIRST, l.id""",
    "recipients": f"""
        SELECT id AS recipient, COALESCE(CASE WHEN death_recorded_at IS NULL OR death_recorded_at <= %(known_at)s
            THEN {_day("death_date")} END, {LAST_DAY}) AS death_date
        FROM vouchers_recipient WHERE organisation_id = %(organisation)s""",
    "residences": f"""
        SELECT h.recipient_id AS recipient, COALESCE(h.territory_id, -1) AS territory,
            {_CLASS_KEY.format("h")} AS recipient_class,
            {_first("h.valid_from")} AS valid_from, {_last("h.valid_to")} AS valid_to
        FROM {as_known("vouchers_recipientresidence")} h JOIN vouchers_recipient r ON r.id = h.recipient_id
        LEFT JOIN {_CLASSES} classes ON classes.recipient_class = h.recipient_class
        WHERE r.organisation_id = %(organisation)s AND h.{_KNOWN}""",
    "absences": f"""
        SELECT a.recipient_id AS recipient,
            CASE a.kind WHEN 'hospital' THEN 0 WHEN 'residential' THEN 1 ELSE 2 END AS kind,
            {_first("a.from_date")} AS from_date, {_last("a.to_date")} AS to_date
        FROM {as_known("vouchers_absence")} a JOIN vouchers_recipient r ON r.id = a.recipient_id
        WHERE r.organisation_id = %(organisation)s AND a.{_KNOWN}""",
    "fee_assessments": f"""
        SELECT f.recipient_id AS recipient, {_first("f.valid_from")} AS valid_from, {_last("f.valid_to")} AS valid_to,
            CASE f.mode WHEN 'F' THEN 0 WHEN 'D' THEN 1 ELSE 2 END AS mode,
            {_scaled("f.monthly_limit", 2, 0)} AS monthly_limit
        FROM {as_known("vouchers_feeassessment")} f JOIN vouchers_recipient r ON r.id = f.recipient_id
        WHERE r.organisation_id = %(organisation)s AND f.{_KNOWN}""",
    "plan_lines": f"""
        SELECT p.id AS plan_line, p.recipient_id AS recipient, p.service_id AS service,
            {_first("p.valid_from")} AS valid_from, {_last("p.valid_to")} AS valid_to,
            {_scaled("p.units_per_month", 3)} AS units_per_month
        FROM {as_known("vouchers_planline")} p JOIN vouchers_recipient r ON r.id = p.recipient_id
        LEFT JOIN vouchers_individualplan i ON i.id = p.plan_id
        WHERE r.organisation_id = %(organisation)s AND COALESCE(i.status, 'approved') IN ('approved', 'closed')
          AND p.{_KNOWN}""",
    "certificates": f"""
        SELECT id AS certificate, recipient_id AS recipient,
            {_first("valid_from")} AS valid_from, {_last("valid_to")} AS valid_to,
            CASE WHEN status IN ('cancelled', 'replaced') THEN {_first("status_from")} ELSE {LAST_DAY} END AS ended_from
        FROM {as_known("vouchers_certificate")} c
        WHERE organisation_id = %(organisation)s AND status NOT IN {NOT_HANDED_OVER}""",
    "certificate_suspensions": f"""
        SELECT s.certificate_id AS certificate, {_first("s.from_date")} AS from_date, {_last("s.to_date")} AS to_date
        FROM {as_known("vouchers_certificatesuspension")} s JOIN vouchers_certificate c ON c.id = s.certificate_id
        WHERE c.organisation_id = %(organisation)s AND s.{_KNOWN}""",
    "certificate_lines": f"""
        SELECT l.certificate_id AS certificate, l.service_id AS service, {_scaled("l.units", 3)} AS units
        FROM vouchers_certificateline l JOIN vouchers_certificate c ON c.id = l.certificate_id
        WHERE c.organisation_id = %(organisation)s""",
    "history": f"""
        SELECT p.claim_id AS claim, p.line, p.recipient_id AS recipient,
            {resolved_key("p.redemption_id", "p.redemption_code")} AS redemption, p.service_id AS service,
            {_day("p.service_date")} AS service_date,
            COALESCE(p.starts_at, 'infinity') AS starts_at, COALESCE(p.ends_at, 'infinity') AS ends_at,
            COALESCE({_day("(p.starts_at AT TIME ZONE %(zone)s)::date")}, {FIRST_DAY}) AS starts_on,
            COALESCE(p.worker_id, -1) AS worker, p.units_allowed AS units, p.fee
        FROM past_line p
        WHERE date_trunc('month', p.service_date) IN (SELECT date_trunc('month', service_date) FROM run_line)
           OR (p.starts_at < (SELECT max(ends_at) FROM run_line)
               AND p.ends_at > (SELECT min(starts_at) FROM run_line))
           OR (p.redemption_code <> '' AND p.redemption_code IN (SELECT redemption_code FROM run_line))""",
    "certificate_used": """
        SELECT p.certificate_id AS certificate, p.service_id AS service, sum(p.units_allowed) AS units
        FROM past_line p WHERE p.certificate_id IN (SELECT certificate_id FROM run_line)
        GROUP BY 1, 2""",
    "plan_used": f"""
        SELECT l.id AS plan_line, {_MONTH.format("p.service_date")} AS month, sum(p.units_allowed) AS units
        FROM past_line p JOIN {as_known("vouchers_planline")} l
            ON l.recipient_id = p.recipient_id AND l.service_id = p.service_id AND l.{_KNOWN}
            AND l.valid_from <= p.service_date AND (l.valid_to IS NULL OR p.service_date < l.valid_to)
        WHERE date_trunc('month', p.service_date) IN (SELECT date_trunc('month', service_date) FROM run_line)
        GROUP BY 1, 2""",
    "year_used": """
        SELECT p.recipient_id AS recipient, p.service_id AS service, EXTRACT(YEAR FROM p.service_date) AS year,
            sum(p.gross) AS gross
        FROM past_line p JOIN contracts_service s ON s.id = p.service_id
        WHERE s.amount_per_year_max IS NOT NULL
        GROUP BY 1, 2, 3""",
    "contract_line_used": f"""
        SELECT x.id AS contract_line, sum(p.gross) AS gross
        FROM past_line p CROSS JOIN LATERAL (
            SELECT l.id FROM {as_known("contracts_contractline")} l
            JOIN {as_known("contracts_contract")} c ON c.id = l.contract_id
            WHERE c.id = p.contract_id AND l.contract_id = p.contract_id AND l.service_id = p.service_id AND l.{_KNOWN}
              AND COALESCE(l.valid_from, c.valid_from) <= p.service_date
              AND p.service_date < COALESCE(l.valid_to, c.valid_to, 'infinity')
            ORDER BY COALESCE(l.valid_from, c.valid_from) DESC, l.valid_from DESC NULLS LAST, l.id DESC LIMIT 1
        ) x
        WHERE p.contract_id IN (SELECT contract_id FROM contracts_contractline WHERE units_ceiling IS NOT NULL)
        GROUP BY 1""",
    "contract_used": f"""
        SELECT p.contract_id AS contract, sum(p.gross) AS gross
        FROM past_line p JOIN {as_known("contracts_contract")} c ON c.id = p.contract_id WHERE c.ceiling IS NOT NULL
        GROUP BY 1""",
}

# What came with a package or was kept when the run was made; of a run that is being made, what is owed now. Money that
# came back counts whenever it was recorded: nothing is kept back twice.
QUERIES["clawbacks"] = f"""
    WITH told AS (
        SELECT s.provider_id, s.outstanding_minor FROM settlement_clawbackstanding s
        WHERE s.organisation_id = %(organisation)s AND s.run = %(run)s
          AND s.period IN (SELECT k.period FROM run_claim c JOIN settlement_claim k ON k.id = c.claim_id)
    )
    SELECT provider_id AS provider, outstanding_minor AS outstanding FROM told
    UNION ALL
    SELECT k.provider_id, sum({UPHELD}
        - (SELECT COALESCE(sum(r.amount_minor), 0) FROM settlement_clawbackrecovery r WHERE r.case_id = k.id))
    FROM settlement_clawbackcase k
    WHERE %(before)s::bigint IS NULL AND k.organisation_id = %(organisation)s AND k.status = 'decided'
      AND k.return_until < (%(known_at)s AT TIME ZONE %(zone)s)::date
      AND k.provider_id IN (SELECT q.provider_id FROM run_claim c JOIN settlement_claim q ON q.id = c.claim_id)
      AND k.provider_id NOT IN (SELECT provider_id FROM told)
    GROUP BY k.provider_id"""

# The same of advances, by contract, with what reversals of the run give back; what claims of the month may use.
_GIVES_BACK = """FROM settlement_claim t JOIN run_claim c ON c.claim_id = t.id AND c.fresh
        JOIN settlement_remittance m ON m.claim_id = t.reverses_id
        JOIN settlement_advanceuse u ON u.remittance_id = m.id"""
QUERIES["advances"] = f"""
    WITH told AS (
        SELECT s.contract_id, s.outstanding_minor FROM settlement_advancestanding s
        WHERE s.organisation_id = %(organisation)s AND s.run = %(run)s
          AND s.period IN (SELECT k.period FROM run_claim c JOIN settlement_claim k ON k.id = c.claim_id)
    ), standing AS (
        SELECT b.contract_id, b.amount_minor
            - (SELECT COALESCE(sum(u.amount_minor), 0) FROM settlement_advanceuse u WHERE u.advance_id = b.id)
            - (SELECT COALESCE(sum(r.amount_minor), 0) FROM settlement_advancereturn r WHERE r.advance_id = b.id)
            + (SELECT COALESCE(sum(u.amount_minor), 0) {_GIVES_BACK} WHERE u.advance_id = b.id) AS amount
        FROM settlement_advance b
        WHERE %(before)s::bigint IS NULL AND b.organisation_id = %(organisation)s
          AND b.status IN ('paid', 'settled') AND b.return_until IS NULL
          AND b.use_until >= (SELECT max(k.period) FROM run_claim c JOIN settlement_claim k ON k.id = c.claim_id)
          AND b.contract_id NOT IN (SELECT contract_id FROM told)
          AND EXISTS (SELECT 1 FROM run_claim c JOIN settlement_claim k ON k.id = c.claim_id
              JOIN contracts_contract q ON q.id = b.contract_id
              WHERE k.contract_id = q.id OR k.contract_id IS NULL AND k.contract_number = q.number)
    )
    SELECT contract_id AS contract, outstanding_minor AS outstanding FROM told
    UNION ALL
    SELECT contract_id, sum(amount)::bigint FROM standing GROUP BY contract_id HAVING sum(amount) > 0"""
QUERIES["advances_used"] = f"""
    SELECT t.id AS claim, sum(u.amount_minor)::bigint AS amount {_GIVES_BACK}
    WHERE %(before)s::bigint IS NULL OR m.run_id < %(before)s
    GROUP BY t.id HAVING sum(u.amount_minor) <> 0"""

_CLAIMS = f"""
SELECT k.id, k.number, k.provider_id,
    COALESCE(k.contract_id, (SELECT r.id FROM contracts_contract r WHERE r.organisation_id = k.organisation_id
        AND r.number = k.contract_number), CASE WHEN k.contract_number = '' THEN -1 ELSE -2 END),
    {_day("k.period")}, (EXTRACT(EPOCH FROM {_SUBMITTED}) * 1000000)::bigint,
    {_day(f"({_SUBMITTED} AT TIME ZONE %(zone)s)::date")},
    CASE WHEN c.fresh THEN COALESCE(k.reverses_id, -1) ELSE -1 END,
    (k.id IN (SELECT claim_id FROM gone_claim))::int
FROM run_claim c JOIN settlement_claim k ON k.id = c.claim_id ORDER BY k.id
"""

_CLAIM_NUMBERS = """
SELECT k.id, k.number FROM settlement_claim k WHERE k.id IN (SELECT claim_id FROM past_line)
"""

_REVERSALS = f"""
SELECT t.id, l.id, l.line, a.units_claimed, a.units_allowed, a.rate_claimed, a.rate_allowed, a.amount_claimed,
    a.amount_claimed - a.gross - p.pended, p.pended, a.gross, a.fee, a.outcome
FROM settlement_claim t
JOIN run_claim c ON c.claim_id = t.id AND c.fresh
JOIN settlement_adjudication a ON a.claim_id = t.reverses_id AND {EARLIER}
JOIN settlement_claimline l ON l.id = a.claim_line_id
CROSS JOIN LATERAL (
    SELECT COALESCE(sum(f.amount) FILTER (WHERE f.severity = 'P'), 0)::bigint AS pended
    FROM settlement_finding f WHERE f.run_id = a.run_id AND f.claim_line_id = a.claim_line_id AND a.reverses_id IS NULL
) p
ORDER BY a.id
"""

_GIVEN = """
SELECT g.claim_line_id, g.check_code, g.severity, g.units, g.amount, g.detail
FROM settlement_givenfinding g JOIN run_line l ON l.id = g.claim_line_id WHERE g.run = %(run)s ORDER BY g.id
"""


def read_facts(cursor: CursorWrapper, params: dict[str, Any]) -> Facts:
    """Facts of the run whose temporary tables stand. ``params``: organisation, run, zone, known_at.

    Money, units, rates and times as in ``settlement.rules.facts``.
    """
    columns = COLUMNS | {"lines": (*COLUMNS["lines"], "visit")}
    tables = {
        name: read_integers(cursor, query, columns[name], params, times=TIMES & set(columns[name]))
        for name, query in (QUERIES | OWN_QUERIES).items()
    }
    for name, query in (("claims", _CLAIMS), ("claim_numbers", _CLAIM_NUMBERS), ("reversals", _REVERSALS)):
        cursor.execute(query, params)
        tables[name] = _table(name, cursor.fetchall())
    others = read_integers(cursor, _OTHER_VISITS, list(_VISIT), params)
    tables["redemptions"] = _visits(tables["lines"], tables["claims"], others)
    tables["lines"] = tables["lines"].iloc[:, :-1]
    cursor.execute(_GIVEN, params)
    tables["given"] = _table("given", [(*row[:-1], detail_object(row[-1])) for row in cursor.fetchall()])
    return build_facts(**tables)


def _visits(lines: pd.DataFrame, claims: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """The visits that lines name, each once: those that say what their line says, and the others."""
    says = column(lines, "visit")
    same = ((says == SAME) | (says == SAME_ONLINE)) & ~lines["redemption"].duplicated().to_numpy()
    known = {name: column(lines, name)[same] for name in ("redemption", "certificate", "service", "worker", "units")}
    claim = Register(column(claims, "claim")).rows(column(lines, "claim")[same])
    known["provider"] = column(claims, "provider")[claim]
    known["confirmed"] = np.ones(len(claim), dtype=np.int64)
    known["online"] = (says[same] == SAME_ONLINE).astype(np.int64)
    rest = others[~others["redemption"].isin(known["redemption"])]
    return pd.DataFrame({name: np.concatenate([known[name], column(rest, name)]) for name in _VISIT}, copy=False)


def detail_object(text: str) -> str:
    """The detail of a given finding as the JSON object that a finding keeps; what is none becomes its ``text``."""
    try:
        given = json.loads(text or "{}", parse_constant=_no_number)
        written = json.dumps(given, ensure_ascii=False, allow_nan=False)
        written.encode()
    except (ValueError, RecursionError):
        given, written = None, ""
    # A database text holds no zero character.
    if isinstance(given, dict) and "\\u0000" not in written:
        return written
    return json.dumps({"text": text}, ensure_ascii=False)


def _no_number(word: str) -> None:
    raise ValueError(word)


def _table(name: str, rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(COLUMNS[name]))
    return frame.astype({column: "object" if column in TEXT else "int64" for column in COLUMNS[name]})
