"""Money of advances: used by claims of a run, given back by reversals, repaid with bank lines, paid by payment runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet, Sum

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.locks import lock_rows
from config.transactions import step
from settlement.actions.advance_postings import post_return, post_uses
from settlement.actions.claim_states import settle_claims
from settlement.actions.payment_postings import settle_lines
from settlement.advance_queries import returnable, with_sums
from settlement.bank_queries import credits_quoting
from settlement.models import (
    AdjudicationRun,
    Advance,
    AdvanceReturn,
    AdvanceStanding,
    AdvanceUse,
    Remittance,
    Statement,
    StatementLine,
)
from settlement.rules.adjudicate import AdjudicationResult
from settlement.rules.facts import Facts

# Of an advance the first that is true: it waits for a payment, nothing stands on it, it was asked back, it is in use.
_SETTLE = """
UPDATE settlement_advance a SET status = n.status, status_at = %(at)s
FROM (
    SELECT b.id, CASE
        WHEN NOT EXISTS (SELECT 1 FROM settlement_paymentadvance i JOIN settlement_payment y ON y.id = i.payment_id
                         WHERE i.advance_id = b.id AND i.live AND y.status = 'confirmed') THEN 'approved'
        WHEN b.amount_minor
            - (SELECT COALESCE(sum(u.amount_minor), 0) FROM settlement_advanceuse u WHERE u.advance_id = b.id)
            - (SELECT COALESCE(sum(r.amount_minor), 0) FROM settlement_advancereturn r WHERE r.advance_id = b.id) = 0
        THEN 'settled'
        WHEN b.return_until IS NOT NULL THEN 'due'
        ELSE 'paid' END AS status
    FROM settlement_advance b
    WHERE b.id = ANY(%(advances)s) AND b.status NOT IN ('proposed', 'cancelled')
) n
WHERE a.id = n.id AND a.status <> n.status
"""


@step
def settle_advances(advances: Iterable[int], *, at: datetime) -> None:
    """Bring the states of locked advances into step with their payments, uses and returns, in one statement."""
    wanted = sorted(set(advances))
    if wanted:
        with connection.cursor() as cursor:
            cursor.execute(_SETTLE, {"advances": wanted, "at": at})


@step
def lock_advances(organisation: Organisation) -> list[Advance]:
    """Advances that money can move on, locked: a run that uses one waits for a repayment of it."""
    rows = Advance.objects.filter(organisation=organisation)
    return lock_rows(rows.exclude(status__in=("proposed", "cancelled")))


# --- Runs ----------------------------------------------------------------------------------------------


@step
def take_advances(
    run: AdjudicationRun, facts: Facts, result: AdjudicationResult, *, on: date, actor: Actor, at: datetime
) -> list[Advance]:
    """Book what claims of a run used of advances, and what claims that it takes back had used.

    The advance that has to be used first is used first. ``facts``: what the run judged by; what stood on advances then
    is kept, so that the run can be judged again. Locks: none of its own; the run has locked the advances.
    Posts: advance.used, advance.given_back and the same of advances that came with a package. Returns the advances.
    """
    told = _keep_standing(run, facts, at)
    parts = result.remittances.loc[result.remittances["advances"] != 0, ["claim", "advances"]]
    amounts = {int(claim): int(amount) for claim, amount in parts.itertuples(index=False)}
    if not amounts:
        return []
    found = Remittance.objects.filter(run=run, claim__in=amounts).select_related("claim", "provider")
    remittances = sorted(found, key=lambda row: row.claim.number)
    back = [row for each in remittances if amounts[each.claim_id] < 0 for row in _given_back(each, amounts, on, at)]
    # What is given back stands on its advance before anything of this run is taken of it.
    rows = AdvanceUse.objects.bulk_create(back)
    settle_advances((row.advance_id for row in rows if row.advance_id), at=at)
    again = _again(back, told)
    rows += AdvanceUse.objects.bulk_create(_used(run, remittances, amounts, again, on, at))
    post_uses(run, rows, on=on, actor=actor, at=at)
    settle_advances((row.advance_id for row in rows if row.advance_id), at=at)
    settle_claims((row.claim_id for row in remittances if not row.payable), at=at)
    return list({row.advance_id: row.advance for row in rows if row.advance}.values())


@step
def reuse_asked_back(
    organisation: Organisation, month: date, run: int, claims: Collection[int], *, at: datetime
) -> None:
    """Before a run judges copies of claims: let them use again what the claims had used of advances asked back since,
    so that only the difference is left to be returned.

    Written is what stands for the contract, as the run would see it, and what comes back of such advances. Where none
    was asked back nothing is written: the run sees for itself. Locks: none of its own, as a run.
    """
    uses = AdvanceUse.objects.filter(remittance__claim__in=claims, advance__isnull=False).order_by()
    back = dict(uses.values_list("advance").annotate(used=Sum("amount_minor")))
    due = Advance.objects.filter(pk__in=back, status__in=("due", "settled")).exclude(return_until=None)
    standing = dict.fromkeys(due.values_list("contract", flat=True), 0)
    for row in with_sums(_usable(organisation, month).filter(contract__in=standing)):
        standing[row.contract_id] += row.outstanding + back.get(row.pk, 0)  # type: ignore[attr-defined]  # annotated
    for row in due:
        standing[row.contract_id] += back[row.pk]
    AdvanceStanding.objects.bulk_create(
        _standing(organisation, month, run, contract, amount, at) for contract, amount in standing.items() if amount > 0
    )


def _usable(organisation: Organisation, month: date) -> QuerySet[Advance]:
    rows = Advance.objects.filter(organisation=organisation, status__in=("paid", "settled"), return_until=None)
    return rows.filter(use_until__gte=month)


def _standing(
    organisation: Organisation, month: date, run: int, contract: int, amount: int, at: datetime
) -> AdvanceStanding:
    return AdvanceStanding(
        organisation=organisation, period=month, run=run, contract_id=contract, outstanding_minor=amount, recorded_at=at
    )


@step
def _keep_standing(run: AdjudicationRun, facts: Facts, at: datetime) -> set[int]:
    """What the run saw; returns the contracts of which it was written before."""
    before = set(_standings(run).values_list("contract", flat=True))
    AdvanceStanding.objects.bulk_create(
        _standing(run.organisation, run.period, run.number, int(contract), int(outstanding), at)
        for contract, outstanding in facts.advances.itertuples(index=False)
        if int(contract) not in before
    )
    return before


def _standings(run: AdjudicationRun) -> QuerySet[AdvanceStanding]:
    return AdvanceStanding.objects.filter(organisation=run.organisation, period=run.period, run=run.number)


def _given_back(remittance: Remittance, amounts: dict[int, int], on: date, at: datetime) -> list[AdvanceUse]:
    """Opposite rows of what the claim that is taken back used. Raises: ValueError when the run saw another sum."""
    uses = AdvanceUse.objects.filter(remittance__claim=remittance.claim.reverses_id).order_by()
    sums = list(uses.values_list("advance").annotate(used=Sum("amount_minor")).order_by("advance"))
    if sum(used for _advance, used in sums) != -amounts[remittance.claim_id]:
        raise ValueError(f"{remittance}: its claim has not used what the run gives back")
    return [_use(remittance, advance, -used, on, at) for advance, used in sums if used]


def _again(back: Iterable[AdvanceUse], told: set[int]) -> dict[int, int]:
    """What may be used again of advances asked back: what the run has just given back (``reuse_asked_back``)."""
    sums: dict[int, int] = defaultdict(int)
    for row in back:
        sums[row.advance_id or 0] -= row.amount_minor
    due = Advance.objects.filter(pk__in=sums, status="due", contract__in=told)
    return {pk: sums[pk] for pk in due.values_list("pk", flat=True)}


def _used(
    run: AdjudicationRun,
    remittances: Sequence[Remittance],
    amounts: dict[int, int],
    again: dict[int, int],
    on: date,
    at: datetime,
) -> list[AdvanceUse]:
    """Raises: ValueError when less stands on the advances than the run saw; their lock forbids it."""
    given = set(_standings(run).filter(given=True).values_list("contract", flat=True))
    taking = [row for row in remittances if amounts[row.claim_id] > 0]
    contracts = _contracts_of(taking)
    usable = list(with_sums(_usable(run.organisation, run.period)).order_by("use_until", "id"))
    advances = [*Advance.objects.filter(pk__in=again).order_by("use_until", "id"), *usable]
    left = again | {row.pk: row.outstanding for row in usable}  # type: ignore[attr-defined]  # annotated
    rows = []
    for remittance in taking:
        amount, contract = amounts[remittance.claim_id], contracts[remittance.claim_id]
        if contract in given:
            rows.append(_use(remittance, None, amount, on, at))
            continue
        for advance in (row for row in advances if row.contract_id == contract):
            part = min(amount, left[advance.pk])
            if part:
                rows.append(_use(remittance, advance.pk, part, on, at))
                left[advance.pk] -= part
                amount -= part
        if amount:
            raise ValueError(f"{remittance}: {amount} more of an advance is used than stands on it")
    return rows


def _contracts_of(remittances: Iterable[Remittance]) -> dict[int, int]:
    """Contract of each claim, also where the claim names it only by its number."""
    query = """SELECT c.id, COALESCE(c.contract_id, (SELECT k.id FROM contracts_contract k
        WHERE k.organisation_id = c.organisation_id AND k.number = c.contract_number))
        FROM settlement_claim c WHERE c.id = ANY(%s)"""
    with connection.cursor() as cursor:
        cursor.execute(query, [[row.claim_id for row in remittances]])
        return dict(cursor.fetchall())


def _use(remittance: Remittance, advance: int | None, amount: int, on: date, at: datetime) -> AdvanceUse:
    return AdvanceUse(advance_id=advance, remittance=remittance, amount_minor=amount, used_on=on, recorded_at=at)


# --- Bank lines ----------------------------------------------------------------------------------------


@step
def match_advances(statement: Statement, *, but: Collection[int] = (), actor: Actor, at: datetime) -> int:
    """Open credits that quote exactly one advance and are no more than stands on it; returns how many were booked.

    Parts are taken. What is more, and what a person has undone for that advance, waits for a person.
    Posts: advance.repaid.
    """
    quoting = credits_quoting(statement, returnable(statement.organisation), but=but)
    if not quoting:
        return 0
    lock_advances(statement.organisation)
    booked = 0
    for line, quoted in quoting:
        named = list(returnable(statement.organisation).filter(rf_reference__in=quoted))
        if len(named) == 1 and line.currency == statement.organisation.currency:
            booked += _repay_if_left(named[0], line, actor, at)
    return booked


@step
def _repay_if_left(advance: Advance, line: StatementLine, actor: Actor, at: datetime) -> bool:
    undone = line.advance_returns.filter(advance=advance, undoes__isnull=False).exists()
    if undone or line.amount_minor > advance.outstanding:  # type: ignore[attr-defined]  # annotated
        return False
    repay_advance(advance, line, line.amount_minor, actor=actor, at=at)
    return True


@step
def repay_advance(
    advance: Advance, line: StatementLine, amount_minor: int, *, actor: Actor, at: datetime
) -> AdvanceReturn:
    """Book a bank line, or a part of it, for a locked advance. Posts: advance.repaid."""
    row = _write_return(advance, line, amount_minor, actor, at)
    settle_lines([line], at=at)
    return row


@step
def unrepay_advance(row: AdvanceReturn, *, reason: str, actor: Actor, at: datetime) -> AdvanceReturn:
    """A bank line was no money of a locked advance: it stands on it again. Posts: advance.unrepaid."""
    more = {"reason": reason.strip()[:300], "undoes": row}
    return _write_return(row.advance, row.statement_line, -row.amount_minor, actor, at, **more)


@step
def _write_return(
    advance: Advance, line: StatementLine, amount: int, actor: Actor, at: datetime, **more: Any
) -> AdvanceReturn:
    row = AdvanceReturn.objects.create(
        advance=advance,
        amount_minor=amount,
        statement_line=line,
        returned_on=line.booked_on,
        recorded_by_id=actor.user_id,
        recorded_at=at,
        **more,
    )
    post_return(row, actor=actor, at=at)
    settle_advances([advance.pk], at=at)
    return row


def advances_of_payments(payments: Iterable[int]) -> QuerySet[Advance]:
    """Advances that payments pay or were to pay."""
    return Advance.objects.filter(Q(payment_items__payment__in=list(payments))).distinct()
