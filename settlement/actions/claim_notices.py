"""Notices around claims and clawbacks, written into the outbox with the step that they tell of."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Model

from config.accounts.models import User
from config.accounts.people import people_with
from config.office.messages import tell
from config.transactions import step
from settlement.models import Advance, Claim, ClawbackCase, PaymentHold


@step
def tell_provider(
    claim: Claim | ClawbackCase | Advance | PaymentHold, code: str, params: dict[str, Any], *, at: datetime
) -> None:
    """Tell the people of the provider."""
    people = User.objects.filter(provider_user__provider=claim.provider_id, is_active=True)
    tell(people, claim.organisation_id, claim, code, params, at=at)


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
    tell(people_with(organisation_id, permission), organisation_id, about, code, params, at=at)
