"""The demo comes into an empty database only."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command

from config.accounts.models import Organisation, User
from config.office.models import Job

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("enqueued", [False, True])
def test_no_demo_beside_a_real_municipality(organisation: Organisation, enqueued: bool) -> None:
    before = User.objects.count()
    out = io.StringIO()
    try:
        call_command("load_demo", enqueue=enqueued, stdout=out)
    except CommandError as refusal:
        out.write(str(refusal))
    assert "no demo is loaded" in out.getvalue() or "демонстрацію до неї не завантажують" in out.getvalue()
    assert User.objects.count() == before
    assert not Job.objects.exists()
    assert list(Organisation.objects.all()) == [organisation]
