"""Reads of the office."""

from __future__ import annotations

from config.office.models import Job

DEMO_KIND = "load_demo"


def demo_job() -> Job | None:
    """The job that loads the demonstration while it waits or runs, else None."""
    unfinished = [Job.State.WAITING, Job.State.RUNNING, Job.State.FAILED]
    return Job.objects.filter(kind=DEMO_KIND, state__in=unfinished).order_by("-id").first()
