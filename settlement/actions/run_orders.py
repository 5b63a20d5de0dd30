"""Ordering an adjudication that takes too long for a page: a job does it in the background."""

from __future__ import annotations

from datetime import date, datetime

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, record
from config.office.jobs import enqueue
from config.office.models import Job

ADJUDICATE = "settlement.adjudicate"


@action
def order_adjudication(*, organisation: Organisation, period: date, as_of: date, actor: Actor, at: datetime) -> Job:
    """Have the next run of a month played by a worker. Audit: adjudication.ordered.

    Idempotent: the job may run twice; what is judged is not judged again.
    """
    job = enqueue(
        ADJUDICATE,
        key=f"{organisation.pk}:{period:%Y-%m}:{at.isoformat()}",
        organisation_id=organisation.pk,
        period=period.isoformat(),
        as_of=as_of.isoformat(),
        username=actor.username,
        user_id=actor.user_id,
        at=at.isoformat(),
    )
    record("adjudication.ordered", organisation, actor=actor, at=at, period=f"{period:%Y-%m}", as_of=as_of)
    return job
