"""The bank file and the bank's answers, with the process killed in the middle: exactly one payment afterwards.

A process of its own stops at a point of its work, holding its transaction, and is killed there with SIGKILL; the worker
by its job, the web while a person uploads over HTTP. Then the same is done again, as the sweep and the person do.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from config.accounts.models import Organisation, User
from config.office.jobs import release_leases
from config.office.models import Attachment, Job
from config.office.storage import open_attachment
from settlement.actions.payments import mark_payments_sent
from settlement.gateways.pain001 import parse_pain001
from settlement.gateways.simulated_bank import answer_payment_file
from settlement.models import Claim, Match, Payment, PaymentRun, Posting, Statement, StatementLine
from tests.flows.test_faults_over_http import post, signed_in
from tests.settlement.actions.fee_town import work
from tests.settlement.actions.paid import bank_file, released_run
from tests.settlement.actions.payables import adjudicated, balances, owe, ready
from tests.settlement.actions.test_status_reports import report
from tests.settlement.gateways.orders import account

pytestmark = pytest.mark.django_db(transaction=True)
Cast = dict[str, User]
TOKEN = "t" * 32
TOTAL = 15_000

# Where the process stops: module and name of what it calls next. Nothing after it happens.
_PROCESS = """
import importlib, pathlib, sys, time, django
django.setup()
from settlement import tasks
module, name = sys.argv[2].rsplit(":")
mark = pathlib.Path(sys.argv[3])
def stop(*args, **kwargs):
    mark.with_suffix(".reached").touch()
    time.sleep(120)
setattr(importlib.import_module(module), name, stop)
if sys.argv[1] == "job":
    from config.office.jobs import run_job
    run_job(int(sys.argv[4]))
else:
    from wsgiref.simple_server import make_server
    from django.core.wsgi import get_wsgi_application
    server = make_server("127.0.0.1", 0, get_wsgi_application())
    mark.with_suffix(".starting").write_text(str(server.server_port))
    mark.with_suffix(".starting").rename(mark.with_suffix(".port"))
    server.serve_forever()
"""


@pytest.fixture
def run(organisation: Organisation, cast: Cast, at: datetime) -> PaymentRun:
    """Two providers are owed and paid by the bank file of a released run, which nobody has written yet."""
    organisation.iban, organisation.clock_offset = account(1), at - timezone.now()
    organisation.save()
    ready(at)
    owe(organisation, adjudicated(organisation, at, (1, 10_000), (2, 5_000)), at)
    return released_run(organisation, cast, at)


def started(kind: str, point: str, mark: Path, *more: object) -> subprocess.Popen[bytes]:
    """A process of the product on the test's database and folders."""
    values = connection.settings_dict
    environment = os.environ | {
        "DATABASE_URL": f"postgresql:///{values['NAME']}?host={values['HOST']}&user={values['USER']}",
        "DB_ROLE": "owner", "DJANGO_SETTINGS_MODULE": "config.settings", "FIELD_KEYS": settings.FIELD_KEYS,
        "SECRET_KEY": settings.SECRET_KEY, "MEDIA_ROOT": str(settings.MEDIA_ROOT),
    }  # fmt: skip
    command = [sys.executable, "-c", _PROCESS, kind, point, str(mark), *map(str, more)]
    return subprocess.Popen(command, env=environment, cwd=settings.BASE_DIR)


def killed(process: subprocess.Popen[bytes], mark: Path) -> None:
    """Wait until the process stands at its point, and kill it there."""
    wait_for(mark.with_suffix(".reached"), process)
    process.send_signal(signal.SIGKILL)
    assert process.wait(20) == -signal.SIGKILL


def wait_for(file: Path, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 90
    while not file.exists() and time.monotonic() < until and process.poll() is None:
        time.sleep(0.02)
    assert file.exists(), process.poll()


def until_alone() -> None:
    """The database notices that the killed process is gone, and takes its transaction back."""
    count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL"
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute(f"{count} AND pid <> pg_backend_pid() AND backend_type = 'client backend'")
            if cursor.fetchone() == (0,):
                return
        time.sleep(0.05)
    raise AssertionError("the transaction of the killed process is still open")


def upload(server: str, person: User, name: str, content: bytes) -> int:
    """A person in finance hands a file of the bank in."""
    cookies = f"{settings.SESSION_COOKIE_NAME}={signed_in(person)}; {settings.CSRF_COOKIE_NAME}={TOKEN}"
    head = f'--b\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\n{TOKEN}\r\n--b\r\n'
    head += f'Content-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: application/xml\r\n\r\n'
    body = head.encode() + content + b"\r\n--b--\r\n"
    address = f"{server}{reverse('settlement:statement_new')}"
    return post(address, body, Cookie=cookies, Content_Type="multipart/form-data; boundary=b")


def killed_while_uploading(point: str, mark: Path, person: User, content: bytes) -> None:
    process = started("web", point, mark)
    wait_for(mark.with_suffix(".port"), process)
    server = f"http://127.0.0.1:{mark.with_suffix('.port').read_text()}"
    answers: list[int] = []

    def ask() -> None:
        with suppress(OSError, HTTPException):
            answers.append(upload(server, person, "bank.xml", content))
        connection.close()

    asking = threading.Thread(target=ask)
    asking.start()
    killed(process, mark)
    asking.join(30)
    assert answers == [], "whoever uploaded got no answer"
    until_alone()


def written() -> list[str]:
    """References of the payments in the one file that there is."""
    (file,) = Attachment.objects.filter(kind="payment_file")
    with open_attachment(file) as content:
        return sorted(payment.end_to_end_id for payment in parse_pain001(content.read()).payments)


def sent_once(run: PaymentRun) -> None:
    """Each provider has one payment, its money has left the books once."""
    assert sorted(str(row.amount.amount) for row in Payment.objects.all()) == ["100.00", "50.00"]
    postings = Posting.objects.filter(entry__event="payment.sent")
    assert sum(row.credit for row in postings) == TOTAL
    assert balances(run.organisation)["clearing:bank"] == -TOTAL


@pytest.mark.parametrize(
    ("point", "kept"),
    [("settlement.actions.payments:record", 0), ("config.office.jobs:_held_by", 1)],
    ids=["between the file and its record", "between the record and the end of the job"],
)
def test_the_worker_is_killed_while_it_writes_the_bank_file(
    run: PaymentRun, cast: Cast, at: datetime, tmp_path: Path, point: str, kept: int
) -> None:
    job = Job.objects.get(kind="settlement.write_payment_file")
    killed(started("job", point, tmp_path / "mark", job.pk), tmp_path / "mark")
    until_alone()
    job.refresh_from_db()
    assert job.state == "running" and Attachment.objects.filter(kind="payment_file").count() == kept
    assert set(Payment.objects.values_list("status", flat=True)) == {"prepared"}
    release_leases()
    work("settlement.write_payment_file")
    job.refresh_from_db()
    assert job.state == "done"
    assert written() == sorted(Payment.objects.values_list("reference", flat=True))
    asked: dict[str, Any] = {"organisation": run.organisation, "run_id": run.pk, "actor": cast["ivan"].as_actor()}
    mark_payments_sent(at=at, **asked)
    mark_payments_sent(at=at, **asked)
    sent_once(run)


@pytest.mark.parametrize(
    "point", ["settlement.actions.status_reports:_apply", "settlement.actions.status_reports:record"]
)
def test_the_web_is_killed_while_it_reads_the_banks_answer(
    run: PaymentRun, cast: Cast, at: datetime, tmp_path: Path, live_server: Any, point: str
) -> None:
    bank_file(run, at)
    run.refresh_from_db()
    first, second = run.payments.order_by("reference")
    content = report(run, (first.reference, "ACSP"), (second.reference, "ACSP"))
    killed_while_uploading(point, tmp_path / "mark", cast["halyna"], content)
    assert set(Payment.objects.values_list("status", flat=True)) == {"prepared"}
    assert not Attachment.objects.filter(kind="status_report").exists()
    assert not Posting.objects.filter(entry__event="payment.sent").exists()
    assert [upload(live_server.url, cast["halyna"], "bank.xml", content) for _ in range(2)] == [302, 302]
    assert set(Payment.objects.values_list("status", flat=True)) == {"sent"}
    sent_once(run)


def as_notification(content: bytes) -> bytes:
    """The same entries as camt.054: a message of debits and credits instead of a statement."""
    changes: tuple[tuple[bytes, bytes], ...] = (
        (b"BkToCstmrStmt", b"BkToCstmrDbtCdtNtfctn"), (b"Stmt>", b"Ntfctn>"), (b"camt.053", b"camt.054"),
    )  # fmt: skip
    for old, new in changes:
        content = content.replace(old, new)
    return content


@pytest.mark.parametrize(
    "point", ["settlement.actions.reconciliation:settle_statement", "settlement.actions.reconciliation:record"]
)
@pytest.mark.parametrize("written_as", [bytes, as_notification], ids=["camt.053", "camt.054"])
def test_the_web_is_killed_while_it_reads_what_the_bank_has_booked(
    run: PaymentRun,
    cast: Cast,
    at: datetime,
    tmp_path: Path,
    live_server: Any,
    point: str,
    written_as: Callable[[bytes], bytes],
) -> None:
    content = written_as(answer_payment_file(bank_file(run, at), opening=Decimal("1000.00"), quiet=True))
    mark_payments_sent(organisation=run.organisation, run_id=run.pk, actor=cast["ivan"].as_actor(), at=at)
    killed_while_uploading(point, tmp_path / "mark", cast["halyna"], content)
    assert not Statement.objects.exists() and not StatementLine.objects.exists() and not Match.objects.exists()
    assert set(Payment.objects.values_list("status", flat=True)) == {"sent"}
    assert [upload(live_server.url, cast["halyna"], "bank.xml", content) for _ in range(2)] == [302, 302]
    assert Statement.objects.count() == 1 and Match.objects.count() == 2
    assert set(Payment.objects.values_list("status", flat=True)) == {"confirmed"}
    confirmed = Posting.objects.filter(entry__event="payment.confirmed")
    assert sum(row.credit for row in confirmed) == TOTAL
    assert balances(run.organisation)["clearing:bank"] == 0 and set(Claim.objects.values_list("status", flat=True)) == {
        "paid"
    }
