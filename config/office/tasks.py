"""Celery tasks of the office: one call each, idempotent."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from celery.signals import worker_ready
from django.conf import settings

from config.office import jobs


@shared_task(name="office.run_job")
def run_job(job_id: int) -> None:
    """Run one job row."""
    jobs.run_job(job_id)


@shared_task(name="office.sweep")
def sweep() -> None:
    """Ring for jobs whose bell or worker was lost."""
    jobs.sweep()


@worker_ready.connect
def _take_up_orphans(**_: Any) -> None:
    """A worker that is the only one knows that nobody else runs the jobs marked as running."""
    if settings.ONLY_WORKER:
        jobs.release_leases()
