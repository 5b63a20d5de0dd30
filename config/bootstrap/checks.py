"""`manage.py check_all`: linters, types, imports, migrations, translations, then pytest on its own server."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from config.bootstrap import embedded, messages
from config.bootstrap.console import say, tail
from config.bootstrap.layout import CHECKOUT, Layout
from config.bootstrap.processes import started_at

LINES_OF_A_FAILURE = 80


@dataclass(frozen=True)
class Check:
    """A program that must end with 0."""

    name: str
    command: list[str]


def _tool(name: str, *arguments: str) -> Check:
    return Check(name, [str(Path(sys.executable).parent / name), *arguments])


def _manage(*arguments: str) -> Check:
    return Check(arguments[0], [sys.executable, str(CHECKOUT / "manage.py"), *arguments])


def static_checks() -> list[Check]:
    """Everything before pytest."""
    return [
        _tool("ruff", "check", "."),
        _tool("mypy", "."),
        _tool("lint-imports"),
        _manage("makemigrations", "--check", "--dry-run"),
        _manage("check_translations"),
    ]


def _run(check: Check) -> tuple[Check, int, str, float]:
    started = time.monotonic()
    done = subprocess.run(check.command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return check, done.returncode, done.stdout, time.monotonic() - started


def run_static_checks(checks: list[Check]) -> list[str]:
    """Run two at a time and print what failed; returns the names of the failed ones."""
    failed = []
    with ThreadPoolExecutor(max_workers=2) as pool:
        for check, code, output, seconds in pool.map(_run, checks):
            say(f"{check.name}: {'ok' if code == 0 else 'FAILED'} ({seconds:.0f} s)")
            if code:
                failed.append(check.name)
                print(tail(output, LINES_OF_A_FAILURE), flush=True)
    return failed


# --- A server for this run only ------------------------------------------------------------------


def _throw_away_folder() -> Path:
    """A folder named after this process, so that two runs do not meet."""
    root = CHECKOUT / "var" / "check"
    return root / f"{os.getpid()}-{started_at(os.getpid())}"


def _remove_abandoned(root: Path) -> None:
    for folder in root.glob("*-*"):
        pid, _, started = folder.name.partition("-")
        if pid.isdigit() and started_at(int(pid)) != started:
            embedded.attach(Layout(CHECKOUT, folder), durable=False).discard()


@contextmanager
def throw_away_server() -> Iterator[embedded.Attachment]:
    """An empty server for the tests; removed with its data afterwards."""
    folder = _throw_away_folder()
    _remove_abandoned(folder.parent)
    attachment = embedded.attach(Layout(CHECKOUT, folder), durable=False)
    try:
        yield attachment
    finally:
        attachment.discard()


def _reference_folders() -> dict[str, str]:
    """Public standards and cases lying beside the checkout; tests that need them skip without."""
    shared = CHECKOUT.parent / "shared"
    found = {"STANDARDS_DIR": shared / "standards", "CASES_DIR": shared / "cases"}
    return {name: str(path) for name, path in found.items() if path.is_dir()}


def test_environment(attachment: embedded.Attachment) -> dict[str, str]:
    """The environment of the tests: what the throw-away installation gives, plus reference folders."""
    environment = {**_reference_folders(), **os.environ, **attachment.environment}
    environment.pop("EMBEDDED_DATA_DIR", None)
    environment.pop("DB_ROLE", None)
    return environment


def _pytest_arguments(arguments: list[str]) -> list[str]:
    chosen = any(argument.startswith("-n") or argument == "--numprocesses" for argument in arguments)
    # By file: a module that plays a month does so once, on one worker.
    return arguments if chosen else ["-n", "2", "--dist", "loadfile", *arguments]


def check_all(arguments: list[str]) -> int:
    """Run everything; pytest's own last line is the end. 0 only when all checks and all tests passed."""
    messages.ensure_compiled()
    with throw_away_server() as attachment:
        environment = test_environment(attachment)
        os.environ.update(environment)
        failed = run_static_checks(static_checks())
        if failed:
            say(f"Failed before the tests: {', '.join(failed)}")
        command = [sys.executable, "-m", "pytest", *_pytest_arguments(arguments)]
        code = subprocess.run(command, cwd=CHECKOUT, env=environment).returncode
    return code or (1 if failed else 0)
