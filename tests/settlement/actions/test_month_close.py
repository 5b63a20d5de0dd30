from __future__ import annotations

from datetime import date, datetime

import pytest
from django.db import IntegrityError, connection

from config.accounts.models import Organisation, User
from settlement.actions.bank_lines import explain_line
from settlement.actions.month_close import MonthClosedAlready, MonthNotOver, MonthNotReady, close_month
from settlement.models import Account, Claim, ClosedMonth, Entry, PaymentRun, Posting, StatementLine
from settlement.month_checks import month_checks
from tests.settlement.actions.paid import answered, released_run
from tests.settlement.actions.payables import NOVEMBER, adjudicated, owe, ready

pytestmark = pytest.mark.django_db(transaction=True)
Cast = dict[str, User]


@pytest.fixture
def run(organisation: Organisation, cast: Cast, at: datetime) -> PaymentRun:
    ready(at)
    owe(organisation, adjudicated(organisation, at, (1, 24200), (2, 152000), (3, 38050)), at)
    return released_run(organisation, cast, at)


def found(organisation: Organisation, month: date = NOVEMBER) -> set[str]:
    return {check.code for check in month_checks(organisation, month) if not check.ok}


def close(organisation: Organisation, user: User, at: datetime, month: date = NOVEMBER) -> ClosedMonth:
    return close_month(organisation=organisation, month=month, actor=user.as_actor(), at=at)


def explain(run: PaymentRun, cast: Cast, at: datetime) -> None:
    line = StatementLine.objects.get(status="unmatched")
    explain_line(
        organisation=run.organisation,
        line_id=line.pk,
        explanation="Пожертва",
        actor=cast["ivan"].as_actor(),
        at=at,
    )


def test_the_month_closes_after_payments_and_exceptions(run: PaymentRun, cast: Cast, at: datetime) -> None:
    assert found(run.organisation) == {"PAYMENTS_OPEN"}
    with pytest.raises(MonthNotReady) as refused:
        close(run.organisation, cast["ivan"], at)
    assert refused.value.params["checks"] == "PAYMENTS_OPEN"
    answered(run, cast["halyna"], at)
    assert found(run.organisation) == {"EXCEPTIONS_OPEN", "UNPAID"}
    with pytest.raises(MonthNotReady):
        close(run.organisation, cast["ivan"], at)
    explain(run, cast, at)
    closed = close(run.organisation, cast["ivan"], at)
    assert {row["code"]: row["count"] for row in closed.checks}["UNPAID"] == 1
    with pytest.raises(MonthClosedAlready):
        close(run.organisation, cast["ivan"], at)


def test_nothing_is_posted_into_a_closed_month(organisation: Organisation, cast: Cast, at: datetime) -> None:
    ready(at)
    close(organisation, cast["ivan"], at)
    shared = {"organisation": organisation, "event": "test", "label": "x:1", "recorded_at": at}
    with pytest.raises(IntegrityError, match="closed month"):
        Entry.objects.create(number="E1", date=date(2025, 11, 30), key="1", **shared)
    assert Entry.objects.create(number="E2", date=date(2025, 12, 1), key="2", **shared).pk


def test_a_month_that_still_runs_cannot_be_closed(organisation: Organisation, cast: Cast, at: datetime) -> None:
    with pytest.raises(MonthNotOver) as refused:
        close(organisation, cast["ivan"], at, date(2025, 12, 1))
    assert refused.value.params["month"] == "12.2025", "as pages write months"


def test_another_organisations_month_is_its_own(
    run: PaymentRun, other_organisation: Organisation, cast: Cast, at: datetime
) -> None:
    assert found(other_organisation) == set()
    assert close(other_organisation, cast["ivan"], at).organisation == other_organisation


def test_open_claims_and_proposals_block(organisation: Organisation, cast: Cast, at: datetime) -> None:
    ready(at)
    rows = adjudicated(organisation, at, (1, 100))
    owe(organisation, rows, at)
    Claim.objects.create(
        organisation=organisation,
        number="C-LATE",
        provider=rows[0].provider,
        period=NOVEMBER,
        status="draft",
        recorded_at=at,
    ).move_to("submitted", at=at)
    assert found(organisation) == {"CLAIMS_OPEN", "UNPAID"}


def test_corrupted_books_are_found(run: PaymentRun, cast: Cast, at: datetime) -> None:
    answered(run, cast["halyna"], at)
    bank = Account.objects.get(kind="bank")
    posting = Posting.objects.filter(account=bank).order_by("pk").first()
    assert posting is not None
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        Posting.objects.filter(pk=posting.pk).update(credit=posting.credit + 1)
        cursor.execute("SET session_replication_role = DEFAULT")
    assert {"BANK_DIFFERS"} <= found(run.organisation)
    assert "LEDGER_UNBALANCED" in found(run.organisation, date(2025, 12, 1))


def test_a_lost_payable_posting_is_found(organisation: Organisation, at: datetime) -> None:
    ready(at)
    adjudicated(organisation, at, (1, 100))
    assert "PAYABLE_DIFFERS" in found(organisation)
