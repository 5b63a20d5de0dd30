"""Locks between processes: the kernel frees them when their holder dies, so none is ever stale."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


class FileLock:
    """An advisory lock on a file. The file stays; a file removed by another holder would split the lock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def acquire(self, *, shared: bool = False, wait: bool = True) -> bool:
        """Take the lock; False when it is taken and `wait` is off."""
        mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(self.fd, mode if wait else mode | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        """Give the lock back, for forked copies of this process too."""
        fcntl.flock(self.fd, fcntl.LOCK_UN)

    def close(self) -> None:
        """Forget the file. A lock also held by a forked process stays held there."""
        os.close(self.fd)

    def note(self, text: str) -> None:
        """Write what the holder wants others to read."""
        os.ftruncate(self.fd, 0)
        os.pwrite(self.fd, text.encode(), 0)

    def read_note(self) -> str:
        """What the last holder wrote."""
        return os.pread(self.fd, 65536, 0).decode()


@contextmanager
def locked(path: Path, waiting: Callable[[], None] | None = None) -> Iterator[FileLock]:
    """Hold the lock for a block; `waiting` is called once when another process has it."""
    lock = FileLock(path)
    try:
        if not lock.acquire(wait=False):
            if waiting:
                waiting()
            lock.acquire()
        yield lock
    finally:
        lock.close()
