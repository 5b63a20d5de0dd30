"""Job rows are the truth: written with the change, run once per lease, swept when lost."""

from __future__ import annotations

from datetime import timedelta
from unittest.mock import patch

import pytest
from django.db import transaction
from django.utils import timezone

from config.office import jobs
from config.office.models import Job


@pytest.fixture(autouse=True)
def _silent_bell() -> object:
    with patch("config.office.jobs.ring") as ring:
        yield ring


def _enqueue(key: str) -> Job:
    with transaction.atomic():
        return jobs.enqueue("test.kind", key=key, number=7)


@pytest.mark.django_db(transaction=True)
def test_the_same_key_is_one_job_and_one_bell(_silent_bell: object) -> None:
    first, second = _enqueue("a"), _enqueue("a")
    assert first.pk == second.pk
    assert _silent_bell.call_count == 1  # type: ignore[attr-defined]


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_change_leaves_no_job(_silent_bell: object) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        jobs.enqueue("test.kind", key="b")
        raise ZeroDivisionError
    assert not Job.objects.exists()
    assert _silent_bell.call_count == 0  # type: ignore[attr-defined]


@pytest.mark.django_db
def test_a_job_is_taken_once_until_its_lease_ends() -> None:
    row = _enqueue("c")
    assert jobs.take(row.pk) is not None
    assert jobs.take(row.pk) is None
    Job.objects.filter(pk=row.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert jobs.take(row.pk) is not None


@pytest.mark.django_db
def test_a_failing_job_waits_and_finally_fails() -> None:
    calls = []

    def handler(row: Job) -> None:
        calls.append(row.attempts)
        raise RuntimeError("no bank today")

    with patch.dict(jobs._handlers, {"test.kind": handler}):
        row = _enqueue("d")
        for _ in range(row.max_attempts):
            jobs.run_job(row.pk)
    row.refresh_from_db()
    assert calls == [1, 2, 3, 4, 5]
    assert (row.state, row.error) == (Job.State.FAILED, "RuntimeError('no bank today')")


@pytest.mark.django_db
def test_the_sweep_rings_for_a_worker_that_died(_silent_bell: object) -> None:
    row = _enqueue("e")
    jobs.take(row.pk)
    assert jobs.sweep() == []
    Job.objects.filter(pk=row.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert jobs.sweep() == [row.pk]


@pytest.mark.django_db
def test_the_only_worker_takes_up_what_its_dead_predecessor_had() -> None:
    row = _enqueue("f")
    jobs.take(row.pk)
    assert jobs.release_leases() == 1
    assert jobs.take(row.pk) is not None
