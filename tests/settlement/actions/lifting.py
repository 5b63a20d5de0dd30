"""A pend lifted as it has to be: one person proposes, another confirms."""

from __future__ import annotations

from datetime import datetime

from config.accounts.models import Organisation, User
from settlement.actions.pends import confirm_clearance, propose_clearance
from settlement.models import ClaimLine, Clearance


def lift(organisation: Organisation, line: ClaimLine, *, at: datetime, reason: str = "seen") -> Clearance:
    """CLM-11 of a line, lifted by two persons of the finance department."""
    first, second = (User.objects.get_or_create(username=name)[0].as_actor() for name in ("halyna", "ivan"))
    proposal = propose_clearance(
        organisation=organisation, claim_line_id=line.pk, check_code="CLM-11", reason=reason, actor=first, at=at
    )
    return confirm_clearance(organisation=organisation, proposal_id=proposal.pk, actor=second, at=at)
