"""Jobs: enqueue in the caller's transaction, run once per lease, sweep what was lost."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from config.office.models import Job
from config.transactions import step

log = logging.getLogger(__name__)
Handler = Callable[[Job], None]
_handlers: dict[str, Handler] = {}


def job(kind: str) -> Callable[[Handler], Handler]:
    """Register the one code path of a kind of job. Handlers are idempotent: they may run twice or die anywhere."""

    def register(handler: Handler) -> Handler:
        _handlers[kind] = handler
        return handler

    return register


@step
def enqueue(kind: str, *, key: str, **payload: Any) -> Job:
    """Write the job row in this transaction and ring the bell after the commit. The same key is one job."""
    row, created = Job.objects.get_or_create(key=f"{kind}:{key}", defaults={"kind": kind, "payload": payload})
    if created:
        transaction.on_commit(lambda: ring(row.pk), robust=True)
    return row


def ring(job_id: int) -> None:
    """Ask a worker to run the job; a lost bell is rung again by the sweep."""
    from config.celery_app import app

    try:
        app.send_task("office.run_job", args=[job_id])
    except Exception:  # the broker may be down; the row stays and the sweep re-sends it
        log.warning("could not ring for job %s", job_id, exc_info=True)


def take(job_id: int) -> Job | None:
    """Take the job by a conditional update, or None when another worker has it."""
    now = timezone.now()
    open_job = Q(state=Job.State.WAITING) | Q(state=Job.State.RUNNING, lease_until__lt=now)
    taken = Job.objects.filter(Q(pk=job_id) & open_job).update(
        state=Job.State.RUNNING,
        attempts=F("attempts") + 1,
        lease_until=now + timedelta(seconds=settings.JOB_LEASE_SECONDS),
    )
    return Job.objects.get(pk=job_id) if taken else None


def run_job(job_id: int) -> None:
    """Take, run and finish one job. A failure waits for the sweep until its attempts are used up."""
    row = take(job_id)
    if row is None:
        return
    try:
        _handlers[row.kind](row)
    except Exception as error:
        log.exception("job %s %s failed", row.pk, row.kind)
        state = Job.State.FAILED if row.attempts >= row.max_attempts else Job.State.WAITING
        _held_by(row).update(state=state, error=repr(error), lease_until=_retry_at(row))
        return
    _held_by(row).update(state=Job.State.DONE, finished_at=timezone.now(), progress=100, error="", lease_until=None)


def _held_by(row: Job) -> QuerySet[Job]:
    """The job while it is in the hands of the worker that took it as ``row``.

    A worker that lost its lease may still be alive: what it says about the job must not cover what the next one does.
    """
    return Job.objects.filter(pk=row.pk, state=Job.State.RUNNING, attempts=row.attempts)


def _retry_at(row: Job) -> Any:
    return timezone.now() + timedelta(seconds=min(2**row.attempts, 300))


def sweep() -> list[int]:
    """Ring again for jobs that wait longer than they should or whose worker died."""
    now = timezone.now()
    lost = Q(state=Job.State.RUNNING, lease_until__lt=now)
    unheard = Q(state=Job.State.WAITING, created_at__lt=now - timedelta(seconds=3))
    due = unheard & (Q(lease_until__isnull=True) | Q(lease_until__lt=now))
    ids = list(Job.objects.filter(lost | due).order_by("pk").values_list("pk", flat=True)[:100])
    for job_id in ids:
        ring(job_id)
    return ids


def release_leases() -> int:
    """Free every job that is marked as running; right only when no worker lives. Returns how many were freed."""
    return Job.objects.filter(state=Job.State.RUNNING).update(state=Job.State.WAITING, lease_until=None)


def report_progress(row: Job, percent: int, text: str) -> None:
    """Show how far a long job is; renews its lease."""
    _held_by(row).update(
        progress=percent,
        progress_text=text[:200],
        lease_until=timezone.now() + timedelta(seconds=settings.JOB_LEASE_SECONDS),
    )
