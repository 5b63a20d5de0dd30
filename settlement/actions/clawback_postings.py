"""What clawbacks mean for budgets and the ledger.

What a correction took back of a paid month has left the spending with its run: it only moves from what is owed to the
provider to what the provider owes.

The budget line that a claim line was charged to gets its money back at the decision: its spending falls, and the
provider owes the sum until it is repaid or kept back. What another municipality had refunded becomes due to it. For a
line of a closed year its successor steps in, as for reversals.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import label_of
from config.clock import local_date
from config.locks import lock_rows
from config.transactions import step
from contracts.models import BudgetEntry, BudgetLine
from settlement.actions.claim_states import settle_claims
from settlement.actions.clearing_items import write_items_of_case
from settlement.actions.ledger import Amounts, EntryDraft, post_entries
from settlement.models import Claim, ClawbackCase, ClawbackDebt, ClawbackRecovery
from settlement.year_queries import OPEN_LINE, TAKEN_OVER

_CHARGED = f"""{TAKEN_OVER}
SELECT COALESCE(o.line_id, c.budget_line_id, y.id, k.budget_line_id), i.home_id, sum(x.upheld_minor)::bigint,
    COALESCE(-sum(i.due_minor), 0)::bigint
FROM settlement_clawbackline x
JOIN settlement_claimline l ON l.id = x.claim_line_id
JOIN settlement_claim q ON q.id = l.claim_id
JOIN contracts_contract k ON k.id = COALESCE(q.contract_id, (SELECT r.id FROM contracts_contract r
    WHERE r.organisation_id = q.organisation_id AND r.number = q.contract_number))
JOIN vouchers_certificate c ON c.id = COALESCE(l.certificate_id, (SELECT r.id FROM vouchers_certificate r
    WHERE r.organisation_id = q.organisation_id AND r.number = l.certificate_number))
JOIN contracts_budgetline b ON b.id = k.budget_line_id
LEFT JOIN contracts_budgetline y ON y.organisation_id = b.organisation_id AND y.code = b.code
    AND y.year = EXTRACT(year FROM q.period)
{OPEN_LINE.format("COALESCE(c.budget_line_id, y.id, k.budget_line_id)")}
LEFT JOIN settlement_clearingitem i ON i.clawback_line_id = x.id
WHERE x.case_id = %s AND x.upheld_minor > 0
GROUP BY 1, 2 ORDER BY 1, 2
"""  # noqa: S608  put together from constants


@step
def post_decision(case: ClawbackCase, *, actor: Actor, at: datetime) -> None:
    """The upheld sum leaves the spending of its budget lines and stands on the provider's account of what it owes.

    Locks: budget lines, numbering. Posts: clawback.decided.
    """
    lines = {line.pk: line for line in lock_rows(BudgetLine.objects.filter(organisation=case.organisation))}
    write_items_of_case(case, at=at)
    with connection.cursor() as cursor:
        cursor.execute(_CHARGED, [case.pk])
        sums = [(lines[key], home, amount, due) for key, home, amount, due in cursor.fetchall()]
    on = local_date(at, case.organisation.zone)
    BudgetEntry.objects.bulk_create(
        BudgetEntry(
            budget_line=line, kind="spending", amount_minor=due - amount, label=label_of(case), occurred_on=on,
            recorded_at=at, recorded_by_id=actor.user_id,
        )
        for line, _home, amount, due in sums
        if amount != due
    )  # fmt: skip
    neighbours = Organisation.objects.in_bulk([home for _line, home, _amount, _due in sums if home])
    parts = [
        Amounts(
            {"amount": amount, "rest": amount - due, "due": due}, case.provider, line, neighbour=neighbours.get(home)
        )
        for line, home, amount, due in sums
    ]
    draft = EntryDraft("clawback.decided", f"clawback.decided:{case.pk}", label_of(case), parts)
    post_entries(organisation=case.organisation, drafts=[draft], on=on, actor=actor, at=at)


@step
def post_debt(case: ClawbackCase, *, actor: Actor, at: datetime) -> None:
    """The debt of a month moves to what the provider owes by cases; claims of which nothing else is unpaid are paid.

    Locks: claims. Posts: clawback.taken_over.
    """
    debts = ClawbackDebt.objects.filter(case=case)
    claims = lock_rows(Claim.objects.filter(pk__in=debts.values("remittance__claim")))
    part = Amounts({"amount": case.debt_minor}, provider=case.provider)
    draft = EntryDraft("clawback.taken_over", f"clawback.taken_over:{case.pk}", label_of(case), [part])
    on = local_date(at, case.organisation.zone)
    post_entries(organisation=case.organisation, drafts=[draft], on=on, actor=actor, at=at)
    settle_claims((claim.pk for claim in claims), at=at)


@step
def post_repayment(row: ClawbackRecovery, *, actor: Actor, at: datetime) -> None:
    """Money of a bank line, on its day and account. Posts: clawback.repaid, clawback.unrepaid."""
    case, line = row.case, row.statement_line
    assert line is not None  # the database demands it of a repayment
    part = Amounts({"amount": abs(row.amount_minor)}, provider=case.provider, bank=line.statement.iban)
    event = "clawback.unrepaid" if row.undoes_id else "clawback.repaid"
    draft = EntryDraft(event, f"{event}:{row.pk}", label_of(case), [part])
    post_entries(organisation=case.organisation, drafts=[draft], on=line.booked_on, actor=actor, at=at)


def offset_draft(row: ClawbackRecovery) -> EntryDraft:
    """The entry of what a run kept back for a case."""
    assert row.remittance is not None  # the database demands it of an offset
    part = Amounts({"amount": row.amount_minor}, provider=row.case.provider)
    key = f"clawback.offset:{row.remittance_id}:{row.case_id}"
    return EntryDraft("clawback.offset", key, label_of(row.case), [part], claim_id=row.remittance.claim_id)
