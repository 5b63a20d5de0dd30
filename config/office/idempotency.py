"""Repeated external writes: the same key returns the first answer, another body under it is refused."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from config.errors import DomainError
from config.office.models import IdempotencyKey
from config.transactions import step


class IdempotencyConflict(DomainError):
    """The key was used for another request."""

    code = "IDEMPOTENCY_CONFLICT"
    message = _("The key «%(key)s» was already used for a different request. Use a new key for a new request.")


def body_digest(body: dict[str, Any]) -> str:
    """Fingerprint of a request body."""
    return hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()


@step
def claim_key(*, scope: str, key: str, body: dict[str, Any], at: datetime) -> tuple[IdempotencyKey, bool]:
    """The key's row, locked, and whether this is the first use.

    A second request with the key waits for the first one's transaction. Raises: IdempotencyConflict.
    """
    row, first = IdempotencyKey.objects.get_or_create(
        scope=scope, key=key, defaults={"body_sha256": body_digest(body), "created_at": at}
    )
    if row.body_sha256 != body_digest(body):
        raise IdempotencyConflict(key=key)
    return row, first


@step
def keep_answer(row: IdempotencyKey, answer: dict[str, Any]) -> None:
    """Store the first answer."""
    row.answer = answer
    row.save(update_fields=["answer"])
