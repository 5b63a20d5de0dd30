"""Whether the database already has the tables, roles and reference data that this checkout wants."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from config.bootstrap.cluster import url
from config.bootstrap.console import Refusal, say, tail
from config.bootstrap.embedded import Attachment
from config.bootstrap.layout import CHECKOUT
from config.bootstrap.locking import locked

APPS = ("config", "contracts", "vouchers", "procurement", "settlement")
SINGLE_FILES = ("requirements.txt", "config/database_roles.py", "config/settings/__init__.py")


def _sources(checkout: Path) -> Iterator[Path]:
    for app in APPS:
        yield from (checkout / app).glob("**/migrations/*.py")
        yield from (checkout / app).glob("**/reference/**/*.csv")
    yield from (checkout / name for name in SINGLE_FILES)


def wanted_digest(checkout: Path = CHECKOUT) -> str:
    """Fingerprint of everything that shapes the database: migrations, roles, reference rows, versions."""
    digest = hashlib.sha256()
    for path in sorted(set(_sources(checkout))):
        if path.is_file():
            digest.update(f"{path.relative_to(checkout)}\0".encode() + path.read_bytes())
    return f"schema {digest.hexdigest()}"


def applied_digest(attachment: Attachment) -> str:
    """The fingerprint kept in the database itself (its comment), so that it cannot outlive the data."""
    import psycopg

    statement = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"
    with psycopg.connect(url(attachment.cluster)) as connection:
        row = connection.execute(statement).fetchone()
    return str(row[0]) if row and row[0] else ""


def run_owner_step(module: str, *arguments: str) -> None:
    """Run a step of the bootstrap that needs Django in a process of its own, as the owner of the tables."""
    environment = {**os.environ, "DB_ROLE": "owner"}
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise Refusal(f"{tail(done.stdout.decode(errors='replace'), 30)}\nThe database could not be prepared.")


def ensure_applied(attachment: Attachment) -> None:
    """Migrate and load the reference data when the fingerprint differs; commands that come together wait."""
    wanted = wanted_digest()
    if applied_digest(attachment) == wanted:
        return
    with locked(attachment.layout.data_dir / "schema.lock", lambda: say("Waiting for another command that migrates")):
        if applied_digest(attachment) != wanted:
            say("Applying migrations and reference data")
            run_owner_step("config.bootstrap.prepare", wanted)
