"""Seals of rows: what a row said when it was last written with the triggers on, so that a change behind them is seen.

A trigger keeps the sha256 of every row of the tables that decide about money, those with a way of proof of their own
excepted. With the triggers off a row changes, comes or goes and its seal does not. Put on after every migrate: a table
or column that is new is sealed without further ado.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection, connections, transaction

SEALED_APPS = ("contracts", "vouchers", "settlement")
# Written by the million in a run, and each proved by what it is made of; or nothing that is paid hangs on it.
UNSEALED = {
    "settlement_adjudication": "the fingerprint of its run, its findings, its claim line and its remittance",
    "settlement_finding": "the fingerprint of its run and its adjudication",
    "settlement_remittance": "the fingerprint of its run, its adjudications, its postings and its payment",
    "settlement_posting": "its entry, which balances and stands on its day, and its claim or payment",
    "contracts_cpvcode": "a published list of names",
    "settlement_webhookrefusal": "a count of messages that were not taken",
}
# Columns that move for many rows at once, with a proof of their own: the state of what is claimed and booked.
LEFT_OUT = {
    "settlement_claim": ("status", "status_at"),
    "settlement_statementline": ("status", "status_at"),
}
_LOCK = 7466924
_STANDING = """
SELECT c.relname, t.tgargs FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE t.tgname = 'office_sealed_insert' AND t.tgenabled <> 'D'
"""
_COLUMNS = """
SELECT c.relname, string_agg(a.attname, ',' ORDER BY a.attname)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY(%s) AND a.attnum > 0 AND NOT a.attisdropped GROUP BY 1
"""
_TRIGGERS = {
    "insert": "REFERENCING NEW TABLE AS written",
    "update": "REFERENCING OLD TABLE AS replaced NEW TABLE AS written",
    "delete": "REFERENCING OLD TABLE AS replaced",
}


def sealed_tables() -> list[str]:
    """Tables whose rows are sealed, in a fixed order; earlier versions of facts decide as facts do."""
    models = (model for name in SEALED_APPS for model in apps.get_app_config(name).get_models())
    tables = {model._meta.db_table for model in models} - set(UNSEALED)
    return sorted(tables | {"office_earlierversion"})


def left_out(table: str) -> str:
    """Columns of a table that its seals do not cover, as the database keeps them."""
    return ",".join(LEFT_OUT.get(table, ()))


def apply_seals(*, using: str = "default", **_: Any) -> None:
    """Seal what is not sealed yet, or was with other columns; used by the post_migrate signal, as the owner."""
    if settings.DB_ROLE != "owner":
        return
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT to_regproc('office_seal_rows') IS NOT NULL")
        if not cursor.fetchone()[0]:
            return
        cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        try:
            for table, columns, added in list(_unsealed(cursor)):
                with transaction.atomic(using=using):
                    broken = [] if added is None else _broken(cursor, table, [*LEFT_OUT.get(table, ()), *added])
                    _seal(cursor, table, columns)
                    _leave_broken(cursor, table, broken)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def _unsealed(cursor: Any) -> Iterator[tuple[str, str, list[str] | None]]:
    """Table, its columns, and those that came since it was sealed; None when it never was, or has lost one."""
    cursor.execute(_STANDING)
    standing = {table: bytes(arguments).decode() for table, arguments in cursor.fetchall()}
    cursor.execute(_COLUMNS, [sealed_tables()])
    for table, columns in sorted(cursor.fetchall()):
        said = standing.get(table, "")
        if said != f"{left_out(table)}\0{columns}\0":
            before = set(said.split("\0")[1].split(",")) if said else {""}
            now = set(columns.split(","))
            yield table, columns, sorted(now - before) if before <= now else None


def _broken(cursor: Any, table: str, besides: list[str]) -> list[int]:
    cursor.execute("SELECT row_id FROM office_broken_seals(%s, %s, 1000000)", [table, ",".join(besides)])
    return [row for (row,) in cursor.fetchall()]


def _leave_broken(cursor: Any, table: str, rows: list[int]) -> None:
    """What was changed behind the triggers is not made right by an update of the program."""
    cursor.execute(
        "INSERT INTO office_rowseal (table_name, row_id, seal) SELECT %s, row_id, '' FROM unnest(%s::bigint[]) row_id "
        "ON CONFLICT (table_name, row_id) DO UPDATE SET seal = ''",
        [table, rows],
    )


def _seal(cursor: Any, table: str, columns: str) -> None:
    for event, tables in _TRIGGERS.items():
        cursor.execute(f'DROP TRIGGER IF EXISTS office_sealed_{event} ON "{table}"')
        cursor.execute(
            f'CREATE TRIGGER office_sealed_{event} AFTER {event} ON "{table}" {tables} FOR EACH STATEMENT '
            f"EXECUTE FUNCTION office_seal_rows('{left_out(table)}', '{columns}')"
        )
    cursor.execute("SELECT office_seal_table(%s, %s)", [table, left_out(table)])


def broken_seals(limit: int) -> list[tuple[str, str, str]]:
    """Rows that are not as they were sealed, at most ``limit``: (table and row, expected, found)."""
    found: list[tuple[str, str, str]] = []
    with connection.cursor() as cursor:
        cursor.execute(_STANDING)
        standing = {table for table, _arguments in cursor.fetchall()}
        for table in sealed_tables():
            if table not in standing:
                found.append((table, "a table whose rows are sealed", "no trigger that seals them"))
                continue
            cursor.execute("SELECT * FROM office_broken_seals(%s, %s, %s)", [table, left_out(table), limit])
            found += [(f"{table} {row} {name}".rstrip(), was, now) for row, name, was, now in cursor.fetchall()]
            if len(found) >= limit:
                break
    return found[:limit]
