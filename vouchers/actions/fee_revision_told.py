"""Who is told of a fee decided anew for past months."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet

from config.accounts.models import User
from config.accounts.people import people_with
from config.clock import local_date
from config.office.messages import tell
from config.periods import month_of
from config.transactions import step
from vouchers.actions.guests_told import guests_of
from vouchers.models import FeeRevision, Recipient


@step
def tell_of_revision(recipient: Recipient, revision: FeeRevision, until: date, *, at: datetime) -> None:
    """The recipient; when months are over, who prepares corrections here and where the certificate was used."""
    number = {"number": revision.number}
    own = User.objects.filter(is_active=True, recipient=recipient)
    office = revision.organisation_id
    tell(own, office, revision, "fee_revision.approved", number | {"until": until.isoformat()}, at=at)
    if revision.valid_from >= month_of(local_date(at, revision.organisation.zone)):
        return
    tell(_correctors(office), office, revision, "fee_revision.to_settle", number, at=at)
    for guest in guests_of(recipient, revision.valid_from, revision.valid_to):
        host, told = guest.organisation_id, _told_to_host(revision)
        tell(_correctors(host), host, guest, "fee_revision.guest_to_settle", told, at=at)


def _correctors(organisation_id: int) -> QuerySet[User]:
    """Who prepares corrections in a municipality."""
    return people_with(organisation_id, "corrections.propose")


def _told_to_host(revision: FeeRevision) -> dict[str, Any]:
    """Neither who it is nor what they earn: the host reads the days, and the certificate as it knows it."""
    last = revision.period.last_day
    days = {"valid_from": revision.valid_from.isoformat(), "last_day": last and last.isoformat()}
    return {"home": revision.organisation.name} | days
