"""Who runs the server: this user, or, because PostgreSQL refuses root, another one when this is root."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.bootstrap.console import Refusal


@dataclass(frozen=True)
class ServerUser:
    """The account of the server processes."""

    name: str
    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        return self.uid != os.geteuid()

    def popen_arguments(self) -> dict[str, Any]:
        """Arguments for subprocess that start a program as this user, in a folder everybody may enter."""
        # A Python started in a group of root must not pass that group on.
        dropped = {"user": self.uid, "group": self.gid, "extra_groups": []} if self.is_other else {}
        return {"cwd": "/", **dropped}

    def can_use(self, folder: Path) -> bool:
        """Whether the user may enter and read a folder: asked by doing it, so that every parent counts."""
        probe = ["/bin/sh", "-c", 'test -r "$1" && test -x "$1"', "sh", str(folder)]
        return subprocess.run(probe, **self.popen_arguments()).returncode == 0

    def own(self, folder: Path) -> None:
        """Make a folder that only this user (and root) can enter."""
        folder.mkdir(parents=True, exist_ok=True)
        if self.is_other:
            os.chown(folder, self.uid, self.gid)
        folder.chmod(0o700)


def _by_uid(uid: int, gid: int) -> ServerUser:
    try:
        return ServerUser(pwd.getpwuid(uid).pw_name, uid, gid)
    except KeyError:
        return ServerUser(str(uid), uid, gid)


def _unprivileged() -> ServerUser:
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return ServerUser(name, entry.pw_uid, entry.pw_gid)
    raise Refusal("PostgreSQL does not run as root, and there is no user postgres or nobody to run it.")


def choose(cluster: Path) -> ServerUser:
    """The owner of existing data, else this user, else (for root) postgres or nobody. Raises: Refusal."""
    me = os.geteuid()
    if cluster.exists():
        found = cluster.stat()
        owner = _by_uid(found.st_uid, found.st_gid)
        if me and owner.is_other:
            raise Refusal(f"The data in {cluster} belongs to {owner.name}: run this as root or as {owner.name}.")
        if owner.uid:
            return owner
    return _by_uid(me, os.getegid()) if me else _unprivileged()
