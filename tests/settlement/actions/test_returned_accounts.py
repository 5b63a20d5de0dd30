"""Money that came back with a reason of the bank does not go to the same account again by oversight."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from config.accounts.models import Organisation, User
from config.audit.models import AuditEvent
from settlement.actions.run_content import AccountReturned, accounts_returned
from settlement.actions.runs import (
    approve_payment_run,
    propose_payment_run,
    release_payment_run,
)
from settlement.models import PaymentRun
from settlement.statement_words import return_words
from tests.settlement.actions.paid import DAY, answered, released_run
from tests.settlement.actions.payables import NOVEMBER, adjudicated, provider, ready

pytestmark = pytest.mark.django_db
Cast = dict[str, User]


@pytest.fixture
def paid(organisation: Organisation, cast: Cast, at: datetime) -> PaymentRun:
    ready(at)
    adjudicated(organisation, at, (1, 24200), (2, 152000))
    run = released_run(organisation, cast, at)
    answered(run, cast["halyna"], at)
    return run


def propose(organisation: Organisation, cast: Cast, at: datetime) -> PaymentRun:
    return propose_payment_run(organisation=organisation, period=NOVEMBER, actor=cast["halyna"].as_actor(), at=at).run


def approve(run: PaymentRun, cast: Cast, at: datetime, reason: str = "") -> PaymentRun:
    return approve_payment_run(
        organisation=run.organisation,
        run_id=run.pk,
        content_sha256=run.content_sha256,
        reason=reason,
        actor=cast["ivan"].as_actor(),
        at=at,
    )


def release(run: PaymentRun, cast: Cast, at: datetime) -> PaymentRun:
    return release_payment_run(
        organisation=run.organisation, run_id=run.pk, execution_date=DAY, actor=cast["ivan"].as_actor(), at=at
    )


def test_the_same_account_needs_a_reason(paid: PaymentRun, cast: Cast, at: datetime) -> None:
    run = propose(paid.organisation, cast, at)
    (found,) = accounts_returned(run)
    assert (found.payment.reference, found.on, "AC04" in found.reason) == ("PAY-2025-00002", DAY, True)
    for reason in ("", "  "):
        with pytest.raises(AccountReturned) as refused:
            approve(run, cast, at, reason)
        assert refused.value.params["account"] == provider(2).iban
    assert run.approvals.count() == 0
    approve(run, cast, at, " Лист банку № 5: рахунок відновлено ")
    assert run.approvals.get().reason == "Лист банку № 5: рахунок відновлено"
    event = AuditEvent.objects.filter(action="payment_run.approved").latest("pk")
    assert event.data["reason"] == "Лист банку № 5: рахунок відновлено"
    assert release(run, cast, at).status == "released"


def test_another_account_needs_none(paid: PaymentRun, cast: Cast, at: datetime) -> None:
    changed = provider(2)
    changed.iban = provider(9).iban
    changed.save()
    run = propose(paid.organisation, cast, at)
    assert accounts_returned(run) == []
    assert approve(run, cast, at).status == "approved"


def test_an_account_that_worked_since_needs_none(paid: PaymentRun, cast: Cast, at: datetime) -> None:
    organisation = paid.organisation
    again = propose(organisation, cast, at)
    approve(again, cast, at, "лист банку")
    answered(release(again, cast, at), cast["halyna"], at)
    assert again.payments.get().status == "confirmed"
    adjudicated(organisation, at, (2, 700), number=2)
    assert accounts_returned(propose(organisation, cast, at)) == []


def test_a_return_between_approval_and_release_stops_the_release(
    organisation: Organisation, cast: Cast, at: datetime
) -> None:
    ready(at)
    adjudicated(organisation, at, (1, 24200), (2, 152000))
    first = released_run(organisation, cast, at)
    adjudicated(organisation, at, (2, 700), number=2)
    second = propose(organisation, cast, at)
    approve(second, cast, at)
    answered(first, cast["halyna"], at + timedelta(hours=1))
    with pytest.raises(AccountReturned):
        release(second, cast, at + timedelta(hours=2))


def test_returns_known_to_another_municipality_say_nothing(
    paid: PaymentRun, other_organisation: Organisation, cast: Cast, at: datetime
) -> None:
    adjudicated(other_organisation, at, (2, 700))
    assert accounts_returned(propose(other_organisation, cast, at)) == []


def test_reasons_are_told_in_words_where_they_are_known() -> None:
    assert return_words("AC04").endswith(", AC04") and return_words("XX99") == "XX99"
