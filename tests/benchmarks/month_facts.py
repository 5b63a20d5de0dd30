"""What is recorded beside the visits of the generated month, a few of each kind (see ``month_sql``).

n is the number of a recipient, g of a visit; the small providers Q0 to Q9 have one particular matter each.
"""

from __future__ import annotations

FACTS = """
INSERT INTO vouchers_absence (recipient_id, kind, from_date, to_date, recorded_at)
SELECT id, CASE WHEN mod(n, 200) = 60 THEN 'hospital' ELSE 'away' END,
    CASE WHEN mod(n, 200) = 60 THEN DATE '2025-11-10' ELSE DATE '2025-11-18' END,
    CASE WHEN mod(n, 200) = 60 THEN DATE '2025-11-16' ELSE DATE '2025-11-21' END, '2025-12-01'
FROM person WHERE mod(n, 200) IN (60, 61);
INSERT INTO vouchers_certificatesuspension (certificate_id, from_date, to_date, reason, recorded_at)
SELECT c.id, '2025-11-10', '2025-11-15', '', '2025-12-01'
FROM person r JOIN vouchers_certificate c ON c.recipient_id = r.id WHERE mod(n, 300) = 100;
INSERT INTO vouchers_otherfunding (recipient_id, service_id, source, reference, valid_from, recorded_at)
SELECT r.id, s.id, 'grant', 'F', '2025-11-15', '2025-12-01'
FROM person r JOIN contracts_service s ON s.code = 'S' || mod(n, 10) WHERE mod(n, 300) = 20;
INSERT INTO contracts_serviceincompatibility (service_id, other_id, reason, recorded_at)
SELECT s.id, o.id, 'F', '2025-01-01' FROM contracts_service s, contracts_service o
WHERE s.code = 'S4' AND o.code = 'S5';
INSERT INTO vouchers_emergencycase (recipient_id, service_id, began_on, act_on, recorded_at)
SELECT r.id, s.id, '2025-11-04', CASE mod(n, 400) WHEN 171 THEN DATE '2025-11-05' WHEN 172 THEN DATE '2025-11-12' END,
    '2025-12-01' FROM person r, contracts_service s WHERE s.code = 'E0' AND mod(n, 400) BETWEEN 170 AND 172;
INSERT INTO vouchers_visitscan (redemption_id, scanned_at, latitude_e5, longitude_e5, distance_m, recorded_at)
SELECT r.id, v.starts_at + CASE WHEN mod(g, 600) = 150 THEN interval '30 hours' ELSE interval '5 minutes' END,
    5045000 + mod(n * 37, 900) + CASE WHEN mod(g, 600) = 450 THEN 90000 ELSE 0 END, 3052000 + mod(n * 53, 900),
    CASE WHEN mod(g, 600) = 300 THEN 2500 ELSE 20 + mod(g, 90) END, '2025-12-01'
FROM visit v JOIN vouchers_redemption r ON r.code = 'V' || v.g WHERE mod(g, 3) = 0;
INSERT INTO vouchers_visitcomplaint (redemption_id, text, answer, answered_at, recorded_at)
SELECT r.id, 'T', CASE WHEN mod(g, 1500) = 78 THEN 'A' ELSE '' END,
    CASE WHEN mod(g, 1500) = 78 THEN TIMESTAMPTZ '2025-12-02' END, '2025-12-01'
FROM visit v JOIN vouchers_redemption r ON r.code = 'V' || v.g WHERE mod(g, 1500) IN (77, 78);
INSERT INTO contracts_requiredevidence (service_id, valid_from, recorded_at)
SELECT id, '2025-11-15', '2025-01-01' FROM contracts_service WHERE code = 'S1';
INSERT INTO office_attachment (label, kind, name, content_type, size, sha256, uploaded_at, organisation_id)
SELECT 'settlement.claim:' || id, 'signed_act', 'act.pdf', 'application/pdf', 1, md5(number), '2025-12-01',
    organisation_id FROM settlement_claim WHERE number NOT IN ('A-P1', 'A-Q1') AND period = '2025-11-01';
INSERT INTO settlement_clearance (run, check_code, decided_by, reason, recorded_at, claim_line_id, organisation_id,
    given)
SELECT 1, 'CLM-11', 'A person', 'Seen', '2025-12-03', l.id, k.organisation_id, true
FROM visit v JOIN vouchers_redemption r ON r.code = 'V' || v.g JOIN settlement_claimline l ON l.redemption_id = r.id
JOIN settlement_claim k ON k.id = l.claim_id WHERE mod(g, 400) = 11;
INSERT INTO settlement_feereport (claim_id, recipient_id, collected_minor, recorded_at)
SELECT k.id, v.recipient, CASE WHEN mod(n, 200) = 67 THEN 3000 WHEN mod(n, 10) = 7 THEN 0
    WHEN mod(n, 200) = 31 THEN 60000 WHEN mod(n, 200) = 51 THEN 45000 ELSE 50000 END, '2025-12-02'
FROM (SELECT DISTINCT recipient, n, provider FROM visit WHERE mod(n, 20) IN (7, 11)) v
JOIN settlement_claim k ON k.provider_id = v.provider AND k.number LIKE 'A-%%';
INSERT INTO settlement_claimdeclaration (claim_id, document_number, total_minor, vat_minor, recorded_at)
SELECT k.id, CASE p.code WHEN 'Q6' THEN 'INV-6' ELSE k.number END,
    (SELECT sum(l.amount_e4) / 100 FROM settlement_claimline l WHERE l.claim_id = k.id)
        + CASE p.code WHEN 'Q2' THEN 10000 WHEN 'Q3' THEN 3 ELSE 0 END,
    CASE p.code WHEN 'Q1' THEN 20000 ELSE 0 END, '2025-12-02'
FROM settlement_claim k JOIN contracts_provider p ON p.id = k.provider_id
WHERE p.code LIKE 'Q%%' AND k.period = '2025-11-01';
INSERT INTO contracts_grantitem (contract_id, service_id, amount, valid_from, valid_to, recorded_at)
SELECT c.id, s.id, %(lines)s / 8000 * 700, '2025-11-01', CASE s.code WHEN 'S1' THEN DATE '2025-11-16' END, '2025-11-01'
FROM contracts_contract c, contracts_service s WHERE c.number = 'KQ0' AND s.code IN ('S0', 'S1');
INSERT INTO accounts_user (password, is_superuser, username, first_name, last_name, email, is_staff, is_active,
    date_joined, display_name, language)
SELECT '', false, name, '', '', '', false, false, '2025-01-01', '', 'en' FROM unnest(ARRAY['bench', 'bench-2']) name;
INSERT INTO contracts_milestone (contract_id, status, code, title, due_date, tranche_currency, tranche)
SELECT c.id, 'scheduled', 'M' || g, 'M', '2025-11-30', 'UAH', %(lines)s / 8000 * 450
FROM contracts_contract c, generate_series(1, 3) g WHERE c.number = 'KQ0';
INSERT INTO contracts_milestonenote (milestone_id, kind, text, recorded_at, written_by_id)
SELECT m.id, 'met', '', '2025-11-20', u.id FROM contracts_milestone m, accounts_user u
WHERE u.username = 'bench' AND m.code IN ('M1', 'M2');
INSERT INTO settlement_restoredterm (claim_id, status, reason, submitted_at, proposed_by_id, proposed_at, answer)
SELECT k.id, 'proposed', 'Flood', k.submitted_at, u.id, '2025-12-04', '' FROM settlement_claim k, accounts_user u
WHERE k.number = 'A-Q4' AND u.username = 'bench';
UPDATE settlement_restoredterm t SET status = 'confirmed', decided_by_id = u.id, decided_at = '2025-12-05',
    counts_as_submitted_at = '2025-12-03 23:59:59+02' FROM accounts_user u WHERE u.username = 'bench-2';
INSERT INTO settlement_advancestanding (organisation_id, period, run, contract_id, outstanding_minor, given,
    recorded_at)
SELECT organisation_id, '2025-11-01', 1, id, 2000000, true, '2025-12-01' FROM contracts_contract WHERE number = 'KP6';
INSERT INTO contracts_provideraccount (provider_id, iban, since, recorded_at)
SELECT id, 'UA', '2025-11-20', '2025-11-20' FROM contracts_provider WHERE code = 'Q3';
INSERT INTO contracts_providerschedule (provider_id, days_off, valid_from, recorded_at)
SELECT id, 96, '2025-01-01', '2025-01-01' FROM contracts_provider WHERE code IN ('Q4', 'P7');
INSERT INTO vouchers_statetask (provider_id, service_id, recipient_id, reference, valid_from, recorded_at)
SELECT p.id, s.id, NULL::bigint, 'T', DATE '2025-01-01', TIMESTAMPTZ '2025-01-01'
FROM contracts_provider p, contracts_service s WHERE p.code = 'Q5' AND s.code = 'S5'
UNION ALL
SELECT p.id, s.id, r.id, 'T', '2025-01-01', '2025-01-01' FROM contracts_provider p, contracts_service s, person r
WHERE p.code = 'Q5' AND s.code = 'S6' AND mod(r.n, 800) = 395;
INSERT INTO contracts_providersuspension (provider_id, from_date, to_date, reason, recorded_at)
SELECT id, '2025-11-20', '2025-11-25', '', '2025-12-01' FROM contracts_provider WHERE code = 'Q7';
INSERT INTO settlement_clawbackstanding (organisation_id, period, run, provider_id, outstanding_minor, given,
    recorded_at)
SELECT o.id, '2025-11-01', 1, p.id, 1000000, true, '2025-12-01' FROM accounts_organisation o, contracts_provider p
WHERE p.code = 'P5'
"""
