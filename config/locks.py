"""The locking policy.

Order between tables, always from left to right: clawback case, advance, budget line, contract, certificate,
redemption, claim, run, payment, bank line, account, bank statement, audit chain head. Inside one table: by primary
key. Lock late, but before the check that the lock protects. Nothing to lock when a step only frees. The audit chain
head comes last by itself: an action writes its event as its final statement. Numbering series are locked after the
rows they number; a bank statement is settled after what its lines posted. Whole statements of an office take turns
before all of these.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from django.db import connection
from django.db.models import Model, QuerySet

M = TypeVar("M", bound=Model)


def lock_rows(rows: QuerySet[M]) -> list[M]:
    """The rows, locked until the transaction ends, in primary-key order."""
    return list(rows.order_by("pk").select_for_update(of=("self",)))


def lock_by_ids(model: type[M], ids: Iterable[int]) -> dict[int, M]:
    """Rows by primary key, locked in order; missing ids are absent from the answer."""
    rows = model._default_manager.filter(pk__in=list(ids))
    return {row.pk: row for row in lock_rows(rows)}


def wait_turn(kind: int, key: int) -> None:
    """Wait until nobody else holds the turn of this kind and key, and hold it until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [kind, key])
