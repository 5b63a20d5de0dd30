"""Commands as processes of their own, with the rights of the worker role, on the database of the test."""

from __future__ import annotations

import os
import subprocess
import sys
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import connection


def environment() -> dict[str, str]:
    """The environment that leads a command to the database and the keys of the test."""
    database = connection.settings_dict
    query = {"host": database["HOST"], "port": database["PORT"], "user": database["USER"]}
    login = f"{quote(database['USER'])}:{quote(database['PASSWORD'])}@" if database["PASSWORD"] else ""
    url = f"postgresql://{login}/{database['NAME']}?{urlencode({k: v for k, v in query.items() if v})}"
    return os.environ | {
        "DATABASE_URL": url,
        "DB_ROLE": "worker",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "FIELD_KEYS": settings.FIELD_KEYS,
        "PYTHONPATH": str(settings.BASE_DIR),
    }


def start(*arguments: object) -> subprocess.Popen[str]:
    """Start a management command."""
    return subprocess.Popen(
        [sys.executable, "-m", "django", *map(str, arguments)],
        env=environment(),
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(*arguments: object) -> tuple[int, str, str]:
    """Exit code, output and errors of a management command."""
    process = start(*arguments)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err
