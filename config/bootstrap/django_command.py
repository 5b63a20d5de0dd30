"""Every other command: Django's, with the embedded database around it."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

from config.bootstrap import embedded, messages, schema
from config.bootstrap.layout import current_layout

# Answered without a database.
WITHOUT_DATABASE = {"", "help", "--help", "-h", "version", "--version", "compilemessages", "makemessages"}
# These change the schema themselves, or need it as it is.
WITHOUT_MIGRATIONS = {
    "migrate",
    "makemigrations",
    "showmigrations",
    "sqlmigrate",
    "test",
    "dbshell",
    "flush",
    "check",
}


def _run_django(argv: list[str]) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(argv)


def _needs_no_database(argv: list[str]) -> bool:
    command = argv[1] if len(argv) > 1 else ""
    return command in WITHOUT_DATABASE or "--help" in argv or "-h" in argv


def _end_on_signal() -> None:
    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    # Killed politely, a command still leaves the server as it found it.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)


def _run_embedded(argv: list[str]) -> None:
    attachment = embedded.attach()
    try:
        attachment.apply()
        if argv[1] not in WITHOUT_MIGRATIONS:
            schema.ensure_applied(attachment)
            messages.ensure_compiled()
        _run_django(argv)
    finally:
        _close_connections()
        attachment.release()


def _close_connections() -> None:
    if "django.db" in sys.modules:
        from django.db import connections

        connections.close_all()


def run(argv: list[str]) -> int:
    """Run a Django command; Django itself reports mistakes and chooses the exit code."""
    if _needs_no_database(argv):
        _run_django(argv)
    elif os.environ.get("DATABASE_URL"):
        for name, value in embedded.external_environment(current_layout()).items():
            os.environ.setdefault(name, value)
        _run_django(argv)
    else:
        _end_on_signal()
        _run_embedded(argv)
    return 0
