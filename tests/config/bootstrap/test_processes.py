"""Groups end whole, and nothing outlives a killed parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from config.bootstrap import processes
from config.bootstrap.layout import CHECKOUT

STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""


def wait_until(condition: Callable[[], bool], seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def test_a_group_that_ignores_the_request_is_killed_with_its_children() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    grandchild = int(process.stdout.readline())
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    processes.end_groups([process.pid], grace=0.5)
    process.wait(5)
    assert wait_until(lambda: not processes.started_at(grandchild))
    assert bystander.poll() is None, "nothing else is touched"
    bystander.kill()
    bystander.wait()


PARENT = """
import subprocess, sys, time
from pathlib import Path
from config.bootstrap import undertaker
watcher = undertaker.hire(lambda: Path(sys.argv[1]).write_text("cleaned"))
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
watcher.watch(child.pid)
print(child.pid, flush=True)
sys.stdin.readline()
child.kill(); child.wait()
watcher.dismiss()
"""


def _parent(mark: Path) -> tuple[subprocess.Popen[str], int]:
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(mark)],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def test_children_of_a_killed_parent_are_ended(tmp_path: Path) -> None:
    parent, child = _parent(tmp_path / "mark")
    os.kill(parent.pid, signal.SIGKILL)
    parent.communicate()
    assert wait_until(lambda: not processes.started_at(child))
    assert wait_until((tmp_path / "mark").exists)


def test_a_parent_that_cleans_up_dismisses_the_watcher(tmp_path: Path) -> None:
    parent, _ = _parent(tmp_path / "mark")
    parent.communicate("\n", timeout=10)
    assert parent.returncode == 0
    assert not (tmp_path / "mark").exists()


def test_start_time_tells_one_process_from_a_later_one_of_the_same_number() -> None:
    first = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    told = processes.started_at(first.pid)
    assert told.isdigit()
    first.communicate(b"\n")
    assert processes.started_at(first.pid) != told
