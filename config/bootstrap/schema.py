"""Whether database and static files are what this checkout wants, and the steps that make them so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from config.bootstrap import fingerprints
from config.bootstrap.cluster import url
from config.bootstrap.console import Refusal, say, tail
from config.bootstrap.embedded import Attachment
from config.bootstrap.layout import CHECKOUT
from config.bootstrap.locking import locked


def applied_digest(attachment: Attachment) -> str:
    """The fingerprint kept in the database itself (its comment), so that it cannot outlive the data."""
    import psycopg

    statement = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"
    with psycopg.connect(url(attachment.cluster)) as connection:
        row = connection.execute(statement).fetchone()
    return str(row[0]) if row and row[0] else ""


def run_steps(role: str, steps: list[str]) -> str:
    """Run steps of `prepare` in one process with a database role; returns what they print. Raises: Refusal."""
    command = [sys.executable, "-m", "config.bootstrap.prepare", *steps]
    environment = {**os.environ, "DB_ROLE": role}
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise Refusal(f"{tail(done.stdout + done.stderr, 30)}\nPreparing failed ({', '.join(steps)}).")
    return done.stdout


def ensure_applied(attachment: Attachment) -> None:
    """Migrate and load the reference data when the fingerprint differs; commands that come together wait."""
    wanted = fingerprints.schema()
    if applied_digest(attachment) == wanted:
        return
    with locked(attachment.layout.data_dir / "schema.lock", lambda: say("Waiting for a command that migrates")):
        if applied_digest(attachment) != wanted:
            say("Applying migrations and reference data")
            run_steps("owner", ["migrate"])


def ensure_static() -> None:
    """Collect the static files when they changed."""
    stamp = Path(os.environ["STATIC_ROOT"]) / fingerprints.STAMP
    if not stamp.exists() or stamp.read_text() != fingerprints.static():
        say("Collecting static files")
        run_steps("owner", ["collect_static"])
