"""@action and record(): one action, one transaction, one audit event, all three or none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.db import models, transaction

from config.audit.actors import Actor
from config.audit.models import AuditEvent
from config.transactions import require_transaction

P = ParamSpec("P")
R = TypeVar("R")

MASKED = "•••"
# Keys that must never reach the trail in clear, whatever an action passes.
PERSONAL_KEYS = frozenset(
    {"name", "first_name", "last_name", "tax_id", "phone", "email", "address", "birth_date", "diagnosis"}
    | {"pin", "token"}
)


class EventMissing(RuntimeError):
    """An action ended without saying what it did, or said it twice: a bug."""


@dataclass
class _Pending:
    event: AuditEvent | None = None
    silent: bool = False


_pending: ContextVar[_Pending | None] = ContextVar("pending_event", default=None)


@dataclass(frozen=True)
class Companion:
    """Steps that join the transaction of the next action: before its first statement, and with its result."""

    before: Callable[[], None]
    after: Callable[[Any], None]


_companion: ContextVar[Companion | None] = ContextVar("companion", default=None)


@contextmanager
def accompanied(companion: Companion) -> Iterator[None]:
    """The one action called inside takes the companion into its transaction."""
    token = _companion.set(companion)
    try:
        yield
    finally:
        _companion.reset(token)


def action(function: Callable[P, R]) -> Callable[P, R]:
    """Open a durable transaction, run, then write the one audit event as the last statement.

    Raises: RuntimeError when called inside another action; EventMissing when record() was not called exactly once
    (nothing_to_record() excuses a repetition that changes nothing).
    """

    @wraps(function)
    def inner(*args: P.args, **kwargs: P.kwargs) -> R:
        with transaction.atomic(durable=True):
            pending = _Pending()
            token = _pending.set(pending)
            try:
                result = _with_companion(lambda: function(*args, **kwargs))
            finally:
                _pending.reset(token)
            _write(pending, function.__qualname__)
        return result

    return inner


def _with_companion(call: Callable[[], R]) -> R:
    companion = _companion.get()
    if companion is None:
        return call()
    companion.before()
    result = call()
    companion.after(result)
    return result


def _write(pending: _Pending, name: str) -> None:
    if pending.event is not None:
        pending.event.save(force_insert=True)
    elif not pending.silent:
        raise EventMissing(f"{name} recorded no audit event")


def record(
    code: str,
    subject: models.Model,
    /,
    *related: models.Model,
    actor: Actor,
    at: datetime,
    organisation: str = "",
    labels: Iterable[str] = (),
    **data: Any,
) -> None:
    """Say what the running action did.

    ``code`` is noun.past_participle; ``organisation`` the code of the organisation whose chain it joins (taken from
    the subject when it has one); ``labels`` further "app.model:pk" marks without loading rows; ``data`` plain JSON
    values, personal keys are masked.
    """
    require_transaction()
    pending = _pending.get()
    if pending is None:
        raise EventMissing(f"{code} recorded outside an action")
    if pending.event is not None:
        raise EventMissing(f"{code} recorded after {pending.event.action}: one action, one event")
    pending.event = AuditEvent(
        chain=organisation or organisation_code(subject),
        business_at=at,
        actor=actor.username,
        action=code,
        objects_touched=[*(label_of(row) for row in (subject, *related)), *labels],
        data=mask(data),
    )


def nothing_to_record() -> None:
    """Excuse the running action: it was a repetition and changed nothing."""
    pending = _pending.get()
    if pending is not None:
        pending.silent = True


def label_of(row: models.Model) -> str:
    """The mark of a row in the trail: "app.model:pk"."""
    return f"{row._meta.label_lower}:{row.pk}"


def organisation_code(row: models.Model) -> str:
    """Code of the organisation a row belongs to, or "system"."""
    owner = row if row._meta.label_lower == "accounts.organisation" else getattr(row, "organisation", None)
    return getattr(owner, "code", None) or "system"


def mask(value: Any) -> Any:
    """Plain JSON of ``value`` with personal keys masked, dates and decimals as text."""
    if isinstance(value, dict):
        return {k: MASKED if k in PERSONAL_KEYS and v else mask(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set):
        return [mask(item) for item in value]
    if value is None or isinstance(value, str | int | bool):
        return value
    return str(value)
