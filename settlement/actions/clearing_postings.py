"""What clearing means for the budgets and the ledgers of the two municipalities."""

# ruff: noqa: S608  SQL is put together from names in this code; every value is a parameter.

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Model

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import label_of
from config.clock import local_date
from config.errors import NotFound
from config.locks import lock_rows
from config.transactions import step
from contracts.models import BudgetEntry, BudgetLine
from settlement.actions.ledger import Amounts, EntryDraft, post_entries
from settlement.actions.run_posting import WRITE_MOVES, still_reserved
from settlement.clearing_queries import clearing_statements
from settlement.models import Claim, ClearingLine, ClearingPayment, ClearingRevision, ClearingStatement
from settlement.models.clearing import CLEARED
from settlement.year_queries import OPEN_LINE, TAKEN_OVER
from vouchers.models import Certificate

# The certificate that was issued says whose budget line pays.
_CHARGED = f"""{TAKEN_OVER}
SELECT COALESCE(o.line_id, h.budget_line_id), sum(i.due_minor)::bigint
FROM {CLEARED} i
JOIN vouchers_certificate g ON g.id = i.certificate_id JOIN vouchers_certificate h ON h.id = g.home_id
{OPEN_LINE.format("h.budget_line_id")}
WHERE i.statement_id = %(statement)s AND i.home_id = %(home)s GROUP BY 1 HAVING sum(i.due_minor) <> 0 ORDER BY 1
"""
_MOVES = f"""
CREATE TEMP TABLE run_move ON COMMIT DROP AS {
    still_reserved(f'''
    SELECT g.home_id FROM {CLEARED} i JOIN vouchers_certificate g ON g.id = i.certificate_id
    WHERE i.statement_id = %(statement)s AND i.home_id = %(home)s''')
}
"""
# As a run charges a claim of the buyer: what is due of chosen items by budget line.
_BORNE = f"""{TAKEN_OVER}
SELECT COALESCE(o.line_id, y.id, k.budget_line_id), sum(i.due_minor)::bigint
FROM settlement_clearingitem i JOIN settlement_claim g ON g.id = i.claim_id
JOIN settlement_claim q ON q.id = COALESCE(g.reverses_id, g.id)
JOIN contracts_contract k ON k.id = COALESCE(q.contract_id, (SELECT r.id FROM contracts_contract r
    WHERE r.organisation_id = q.organisation_id AND r.number = q.contract_number))
JOIN contracts_budgetline b ON b.id = k.budget_line_id
LEFT JOIN contracts_budgetline y ON y.organisation_id = b.organisation_id AND y.code = b.code
    AND y.year = EXTRACT(year FROM q.period)
{OPEN_LINE.format("COALESCE(y.id, k.budget_line_id)")}
WHERE {{}} = %s GROUP BY 1 HAVING sum(i.due_minor) <> 0 ORDER BY 1
"""


@step
def lock_books(organisation: Organisation, statement_id: int) -> None:
    """Budget lines of both sides and the certificates of a statement, in the order of locks. Raises: NotFound."""
    statement = clearing_statements(organisation).filter(pk=statement_id).first()
    if statement is None:
        raise NotFound()
    lock_rows(BudgetLine.objects.filter(organisation__in=[statement.first_id, statement.second_id]))
    guests = Certificate.objects.filter(clearing_items__lines__statement=statement.pk)
    lock_rows(Certificate.objects.filter(pk__in=guests.values("home")))


@step
def post_agreed(statement: ClearingStatement, *, actor: Actor, at: datetime) -> None:
    """In the books of each side the cost of its own certificates. Posts: clearing.agreed, clearing.returned."""
    for home in (statement.first, statement.second):
        params: dict[str, Any] = {"statement": statement.pk, "home": home.pk, "at": at, "zone": home.zone}
        params["actor"] = actor.user_id
        with connection.cursor() as cursor:
            cursor.execute(_CHARGED, params)
            charged = dict(cursor.fetchall())
            cursor.execute("DROP TABLE IF EXISTS run_move")
            cursor.execute(_MOVES, params)
            cursor.execute(WRITE_MOVES, params)
        events = ("clearing.agreed", "clearing.returned")
        _charge(home, statement.other(home), charged, events, statement, f"{statement.pk}", actor, at)


@step
def post_given_up(line: ClearingLine, *, actor: Actor, at: datetime) -> None:
    """What the issuer does not refund is a cost of who bought the visit. Posts: clearing.given_up, clearing.kept."""
    item = line.item
    with connection.cursor() as cursor:
        cursor.execute(_BORNE.format("i.id"), [item.pk])
        charged = dict(cursor.fetchall())
    _charge(
        item.organisation, item.home, charged, ("clearing.given_up", "clearing.kept"), item.claim, f"{line.pk}",
        actor, at,
    )  # fmt: skip


@step
def post_anew(revision: ClearingRevision, *, actor: Actor, at: datetime) -> None:
    """What the issuer refunds less is a cost of who bought the visits, and the other way round.

    Posts: clearing.lowered, clearing.raised.
    """
    with connection.cursor() as cursor:
        cursor.execute(_BORNE.format("i.revision_id"), [revision.pk])
        charged = {line: -due for line, due in cursor.fetchall()}
    agreement, events = revision.agreement, ("clearing.lowered", "clearing.raised")
    _charge(agreement.host, agreement.home, charged, events, revision, f"{revision.pk}", actor, at)


@step
def _charge(
    owner: Organisation,
    neighbour: Organisation,
    charged: dict[int, int],
    events: tuple[str, str],
    cause: Model,
    key: str,
    actor: Actor,
    at: datetime,
) -> None:
    """Spending of budget lines, and their cost against the neighbour: the first event for sums above zero, the second
    for those below.
    """
    lines, on = BudgetLine.objects.in_bulk(list(charged)), local_date(at, owner.zone)
    BudgetEntry.objects.bulk_create(
        BudgetEntry(
            budget_line_id=line, kind="spending", amount_minor=amount, label=label_of(cause), occurred_on=on,
            recorded_at=at, recorded_by_id=actor.user_id,
        )
        for line, amount in charged.items()
    )  # fmt: skip
    drafts = []
    for event, sign in zip(events, (1, -1), strict=True):
        sums = {line: amount * sign for line, amount in charged.items() if amount * sign > 0}
        parts = [Amounts({"amount": sum_}, budget_line=lines[line], neighbour=neighbour) for line, sum_ in sums.items()]
        claim = cause.pk if isinstance(cause, Claim) else None
        drafts.append(EntryDraft(event, f"{event}:{key}", label_of(cause), parts, claim_id=claim))
    post_entries(organisation=owner, drafts=drafts, on=on, actor=actor, at=at)


@step
def post_payment(payment: ClearingPayment, *, actor: Actor, at: datetime) -> None:
    """On the day and the account of the bank line.

    Posts: clearing.paid, clearing.received, clearing.unpaid, clearing.unreceived.
    """
    if payment.undoes_id:
        event = "clearing.unpaid" if payment.amount_minor > 0 else "clearing.unreceived"
    else:
        event = "clearing.paid" if payment.amount_minor < 0 else "clearing.received"
    line, side = payment.statement_line, payment.organisation
    part = Amounts(
        {"amount": abs(payment.amount_minor)}, bank=line.statement.iban, neighbour=payment.statement.other(side)
    )
    draft = EntryDraft(event, f"{event}:{payment.pk}", label_of(payment.statement), [part])
    post_entries(organisation=side, drafts=[draft], on=line.booked_on, actor=actor, at=at)
