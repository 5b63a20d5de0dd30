"""A forked watcher that cleans up when `up` is killed in a way it cannot answer (SIGKILL, out of memory).

It reads a pipe that only `up` writes to. "done" means that `up` has cleaned up itself; an end without "done"
means that it died. Being forked, it keeps the locks of `up` until everything is down: a new start waits.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from config.bootstrap import processes


class Undertaker:
    """The watcher, seen from `up`."""

    def __init__(self, pid: int, pipe: int) -> None:
        self.pid = pid
        self.pipe = pipe

    def watch(self, leader: int) -> None:
        """Tell it of a process group to end."""
        os.write(self.pipe, f"{leader}\n".encode())

    def dismiss(self) -> None:
        """Everything is cleaned up already."""
        os.write(self.pipe, b"done\n")
        os.close(self.pipe)
        os.waitpid(self.pid, 0)


def hire(afterwards: Callable[[], None]) -> Undertaker:
    """Fork the watcher; `afterwards` runs in it, once the processes of a killed `up` are gone.

    Called before any thread is started: a fork copies only the calling one.
    """
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid:
        os.close(read_end)
        return Undertaker(pid, write_end)
    os.close(write_end)
    _watch(read_end, afterwards)
    os._exit(0)


def _go_quietly() -> None:
    # A session and outputs of its own: neither Ctrl-C nor a closed terminal may reach it.
    os.setsid()
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _watch(pipe: int, afterwards: Callable[[], None]) -> None:
    try:
        _go_quietly()
        with os.fdopen(pipe) as lines:
            messages = lines.read().split()
        if "done" not in messages:
            processes.end_groups([int(leader) for leader in messages])
            afterwards()
    finally:
        os._exit(0)
