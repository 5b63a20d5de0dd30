"""Steps of the bootstrap that need Django: `python -m config.bootstrap.prepare STEP ...`, in a process of their own.

Several steps go into one process, because loading Django costs more than most of them.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import django
from django.conf import settings
from django.core.management import CommandError, call_command, get_commands
from django.db import connection

from config.bootstrap import fingerprints


def migrate() -> None:
    """Tables, roles and reference data; then the fingerprint of what was applied, kept in the database itself."""
    call_command("migrate", interactive=False, verbosity=0)
    if "load_reference" in get_commands():
        call_command("load_reference", verbosity=0)
    _remember(fingerprints.schema())


def _remember(digest: str) -> None:
    from psycopg import sql

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_database(), pg_has_role(datdba, 'USAGE') FROM pg_database "
            "WHERE datname = current_database()"
        )
        name, may_comment = cursor.fetchone()
        if may_comment:
            # COMMENT takes no bound parameters.
            statement = sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(digest))
            cursor.execute(statement.as_string(cursor.connection))


def collect_static() -> None:
    """Static files into STATIC_ROOT, with the fingerprint beside them."""
    call_command("collectstatic", interactive=False, verbosity=0)
    (Path(settings.STATIC_ROOT) / fingerprints.STAMP).write_text(fingerprints.static())


def _output_of(*command: str) -> str:
    output = StringIO()
    if command[0] in get_commands():
        call_command(*command, stdout=output)
    return output.getvalue().strip()


def _problem_of(step: Callable[[], str]) -> str:
    try:
        return step()
    except CommandError as error:
        return f"The demo was not asked for: {error}"


def ask_for_demo() -> None:
    """Enqueue the demo; the command leaves a database alone that is not empty."""
    print(json.dumps({"said": _problem_of(lambda: _output_of("load_demo", "--enqueue"))}))


def tell_accounts() -> None:
    """The people of the demo as JSON."""
    print(json.dumps({"accounts": json.loads(_output_of("demo_accounts", "--json") or "[]")}))


STEPS = {
    "migrate": migrate,
    "collect_static": collect_static,
    "ask_for_demo": ask_for_demo,
    "tell_accounts": tell_accounts,
}


def main(steps: list[str]) -> None:
    """Run the named steps in order."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    for step in steps:
        STEPS[step]()


if __name__ == "__main__":
    main(sys.argv[1:])
