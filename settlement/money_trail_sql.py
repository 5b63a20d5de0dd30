"""The one query of follow-the-money, put together from the start point's conditions.

``facts`` are the adjudicated claim lines of the trail (a line without adjudication counts 0): they know their contract,
budget line, certificate, redemption, claim, run and remittance. Every level is a grouping of these facts, or of an
independent record joined to them (budget entries, postings, payments, bank lines): levels of independent records are
what the reconciliation compares. All amounts are minor units.
"""

from __future__ import annotations

from dataclasses import dataclass

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


_REMITTANCES = "SELECT i.remittance_id FROM settlement_paymentremittance i WHERE i.payment_id IN ({})"
_PAID_BY_LINE = "SELECT m.payment_id FROM settlement_match m WHERE m.undone_at IS NULL AND m.statement_line_id = %(id)s"

STARTS: dict[str, Start] = {
    "budget_line": Start(
        model="contracts.budgetline",
        facts="COALESCE(v.budget_line_id, k.budget_line_id) = %(id)s",
        budget_lines="SELECT %(id)s::bigint",
        contracts="SELECT id FROM contracts_contract WHERE budget_line_id = %(id)s",
        certificates="SELECT id FROM vouchers_certificate WHERE budget_line_id = %(id)s",
    ),
    "contract": Start(
        model="contracts.contract",
        facts="k.id = %(id)s",
        budget_lines="SELECT budget_line_id FROM contracts_contract WHERE id = %(id)s",
        contracts="SELECT %(id)s::bigint",
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
        facts=f"r.id IN ({_REMITTANCES.format('%(id)s')})",
        payments="SELECT %(id)s::bigint",
    ),
    "statement_line": Start(
        model="settlement.statementline",
        facts=f"r.id IN ({_REMITTANCES.format(_PAID_BY_LINE)})",
        payments=_PAID_BY_LINE,
        bank_lines="SELECT %(id)s::bigint",
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
    (9, "posting", "settlement.entry"),
    (10, "payment", "settlement.payment"),
    (11, "bank", "settlement.statementline"),
)

# A line is evidence as it was written; its contract and certificate may have become known only later.
_JOINS = """FROM settlement_claimline l
  JOIN settlement_claim c ON c.id = l.claim_id
  LEFT JOIN contracts_contract k ON k.id = COALESCE(c.contract_id, (SELECT t.id FROM contracts_contract t
    WHERE t.organisation_id = c.organisation_id AND t.number = c.contract_number))
  LEFT JOIN vouchers_certificate v ON v.id = COALESCE(l.certificate_id, (SELECT t.id FROM vouchers_certificate t
    WHERE t.organisation_id = c.organisation_id AND t.number = l.certificate_number))"""

_QUERY = """
WITH facts AS MATERIALIZED (
  SELECT l.id AS line_id, COALESCE(a.claim_id, l.claim_id) AS claim_id, v.id AS certificate_id,
         d.id AS redemption_id, k.id AS contract_id, COALESCE(v.budget_line_id, k.budget_line_id) AS budget_line_id,
         r.id AS remittance_id, COALESCE(a.amount_claimed, 0) AS claimed,
         COALESCE(a.gross, 0) AS gross, COALESCE(a.fee, 0) AS fee, COALESCE(a.payable, 0) AS payable
  {joins}
  LEFT JOIN vouchers_redemption d ON d.id = COALESCE(l.redemption_id, (SELECT t.id FROM vouchers_redemption t
    WHERE t.organisation_id = c.organisation_id AND t.code = l.redemption_code))
  LEFT JOIN settlement_adjudication a ON a.claim_line_id = l.id
  LEFT JOIN settlement_remittance r ON r.run_id = a.run_id AND r.claim_id = a.claim_id
  WHERE c.organisation_id = %(organisation)s AND {start.facts}
),
-- a claim may be in the trail only in part: its part, and the whole of what was adjudicated on it
claims AS (
  SELECT f.claim_id, f.part,
    (SELECT COALESCE(sum(a.payable), 0) FROM settlement_adjudication a WHERE a.claim_id = f.claim_id) AS whole
  FROM (SELECT claim_id, sum(payable) AS part FROM facts GROUP BY claim_id) f
),
certificates AS (
  SELECT certificate_id AS id FROM facts WHERE certificate_id IS NOT NULL UNION {start.certificates}
),
contracts AS (
  SELECT contract_id AS id FROM facts WHERE contract_id IS NOT NULL UNION {start.contracts}
),
-- the same by budget line, because the certificates of one claim may stand on several
shares AS (
  SELECT f.claim_id, f.budget_line_id, f.part, w.whole
  FROM (SELECT claim_id, budget_line_id, sum(payable) AS part FROM facts GROUP BY 1, 2) f
  JOIN (
    SELECT a.claim_id, COALESCE(v.budget_line_id, k.budget_line_id) AS budget_line_id, sum(a.payable) AS whole
    {joins} JOIN settlement_adjudication a ON a.claim_line_id = l.id
    WHERE a.claim_id IN (SELECT claim_id FROM facts) GROUP BY 1, 2
  ) w ON w.claim_id = f.claim_id AND w.budget_line_id = f.budget_line_id AND w.whole <> 0
),
spending AS (
  SELECT e.budget_line_id, sum(round(e.amount_minor * q.part / q.whole)) AS part
  FROM contracts_budgetentry e
  JOIN shares q ON e.label = 'settlement.claim:' || q.claim_id AND e.budget_line_id = q.budget_line_id
  WHERE e.kind = 'spending' GROUP BY e.budget_line_id
),
postings AS (
  SELECT p.entry_id, sum(round((p.credit - p.debit) * q.part / q.whole)) AS part, sum(p.credit - p.debit) AS whole
  FROM claims q
  JOIN settlement_posting p ON p.claim_id = q.claim_id AND p.payment_id IS NULL
  JOIN settlement_account t ON t.id = p.account_id AND t.kind = 'payable'
  WHERE q.whole <> 0 GROUP BY p.entry_id
),
items AS (
  SELECT i.payment_id, i.live, f.part
  FROM (SELECT remittance_id, sum(payable) AS part FROM facts WHERE remittance_id IS NOT NULL GROUP BY 1) f
  JOIN settlement_paymentremittance i ON i.remittance_id = f.remittance_id AND i.payment_id IS NOT NULL
),
payments AS (
  SELECT p.id, COALESCE(sum(i.part) FILTER (WHERE i.live), 0) AS part, COALESCE(sum(i.part), 0) AS carried,
         (p.amount * 100)::bigint AS whole
  FROM settlement_payment p LEFT JOIN items i ON i.payment_id = p.id
  WHERE p.organisation_id = %(organisation)s
    AND (p.id IN (SELECT payment_id FROM items) OR p.id IN ({start.payments}))
  GROUP BY p.id
),
-- money that left is positive here, money that came back negative
bank AS (
  SELECT m.statement_line_id AS id,
    sum(CASE m.kind WHEN 'return' THEN -1 ELSE 1 END * round(abs(m.amount_minor) * p.carried / p.whole)) AS part,
    sum(m.amount_minor) AS whole
  FROM payments p JOIN settlement_match m ON m.payment_id = p.id AND m.undone_at IS NULL
  WHERE p.whole <> 0 GROUP BY m.statement_line_id
),
nodes (level, id, part, own, off) AS (
  SELECT 1, b.id, COALESCE(s.part, 0), NULL::numeric, 0::numeric
  FROM (SELECT budget_line_id AS id FROM facts WHERE budget_line_id IS NOT NULL UNION {start.budget_lines}
        UNION SELECT budget_line_id FROM spending) b
  LEFT JOIN spending s ON s.budget_line_id = b.id
  UNION ALL
  SELECT 3, COALESCE(w.tender_id, 0), sum(COALESCE(f.part, 0)), NULL, 0
  FROM contracts k LEFT JOIN procurement_award w ON w.contract_id = k.id
  LEFT JOIN (SELECT contract_id, sum(payable) AS part FROM facts GROUP BY 1) f ON f.contract_id = k.id GROUP BY 2
  UNION ALL
  SELECT 4, k.id, sum(COALESCE(f.payable, 0)), NULL, 0 FROM contracts k LEFT JOIN facts f ON f.contract_id = k.id
  GROUP BY k.id
  UNION ALL
  SELECT 5, v.id, sum(COALESCE(f.payable, 0)), NULL, 0
  FROM certificates v LEFT JOIN facts f ON f.certificate_id = v.id GROUP BY v.id
  UNION ALL
  SELECT 6, d.id, sum(COALESCE(f.payable, 0)), NULL, 0
  FROM (SELECT redemption_id AS id FROM facts WHERE redemption_id IS NOT NULL UNION {start.redemptions}) d
  LEFT JOIN facts f ON f.redemption_id = d.id GROUP BY d.id
  UNION ALL
  SELECT 7, line_id, sum(payable), sum(claimed), 0 FROM facts GROUP BY line_id
  UNION ALL
  SELECT 8, q.claim_id, q.part, q.whole, q.whole - COALESCE(sum(r.payable + r.offsets), 0)
  FROM claims q LEFT JOIN settlement_remittance r ON r.claim_id = q.claim_id GROUP BY q.claim_id, q.part, q.whole
  UNION ALL
  SELECT 9, entry_id, part, whole, 0 FROM postings
  UNION ALL
  SELECT 10, p.id, p.part, p.whole, p.whole - (
    SELECT COALESCE(sum(r.payable), p.whole) FROM settlement_paymentremittance i
    JOIN settlement_remittance r ON r.id = i.remittance_id WHERE i.payment_id = p.id)
  FROM payments p
  UNION ALL
  SELECT 11, COALESCE(b.id, s.id), COALESCE(b.part, 0), s.amount_minor, CASE WHEN b.id IS NULL THEN 0
    ELSE s.amount_minor - (SELECT sum(m.amount_minor) FROM settlement_match m
                           WHERE m.statement_line_id = s.id AND m.undone_at IS NULL) END
  FROM bank b FULL JOIN ({start.bank_lines}) d (id) ON d.id = b.id
  JOIN settlement_statementline s ON s.id = COALESCE(b.id, d.id)
),
ranked AS (
  SELECT *, count(*) OVER w AS n, sum(part) OVER w AS total, sum(off) OVER w AS off_total,
    row_number() OVER (PARTITION BY level ORDER BY (level = %(start_level)s AND id = %(id)s) DESC, abs(part) DESC, id)
      AS place
  FROM nodes WINDOW w AS (PARTITION BY level)
),
shown AS (SELECT * FROM ranked WHERE place <= %(top)s)
SELECT x.level, x.id, x.part, x.own, x.off, x.n, x.total, x.off_total, x.place,
  COALESCE(bl.code || ' ' || bl.year, te.number, ct.number, ce.number, re.code,
    lc.number || '/' || cl.line, cm.number, en.number, pa.reference, NULLIF(sl.end_to_end_id, ''),
    NULLIF(sl.bank_reference, ''), st.statement_id || '/' || sl.position, '') AS name,
  COALESCE(bl.name, te.title, cp.name, cl.service_code, mp.name, en.event, pp.name, sl.counterparty_name,
    re.provider_code, '') AS title,
  COALESCE(te.status, ct.status, ce.status, re.status, cm.status, pa.status, sl.status,
    (SELECT a.outcome FROM settlement_adjudication a WHERE a.claim_line_id = cl.id ORDER BY a.run_id DESC LIMIT 1), '')
    AS status,
  COALESCE(ct.valid_from, ce.valid_from, (re.starts_at AT TIME ZONE %(zone)s)::date, cl.service_date, cm.period,
    en.date, (pa.sent_at AT TIME ZONE %(zone)s)::date, sl.booked_on) AS on_date
FROM shown x
LEFT JOIN contracts_budgetline bl ON x.level = 1 AND bl.id = x.id
LEFT JOIN procurement_tender te ON x.level = 3 AND te.id = x.id
LEFT JOIN contracts_contract ct ON x.level = 4 AND ct.id = x.id
LEFT JOIN contracts_provider cp ON cp.id = ct.provider_id
LEFT JOIN vouchers_certificate ce ON x.level = 5 AND ce.id = x.id
LEFT JOIN vouchers_redemption re ON x.level = 6 AND re.id = x.id
LEFT JOIN settlement_claimline cl ON x.level = 7 AND cl.id = x.id LEFT JOIN settlement_claim lc ON lc.id = cl.claim_id
LEFT JOIN settlement_claim cm ON x.level = 8 AND cm.id = x.id
LEFT JOIN contracts_provider mp ON mp.id = cm.provider_id
LEFT JOIN settlement_entry en ON x.level = 9 AND en.id = x.id
LEFT JOIN settlement_payment pa ON x.level = 10 AND pa.id = x.id
LEFT JOIN contracts_provider pp ON pp.id = pa.provider_id
LEFT JOIN settlement_statementline sl ON x.level = 11 AND sl.id = x.id
LEFT JOIN settlement_statement st ON st.id = sl.statement_id
UNION ALL
SELECT 0, NULL, sum(payable), sum(claimed), sum(gross), count(DISTINCT line_id), sum(payable), sum(fee), 1, '', '', '',
  NULL FROM facts
UNION ALL
-- set aside on the budget: reservations of the certificates, commitments of the contracts
SELECT 2, NULL, sum(e.amount_minor), sum(e.amount_minor) FILTER (WHERE e.amount_minor > 0), 0, count(*),
  sum(e.amount_minor), 0, 1, e.kind, '', '', max(e.occurred_on)
FROM contracts_budgetentry e
JOIN (SELECT 'vouchers.certificate:' || id AS label FROM certificates
      UNION ALL SELECT 'contracts.contract:' || id FROM contracts) q ON q.label = e.label
WHERE e.kind <> 'spending' GROUP BY e.kind
ORDER BY 1, 9
"""


def query_for(start: Start) -> str:
    """The query of a start point; its parameters are id, organisation, start_level, top and zone."""
    return _QUERY.format(start=start, joins=_JOINS)


def level_of(start: Start) -> int:
    """Level on which the start point stands."""
    return next(level for level, _name, model in LEVELS if model == start.model)
