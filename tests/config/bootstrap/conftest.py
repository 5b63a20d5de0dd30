"""Real servers in folders of their own; nothing of the surrounding run is inherited."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.bootstrap import embedded
from config.bootstrap.embedded import Attachment
from config.bootstrap.layout import CHECKOUT, Layout

SWITCHES = (
    "DATABASE_URL",
    "EMBEDDED_DATA_DIR",
    "SECRET_KEY",
    "FIELD_KEYS",
    "DB_ROLE",
    "REDIS_URL",
    "BOOTSTRAP",
)
FOLDERS = ("DATA_DIR", "MEDIA_ROOT", "STATIC_ROOT", "CERTIFICATE_KEY_FILE", "CELERY_FILESYSTEM_DIR", "PORT")


def clean_environment(**extra: str) -> dict[str, str]:
    """The environment of a person who has set nothing."""
    left_out = {*SWITCHES, *FOLDERS, "CELERY_BROKER_URL"}
    return {**{name: value for name, value in os.environ.items() if name not in left_out}, **extra}


def clear_switches(patch: pytest.MonkeyPatch) -> None:
    """Nothing of the surrounding run in this process."""
    for name in (*SWITCHES, *FOLDERS, "CELERY_BROKER_URL"):
        patch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests in this process see no switches either."""
    clear_switches(monkeypatch)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path that everybody may enter (pytest's own folders are closed, and long)."""
    path = Path(tempfile.mkdtemp(prefix="bt-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def installation() -> Iterator[Path]:
    """A new installation, made once and copied: making the first data takes seconds."""
    path = Path(tempfile.mkdtemp(prefix="bt-"))
    path.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        clear_switches(patch)
        embedded.attach(Layout(CHECKOUT, path / "d"), durable=False).release()
    yield path / "d"
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def data_dir(folder: Path, installation: Path) -> Path:
    """A copy of a new installation, with its owners and rights."""
    subprocess.run(["cp", "-a", str(installation), str(folder / "d")], check=True)
    return folder / "d"


@pytest.fixture
def attach(data_dir: Path) -> Iterator[Callable[..., Attachment]]:
    """Attach to the server of `data_dir`; everything is stopped and removed at the end."""
    made: list[Attachment] = []

    def now(*, durable: bool = False) -> Attachment:
        made.append(embedded.attach(Layout(CHECKOUT, data_dir), durable=durable))
        return made[-1]

    yield now
    for attachment in made:
        attachment.discard()


HOLDER = """
import sys
from pathlib import Path
from config.bootstrap import embedded
from config.bootstrap.layout import CHECKOUT, Layout
attachment = embedded.attach(Layout(CHECKOUT, Path(sys.argv[1])))
print("attached", flush=True)
sys.stdin.readline()
attachment.release()
"""


@pytest.fixture
def holder(data_dir: Path) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Another process that uses the server until it reads a line."""
    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(data_dir)],
            cwd=CHECKOUT,
            env=clean_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "attached\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
