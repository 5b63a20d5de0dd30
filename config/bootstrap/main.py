"""The way of a command: packages, environment, then `up`, `check_all` or Django."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from config.bootstrap import environment, system_packages
from config.bootstrap.layout import STARTED_AT, current_layout

USAGE = """\
manage.py up [--port N] [--no-demo]   run the product (web, worker, database) in the foreground
manage.py check_all [PYTEST OPTIONS]  linters, types, migrations, translations and all tests
manage.py COMMAND                     any Django command; the embedded database starts when needed
"""


def _kind(command: str) -> str:
    return "dev" if command == "check_all" else "runtime"


def _ensure_packages(command: str, *, first_time: bool) -> None:
    # Ordinary commands look only once: looking costs more than many of them take.
    if command == "check_all":
        system_packages.ensure([*system_packages.RUNTIME, *system_packages.CHECKS])
    elif command == "up" or first_time:
        system_packages.ensure(system_packages.RUNTIME)


def prepare(argv: list[str]) -> None:
    """Everything outside the process; returns only inside the environment."""
    layout = current_layout()
    command = argv[1] if len(argv) > 1 else ""
    if environment.is_switched_off():
        return
    kind = _kind(command)
    first_time = not environment.is_ready(layout, kind)
    if not environment.is_inside(layout) or first_time:
        _ensure_packages(command, first_time=first_time)
    environment.ensure(layout, kind)
    environment.enter(layout, argv)


def _up(argv: list[str]) -> int:
    from config.bootstrap.up import up

    return up(argv[2:])


def _check_all(argv: list[str]) -> int:
    from config.bootstrap.checks import check_all

    return check_all(argv[2:])


def _django(argv: list[str]) -> int:
    from config.bootstrap.django_command import run

    if len(argv) == 1 or argv[1:] in (["help"], ["--help"], ["-h"]):
        print(USAGE, flush=True)
    return run(argv)


OWN: dict[str, Callable[[list[str]], int]] = {"up": _up, "check_all": _check_all}


def main(argv: list[str]) -> int:
    """Entry of manage.py; returns the exit code."""
    # Survives the change into the environment, so that `up` can tell the whole time.
    os.environ.setdefault(STARTED_AT, str(time.time()))
    try:
        prepare(argv)
        return OWN.get(argv[1] if len(argv) > 1 else "", _django)(argv)
    except KeyboardInterrupt:
        return 130
