"""Background work of payments: one call each, idempotent."""

from __future__ import annotations

from datetime import datetime

from config.office.jobs import job
from config.office.models import Job
from settlement.actions.payments import write_payment_file, write_remittance_advices
from settlement.actions.runs import WRITE_ADVICES, WRITE_FILE
from settlement.models import PaymentRun


@job(WRITE_FILE)
def write_file(row: Job) -> None:
    """The bank file of a released run."""
    run, at = _run(row)
    write_payment_file(organisation=run.organisation, run_id=run.pk, at=at)


@job(WRITE_ADVICES)
def write_advices(row: Job) -> None:
    """The remittance advices of a released run."""
    run, at = _run(row)
    write_remittance_advices(organisation=run.organisation, run_id=run.pk, at=at)


def _run(row: Job) -> tuple[PaymentRun, datetime]:
    run = PaymentRun.objects.select_related("organisation").get(pk=row.payload["run_id"])
    # The time of the release, not of the worker: a job that runs twice or late writes the same.
    return run, run.status_at or run.proposed_at
