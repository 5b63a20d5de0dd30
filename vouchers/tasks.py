"""What the clock brings: certificates end, authorisations lapse. Safe to run at any time and twice."""

from __future__ import annotations

from celery import shared_task

from config.audit.actors import SYSTEM
from config.office.queries import offices_by_clock
from vouchers.actions.certificate_life import expire_certificates, expire_holds


@shared_task(name="vouchers.expire_due")
def expire_due() -> None:
    """Let lapse what is due in every organisation, by its own business clock."""
    for organisation, now in offices_by_clock():
        expire_holds(organisation=organisation, actor=SYSTEM, at=now)
        expire_certificates(organisation=organisation, actor=SYSTEM, at=now)
