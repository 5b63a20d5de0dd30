"""Reads of the office."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from config.accounts.models import Organisation
from config.clock import business_now
from config.office.models import Job

DEMO_KIND = "load_demo"


def demo_job() -> Job | None:
    """The job that loads the demonstration while it waits or runs, else None."""
    unfinished = [Job.State.WAITING, Job.State.RUNNING, Job.State.FAILED]
    return Job.objects.filter(kind=DEMO_KIND, state__in=unfinished).order_by("-id").first()


def offices_by_clock() -> Iterator[tuple[Organisation, datetime]]:
    """Every organisation with its business time.

    A demonstration that is still being played is left alone: its chapters act in the past of its clock.
    """
    rows = Organisation.objects.order_by("pk")
    for organisation in rows if demo_job() is None else rows.filter(is_demo=False):
        yield organisation, business_now(organisation.clock_offset)
