"""Settling a month: its runs one after the other, each an action of its own."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from django.db import connection
from django.db.models import Count
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.errors import DomainError
from config.money import from_minor
from settlement.actions.adjudication import adjudicate_claims
from settlement.decided_queries import decided_runs_waiting
from settlement.models import Adjudication, AdjudicationRun
from settlement.run_queries import end_of, submitted_claims

OUTCOMES = ("accepted", "reduced", "rejected", "pended")


class EarlierMonthOpen(DomainError):
    """Earlier months use up what later ones need."""

    code = "EARLIER_PERIOD_OPEN"
    message = _("Claims of %(period)s are still waiting. Months are settled in order: settle that month first.")


@dataclass(frozen=True)
class RunSummary:
    """Figures of one run; amounts as text with 2 places."""

    run: int
    claims: int
    lines: int
    accepted: int
    reduced: int
    rejected: int
    pended: int
    amount_claimed: str
    gross: str
    fee: str
    payable: str


def settle_month(
    *, organisation: Organisation, period: date, as_of: date, actor: Actor, at: datetime
) -> list[RunSummary]:
    """Play every run of the month that is still to be done, in order; before them runs that a package tells of.

    Runs already done stay as they are; a month with nothing left gives an empty list.
    Raises: EarlierMonthOpen, and whatever the adjudication refuses.
    """
    known = set(_runs(organisation, period).values_list("pk", flat=True))
    play = partial(adjudicate_claims, organisation=organisation, as_of=as_of, actor=actor, at=at)
    for month, _number in decided_runs_waiting(organisation):
        play(period=month)
    _require_earlier_done(organisation, period, as_of)
    while play(period=period):
        pass
    return [summarise(run) for run in _runs(organisation, period).exclude(pk__in=known).order_by("number")]


def _require_earlier_done(organisation: Organisation, period: date, as_of: date) -> None:
    waiting = submitted_claims(organisation, end_of(as_of, organisation)).filter(period__lt=period)
    earliest = waiting.order_by("period").values_list("period", flat=True).first()
    if earliest is not None:
        raise EarlierMonthOpen(period=f"{earliest:%Y-%m}")


def _runs(organisation: Organisation, period: date):  # type: ignore[no-untyped-def]
    return AdjudicationRun.objects.filter(organisation=organisation, period=period, status="done")


def summarise(run: AdjudicationRun) -> RunSummary:
    """Figures of a run as people read them."""
    counted = Adjudication.objects.filter(run=run).order_by().values_list("outcome").annotate(Count("pk"))
    outcomes = Counter(dict(counted))
    return RunSummary(
        run=run.number,
        claims=run.remittances.count(),
        lines=run.lines,
        **{outcome: outcomes[outcome] for outcome in OUTCOMES},
        amount_claimed=str(from_minor(run.amount_claimed_minor)),
        gross=str(from_minor(run.gross_minor)),
        fee=str(from_minor(run.fee_minor)),
        payable=str(from_minor(run.payable_minor)),
    )


# Played runs of the month that had no use for a given finding, although no clearance lifted it.
_UNUSED = """
SELECT count(*) FROM settlement_givenfinding g
JOIN settlement_claimline l ON l.id = g.claim_line_id JOIN settlement_claim c ON c.id = l.claim_id
WHERE c.organisation_id = %(organisation)s AND c.period = %(period)s AND c.status <> 'submitted'
  AND NOT EXISTS (SELECT 1 FROM settlement_finding f JOIN settlement_adjudicationrun n ON n.id = f.run_id
      WHERE f.claim_line_id = l.id AND f.check_code = g.check_code AND n.number = g.run)
  AND NOT EXISTS (SELECT 1 FROM settlement_clearance x
      WHERE x.claim_line_id = l.id AND x.check_code = g.check_code AND x.run <= g.run)
"""


def given_unused(organisation: Organisation, period: date) -> int:
    """Findings that came with a package and name a run in which their line was not judged."""
    with connection.cursor() as cursor:
        cursor.execute(_UNUSED, {"organisation": organisation.pk, "period": period})
        return int(cursor.fetchone()[0])
