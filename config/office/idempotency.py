"""Repeated external writes: the same key returns the first answer, another body under it is refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from django.utils.translation import gettext_lazy as _

from config.audit.recording import Companion, accompanied
from config.errors import DomainError
from config.office.models import IdempotencyKey
from config.transactions import step

R = TypeVar("R")


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


class _Repeated(Exception):
    """The request was answered before; carries the answer out of the action, whose transaction has changed nothing."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.answer = answer


def answer_once(
    *, scope: str, key: str, body: dict[str, Any], at: datetime, call: Callable[[], R], answer: Callable[[R], Any]
) -> dict[str, Any]:
    """The answer to ``call``, one action; with a key that was used before, the first answer and no action.

    Key, action and answer are one transaction: killed anywhere, all are there or none. A refused request leaves its
    key free. ``answer`` makes plain JSON of the result and may read what the action wrote.
    Raises: IdempotencyConflict, and what the action raises. Locks: the key's row, before all that the action locks.
    """
    rows: list[IdempotencyKey] = []

    def before() -> None:
        row, first = claim_key(scope=scope, key=key, body=body, at=at)
        if not first:
            raise _Repeated(row.answer)
        rows.append(row)

    try:
        with accompanied(Companion(before, lambda result: keep_answer(rows[0], answer(result)))):
            call()
    except _Repeated as repeated:
        return repeated.answer
    return rows[0].answer
