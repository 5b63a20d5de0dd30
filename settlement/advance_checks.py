"""Proof of advances: ledger, uses, returns, payments and states agree. SQL for ``settlement.books``."""

from __future__ import annotations

# What stands on an advance is what its account says, and its state says whether that is something. An advance that is
# not granted has no account; what is used or back is never more than was granted.
LEDGER = """
SELECT 'advance ' || b.number || ' ' || b.status, w.stands::text, COALESCE(p.posted, 0)::text
FROM settlement_advance b
CROSS JOIN LATERAL (SELECT CASE WHEN b.status IN ('proposed', 'cancelled') THEN 0 ELSE b.amount_minor END
    - (SELECT COALESCE(sum(u.amount_minor), 0) FROM settlement_advanceuse u WHERE u.advance_id = b.id)
    - (SELECT COALESCE(sum(r.amount_minor), 0) FROM settlement_advancereturn r WHERE r.advance_id = b.id) AS stands) w
LEFT JOIN (SELECT e.label, sum(p.debit - p.credit) AS posted FROM settlement_posting p
           JOIN settlement_entry e ON e.id = p.entry_id JOIN settlement_account a ON a.id = p.account_id
           WHERE a.kind = 'advance' GROUP BY 1) p ON p.label = 'settlement.advance:' || b.id
WHERE COALESCE(p.posted, 0) <> w.stands OR w.stands < 0 OR CASE WHEN b.status IN ('paid', 'due') THEN w.stands = 0
    WHEN b.status <> 'approved' THEN w.stands <> 0 ELSE false END ORDER BY b.id
"""
# The trail said what was granted, and by whom it was proposed another person.
GRANTED = """
SELECT 'advance ' || b.number, COALESCE(t.told, 0)::text, b.amount_minor::text
FROM settlement_advance b
LEFT JOIN (SELECT objects_touched->>0 AS label, sum((data->>'amount_minor')::bigint) AS told FROM audit_auditevent
           WHERE action = 'advance.proposed' GROUP BY 1) t ON t.label = 'settlement.advance:' || b.id
WHERE COALESCE(t.told, 0) <> b.amount_minor ORDER BY b.id
"""
# An advance counts as paid when, and only when, a payment that the bank carried out pays it.
PAID = """
SELECT 'advance ' || b.number || ' ' || b.status, CASE WHEN w.paid THEN 'a payment' ELSE 'no payment' END,
    count(i.id) || ' confirmed'
FROM settlement_advance b
CROSS JOIN LATERAL (SELECT b.status IN ('paid', 'due', 'settled') AS paid) w
LEFT JOIN (SELECT i.id, i.advance_id FROM settlement_paymentadvance i JOIN settlement_payment y ON y.id = i.payment_id
           WHERE i.live AND y.status = 'confirmed') i ON i.advance_id = b.id
GROUP BY b.id, w.paid HAVING count(i.id) <> w.paid::int ORDER BY b.id
"""
# A claim uses an advance of its own provider and contract, not for a month after its last day, and a claim that is
# taken back has given back what it used. A run uses no more of a contract's advances than stood on them.
USES = """
SELECT 'claim ' || c.number || ' run ' || r.number, 'an advance of its contract for its month', b.number
FROM settlement_advanceuse u JOIN settlement_advance b ON b.id = u.advance_id
JOIN settlement_remittance m ON m.id = u.remittance_id
JOIN settlement_adjudicationrun r ON r.id = m.run_id JOIN settlement_claim c ON c.id = m.claim_id
JOIN contracts_contract k ON k.id = b.contract_id
WHERE b.provider_id <> m.provider_id OR b.organisation_id <> r.organisation_id
   OR u.amount_minor > 0 AND (b.use_until < r.period
      OR c.contract_id IS DISTINCT FROM k.id AND (c.contract_id IS NOT NULL OR c.contract_number <> k.number))
UNION ALL
SELECT 'claim ' || t.number, (-COALESCE(sum(u.amount_minor), 0))::text, x.back::text
FROM settlement_claim t
JOIN LATERAL (SELECT sum(n.amount_minor) AS back FROM settlement_remittance m JOIN settlement_advanceuse n
    ON n.remittance_id = m.id WHERE m.claim_id = t.id) x ON x.back IS NOT NULL
LEFT JOIN settlement_remittance m ON m.claim_id = t.reverses_id
LEFT JOIN settlement_advanceuse u ON u.remittance_id = m.id
WHERE t.reverses_id IS NOT NULL GROUP BY t.id, x.back HAVING x.back <> -COALESCE(sum(u.amount_minor), 0)
UNION ALL
SELECT 'contract ' || k.number || ' run ' || r.number, 'at most ' || COALESCE(max(s.outstanding_minor), 0),
    sum(u.amount_minor)::text
FROM settlement_advanceuse u JOIN settlement_remittance m ON m.id = u.remittance_id
JOIN settlement_adjudicationrun r ON r.id = m.run_id JOIN settlement_claim c ON c.id = m.claim_id
JOIN contracts_contract k ON k.organisation_id = r.organisation_id
    AND (k.id = c.contract_id OR c.contract_id IS NULL AND k.number = c.contract_number)
LEFT JOIN settlement_advancestanding s ON s.organisation_id = r.organisation_id AND s.period = r.period
    AND s.run = r.number AND s.contract_id = k.id
WHERE u.amount_minor > 0 GROUP BY r.id, k.id HAVING sum(u.amount_minor) > COALESCE(max(s.outstanding_minor), 0)
ORDER BY 1
"""
