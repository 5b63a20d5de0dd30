"""Refunds worked out anew: the issuer put its norm cost right for days whose refunds were decided already."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, record
from config.clock import local_date
from config.errors import DomainError, NotFound
from config.locks import lock_rows
from config.office.numbering import document_number
from contracts.actions.clearing import refuse_stranger
from contracts.models import BudgetLine
from contracts.queries import clearing_agreements
from settlement.actions.clearing_items import write_items_anew
from settlement.actions.clearing_postings import post_anew
from settlement.models import ClearingRevision


class NothingToWorkOut(DomainError):
    """All refunds stand as the norm costs known now leave them."""

    code = "NOTHING_TO_WORK_OUT"
    message = _(
        "No refund under this agreement differs from what the norm costs of the issuer known now leave. What is "
        "disputed or given up is not worked out anew."
    )


@action
def work_out_anew(*, organisation: Organisation, agreement_id: int, actor: Actor, at: datetime) -> ClearingRevision:
    """Write the differences of all refunds of an agreement to the norm costs that its issuer put right since.

    Only who bought the visits does it, in its books and its open month; the items go into the next statement, which
    both sides sign. Providers, decisions and runs stay as they are. Formula: the refund of a run, at most what the
    provider keeps.
    Raises: NotFound, NothingToWorkOut, IntoClosedMonth. Locks: the host's budget lines, its numbering.
    Posts: clearing.lowered, clearing.raised. Audit: clearing.worked_out_anew.
    """
    user = refuse_stranger(organisation, actor)
    agreement = clearing_agreements(organisation).filter(pk=agreement_id, host=organisation).first()
    if agreement is None:
        raise NotFound()
    lock_rows(BudgetLine.objects.filter(organisation=organisation))
    year = local_date(at, organisation.zone).year
    revision = ClearingRevision.objects.create(
        agreement=agreement,
        number=document_number(organisation=organisation, kind="clearing_revision", prefix="CA", year=year),
        recorded_by_id=user,
        recorded_at=at,
    )
    write_items_anew(revision, at=at)
    differences = list(revision.items.values_list("due_minor", flat=True))
    if not differences:
        raise NothingToWorkOut()
    post_anew(revision, actor=actor, at=at)
    record(
        "clearing.worked_out_anew", revision, agreement, actor=actor, at=at, organisation=organisation.code,
        number=revision.number, lines=len(differences), amount_minor=sum(differences),
    )  # fmt: skip
    return revision
