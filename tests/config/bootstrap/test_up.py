"""`up` as people use it: started, joined, killed, started again, stopped."""

from __future__ import annotations

import json
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.bootstrap import processes, up
from config.bootstrap.console import Refusal
from config.bootstrap.layout import CHECKOUT
from config.bootstrap.locking import FileLock
from tests.config.bootstrap.conftest import clean_environment

START_SECONDS = 600  # patience on a crowded machine; a process that ended is noticed at once


class RunningUp:
    """`manage.py up` in a process, with its output line by line."""

    def __init__(self, data_dir: Path) -> None:
        command = [sys.executable, str(CHECKOUT / "manage.py"), "up", "--no-demo", "--workers", "1", "--port", "18000"]
        self.process = subprocess.Popen(
            command,
            env=clean_environment(EMBEDDED_DATA_DIR=str(data_dir)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: queue.Queue[str] = queue.Queue()
        self.seen: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)

    def wait_for(self, pattern: str, seconds: float = START_SECONDS) -> re.Match[str]:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                self.seen.append(self.lines.get(timeout=0.2))
            except queue.Empty:
                if self.process.poll() is not None:
                    break
                continue
            if found := re.search(pattern, self.seen[-1]):
                return found
        raise AssertionError(f"{pattern} not seen in:\n{''.join(self.seen)}")

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(40)


@pytest.fixture
def start_up(data_dir: Path) -> Iterator[Callable[[], RunningUp]]:
    started: list[RunningUp] = []

    def start() -> RunningUp:
        started.append(RunningUp(data_dir))
        return started[-1]

    yield start
    for running in started:
        if running.process.poll() is None:
            running.end(signal.SIGTERM)


def children_of(data_dir: Path) -> list[int]:
    return [int(pid) for pid in json.loads((data_dir / "up.lock").read_text())["children"]]


def status(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_life_of_up(start_up: Callable[[], RunningUp], data_dir: Path) -> None:
    first = start_up()
    address = first.wait_for(r"(http://127\.0\.0\.1:\d+/)\s+\(ready")[1]
    assert status(address) < 500
    children = children_of(data_dir)
    assert all(processes.started_at(pid) for pid in children)
    assert len(children) == 2

    second = start_up()
    assert address in second.wait_for(r"Already running.*")[0]
    assert second.process.wait(10) == 0
    assert first.process.poll() is None

    first.end(signal.SIGKILL)
    third = start_up()  # at once, while the watcher of the first still cleans up
    address = third.wait_for(r"(http://127\.0\.0\.1:\d+/)\s+\(ready")[1]
    assert not any(processes.started_at(pid) for pid in children), "nothing is left of the killed one"
    assert status(address) < 500
    children = children_of(data_dir)

    assert third.end(signal.SIGINT) == 0
    assert not any(processes.group_is_alive(pid) for pid in children)
    assert not (data_dir / "postgres" / "data" / "postmaster.pid").exists()


def test_port_in_use_takes_the_next(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with up.listen(port) as sock:
            assert sock.getsockname()[1] > port
    assert f"Port {port} is in use" in capsys.readouterr().err


def test_no_free_port_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up, "PORTS_TO_TRY", 1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(Refusal, match="--port"):
            up.listen(taken.getsockname()[1])


def test_port_comes_from_the_environment_and_the_option_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "9100")
    assert up.parse([]).port == 9100
    assert up.parse(["--port", "9200"]).port == 9200


def test_a_database_of_ones_own_gets_no_demo_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert up.parse([]).demo
    assert not up.parse(["--no-demo"]).demo
    monkeypatch.setenv("DATABASE_URL", "postgresql://db.example/servisy")
    assert not up.parse([]).demo
    assert up.parse(["--demo"]).demo


def test_children_left_by_a_killed_run_are_ended(tmp_path: Path) -> None:
    left = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True)
    innocent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True)
    lock = FileLock(tmp_path / "up.lock")
    # The second number was given to another process since: the start time tells.
    lock.note(json.dumps({"children": {left.pid: processes.started_at(left.pid), innocent.pid: "1"}}))
    try:
        assert up.take_place(lock)
        assert left.wait(5) == -signal.SIGTERM
        assert innocent.poll() is None
    finally:
        innocent.communicate(b"\n")


def test_a_child_that_crashes_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    crashed = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
    crashed.wait()
    assert up._supervise([processes.Child("worker", crashed)], threading.Event()) == 1
    assert "worker ended with code 3" in capsys.readouterr().err


def test_only_telling_log_lines_are_shown() -> None:
    assert not processes.is_interesting("INFO celery Task office.sweep[1] succeeded")
    assert processes.is_interesting("ERROR celery Task office.sweep[1] raised unexpected")
    assert processes.is_interesting("INFO celery Task office.run_job[1] received")


def test_accounts_are_shown_in_columns() -> None:
    table = up.as_table([{"role": "auditor", "user": "mariia"}, {"role": "x", "user": "y"}])
    assert table.splitlines() == ["  role     user", "  auditor  mariia", "  x        y"]


def test_this_process_is_not_mistaken_for_a_running_one(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "up.lock")
    lock.note(json.dumps({"pid": os.getpid(), "started": "1", "address": "http://old/"}))
    assert up._running_elsewhere(lock) == ""
