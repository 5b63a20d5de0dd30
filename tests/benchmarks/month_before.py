"""The small month before the generated one: a visit of every third recipient, decisions on it, one claim taken back."""

from __future__ import annotations

CLAIMS = """
INSERT INTO settlement_claim (organisation_id, number, provider_id, contract_number, contract_id, period, submitted_at,
    recorded_at, status, run)
SELECT c.organisation_id, 'O-' || p.code, p.id, c.number, c.id, '2025-10-01', '2025-11-02 10:00+02', '2025-11-02',
    'submitted', 1
FROM contracts_contract c JOIN contracts_provider p ON p.id = c.provider_id WHERE p.code LIKE 'P%%';
INSERT INTO vouchers_redemption (organisation_id, code, channel, certificate_number, provider_code, worker_code,
    service_code, certificate_id, provider_id, worker_id, service_id, starts_at, ends_at, units_milli, recorded_at,
    status)
SELECT r.organisation_id, 'U' || n, 'reported', c.number, p.code, w.code, s.code, c.id, p.id, w.id, s.id, v.starts_at,
    v.starts_at + interval '50 minutes', 1000, '2025-11-01',
    CASE WHEN mod(n, 60) = 12 THEN 'voided' ELSE 'confirmed' END
FROM person r JOIN vouchers_certificate c ON c.recipient_id = r.id
JOIN contracts_worker w ON w.code = 'W' || mod(n, %(workers)s)
JOIN contracts_provider p ON p.id = w.provider_id
JOIN contracts_service s ON s.code = 'S' || mod(n, 10)
JOIN LATERAL (SELECT ((DATE '2025-10-01' + mod(n, 28))::timestamp + (7 + mod(n, 11)) * interval '1 hour')
    AT TIME ZONE 'Europe/Kyiv' AS starts_at) v ON true
WHERE mod(n, 3) = 0 AND mod(n, 400) < 380;
INSERT INTO settlement_claimline (claim_id, line, redemption_code, certificate_number, service_code, service_date,
    starts_at, ends_at, worker_code, units_milli, unit_rate_e4, amount_e4, redemption_id, certificate_id, service_id,
    worker_id)
SELECT k.id, row_number() OVER (PARTITION BY k.id ORDER BY r.id), r.code, r.certificate_number, r.service_code,
    (r.starts_at AT TIME ZONE 'Europe/Kyiv')::date, r.starts_at, r.ends_at, r.worker_code, 1000, 950000, 950000,
    r.id, r.certificate_id, r.service_id, r.worker_id
FROM vouchers_redemption r JOIN settlement_claim k ON k.provider_id = r.provider_id AND k.number LIKE 'O-%%';
ANALYZE
"""

# Half of what waits is cleared, and judged again.
DECISIONS = """
INSERT INTO settlement_clearance (run, check_code, decided_by, reason, recorded_at, claim_line_id, organisation_id,
    given)
SELECT 2, 'CLM-11', 'A person', 'Seen', '2025-11-04', l.id, k.organisation_id, true
FROM settlement_finding f JOIN settlement_claimline l ON l.id = f.claim_line_id
JOIN settlement_claim k ON k.id = l.claim_id WHERE f.check_code = 'CLM-11' AND mod(l.id, 2) = 0
"""

REVERSAL = """
INSERT INTO settlement_claim (organisation_id, number, provider_id, contract_number, contract_id, period, submitted_at,
    recorded_at, status, reverses_id, run)
SELECT organisation_id, 'T-P3', provider_id, contract_number, contract_id, '2025-11-01', '2025-12-02 10:00+02',
    '2025-12-02', 'submitted', id, 1 FROM settlement_claim WHERE number = 'O-P3'
"""
