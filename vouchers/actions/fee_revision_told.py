"""Who is told of a fee decided anew for past months."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django.db.models import Model, Q, QuerySet

from config.accounts.models import User
from config.audit.recording import label_of
from config.clock import local_date
from config.office.models import OutboxMessage
from config.periods import month_of
from config.roles import PERMISSIONS
from config.transactions import step
from vouchers.models import Certificate, FeeRevision, Recipient


@step
def tell_of_revision(recipient: Recipient, revision: FeeRevision, until: date, *, at: datetime) -> None:
    """The recipient; when months are over, who prepares corrections here and where the certificate was used."""
    number = {"number": revision.number}
    own = User.objects.filter(is_active=True, recipient=recipient)
    _write(own, revision.organisation_id, revision, "fee_revision.approved", number | {"until": until.isoformat()}, at)
    if revision.valid_from >= month_of(local_date(at, revision.organisation.zone)):
        return
    office = revision.organisation_id
    _write(_correctors(office), office, revision, "fee_revision.to_settle", number, at)
    for guest in _guests(revision):
        told = _told_to_host(revision)
        _write(
            _correctors(guest.organisation_id), guest.organisation_id, guest, "fee_revision.guest_to_settle", told, at
        )


def _correctors(organisation_id: int) -> QuerySet[User]:
    """Who prepares corrections in a municipality."""
    roles = PERMISSIONS["corrections.propose"]
    rows = User.objects.filter(is_active=True, memberships__organisation=organisation_id, memberships__role__in=roles)
    return rows.distinct()


def _guests(revision: FeeRevision) -> QuerySet[Certificate]:
    """What other municipalities keep of the recipient's certificates that hold on days of the span."""
    rows = Certificate.objects.filter(home__recipient=revision.recipient_id)
    rows = rows.filter(Q(valid_to=None) | Q(valid_to__gt=revision.valid_from)).order_by("pk")
    return rows.filter(valid_from__lt=revision.valid_to) if revision.valid_to else rows


def _told_to_host(revision: FeeRevision) -> dict[str, Any]:
    """Neither who it is nor what they earn: the host reads the days, and the certificate as it knows it."""
    last = revision.period.last_day
    days = {"valid_from": revision.valid_from.isoformat(), "last_day": last and last.isoformat()}
    return {"home": revision.organisation.name} | days


@step
def _write(
    people: Iterable[User], organisation_id: int, about: Model, code: str, told: Mapping[str, Any], at: datetime
) -> None:
    OutboxMessage.objects.bulk_create(
        OutboxMessage(
            organisation_id=organisation_id,
            user=person,
            code=code,
            params=dict(told),
            label=label_of(about),
            created_at=at,
        )
        for person in people
    )
