"""Money of clawbacks that comes back: with bank lines, or kept back from remittances by a run (CLM-46)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime

from django.db.models import F, QuerySet, Sum
from django.db.models.functions import Coalesce

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import label_of
from config.clock import local_date
from config.locks import lock_rows
from config.transactions import step
from settlement.actions.claim_states import settle_claims
from settlement.actions.clawback_postings import offset_draft, post_repayment
from settlement.actions.ledger import Amounts, EntryDraft, post_entries
from settlement.actions.payment_postings import settle_lines
from settlement.bank_queries import credits_quoting
from settlement.clawback_queries import with_sums
from settlement.models import (
    AdjudicationRun,
    ClawbackCase,
    ClawbackRecovery,
    ClawbackStanding,
    Remittance,
    Statement,
    StatementLine,
)
from settlement.rules.facts import Facts


@step
def lock_owing(organisation: Organisation) -> list[ClawbackCase]:
    """Cases of which something is still owed, locked: who takes money for one waits for the other."""
    return lock_rows(ClawbackCase.objects.filter(organisation=organisation, status="decided"))


def owing(organisation: Organisation) -> QuerySet[ClawbackCase]:
    """Decided cases with their sums; those whose term ends first come first."""
    rows = ClawbackCase.objects.filter(organisation=organisation, status="decided")
    return with_sums(rows).select_related("provider", "organisation").order_by("return_until", "id")


# --- Bank lines --------------------------------------------------------------------------------------


@step
def match_clawbacks(statement: Statement, *, but: Collection[int] = (), actor: Actor, at: datetime) -> int:
    """Open credits that quote exactly one case and are no more than it still owes; returns how many were booked.

    Parts are taken: the case says what is left. What is more than owed waits for a person, and so does what a person
    has undone for that case. Posts: clawback.repaid.
    """
    quoting = credits_quoting(statement, owing(statement.organisation), but=but)
    if not quoting:
        return 0
    lock_owing(statement.organisation)
    booked = 0
    for line, quoted in quoting:
        named = list(owing(statement.organisation).filter(rf_reference__in=quoted))
        if len(named) == 1 and line.currency == statement.organisation.currency:
            booked += _repay_if_owed(named[0], line, actor, at)
    return booked


@step
def _repay_if_owed(case: ClawbackCase, line: StatementLine, actor: Actor, at: datetime) -> bool:
    undone = line.clawbacks.filter(case=case, undoes__isnull=False).exists()
    if undone or line.amount_minor > case.outstanding:  # type: ignore[attr-defined]  # annotated
        return False
    repay(case, line, line.amount_minor, actor=actor, at=at)
    return True


@step
def repay(case: ClawbackCase, line: StatementLine, amount_minor: int, *, actor: Actor, at: datetime) -> None:
    """Book a bank line, or a part of it, for a locked case. Posts: clawback.repaid."""
    row = ClawbackRecovery.objects.create(
        case=case,
        amount_minor=amount_minor,
        statement_line=line,
        recovered_on=line.booked_on,
        recorded_by_id=actor.user_id,
        recorded_at=at,
    )
    post_repayment(row, actor=actor, at=at)
    settle_lines([line], at=at)
    _settle([case], at)


@step
def unrepay(row: ClawbackRecovery, *, reason: str, actor: Actor, at: datetime) -> ClawbackRecovery:
    """A bank line was no money for a case, which the caller has locked: it is owed again. Posts: clawback.unrepaid.

    Raises: InvalidMove.
    """
    if row.case.status != "decided":
        row.case.move_to("decided", at=at)
    undone = ClawbackRecovery.objects.create(
        case=row.case,
        amount_minor=-row.amount_minor,
        statement_line=row.statement_line,
        recovered_on=row.recovered_on,
        recorded_by_id=actor.user_id,
        recorded_at=at,
        reason=reason.strip()[:300],
        undoes=row,
    )
    post_repayment(undone, actor=actor, at=at)
    return undone


@step
def _settle(cases: Iterable[ClawbackCase], at: datetime) -> None:
    """Cases of which nothing is owed any more are recovered."""
    done = with_sums(ClawbackCase.objects.filter(pk__in=[case.pk for case in cases], status="decided"))
    for case in done.order_by("pk"):
        if case.outstanding <= 0:  # type: ignore[attr-defined]  # annotated
            case.move_to("recovered", at=at)


# --- Runs ----------------------------------------------------------------------------------------------


@step
def take_offsets(run: AdjudicationRun, facts: Facts, *, on: date, actor: Actor, at: datetime) -> list[ClawbackCase]:
    """Book what a run kept back, beside what advances paid before: of each provider the case whose term ended first is
    served first.

    ``facts``: what the run judged by; its outstanding sums are kept, so that the run can be judged again.
    Locks: none of its own; the run has locked the cases. Posts: clawback.offset, clawback.offset_given.
    Returns the cases served.
    """
    _keep_standing(run, facts, at)
    rows = Remittance.objects.filter(run=run).select_related("claim", "provider")
    rows = rows.alias(advanced=Coalesce(Sum("advance_uses__amount_minor"), 0)).filter(offsets__gt=F("advanced"))
    remittances = sorted(rows.annotate(kept=F("offsets") - F("advanced")), key=lambda row: row.claim.number)
    if not remittances:
        return []
    kept: dict[int, int] = {row.pk: row.kept for row in remittances}  # type: ignore[attr-defined]  # annotated
    standing = ClawbackStanding.objects.filter(organisation=run.organisation, period=run.period, run=run.number)
    given = set(standing.filter(given=True).values_list("provider", flat=True))
    taken = _share(run, [row for row in remittances if row.provider_id not in given], kept, on, actor, at)
    drafts = [offset_draft(row) for row in taken]
    drafts += [_given_draft(row, kept[row.pk]) for row in remittances if row.provider_id in given]
    post_entries(organisation=run.organisation, drafts=drafts, on=on, actor=actor, at=at)
    _settle((row.case for row in taken), at)
    settle_claims((row.claim_id for row in remittances if not row.payable), at=at)
    return list({row.case_id: row.case for row in taken}.values())


@step
def _keep_standing(run: AdjudicationRun, facts: Facts, at: datetime) -> None:
    known = ClawbackStanding.objects.filter(organisation=run.organisation, period=run.period, run=run.number)
    before = set(known.values_list("provider", flat=True))
    ClawbackStanding.objects.bulk_create(
        ClawbackStanding(
            organisation=run.organisation,
            period=run.period,
            run=run.number,
            provider_id=int(provider),
            outstanding_minor=int(outstanding),
            recorded_at=at,
        )
        for provider, outstanding in facts.clawbacks.itertuples(index=False)
        if int(provider) not in before
    )


@step
def _share(
    run: AdjudicationRun, remittances: list[Remittance], kept: dict[int, int], on: date, actor: Actor, at: datetime
) -> list[ClawbackRecovery]:
    """Rows of what each remittance repays of which case, first term first. ``kept``: by remittance, minor units.

    Raises: ValueError when less is owed than the run saw; the lock of the cases forbids it.
    """
    today = local_date(run.known_at, run.organisation.zone)
    providers = {row.provider_id for row in remittances}
    cases = list(owing(run.organisation).filter(provider__in=providers, return_until__lt=today))
    left = {case.pk: case.outstanding for case in cases}  # type: ignore[attr-defined]  # annotated
    rows = []
    for remittance in remittances:
        amount = kept[remittance.pk]
        for case in cases:
            part = min(amount, left[case.pk]) if case.provider_id == remittance.provider_id else 0
            if part:
                rows.append(_offset(case, remittance, part, on, actor, at))
                left[case.pk] -= part
                amount -= part
        if amount:
            raise ValueError(f"{remittance}: {amount} more is kept back than is owed")
    return ClawbackRecovery.objects.bulk_create(rows)


def _offset(
    case: ClawbackCase, remittance: Remittance, amount: int, on: date, actor: Actor, at: datetime
) -> ClawbackRecovery:
    return ClawbackRecovery(
        case=case,
        remittance=remittance,
        amount_minor=amount,
        recovered_on=on,
        recorded_by_id=actor.user_id,
        recorded_at=at,
    )


def _given_draft(remittance: Remittance, amount: int) -> EntryDraft:
    """A debt that came with a package was owed before these books began."""
    part = Amounts({"amount": amount}, provider=remittance.provider)
    key = f"clawback.offset_given:{remittance.pk}"
    return EntryDraft("clawback.offset_given", key, label_of(remittance.claim), [part], claim_id=remittance.claim_id)
