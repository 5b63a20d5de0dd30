"""Processes of `up`: each in a group of its own, logs with a prefix, ended by group, never by name."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

GRACE_SECONDS = 10.0


@dataclass
class Child:
    """A long-running process with a short name for its log lines."""

    name: str
    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        return self.process.pid


# Said every few seconds by a healthy worker, or true of every file broker.
UNINTERESTING = (("INFO", "office.sweep"), ("WARNING", "No hostname was supplied"))


def is_interesting(line: str) -> bool:
    """Whether a log line tells a person anything; a failing sweep does."""
    return bool(line.strip()) and not any(level in line and text in line for level, text in UNINTERESTING)


def _copy_lines(name: str, process: subprocess.Popen[bytes]) -> None:
    assert process.stdout is not None
    for raw in process.stdout:
        line = raw.decode(errors="replace").rstrip()
        with contextlib.suppress(BrokenPipeError, ValueError):
            if is_interesting(line):
                print(f"{name:<6} | {line}", file=sys.stdout, flush=True)


def spawn(
    name: str, command: list[str], *, environment: dict[str, str], folder: Path, fds: Iterable[int] = ()
) -> Child:
    """Start a process whose group Ctrl-C in the terminal does not reach, and show its output line by line."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        pass_fds=tuple(fds),
    )
    threading.Thread(target=_copy_lines, args=(name, process), daemon=True).start()
    return Child(name, process)


def started_at(pid: int) -> str:
    """Start time of a live process in clock ticks, which tells it from a later one of the same pid."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return ""
    return "" if fields[0] == "Z" else fields[19]


def group_is_alive(group: int) -> bool:
    """Whether a process of the group is left; zombies do not count."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, IndexError):
            fields = stat.read_text().rsplit(")", 1)[1].split()
            if fields[2] == str(group) and fields[0] != "Z":
                return True
    return False


def _signal(pid: int, number: int, *, group: bool) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        (os.killpg if group else os.kill)(pid, number)


def end_groups(leaders: list[int], *, grace: float = GRACE_SECONDS) -> None:
    """Ask the leaders to end, wait, then kill what is left of their groups. Unfinished jobs have leases."""
    for leader in leaders:
        _signal(leader, signal.SIGTERM, group=False)
    deadline = time.monotonic() + grace
    while time.monotonic() < deadline and any(group_is_alive(leader) for leader in leaders):
        time.sleep(0.1)
    for leader in leaders:
        if group_is_alive(leader):
            _signal(leader, signal.SIGKILL, group=True)
