"""`up` killed with SIGKILL in the middle of an adjudication and of redemptions: nothing is lost, nothing doubled.

One installation is killed twice. The first time only `up` dies, the second time every process at once, the database
server too, as when the power goes. Both times a worker has written a whole run but not committed it, one redemption
is inside its transaction, one is committed but its answer unread, and others are on their way.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psycopg
import pytest

from config.bootstrap import embedded
from config.bootstrap.cluster import url
from config.bootstrap.layout import CHECKOUT
from tests.config.bootstrap.conftest import clean_environment
from tests.config.bootstrap.test_up import RunningUp
from tests.flows.browserless import Client
from tests.flows.door import AUTHORISE, Door, Request, doors_of, working
from tests.flows.killed_town import LINES, NOW, TWIN

SECONDS = 300.0  # generous: a busy machine is no fault
READY = r"(http://127\.0\.0\.1:\d+)/\s+\(ready"
SEED = "from tests.flows.killed_town import build; build()"
# Of a claim and of a certificate: rows may point at them, but nobody else may take them.
HOLD = (
    "SELECT 1 FROM settlement_claim WHERE status = 'submitted' ORDER BY id LIMIT 1 FOR NO KEY UPDATE",
    "SELECT 1 FROM vouchers_certificate WHERE id = %s FOR NO KEY UPDATE",
)
WAITS = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE %s"


def soon(condition: Callable[[], Any], what: str) -> Any:
    """What the condition gives as soon as it gives something."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited in vain: {what}")


# --- The installation ----------------------------------------------------------------------------


@dataclass
class Installation:
    """A data folder of its own, and who works with it."""

    folder: Path
    certificates: list[dict[str, Any]] = field(default_factory=list)
    doors: list[Door] = field(default_factory=list)
    running: RunningUp | None = None
    repeated: dict[str, int] = field(default_factory=dict)
    connections: list[HTTPConnection] = field(default_factory=list)
    commands: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Of its database."""
        return url(embedded.find_cluster(self.folder))

    def command(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start a command of the installation."""
        process = subprocess.Popen(
            [sys.executable, str(CHECKOUT / "manage.py"), *arguments],
            env=clean_environment(EMBEDDED_DATA_DIR=str(self.folder), **environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.commands.append(process)
        return process

    def ask(self, query: str, *values: object, database: str = "") -> list[tuple[Any, ...]]:
        """Rows of a query made from outside."""
        address = self.address.replace("///servisy?", f"///{database}?") if database else self.address
        with psycopg.connect(address) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def end(self) -> None:
        """Stop politely whatever still runs: the last one stops the database server."""
        for connection in self.connections:
            connection.close()
        for process in self.commands:
            if process.poll() is None:
                process.terminate()
                process.communicate(timeout=SECONDS)
        if self.running and self.running.process.poll() is None:
            self.running.end(signal.SIGTERM)

    def all_requests(self) -> list[Request]:
        """Everything ever asked for at the doors."""
        return [request for door in self.doors for request in door.requests]


def output_of(process: subprocess.Popen[str]) -> str:
    """What a command printed; it must have gone well."""
    output, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, output
    return output


def seed(installation: Installation) -> None:
    """Make the data of a new installation; everything is stopped again."""
    output = output_of(installation.command("shell", "-c", SEED))
    installation.certificates = json.loads(output.splitlines()[-1])


# --- One life, and its end -----------------------------------------------------------------------


def take_hold(installation: Installation, certificate: int) -> psycopg.Connection[Any]:
    """Stop an adjudication before its commit, and a redemption inside its transaction; as soon as there is a server."""

    connection: psycopg.Connection[Any] = soon(lambda: connected(installation), "a database server")
    connection.execute(HOLD[0])
    connection.execute(HOLD[1], [certificate])
    return connection


def connected(installation: Installation) -> psycopg.Connection[Any] | None:
    """A connection, or None while no server answers."""
    with contextlib.suppress(psycopg.OperationalError):
        return psycopg.connect(installation.address)
    return None


def start(installation: Installation) -> None:
    """Start `up`; the people's sessions go on at its new address."""
    installation.running = RunningUp(installation.folder)


def answering(installation: Installation) -> str:
    """The address, once it answers."""
    assert installation.running is not None
    address = installation.running.wait_for(READY, SECONDS)[1]
    for door in installation.doors:
        door.client.address = address
    return address


def sign_in(installation: Installation, address: str) -> Client:
    """Nadiia at every door, and Halyna at her desk."""
    nadiia, halyna = Client(address), Client(address)
    nadiia.sign_in("nadiia")
    installation.doors = list(doors_of(nadiia, installation.certificates))
    halyna.sign_in("halyna")
    return halyna


def order_the_run(halyna: Client) -> None:
    """The button of the page of runs."""
    assert halyna.post("/settlement/runs/start/", period="2025-11").status == 302


def kill_in_the_middle(installation: Installation, kill: Callable[[int], None]) -> None:
    """Let everything be under way, then kill."""
    *busy, unread, waiting = installation.doors
    before = [door.answered() for door in busy]
    stopping = threading.Event()
    threads = working(busy, waiting, stopping)
    request = unread.next_request()
    installation.connections.append(unread.client.post_and_forget(AUTHORISE, **request.form))
    try:
        soon(lambda: installation.ask(WAITS, "%settlement_claim%"), "the run that waits before its commit")
        soon(lambda: installation.ask(WAITS, "%vouchers_certificate%"), "the redemption inside its transaction")
        soon(lambda: installation.ask(COMMITTED, request.key), "the redemption whose answer nobody reads")
        soon(lambda: all(d.answered() >= n + 3 for d, n in zip(busy, before, strict=True)), "some answers")
        assert installation.running is not None
        kill(installation.running.process.pid)
        installation.running.process.wait(20)
    finally:
        stopping.set()
        for thread in threads:
            thread.join(SECONDS)
    soon(lambda: server_is_gone(installation), "the end of the killed server")
    assert not any(thread.is_alive() for thread in threads)


def server_is_gone(installation: Installation) -> bool:
    """Whether the killed one's database server is down too: it must not be taken for the next one."""
    connection = connected(installation)
    if connection is not None:
        connection.close()
    return connection is None


COMMITTED = "SELECT 1 FROM office_idempotencykey WHERE key = %s AND answer ? 'redemption'"


def kill_up_alone(pid: int) -> None:
    """Only the process that the person started."""
    os.kill(pid, signal.SIGKILL)


def kill_everything(pid: int) -> None:
    """All that descends from `up`, the watcher and the database server too; the parents first."""
    for each in (pid, *descendants(pid)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)


def descendants(pid: int) -> list[int]:
    """Processes started by a process and by those, found by their parents' ids."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            name, _, rest = stat.read_text().rpartition(")")
            children.setdefault(int(rest.split()[1]), []).append(int(name.split()[0]))
    found = [pid]
    for each in found:
        found.extend(children.get(each, []))
    return found[1:]


# --- The story -----------------------------------------------------------------------------------

JOB = "SELECT state, attempts, progress, error FROM office_job WHERE kind = 'settlement.adjudicate'"


def play(installation: Installation) -> None:
    """Three lives of one installation; the last one finishes what the others began."""
    waiting = installation.certificates[-1]["id"]
    start(installation)
    halyna = sign_in(installation, answering(installation))
    with contextlib.closing(take_hold(installation, waiting)):
        order_the_run(halyna)
        kill_in_the_middle(installation, kill_up_alone)
    start(installation)
    with contextlib.closing(take_hold(installation, waiting)):
        answering(installation)
        kill_in_the_middle(installation, kill_everything)
    start(installation)
    answering(installation)
    undisturbed = installation.command(
        "settle", "--period", "2025-11", "--as-of", f"{NOW:%Y-%m-%d}", **twin_of(installation)
    )
    installation.repeated = {
        request.key: door.repeat(request) for door in installation.doors for request in door.requests
    }
    output_of(undisturbed)
    soon(lambda: installation.ask(JOB)[0][0] == "done", "the run that was ordered before the first kill")


def twin_of(installation: Installation) -> dict[str, str]:
    """The environment of a command on the copy."""
    return {"DATABASE_URL": installation.address.replace("///servisy?", f"///{TWIN}?")}


@pytest.fixture(scope="module")
def survivor() -> Iterator[Installation]:
    """The installation after two kills, running."""
    root = Path(tempfile.mkdtemp(prefix="kill-"))
    root.chmod(0o755)  # the user of the database server must get through
    installation = Installation(root / "d")
    try:
        seed(installation)
        play(installation)
        yield installation
    finally:
        installation.end()
        shutil.rmtree(root, ignore_errors=True)


# --- What must be true afterwards ----------------------------------------------------------------

# The month that was generated has visits at the door too; nobody recorded those.
AT_THE_DOOR = "channel = 'online' AND recorded_by_id IS NOT NULL"
REDEMPTIONS = f"""
SELECT r.id, r.status, r.units_milli, c.id, to_char(r.starts_at AT TIME ZONE 'Europe/Kyiv', 'YYYY-MM-DD"T"HH24:MI'),
    (SELECT COALESCE(sum(units_milli), 0)::int FROM vouchers_certificateentry e WHERE e.redemption_id = r.id)
FROM vouchers_redemption r JOIN vouchers_certificate c ON c.id = r.certificate_id
WHERE {AT_THE_DOOR}
"""


def test_every_answered_redemption_is_there(survivor: Installation) -> None:
    there = {row[0]: row for row in survivor.ask(REDEMPTIONS)}
    answered = [request for request in survivor.all_requests() if request.redemption is not None]
    assert len(answered) >= 12 and any(request.confirmed for request in answered)
    for request in answered:
        _, status, units, certificate, starts_at, moved = there[request.redemption]
        assert (certificate, starts_at) == (request.certificate, request.form["starts_at"])
        assert (units, moved) == (250, -250)
        assert status == "confirmed" or not request.confirmed


def test_no_redemption_is_there_twice(survivor: Installation) -> None:
    requests = survivor.all_requests()
    unanswered = [request for request in requests if request.redemption is None]
    assert len(unanswered) >= 4, "two inside their transaction, two unread"
    assert all(survivor.repeated[r.key] == r.redemption for r in requests if r.redemption is not None)
    assert len(set(survivor.repeated.values())) == len(requests)
    visits = [(row[3], row[4]) for row in survivor.ask(REDEMPTIONS)]
    assert sorted(visits) == sorted((r.certificate, r.form["starts_at"]) for r in requests)


def test_balances_are_what_is_left(survivor: Installation) -> None:
    left = dict(
        survivor.ask("""
        SELECT l.certificate_id, sum(e.units_milli)::int FROM vouchers_certificateline l
        JOIN vouchers_certificateentry e ON e.certificate_line_id = l.id GROUP BY 1
    """)
    )
    for door in survivor.doors:
        assert left[door.certificate["id"]] == 40_000 - 250 * len(door.requests) >= 0


def test_the_run_was_finished_by_itself(survivor: Installation) -> None:
    # Taken three times: by the two workers that were killed, and by the one that lived.
    assert survivor.ask(JOB) == [("done", 3, 100, "")]


def test_every_line_is_judged_once(survivor: Installation) -> None:
    counted = "SELECT count(*), count(DISTINCT claim_line_id), count(DISTINCT run_id) FROM settlement_adjudication"
    assert survivor.ask(counted) == [(LINES, LINES, 1)]


SAME = (
    "SELECT digest, lines, amount_claimed_minor, gross_minor, fee_minor, payable_minor FROM settlement_adjudicationrun",
    "SELECT claim_line_id, units_allowed, rate_allowed, gross, fee, payable, outcome FROM settlement_adjudication "
    "ORDER BY 1",
    "SELECT claim_line_id, check_code, severity, units, amount FROM settlement_finding ORDER BY 1, 2",
    "SELECT claim_id, amount_claimed, reductions, pended, gross, fee, payable FROM settlement_remittance ORDER BY 1",
    "SELECT id, status, run FROM settlement_claim ORDER BY 1",
    "SELECT budget_line_id, kind, count(*), sum(amount_minor) FROM contracts_budgetentry GROUP BY 1, 2 ORDER BY 1, 2",
    "SELECT a.code, sum(p.debit), sum(p.credit), count(*) FROM settlement_posting p "
    "JOIN settlement_account a ON a.id = p.account_id GROUP BY 1 ORDER BY 1",
)


@pytest.mark.parametrize("query", SAME, ids=lambda query: query.split(" FROM ")[1].split()[0])
def test_figures_are_those_of_an_undisturbed_run(survivor: Installation, query: str) -> None:
    found = survivor.ask(query)
    assert found and found == survivor.ask(query, database=TWIN)


def test_the_trail_tells_each_event_once(survivor: Installation) -> None:
    told = dict(survivor.ask("SELECT action, count(*) FROM audit_auditevent GROUP BY 1"))
    assert told["adjudication.ordered"] == told["claims.adjudicated"] == 1
    assert told["redemption.authorised"] == len(survivor.all_requests())
    confirmed = survivor.ask(f"SELECT count(*) FROM vouchers_redemption WHERE {AT_THE_DOOR} AND status = 'confirmed'")
    assert [(told["redemption.confirmed"],)] == confirmed


def test_trail_and_books_are_proved(survivor: Installation) -> None:
    proofs = [survivor.command(name) for name in ("verify_audit", "verify_books")]
    for proof in proofs:
        output_of(proof)
