"""What the clock brings."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from config.accounts.models import Organisation
from config.office.models import Job
from tests.vouchers.actions.test_redemptions import authorise
from tests.vouchers.town import VISIT, Town
from vouchers.models import Certificate
from vouchers.tasks import expire_due


def _live_at(town: Town, offset: timedelta) -> None:
    Organisation.objects.filter(pk=town.organisation.pk).update(clock_offset=offset, is_demo=True)


def test_each_organisation_lives_by_its_own_clock(town: Town, other_organisation: Organisation) -> None:
    redemption = authorise(town, town.issue())
    _live_at(town, VISIT - timezone.now())
    expire_due()
    redemption.refresh_from_db()
    assert redemption.status == "authorised"
    _live_at(town, VISIT + timedelta(days=8) - timezone.now())
    expire_due()
    redemption.refresh_from_db()
    assert (redemption.status, Certificate.objects.get().status) == ("expired", "active")
    _live_at(town, VISIT + timedelta(days=60) - timezone.now())
    for _twice in range(2):
        expire_due()
    assert Certificate.objects.get().status == "expired"


def test_a_demonstration_in_play_is_left_alone(town: Town) -> None:
    town.issue()
    _live_at(town, timedelta())
    Job.objects.create(kind="load_demo", key="load_demo:1", state=Job.State.RUNNING)
    expire_due()
    assert Certificate.objects.get().status == "active"
