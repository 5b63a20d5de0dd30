"""What a run means for budgets and the ledger.

The payable part of a claim is spending of a budget line: of the certificate's, when it has one, else of the line of the
contract's code in the year of the claim, else of the contract's. For a line of a closed year its successor steps in.
What a certificate had reserved, or a grant agreement committed, for it turns into that spending. For a certificate of
another municipality that part is due from it, and only what it does not refund is spending. Spending beyond the
appropriation is recorded too: what is owed does not depend on the budget. It is paid once the line is amended.
"""

# ruff: noqa: S608  SQL is put together from names in this code; every value is a parameter.

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from typing import Any

from django.db import connection

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.locks import lock_rows
from config.transactions import step
from contracts.models import BudgetLine, Provider
from settlement.actions.ledger import Amounts, EntryDraft, post_entries
from settlement.models import AdjudicationRun
from settlement.models.clearing import CLEARED
from settlement.rules.posting_plan import CLAIM_ADJUDICATED, CLAIM_REVERSED
from settlement.year_queries import OPEN_LINE, TAKEN_OVER

_SPENT = f"""
CREATE TEMP TABLE run_spent ON COMMIT DROP AS {TAKEN_OVER}
SELECT p.claim_id, COALESCE(o.line_id, c.budget_line_id, y.id, k.budget_line_id) AS budget_line_id,
    CASE WHEN c.budget_line_id IS NOT NULL THEN c.id END AS certificate_id,
    CASE WHEN c.budget_line_id IS NULL AND k.basis = 'grant' THEN k.id END AS contract_id,
    h.organisation_id AS neighbour_id,
    sum(p.gross)::bigint AS gross, sum(p.fee)::bigint AS fee, sum(p.payable)::bigint AS payable,
    COALESCE(sum(z.due), 0)::bigint AS due
FROM run_part p
LEFT JOIN (
    SELECT claim_id, certificate_id, service_id, sum(due_minor) AS due FROM settlement_clearingitem
    WHERE run_id = %(run)s GROUP BY 1, 2, 3
) z ON z.claim_id = p.claim_id AND z.certificate_id = p.certificate_id AND z.service_id = p.service_id
JOIN settlement_claim g ON g.id = p.claim_id
JOIN settlement_claim q ON q.id = COALESCE(g.reverses_id, g.id)
JOIN contracts_contract k ON k.id = COALESCE(q.contract_id, (SELECT r.id FROM contracts_contract r
    WHERE r.organisation_id = q.organisation_id AND r.number = q.contract_number))
JOIN vouchers_certificate c ON c.id = p.certificate_id
LEFT JOIN vouchers_certificate h ON h.id = c.home_id
JOIN contracts_budgetline b ON b.id = k.budget_line_id
LEFT JOIN contracts_budgetline y ON y.organisation_id = b.organisation_id AND y.code = b.code
    AND y.year = EXTRACT(year FROM q.period)
{OPEN_LINE.format("COALESCE(c.budget_line_id, y.id, k.budget_line_id)")}
WHERE p.priced
GROUP BY 1, 2, 3, 4, 5
"""


# What claims have spent of certificates; the same of those of a run, of which the temporary tables tell: the lines of
# earlier runs and its own, without claims that are taken back.
_SPENT_OF = """SELECT l.certificate_id, a.payable
            FROM settlement_claimline l JOIN settlement_adjudication a ON a.claim_line_id = l.id
            WHERE l.certificate_id IN ({certificates})"""
_SPENT_IN_RUN = """SELECT l.certificate_id, l.gross - l.fee AS payable FROM past_line l
            WHERE l.certificate_id IN (SELECT certificate_id FROM run_spent)
            UNION ALL
            SELECT r.certificate_id, r.payable FROM run_part r JOIN settlement_claim t ON t.id = r.claim_id
            WHERE t.reverses_id IS NULL AND t.id NOT IN (SELECT claim_id FROM gone_claim)"""


def still_reserved(certificates: str, spent: str = "") -> str:
    """SQL of the way to what certificates still reserve: budget line, kind, amount, label. ``certificates``: their ids;
    ``spent``: certificate and amount of what claims have spent of them.

    That is the reservation less what claims have spent, here and by agreed clearing elsewhere, as far as it goes. A
    reversal so sets aside again, but only while the certificate lives.
    """
    spent = spent or _SPENT_OF.format(certificates=certificates)
    return f"""
SELECT s.budget_line_id, 'reservation' AS kind, CASE WHEN s.status IN ('issued', 'active', 'suspended', 'exhausted')
        THEN s.wanted - s.remaining ELSE LEAST(s.wanted - s.remaining, 0) END AS amount,
    'vouchers.certificate:' || s.id AS label
FROM (
    SELECT c.id, c.budget_line_id, c.status,
        c.reserved_minor - LEAST(GREATEST(COALESCE(p.payable, 0), 0), c.reserved_minor) AS wanted,
        COALESCE((SELECT sum(e.amount_minor) FROM contracts_budgetentry e
                  WHERE e.label = 'vouchers.certificate:' || c.id AND e.kind = 'reservation'), 0)::bigint AS remaining
    FROM vouchers_certificate c LEFT JOIN (
        SELECT certificate_id, sum(payable)::bigint AS payable FROM (
            {spent}
            UNION ALL
            SELECT g.home_id, i.due_minor FROM {CLEARED} i JOIN vouchers_certificate g ON g.id = i.certificate_id
            WHERE g.home_id IN ({certificates})
        ) x GROUP BY 1
    ) p ON p.certificate_id = c.id
    WHERE c.budget_line_id IS NOT NULL AND c.id IN ({certificates})
) s
"""


_MOVES = f"""
CREATE TEMP TABLE run_move ON COMMIT DROP AS
SELECT s.budget_line_id, 'spending' AS kind, s.payable AS amount, 'settlement.claim:' || s.claim_id AS label
FROM (SELECT claim_id, budget_line_id, sum(payable - due)::bigint AS payable FROM run_spent GROUP BY 1, 2) s
WHERE s.payable <> 0
UNION ALL
{still_reserved("SELECT certificate_id FROM run_spent", _SPENT_IN_RUN)}
UNION ALL
SELECT s.budget_line_id, 'commitment', -LEAST(s.payable, s.remaining), 'contracts.contract:' || s.contract_id
FROM (
    SELECT t.contract_id, t.budget_line_id, sum(t.payable)::bigint AS payable,
        COALESCE((SELECT sum(e.amount_minor) FROM contracts_budgetentry e
                  WHERE e.label = 'contracts.contract:' || t.contract_id AND e.kind = 'commitment'), 0)::bigint
            AS remaining
    FROM run_spent t WHERE t.contract_id IS NOT NULL GROUP BY 1, 2
) s WHERE s.payable > 0
"""

_OVERSPENT = """
SELECT b.code || ' ' || b.year FROM contracts_budgetline b
WHERE b.id IN (SELECT budget_line_id FROM run_move) AND (b.amount * 100)::bigint < (
    SELECT sum(e.amount_minor) FROM contracts_budgetentry e WHERE e.budget_line_id = b.id)
ORDER BY b.code, b.year
"""

WRITE_MOVES = """
INSERT INTO contracts_budgetentry (budget_line_id, kind, amount_minor, label, occurred_on, recorded_at, recorded_by_id)
SELECT budget_line_id, kind, amount, label, (%(at)s AT TIME ZONE %(zone)s)::date, %(at)s, %(actor)s
FROM run_move WHERE amount <> 0 ORDER BY budget_line_id, kind, label
"""


@step
def lock_budgets(organisation: Organisation) -> None:
    """Lock the organisation's budget lines: first in the order of locks, and few."""
    lock_rows(BudgetLine.objects.filter(organisation=organisation))


@step
def move_budgets(run: AdjudicationRun, *, actor: Actor, at: datetime) -> list[str]:
    """Turn reservations and commitments into spending, in one statement; returns the lines that are overspent now.

    Money: minor units; spending is the payable part.
    """
    params: dict[str, Any] = {"run": run.pk, "at": at, "zone": run.organisation.zone, "actor": actor.user_id}
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS run_spent, run_move")
        cursor.execute(_SPENT, params)
        cursor.execute(_MOVES)
        cursor.execute(WRITE_MOVES, params)
        cursor.execute(_OVERSPENT)
        return [name for (name,) in cursor.fetchall()]


@step
def post_claims(run: AdjudicationRun, *, on: date, actor: Actor, at: datetime) -> None:
    """One entry for each claim of the run that moves money; an opposite one for a claim taken back."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.claim_id, q.provider_id, q.reverses_id, s.budget_line_id, s.neighbour_id, "
            "sum(s.gross)::bigint, sum(s.fee)::bigint, sum(s.payable)::bigint, sum(s.due)::bigint "
            "FROM run_spent s JOIN settlement_claim q ON q.id = s.claim_id "
            "GROUP BY q.number, 1, 2, 3, 4, 5 ORDER BY q.number, s.budget_line_id, s.neighbour_id NULLS FIRST"
        )
        rows = cursor.fetchall()
    lines = BudgetLine.objects.in_bulk({row[3] for row in rows})
    neighbours = Organisation.objects.in_bulk({row[4] for row in rows if row[4]})
    providers = Provider.objects.in_bulk({row[1] for row in rows})
    parts: dict[tuple[int, int | None], list[Amounts]] = defaultdict(list)
    for claim, provider, reverses, line, neighbour, gross, fee, payable, due in rows:
        figures = {"gross": abs(gross - due), "due": abs(due), "fee": abs(fee), "payable": abs(payable)}
        part = Amounts(figures, providers[provider], lines[line], neighbour=neighbours.get(neighbour))
        parts[claim, reverses].append(part)
    drafts = [_draft(run, claim, reverses, amounts) for (claim, reverses), amounts in parts.items()]
    post_entries(organisation=run.organisation, drafts=drafts, on=on, actor=actor, at=at)


def _draft(run: AdjudicationRun, claim: int, reverses: int | None, parts: list[Amounts]) -> EntryDraft:
    event = CLAIM_ADJUDICATED if reverses is None else CLAIM_REVERSED
    return EntryDraft(event, f"{event}:{run.pk}:{claim}", f"settlement.claim:{claim}", parts, claim_id=claim)
