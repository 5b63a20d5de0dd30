"""Background work of settlement and what the clock brings. Importing it registers the handlers of its jobs."""

from __future__ import annotations

from celery import shared_task

from config.accounts.models import Organisation
from config.audit.actors import SYSTEM
from config.clock import business_now
from config.office.queries import offices_by_clock
from settlement import payment_jobs, run_jobs, stripe_jobs
from settlement.actions.lapsed_claims import reject_uncorrected
from settlement.actions.overdue_lines import chase_overdue_lines
from settlement.actions.transfers import send_after_holds

__all__ = ["payment_jobs", "run_jobs", "stripe_jobs"]


@shared_task(name="settlement.send_after_holds")
def send_transfers_after_holds() -> None:
    """Send the transfers whose hold has ended by itself. Safe to run at any time and twice."""
    for organisation in Organisation.objects.order_by("pk"):
        send_after_holds(organisation=organisation, at=business_now(organisation.clock_offset))


@shared_task(name="settlement.reject_uncorrected")
def reject_claims_uncorrected() -> None:
    """Reject returned claims whose term of correction is over. Safe to run at any time and twice."""
    for organisation, now in offices_by_clock():
        reject_uncorrected(organisation=organisation, actor=SYSTEM, at=now)


@shared_task(name="settlement.chase_overdue_lines")
def chase_lines_overdue() -> None:
    """Tell the people of finance of open bank lines whose last day has passed. Safe to run at any time and twice."""
    for organisation, now in offices_by_clock():
        chase_overdue_lines(organisation=organisation, actor=SYSTEM, at=now)
