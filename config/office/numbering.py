"""Document numbers without gaps per organisation, kind and year."""

from __future__ import annotations

from django.db import connection

from config.accounts.models import Organisation
from config.transactions import step


@step
def next_number(*, organisation: Organisation, kind: str, year: int, count: int = 1) -> int:
    """First of ``count`` consecutive numbers. The row lock is held to the end of the transaction, so that a
    rolled-back document leaves no gap. Locks: the series row, after the rows it numbers.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO office_documentseries (organisation_id, kind, year, last_number) VALUES (%s, %s, %s, %s) "
            "ON CONFLICT (organisation_id, kind, year) "
            "DO UPDATE SET last_number = office_documentseries.last_number + EXCLUDED.last_number "
            "RETURNING last_number",
            [organisation.pk, kind, year, count],
        )
        (last,) = cursor.fetchone()
    return last - count + 1


@step
def document_number(*, organisation: Organisation, kind: str, prefix: str, year: int) -> str:
    """The next number of a series as text. Example: ``C-2025-0007``."""
    return f"{prefix}-{year}-{next_number(organisation=organisation, kind=kind, year=year):04d}"
