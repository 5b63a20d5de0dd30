"""A line of a large run judged again: a worker does it, and the row of its job keeps what came out."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from config.audit.actors import Actor
from config.audit.recording import action, nothing_to_record
from config.clock import local_date
from config.errors import DomainError
from config.office.jobs import enqueue
from config.office.models import Job
from settlement.line_queries import claim_lines
from settlement.line_replays import told_of_line
from settlement.models import AdjudicationRun, Claim, ClaimLine

REPLAY_LINE = "settlement.replay_line"


class ReplayUnderWay(DomainError):
    """Each judges the whole run twice: one person, one line at a time."""

    code = "REPLAY_UNDER_WAY"
    message = _("Another line is being judged again for you. Wait until that is done, then try this one.")


def replay_job(line: ClaimLine, run: AdjudicationRun) -> Job | None:
    """The last job that judges the line of this run again, if ordered."""
    return Job.objects.filter(key__startswith=f"{REPLAY_LINE}:{_key(line, run)}:").order_by("-pk").first()


@action
def order_replay(*, line: ClaimLine, run: AdjudicationRun, actor: Actor, at: datetime) -> Job:
    """Have a worker judge the line's run again; nothing of the books is written.

    Raises: ReplayUnderWay. Idempotent: one job for a line, a run and a day.
    """
    nothing_to_record()
    key = f"{_key(line, run)}:{local_date(at, run.organisation.zone):%Y-%m-%d}"
    under_way = Job.objects.filter(
        kind=REPLAY_LINE, state__in=[Job.State.WAITING, Job.State.RUNNING], payload__user_id=actor.user_id
    )
    if under_way.exclude(key=f"{REPLAY_LINE}:{key}").exists():
        raise ReplayUnderWay()
    return enqueue(
        REPLAY_LINE,
        key=key,
        claim_id=line.claim_id,
        line_id=line.pk,
        run_id=run.pk,
        user_id=actor.user_id,
        at=at.isoformat(),
    )


def keep_replay(row: Job) -> None:
    """Do what ``order_replay`` ordered and keep it in the job. Idempotent."""
    order = row.payload
    claim = Claim.objects.select_related("organisation", "provider", "contract", "reverses").get(pk=order["claim_id"])
    line = claim_lines(claim).get(pk=order["line_id"])
    run = AdjudicationRun.objects.select_related("organisation").get(pk=order["run_id"])
    told = told_of_line(claim, line, run, datetime.fromisoformat(order["at"]))
    Job.objects.filter(pk=row.pk).update(payload={**order, "told": told})


def _key(line: ClaimLine, run: AdjudicationRun) -> str:
    return f"{line.pk}:{run.pk}"
