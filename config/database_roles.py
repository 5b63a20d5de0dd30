"""Database roles: owner (migrations), web, worker, readonly. Granted after every migrate, idempotent."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connections

from config.fields import AppendOnlyModel

ROLES = ("web", "worker", "readonly")
# Only functions of the owner write them.
KEPT_BY_TRIGGERS = ("audit_chainhead", "office_rowseal")


def append_only_tables() -> list[str]:
    """Tables whose rows web and worker may insert and read, nothing else."""
    return sorted(m._meta.db_table for m in apps.get_models() if issubclass(m, AppendOnlyModel))


def grant_statements(user: str, names: list[str] | None = None) -> list[str]:
    """SQL that creates the roles and gives each what it needs."""
    prefix = settings.DB_ROLE_PREFIX
    statements = []
    for role in ROLES:
        name = f"{prefix}{role}"
        statements.append(
            # Names of roles are constants behind the prefix of the settings.
            f"DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{name}') "  # noqa: S608
            f"THEN CREATE ROLE {name} NOLOGIN; END IF; END $$"
        )
        # An owner who was given the roles beforehand may not give them, not even to itself; nor need it. From 16 on
        # whoever creates a role is a member that may not take it, until it gives it to itself.
        statements.append(
            "DO $$ BEGIN IF NOT pg_has_role(current_user, "
            f"'{name}', CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END) "
            f'THEN GRANT {name} TO "{user}"; END IF; END $$'
        )
        statements.append(f"GRANT USAGE ON SCHEMA public TO {name}")
    statements.append(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {prefix}readonly")
    for role in ("web", "worker"):
        name = f"{prefix}{role}"
        statements += [
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}",
            f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {name}",
            f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {name}",
            f"GRANT TEMPORARY ON DATABASE current_database_placeholder TO {name}",
            *(f"REVOKE ALL ON {table} FROM {name}" for table in KEPT_BY_TRIGGERS),
            *(f"GRANT SELECT ON {table} TO {name}" for table in KEPT_BY_TRIGGERS),
        ]
        tables = append_only_tables() if names is None else names
        statements += [f'REVOKE UPDATE, DELETE, TRUNCATE ON "{table}" FROM {name}' for table in tables]
    return statements


def apply_grants(*, using: str = "default", **_: Any) -> None:
    """Run the grants as the owner; used by the post_migrate signal."""
    if settings.DB_ROLE != "owner":
        return
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT current_user, current_database(), to_regclass('office_rowseal') IS NOT NULL")
        user, database, ready = cursor.fetchone()
        if not ready:
            return
        existing = set(connections[using].introspection.table_names(cursor))
        tables = [table for table in append_only_tables() if table in existing]
        # Two test workers or commands may grant at once; concurrent GRANTs on one row fail without this lock.
        cursor.execute("SELECT pg_advisory_lock(7466923)")
        try:
            for statement in grant_statements(user, tables):
                cursor.execute(statement.replace("current_database_placeholder", f'"{database}"'))
        finally:
            cursor.execute("SELECT pg_advisory_unlock(7466923)")
