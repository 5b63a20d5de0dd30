"""The one query of follow-the-money, put together from the start point's conditions.

``facts`` are the adjudications of the trail's claim lines, each of one run (a line without adjudication counts 0): they
know their contract, budget line, certificate, redemption and claim. Run and claim lead to the remittance, to its ledger
entry by the entry's key, to the payments that took it up and to the bank's lines matched to these. Advances stand
beside: their money left before it was claimed, so no level counts it (``beside``). No sum is shared out: the part of a
record that belongs to the trail is the sum of the facts that lead to it, and ``off`` says by how much the record's own
figure differs from the sum of all that leads to it. All amounts are minor units. What a run kept back of a remittance
for a clawback is shared over its lines in proportion; what a case asks back as the debt of a month is in no payment.
From a budget line the rows ``beside_claims`` say what it spent beside the claims of the trail, by kind.
"""

from __future__ import annotations

from dataclasses import dataclass

from settlement.models.clawbacks import ASKED_BACK
from settlement.models.statements import LIVE_MATCHES, TAKEN

NONE = "SELECT NULL::bigint WHERE false"


@dataclass(frozen=True)
class Start:
    """Conditions of a start point: which facts belong to it, and what hangs on it before anything was claimed."""

    model: str
    facts: str
    budget_lines: str = NONE
    contracts: str = NONE
    certificates: str = NONE
    redemptions: str = NONE
    payments: str = NONE
    bank_lines: str = NONE
    advances: str = NONE
    set_aside: str = "true"
    whole_line: bool = False  # the trail holds every claim of one budget line


_IN_REMITTANCES = """(a.run_id, a.claim_id) IN (
    SELECT r.run_id, r.claim_id FROM settlement_paymentremittance i
    JOIN settlement_remittance r ON r.id = i.remittance_id WHERE i.payment_id IN ({}))"""
_PAID_BY_LINE = f"SELECT m.payment_id FROM {LIVE_MATCHES} m WHERE m.statement_line_id = %(id)s"  # noqa: S608
_ADVANCES_OF = "SELECT i.advance_id FROM settlement_paymentadvance i WHERE i.payment_id IN ({})"
_RETURNED_BY_LINE = """SELECT o.advance_id FROM settlement_advancereturn o WHERE o.statement_line_id = %(id)s
    GROUP BY 1 HAVING sum(o.amount_minor) <> 0"""

STARTS: dict[str, Start] = {
    "budget_line": Start(
        model="contracts.budgetline",
        facts="COALESCE(h.budget_line_id, u.budget_line_id, v.budget_line_id, y.id, k.budget_line_id) = %(id)s",
        budget_lines="SELECT %(id)s::bigint",
        contracts="SELECT id FROM contracts_contract WHERE budget_line_id = %(id)s",
        certificates="SELECT id FROM vouchers_certificate WHERE budget_line_id = %(id)s",
        advances="SELECT id FROM settlement_advance WHERE budget_line_id = %(id)s",
        # Certificates of one line may be used under contracts of another, which promises what is left of them itself.
        set_aside="e.budget_line_id = %(id)s",
        whole_line=True,
    ),
    "contract": Start(
        model="contracts.contract",
        facts="k.id = %(id)s",
        budget_lines="SELECT budget_line_id FROM contracts_contract WHERE id = %(id)s",
        contracts="SELECT %(id)s::bigint",
        advances="SELECT id FROM settlement_advance WHERE contract_id = %(id)s",
    ),
    "certificate": Start(
        model="vouchers.certificate",
        facts="v.id = %(id)s",
        budget_lines="SELECT budget_line_id FROM vouchers_certificate WHERE id = %(id)s AND budget_line_id IS NOT NULL",
        certificates="SELECT %(id)s::bigint",
        redemptions="SELECT id FROM vouchers_redemption WHERE certificate_id = %(id)s",
    ),
    "redemption": Start(
        model="vouchers.redemption",
        facts="d.id = %(id)s",
        certificates="SELECT certificate_id FROM vouchers_redemption WHERE id = %(id)s AND certificate_id IS NOT NULL",
        redemptions="SELECT %(id)s::bigint",
    ),
    "claim": Start(model="settlement.claim", facts="(l.claim_id = %(id)s OR a.claim_id = %(id)s)"),
    "claim_line": Start(model="settlement.claimline", facts="l.id = %(id)s"),
    "payment": Start(
        model="settlement.payment",
        facts=_IN_REMITTANCES.format("%(id)s"),
        payments="SELECT %(id)s::bigint",
        advances=_ADVANCES_OF.format("%(id)s"),
    ),
    "statement_line": Start(
        model="settlement.statementline",
        facts=_IN_REMITTANCES.format(_PAID_BY_LINE),
        payments=_PAID_BY_LINE,
        bank_lines="SELECT %(id)s::bigint",
        advances=f"{_ADVANCES_OF.format(_PAID_BY_LINE)} UNION {_RETURNED_BY_LINE}",
    ),
    "advance": Start(
        model="settlement.advance",
        facts="""(a.run_id, a.claim_id) IN (SELECT r.run_id, r.claim_id FROM settlement_advanceuse u
            JOIN settlement_remittance r ON r.id = u.remittance_id WHERE u.advance_id = %(id)s)""",
        contracts="SELECT contract_id FROM settlement_advance WHERE id = %(id)s",
        advances="SELECT %(id)s::bigint",
    ),
}

# level, name, model: the order of the road
LEVELS: tuple[tuple[int, str, str], ...] = (
    (1, "budget", "contracts.budgetline"),
    (2, "set_aside", ""),
    (3, "competition", "procurement.tender"),
    (4, "contract", "contracts.contract"),
    (5, "certificate", "vouchers.certificate"),
    (6, "redemption", "vouchers.redemption"),
    (7, "claim_line", "settlement.claimline"),
    (8, "claim", "settlement.claim"),
    (9, "settlement", "settlement.remittance"),
    (10, "posting", "settlement.entry"),
    (13, "advance", "settlement.advance"),
    (11, "payment", "settlement.payment"),
    (12, "bank", "settlement.statementline"),
)

# A line is evidence as it was written; its contract and certificate may have become known only later. The budget line
# is the certificate's, else that of the contract's code in the year of the claim, unless a run charged another (below).
# A visit of another municipality's certificate begins at that one's budget line: it refunds it.
_JOINS = """FROM settlement_claimline l
  JOIN settlement_claim c ON c.id = l.claim_id
  LEFT JOIN contracts_contract k ON k.id = COALESCE(c.contract_id, (SELECT t.id FROM contracts_contract t
    WHERE t.organisation_id = c.organisation_id AND t.number = c.contract_number))
  LEFT JOIN vouchers_certificate v ON v.id = COALESCE(l.certificate_id, (SELECT t.id FROM vouchers_certificate t
    WHERE t.organisation_id = c.organisation_id AND t.number = l.certificate_number))
  LEFT JOIN vouchers_certificate h ON h.id = v.home_id
  LEFT JOIN contracts_budgetline b ON b.id = k.budget_line_id
  LEFT JOIN contracts_budgetline y ON y.organisation_id = b.organisation_id AND y.code = b.code
    AND y.year = EXTRACT(year FROM c.period)"""

# The end of a year moves certificates and contracts to the next year's line of the same code, and late claims are
# charged to that line: what a run charged stands in its spending. When it charged two years of one code for a claim,
# the line decides on which the certificate had reserved by then.
_CHARGED = """LEFT JOIN LATERAL (
    SELECT e.budget_line_id FROM settlement_adjudicationrun n
    JOIN contracts_budgetentry e ON e.label = 'settlement.claim:' || a.claim_id AND e.kind = 'spending'
      AND e.recorded_at = n.recorded_at
    JOIN contracts_budgetline x ON x.id = e.budget_line_id
    JOIN contracts_budgetline h ON h.id = COALESCE(v.budget_line_id, y.id, k.budget_line_id) AND h.code = x.code
    WHERE n.id = a.run_id
    ORDER BY EXISTS (SELECT 1 FROM contracts_budgetentry g WHERE g.label = 'vouchers.certificate:' || v.id
      AND g.budget_line_id = x.id AND g.recorded_at <= n.recorded_at) DESC, x.id = h.id DESC, x.year DESC LIMIT 1
  ) u ON true"""

# A line judged in several runs was claimed once: with its last judgement.
_FACTS = """
facts AS MATERIALIZED (
  SELECT l.id AS line_id, COALESCE(a.claim_id, l.claim_id) AS claim_id, COALESCE(v.id, 0) AS certificate_id,
    COALESCE(d.id, 0) AS redemption_id, COALESCE(k.id, 0) AS contract_id, COALESCE(w.tender_id, 0) AS tender_id,
    COALESCE(h.budget_line_id, u.budget_line_id, v.budget_line_id, y.id, k.budget_line_id, 0) AS budget_line_id,
    a.run_id,
    COALESCE(a.gross, 0) AS gross, COALESCE(a.fee, 0) AS fee, COALESCE(a.payable, 0) AS payable,
    CASE WHEN row_number() OVER last = 1 THEN COALESCE(a.amount_claimed, 0) ELSE 0 END AS claimed,
    CASE WHEN row_number() OVER last = 1 AND a.outcome = 'pended' THEN sign(a.amount_claimed) * (
      SELECT COALESCE(sum(g.amount), 0) FROM settlement_finding g
      WHERE g.run_id = COALESCE(o.run_id, a.run_id) AND g.claim_line_id = l.id AND g.severity = 'P')
    ELSE 0 END AS waiting
  {joins}
  LEFT JOIN procurement_award w ON w.contract_id = k.id
  LEFT JOIN vouchers_redemption d ON d.id = COALESCE(l.redemption_id, (SELECT t.id FROM vouchers_redemption t
    WHERE t.organisation_id = c.organisation_id AND t.code = l.redemption_code))
  LEFT JOIN settlement_adjudication a ON a.claim_line_id = l.id {charged}
  LEFT JOIN settlement_adjudication o ON o.id = a.reverses_id
  WHERE c.organisation_id = %(organisation)s AND {start.facts}
  WINDOW last AS (PARTITION BY l.id, a.claim_id ORDER BY a.run_id DESC, a.id DESC)
)"""

_GIVEN_UP = """FROM settlement_entry n JOIN settlement_posting p ON p.entry_id = n.id
    JOIN settlement_account t ON t.id = p.account_id AND t.kind = 'expense'
    WHERE n.organisation_id = %(organisation)s AND n.event IN ('clearing.given_up', 'clearing.kept')"""

# What the facts lead to: (run, claim) -> remittance and entry -> payments -> bank lines.
_LINKS = """
parts AS MATERIALIZED (
  SELECT f.run_id, f.claim_id, f.part, m.id AS remittance_id, m.payable AS owed, m.offsets, e.id AS entry_id, w.whole,
    COALESCE(round(f.part * m.offsets / NULLIF(w.whole, 0)), 0) AS kept,
    COALESCE(round(f.part * (SELECT sum(u.amount_minor) FROM settlement_advanceuse u WHERE u.remittance_id = m.id)
      / NULLIF(w.whole, 0)), 0) AS advanced,
    {asked_back} AS asked
  FROM (SELECT run_id, claim_id, sum(payable) AS part FROM facts WHERE run_id IS NOT NULL GROUP BY 1, 2
        HAVING sum(payable) <> 0) f
  CROSS JOIN LATERAL (SELECT sum(a.payable) AS whole FROM settlement_adjudication a
                      WHERE a.claim_id = f.claim_id AND a.run_id = f.run_id) w
  LEFT JOIN settlement_remittance m ON m.run_id = f.run_id AND m.claim_id = f.claim_id
  LEFT JOIN settlement_entry e ON e.organisation_id = %(organisation)s AND e.key IN (
    'claim.adjudicated:' || f.run_id || ':' || f.claim_id, 'claim.reversed:' || f.run_id || ':' || f.claim_id)
),
items AS MATERIALIZED (
  SELECT q.remittance_id, q.entry_id, q.part - q.kept AS part, i.payment_id, i.live, y.status, y.gateway
  FROM parts q JOIN settlement_paymentremittance i ON i.remittance_id = q.remittance_id
  JOIN settlement_payment y ON y.id = i.payment_id
),
-- money that left is positive here, money that came back negative
moves AS (
  SELECT m.payment_id, m.statement_line_id, m.kind = 'return' AS back,
    round(p.carried * -m.amount_minor / (y.amount * 100)) AS part
  FROM (SELECT payment_id, sum(part) AS carried FROM items GROUP BY 1) p
  JOIN {live_matches} m ON m.payment_id = p.payment_id
  JOIN settlement_payment y ON y.id = p.payment_id
),
certificates AS (
  SELECT certificate_id AS id FROM facts WHERE certificate_id <> 0 UNION {start.certificates}
),
contracts AS (
  SELECT contract_id AS id FROM facts WHERE contract_id <> 0 UNION {start.contracts}
),
-- what the trail's money was paid with before it was claimed
used AS MATERIALIZED (
  SELECT u.advance_id, q.remittance_id, round(q.part * u.amount_minor / NULLIF(q.whole, 0)) AS part
  FROM parts q JOIN settlement_advanceuse u ON u.remittance_id = q.remittance_id AND u.advance_id IS NOT NULL
),
advances AS MATERIALIZED (
  SELECT v.id, v.budget_line_id, v.amount_minor, v.approved_at IS NOT NULL AND v.status <> 'cancelled' AS granted
  FROM settlement_advance v WHERE v.organisation_id = %(organisation)s
    AND v.id IN (SELECT advance_id FROM used UNION {start.advances})
),
advanced AS MATERIALIZED (
  SELECT v.id, v.amount_minor, i.payment_id, i.live FROM advances v
  JOIN settlement_paymentadvance i ON i.advance_id = v.id WHERE i.payment_id IS NOT NULL
),
beside (level, id, next_level, next_id, part, back) AS MATERIALIZED (
  SELECT 1, budget_line_id, 13, id, amount_minor::numeric, false FROM advances WHERE granted
  UNION ALL SELECT 13, advance_id, 9, remittance_id, part, false FROM used
  UNION ALL SELECT 13, id, 11, payment_id, amount_minor, false FROM advanced
  UNION ALL SELECT 13, id, 11, payment_id, -amount_minor, true FROM advanced WHERE NOT live
  UNION ALL SELECT 11, m.payment_id, 12, m.statement_line_id, sum(-m.amount_minor), m.kind = 'return'
    FROM {live_matches} m WHERE m.payment_id IN (SELECT payment_id FROM advanced) GROUP BY 2, 4, 6
  UNION ALL SELECT 13, o.advance_id, 12, o.statement_line_id, -sum(o.amount_minor), true
    FROM settlement_advancereturn o WHERE o.advance_id IN (SELECT id FROM advances) GROUP BY 2, 4
    HAVING sum(o.amount_minor) <> 0
),
-- what the budget lines recorded as spent on the claims, and what was adjudicated on them
spending AS (
  SELECT s.budget_line_id, sum(s.amount) AS off FROM (
    SELECT e.budget_line_id, e.amount_minor AS amount FROM contracts_budgetentry e
    WHERE e.kind = 'spending' AND e.label IN (SELECT 'settlement.claim:' || claim_id FROM parts)
    UNION ALL
    SELECT COALESCE(u.budget_line_id, v.budget_line_id, y.id, k.budget_line_id), COALESCE(z.due_minor, 0) - a.payable
    {joins} JOIN settlement_adjudication a ON a.claim_line_id = l.id {charged}
    LEFT JOIN settlement_clearingitem z ON z.adjudication_id = a.id
    WHERE a.claim_id IN (SELECT claim_id FROM parts)
    -- a refund given up later stands with the claim, though no run adjudicated it
    UNION ALL
    SELECT t.budget_line_id, p.credit - p.debit {given_up}
    AND n.label IN (SELECT 'settlement.claim:' || claim_id FROM parts)
  ) s GROUP BY 1
)"""

_NODES = """
nodes (level, id, part, own, off, claimed, fee, waiting) AS (
  SELECT 1, b.id, COALESCE(f.part, 0), COALESCE((SELECT sum(e.amount_minor) FROM contracts_budgetentry e
      WHERE e.budget_line_id = b.id AND e.kind = 'spending'), 0), COALESCE(s.off, 0), 0::numeric, 0::numeric,
    0::numeric
  FROM (SELECT budget_line_id AS id FROM facts UNION {start.budget_lines}
        UNION SELECT budget_line_id FROM advances) b
  LEFT JOIN (SELECT budget_line_id, sum(payable) AS part FROM facts GROUP BY 1) f ON f.budget_line_id = b.id
  LEFT JOIN spending s ON s.budget_line_id = b.id WHERE b.id <> 0 OR f.part <> 0
  UNION ALL
  SELECT 3, t.id, sum(t.part), NULL, 0, 0, 0, 0 FROM (
    SELECT tender_id AS id, payable AS part FROM facts UNION ALL
    SELECT COALESCE(w.tender_id, 0), 0 FROM contracts k LEFT JOIN procurement_award w ON w.contract_id = k.id
  ) t GROUP BY 2
  UNION ALL
  SELECT 4, t.id, sum(t.part), NULL, 0, 0, 0, 0
  FROM (SELECT contract_id AS id, payable AS part FROM facts UNION ALL SELECT id, 0 FROM contracts) t
  GROUP BY 2 HAVING t.id <> 0 OR sum(t.part) <> 0
  UNION ALL
  SELECT 5, t.id, sum(t.part), NULL, 0, 0, 0, 0
  FROM (SELECT certificate_id AS id, payable AS part FROM facts UNION ALL SELECT id, 0 FROM certificates) t
  GROUP BY 2 HAVING t.id <> 0 OR sum(t.part) <> 0
  UNION ALL
  SELECT 6, t.id, sum(t.part), NULL, 0, 0, 0, 0
  FROM (SELECT redemption_id AS id, payable AS part FROM facts
        UNION ALL SELECT r.id, 0 FROM ({start.redemptions}) r (id)) t
  GROUP BY 2 HAVING t.id <> 0 OR sum(t.part) <> 0
  UNION ALL
  SELECT 7, line_id, sum(payable), sum(claimed), 0, sum(claimed), sum(fee), sum(waiting) FROM facts GROUP BY line_id
  UNION ALL
  SELECT 8, f.claim_id, f.part, (SELECT COALESCE(sum(a.payable), 0) FROM settlement_adjudication a
                                 WHERE a.claim_id = f.claim_id), 0, f.claimed, f.fee, f.waiting
  FROM (SELECT claim_id, sum(payable) AS part, sum(claimed) AS claimed, sum(fee) AS fee, sum(waiting) AS waiting
        FROM facts GROUP BY 1) f
  UNION ALL
  SELECT 9, remittance_id, part, owed, owed + offsets - whole, 0, 0, 0 FROM parts WHERE remittance_id IS NOT NULL
  UNION ALL
  SELECT 10, q.entry_id, q.part, p.posted, p.posted - q.whole, 0, 0, 0
  FROM parts q CROSS JOIN LATERAL (
    SELECT COALESCE(sum(p.credit - p.debit), 0) AS posted FROM settlement_posting p
    JOIN settlement_account t ON t.id = p.account_id AND t.kind = 'payable' WHERE p.entry_id = q.entry_id
      AND p.claim_id = q.claim_id) p
  WHERE q.entry_id IS NOT NULL
  UNION ALL
  SELECT 11, y.id, COALESCE(i.part, 0), y.amount * 100, y.amount * 100 - COALESCE((
    SELECT sum(r.payable) FROM settlement_paymentremittance x JOIN settlement_remittance r ON r.id = x.remittance_id
    WHERE x.payment_id = y.id), y.amount * 100), 0, 0, 0
  FROM settlement_payment y
  LEFT JOIN (SELECT payment_id, sum(part) FILTER (WHERE live) AS part FROM items GROUP BY 1) i ON i.payment_id = y.id
  WHERE y.organisation_id = %(organisation)s
    AND y.id IN (SELECT payment_id FROM items UNION SELECT payment_id FROM advanced
                 UNION SELECT d.id FROM ({start.payments}) d (id))
  UNION ALL
  SELECT 12, s.id, COALESCE(m.part, 0), s.amount_minor, CASE s.status WHEN 'matched' THEN s.amount_minor - {taken}
    ELSE 0 END,
    0, 0, 0
  FROM settlement_statementline s
  LEFT JOIN (SELECT statement_line_id, sum(part) AS part FROM moves GROUP BY 1) m ON m.statement_line_id = s.id
  WHERE s.id IN (SELECT statement_line_id FROM moves UNION SELECT next_id FROM beside WHERE next_level = 12
                 UNION SELECT d.id FROM ({start.bank_lines}) d (id))
  UNION ALL
  SELECT 13, v.id, COALESCE(u.part, 0), v.amount_minor, 0, 0, 0, 0
  FROM advances v LEFT JOIN (SELECT advance_id, sum(part) AS part FROM used GROUP BY 1) u ON u.advance_id = v.id
),
-- from a record to the next; ``back``: money that came back
trunk AS (
  SELECT budget_line_id, tender_id, contract_id, certificate_id, sum(payable) AS part FROM facts GROUP BY 1, 2, 3, 4
),
edges (level, id, next_level, next_id, part, back) AS MATERIALIZED (
  SELECT 1, budget_line_id, 3, tender_id, sum(part), false FROM trunk GROUP BY 2, 4
  UNION ALL SELECT 3, tender_id, 4, contract_id, sum(part), false FROM trunk GROUP BY 2, 4
  UNION ALL SELECT 4, contract_id, 5, certificate_id, sum(part), false FROM trunk GROUP BY 2, 4
  UNION ALL SELECT 5, certificate_id, 6, redemption_id, sum(payable), false FROM facts GROUP BY 2, 4
  UNION ALL SELECT 6, redemption_id, 7, line_id, sum(payable), false FROM facts GROUP BY 2, 4
  UNION ALL SELECT 7, line_id, 8, claim_id, sum(payable), false FROM facts GROUP BY 2, 4
  UNION ALL SELECT 8, claim_id, 9, remittance_id, part, false FROM parts WHERE remittance_id IS NOT NULL
  UNION ALL SELECT 9, remittance_id, 10, entry_id, part, false FROM parts
    WHERE remittance_id IS NOT NULL AND entry_id IS NOT NULL
  UNION ALL SELECT 10, entry_id, 11, payment_id, sum(part), false FROM items WHERE entry_id IS NOT NULL GROUP BY 2, 4
  UNION ALL SELECT 10, entry_id, 11, payment_id, -sum(part), true FROM items
    WHERE entry_id IS NOT NULL AND NOT live GROUP BY 2, 4
  UNION ALL SELECT 11, payment_id, 12, statement_line_id, sum(part), back FROM moves GROUP BY 2, 4, back
),
-- what stays at a record for a reason that has a name: in no remittance, not posted, in no live payment, not confirmed,
-- paid past the bank; what was kept back (``parts.kept``) or asked back (``asked``) stays at the entry beside that
stays (level, id, part) AS (
  SELECT 8, claim_id, sum(part) FROM parts WHERE remittance_id IS NULL GROUP BY 2
  UNION ALL SELECT 9, remittance_id, part FROM parts WHERE remittance_id IS NOT NULL AND entry_id IS NULL
  UNION ALL SELECT 10, entry_id, part - kept FROM parts q WHERE entry_id IS NOT NULL AND NOT asked
    AND NOT EXISTS (SELECT 1 FROM items i WHERE i.remittance_id = q.remittance_id AND i.live)
  UNION ALL SELECT 11, payment_id, sum(part) FROM items
    WHERE live AND (status IN ('prepared', 'sent') OR (status = 'confirmed' AND gateway = 'stripe')) GROUP BY 2
  UNION ALL SELECT 12, s.id, s.amount_minor - {taken} FROM settlement_statementline s
    WHERE s.status = 'partial' AND s.id IN (SELECT statement_line_id FROM moves)
  UNION ALL SELECT 13, v.id, v.amount_minor
      - (SELECT COALESCE(sum(u.amount_minor), 0) FROM settlement_advanceuse u WHERE u.advance_id = v.id)
      - (SELECT COALESCE(sum(o.amount_minor), 0) FROM settlement_advancereturn o WHERE o.advance_id = v.id)
    FROM advances v WHERE v.granted
)"""

_SHOWN = """
ranked AS (
  SELECT *, count(*) OVER w AS n, sum(part) OVER w AS total, sum(off) OVER w AS off_total,
    row_number() OVER (PARTITION BY level ORDER BY (level = %(start_level)s AND id = %(id)s) DESC, abs(part) DESC, id)
      AS place
  FROM nodes WINDOW w AS (PARTITION BY level)
),
shown AS MATERIALIZED (SELECT * FROM ranked WHERE place <= %(top)s)
SELECT 'node' AS kind, x.level, x.id, x.part, x.own, x.off, x.n, x.total, x.off_total, x.claimed, x.fee, x.waiting,
  COALESCE(i.part, 0) AS part_in, COALESCE(g.part, 0) AS part_out, COALESCE(z.part, 0) AS stays, x.place,
  COALESCE(kb.kept, 0) AS kept, COALESCE(kb.advanced, 0) AS advanced,
  CASE WHEN kb.asked THEN kb.part - kb.kept ELSE 0 END AS asked,
  COALESCE(bl.code || ' ' || bl.year, te.number, ct.number, ce.number, re.code,
    lc.number || '/' || cl.line, cm.number, rc.number || ' · ' || to_char(rr.period, 'YYYY-MM') || '/' || rr.number,
    en.number, va.number, pa.reference, NULLIF(sl.bank_reference, ''),
    st.statement_id || '/' || sl.position, '') AS name,
  COALESCE(bl.name, te.title, cp.name, cl.service_code, mp.name, rp.name, en.event, vp.name, pp.name,
    sl.counterparty_name, re.provider_code, '') AS title,
  COALESCE(te.status, ct.status, ce.status, re.status, cm.status, va.status, pa.status, sl.status,
    (SELECT a.outcome FROM settlement_adjudication a WHERE a.claim_line_id = cl.id ORDER BY a.run_id DESC LIMIT 1), '')
    AS status,
  COALESCE(ct.valid_from, ce.valid_from, (re.starts_at AT TIME ZONE %(zone)s)::date, cl.service_date, cm.period,
    rr.as_of, en.date, (COALESCE(va.approved_at, va.proposed_at) AT TIME ZONE %(zone)s)::date,
    (pa.sent_at AT TIME ZONE %(zone)s)::date, sl.booked_on) AS on_date,
  COALESCE(rm.claim_id, x.id) AS page_id, 0 AS next_level, 0::bigint AS next_id, false AS back
FROM shown x
LEFT JOIN (SELECT level, id, sum(part) AS part FROM edges GROUP BY 1, 2) g ON g.level = x.level AND g.id = x.id
LEFT JOIN (SELECT next_level, next_id, sum(part) AS part FROM edges GROUP BY 1, 2) i
  ON i.next_level = x.level AND i.next_id = x.id
LEFT JOIN stays z ON z.level = x.level AND z.id = x.id
LEFT JOIN parts kb ON x.level = 10 AND kb.entry_id = x.id
LEFT JOIN contracts_budgetline bl ON x.level = 1 AND bl.id = x.id
LEFT JOIN procurement_tender te ON x.level = 3 AND te.id = x.id
LEFT JOIN contracts_contract ct ON x.level = 4 AND ct.id = x.id
LEFT JOIN contracts_provider cp ON cp.id = ct.provider_id
LEFT JOIN vouchers_certificate ce ON x.level = 5 AND ce.id = x.id
LEFT JOIN vouchers_redemption re ON x.level = 6 AND re.id = x.id
LEFT JOIN settlement_claimline cl ON x.level = 7 AND cl.id = x.id LEFT JOIN settlement_claim lc ON lc.id = cl.claim_id
LEFT JOIN settlement_claim cm ON x.level = 8 AND cm.id = x.id
LEFT JOIN contracts_provider mp ON mp.id = cm.provider_id
LEFT JOIN settlement_remittance rm ON x.level = 9 AND rm.id = x.id
LEFT JOIN settlement_claim rc ON rc.id = rm.claim_id LEFT JOIN settlement_adjudicationrun rr ON rr.id = rm.run_id
LEFT JOIN contracts_provider rp ON rp.id = rm.provider_id
LEFT JOIN settlement_entry en ON x.level = 10 AND en.id = x.id
LEFT JOIN settlement_advance va ON x.level = 13 AND va.id = x.id
LEFT JOIN contracts_provider vp ON vp.id = va.provider_id
LEFT JOIN settlement_payment pa ON x.level = 11 AND pa.id = x.id
LEFT JOIN contracts_provider pp ON pp.id = pa.provider_id
LEFT JOIN settlement_statementline sl ON x.level = 12 AND sl.id = x.id
LEFT JOIN settlement_statement st ON st.id = sl.statement_id
UNION ALL
SELECT e.kind, e.level, e.id, e.part, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '', '', '', NULL, NULL,
  e.next_level, e.next_id, e.back
FROM (SELECT 'edge' AS kind, * FROM edges UNION ALL SELECT 'beside', * FROM beside) e
JOIN shown s ON s.level = e.level AND s.id = e.id
JOIN shown t ON t.level = e.next_level AND t.id = e.next_id WHERE e.part <> 0
UNION ALL
SELECT 'sums', 0, NULL, sum(payable), sum(gross), 0, count(DISTINCT line_id), sum(payable), 0, sum(claimed), sum(fee),
  sum(waiting), 0, 0, 0, 1, 0, 0, 0, '', '', '', NULL, NULL, 0, 0, false FROM facts
UNION ALL
{beside_claims}
-- set aside on the budget: reservations of the certificates, commitments of the contracts
SELECT 'node', 2, NULL, sum(e.amount_minor), sum(e.amount_minor) FILTER (WHERE e.amount_minor > 0), 0, count(*),
  sum(e.amount_minor), 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, e.kind, '', '', max(e.occurred_on), NULL, 0, 0, false
FROM contracts_budgetentry e
JOIN (SELECT 'vouchers.certificate:' || id AS label FROM certificates
      UNION ALL SELECT 'contracts.contract:' || id FROM contracts) q ON q.label = e.label
WHERE e.kind <> 'spending' AND {start.set_aside} GROUP BY e.kind
ORDER BY level, kind, place, next_level, back, part DESC, next_id
"""
# What a budget line spent beside the claims of its trail, by kind: visits of other municipalities' certificates begin
# at their budget line, but what these do not refund, or gave back, is spent here.
_BESIDE_CLAIMS = """
SELECT 'beside_claims', 1, NULL, b.amount, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, b.name, '', '', NULL, NULL,
  0, 0, false
FROM (
  SELECT split_part(e.label, ':', 1) AS name, sum(e.amount_minor) AS amount FROM contracts_budgetentry e
  WHERE e.budget_line_id = %(id)s AND e.kind = 'spending' AND e.label NOT LIKE 'settlement.claim:%%' GROUP BY 1
  UNION ALL
  SELECT 'guests', sum(a.payable - COALESCE(z.due_minor, 0))
  {joins} JOIN settlement_adjudication a ON a.claim_line_id = l.id {charged}
  LEFT JOIN settlement_clearingitem z ON z.adjudication_id = a.id
  WHERE c.organisation_id = %(organisation)s AND h.budget_line_id IS NOT NULL
    AND COALESCE(u.budget_line_id, v.budget_line_id, y.id, k.budget_line_id) = %(id)s
  UNION ALL
  SELECT 'given_up', sum(p.debit - p.credit) {given_up} AND t.budget_line_id = %(id)s
) b WHERE b.amount <> 0
UNION ALL"""
_QUERY = f"WITH {_FACTS}, {_LINKS}, {_NODES}, {_SHOWN}"


def query_for(start: Start) -> str:
    """The query of a start point; its parameters are id, organisation, start_level, top and zone."""
    parts = {"joins": _JOINS, "charged": _CHARGED, "given_up": _GIVEN_UP}
    beside = _BESIDE_CLAIMS.format(**parts) if start.whole_line else ""
    matches = {"asked_back": ASKED_BACK, "live_matches": LIVE_MATCHES, "taken": TAKEN.format(line="s.id")}
    return _QUERY.format(start=start, beside_claims=beside, **parts, **matches)


def level_of(start: Start) -> int:
    """Level on which the start point stands."""
    return next(level for level, _name, model in LEVELS if model == start.model)
