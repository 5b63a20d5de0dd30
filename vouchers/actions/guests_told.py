"""Who is told of what a municipality learns late of people who are served elsewhere."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db.models import Q, QuerySet

from config.accounts.people import people_with
from config.clock import local_date
from config.office.messages import tell
from config.periods import month_of
from config.transactions import step
from vouchers.models import Certificate, Recipient


def guests_of(recipient: Recipient, since: date, until: date | None) -> QuerySet[Certificate]:
    """What other municipalities keep of the recipient's certificates that hold on days of the span."""
    rows = Certificate.objects.filter(home__recipient=recipient).order_by("pk")
    rows = rows.filter(Q(valid_to=None) | Q(valid_to__gt=since))
    return rows.filter(valid_from__lt=until) if until else rows


@step
def tell_hosts(
    recipient: Recipient, since: date, until: date | None, *, at: datetime, certificate: Certificate | None = None
) -> None:
    """When months of the span are over: who prepares corrections where the recipient was served.

    They learn neither who it is nor what happened: the days, and the certificate as they know it.
    """
    if since >= month_of(local_date(at, recipient.organisation.zone)):
        return
    last = until and (until - timedelta(days=1)).isoformat()
    told = {"home": recipient.organisation.name, "valid_from": since.isoformat(), "last_day": last}
    guests = guests_of(recipient, since, until)
    for guest in guests.filter(home=certificate) if certificate else guests:
        host = guest.organisation_id
        tell(people_with(host, "corrections.propose"), host, guest, "certificate.guest_to_settle", told, at=at)
