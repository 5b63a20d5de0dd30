"""After a run: visits are drawn to be verified, and pairs that stand close are noted; people say what was in it."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, nothing_to_record, record
from config.clock import local_date
from config.errors import DomainError, NotFound
from config.locks import lock_rows
from config.transactions import saved_once, step
from contracts.actions.check_facts import refuse_related
from contracts.parameters import ParameterMissing, parameter_value
from settlement.actions.runs import person
from settlement.examination_queries import names_of, pairs_of
from settlement.models import (
    AdjudicationRun,
    ClosenessHint,
    HintFeedback,
    RunExamination,
    VerificationResult,
    VerificationVisit,
)
from settlement.rules.closeness import Limits, closeness

SAMPLE_PERCENT = "claim.sample_pct"
CLOSENESS_PERCENT = "claim.closeness_pct"
CLOSENESS_VISITS = "claim.closeness_visits_min"
# Where the law of an installation says nothing.
_DEFAULTS = {SAMPLE_PERCENT: "1", CLOSENESS_PERCENT: "90", CLOSENESS_VISITS: "8"}


class AlreadySaid(DomainError):
    """One answer each."""

    code = "ALREADY_SAID"
    message = _("Somebody has recorded this already. Reload the page to see it.")


class VerifiedOn(DomainError):
    """A visit is verified after it was, and not in the future."""

    code = "VERIFIED_ON"
    message = _("A visit is verified between its day %(visit)s and today. Correct the day.")


@action
def examine_run(*, organisation: Organisation, run_id: int, actor: Actor, at: datetime) -> RunExamination:
    """Draw ``claim.sample_pct`` percent of each provider's allowed visits of a run, at least one, and note who stands
    close. Which visits: those whose sha256 of the run's fingerprint, claim and line comes first, so that nobody chooses
    them, nobody knows them before, and everybody can draw them again.

    Idempotent. Raises: NotFound. Locks: the run. Audit: run.examined.
    """
    rows = lock_rows(AdjudicationRun.objects.filter(pk=run_id, organisation=organisation))
    if not rows:
        raise NotFound()
    found = RunExamination.objects.filter(run=rows[0]).first()
    if found is not None:
        nothing_to_record()
        return found
    examination = _begin(rows[0], at)
    drawn, hints = _draw(examination), _note(examination)
    record("run.examined", rows[0], examination, actor=actor, at=at, drawn=drawn, hints=hints)
    return examination


@step
def _begin(run: AdjudicationRun, at: datetime) -> RunExamination:
    percent = _parameter(run, SAMPLE_PERCENT)
    return RunExamination.objects.create(run=run, percent=percent, seed=run.digest or str(run), recorded_at=at)


def _parameter(run: AdjudicationRun, key: str) -> Decimal:
    try:
        return parameter_value(run.organisation, key, run.period).decimal
    except ParameterMissing:
        return Decimal(_DEFAULTS[key])


_DRAWN = """
INSERT INTO settlement_verificationvisit (examination_id, claim_line_id)
SELECT %(examination)s, line FROM (
    SELECT l.id AS line, count(*) OVER (PARTITION BY k.provider_id) AS visits, row_number() OVER (
        PARTITION BY k.provider_id
        ORDER BY sha256(convert_to(%(seed)s || ':' || k.number || '/' || l.line, 'UTF8'))) AS place
    FROM settlement_adjudication a JOIN settlement_claimline l ON l.id = a.claim_line_id
    JOIN settlement_claim k ON k.id = l.claim_id
    WHERE a.run_id = %(run)s AND a.reverses_id IS NULL AND a.gross > 0
) judged
WHERE place <= ceil(visits * %(percent)s / 100.0)
ON CONFLICT (claim_line_id) DO NOTHING
"""


@step
def _draw(examination: RunExamination) -> int:
    params: dict[str, Any] = {
        "examination": examination.pk,
        "seed": examination.seed,
        "run": examination.run_id,
        "percent": examination.percent,
    }
    with connection.cursor() as cursor:
        cursor.execute(_DRAWN, params)
        return int(cursor.rowcount)


@step
def _note(examination: RunExamination) -> int:
    run = examination.run
    limits = Limits(int(_parameter(run, CLOSENESS_PERCENT)), int(_parameter(run, CLOSENESS_VISITS)))
    pairs = pairs_of(run)
    rows = [
        ClosenessHint(
            examination=examination,
            kind=kind,
            worker_id=pair.worker,
            recipient_id=pair.recipient,
            visits=pair.visits,
            worker_visits=pair.worker_visits,
            recipient_visits=pair.recipient_visits,
            amount_minor=pair.amount,
        )
        for kind, pair in closeness(pairs, names_of(run, pairs), limits)
    ]
    return len(ClosenessHint.objects.bulk_create(rows, batch_size=1_000))


@action
def record_verification(
    *,
    organisation: Organisation,
    visit_id: int,
    outcome: str,
    checked_on: date,
    note: str,
    actor: Actor,
    at: datetime,
) -> VerificationResult:
    """What was learnt of a drawn visit; nothing is posted.

    Raises: NotFound, RelatedPerson, VerifiedOn, AlreadySaid. Audit: visit.verified.
    """
    rows = VerificationVisit.objects.filter(pk=visit_id, examination__run__organisation=organisation)
    visit = rows.select_related("claim_line__claim").first()
    if visit is None:
        raise NotFound()
    line = visit.claim_line
    refuse_related(organisation=organisation, actor=actor, providers=[line.claim.provider_id], at=at)
    if not line.service_date <= checked_on <= local_date(at, organisation.zone):
        raise VerifiedOn(visit=line.service_date)
    said: dict[str, Any] = {"outcome": outcome, "checked_on": checked_on, "note": note}
    result = VerificationResult(visit=visit, checked_by_id=person(actor), recorded_at=at, **said)
    saved_once(result, taken=AlreadySaid)
    record("visit.verified", line.claim, result, actor=actor, at=at, line=line.line, **said)
    return result


@action
def give_hint_feedback(
    *, organisation: Organisation, hint_id: int, reason: str, actor: Actor, at: datetime
) -> HintFeedback:
    """There is nothing in a hint. Raises: NotFound, AlreadySaid. Audit: hint.feedback_given."""
    hint = ClosenessHint.objects.filter(pk=hint_id, examination__run__organisation=organisation).first()
    if hint is None:
        raise NotFound()
    row = HintFeedback(hint=hint, reason=reason, given_by_id=person(actor), recorded_at=at)
    saved_once(row, taken=AlreadySaid)
    record("hint.feedback_given", hint.examination.run, row, actor=actor, at=at, reason=reason)
    return row
