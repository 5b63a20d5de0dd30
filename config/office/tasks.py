"""Celery tasks of the office: one call each, idempotent."""

from __future__ import annotations

from celery import shared_task

from config.office import jobs


@shared_task(name="office.run_job")
def run_job(job_id: int) -> None:
    """Run one job row."""
    jobs.run_job(job_id)


@shared_task(name="office.sweep")
def sweep() -> None:
    """Ring for jobs whose bell or worker was lost."""
    jobs.sweep()
