"""What advances mean for the ledger. No budget line is charged: that happens when a claim uses the advance."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from config.audit.actors import Actor
from config.audit.recording import label_of
from config.clock import local_date
from config.transactions import step
from settlement.actions.ledger import Amounts, EntryDraft, post_entries
from settlement.models import AdjudicationRun, Advance, AdvanceReturn, AdvanceUse


@step
def post_granted(advance: Advance, *, actor: Actor, at: datetime) -> None:
    """The provider is to get the advance and will owe services for it. Posts: advance.granted."""
    _post("advance.granted", advance, actor, at)


@step
def post_withdrawn(advance: Advance, *, actor: Actor, at: datetime) -> None:
    """It is not paid after all. Posts: advance.withdrawn."""
    _post("advance.withdrawn", advance, actor, at)


def _post(event: str, advance: Advance, actor: Actor, at: datetime) -> None:
    part = Amounts({"amount": advance.amount_minor}, provider=advance.provider, contract=advance.contract)
    draft = EntryDraft(event, f"{event}:{advance.pk}", label_of(advance), [part])
    on = local_date(at, advance.organisation.zone)
    post_entries(organisation=advance.organisation, drafts=[draft], on=on, actor=actor, at=at)


@step
def post_return(row: AdvanceReturn, *, actor: Actor, at: datetime) -> None:
    """Money of a bank line, on its day and account. Posts: advance.repaid, advance.unrepaid."""
    advance, line = row.advance, row.statement_line
    event = "advance.unrepaid" if row.undoes_id else "advance.repaid"
    part = Amounts(
        {"amount": abs(row.amount_minor)},
        provider=advance.provider,
        contract=advance.contract,
        bank=line.statement.iban,
    )
    draft = EntryDraft(event, f"{event}:{row.pk}", label_of(advance), [part])
    post_entries(organisation=advance.organisation, drafts=[draft], on=line.booked_on, actor=actor, at=at)


@step
def post_uses(run: AdjudicationRun, rows: Sequence[AdvanceUse], *, on: date, actor: Actor, at: datetime) -> None:
    """What claims of a run used, and gave back. An advance that came with a package was paid before these books began.

    Posts: advance.used, advance.given_back, advance.used_given, advance.given_back_given.
    """
    post_entries(organisation=run.organisation, drafts=[_use(row) for row in rows], on=on, actor=actor, at=at)


def _use(row: AdvanceUse) -> EntryDraft:
    event = "advance.used" if row.amount_minor > 0 else "advance.given_back"
    claim = row.remittance.claim
    figures = {"amount": abs(row.amount_minor)}
    if row.advance is None:
        part, cause = Amounts(figures, provider=row.remittance.provider), label_of(claim)
        event = f"{event}_given"
    else:
        part = Amounts(figures, provider=row.remittance.provider, contract=row.advance.contract)
        cause = label_of(row.advance)
    key = f"{event}:{row.remittance_id}:{row.advance_id or 0}"
    return EntryDraft(event, key, cause, [part], claim_id=row.remittance.claim_id)
