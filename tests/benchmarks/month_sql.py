"""A generated municipality and month, by INSERT .. SELECT: visits spread evenly, one in thirteen with a fault.

The faults: a rate above the contract (1 in 25), units that are no whole steps (1 in 50), an amount that is not units
times rate and a visit that was voided (1 in 200 each). Every second certificate has money set aside.
"""

from __future__ import annotations

from django.db import connection

# lines: visits; recipients get 20 visits each, workers 120, ten services, forty providers.
_STATEMENTS = """
INSERT INTO accounts_organisation (code, name, jurisdiction, currency, zone, registration_code, iban, clock_offset,
    is_demo, other_ibans) VALUES ('bench', 'Bench', 'UA', 'UAH', 'Europe/Kyiv', '', '', '0', false, '[]');
INSERT INTO contracts_budgetline (organisation_id, code, year, name, programme, economic_code, source, amount,
    amount_currency) SELECT id, 'B1', 2025, '', '', '', '', 99999999999.00, 'UAH' FROM accounts_organisation;
INSERT INTO contracts_service (organisation_id, code, name_uk, name_ru, name_en, level, form, unit, granularity,
    units_per_day_max, basic, free_for_all, one_off, cpv, provisional)
SELECT o.id, 'S' || g, 'S', '', '', 'simple', 'home', 'hour', 0.25, 8, false, false, false, '', false
FROM accounts_organisation o, generate_series(0, 9) g;
INSERT INTO contracts_normcost (organisation_id, service_id, recipient_class, unit_rate, valid_from, act, formula_id,
    inputs, steps, recorded_at, status)
SELECT organisation_id, id, '', 96.54, '2025-01-01', '', '', '{}', '[]', '2025-01-01', 'approved'
FROM contracts_service;
INSERT INTO contracts_provider (code, name, sector, iban, registration_code, vat_payer)
SELECT 'P' || g, 'P', 'private', '', '', false FROM generate_series(0, 39) g;
INSERT INTO contracts_contract (organisation_id, number, provider_id, budget_line_id, basis, title, valid_from, ceiling,
    ceiling_currency, status)
SELECT b.organisation_id, 'K' || p.code, p.id, b.id, 'register', '', '2025-01-01', 9999999999, 'UAH', 'active'
FROM contracts_provider p, contracts_budgetline b;
INSERT INTO contracts_contractline (contract_id, service_id, unit_rate, amendment, recorded_at)
SELECT c.id, s.id, 95, '', '2025-01-01' FROM contracts_contract c, contracts_service s;
INSERT INTO contracts_worker (code, provider_id, name)
SELECT 'W' || g, p.id, '' FROM generate_series(0, GREATEST(%(lines)s / 120, 40) - 1) g
JOIN contracts_provider p ON p.code = 'P' || g %% 40;
INSERT INTO contracts_workerqualification (worker_id, service_id, valid_from, recorded_at)
SELECT w.id, s.id, '2024-01-01', '2025-01-01' FROM contracts_worker w, contracts_service s;
INSERT INTO vouchers_recipient (organisation_id, code, name, name_index, tax_id, tax_id_index, phone, address,
    free_category, registered_at)
SELECT o.id, 'R' || g, '', '', '', '', '', '', '', '2025-01-01'
FROM accounts_organisation o, generate_series(0, %(lines)s / 20 - 1) g;
INSERT INTO vouchers_recipientresidence (recipient_id, recipient_class, valid_from, recorded_at)
SELECT id, '', '2025-01-01', '2025-01-01' FROM vouchers_recipient;
INSERT INTO vouchers_feeassessment (recipient_id, mode, monthly_limit, valid_from, decision, formula_id, inputs,
    parameters, steps, recorded_at)
SELECT id, 'D', 500, '2025-01-01', '', '', '{}', '[]', '[]', '2025-01-01' FROM vouchers_recipient;
INSERT INTO vouchers_planline (recipient_id, service_id, units_per_month, valid_from, recorded_at)
SELECT r.id, s.id, 12, '2025-01-01', '2025-01-01' FROM vouchers_recipient r JOIN contracts_service s
ON s.code IN ('S' || substr(r.code, length(r.code)), 'S' || (substr(r.code, length(r.code))::int + 1) %% 10);
INSERT INTO vouchers_certificate (organisation_id, number, recipient_id, valid_from, pin_hash, pin_failures,
    reserved_minor, budget_line_id, status)
SELECT r.organisation_id, 'C' || r.code, r.id, '2025-01-01', '', 0, CASE WHEN r.id %% 2 = 0 THEN 0 ELSE 1930800 END,
    CASE WHEN r.id %% 2 = 0 THEN NULL ELSE b.id END, 'active'
FROM vouchers_recipient r, contracts_budgetline b;
INSERT INTO contracts_budgetentry (budget_line_id, kind, amount_minor, label, occurred_on, recorded_at)
SELECT budget_line_id, 'reservation', reserved_minor, 'vouchers.certificate:' || id, '2025-01-01', '2025-01-01'
FROM vouchers_certificate WHERE reserved_minor > 0;
INSERT INTO vouchers_certificateline (certificate_id, service_id, units)
SELECT c.id, p.service_id, 100 FROM vouchers_certificate c JOIN vouchers_planline p ON p.recipient_id = c.recipient_id;
INSERT INTO vouchers_certificateentry (certificate_line_id, kind, units_milli, occurred_at, recorded_at)
SELECT id, 'issued', (units * 1000)::bigint, '2025-01-01', '2025-01-01' FROM vouchers_certificateline;
INSERT INTO settlement_claim (organisation_id, number, provider_id, contract_number, contract_id, period, submitted_at,
    recorded_at, status)
SELECT c.organisation_id, 'A-' || p.code, p.id, c.number, c.id, '2025-11-01', '2025-12-03 10:00+02', '2025-12-03',
    'submitted'
FROM contracts_contract c JOIN contracts_provider p ON p.id = c.provider_id;

CREATE TEMP TABLE visit AS
SELECT g, r.id AS recipient, c.id AS certificate, c.number AS certificate_number, s.id AS service,
    s.code AS service_code, w.id AS worker, w.code AS worker_code, w.provider_id AS provider, p.code AS provider_code,
    DATE '2025-11-01' + (g %% 20) + (g / 20 %% 10) AS day,
    ((DATE '2025-11-01' + (g %% 20) + (g / 20 %% 10))::timestamp + interval '7 hours'
        + (g / 20 %% 11) * interval '1 hour') AT TIME ZONE 'Europe/Kyiv' AS starts_at,
    CASE WHEN g %% 50 = 7 THEN 1100 ELSE 1000 END AS units,
    CASE WHEN g %% 25 = 3 THEN 980000 ELSE 950000 END AS rate
FROM generate_series(0, %(lines)s - 1) g
JOIN vouchers_recipient r ON r.code = 'R' || g / 20
JOIN vouchers_certificate c ON c.recipient_id = r.id
JOIN contracts_service s ON s.code = 'S' || (g / 20 + g %% 2) %% 10
JOIN contracts_worker w ON w.code = 'W' || (g / 20) %% GREATEST(%(lines)s / 120, 40)
JOIN contracts_provider p ON p.id = w.provider_id;
INSERT INTO vouchers_redemption (organisation_id, code, channel, certificate_number, provider_code, worker_code,
    service_code, certificate_id, provider_id, worker_id, service_id, starts_at, ends_at, units_milli, recorded_at,
    status)
SELECT o.id, 'V' || g, 'reported', certificate_number, provider_code, worker_code, service_code, certificate, provider,
    worker, service, starts_at, starts_at + interval '1 hour', units, '2025-12-01',
    CASE WHEN g %% 200 = 11 THEN 'voided' ELSE 'confirmed' END
FROM visit, accounts_organisation o;
INSERT INTO settlement_claimline (claim_id, line, redemption_code, certificate_number, service_code, service_date,
    starts_at, ends_at, worker_code, units_milli, unit_rate_e4, amount_e4, redemption_id, certificate_id, service_id,
    worker_id)
SELECT k.id, row_number() OVER (PARTITION BY k.id ORDER BY g), r.code, v.certificate_number, v.service_code, v.day,
    v.starts_at, v.starts_at + interval '1 hour', v.worker_code, v.units, v.rate,
    (v.units * v.rate::bigint + 50000) / 100000 * 100 + CASE WHEN v.g %% 200 = 137 THEN 100 ELSE 0 END,
    r.id, v.certificate, v.service, v.worker
FROM visit v JOIN settlement_claim k ON k.provider_id = v.provider JOIN vouchers_redemption r ON r.code = 'V' || v.g;
DROP TABLE visit;
"""


def generate_month(lines: int) -> None:
    """Fill an empty, migrated database with a month of ``lines`` claim lines and look at its statistics."""
    with connection.cursor() as cursor:
        for statement in _STATEMENTS.split(";\n"):
            if statement.strip():
                cursor.execute(statement, {"lines": lines})
        cursor.execute("ANALYZE")
