"""Until when a claim may come, whether it came late, and whether two persons gave it its term back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from config.accounts.access import Access
from config.accounts.models import Organisation
from config.clock import local_date
from settlement.judging import law_of
from settlement.models import Claim, RestoredTerm
from settlement.rules.checks.clm_32_late_claim import CODE, last_days
from settlement.rules.facts import months_of

_EPOCH = date(1970, 1, 1)


def counted_sql(claim: str) -> str:
    """SQL of the time that a package says, of a row ``claim``: a run as of a day before the decision saw it late."""
    return f"""COALESCE((SELECT rt.counts_as_submitted_at FROM settlement_restoredterm rt
        WHERE rt.claim_id = {claim}.id AND rt.status = 'confirmed' AND NOT EXISTS (
            SELECT 1 FROM settlement_remittance rm JOIN settlement_adjudicationrun rn ON rn.id = rm.run_id
            WHERE rm.claim_id = rt.claim_id AND rn.known_at < rt.decided_at)), {claim}.submitted_at)"""  # noqa: S608


def last_day_of(organisation: Organisation, period: date, known_at: datetime) -> date:
    """The last day on which claims of a month come in time, by the law as known at a moment."""
    law = law_of(organisation, period, known_at)
    month = months_of(np.array([(period - _EPOCH).days], dtype=np.int64))
    return _EPOCH + timedelta(days=int(last_days(month, law.parameters)[0]))


def last_second(organisation: Organisation, day: date) -> datetime:
    """The last second of a day where the organisation is."""
    return datetime.combine(day, time(23, 59, 59), ZoneInfo(organisation.zone))


def days_late(claim: Claim, until: date) -> int:
    """Days after the last day on which the claim really came; 0 or less: in time."""
    submitted = claim.submitted_at or claim.recorded_at
    return (local_date(submitted, claim.organisation.zone) - until).days


def with_counted(claims: QuerySet[Claim]) -> QuerySet[Claim]:
    """Claims with ``counted``: when they count as submitted."""
    terms = RestoredTerm.objects.filter(claim=OuterRef("pk"), status="confirmed")
    return claims.annotate(counted=Coalesce(Subquery(terms.values("counts_as_submitted_at")), F("submitted_at")))


def restored_term(claim: Claim) -> RestoredTerm | None:
    """The decision that gave the claim its term back."""
    return (
        RestoredTerm.objects.filter(claim=claim, status="confirmed").select_related("proposed_by", "decided_by").first()
    )


def counted_at(claim: Claim) -> datetime | None:
    """When the claim counts as submitted."""
    term = restored_term(claim)
    return term.counts_as_submitted_at if term else claim.submitted_at


def terms_to_decide(access: Access) -> QuerySet[RestoredTerm]:
    """Proposals about claims that still wait for a run, of other persons than the reader."""
    rows = RestoredTerm.objects.filter(claim__organisation=access.office(), status="proposed")
    rows = rows.filter(claim__status="submitted").exclude(proposed_by=access.user)
    return rows.exclude(claim__submitted_by=access.user).order_by("proposed_at", "pk")


@dataclass(frozen=True)
class TermShown:
    """What the page of a claim says about its term. ``late``: days; ``until``: the last day for its month."""

    late: int
    until: date | None
    terms: list[RestoredTerm]
    may_propose: bool
    may_decide: bool

    @property
    def restored(self) -> RestoredTerm | None:
        """The decision in force."""
        return next((row for row in self.terms if row.status == "confirmed"), None)

    @property
    def proposed(self) -> RestoredTerm | None:
        """The proposal that nobody has decided."""
        return next((row for row in self.terms if row.status == "proposed"), None)


def term_shown(access: Access, claim: Claim) -> TermShown | None:
    """The term of a claim that came late, or whose term somebody asked for; None when there is nothing to say."""
    waits = claim.status == "submitted" and not claim.reverses_id
    rows = RestoredTerm.objects.filter(claim=claim).select_related("proposed_by", "decided_by")
    terms = list(rows.order_by("-pk"))
    if not waits and not terms:
        return None
    until = last_day_of(claim.organisation, claim.period, access.now(claim.organisation)) if waits else None
    late = days_late(claim, until) if until else 0
    if late <= 0 and not terms:
        return None
    finance, open_ = access.may("claims.restore_term"), [row for row in terms if row.status != "refused"]
    return TermShown(
        late=late,
        until=until,
        terms=terms,
        may_propose=finance and waits and late > 0 and not open_,
        may_decide=finance and waits and terms_to_decide(access).filter(claim=claim).exists(),
    )


def refused_as_late(checks: list[dict[str, Any]]) -> bool:
    """Whether lines of a decided claim were rejected as late; ``checks`` as ``taken_by_check`` gives them."""
    return any(row["check_code"] == CODE for row in checks)
