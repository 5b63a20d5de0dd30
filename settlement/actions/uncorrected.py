"""Closed months of which something became known, and a person says that nothing has to be corrected."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, record
from config.errors import DomainError
from config.locks import lock_rows
from settlement.actions.bank_lines import demand_reason
from settlement.models import ClosedMonth
from settlement.uncorrected_queries import NOT_NEEDED, learnt_of, uncorrected_months


class NothingWaits(DomainError):
    """A correction followed, or somebody was faster."""

    code = "NO_CORRECTION_WAITS"
    message = _(
        "Nothing waits for this month: a correction is prepared already, or somebody has said that none is needed. "
        "Open the list anew."
    )


@action
def need_no_correction(
    *, organisation: Organisation, month_id: int, reason: str, actor: Actor, at: datetime
) -> ClosedMonth:
    """What became known of a closed month changes nothing in it. What becomes known later waits anew.

    Raises: ReasonMissing, NothingWaits. Locks: the organisation. Audit: correction.not_needed.
    """
    demand_reason(reason)
    lock_rows(Organisation.objects.filter(pk=organisation.pk))
    month = uncorrected_months(organisation).filter(pk=month_id).first()
    if month is None:
        raise NothingWaits()
    facts = [fact.label for fact in learnt_of(organisation, [month])[month.pk]]
    record(NOT_NEEDED, month, labels=facts, actor=actor, at=at, month=f"{month.month:%Y-%m}", reason=reason.strip())
    return month
