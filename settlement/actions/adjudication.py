"""Adjudicating the claims of a month: one action is one run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, label_of, nothing_to_record, record
from config.clock import local_date
from config.errors import DomainError
from config.locks import wait_turn
from config.memory import reused_memory
from config.transactions import step
from contracts.actions.check_facts import refuse_related
from settlement.actions.advance_money import lock_advances, take_advances
from settlement.actions.claim_states import settle_claims
from settlement.actions.clawback_recovery import lock_owing, take_offsets
from settlement.actions.clearing_items import follow_issuers, write_items
from settlement.actions.run_certificates import capture_reported, lock_certificates
from settlement.actions.run_posting import lock_budgets, move_budgets, post_claims
from settlement.actions.run_results import write_results
from settlement.decided_queries import require_turn
from settlement.judging import Batch, Law, judge, law_of, receipt_of_run
from settlement.models import AdjudicationRun, Claim
from settlement.rules.adjudicate import AdjudicationResult
from settlement.rules.digest import digest_of
from settlement.rules.facts import Facts
from settlement.run_queries import NextRun, end_of, next_run

# One adjudication of an organisation at a time: each counts what the others allowed.
_LOCK = 7_466_932


class ClaimsChanged(DomainError):
    """A claim left the submitted state while it was being judged."""

    code = "CLAIMS_CHANGED"
    message = _("A claim of %(period)s was withdrawn or returned just now. Start the adjudication again.")


@action
def adjudicate_claims(
    *, organisation: Organisation, period: date, as_of: date, actor: Actor, at: datetime
) -> AdjudicationRun | None:
    """Play the next run of a month (``period``: its first day); None when there is nothing to judge.

    A run takes the submitted claims that carry its number, or, when no number waits, those without one; and the lines
    that a clearance gives back. Results, claim states, budget entries and the ledger are written together.
    Time: facts as recorded, claims as submitted by the end of ``as_of`` in the organisation's zone.
    Idempotent: what is judged is not judged again; killed anywhere it leaves nothing.
    Raises: ClaimsChanged, RelatedPerson, ParameterUnreadable, DecidedRunWaits, DecidedIncomplete. Spending beyond a
    budget line is recorded; the payment run refuses it.
    Locks: an advisory lock of the organisation, clawbacks, advances, budget lines, certificates, claims,
    number series.
    Posts: claim.adjudicated, claim.reversed, advance.used, advance.given_back, clawback.offset.
    Audit: claims.adjudicated.
    """
    take_turns(organisation)
    known_at = end_of(as_of, organisation)
    batch = next_run(organisation, period, known_at)
    if batch is None:
        nothing_to_record()
        return None
    require_turn(organisation, period, batch.number)
    refuse_related_to_batch(organisation, batch, actor, at)
    # Later replays read the facts as of the same moment; what is told after the run is not among them.
    played = play_batch(organisation, period, batch, as_of=as_of, known_at=min(known_at, at), actor=actor, at=at)
    run = played.run
    record(
        "claims.adjudicated",
        run,
        actor=actor,
        at=at,
        labels=played.labels,
        period=f"{period:%Y-%m}",
        number=run.number,
        as_of=as_of,
        lines=run.lines,
        payable_minor=run.payable_minor,
        digest=run.digest,
        parameters=run.parameters,
        overspent=played.overspent,
    )
    return run


@dataclass(frozen=True)
class Played:
    """A run that is written: marks of its claims, advances and clawbacks for the trail, budget lines that are overspent
    now.
    """

    run: AdjudicationRun
    labels: list[str]
    overspent: list[str]


@step
@reused_memory()
def play_batch(
    organisation: Organisation,
    period: date,
    batch: NextRun,
    *,
    as_of: date,
    known_at: datetime,
    actor: Actor,
    at: datetime,
) -> Played:
    """Judge a batch and write results, claim states, budget entries and the ledger. Raises: ClaimsChanged,
    ParameterUnreadable.
    """
    law = law_of(organisation, period, known_at)
    follow_issuers(organisation, batch, at=at)
    facts, result = judge(organisation, Batch(batch.number, batch.claims, batch.cleared_lines), known_at, law)
    run = _create_run(organisation, period, as_of, known_at, batch, facts, result, law, actor, at)
    overspent = _write(run, batch, facts, result, actor, at)
    labels = [f"settlement.claim:{claim}" for claim in sorted(facts.claims["claim"].tolist())]
    on = local_date(at, organisation.zone)
    served = [
        *take_advances(run, facts, result, on=on, actor=actor, at=at),
        *take_offsets(run, facts, on=on, actor=actor, at=at),
    ]
    return Played(run, labels + [label_of(row) for row in served], overspent)


@step
def take_turns(organisation: Organisation) -> None:
    """Wait until no other adjudication of the organisation runs and no money of clawbacks and advances moves."""
    wait_turn(_LOCK, organisation.pk)
    lock_owing(organisation)
    lock_advances(organisation)


@step
def refuse_related_to_batch(organisation: Organisation, batch: NextRun, actor: Actor, at: datetime) -> None:
    """Raises: RelatedPerson for a person related to a provider of the batch."""
    claims = Q(pk__in=batch.claims) | Q(lines__in=batch.cleared_lines)
    providers = Claim.objects.filter(claims).values_list("provider_id", flat=True).distinct()
    refuse_related(organisation=organisation, actor=actor, providers=providers, at=at)


def _create_run(
    organisation: Organisation,
    period: date,
    as_of: date,
    known_at: datetime,
    batch: NextRun,
    facts: Facts,
    result: AdjudicationResult,
    law: Law,
    actor: Actor,
    at: datetime,
) -> AdjudicationRun:
    totals = result.remittances[["amount_claimed", "gross", "fee", "payable"]].sum()
    return AdjudicationRun.objects.create(
        organisation=organisation,
        period=period,
        number=batch.number,
        as_of=as_of,
        started_by_id=actor.user_id,
        recorded_at=at,
        status="done",
        status_at=at,
        lines=len(facts.lines),
        digest=digest_of(facts, result),
        parameters=law.versions,
        known_at=known_at,
        receipt=receipt_of_run(facts),
        **{f"{name}_minor": int(total) for name, total in totals.items()},
    )


@step
def _write(
    run: AdjudicationRun, batch: NextRun, facts: Facts, result: AdjudicationResult, actor: Actor, at: datetime
) -> list[str]:
    """Results first, then budgets, certificates, claims, ledger; returns the budget lines that are overspent."""
    write_results(run, batch, facts, result)
    write_items(run, at=at)
    lock_budgets(run.organisation)
    lock_certificates()
    overspent = move_budgets(run, actor=actor, at=at)
    capture_reported(actor=actor, at=at)
    if _move_claims(run, batch, at) != len(batch.claims):
        raise ClaimsChanged(period=f"{run.period:%m.%Y}")
    post_claims(run, on=local_date(at, run.organisation.zone), actor=actor, at=at)
    return overspent


_JUDGED = """
UPDATE settlement_claim c SET run = %(number)s, status_at = %(at)s, status = CASE
    WHEN c.reverses_id IS NOT NULL OR NOT EXISTS (SELECT 1 FROM settlement_claimline l WHERE l.claim_id = c.id)
      OR EXISTS (SELECT 1 FROM run_part p WHERE p.claim_id = c.id AND p.stands)
    THEN 'adjudicated' ELSE 'rejected' END
WHERE c.id = ANY(%(fresh)s) AND c.status = 'submitted'
"""
# Claims taken back, also those of this very run; one in an open payment run keeps its state until that is over.
_REVERSED = """
UPDATE settlement_claim c SET status = 'reversed', status_at = %(at)s
FROM settlement_claim t
WHERE t.id = ANY(%(fresh)s) AND c.id = t.reverses_id AND c.status IN ('adjudicated', 'disputed', 'paid', 'rejected')
"""
# The new claims, and those of which a cleared line was judged again.
_LOCK_CLAIMS = """
SELECT id FROM settlement_claim WHERE id = ANY(%(fresh)s)
   OR id IN (SELECT claim_id FROM settlement_claimline WHERE id = ANY(%(cleared)s)) ORDER BY id FOR UPDATE
"""


@step
def _move_claims(run: AdjudicationRun, batch: NextRun, at: datetime) -> int:
    """Move the claims of the run; returns how many of the new ones were still submitted.

    A cleared line gives its claim something to pay again, or ends its waiting.
    """
    params: dict[str, Any] = {"number": run.number, "at": at}
    params |= {"fresh": list(batch.claims), "cleared": list(batch.cleared_lines)}
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_CLAIMS, params)
        locked = [claim for (claim,) in cursor.fetchall()]
        cursor.execute(_JUDGED, params)
        judged = cursor.rowcount
        cursor.execute(_REVERSED, params)
    settle_claims(set(locked) - set(batch.claims), at=at)
    return judged
