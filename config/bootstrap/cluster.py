"""One PostgreSQL cluster: made, started, reached, stopped. Who shares it is `embedded`'s business."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from config.bootstrap import binaries
from config.bootstrap.console import Refusal, say, tail
from config.bootstrap.layout import PRODUCT
from config.bootstrap.server_user import ServerUser

OWNER = f"{PRODUCT}_owner"
SOCKET_PATH_MAX = 100
START_SECONDS = 90.0
STOP_SECONDS = 30.0

# Quick for one machine, and still safe in a crash: fsync and synchronous_commit keep their defaults.
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "wal_compression": "on",
    "random_page_cost": "1.1",
    "max_connections": "60",
    "jit": "off",
    # A page reads little: starting helpers for it takes longer than reading. Sums over whole ledgers still get them.
    "parallel_setup_cost": "25000",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# For data that is thrown away after the run: a crash may eat it.
THROW_AWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
SMALL_SHARED_MEMORY = 256 * 1024 * 1024


@dataclass(frozen=True)
class Cluster:
    """Files of a cluster below `home`, all owned by the user who runs the server."""

    home: Path
    user: ServerUser

    @property
    def folder(self) -> Path:
        return self.home / "postgres"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    def data_version(self) -> int | None:
        """The PostgreSQL version that made the data; None when there is none."""
        try:
            return int((self.data / "PG_VERSION").read_text().strip())
        except (OSError, ValueError):
            return None

    def socket_dir(self) -> Path:
        """Folder of the socket: beside the data, or a short one when that path is too long for a socket."""
        usual = self.folder / "run"
        if len(str(usual)) + len("/.s.PGSQL.5432") < SOCKET_PATH_MAX and sockets_work_in(self.folder):
            return usual
        return Path("/tmp") / f"{PRODUCT}-{hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]}"

    def binaries(self) -> Path:
        """Folder of the programs, copied when the server's user cannot read the original."""
        found, version = binaries.choose(self.data_version())
        if self.user.can_use(found):
            return found
        return binaries.copy_installation(found, self.home / f"postgresql-{version}")


def sockets_work_in(folder: Path) -> bool:
    """Whether the file system takes unix sockets (shared folders of virtual machines often do not)."""
    probe = folder / f".s{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as sock:
        try:
            sock.bind(str(probe))
        except OSError:
            return False
    probe.unlink()
    return True


def initialise(cluster: Cluster, *, durable: bool = True) -> None:
    """Make the data folder. A half-made one (interrupted) is made anew."""
    if cluster.data_version() and (cluster.data / "global" / "pg_control").exists():
        return
    shutil.rmtree(cluster.data, ignore_errors=True)
    cluster.user.own(cluster.folder)
    unfinished = cluster.folder / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    cluster.user.own(unfinished)
    command = [str(cluster.binaries() / "initdb"), "-D", str(unfinished), "-U", OWNER, "--encoding=UTF8"]
    options = ["--locale=C.UTF-8", "--auth-local=trust", "--auth-host=reject", "--data-checksums"]
    options += [] if durable else ["--no-sync"]
    # trust: the socket's folder is closed to everybody but the server's user (and root).
    done = subprocess.run([*command, *options], capture_output=True, text=True, **cluster.user.popen_arguments())
    if done.returncode:
        raise Refusal(f"{tail(done.stdout + done.stderr)}\nPostgreSQL could not make its data folder {cluster.data}.")
    unfinished.rename(cluster.data)


def _own_socket_dir(cluster: Cluster, folder: Path) -> None:
    if folder.parent == Path("/tmp") and folder.exists() and folder.stat().st_uid != cluster.user.uid:
        raise Refusal(f"{folder} belongs to somebody else: choose a shorter EMBEDDED_DATA_DIR.")
    cluster.user.own(folder)


def _command(cluster: Cluster, *, durable: bool) -> list[str]:
    folder = cluster.socket_dir()
    _own_socket_dir(cluster, folder)
    settings = dict(SETTINGS, unix_socket_directories=f'"{folder}"')
    if not durable:
        settings |= THROW_AWAY
    if _small_shared_memory():
        settings["dynamic_shared_memory_type"] = "mmap"
    pairs = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return [str(cluster.binaries() / "postgres"), "-D", str(cluster.data), *pairs]


def _small_shared_memory() -> bool:
    # Containers give 64 MB, and a parallel query then fails for want of room.
    try:
        return shutil.disk_usage("/dev/shm").total < SMALL_SHARED_MEMORY
    except OSError:
        return True


def url(cluster: Cluster, database: str = PRODUCT) -> str:
    """Address of a database of the cluster, as Django's settings read it."""
    return f"postgresql:///{database}?host={quote(str(cluster.socket_dir()))}&user={OWNER}"


def is_answering(cluster: Cluster) -> bool:
    """Whether the server takes connections: asked by connecting, the only answer that counts."""
    import psycopg

    if not cluster.folder.exists() or not cluster.socket_dir().exists():
        return False
    try:
        psycopg.connect(url(cluster, "postgres"), connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def postmaster_pid(cluster: Cluster) -> int | None:
    """The process named in the data folder, when it is alive and really the server of this data."""
    try:
        pid = int((cluster.data / "postmaster.pid").read_text().split("\n", 1)[0])
        served = Path(os.readlink(f"/proc/{pid}/cwd"))
    except (OSError, ValueError):
        return None
    return pid if served == cluster.data.resolve() else None


def is_alive(cluster: Cluster) -> bool:
    """Whether any process of a server still works in the data folder, its orphaned backends included."""
    data = str(cluster.data.resolve())
    for link in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if os.readlink(link) == data:
                return True
    return False


def _remove_stale_files(cluster: Cluster) -> None:
    # After a kill or a restored container the numbers in these files may belong to another process, and the
    # server then refuses to start. Removed only when is_alive() said that nothing works on the data.
    (cluster.data / "postmaster.pid").unlink(missing_ok=True)
    for path in cluster.socket_dir().glob(".s.PGSQL.*"):
        path.unlink(missing_ok=True)


def start(cluster: Cluster, *, durable: bool = True) -> int:
    """Start the server and wait until it answers; its pid. Raises: Refusal with the end of its log."""
    deadline = time.monotonic() + START_SECONDS
    process: subprocess.Popen[bytes] | None = None
    while time.monotonic() < deadline:
        if is_answering(cluster):
            return postmaster_pid(cluster) or 0
        running = process is not None and process.poll() is None
        if not running and not is_alive(cluster):
            _remove_stale_files(cluster)
            process = _launch(cluster, durable=durable)
        time.sleep(0.05 if running else 0.2)
    raise Refusal(f"{tail(_read_log(cluster))}\nPostgreSQL did not start; its log is {cluster.log}.")


def _launch(cluster: Cluster, *, durable: bool) -> subprocess.Popen[bytes]:
    with open(cluster.log, "ab") as log:
        if cluster.user.is_other:
            os.chown(cluster.log, cluster.user.uid, cluster.user.gid)
        # A session of its own: Ctrl-C in the terminal must not reach the server.
        process = subprocess.Popen(
            _command(cluster, durable=durable),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            **cluster.user.popen_arguments(),
        )
    _CHILDREN.append(process)
    return process


# Kept, so that a stopped server started here leaves no zombie and an abandoned one no warning.
_CHILDREN: list[subprocess.Popen[bytes]] = []


def _read_log(cluster: Cluster) -> str:
    try:
        return cluster.log.read_text(errors="replace")
    except OSError:
        return ""


def stop(cluster: Cluster) -> None:
    """Stop the server (open connections are closed) and wait for it."""
    pid = postmaster_pid(cluster)
    if pid is None:
        return
    os.kill(pid, signal.SIGINT)
    deadline = time.monotonic() + STOP_SECONDS
    while postmaster_pid(cluster) == pid and time.monotonic() < deadline:
        for child in _CHILDREN:
            child.poll()
        time.sleep(0.02)
    if postmaster_pid(cluster) == pid:
        say(f"PostgreSQL (process {pid}) is still stopping; its log is {cluster.log}.")


def create_database(cluster: Cluster, name: str = PRODUCT) -> bool:
    """Make the database when absent; True when it was made now."""
    import psycopg
    from psycopg import sql

    with psycopg.connect(url(cluster, "postgres"), autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            return False
        statement = "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'"
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))
    return True
