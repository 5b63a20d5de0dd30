"""One job rung for two workers: it is done once; a worker that lost its job no longer speaks for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection, transaction
from django.utils import timezone

from config.audit.actors import SYSTEM
from config.audit.models import AuditEvent
from config.office import jobs
from config.office.models import Job
from settlement import run_jobs
from settlement.actions.run_orders import ADJUDICATE, order_adjudication
from settlement.models import Adjudication, AdjudicationRun, Entry
from tests.concurrency.test_payments_race import at_once
from tests.settlement.actions.month import NOVEMBER, free_visits, imported

pytestmark = pytest.mark.django_db(transaction=True)
KIND = "test.race"


@pytest.fixture(autouse=True)
def _silent_bell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "ring", lambda job_id: None)


@pytest.fixture
def waiting() -> Job:
    """A job that waits."""
    with transaction.atomic():
        return jobs.enqueue(KIND, key="1")


def handled(handler: Callable[[Job], None]) -> AbstractContextManager[Any]:
    """The kind of the test in these hands."""
    return patch.dict(jobs._handlers, {KIND: handler})


def lose_lease(row: Job) -> None:
    """As if its worker had been silent for too long."""
    Job.objects.filter(pk=row.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_without_the_conditional_update_both_workers_do_it(waiting: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """The harm: each read the job as waiting before either had written."""
    both, done = threading.Barrier(2), []

    def look_then_write(job_id: int) -> Job | None:
        row = Job.objects.get(pk=job_id)
        both.wait(timeout=20)
        if row.state != Job.State.WAITING:
            return None
        Job.objects.filter(pk=job_id).update(state=Job.State.RUNNING)
        return row

    monkeypatch.setattr(jobs, "take", look_then_write)
    with handled(lambda row: done.append(row.pk)):
        at_once(lambda: jobs.run_job(waiting.pk), times=2)
    assert done == [waiting.pk, waiting.pk]


def test_one_of_many_workers_does_it(waiting: Job) -> None:
    done: list[int] = []
    with handled(lambda row: done.append(row.pk)):
        at_once(lambda: jobs.run_job(waiting.pk), times=8)
    assert done == [waiting.pk]
    waiting.refresh_from_db()
    assert (waiting.state, waiting.attempts) == (Job.State.DONE, 1)


class Slow:
    """A worker that holds a job until it is let go, while another worker does it."""

    def __init__(self, end: Callable[[Job], None]) -> None:
        self.end, self.holding, self.let_go = end, threading.Event(), threading.Event()

    def __call__(self, row: Job) -> None:
        if row.attempts == 1:
            self.holding.set()
            self.let_go.wait(20)
            self.end(row)

    def overtaken(self, row: Job, meanwhile: Callable[[], object]) -> Job:
        """Take the job, lose it, see what happens meanwhile, then end; the job afterwards."""
        with handled(self):
            thread = threading.Thread(target=self._work, args=(row.pk,))
            thread.start()
            assert self.holding.wait(20)
            lose_lease(row)
            meanwhile()
            self.let_go.set()
            thread.join(20)
        row.refresh_from_db()
        return row

    def _work(self, job_id: int) -> None:
        try:
            jobs.run_job(job_id)
        finally:
            connection.close()


def fail(row: Job) -> None:
    """The end of a worker that was cut off."""
    raise ConnectionError("cut off")


def test_late_failure_does_not_undo_what_another_worker_did(waiting: Job) -> None:
    row = Slow(fail).overtaken(waiting, lambda: jobs.run_job(waiting.pk))
    assert (row.state, row.attempts, row.error) == (Job.State.DONE, 2, "")


def test_late_progress_is_not_shown_for_a_finished_job(waiting: Job) -> None:
    late = Slow(lambda row: jobs.report_progress(row, 40, "late"))
    row = late.overtaken(waiting, lambda: jobs.run_job(waiting.pk))
    assert (row.state, row.progress, row.progress_text, row.lease_until) == (Job.State.DONE, 100, "", None)


def test_late_success_does_not_end_what_another_worker_is_doing(waiting: Job) -> None:
    row = Slow(lambda row: None).overtaken(waiting, lambda: jobs.take(waiting.pk))
    assert (row.state, row.attempts) == (Job.State.RUNNING, 2)


def test_a_month_ordered_once_and_worked_twice_is_one_run(tmp_path: Path, at: datetime) -> None:
    """The lease was too short for the month: both workers judge it to the end, one finds nothing left."""
    office = imported(free_visits(), tmp_path)
    row = order_adjudication(organisation=office, period=NOVEMBER, as_of=at.date(), actor=SYSTEM, at=at)
    assert row.kind == ADJUDICATE
    at_once(lambda: run_jobs.adjudicate(row), times=3)
    assert AdjudicationRun.objects.count() == 1
    assert Adjudication.objects.count() == 2 and Entry.objects.count() == 1
    assert AuditEvent.objects.filter(action="claims.adjudicated").count() == 1


def test_an_order_given_twice_at_once_is_one_job(tmp_path: Path, at: datetime) -> None:
    office = imported(free_visits(), tmp_path)
    order: dict[str, Any] = {"organisation": office, "period": NOVEMBER, "as_of": at.date(), "actor": SYSTEM, "at": at}
    rows = at_once(lambda: order_adjudication(**order), times=3)
    assert {row.pk for row in rows} == {Job.objects.get(kind=ADJUDICATE).pk}
    jobs.run_job(rows[0].pk)
    assert AdjudicationRun.objects.count() == 1
