"""`manage.py up`: the whole product in the foreground of one terminal."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from config.bootstrap import embedded, messages, processes, schema, undertaker
from config.bootstrap.console import Refusal, say
from config.bootstrap.layout import CHECKOUT, DEFAULT_PORT, STARTED_AT, Layout, current_layout
from config.bootstrap.locking import FileLock
from config.bootstrap.processes import Child

HOST = "127.0.0.1"
PORTS_TO_TRY = 50
WEB_SECONDS = 120.0
PREDECESSOR_SECONDS = 45.0


def parse(arguments: list[str]) -> argparse.Namespace:
    """Options of `up`."""
    parser = argparse.ArgumentParser(prog="manage.py up", description="Run the product in the foreground.")
    port = int(os.environ.get("PORT") or DEFAULT_PORT)
    parser.add_argument("--port", type=int, default=port, help=f"first port to try (PORT; {port})")
    parser.add_argument(
        "--demo",
        action=argparse.BooleanOptionalAction,
        default=not os.environ.get("DATABASE_URL"),
        help="load the demo into an empty database (by default only into the embedded one)",
    )
    parser.add_argument("--workers", type=int, default=2, help="web processes (2)")
    return parser.parse_args(arguments)


def listen(first_port: int) -> socket.socket:
    """A listening socket on the first free port from `first_port`; nobody can take it any more."""
    for port in range(first_port, first_port + PORTS_TO_TRY):
        sock = socket.socket(socket.AF_INET)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((HOST, port))
        except OSError:
            sock.close()
            continue
        sock.listen(128)
        if port != first_port:
            say(f"Port {first_port} is in use, taking {port}")
        return sock
    raise Refusal(f"No free port between {first_port} and {first_port + PORTS_TO_TRY - 1}: choose another with --port.")


# --- One `up` per data folder --------------------------------------------------------------------


def _predecessor(lock: FileLock) -> dict[str, object]:
    try:
        note = json.loads(lock.read_note())
    except ValueError:
        return {}
    return note if isinstance(note, dict) else {}


def _pid_of(note: dict[str, object]) -> int:
    pid = note.get("pid")
    alive = isinstance(pid, int) and processes.started_at(pid) == note.get("started")
    return int(str(pid)) if alive else 0


def _running_elsewhere(lock: FileLock) -> str:
    """Sentence about the `up` that holds the lock; blank when it has died and only its cleaning goes on."""
    note = _predecessor(lock)
    pid = _pid_of(note)
    if not pid:
        return ""
    return f"Already running: {note.get('address') or 'starting'} (process {pid}, data {lock.path.parent})"


def _wait_for_predecessor(lock: FileLock) -> None:
    say("An earlier run was killed; waiting until what it left behind has ended")
    deadline = time.monotonic() + PREDECESSOR_SECONDS
    while not lock.acquire(wait=False):
        if time.monotonic() > deadline:
            raise Refusal(f"Another process still holds {lock.path}.")
        time.sleep(0.2)


def _end_leftovers(lock: FileLock) -> None:
    """End the children of a predecessor whose watcher was killed too; told by pid and start time."""
    children = _predecessor(lock).get("children")
    known = children if isinstance(children, dict) else {}
    leaders = [int(pid) for pid, started in known.items() if processes.started_at(int(pid)) == started]
    if leaders:
        say(f"Ending {len(leaders)} processes left by an earlier run that was killed")
        processes.end_groups(leaders)


def take_place(lock: FileLock) -> bool:
    """Become the one `up` of the data folder; False, with a sentence, when another one runs."""
    if not lock.acquire(wait=False):
        time.sleep(0.2)  # it may not have written its note yet
        sentence = _running_elsewhere(lock)
        if sentence:
            say(sentence)
            return False
        _wait_for_predecessor(lock)
    _end_leftovers(lock)
    _write_note(lock, "", [])
    return True


def _write_note(lock: FileLock, address: str, children: list[Child]) -> None:
    known = {str(child.pid): processes.started_at(child.pid) for child in children}
    me = {"pid": os.getpid(), "started": processes.started_at(os.getpid())}
    lock.note(json.dumps({**me, "address": address, "children": known}))


# --- The processes -------------------------------------------------------------------------------


def web_command(fd: int, workers: int) -> list[str]:
    """gunicorn on a socket that is already open; the application is loaded once, then forked."""
    options = f"--workers {workers} --threads 4 --worker-class gthread --preload --timeout 120 --graceful-timeout 8"
    logs = ["--access-logfile", "-", "--log-level", "warning", "--no-control-socket"]
    line = ["--access-logformat", "%(s)s %(m)s %(U)s %(L)ss"]
    start = [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"fd://{fd}"]
    return [*start, *options.split(), *logs, *line]


def worker_command(layout: Layout) -> list[str]:
    """A Celery worker with the schedule in it; two processes, so a long job stops no short ones."""
    start = [sys.executable, *["-W", "ignore", "-m", "celery", "-A", "config.celery_app", "--quiet", "worker"]]
    options = "--beat --concurrency 2 --loglevel INFO --without-gossip --without-mingle --hostname worker@local"
    return [*start, *options.split(), "--schedule", str(layout.data_dir / "celerybeat-schedule")]


def _as_role(role: str) -> dict[str, str]:
    # The embedded installation has this one worker: jobs that another had when it died are free at once.
    return {"PYTHONUNBUFFERED": "1", **os.environ, "DB_ROLE": role, "ONLY_WORKER": "1"}


def start_children(layout: Layout, sock: socket.socket, workers: int) -> Iterator[Child]:
    """Web first: it answers while everything else starts."""
    fd = sock.fileno()
    web = web_command(fd, workers)
    yield processes.spawn("web", web, environment=_as_role("web"), folder=CHECKOUT, fds=[fd])
    worker = worker_command(layout)
    yield processes.spawn("worker", worker, environment=_as_role("worker"), folder=CHECKOUT)


def _answers(address: str) -> bool:
    try:
        urllib.request.urlopen(address, timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def wait_for_web(address: str, children: list[Child], stopping: threading.Event) -> None:
    """Wait for the first answer, unless a child ends or the person interrupts."""
    deadline = time.monotonic() + WEB_SECONDS
    while time.monotonic() < deadline and not stopping.is_set() and not ended(children):
        if _answers(address):
            return
        time.sleep(0.2)


def ended(children: list[Child]) -> list[Child]:
    """Children that ended by themselves."""
    return [child for child in children if child.process.poll() is not None]


# --- What is said and done once it runs ----------------------------------------------------------


def _told(steps: list[str]) -> dict[str, Any]:
    """What the steps of the demo print, one JSON object a line. A demo that cannot be told stops nothing."""
    try:
        lines = schema.run_steps("worker", steps).splitlines()
    except Refusal as refusal:
        return {"said": str(refusal).strip()}
    found: dict[str, Any] = {}
    for line in lines:
        with contextlib.suppress(ValueError):
            found.update(json.loads(line))
    return found


def demo() -> list[dict[str, str]]:
    """Ask for the demo on an empty database, and return its people."""
    told = _told(["ask_for_demo", "tell_accounts"])
    if told.get("said"):
        say(str(told["said"]))
    return [{str(key): str(value) for key, value in row.items()} for row in told.get("accounts", [])]


def as_table(rows: list[dict[str, str]]) -> str:
    """Rows in columns as wide as their content."""
    columns = list(rows[0]) if rows else []
    widths = {name: max([len(name), *(len(row.get(name, "")) for row in rows)]) for name in columns}
    lines = [{name: name for name in columns}, *rows]
    return "\n".join("  " + "  ".join(line.get(c, "").ljust(widths[c]) for c in columns).rstrip() for line in lines)


def greet(address: str, accounts: list[dict[str, str]]) -> None:
    """The address and who can sign in: the last thing before the logs."""
    seconds = time.time() - float(os.environ.pop(STARTED_AT, time.time()))
    print(f"\n  {address}   (ready after {seconds:.0f} s)\n", flush=True)
    if accounts:
        print(f"  Demo accounts:\n{as_table(accounts)}\n", flush=True)
    print("  Ctrl-C stops everything; the data stays.\n", flush=True)


# --- All together --------------------------------------------------------------------------------


@contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """An event set by Ctrl-C, SIGTERM or a closed terminal."""
    stopping = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        stopping.set()

    handlers = {n: signal.signal(n, ask) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield stopping
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _prepare_files() -> None:
    messages.ensure_compiled()
    schema.ensure_static()


def _attach_database(layout: Layout) -> embedded.Attachment | None:
    if os.environ.get("DATABASE_URL"):
        for name, value in embedded.external_environment(layout).items():
            os.environ.setdefault(name, value)
        say("Applying migrations to the database of DATABASE_URL")
        schema.run_steps("owner", ["migrate"])
        return None
    attachment = embedded.attach(layout)
    attachment.apply()
    return attachment


def _supervise(children: list[Child], stopping: threading.Event) -> int:
    while not stopping.wait(0.3):
        for child in ended(children):
            say(f"{child.name} ended with code {child.process.returncode}; stopping everything")
            return 1
    say("Stopping (unfinished jobs go on at the next start)")
    return 0


def _serve(layout: Layout, options: argparse.Namespace, lock: FileLock, watcher: undertaker.Undertaker) -> int:
    children: list[Child] = []
    with stop_signals() as stopping, contextlib.closing(listen(options.port)) as sock:
        address = f"http://{HOST}:{sock.getsockname()[1]}/"
        try:
            for child in start_children(layout, sock, options.workers):
                watcher.watch(child.pid)
                children.append(child)
                _write_note(lock, address, children)
            wait_for_web(address, children, stopping)
            if not stopping.is_set() and not ended(children):
                greet(address, demo() if options.demo else [])
            return _supervise(children, stopping)
        finally:
            processes.end_groups([child.pid for child in children])


def _with_database(layout: Layout, options: argparse.Namespace, lock: FileLock) -> int:
    attachment = _attach_database(layout)
    release = attachment.release if attachment else (lambda: None)
    watcher = undertaker.hire(release)
    try:
        if attachment:
            schema.ensure_applied(attachment)
        _prepare_files()
        return _serve(layout, options, lock, watcher)
    finally:
        release()
        watcher.dismiss()


def up(arguments: list[str]) -> int:
    """Run until stopped; 0 when stopped or already running, 1 when something failed."""
    options = parse(arguments)
    layout = current_layout()
    embedded.make_data_dir(layout)
    lock = FileLock(layout.up_lock)
    if not take_place(lock):
        return 0
    try:
        return _with_database(layout, options, lock)
    finally:
        lock.note("")
        lock.release()
