"""A generated municipality and month, by INSERT .. SELECT: lines of every kind that a check of lines reads.

``lines`` visits; a recipient has 20 of them, a worker about 120, ten services and forty providers, and ten small
providers of a quarter per cent each whose contracts and claims have something of their own. About one line in six meets
a check; every check that can fire on a line does (``adjudicate_lines`` prints how often) from 10,000 lines on.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection

from tests.benchmarks import month_before, month_facts

# Registers; n is the number of a recipient, of which what is special about it follows.
_REGISTERS = """
INSERT INTO accounts_organisation (code, name, jurisdiction, currency, zone, registration_code, iban, clock_offset,
    is_demo, other_ibans) VALUES ('bench', 'Bench', 'UA', 'UAH', 'Europe/Kyiv', '', '', '0', false, '[]');
INSERT INTO contracts_parameter (organisation_id, jurisdiction, key, valid_from, value, unit, act, article, evidence,
    note, recorded_at)
SELECT id, 'UA', 'claim.window_days', '2025-01-01', '3', 'day', '', '', 'DESIGN', '', '2025-01-01'
FROM accounts_organisation;
INSERT INTO contracts_budgetline (organisation_id, code, year, name, programme, economic_code, source, amount,
    amount_currency) SELECT id, 'B1', 2025, '', '', '', '', 99999999999.00, 'UAH' FROM accounts_organisation;
INSERT INTO contracts_territory (organisation_id, code, name, kind)
SELECT id, 'T1', 'T', 'rural' FROM accounts_organisation;
INSERT INTO contracts_service (organisation_id, code, name_uk, name_ru, name_en, level, form, unit, granularity,
    units_per_day_max, units_per_month_max, amount_per_year_max, group_size_max, basic, free_for_all, one_off, cpv,
    provisional)
SELECT o.id, c.code, 'S', '', '', 'simple', CASE c.code WHEN 'S9' THEN 'semi_residential' ELSE 'home' END, 'hour', 0.25,
    8, CASE c.code WHEN 'S6' THEN 9.5 END, CASE c.code WHEN 'S7' THEN 930 END, CASE c.code WHEN 'S9' THEN 4 END, false,
    c.code = 'S8', c.code = 'E0', '', false
FROM accounts_organisation o, unnest(ARRAY['S0','S1','S2','S3','S4','S5','S6','S7','S8','S9','E0']) c (code);
INSERT INTO contracts_normcost (organisation_id, service_id, territory_id, recipient_class, unit_rate, valid_from,
    valid_to, act, formula_id, inputs, steps, recorded_at, status)
SELECT s.organisation_id, s.id, n.territory, n.class, n.rate, n.first, n.last, '', '', '{}', '[]', '2025-01-01',
    'approved'
FROM contracts_service s CROSS JOIN LATERAL (
    SELECT NULL::bigint AS territory, '' AS class, 96.54 AS rate, DATE '2025-01-01' AS first, DATE '2025-11-16' AS last
    UNION ALL
    SELECT NULL, '', CASE s.code WHEN 'S4' THEN 94.6 ELSE 98.1 END, '2025-11-16',
        CASE s.code WHEN 'S3' THEN DATE '2025-11-28' END
    UNION ALL
    SELECT NULL, 'heavy', 104.2, '2025-01-01', NULL WHERE s.code IN ('S0', 'S4')
    UNION ALL
    SELECT t.id, '', 94.2, '2025-01-01', NULL FROM contracts_territory t WHERE s.code = 'S2'
) n;
INSERT INTO contracts_provider (code, name, sector, iban, registration_code, vat_payer)
SELECT CASE WHEN g < 40 THEN 'P' || g ELSE 'Q' || g - 40 END, 'P', 'private', '', '', false
FROM generate_series(0, 49) g;
INSERT INTO contracts_contract (organisation_id, number, provider_id, budget_line_id, basis, title, valid_from,
    valid_to, ceiling, ceiling_currency, status)
SELECT b.organisation_id, 'K' || p.code, p.id, b.id, CASE p.code WHEN 'Q0' THEN 'grant' ELSE 'register' END, '',
    '2025-01-01', CASE p.code WHEN 'Q9' THEN DATE '2025-11-26' END,
    CASE p.code WHEN 'Q9' THEN %(lines)s / 400 * 60 ELSE 9999999999 END, 'UAH', 'active'
FROM contracts_provider p, contracts_budgetline b;
INSERT INTO contracts_contractline (contract_id, service_id, unit_rate, units_ceiling, amendment, recorded_at)
SELECT c.id, s.id, 95, CASE WHEN c.number = 'KQ9' AND s.code = 'S0' THEN %(lines)s / 400 / 4.0 END, '', '2025-01-01'
FROM contracts_contract c, contracts_service s WHERE NOT (c.number = 'KQ7' AND s.code = 'S8');
INSERT INTO contracts_worker (code, provider_id, name)
SELECT w.code, p.id, '' FROM (
    SELECT 'W' || g AS code, 'P' || mod(g, 40) AS provider FROM generate_series(0, %(workers)s - 1) g
    UNION ALL
    SELECT 'X' || n, 'Q' || mod(n, 400) - 390 FROM generate_series(0, %(people)s - 1) n WHERE mod(n, 400) >= 390
    UNION ALL
    SELECT 'G' || g, 'P' || mod(g, 40) FROM generate_series(0, %(people)s / 400) g
) w JOIN contracts_provider p ON p.code = w.provider;
INSERT INTO contracts_workerqualification (worker_id, service_id, valid_from, valid_to, recorded_at)
SELECT w.id, s.id, '2024-01-01', CASE WHEN w.code LIKE 'W%%50' AND s.code IN ('S1', 'S2') THEN DATE '2025-11-20' END,
    '2025-01-01'
FROM contracts_worker w, contracts_service s;
INSERT INTO vouchers_recipient (organisation_id, code, name, name_index, tax_id, tax_id_index, phone, address,
    free_category, registered_at, death_date, death_recorded_at)
SELECT o.id, 'R' || n, '', '', '', '', '', '', '', '2025-01-01',
    CASE WHEN mod(n, 400) = 150 THEN DATE '2025-11-15' END, CASE WHEN mod(n, 400) = 150 THEN DATE '2025-11-20' END
FROM accounts_organisation o, generate_series(0, %(people)s - 1) n;
CREATE TEMP TABLE person AS SELECT id, substr(code, 2)::int AS n, organisation_id FROM vouchers_recipient;
ANALYZE;
INSERT INTO vouchers_recipientresidence (recipient_id, territory_id, recipient_class, valid_from, recorded_at)
SELECT r.id, CASE WHEN mod(n, 7) = 0 THEN t.id END, CASE WHEN mod(n, 10) = 3 THEN 'heavy' ELSE '' END, '2025-01-01',
    '2025-01-01' FROM person r, contracts_territory t;
INSERT INTO vouchers_feeassessment (recipient_id, mode, monthly_limit, valid_from, decision, formula_id, inputs,
    parameters, steps, recorded_at)
SELECT id, CASE WHEN mod(n, 10) = 7 THEN 'F' WHEN mod(n, 50) = 8 THEN 'C' ELSE 'D' END, 500, '2025-01-01', '', '',
    '{}', '[]', '[]', '2025-01-01' FROM person WHERE mod(n, 500) <> 120;
INSERT INTO vouchers_planline (recipient_id, service_id, units_per_month, valid_from, recorded_at)
SELECT r.id, s.id, 12, '2025-01-01', '2025-01-01' FROM person r JOIN contracts_service s
ON s.code IN ('S' || mod(n, 10), 'S' || mod(n + 1, 10)) OR s.code = 'S9' AND mod(n, 400) BETWEEN 380 AND 385
WHERE NOT (mod(n, 500) = 140 AND s.code = 'S0');
INSERT INTO vouchers_certificate (organisation_id, number, recipient_id, valid_from, pin_hash, pin_failures,
    reserved_minor, budget_line_id, status, status_from)
SELECT r.organisation_id, 'C' || 'R' || n, r.id, '2025-01-01', '', 0, CASE WHEN mod(n, 2) = 1 THEN 0 ELSE 1930800 END,
    CASE WHEN mod(n, 2) = 1 THEN NULL ELSE b.id END, CASE WHEN mod(n, 500) = 200 THEN 'cancelled' ELSE 'active' END,
    CASE WHEN mod(n, 500) = 200 THEN DATE '2025-11-20' END
FROM person r, contracts_budgetline b;
INSERT INTO contracts_budgetentry (budget_line_id, kind, amount_minor, label, occurred_on, recorded_at)
SELECT budget_line_id, 'reservation', reserved_minor, 'vouchers.certificate:' || id, '2025-01-01', '2025-01-01'
FROM vouchers_certificate WHERE reserved_minor > 0;
INSERT INTO vouchers_certificateline (certificate_id, service_id, units)
SELECT c.id, s.id, CASE WHEN mod(n, 50) = 30 THEN 8 ELSE 100 END
FROM vouchers_certificate c JOIN person r ON r.id = c.recipient_id JOIN contracts_service s
ON s.code IN ('S' || mod(n, 10), 'S' || mod(n + 1, 10)) OR s.code = 'S9' AND mod(n, 400) BETWEEN 380 AND 385
    OR s.code = 'E0' AND mod(n, 400) BETWEEN 170 AND 172
WHERE NOT (mod(n, 500) = 300 AND s.code = 'S1');
INSERT INTO vouchers_certificateentry (certificate_line_id, kind, units_milli, occurred_at, recorded_at)
SELECT id, 'issued', (units * 1000)::bigint, '2025-01-01', '2025-01-01' FROM vouchers_certificateline;
INSERT INTO settlement_claim (organisation_id, number, provider_id, contract_number, contract_id, period, submitted_at,
    recorded_at, status, run)
SELECT c.organisation_id, k.letter || '-' || p.code, p.id, c.number, c.id, '2025-11-01',
    CASE WHEN p.code IN ('Q4', 'Q8') THEN '2025-12-04 10:00+02' ELSE '2025-12-02 10:00+02' END::timestamptz,
    '2025-12-02', 'submitted', 1
FROM contracts_contract c JOIN contracts_provider p ON p.id = c.provider_id
JOIN (VALUES ('A'), ('B')) k (letter) ON k.letter = 'A' OR p.code = 'Q6'
ORDER BY k.letter, p.id;
ANALYZE
"""

# Visits as they were: a worker comes to a recipient at the same hour, some minutes later each day.
_VISITS = """
CREATE TEMP TABLE visit AS
SELECT n * 20 + j AS g, n, j, r.id AS recipient, c.id AS certificate, c.number AS certificate_number, s.id AS service,
    s.code AS service_code, w.id AS worker, w.code AS worker_code, w.provider_id AS provider, p.code AS provider_code,
    v.day, v.starts_at, v.starts_at + CASE WHEN v.full_hour THEN interval '1 hour' ELSE interval '50 minutes' END
        AS ends_at,
    CASE WHEN mod(n * 20 + j, 50) = 7 THEN 1100 ELSE 1000 END AS units,
    CASE WHEN mod(n * 20 + j, 25) = 3 THEN 980000 ELSE 950000 END AS rate
FROM person r JOIN vouchers_certificate c ON c.recipient_id = r.id
JOIN LATERAL (SELECT CASE WHEN mod(n, 400) BETWEEN 380 AND 385 THEN 'G' || n / 400
    WHEN mod(n, 400) >= 390 THEN 'X' || n ELSE 'W' || mod(n, %(workers)s) END AS code) x ON true
JOIN contracts_worker w ON w.code = x.code
JOIN contracts_provider p ON p.id = w.provider_id
CROSS JOIN generate_series(0, 19) j
JOIN LATERAL (SELECT d.day, mod(d.number, 25) = 0 AS full_hour, (d.day::timestamp
        + CASE WHEN w.code LIKE 'G%%' THEN 10 ELSE 7 + mod(n, 11) END * interval '1 hour'
        + CASE WHEN mod(d.number, 25) = 0 THEN 0 ELSE mod(d.number * 7 + (d.day - DATE '2025-11-01') * 3, 60) END
            * interval '1 minute') AT TIME ZONE 'Europe/Kyiv' AS starts_at
    FROM (SELECT DATE '2025-11-01' + j + CASE WHEN w.code LIKE 'G%%' THEN 0 ELSE mod(n, 10) END AS day,
        substr(w.code, 2)::int AS number) d) v ON true
JOIN contracts_service s ON s.code = CASE WHEN w.code LIKE 'G%%' THEN 'S9'
    WHEN mod(n, 400) BETWEEN 170 AND 172 AND j IN (4, 6, 18) THEN 'E0' ELSE 'S' || mod(n + mod(j, 2), 10) END;
CREATE INDEX ON visit (g);
ANALYZE visit;
UPDATE visit v SET day = p.day, starts_at = p.starts_at + interval '30 minutes',
    ends_at = p.ends_at + interval '30 minutes' FROM visit p WHERE p.g = v.g - 1 AND v.j = 9 AND mod(v.n, 4) = 2;
UPDATE visit v SET day = p.day, starts_at = p.starts_at, ends_at = p.ends_at
FROM visit p WHERE p.g = v.g - 2 AND v.j = 13 AND mod(v.n, 20) = 1;
UPDATE visit v SET starts_at = p.starts_at + interval '15 minutes', ends_at = p.ends_at + interval '15 minutes'
FROM visit p WHERE p.n = v.n + %(workers)s AND p.worker = v.worker AND p.day = v.day AND v.j = 7 AND mod(v.n, 25) = 2;
UPDATE visit SET ends_at = starts_at + interval '13 hours' WHERE j = 1 AND mod(n, 50) = 3;
UPDATE visit SET units = 9000, ends_at = starts_at + interval '9 hours' WHERE j = 1 AND mod(n, 50) = 4;
UPDATE visit SET units = 4000, ends_at = starts_at + interval '4 hours' WHERE mod(n, 500) = 5;
UPDATE visit SET day = '2025-10-31', starts_at = starts_at - (day - DATE '2025-10-31') * interval '1 day',
    ends_at = ends_at - (day - DATE '2025-10-31') * interval '1 day' WHERE j = 5 AND mod(n, 50) = 25;
INSERT INTO vouchers_redemption (organisation_id, code, channel, certificate_number, provider_code, worker_code,
    service_code, certificate_id, provider_id, worker_id, service_id, starts_at, ends_at, units_milli, recorded_at,
    status)
SELECT o.id, 'V' || g, CASE WHEN mod(g, 3) = 0 THEN 'online' ELSE 'reported' END, certificate_number, provider_code,
    worker_code, service_code, certificate, provider, worker, service, starts_at, ends_at, units, '2025-12-01',
    CASE WHEN mod(g, 200) = 11 THEN 'voided' ELSE 'confirmed' END
FROM visit, accounts_organisation o;
ANALYZE visit;
ANALYZE vouchers_redemption
"""

# What the claims say of them, with their mistakes; codes that nobody knows lead nowhere.
_LINES = """
CREATE TEMP TABLE told AS
SELECT v.*, CASE WHEN mod(g, 1000) = 709 THEN '' WHEN mod(g, 1000) = 309 THEN 'V?' || g
        WHEN mod(g, 400) = 233 THEN 'V' || g - 1 ELSE 'V' || g END AS redemption_code,
    CASE WHEN mod(g, 2000) = 3 THEN 'C?' || n ELSE certificate_number END AS certificate_told,
    CASE WHEN mod(g, 2000) = 404 THEN 'S?' ELSE service_code END AS service_told,
    CASE WHEN mod(g, 2000) = 804 THEN 'W?' || n
        WHEN mod(g, 2000) = 1204 THEN 'W' || mod(n + 1, %(workers)s) ELSE worker_code END AS worker_told
FROM visit v;
INSERT INTO settlement_claimline (claim_id, line, redemption_code, certificate_number, service_code, service_date,
    starts_at, ends_at, worker_code, units_milli, unit_rate_e4, amount_e4, redemption_id, certificate_id, service_id,
    worker_id)
SELECT k.id, row_number() OVER (PARTITION BY k.id ORDER BY g), v.redemption_code, v.certificate_told, v.service_told,
    v.day, v.starts_at, v.ends_at, v.worker_told, v.units, v.rate,
    (v.units * v.rate::bigint + 50000) / 100000 * 100 + CASE WHEN mod(v.g, 200) = 137 THEN 100 ELSE 0 END,
    r.id, c.id, s.id, w.id
FROM told v JOIN settlement_claim k ON k.provider_id = v.provider AND k.period = '2025-11-01' AND k.number
    = CASE WHEN v.provider_code = 'Q6' AND v.j >= 10 THEN 'B-' ELSE 'A-' END || v.provider_code
LEFT JOIN vouchers_redemption r ON r.code = v.redemption_code
LEFT JOIN vouchers_certificate c ON c.number = v.certificate_told
LEFT JOIN contracts_service s ON s.code = v.service_told
LEFT JOIN contracts_worker w ON w.code = v.worker_told;
DROP TABLE told;
ANALYZE settlement_claimline
"""


def generate_month(lines: int, *, before: Callable[[], None] | None = None) -> None:
    """Fill an empty, migrated database with a month of ``lines`` claim lines and look at its statistics.

    ``before``: settles the small month before, which is generated only then; a claim of it is taken back in this one.
    """
    sizes = {"lines": lines, "people": lines // 20, "workers": max(lines // 120, 40)}
    _execute(_REGISTERS, sizes)
    if before:
        _execute(month_before.CLAIMS, sizes)
        before()
        _execute(month_before.DECISIONS, sizes)
        before()
    _execute(_VISITS, sizes)
    _execute(_LINES, sizes)
    _execute(month_facts.FACTS, sizes)
    if before:
        _execute(month_before.REVERSAL, sizes)
    _execute("DROP TABLE visit; DROP TABLE person; ANALYZE", {})


def _execute(statements: str, sizes: dict[str, int]) -> None:
    with connection.cursor() as cursor:
        for statement in statements.split(";\n"):
            cursor.execute(statement, sizes)
