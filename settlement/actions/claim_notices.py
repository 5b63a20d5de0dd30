"""Notices around claims and clawbacks, written into the outbox with the step that they tell of."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Model, QuerySet

from config.accounts.models import User
from config.audit.recording import label_of
from config.office.models import OutboxMessage
from config.roles import PERMISSIONS
from config.transactions import step
from settlement.models import Advance, Claim, ClawbackCase, PaymentHold


@step
def tell_provider(
    claim: Claim | ClawbackCase | Advance | PaymentHold, code: str, params: dict[str, Any], *, at: datetime
) -> None:
    """Tell the people of the provider."""
    people = User.objects.filter(provider_user__provider=claim.provider_id, is_active=True)
    _tell(people, claim.organisation_id, claim, code, params, at)


@step
def tell_deciders(
    claim: Claim | ClawbackCase, permission: str, code: str, params: dict[str, Any], *, at: datetime
) -> None:
    """Tell everybody of the office who may take the next step."""
    tell_office(claim.organisation_id, claim, permission, code, params, at=at)


@step
def tell_office(
    organisation_id: int, about: Model, permission: str, code: str, params: dict[str, Any], *, at: datetime
) -> None:
    """Tell everybody of an office who has a permission there about a record."""
    roles = PERMISSIONS[permission]
    people = User.objects.filter(memberships__organisation=organisation_id, memberships__role__in=roles, is_active=True)
    _tell(people.distinct(), organisation_id, about, code, params, at)


def _tell(
    people: QuerySet[User], organisation_id: int, about: Model, code: str, params: dict[str, Any], at: datetime
) -> None:
    OutboxMessage.objects.bulk_create(
        OutboxMessage(
            organisation_id=organisation_id,
            user=person,
            code=code,
            params=params,
            label=label_of(about),
            created_at=at,
        )
        for person in people
    )
