"""Who may open a transaction: an @action (durable, see config.audit); a @step demands one; looking keeps nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import IntegrityError, connection, models, transaction

P = ParamSpec("P")
R = TypeVar("R")
Row = TypeVar("Row", bound=models.Model)


class TransactionRequired(RuntimeError):
    """A step was called outside an action: a bug, never a refusal."""


def require_transaction() -> None:
    """Raise TransactionRequired unless a transaction is open."""
    if not connection.in_atomic_block:
        raise TransactionRequired("this step needs the caller's transaction")


def step(function: Callable[P, R]) -> Callable[P, R]:
    """Mark a function that writes inside its caller's transaction and never opens its own."""

    @wraps(function)
    def inner(*args: P.args, **kwargs: P.kwargs) -> R:
        require_transaction()
        return function(*args, **kwargs)

    return inner


@step
def saved_once(row: Row, *, taken: type[Exception]) -> Row:
    """Save a new row. Raises: ``taken`` where the database refuses it beside one that is there."""
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise taken() from error
    return row


@contextmanager
def nothing_kept() -> Iterator[None]:
    """A transaction of which nothing remains, for reads that need temporary tables; never for doing something."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
