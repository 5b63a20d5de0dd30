"""Proof of the books: sub-ledgers, ledger, claims, payments and bank agree, or the first row that does not is named.

Every check is one query that returns the names of rows that disagree and what is wrong, in a fixed order.
"""

# ruff: noqa: S608  SQL is put together from names in this code.

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection

from config.office.seals import broken_seals
from settlement import advance_checks, book_checks, clearing_checks
from settlement.models.clawbacks import UPHELD
from settlement.models.clearing import CLEARED, GIVEN_UP
from settlement.models.statements import TAKEN


@dataclass(frozen=True)
class BookFault:
    """A row that disagrees: the check, the row's name, expected and found (minor units or thousandths)."""

    check: str
    row: str
    expected: str
    found: str

    @property
    def sentence(self) -> str:
        """For the console."""
        return f"{self.check}: {self.row}: expected {self.expected}, found {self.found}"


_ENTRIES = """
SELECT e.number, sum(p.debit)::text, sum(p.credit)::text
FROM settlement_entry e LEFT JOIN settlement_posting p ON p.entry_id = e.id
GROUP BY e.id, e.number, p.currency
HAVING count(p.id) = 0 OR sum(p.debit) <> sum(p.credit) ORDER BY e.id
"""
_ORPHANS = """
SELECT 'posting ' || p.id, 'an entry of its day and an account of its currency', p.entry_id || '/' || p.account_id
FROM settlement_posting p
LEFT JOIN settlement_entry e ON e.id = p.entry_id AND e.date = p.date
LEFT JOIN settlement_account a ON a.id = p.account_id AND a.currency = p.currency
WHERE e.id IS NULL OR a.id IS NULL OR (p.debit > 0) = (p.credit > 0) ORDER BY p.id
"""
_BUDGET_FREE = """
SELECT 'budget line ' || b.code || ' ' || b.year, 'at most ' || (b.amount * 100)::bigint, sum(n.amount_minor)::text
FROM contracts_budgetline b JOIN contracts_budgetentry n ON n.budget_line_id = b.id
GROUP BY b.id HAVING sum(n.amount_minor) > (b.amount * 100)::bigint ORDER BY b.id
"""
_SPENDING = """
SELECT 'budget line ' || b.code || ' ' || b.year, COALESCE(s.amount, 0)::text, COALESCE(l.amount, 0)::text
FROM contracts_budgetline b
LEFT JOIN (SELECT budget_line_id, sum(amount_minor) AS amount FROM contracts_budgetentry
           WHERE kind = 'spending' GROUP BY 1) s ON s.budget_line_id = b.id
LEFT JOIN (SELECT a.budget_line_id, sum(p.debit - p.credit) AS amount FROM settlement_posting p
           JOIN settlement_account a ON a.id = p.account_id JOIN settlement_entry e ON e.id = p.entry_id
           WHERE a.kind IN ('expense', 'fee') AND e.event NOT LIKE 'year.%' GROUP BY 1) l ON l.budget_line_id = b.id
WHERE COALESCE(s.amount, 0) <> COALESCE(l.amount, 0) ORDER BY b.id
"""
_SPENT_BY_CLAIM = f"""
SELECT COALESCE('claim ' || c.number, label), COALESCE(m.payable, 0)::text, COALESCE(s.spent, 0)::text
FROM (SELECT label, sum(amount_minor) AS spent FROM contracts_budgetentry WHERE kind = 'spending' GROUP BY 1) s
FULL JOIN (SELECT label, sum(payable) AS payable FROM (
           SELECT 'settlement.claim:' || claim_id AS label, payable + offsets AS payable FROM settlement_remittance
           UNION ALL SELECT 'settlement.clawbackcase:' || case_id, -upheld_minor
           FROM settlement_clawbackline WHERE upheld_minor > 0
           UNION ALL SELECT 'settlement.claim:' || claim_id, -due_minor FROM settlement_clearingitem
           WHERE run_id IS NOT NULL
           UNION ALL SELECT 'settlement.clawbackcase:' || x.case_id, -i.due_minor FROM settlement_clearingitem i
           JOIN settlement_clawbackline x ON x.id = i.clawback_line_id
           UNION ALL SELECT 'settlement.clearingrevision:' || revision_id, -due_minor FROM settlement_clearingitem
           WHERE revision_id IS NOT NULL
           UNION ALL SELECT 'settlement.claim:' || i.claim_id, i.due_minor FROM {GIVEN_UP} i
           UNION ALL SELECT 'settlement.clearingstatement:' || i.statement_id, i.due_minor FROM {CLEARED} i
           ) x GROUP BY label) m USING (label)
LEFT JOIN settlement_claim c ON label = 'settlement.claim:' || c.id
WHERE COALESCE(m.payable, 0) <> COALESCE(s.spent, 0) ORDER BY c.id, label
"""
_COMMITMENTS = """
SELECT COALESCE('contract ' || k.number, n.label), 'between 0 and ' || COALESCE((k.ceiling * 100)::bigint, 0),
    n.amount::text
FROM (SELECT label, sum(amount_minor) AS amount FROM contracts_budgetentry WHERE kind = 'commitment' GROUP BY 1) n
LEFT JOIN contracts_contract k ON n.label = 'contracts.contract:' || k.id
WHERE k.id IS NULL OR n.amount < 0 OR n.amount > COALESCE(k.ceiling * 100, 0) ORDER BY k.id, n.label
"""
_RESERVED_FOR = """
SELECT n.label, 'a certificate', n.amount::text
FROM (SELECT label, sum(amount_minor) AS amount FROM contracts_budgetentry WHERE kind = 'reservation' GROUP BY 1) n
LEFT JOIN vouchers_certificate c ON n.label = 'vouchers.certificate:' || c.id WHERE c.id IS NULL ORDER BY n.label
"""
# On a closed line nothing is promised, its accounts are empty, and what it did not spend is what went back.
_CLOSED_LINES = """
SELECT 'budget line ' || b.code || ' ' || b.year, '0/0/' || w.unspent,
    m.promised || '/' || p.posted || '/' || c.unspent_minor
FROM contracts_closedbudgetline c JOIN contracts_budgetline b ON b.id = c.budget_line_id
CROSS JOIN LATERAL (SELECT COALESCE(sum(abs(x.amount)), 0) AS promised FROM (
    SELECT sum(n.amount_minor) AS amount FROM contracts_budgetentry n
    WHERE n.budget_line_id = b.id AND n.kind <> 'spending' GROUP BY n.kind, n.label) x) m
CROSS JOIN LATERAL (SELECT (b.amount * 100)::bigint - COALESCE(sum(n.amount_minor), 0) AS unspent
    FROM contracts_budgetentry n WHERE n.budget_line_id = b.id AND n.kind = 'spending') w
CROSS JOIN LATERAL (SELECT COALESCE(sum(abs(x.amount)), 0) AS posted FROM (
    SELECT sum(p.debit - p.credit) AS amount FROM settlement_account a JOIN settlement_posting p ON p.account_id = a.id
    WHERE a.budget_line_id = b.id GROUP BY a.id) x) p
WHERE m.promised <> 0 OR p.posted <> 0 OR c.unspent_minor <> w.unspent ORDER BY b.id
"""
_RESULTS = """
SELECT 'year ' || y.year, s.spent::text, r.posted::text
FROM settlement_yearclosing y
CROSS JOIN LATERAL (SELECT COALESCE(sum(n.amount_minor), 0) AS spent FROM contracts_budgetentry n
    JOIN contracts_budgetline b ON b.id = n.budget_line_id
    WHERE b.organisation_id = y.organisation_id AND b.year = y.year AND n.kind = 'spending') s
CROSS JOIN LATERAL (SELECT COALESCE(sum(p.debit - p.credit), 0) AS posted FROM settlement_account a
    JOIN settlement_posting p ON p.account_id = a.id
    WHERE a.organisation_id = y.organisation_id AND a.code = 'result:' || y.year) r
WHERE y.status = 'approved' AND s.spent <> r.posted ORDER BY y.id
"""
# A live certificate reserves what its claims and agreed clearing have not spent; an ended one at most what it once did.
_RESERVATIONS = f"""
SELECT 'certificate ' || c.number, w.wanted::text, r.reserved::text
FROM vouchers_certificate c
CROSS JOIN LATERAL (SELECT COALESCE(sum(n.amount_minor), 0)::bigint AS reserved FROM contracts_budgetentry n
                    WHERE n.kind = 'reservation' AND n.label = 'vouchers.certificate:' || c.id) r
CROSS JOIN LATERAL (
    SELECT c.reserved_minor - LEAST(GREATEST(COALESCE(sum(x.payable), 0), 0), c.reserved_minor)::bigint AS wanted
    FROM (
        SELECT a.payable FROM settlement_claimline l JOIN settlement_adjudication a ON a.claim_line_id = l.id
        WHERE l.certificate_id = c.id
        UNION ALL
        SELECT i.due_minor FROM vouchers_certificate g JOIN {CLEARED} i ON i.certificate_id = g.id
        WHERE g.home_id = c.id) x
) w
WHERE c.budget_line_id IS NOT NULL AND CASE
    WHEN c.status IN ('issued', 'active', 'suspended', 'exhausted') THEN r.reserved <> w.wanted
    ELSE r.reserved < 0 OR r.reserved > c.reserved_minor END
ORDER BY c.id
"""
_BALANCES = """
SELECT 'certificate ' || c.number || ' ' || s.code, 'between 0 and ' || (l.units * 1000)::bigint,
    sum(n.units_milli)::text
FROM vouchers_certificateentry n JOIN vouchers_certificateline l ON l.id = n.certificate_line_id
JOIN vouchers_certificate c ON c.id = l.certificate_id JOIN contracts_service s ON s.id = l.service_id
GROUP BY l.id, c.id, s.id HAVING sum(n.units_milli) < 0 OR sum(n.units_milli) > (l.units * 1000)::bigint ORDER BY l.id
"""
# An imported use may have been larger than the balance that was left; then it took the balance.
_CAPTURED = """
SELECT 'redemption ' || r.code, CASE WHEN r.status <> 'confirmed' THEN '0' WHEN r.authorised_milli IS NULL
    THEN 'between ' || -r.units_milli || ' and 0' ELSE (-r.units_milli)::text END, sum(n.units_milli)::text
FROM vouchers_redemption r JOIN vouchers_certificateentry n ON n.redemption_id = r.id
WHERE r.channel = 'online' AND r.status IN ('confirmed', 'voided', 'expired', 'reversed')
GROUP BY r.id
HAVING CASE WHEN r.status <> 'confirmed' THEN sum(n.units_milli) <> 0
    WHEN r.authorised_milli IS NULL THEN sum(n.units_milli) NOT BETWEEN -r.units_milli AND 0
    ELSE sum(n.units_milli) <> -r.units_milli END
ORDER BY r.id
"""
_LINES = """
SELECT 'claim ' || c.number || ' line ' || l.line || ' run ' || r.number, (a.amount_claimed - a.gross)::text,
    COALESCE(f.taken, 0)::text
FROM settlement_adjudication a
JOIN settlement_adjudicationrun r ON r.id = a.run_id
JOIN settlement_claimline l ON l.id = a.claim_line_id JOIN settlement_claim c ON c.id = a.claim_id
LEFT JOIN (SELECT run_id, claim_line_id, sum(amount) AS taken FROM settlement_finding GROUP BY 1, 2) f
    ON f.run_id = a.run_id AND f.claim_line_id = a.claim_line_id
WHERE a.reverses_id IS NULL AND a.amount_claimed - a.gross <> COALESCE(f.taken, 0) ORDER BY a.id
"""
_REMITTANCES = """
SELECT 'claim ' || c.number || ' run ' || r.number, COALESCE(s.figures, '0/0/0'),
    COALESCE(m.gross || '/' || m.fee || '/' || m.payable, '0/0/0')
FROM (
    SELECT run_id, claim_id, sum(gross) || '/' || sum(fee) || '/' || sum(payable) AS figures
    FROM settlement_adjudication GROUP BY 1, 2
) s
FULL JOIN settlement_remittance m ON m.run_id = s.run_id AND m.claim_id = s.claim_id
JOIN settlement_claim c ON c.id = COALESCE(s.claim_id, m.claim_id)
JOIN settlement_adjudicationrun r ON r.id = COALESCE(s.run_id, m.run_id)
WHERE COALESCE(s.figures, '0/0/0') <> COALESCE(m.gross || '/' || m.fee || '/' || (m.payable + m.offsets), '0/0/0')
ORDER BY c.id, r.id
"""
_RUNS = """
SELECT 'run ' || r.period || '/' || r.number, r.gross_minor || '/' || r.fee_minor || '/' || r.payable_minor,
    COALESCE(sum(m.gross), 0) || '/' || COALESCE(sum(m.fee), 0) || '/' || COALESCE(sum(m.payable), 0)
FROM settlement_adjudicationrun r LEFT JOIN settlement_remittance m ON m.run_id = r.id WHERE r.status = 'done'
GROUP BY r.id
HAVING (r.gross_minor, r.fee_minor, r.payable_minor)
    <> (COALESCE(sum(m.gross), 0), COALESCE(sum(m.fee), 0), COALESCE(sum(m.payable), 0)) ORDER BY r.id
"""
_PAYABLES = """
SELECT 'claim ' || c.number, COALESCE(m.payable, 0)::text, COALESCE(p.posted, 0)::text
FROM settlement_claim c
LEFT JOIN (SELECT claim_id, sum(payable) AS payable FROM settlement_remittance GROUP BY 1) m ON m.claim_id = c.id
LEFT JOIN (SELECT p.claim_id, sum(p.credit - p.debit) AS posted FROM settlement_posting p
           JOIN settlement_account a ON a.id = p.account_id
           WHERE a.kind = 'payable' AND p.claim_id IS NOT NULL GROUP BY 1) p ON p.claim_id = c.id
WHERE COALESCE(m.payable, 0) <> COALESCE(p.posted, 0) ORDER BY c.id
"""
_PAID = """
SELECT 'payment ' || y.reference, (y.amount * 100)::bigint::text, COALESCE(sum(m.payable), 0)::text
FROM settlement_payment y
LEFT JOIN (SELECT i.payment_id, m.payable FROM settlement_paymentremittance i
           JOIN settlement_remittance m ON m.id = i.remittance_id
           UNION ALL SELECT i.payment_id, b.amount_minor FROM settlement_paymentadvance i
           JOIN settlement_advance b ON b.id = i.advance_id) m ON m.payment_id = y.id
GROUP BY y.id HAVING (y.amount * 100)::bigint <> COALESCE(sum(m.payable), 0) ORDER BY y.id
"""
# What the bank moved for a payment: less than its amount until confirmed (it may leave in parts), its amount once
# confirmed, nothing in sum when returned.
_BANK = """
SELECT 'payment ' || y.reference, w.wanted::text, COALESCE(b.moved, 0) || ' at the bank, ' || COALESCE(p.posted, 0)
    || ' in the ledger'
FROM settlement_payment y
LEFT JOIN (SELECT payment_id, -sum(amount_minor) AS moved
           FROM settlement_match GROUP BY 1) b ON b.payment_id = y.id
CROSS JOIN LATERAL (SELECT CASE WHEN y.status = 'confirmed' THEN (y.amount * 100)::bigint
    WHEN y.status = 'sent' AND b.moved BETWEEN 0 AND y.amount * 100 - 1 THEN b.moved ELSE 0 END AS wanted) w
LEFT JOIN (SELECT p.payment_id, sum(p.credit - p.debit) AS posted FROM settlement_posting p
           JOIN settlement_account a ON a.id = p.account_id
           WHERE a.kind = 'bank' AND p.payment_id IS NOT NULL GROUP BY 1) p ON p.payment_id = y.id
WHERE y.gateway <> 'stripe' AND (COALESCE(p.posted, 0) <> w.wanted OR COALESCE(b.moved, 0) <> w.wanted) ORDER BY y.id
"""
# The same for what went by Stripe: it left the balance of card payments, and no bank line is about it.
_TRANSFERS = """
SELECT 'payment ' || y.reference, w.wanted::text, COALESCE(p.posted, 0)::text
FROM settlement_payment y
CROSS JOIN LATERAL (SELECT CASE y.status WHEN 'confirmed' THEN (y.amount * 100)::bigint ELSE 0 END AS wanted) w
LEFT JOIN (SELECT p.payment_id, sum(p.credit - p.debit) AS posted FROM settlement_posting p
           JOIN settlement_account a ON a.id = p.account_id
           WHERE a.kind = 'card' AND p.payment_id IS NOT NULL GROUP BY 1) p ON p.payment_id = y.id
WHERE y.gateway = 'stripe' AND COALESCE(p.posted, 0) <> w.wanted ORDER BY y.id
"""
# What a recipient still owes by a notice: charged, less received, and again what was given back.
_FEES = """
SELECT 'fee notice ' || n.number, w.wanted::text, COALESCE(p.posted, 0)::text
FROM settlement_feenotice n
CROSS JOIN LATERAL (
    SELECT (SELECT COALESCE(sum(f.amount_minor), 0) FROM settlement_feecharge f WHERE f.notice_id = n.id)
        - (SELECT COALESCE(sum(r.amount_minor), 0) FROM settlement_feereceipt r WHERE r.notice_id = n.id)
        + (SELECT COALESCE(sum(b.amount_minor), 0) FROM settlement_feerefund b
           JOIN settlement_feereceipt r ON r.id = b.receipt_id
           WHERE r.notice_id = n.id AND b.status = 'refunded') AS wanted
) w
LEFT JOIN (SELECT e.label, sum(p.debit - p.credit) AS posted FROM settlement_posting p
           JOIN settlement_entry e ON e.id = p.entry_id JOIN settlement_account a ON a.id = p.account_id
           WHERE a.kind = 'receivable' GROUP BY 1) p ON p.label = 'settlement.feenotice:' || n.id
WHERE COALESCE(p.posted, 0) <> w.wanted ORDER BY n.id
"""
_FEE_REFUNDS = """
SELECT 'receipt of fee notice ' || n.number || ' of ' || r.received_on, 'at most ' || r.amount_minor
    + COALESCE(max(u.amount_minor), 0), sum(b.amount_minor)::text
FROM settlement_feerefund b JOIN settlement_feereceipt r ON r.id = b.receipt_id
JOIN settlement_feenotice n ON n.id = r.notice_id LEFT JOIN settlement_feereceipt u ON u.undoes_id = r.id
WHERE b.status NOT IN ('refused', 'failed')
GROUP BY r.id, n.id HAVING sum(b.amount_minor) > r.amount_minor + COALESCE(max(u.amount_minor), 0) ORDER BY r.id
"""
# What is still owed of a case: upheld, less what came back. Its state says whether that is something.
_CLAWBACKS = f"""
SELECT 'clawback ' || k.number || ' ' || k.status, (w.upheld - w.back)::text, COALESCE(p.posted, 0)::text
FROM settlement_clawbackcase k
CROSS JOIN LATERAL (SELECT {UPHELD} AS upheld,
    (SELECT COALESCE(sum(r.amount_minor), 0) FROM settlement_clawbackrecovery r WHERE r.case_id = k.id) AS back) w
LEFT JOIN (SELECT e.label, sum(p.debit - p.credit) AS posted FROM settlement_posting p
           JOIN settlement_entry e ON e.id = p.entry_id JOIN settlement_account a ON a.id = p.account_id
           WHERE a.kind = 'recovery' GROUP BY 1) p ON p.label = 'settlement.clawbackcase:' || k.id
WHERE COALESCE(p.posted, 0) <> w.upheld - w.back OR (k.status = 'decided') <> (w.upheld > w.back) ORDER BY k.id
"""
# No line gives back more than was paid for it, reversals taken off.
_CLAWBACK_LINES = """
SELECT 'claim ' || c.number || ' line ' || l.line, 'at most ' || p.paid, x.taken::text
FROM (SELECT claim_line_id, sum(COALESCE(upheld_minor, amount_minor)) AS taken FROM settlement_clawbackline
      GROUP BY 1) x
JOIN settlement_claimline l ON l.id = x.claim_line_id JOIN settlement_claim c ON c.id = l.claim_id
CROSS JOIN LATERAL (SELECT COALESCE(sum(a.payable), 0) AS paid FROM settlement_adjudication a
                    WHERE a.claim_line_id = l.id) p
WHERE x.taken > p.paid ORDER BY l.id
"""
# What a remittance kept back is what it used of advances and what its cases got of it, unless the debt came with a
# package; and of the rest never more than the provider had to give back when the run began.
_ADVANCED = """SELECT remittance_id, sum(amount_minor) AS used FROM settlement_advanceuse GROUP BY 1"""
_OFFSETS = f"""
SELECT 'claim ' || c.number || ' run ' || r.number, (COALESCE(b.taken, 0) + COALESCE(u.used, 0))::text, m.offsets::text
FROM settlement_remittance m LEFT JOIN ({_ADVANCED}) u ON u.remittance_id = m.id
JOIN settlement_adjudicationrun r ON r.id = m.run_id JOIN settlement_claim c ON c.id = m.claim_id
LEFT JOIN settlement_clawbackstanding s ON s.organisation_id = r.organisation_id AND s.period = r.period
    AND s.run = r.number AND s.provider_id = m.provider_id
LEFT JOIN (SELECT remittance_id, sum(amount_minor) AS taken FROM settlement_clawbackrecovery
           WHERE remittance_id IS NOT NULL GROUP BY 1) b ON b.remittance_id = m.id
WHERE s.given IS NOT TRUE AND m.offsets <> COALESCE(b.taken, 0) + COALESCE(u.used, 0)
UNION ALL
SELECT 'provider ' || v.code || ' run ' || r.number, 'at most ' || COALESCE(max(s.outstanding_minor), 0),
    sum(m.offsets - COALESCE(u.used, 0))::text
FROM settlement_remittance m LEFT JOIN ({_ADVANCED}) u ON u.remittance_id = m.id
JOIN settlement_adjudicationrun r ON r.id = m.run_id JOIN contracts_provider v ON v.id = m.provider_id
LEFT JOIN settlement_clawbackstanding s ON s.organisation_id = r.organisation_id AND s.period = r.period
    AND s.run = r.number AND s.provider_id = m.provider_id
WHERE m.offsets <> COALESCE(u.used, 0) GROUP BY r.id, v.id
HAVING sum(m.offsets - COALESCE(u.used, 0)) > COALESCE(max(s.outstanding_minor), 0)
ORDER BY 1
"""
# A correction says what its lines say, and once approved what its run and the entries of that run say.
_CORRECTIONS = """
SELECT 'correction ' || c.number, w.wanted, l.found || ' in lines' || CASE WHEN c.run_id IS NULL THEN '' ELSE ', '
    || m.found || ' in the run, ' || p.found || ' in the ledger' END
FROM settlement_correction c
CROSS JOIN LATERAL (SELECT c.gross_minor || '/' || c.fee_minor || '/' || c.payable_minor AS wanted) w
CROSS JOIN LATERAL (SELECT COALESCE(sum(x.gross_becomes - x.gross_was), 0) || '/'
    || COALESCE(sum(x.fee_becomes - x.fee_was), 0) || '/' || COALESCE(sum(x.payable_becomes - x.payable_was), 0)
    AS found FROM settlement_correctionline x WHERE x.correction_id = c.id) l
CROSS JOIN LATERAL (SELECT COALESCE(sum(m.gross), 0) || '/' || COALESCE(sum(m.fee), 0) || '/'
    || COALESCE(sum(m.payable + m.offsets), 0) AS found FROM settlement_remittance m WHERE m.run_id = c.run_id) m
CROSS JOIN LATERAL (SELECT COALESCE(sum(p.debit - p.credit) FILTER (WHERE a.kind IN ('expense', 'neighbour')), 0) || '/'
    || COALESCE(sum(p.credit - p.debit) FILTER (WHERE a.kind = 'fee'), 0) || '/'
    || COALESCE(sum(p.credit - p.debit) FILTER (WHERE a.kind = 'payable'), 0) AS found
    FROM settlement_remittance m
    JOIN settlement_entry e ON e.organisation_id = c.organisation_id AND e.key IN (
        'claim.adjudicated:' || m.run_id || ':' || m.claim_id, 'claim.reversed:' || m.run_id || ':' || m.claim_id)
    JOIN settlement_posting p ON p.entry_id = e.id JOIN settlement_account a ON a.id = p.account_id
    WHERE m.run_id = c.run_id) p
WHERE l.found <> w.wanted OR (c.run_id IS NOT NULL AND (m.found <> w.wanted OR p.found <> w.wanted)) ORDER BY c.id
"""
# Every corrected line is decided as its correction says, in the copy of its claim.
_CORRECTED = """
SELECT 'correction ' || c.number || ' claim ' || q.number || ' line ' || l.line,
    w.wanted, COALESCE(d.found, 'no decision')
FROM settlement_correctionline x
JOIN settlement_correction c ON c.id = x.correction_id AND c.run_id IS NOT NULL
JOIN settlement_claimline l ON l.id = x.claim_line_id JOIN settlement_claim q ON q.id = l.claim_id
CROSS JOIN LATERAL (SELECT concat_ws('/', x.outcome_becomes, x.units_becomes, x.rate_becomes, x.gross_becomes,
    x.fee_becomes, x.payable_becomes) AS wanted) w
LEFT JOIN LATERAL (
    SELECT concat_ws('/', a.outcome, a.units_allowed, a.rate_allowed, a.gross, a.fee, a.payable) AS found
    FROM settlement_correctionclaim k
    JOIN settlement_claimline n ON n.claim_id = k.new_claim_id AND n.line = l.line
    JOIN settlement_adjudication a ON a.claim_line_id = n.id AND a.run_id = c.run_id AND a.reverses_id IS NULL
    WHERE k.correction_id = c.id AND k.claim_id = l.claim_id) d ON true
WHERE d.found IS DISTINCT FROM w.wanted ORDER BY x.id
"""
# The closing balance of a statement is what the ledger holds at the end of its last day, with the lines that nobody has
# explained yet and without the lines of later statements of that day. Of an account the first that disagrees is named.
_CLOSING = f"""
WITH told AS (
    SELECT s.*, (s.to_date, COALESCE(s.sequence, 0), s.id) AS place FROM settlement_statement s
    WHERE (s.format LIKE 'camt.053%' OR s.format = 'MT940') AND s.status IN ('imported', 'reconciled')
      AND s.to_date IS NOT NULL
), proven AS (
    SELECT t.*, p.posted + l.waiting - l.later AS found
    FROM told t
    CROSS JOIN LATERAL (
        SELECT COALESCE(sum(p.debit - p.credit), 0) AS posted FROM settlement_account a
        JOIN settlement_posting p ON p.account_id = a.id JOIN settlement_entry e ON e.id = p.entry_id
        WHERE a.organisation_id = t.organisation_id AND a.code = 'bank:' || t.iban AND e.date <= t.to_date
    ) p
    CROSS JOIN LATERAL (
        SELECT COALESCE(sum(l.amount_minor - m.matched) FILTER (
                WHERE l.status IN ('unmatched', 'partial') AND o.place <= t.place), 0) AS waiting,
            COALESCE(sum(CASE l.status WHEN 'partial' THEN m.matched ELSE l.amount_minor END) FILTER (
                WHERE l.status <> 'unmatched' AND o.place > t.place AND NOT EXISTS (
                    SELECT 1 FROM told b WHERE b.organisation_id = t.organisation_id AND b.iban = t.iban
                        AND l.explained_by_id IS NULL AND b.statement_id = l.explanation AND b.place <= t.place)), 0)
                AS later
        FROM told o JOIN settlement_statementline l ON l.statement_id = o.id
        CROSS JOIN LATERAL (SELECT {TAKEN.format(line="l.id")} AS matched) m
        WHERE o.organisation_id = t.organisation_id AND o.iban = t.iban AND l.booked_on <= t.to_date
    ) l
    WHERE t.closing_minor IS NOT NULL
)
SELECT name, closing, found FROM (
    SELECT DISTINCT ON (organisation_id, iban) 'statement ' || statement_id || ' of ' || iban AS name,
        closing_minor::text AS closing, found::text AS found, id
    FROM proven WHERE found <> closing_minor ORDER BY organisation_id, iban, place
) wrong ORDER BY id
"""

Check = str | Callable[[int], list[book_checks.Disagreement]]
CHECKS: dict[str, Check] = {
    "rows are as they were sealed": broken_seals,
    "every entry balances": _ENTRIES,
    "every posting has its entry, account and one side": _ORPHANS,
    "entries are of the event that their key names": book_checks.ENTRIES_AS_KEYED,
    "entries stand on the day of their cause": book_checks.DAYS_OF_CAUSES,
    "postings name the claim or payment of their entry": book_checks.POSTINGS_OF_CAUSES,
    "appropriations are what the trail says": book_checks.APPROPRIATIONS,
    "budget lines are not overspent": _BUDGET_FREE,
    "budget spending equals the ledger": _SPENDING,
    "claims' spending equals what is allowed": _SPENT_BY_CLAIM,
    "commitments stay within their agreements": _COMMITMENTS,
    "commitments equal what grants have not used": book_checks.COMMITMENTS,
    "certificate reservations equal the budget's": _RESERVATIONS,
    "certificates reserve what their services expect": book_checks.EXPECTED,
    "every reservation has its certificate": _RESERVED_FOR,
    "lines of closed years are at rest": _CLOSED_LINES,
    "results of closed years equal what was spent": _RESULTS,
    "certificate balances are possible": _BALANCES,
    "certificates hold what was issued": book_checks.ISSUED,
    "reported visits took what was allowed": book_checks.REPORTED,
    "redemptions equal certificate movements": _CAPTURED,
    "decisions repeat what was claimed": book_checks.CLAIMED,
    "findings explain every line": _LINES,
    "remittances equal adjudications": _REMITTANCES,
    "runs equal their remittances": _RUNS,
    "runs count what they judged": book_checks.RUN_COUNTS,
    "runs equal their fingerprints": book_checks.changed_runs,
    "claims equal payables": _PAYABLES,
    "payment runs equal what they took": book_checks.RUN_TOTALS,
    "payments equal the remittances they pay": _PAID,
    "payments equal the bank file": book_checks.changed_payments,
    "payments equal the bank": _BANK,
    "transfers equal the balance of card payments": _TRANSFERS,
    "fee notices equal the ledger": _FEES,
    "refunds of fees stay within receipts": _FEE_REFUNDS,
    "refunds by bank equal their bank lines": book_checks.REFUND_TRANSFERS,
    "clawbacks equal the ledger": _CLAWBACKS,
    "clawbacks ask for what the trail says": book_checks.ASKED,
    "clawbacks stay within what was paid": _CLAWBACK_LINES,
    "debts asked back are whole and in no payment": book_checks.DEBTS_ASKED_BACK,
    "offsets equal what advances and clawbacks got": _OFFSETS,
    "advances equal the ledger": advance_checks.LEDGER,
    "advances are what the trail says": advance_checks.GRANTED,
    "advances are paid as their state says": advance_checks.PAID,
    "claims use advances of their contract": advance_checks.USES,
    "corrections equal what was posted": _CORRECTIONS,
    "corrected lines equal their decisions": _CORRECTED,
    "corrected lines were what was decided before": book_checks.CORRECTED_FROM,
    "visits to be cleared equal their decisions": clearing_checks.CLEARING_ITEMS,
    "refunds of visits equal what the norm cost leaves": clearing_checks.CLEARING_REFUNDS,
    "clearing statements equal their lines": clearing_checks.CLEARING_STATEMENTS,
    "payments of clearing equal their statements": clearing_checks.CLEARING_PAYMENTS,
    "neighbours equal the ledger": clearing_checks.NEIGHBOURS,
    "neighbours agree with each other": clearing_checks.PAIRS,
    "statement lines equal their matches": book_checks.TAKEN_LINES,
    "what was undone is undone as it was": book_checks.UNDONE,
    "explained lines equal what was posted": book_checks.EXPLAINED,
    "lines add up to the balances of their statement": book_checks.STATEMENT_SUMS,
    "bank balances equal the ledger": _CLOSING,
}


def verify_books(limit: int = 20) -> list[BookFault]:
    """Every disagreement, at most ``limit`` a check, checks in their order."""
    faults = []
    with connection.cursor() as cursor:
        for check, query in CHECKS.items():
            if isinstance(query, str):
                cursor.execute(query)
                rows = cursor.fetchmany(limit)
            else:
                rows = query(limit)
            faults += [BookFault(check, *map(str, row)) for row in rows]
    return faults
