"""The virtual environment of the checkout: made once, filled from the hashed lock, entered by exec."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from config.bootstrap import system_packages
from config.bootstrap.console import Refusal, say, tail
from config.bootstrap.layout import Layout
from config.bootstrap.locking import locked

LOCKS = {"runtime": "requirements.txt", "dev": "requirements-dev.txt"}
STAMP = "requirements.stamp"


def is_switched_off() -> bool:
    """BOOTSTRAP=off: use the Python that runs, install nothing (images built in another way)."""
    return os.environ.get("BOOTSTRAP", "").lower() in {"off", "0", "no"}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def wanted_stamp(layout: Layout, kind: str) -> dict[str, str]:
    """What the stamp holds after installing `kind`; the development lock contains the runtime one."""
    kinds = ("runtime", "dev") if kind == "dev" else ("runtime",)
    return {name: _digest(layout.checkout / LOCKS[name]) for name in kinds}


def read_stamp(layout: Layout) -> dict[str, str]:
    """The installed state; empty when unknown, so that an interrupted installation is repeated."""
    try:
        stamp = json.loads((layout.venv / STAMP).read_text())
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def is_ready(layout: Layout, kind: str) -> bool:
    """The environment runs and holds what the lock says."""
    stamp = read_stamp(layout)
    wanted = wanted_stamp(layout, kind)
    return os.access(layout.python, os.X_OK) and all(stamp.get(name) == digest for name, digest in wanted.items())


def _python_works(layout: Layout) -> bool:
    if not os.access(layout.python, os.X_OK):
        return False
    return subprocess.run([layout.python, "-c", "import pip"], capture_output=True).returncode == 0


def _make_venv(layout: Layout) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "venv", "--clear", str(layout.venv)]
    return subprocess.run(command, capture_output=True, text=True)


def _venv_packages() -> list[str]:
    return ["python3-venv", f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"]


def create_venv(layout: Layout) -> None:
    """Make the environment. Raises: Refusal naming the package when Python came without venv."""
    if _python_works(layout):
        return
    say(f"Creating the virtual environment {layout.venv}")
    has_venv = importlib.util.find_spec("ensurepip") is not None
    made = _make_venv(layout) if has_venv else None
    if (made is None or made.returncode) and system_packages.may_install():
        names = _venv_packages()
        # A Python that is not Debian's default has only the second of the two.
        if system_packages.apt_install(names) or system_packages.apt_install(names[:1]):
            made = _make_venv(layout)
    if made is None or made.returncode:
        reason = tail(made.stdout + made.stderr, 3) if made else "This Python has no ensurepip."
        raise Refusal(f"{reason}\nThe package python3-venv is needed: apt-get install python3-venv (as root).")


def _run_quietly(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True)


def install(layout: Layout, kind: str) -> None:
    """Install the lock, every file checked by its hash: with uv when there is one, else with pip."""
    lock = str(layout.checkout / LOCKS[kind])
    python = str(layout.python)
    uv = shutil.which("uv")
    # `uv pip install`, not `sync`: packages somebody added to a development environment stay.
    if (
        uv
        and not _run_quietly(
            [uv, "pip", "install", "-q", "--python", python, "--require-hashes", "-r", lock]
        ).returncode
    ):
        return
    pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-input"]
    done = _run_quietly([*pip, "--require-hashes", "-r", lock])
    if done.returncode:
        raise Refusal(f"{tail(done.stdout + done.stderr)}\nThe Python packages of {LOCKS[kind]} did not install.")


def _fill(layout: Layout, kind: str) -> None:
    if is_ready(layout, kind):
        return
    create_venv(layout)
    # An environment once used for development keeps its tools in step.
    kind = "dev" if "dev" in read_stamp(layout) else kind
    say(f"Installing Python packages from {LOCKS[kind]} (the first time takes a minute or two)")
    started = time.monotonic()
    (layout.venv / STAMP).unlink(missing_ok=True)
    install(layout, kind)
    (layout.venv / STAMP).write_text(json.dumps(wanted_stamp(layout, kind)))
    say(f"Python packages installed in {time.monotonic() - started:.0f} s")


def ensure(layout: Layout, kind: str) -> None:
    """Bring the environment to the lock; concurrent first runs wait for each other."""
    if not is_ready(layout, kind):
        try:
            with locked(layout.checkout / ".venv.lock", lambda: say("Waiting for another command that installs")):
                _fill(layout, kind)
        except PermissionError as error:
            raise Refusal(
                f"The environment in {layout.venv} is not complete and may not be changed: {error}"
            ) from error


def is_inside(layout: Layout) -> bool:
    """Whether this process already runs in the environment."""
    return Path(sys.prefix).resolve() == layout.venv.resolve()


def enter(layout: Layout, argv: list[str]) -> None:
    """Replace this process by the same command in the environment."""
    if not is_inside(layout):
        os.execv(layout.python, [str(layout.python), str(layout.checkout / "manage.py"), *argv[1:]])
