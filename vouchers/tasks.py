"""What the clock brings: certificates end, authorisations lapse. Safe to run at any time and twice."""

from __future__ import annotations

from celery import shared_task

from config.accounts.models import Organisation
from config.audit.actors import SYSTEM
from config.clock import business_now
from config.office.queries import demo_job
from vouchers.actions.certificate_life import expire_certificates, expire_holds


@shared_task(name="vouchers.expire_due")
def expire_due() -> None:
    """Let lapse what is due in every organisation, by its own business clock.

    A demonstration that is still being played is left alone: its chapters act in the past of its clock.
    """
    playing = demo_job()
    for organisation in Organisation.objects.order_by("pk"):
        if organisation.is_demo and playing is not None:
            continue
        now = business_now(organisation.clock_offset)
        expire_holds(organisation=organisation, actor=SYSTEM, at=now)
        expire_certificates(organisation=organisation, actor=SYSTEM, at=now)
