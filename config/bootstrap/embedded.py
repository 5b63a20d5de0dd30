"""The embedded installation: a server shared by all commands that need it, and the environment they get.

Each command holds a shared lock on `users.lock` while it works. The kernel drops it when the command dies,
however it dies, so the count of users is never stale. Starting and stopping happen under `server.lock`.
Who finds on leaving that nobody else holds `users.lock` stops the server, unless somebody else started it.
"""

from __future__ import annotations

import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from config.bootstrap import cluster as clusters
from config.bootstrap import keys, server_user
from config.bootstrap.cluster import Cluster
from config.bootstrap.console import Refusal, say
from config.bootstrap.layout import PRODUCT, Layout, current_layout
from config.bootstrap.locking import FileLock, locked

SERVICE_ROOT = Path("/var/lib")


def _installation_id(data_dir: Path) -> str:
    path = data_dir / "installation.id"
    if not path.exists():
        path.write_text(secrets.token_hex(6))
    return path.read_text().strip()


def service_folder(data_dir: Path) -> Path:
    """Home of the server when its user cannot read the data folder; named after the data."""
    return SERVICE_ROOT / f"{PRODUCT}-{_installation_id(data_dir)}"


def find_cluster(data_dir: Path) -> Cluster:
    """The cluster of a data folder, in it or, when the server's user cannot enter it, in a service folder."""
    usual = data_dir / "postgres"
    user = server_user.choose(usual)
    if usual.exists() or not user.is_other:
        return Cluster(data_dir, user)
    home = service_folder(data_dir)
    if not home.exists() and user.can_use(data_dir):
        return Cluster(data_dir, user)
    if not home.exists():
        home.mkdir(mode=0o755)
        say(f"The user {user.name}, who runs PostgreSQL, cannot enter {data_dir}: the database is in {home}")
    return Cluster(home, server_user.choose(home / "postgres"))


@dataclass
class Attachment:
    """A running server this process counts as a user of."""

    layout: Layout
    cluster: Cluster
    users: FileLock
    environment: dict[str, str]

    def apply(self) -> None:
        """Give Django its settings; what the person set in the environment stays."""
        for name, value in self.environment.items():
            os.environ.setdefault(name, value)

    def release(self) -> None:
        """Stop being a user, and stop the server when that was the last one and it is ours."""
        with locked(self.cluster.home / "server.lock") as control:
            alone = self.users.acquire(wait=False)
            if alone and control.read_note() == str(clusters.postmaster_pid(self.cluster)):
                clusters.stop(self.cluster)
            self.users.release()

    def discard(self) -> None:
        """Release, and throw the data away."""
        socket_dir = self.cluster.socket_dir()
        self.release()
        shutil.rmtree(socket_dir, ignore_errors=True)
        if self.cluster.home != self.layout.data_dir:
            shutil.rmtree(self.cluster.home, ignore_errors=True)
        shutil.rmtree(self.layout.data_dir, ignore_errors=True)


def make_data_dir(layout: Layout) -> None:
    """The data folder with what every command finds in it. Raises: Refusal when it may not be written."""
    try:
        for folder in (layout.data_dir / "static", layout.data_dir / "media", layout.broker_dir):
            folder.mkdir(parents=True, exist_ok=True)
        _installation_id(layout.data_dir)
        FileLock(layout.data_dir / "installation.lock").close()
    except OSError as error:
        raise Refusal(
            f"The data folder {layout.data_dir} cannot be used ({error}): choose EMBEDDED_DATA_DIR."
        ) from error


def _ensure_running(cluster: Cluster, control: FileLock, *, durable: bool) -> None:
    if clusters.is_answering(cluster):
        return
    new = cluster.data_version() is None
    if new:
        say(f"Creating the PostgreSQL data folder {cluster.data}")
    clusters.initialise(cluster, durable=durable)
    control.note(str(clusters.start(cluster, durable=durable)))


def file_environment(layout: Layout) -> dict[str, str]:
    """Settings about folders, the same with and without the embedded database."""
    data = layout.data_dir
    return {
        "DATA_DIR": str(data),
        "MEDIA_ROOT": str(data / "media"),
        "STATIC_ROOT": str(data / "static"),
        "CERTIFICATE_KEY_FILE": str(data / "certificate.pem"),
        "CELERY_FILESYSTEM_DIR": str(layout.broker_dir),
        **({} if os.environ.get("REDIS_URL") else {"CELERY_BROKER_URL": "filesystem://localhost"}),
    }


def external_environment(layout: Layout) -> dict[str, str]:
    """Settings when DATABASE_URL names a server: folders as usual; keys that nobody set are made."""
    make_data_dir(layout)
    with locked(layout.data_dir / "installation.lock"):
        return {**_key_environment(layout, data_exists=False), **file_environment(layout)}


def _key_environment(layout: Layout, *, data_exists: bool) -> dict[str, str]:
    data = layout.data_dir
    return {
        "SECRET_KEY": os.environ.get("SECRET_KEY") or keys.secret_key(data),
        "FIELD_KEYS": os.environ.get("FIELD_KEYS") or keys.field_keys(data, data_exists=data_exists),
    }


def attach(layout: Layout | None = None, *, durable: bool = True) -> Attachment:
    """Start or join the embedded server, with its database and keys. `release()` it when done."""
    layout = layout or current_layout()
    make_data_dir(layout)
    # Two first commands must agree on where the server lives and which keys are the ones.
    with locked(layout.data_dir / "installation.lock"):
        cluster = find_cluster(layout.data_dir)
        users = FileLock(cluster.home / "users.lock")
        with locked(cluster.home / "server.lock") as control:
            made = cluster.data_version() is not None
            key_environment = _key_environment(layout, data_exists=made)
            _ensure_running(cluster, control, durable=durable)
            clusters.create_database(cluster)
            users.acquire(shared=True)
    environment = {"DATABASE_URL": clusters.url(cluster), **key_environment, **file_environment(layout)}
    return Attachment(layout, cluster, users, environment)
