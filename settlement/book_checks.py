"""Checks of the books that look into single documents: what a sum over many would not notice.

Each gives (row, expected, found) of rows that disagree, at most ``limit``, in a fixed order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import pandas as pd
from django.db import connection

from config.office.storage import FileMissing, open_attachment
from settlement.bulk import read_integers
from settlement.finance_queries import payment_file
from settlement.gateways.base import GatewayError
from settlement.gateways.pain001 import ReadOrder, parse_pain001
from settlement.models import AdjudicationRun, PaymentRun
from settlement.rules.adjudicate import OUTCOMES
from settlement.rules.digest import digest_of_tables
from settlement.rules.figures import CLAIM_FIGURES, LINE_FIGURES

Disagreement = tuple[str, str, str]

# The key of an entry begins with its event; an opening balance may go either way, and so may what a year leaves.
ENTRIES_AS_KEYED = """
SELECT 'entry ' || e.number, e.event || ':…', e.key FROM settlement_entry e
WHERE e.key NOT LIKE e.event || ':%' AND NOT (e.event LIKE 'opening.%' AND e.key LIKE 'opening:%')
    AND NOT (e.event LIKE 'year.%' AND e.key LIKE 'year.closed:%') ORDER BY e.id
"""
DAYS_OF_CAUSES = """
SELECT 'entry ' || e.number,
    COALESCE(m.booked_on, t.booked_on, l.booked_on, (e.recorded_at AT TIME ZONE o.zone)::date)::text, e.date::text
FROM settlement_entry e
JOIN accounts_organisation o ON o.id = e.organisation_id
LEFT JOIN (SELECT x.id, l.booked_on FROM settlement_match x JOIN settlement_statementline l
           ON l.id = x.statement_line_id) m
    ON e.event IN ('payment.confirmed', 'payment.returned', 'payment.unconfirmed', 'payment.unreturned')
    AND m.id = NULLIF(substring(e.key FROM ':([0-9]{1,18})$'), '')::bigint
LEFT JOIN (SELECT x.event || x.id AS key, l.booked_on FROM (
        SELECT CASE WHEN undoes_id IS NULL THEN 'fee.paid_by_bank:' ELSE 'fee.unpaid_by_bank:' END AS event, id,
            statement_line_id FROM settlement_feereceipt
        UNION ALL SELECT CASE WHEN undoes_id IS NULL THEN 'fee.refunded_bank:' ELSE 'fee.unrefunded_bank:' END, id,
            statement_line_id FROM settlement_feerefundtransfer
        UNION ALL SELECT CASE WHEN undoes_id IS NULL THEN 'clawback.repaid:' ELSE 'clawback.unrepaid:' END, id,
            statement_line_id FROM settlement_clawbackrecovery
        UNION ALL SELECT CASE WHEN undoes_id IS NULL AND amount_minor < 0 THEN 'clearing.paid:'
            WHEN undoes_id IS NULL THEN 'clearing.received:' WHEN amount_minor > 0 THEN 'clearing.unpaid:'
            ELSE 'clearing.unreceived:' END, id, statement_line_id FROM settlement_clearingpayment
        UNION ALL SELECT CASE WHEN undoes_id IS NULL THEN 'advance.repaid:' ELSE 'advance.unrepaid:' END, id,
            statement_line_id FROM settlement_advancereturn
    ) x JOIN settlement_statementline l ON l.id = x.statement_line_id) t ON t.key = e.key
LEFT JOIN settlement_statementline l ON e.label LIKE 'settlement.statementline:%'
    AND l.id = NULLIF(substring(e.label FROM ':([0-9]{1,18})$'), '')::bigint
WHERE e.date <> COALESCE(m.booked_on, t.booked_on, l.booked_on, CASE
    WHEN e.event IN ('claim.adjudicated', 'claim.reversed', 'payment.failed')
    THEN (e.recorded_at AT TIME ZONE o.zone)::date END) ORDER BY e.id
"""
# A refund by bank that has gone went with one line of its sum that nobody has undone; another went with none.
REFUND_TRANSFERS = """
SELECT 'refund of fee notice ' || n.number || ' of ' || b.amount_minor, w.wanted::text, w.found::text
FROM settlement_feerefund b JOIN settlement_feereceipt r ON r.id = b.receipt_id
JOIN settlement_feenotice n ON n.id = r.notice_id
CROSS JOIN LATERAL (SELECT CASE WHEN r.method = 'bank' AND b.status = 'refunded' THEN b.amount_minor ELSE 0 END
    AS wanted, (SELECT COALESCE(-sum(x.amount_minor), 0) FROM settlement_feerefundtransfer x
                WHERE x.refund_id = b.id) AS found) w
WHERE w.found <> w.wanted ORDER BY b.id
"""
# What undoes names one row that undoes nothing, is of the opposite amount and of the same line and owner.
_TAKINGS = """
    SELECT 'match' AS name, id, payment_id AS owner, statement_line_id, amount_minor, undoes_id FROM settlement_match
    UNION ALL
    SELECT 'receipt', id, notice_id, statement_line_id, amount_minor, undoes_id FROM settlement_feereceipt
    UNION ALL
    SELECT 'transfer', id, refund_id, statement_line_id, amount_minor, undoes_id FROM settlement_feerefundtransfer
    UNION ALL
    SELECT 'repayment', id, case_id, statement_line_id, amount_minor, undoes_id FROM settlement_clawbackrecovery
    UNION ALL
    SELECT 'payment of clearing', id, statement_id, statement_line_id, amount_minor, undoes_id
    FROM settlement_clearingpayment
    UNION ALL
    SELECT 'return', id, advance_id, statement_line_id, amount_minor, undoes_id FROM settlement_advancereturn
"""
UNDONE = f"""
WITH taking AS NOT MATERIALIZED ({_TAKINGS})
SELECT x.name || ' ' || x.id, (-o.amount_minor)::text, x.amount_minor::text
FROM taking x JOIN taking o ON o.name = x.name AND o.id = x.undoes_id
WHERE x.undoes_id IS NOT NULL AND (o.undoes_id IS NOT NULL OR o.amount_minor <> -x.amount_minor OR o.owner <> x.owner
    OR o.statement_line_id IS DISTINCT FROM x.statement_line_id) ORDER BY 1
"""
# A matched line is taken as a whole, one that is open or explained in parts if at all, and by each document once:
# what was undone takes nothing.
TAKEN_LINES = f"""
WITH taking AS NOT MATERIALIZED ({_TAKINGS}), parts AS (
    SELECT statement_line_id, name, owner, sum(amount_minor) AS amount, count(*) FILTER (WHERE undoes_id IS NULL)
        - count(*) FILTER (WHERE undoes_id IS NOT NULL) AS times
    FROM taking WHERE statement_line_id IS NOT NULL GROUP BY 1, 2, 3
), sums AS (
    SELECT statement_line_id, sum(amount) AS amount, bool_or(sign(amount) NOT IN (0, w.side)) AS against,
        bool_or(times > 1 AND name <> 'match') AS twice
    FROM parts JOIN (SELECT id, sign(amount_minor) AS side FROM settlement_statementline) w ON w.id = statement_line_id
    GROUP BY 1
)
SELECT 'statement line ' || s.statement_id || '/' || l.position,
    CASE l.status WHEN 'matched' THEN l.amount_minor::text WHEN 'unmatched' THEN '0'
        ELSE 'a part of ' || l.amount_minor END || ', once a document',
    COALESCE(m.amount, 0) || CASE WHEN m.twice THEN ', twice by one document' ELSE '' END
FROM settlement_statementline l JOIN settlement_statement s ON s.id = l.statement_id
LEFT JOIN sums m ON m.statement_line_id = l.id
WHERE m.twice OR m.against OR CASE l.status WHEN 'matched' THEN COALESCE(m.amount, 0) <> l.amount_minor
    WHEN 'unmatched' THEN COALESCE(m.amount, 0) <> 0
    WHEN 'partial' THEN COALESCE(abs(m.amount), 0) NOT BETWEEN 1 AND abs(l.amount_minor) - 1
    ELSE COALESCE(abs(m.amount), 0) >= abs(l.amount_minor) END ORDER BY l.id
"""
POSTINGS_OF_CAUSES = """
SELECT 'posting ' || p.id || ' of entry ' || e.number, e.label,
    COALESCE('claim ' || p.claim_id, 'payment ' || p.payment_id, 'nothing')
FROM settlement_posting p JOIN settlement_entry e ON e.id = p.entry_id
WHERE (e.label LIKE 'settlement.claim:%' AND e.label IS DISTINCT FROM 'settlement.claim:' || p.claim_id)
   OR (e.label LIKE 'settlement.payment:%' AND e.label IS DISTINCT FROM 'settlement.payment:' || p.payment_id)
ORDER BY p.id
"""
# What a grant of ours still sets aside: its ceiling less what its claims were allowed, run by run. A reversal sets
# nothing aside again; a grant that ended, or whose year did, sets aside nothing.
COMMITMENTS = """
SELECT 'contract ' || k.number, w.wanted::text, w.found::text
FROM contracts_contract k
CROSS JOIN LATERAL (SELECT GREATEST((k.ceiling * 100)::bigint - COALESCE(sum(GREATEST(x.payable, 0)), 0), 0) AS wanted,
    COALESCE((SELECT sum(n.amount_minor) FROM contracts_budgetentry n
              WHERE n.kind = 'commitment' AND n.label = 'contracts.contract:' || k.id), 0) AS found
    FROM (SELECT sum(a.payable) AS payable FROM settlement_claim q JOIN settlement_adjudication a ON a.claim_id = q.id
          WHERE q.contract_id = k.id GROUP BY a.run_id) x) w
WHERE k.basis = 'grant' AND k.signed_at IS NOT NULL AND k.ceiling IS NOT NULL AND w.found <> w.wanted
    AND NOT (w.found = 0 AND (k.status = 'terminated' OR EXISTS (
        SELECT 1 FROM contracts_closedbudgetline c WHERE c.budget_line_id = k.budget_line_id)))
ORDER BY k.id
"""
ISSUED = """
SELECT 'certificate ' || c.number || ' ' || s.code, (l.units * 1000)::bigint::text, sum(n.units_milli)::text
FROM vouchers_certificateentry n JOIN vouchers_certificateline l ON l.id = n.certificate_line_id
JOIN vouchers_certificate c ON c.id = l.certificate_id JOIN contracts_service s ON s.id = l.service_id
WHERE n.kind = 'issued' GROUP BY l.id, c.id, s.id HAVING sum(n.units_milli) <> (l.units * 1000)::bigint ORDER BY l.id
"""
# Units of reported visits leave the balance as far as it goes; what was left behind for want of units stays behind.
REPORTED = """
WITH allowed AS (
    SELECT q.certificate_id, q.service_code,
        sum(CASE WHEN a.reverses_id IS NULL THEN a.units_allowed ELSE -a.units_allowed END)::bigint AS units
    FROM settlement_adjudication a JOIN settlement_claimline q ON q.id = a.claim_line_id
    JOIN settlement_claim m ON m.id = q.claim_id
    LEFT JOIN vouchers_redemption r ON r.organisation_id = m.organisation_id AND r.code = q.redemption_code
        AND r.channel = 'online'
    WHERE r.id IS NULL AND q.certificate_id IS NOT NULL GROUP BY 1, 2
), moved AS (
    SELECT n.certificate_line_id, COALESCE(-sum(n.units_milli) FILTER (
            WHERE n.kind IN ('captured', 'restored') AND n.redemption_id IS NULL), 0) AS taken,
        sum(n.units_milli) AS balance, bool_or(n.kind = 'restored') AS restored, bool_or(n.kind = 'issued') AS ours
    FROM vouchers_certificateentry n GROUP BY 1
)
SELECT 'certificate ' || c.number || ' ' || s.code, COALESCE(a.units, 0)::text, x.taken::text
FROM moved x JOIN vouchers_certificateline l ON l.id = x.certificate_line_id
JOIN vouchers_certificate c ON c.id = l.certificate_id JOIN contracts_service s ON s.id = l.service_id
LEFT JOIN allowed a ON a.certificate_id = c.id AND a.service_code = s.code
WHERE x.ours AND (x.taken > COALESCE(a.units, 0) AND c.status IN ('issued', 'active', 'suspended', 'exhausted')
    OR x.taken < COALESCE(a.units, 0) AND x.balance > 0 AND NOT x.restored) ORDER BY l.id
"""
STATEMENT_SUMS = """
SELECT 'statement ' || s.statement_id || ' of ' || s.iban, (s.closing_minor - s.opening_minor)::text,
    COALESCE(sum(l.amount_minor), 0)::text
FROM settlement_statement s LEFT JOIN settlement_statementline l ON l.statement_id = s.id
WHERE s.status IN ('imported', 'reconciled') AND s.problems = '[]' AND s.opening_minor IS NOT NULL
    AND s.closing_minor IS NOT NULL
GROUP BY s.id HAVING s.closing_minor - s.opening_minor <> COALESCE(sum(l.amount_minor), 0) ORDER BY s.id
"""
# A line is explained for what no document takes of it; told by another message before, it posts nothing.
EXPLAINED = f"""
WITH taking AS NOT MATERIALIZED ({_TAKINGS})
SELECT 'statement line ' || s.statement_id || '/' || l.position, w.wanted::text, COALESCE(p.posted, 0)::text
FROM settlement_statementline l JOIN settlement_statement s ON s.id = l.statement_id
LEFT JOIN (SELECT statement_line_id, sum(amount_minor) AS amount FROM taking GROUP BY 1) m
    ON m.statement_line_id = l.id
LEFT JOIN (SELECT e.label, sum(p.debit - p.credit) AS posted FROM settlement_entry e
    JOIN settlement_posting p ON p.entry_id = e.id JOIN settlement_account a ON a.id = p.account_id
    WHERE a.kind = 'bank' AND e.label LIKE 'settlement.statementline:%' GROUP BY 1) p
    ON p.label = 'settlement.statementline:' || l.id
CROSS JOIN LATERAL (SELECT CASE WHEN l.status = 'explained' AND l.explained_by_id IS NOT NULL
    THEN l.amount_minor - COALESCE(m.amount, 0) ELSE 0 END AS wanted) w
WHERE COALESCE(p.posted, 0) <> w.wanted ORDER BY l.id
"""
# A decision repeats what its line claims: units, rate, and both multiplied and rounded half up; reversed, with a minus.
CLAIMED = """
SELECT 'claim ' || c.number || ' line ' || l.line || ' run ' || r.number, w.wanted, f.found
FROM settlement_adjudication a
JOIN settlement_adjudicationrun r ON r.id = a.run_id
JOIN settlement_claimline l ON l.id = a.claim_line_id JOIN settlement_claim c ON c.id = a.claim_id
CROSS JOIN LATERAL (SELECT l.units_milli || '/' || l.unit_rate_e4 || '/' ||
    round(l.units_milli::numeric * l.unit_rate_e4 / 100000) AS wanted) w
CROSS JOIN LATERAL (SELECT a.units_claimed || '/' || a.rate_claimed || '/' ||
    CASE WHEN a.reverses_id IS NULL THEN a.amount_claimed ELSE -a.amount_claimed END AS found) f
WHERE w.wanted <> f.found ORDER BY a.id
"""
RUN_COUNTS = """
SELECT 'run ' || r.period || '/' || r.number, r.lines || ' lines of ' || r.amount_claimed_minor,
    a.lines || ' lines of ' || m.claimed
FROM settlement_adjudicationrun r
CROSS JOIN LATERAL (SELECT count(*) AS lines FROM settlement_adjudication x
                    WHERE x.run_id = r.id AND x.reverses_id IS NULL) a
CROSS JOIN LATERAL (SELECT COALESCE(sum(x.amount_claimed), 0) AS claimed FROM settlement_remittance x
                    WHERE x.run_id = r.id) m
WHERE r.status = 'done' AND (r.lines, r.amount_claimed_minor) <> (a.lines, m.claimed) ORDER BY r.id
"""
# A line of a package has no word in the trail.
APPROPRIATIONS = """
SELECT 'budget line ' || b.code || ' ' || b.year, t.told::text, b.amount::text
FROM (SELECT DISTINCT ON (objects_touched->>0) objects_touched->>0 AS label,
        COALESCE(data->>'after', data->>'amount')::numeric AS told
      FROM audit_auditevent WHERE action IN ('budget_line.added', 'budget_line.amended')
      ORDER BY objects_touched->>0, sequence DESC) t
JOIN contracts_budgetline b ON t.label = 'contracts.budgetline:' || b.id
WHERE b.amount <> t.told ORDER BY b.id
"""
# What was set aside for a certificate in force is the sum of its services; a replacement takes what is left.
EXPECTED = """
SELECT 'certificate ' || c.number, c.reserved_minor::text, sum(l.expected_minor)::text
FROM vouchers_certificate c JOIN vouchers_certificateline l ON l.certificate_id = c.id
WHERE c.budget_line_id IS NOT NULL AND c.replaces_id IS NULL
    AND c.status IN ('issued', 'active', 'suspended', 'exhausted')
GROUP BY c.id HAVING sum(l.expected_minor) <> 0 AND sum(l.expected_minor) <> c.reserved_minor ORDER BY c.id
"""
# The trail said what a case asks for when its lines were written.
ASKED = """
SELECT 'clawback ' || k.number, t.told::text, x.asked::text
FROM settlement_clawbackcase k
CROSS JOIN LATERAL (SELECT k.debt_minor + COALESCE(sum(l.amount_minor), 0) AS asked FROM settlement_clawbackline l
                    WHERE l.case_id = k.id) x
CROSS JOIN LATERAL (SELECT COALESCE(sum((e.data->>'amount_minor')::bigint), 0) AS told FROM audit_auditevent e
    WHERE e.action IN ('clawback.opened', 'clawback.extended')
      AND e.objects_touched->>0 = 'settlement.clawbackcase:' || k.id) t
WHERE x.asked <> t.told ORDER BY k.id
"""
# A case about a month of a provider rests on remittances of that month, and asks back what they are short of together;
# none of them is paid beside it, or asked back twice.
DEBTS_ASKED_BACK = """
WITH debt AS (
    SELECT k.id, d.remittance_id, d.amount_minor, k.outcome <> 'dropped' AS stands, (k.debt_period, k.provider_id,
        k.organisation_id) IS DISTINCT FROM (r.period, m.provider_id, r.organisation_id) AS strange,
        m.payable <> -d.amount_minor AS differs
    FROM settlement_clawbackdebt d JOIN settlement_clawbackcase k ON k.id = d.case_id
    JOIN settlement_remittance m ON m.id = d.remittance_id JOIN settlement_adjudicationrun r ON r.id = m.run_id
)
SELECT 'clawback ' || k.number, k.debt_minor::text, COALESCE(x.amount, 0) || CASE
    WHEN x.strange THEN ', of another month or provider' WHEN x.differs THEN ', not what is owed'
    WHEN x.twice THEN ', taken twice' ELSE '' END
FROM settlement_clawbackcase k
LEFT JOIN (SELECT d.id, sum(d.amount_minor) AS amount, bool_or(d.strange) AS strange, bool_or(d.differs) AS differs,
        bool_or(d.stands AND (EXISTS (SELECT 1 FROM settlement_paymentremittance i
                                      WHERE i.remittance_id = d.remittance_id AND i.live)
            OR EXISTS (SELECT 1 FROM debt o WHERE o.remittance_id = d.remittance_id AND o.stands AND o.id <> d.id)))
            AS twice
    FROM debt d GROUP BY d.id) x ON x.id = k.id
WHERE k.debt_minor <> COALESCE(x.amount, 0) OR x.strange OR x.differs OR x.twice ORDER BY k.id
"""
# What was, is the last decision on the line that was taken back.
CORRECTED_FROM = """
SELECT 'correction ' || c.number || ' claim ' || q.number || ' line ' || l.line, w.wanted,
    COALESCE(d.found, 'no decision')
FROM settlement_correctionline x
JOIN settlement_correction c ON c.id = x.correction_id AND c.run_id IS NOT NULL
JOIN settlement_claimline l ON l.id = x.claim_line_id JOIN settlement_claim q ON q.id = l.claim_id
CROSS JOIN LATERAL (SELECT concat_ws('/', x.outcome_was, x.units_was, x.rate_was, x.gross_was, x.fee_was,
    x.payable_was) AS wanted) w
LEFT JOIN LATERAL (
    SELECT concat_ws('/', a.outcome, a.units_allowed, a.rate_allowed, a.gross, a.fee, a.payable) AS found
    FROM settlement_adjudication a WHERE a.claim_line_id = l.id AND a.reverses_id IS NULL
    ORDER BY a.id DESC LIMIT 1) d ON true
WHERE d.found IS DISTINCT FROM w.wanted ORDER BY x.id
"""
# What left a run before it was released (a hold, an account) has no payment and is not live; a cancelled run keeps the
# total that was seen last.
RUN_TOTALS = """
SELECT 'payment run ' || r.number, (r.total * 100)::bigint::text, COALESCE(sum(m.payable), 0)::text
FROM settlement_paymentrun r
LEFT JOIN (SELECT i.payment_run_id, m.payable FROM settlement_paymentremittance i
           JOIN settlement_remittance m ON m.id = i.remittance_id WHERE i.live OR i.payment_id IS NOT NULL
           UNION ALL SELECT i.payment_run_id, b.amount_minor FROM settlement_paymentadvance i
           JOIN settlement_advance b ON b.id = i.advance_id WHERE i.live OR i.payment_id IS NOT NULL) m
    ON m.payment_run_id = r.id
WHERE r.status <> 'cancelled'
GROUP BY r.id HAVING (r.total * 100)::bigint <> COALESCE(sum(m.payable), 0) ORDER BY r.id
"""


def changed_runs(limit: int) -> list[Disagreement]:
    """Runs whose stored decisions, findings and remittances no longer have the fingerprint that was noted of them."""
    runs = AdjudicationRun.objects.filter(status="done").exclude(digest="").order_by("pk")
    found = ((f"run {run}", run.digest, fingerprint_of(run)) for run in runs.iterator())
    return list(islice((row for row in found if row[1] != row[2]), limit))


_CODES = [f"CLM-{number:02d}" for number in range(100)]
_SEVERITIES = ["C", "P", "R", "W"]
_NUMBERS = """
SELECT c.id, c.number FROM settlement_remittance m JOIN settlement_claim c ON c.id = m.claim_id WHERE m.run_id = %s
"""


def _place(name: str, words: Sequence[str]) -> str:
    """A word as its place in a list; one that is not in it stands behind the last."""
    cases = " ".join(f"WHEN '{word}' THEN {place}" for place, word in enumerate(words))
    return f"CASE {name} {cases} ELSE {len(words)} END"


# ruff: noqa: S608  SQL is put together from names of this module.
_ADJUDICATIONS = f"""
SELECT a.claim_id AS claim, l.line, (a.reverses_id IS NOT NULL)::int AS reversal,
    {_place("a.outcome", OUTCOMES)} AS outcome, {", ".join(LINE_FIGURES)}
FROM settlement_adjudication a JOIN settlement_claimline l ON l.id = a.claim_line_id WHERE a.run_id = %(run)s
"""
_FINDINGS = f"""
SELECT l.claim_id AS claim, l.line, {_place("f.check_code", _CODES)} AS "check",
    {_place("f.severity", _SEVERITIES)} AS severity, f.units, f.amount
FROM settlement_finding f JOIN settlement_claimline l ON l.id = f.claim_line_id WHERE f.run_id = %(run)s
"""
_REMITTANCES = f"SELECT claim_id AS claim, {', '.join(CLAIM_FIGURES)} FROM settlement_remittance WHERE run_id = %(run)s"


def fingerprint_of(run: AdjudicationRun) -> str:
    """The fingerprint of what is stored of a run, as `settlement.rules.digest` takes it of what the rules gave."""
    rows = {"run": run.pk}
    with connection.cursor() as cursor:
        cursor.execute(_NUMBERS, [run.pk])
        numbers = dict(cursor.fetchall())
        decisions = read_integers(cursor, _ADJUDICATIONS, ("claim", "line", "reversal", "outcome", *LINE_FIGURES), rows)
        findings = read_integers(cursor, _FINDINGS, ("claim", "line", "check", "severity", "units", "amount"), rows)
        remittances = read_integers(cursor, _REMITTANCES, ("claim", *CLAIM_FIGURES), rows)
    _name(decisions, "outcome", OUTCOMES)
    _name(findings, "check", _CODES)
    _name(findings, "severity", _SEVERITIES)
    return digest_of_tables(numbers, decisions, findings, remittances)


def _name(table: pd.DataFrame, column: str, words: Sequence[str]) -> None:
    table[column] = pd.Categorical.from_codes(table[column], categories=pd.Index([*words, "?"]))


def changed_payments(limit: int) -> list[Disagreement]:
    """Payments that the newest bank file of their run asks for otherwise: another account or another sum."""
    return list(islice(_changed_payments(), limit))


def _changed_payments() -> Iterator[Disagreement]:
    for run in PaymentRun.objects.exclude(message_id="").order_by("pk").iterator():
        file = payment_file(run)
        if file is None:
            continue
        try:
            with open_attachment(file) as content:
                order = parse_pain001(content.read())
        except (FileMissing, GatewayError) as problem:
            yield f"payment run {run.number}", f"its bank file {file.name}", str(problem)
        else:
            yield from _asked_otherwise(run, order)


def _asked_otherwise(run: PaymentRun, order: ReadOrder) -> Iterator[Disagreement]:
    payments = {payment.reference: payment for payment in run.payments.all()}
    for asked in order.payments:
        payment = payments.get(asked.end_to_end_id)
        told = f"{payment.amount.amount} to {payment.iban}" if payment else "no payment"
        wanted = f"{asked.amount} to {asked.creditor_account}"
        if told != wanted:
            yield f"payment {asked.end_to_end_id}", wanted, told
