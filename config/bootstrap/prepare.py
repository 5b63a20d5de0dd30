"""What needs Django in the preparation: `python -m config.bootstrap.prepare [DIGEST]`, as the owner."""

from __future__ import annotations

import os
import sys

import django
from django.core.management import call_command, get_commands
from django.db import connection

REFERENCE_COMMAND = "load_reference"


def _remember(digest: str) -> None:
    from psycopg import sql

    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        name = cursor.fetchone()[0]
        # COMMENT takes no bound parameters.
        statement = sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(digest))
        cursor.execute(statement.as_string(cursor.connection))


def main(arguments: list[str]) -> None:
    """Migrate, load reference data, and write down the fingerprint of what was applied."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    if REFERENCE_COMMAND in get_commands():
        call_command(REFERENCE_COMMAND, verbosity=0)
    for digest in arguments:
        _remember(digest)


if __name__ == "__main__":
    main(sys.argv[1:])
