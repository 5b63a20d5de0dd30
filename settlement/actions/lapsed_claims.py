"""Returned claims whose term of correction is over: rejected by the clock, their visits free for a new claim."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import OuterRef, QuerySet, Subquery

from config.accounts.models import Organisation, User
from config.audit.actors import Actor
from config.audit.recording import action, label_of, nothing_to_record, record
from config.clock import local_date
from config.locks import lock_rows
from config.office.models import OutboxMessage
from config.transactions import step
from settlement.models import Claim, ClaimReturn

# A message to everybody concerned and its rows are written by so many at a time.
BATCH = 2_000


@action
def reject_uncorrected(*, organisation: Organisation, actor: Actor, at: datetime) -> list[Claim]:
    """Reject every returned claim whose last day of correction has passed, and tell its provider; they were not judged.

    Time: the day after ``correct_by`` by the organisation's calendar day, from its first minute.
    Locks: claims. Idempotent: a claim is returned no more. Audit: claims.lapsed, one event for all.
    """
    claims = lock_rows(_overdue(organisation, at))
    if not claims:
        nothing_to_record()
        return []
    Claim.objects.filter(pk__in=[claim.pk for claim in claims]).update(status="rejected", status_at=at, run=None)
    _tell(claims, at)
    record(
        "claims.lapsed",
        organisation,
        labels=[label_of(claim) for claim in claims],
        actor=actor,
        at=at,
        count=len(claims),
        codes=[claim.number for claim in claims],
    )
    return claims


def _overdue(organisation: Organisation, at: datetime) -> QuerySet[Claim]:
    last = ClaimReturn.objects.filter(claim=OuterRef("pk")).order_by("-version").values("correct_by")[:1]
    rows = Claim.objects.filter(organisation=organisation, status="returned").annotate(correct_by=Subquery(last))
    return rows.filter(correct_by__lt=local_date(at, organisation.zone))


@step
def _tell(claims: Iterable[Claim], at: datetime) -> None:
    """One message to each person of each claim's provider: one query for the people, one insert a batch."""
    rows = list(claims)
    people = User.objects.filter(provider_user__provider__in={claim.provider_id for claim in rows}, is_active=True)
    of_provider: dict[int, list[int]] = {}
    for provider, person in people.values_list("provider_user__provider", "pk"):
        of_provider.setdefault(provider, []).append(person)
    OutboxMessage.objects.bulk_create(
        (
            OutboxMessage(
                organisation_id=claim.organisation_id,
                user_id=person,
                code="claim.lapsed",
                params={"number": claim.number, "correct_by": claim.correct_by.isoformat()},  # type: ignore[attr-defined]
                label=label_of(claim),
                created_at=at,
            )
            for claim in rows
            for person in of_provider.get(claim.provider_id, ())
        ),
        batch_size=BATCH,
    )
