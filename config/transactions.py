"""Who may open a transaction: an @action (durable, see config.audit); a @step demands one; looking keeps nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import connection, transaction

P = ParamSpec("P")
R = TypeVar("R")


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


@contextmanager
def nothing_kept() -> Iterator[None]:
    """A transaction of which nothing remains, for reads that need temporary tables; never for doing something."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
