"""What the database refuses of a run's results, although no foreign key watches them."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction

from config.accounts.models import Organisation
from settlement.models import Adjudication, AdjudicationRun, Claim, Finding
from tests.settlement.actions.month import imported, judge, two_visits

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(tmp_path: Path) -> Organisation:
    organisation = imported(two_visits(), tmp_path)
    judge(organisation)
    return organisation


def copy_of(row: Adjudication, **changes: object) -> None:
    """Insert the row again with changes."""
    names = [field.attname for field in Adjudication._meta.fields if field.attname != "id"]
    values = {name: getattr(row, name) for name in names}
    with transaction.atomic():
        Adjudication.objects.create(**values | changes)


def other_run(office: Organisation) -> AdjudicationRun:
    run = AdjudicationRun.objects.get()
    return AdjudicationRun.objects.create(
        organisation=office,
        period=run.period,
        number=9,
        as_of=run.as_of,
        recorded_at=run.recorded_at,
        known_at=run.recorded_at,
        status="done",
    )


def test_line_and_run_must_exist(office: Organisation) -> None:
    row, run = Adjudication.objects.order_by("pk")[0], other_run(office)
    with pytest.raises(IntegrityError, match="does not belong"):
        copy_of(row, run_id=run.pk, claim_line_id=10**9)
    with pytest.raises(IntegrityError, match="without run"):
        copy_of(row, run_id=10**9)
    with pytest.raises(IntegrityError, match="finding without"), transaction.atomic():
        Finding.objects.create(run=run, claim_line_id=10**9, check_code="CLM-01", severity="R")


def test_line_must_be_the_claims_own_or_taken_back(office: Organisation) -> None:
    row, run = Adjudication.objects.order_by("pk")[0], other_run(office)
    claim = Claim.objects.get()
    stranger = Claim.objects.create(
        organisation=office, number="X", provider=claim.provider, period=claim.period, status="submitted",
        recorded_at=claim.recorded_at,
    )  # fmt: skip
    with pytest.raises(IntegrityError, match="does not belong"):
        copy_of(row, run_id=run.pk, claim_id=stranger.pk, reverses_id=row.pk)


def test_a_line_is_judged_once_a_run_and_taken_back_once(office: Organisation) -> None:
    row = Adjudication.objects.order_by("pk")[0]
    with pytest.raises(IntegrityError, match="adjudication_once"):
        copy_of(row)


@pytest.mark.parametrize("table", ["adjudication", "finding", "remittance"])
def test_results_are_never_edited(office: Organisation, table: str) -> None:
    Finding.objects.create(
        run=AdjudicationRun.objects.get(),
        claim_line=Adjudication.objects.order_by("pk")[0].claim_line,
        check_code="CLM-40",
        severity="W",
    )
    with connection.cursor() as cursor:
        for statement in (f"DELETE FROM settlement_{table}", f"UPDATE settlement_{table} SET run_id = run_id"):
            with pytest.raises(Exception, match="Cannot update or delete"), transaction.atomic():
                cursor.execute(statement)
