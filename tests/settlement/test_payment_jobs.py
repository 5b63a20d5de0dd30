from __future__ import annotations

from datetime import datetime

import pytest

from config.accounts.models import Organisation, User
from config.office.jobs import run_job
from config.office.models import Attachment, Job
from settlement import tasks  # noqa: F401  (registers the handlers, as a worker does)
from tests.settlement.actions.paid import released_run
from tests.settlement.actions.payables import adjudicated, ready

pytestmark = pytest.mark.django_db(transaction=True)


def test_jobs_of_a_release_may_run_twice(organisation: Organisation, cast: dict[str, User], at: datetime) -> None:
    ready(at)
    adjudicated(organisation, at, (1, 100), (2, 200))
    released_run(organisation, cast, at)
    jobs = list(Job.objects.filter(kind__startswith="settlement.").order_by("kind"))
    for row in jobs:
        run_job(row.pk)
    assert set(Job.objects.filter(pk__in=[row.pk for row in jobs]).values_list("state", flat=True)) == {"done"}
    before = sorted(Attachment.objects.values_list("kind", "sha256"))
    assert [kind for kind, _ in before] == ["payment_file", "remittance_advice", "remittance_advice"]
    Job.objects.update(state="waiting", lease_until=None)
    for row in jobs:
        run_job(row.pk)
    assert sorted(Attachment.objects.values_list("kind", "sha256")) == before
