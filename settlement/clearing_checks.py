"""Checks of the books of two municipalities that clear with each other (see `settlement.books`)."""

# ruff: noqa: S608  SQL is put together from names in this code.

from __future__ import annotations

from settlement.models.clearing import CLEARED, GIVEN_UP
from settlement.refund_queries import BY_NORM, STANDING

# Every decision on a line of a guest is due as it was allowed, and no more; taken back, what stood of it goes back;
# worked out anew, it differs by what the norm cost of that moment leaves; of what was given up nothing is worked out.
# Without an agreement of its day nothing is due.
CLEARING_ITEMS = f"""
SELECT 'visit to be cleared ' || i.id || ' of claim ' || q.number || ' line ' || l.line, w.wanted,
    i.payable_minor || '/' || i.due_minor
FROM settlement_clearingitem i
JOIN settlement_claimline l ON l.id = i.claim_line_id JOIN settlement_claim q ON q.id = i.claim_id
JOIN vouchers_certificate g ON g.id = i.certificate_id LEFT JOIN vouchers_certificate h ON h.id = g.home_id
LEFT JOIN settlement_clearingitem c ON c.id = i.corrects_id
LEFT JOIN settlement_adjudication a ON a.id = COALESCE(i.adjudication_id, c.adjudication_id)
LEFT JOIN settlement_clearingitem o ON o.adjudication_id = a.reverses_id
LEFT JOIN settlement_clawbackline x ON x.id = i.clawback_line_id
CROSS JOIN LATERAL (SELECT i.norm_e4 AS rate) n
CROSS JOIN LATERAL (SELECT COALESCE(sum(z.due_minor), 0) AS due FROM settlement_clearingitem z
    WHERE z.claim_line_id = i.claim_line_id AND COALESCE(z.corrects_id, z.id) = COALESCE(c.id, o.id) AND z.id < i.id
        AND (c.id IS NOT NULL OR NOT EXISTS (
            SELECT 1 FROM {GIVEN_UP} u WHERE u.id = z.id AND u.answered_at <= i.recorded_at))) s
CROSS JOIN LATERAL (SELECT CASE WHEN c.id IS NULL THEN COALESCE(a.payable, -x.upheld_minor) ELSE 0 END || '/' || CASE
    WHEN x.id IS NOT NULL THEN LEAST(GREATEST(i.due_minor, -x.upheld_minor), 0)
    WHEN c.id IS NOT NULL AND EXISTS (SELECT 1 FROM settlement_clawbackline y
        WHERE y.claim_line_id = i.claim_line_id AND y.upheld_minor > 0) THEN i.due_minor
    WHEN c.id IS NOT NULL THEN LEAST(a.payable, {BY_NORM}) - s.due
    WHEN a.reverses_id IS NOT NULL THEN -s.due
    WHEN i.norm_e4 IS NULL THEN CASE WHEN i.due_minor = 0 THEN 0 ELSE a.payable END
    ELSE LEAST(a.payable, {BY_NORM}) END AS wanted) w
WHERE w.wanted IS DISTINCT FROM i.payable_minor || '/' || i.due_minor OR h.organisation_id IS DISTINCT FROM i.home_id
    OR g.organisation_id <> i.organisation_id ORDER BY i.id
"""
# What is refunded of a decision that stands is what its first refund, or the norm cost by which it was worked out anew
# last, leaves of what the provider keeps. What was given up or is disputed, is between the two sides.
CLEARING_REFUNDS = f"""
SELECT 'visit to be cleared ' || i.id || ' of claim ' || q.number || ' line ' || l.line, w.wanted::text, s.due::text
FROM ({STANDING.format("")}) s
JOIN settlement_clearingitem i ON i.id = s.id JOIN settlement_adjudication a ON a.id = s.adjudication_id
JOIN settlement_claimline l ON l.id = i.claim_line_id JOIN settlement_claim q ON q.id = i.claim_id
LEFT JOIN LATERAL (SELECT m.norm_e4 AS rate, true AS anew FROM settlement_clearingitem m WHERE m.corrects_id = i.id
    ORDER BY m.id DESC LIMIT 1) n ON true
CROSS JOIN LATERAL (SELECT LEAST(s.kept, CASE WHEN n.anew THEN {BY_NORM} ELSE i.due_minor END) AS wanted) w
WHERE NOT s.disputed AND w.wanted <> s.due ORDER BY i.id
"""
CLEARING_STATEMENTS = """
SELECT 'clearing statement ' || s.number, COALESCE(sum(i.due_minor) FILTER (WHERE i.home_id = s.first_id), 0) || '/'
    || COALESCE(sum(i.due_minor) FILTER (WHERE i.home_id = s.second_id), 0),
    s.first_owes_minor || '/' || s.second_owes_minor
FROM settlement_clearingstatement s
LEFT JOIN settlement_clearingline l ON l.statement_id = s.id AND l.disputed_at IS NULL
LEFT JOIN settlement_clearingitem i ON i.id = l.item_id
GROUP BY s.id
HAVING COALESCE(sum(i.due_minor) FILTER (WHERE i.home_id = s.first_id), 0) <> s.first_owes_minor
    OR COALESCE(sum(i.due_minor) FILTER (WHERE i.home_id = s.second_id), 0) <> s.second_owes_minor
    OR bool_or(i.home_id NOT IN (s.first_id, s.second_id) OR i.organisation_id NOT IN (s.first_id, s.second_id))
ORDER BY s.id
"""
# The net sum leaves one side's bank and comes to the other's; a settled statement has both, or nothing to pay.
CLEARING_PAYMENTS = """
SELECT 'payment of clearing statement ' || s.number || ' by ' || o.code, w.wanted::text,
    COALESCE(p.amount_minor || ' of ' || l.amount_minor, 'nothing')
FROM settlement_clearingstatement s
JOIN accounts_organisation o ON o.id IN (s.first_id, s.second_id)
CROSS JOIN LATERAL (SELECT CASE WHEN o.id = s.first_id THEN s.second_owes_minor - s.first_owes_minor
    ELSE s.first_owes_minor - s.second_owes_minor END AS wanted) w
LEFT JOIN settlement_clearingpayment p ON p.statement_id = s.id AND p.organisation_id = o.id AND p.undoes_id IS NULL
    AND NOT EXISTS (SELECT 1 FROM settlement_clearingpayment u WHERE u.undoes_id = p.id)
LEFT JOIN settlement_statementline l ON l.id = p.statement_line_id
WHERE (p.id IS NOT NULL AND (p.amount_minor <> w.wanted OR
        w.wanted NOT BETWEEN LEAST(l.amount_minor, 0) AND GREATEST(l.amount_minor, 0) OR s.status = 'drawn'))
   OR (p.id IS NULL AND s.status = 'settled' AND w.wanted <> 0) ORDER BY s.id, o.id
"""
# On its account for a neighbour a municipality has what is due for visits that it bought, less what it agreed to owe,
# gave up and was paid.
_NEIGHBOUR_DUE = f"""
    SELECT organisation_id AS owner, home_id AS other, due_minor AS amount FROM settlement_clearingitem
    UNION ALL SELECT organisation_id, home_id, -due_minor FROM {GIVEN_UP} i
    UNION ALL SELECT home_id, organisation_id, -due_minor FROM {CLEARED} i
    UNION ALL SELECT p.organisation_id, CASE p.organisation_id WHEN s.first_id THEN s.second_id ELSE s.first_id END,
        -p.amount_minor
    FROM settlement_clearingpayment p JOIN settlement_clearingstatement s ON s.id = p.statement_id
"""
_NEIGHBOUR_BOOKED = """
    SELECT a.organisation_id AS owner, a.neighbour_id AS other, sum(p.debit - p.credit) AS amount
    FROM settlement_account a JOIN settlement_posting p ON p.account_id = a.id WHERE a.kind = 'neighbour' GROUP BY 1, 2
"""
NEIGHBOURS = f"""
SELECT 'account of ' || n.code || ' in the books of ' || o.code, COALESCE(d.amount, 0)::text,
    COALESCE(b.amount, 0)::text
FROM (SELECT owner, other, sum(amount) AS amount FROM ({_NEIGHBOUR_DUE}) x GROUP BY 1, 2) d
FULL JOIN ({_NEIGHBOUR_BOOKED}) b USING (owner, other)
JOIN accounts_organisation o ON o.id = owner LEFT JOIN accounts_organisation n ON n.id = other
WHERE COALESCE(d.amount, 0) <> COALESCE(b.amount, 0) ORDER BY o.id, n.id
"""
# What one says is due from the other is what the other says it owes, but for what is not agreed yet and for money that
# only one of them has seen at its bank.
PAIRS = f"""
WITH booked AS ({_NEIGHBOUR_BOOKED}), waiting AS (
    SELECT LEAST(i.organisation_id, i.home_id) AS one, GREATEST(i.organisation_id, i.home_id) AS two,
        sum(i.due_minor) AS amount
    FROM settlement_clearingitem i WHERE i.id NOT IN (SELECT id FROM {CLEARED} x)
        AND i.id NOT IN (SELECT id FROM {GIVEN_UP} x) GROUP BY 1, 2
), moved AS (
    SELECT s.first_id AS one, s.second_id AS two, -sum(p.amount_minor) AS amount
    FROM settlement_clearingpayment p JOIN settlement_clearingstatement s ON s.id = p.statement_id GROUP BY 1, 2
), pair AS (
    SELECT LEAST(owner, other) AS one, GREATEST(owner, other) AS two, sum(amount) AS amount FROM booked GROUP BY 1, 2
)
SELECT 'pair ' || x.code || ' and ' || y.code, (COALESCE(w.amount, 0) + COALESCE(m.amount, 0))::text,
    COALESCE(p.amount, 0)::text
FROM pair p FULL JOIN waiting w USING (one, two) FULL JOIN moved m USING (one, two)
JOIN accounts_organisation x ON x.id = one JOIN accounts_organisation y ON y.id = two
WHERE COALESCE(w.amount, 0) + COALESCE(m.amount, 0) <> COALESCE(p.amount, 0) ORDER BY one, two
"""
