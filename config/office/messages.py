"""Messages to people, written into the outbox with the step that they tell of and sent later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Model

from config.accounts.models import User
from config.audit.recording import label_of
from config.office.models import OutboxMessage
from config.transactions import step


@step
def tell(
    people: Iterable[User], organisation_id: int, about: Model, code: str, params: Mapping[str, Any], *, at: datetime
) -> int:
    """One message to each person about a record, with the way to its page; returns how many were told."""
    label = label_of(about)
    messages = OutboxMessage.objects.bulk_create(
        OutboxMessage(
            organisation_id=organisation_id, user=person, code=code, params=dict(params), label=label, created_at=at
        )
        for person in people
    )
    return len(messages)
