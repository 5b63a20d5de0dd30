"""Who may take which step of a payment run, and what the page says before it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from config.accounts.models import Membership, Organisation, User
from config.roles import FINANCE_CHECKER, FINANCE_MAKER, PERMISSIONS
from contracts.models import Provider
from settlement.actions.reconciliation import import_statement
from settlement.actions.runs import approve_payment_run, propose_payment_run
from settlement.gateways.simulated_bank import answer_payment_file
from settlement.models import PaymentRun
from tests.settlement.actions.paid import bank_file, released_run
from tests.settlement.actions.payables import NOVEMBER, adjudicated, ready
from tests.settlement.views.test_claims import text
from tests.settlement.views.town import url
from tests.signed_in import browser

pytestmark = pytest.mark.django_db
Cast = dict[str, User]
STEPS = {
    "payment_run_approve": {"seen": "x"},
    "payment_run_release": {"execution_date": "2025-12-12"},
    "payment_run_cancel": {"reason": "помилка"},
    "payment_run_sent": {},
}


@pytest.fixture
def office(organisation: Organisation, cast: Cast, at: datetime) -> Organisation:
    organisation.clock_offset = at - timezone.now() + timedelta(minutes=1)
    organisation.save()
    ready(at)
    adjudicated(organisation, at, (1, 24200), (2, 152000))
    return organisation


@pytest.fixture
def run(office: Organisation, cast: Cast, at: datetime) -> PaymentRun:
    return propose_payment_run(organisation=office, period=NOVEMBER, actor=cast["halyna"].as_actor(), at=at).run


def state(run: PaymentRun) -> str:
    run.refresh_from_db()
    return run.status


def test_no_role_holds_two_conflicting_steps() -> None:
    proposing = PERMISSIONS["payment_runs.propose"]
    assert not proposing & PERMISSIONS["payment_runs.approve"]
    assert not proposing & PERMISSIONS["payment_runs.release"]


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("halyna", {"payment_run_cancel"}),
        ("ivan", {"payment_run_approve", "payment_run_release", "payment_run_sent"}),
        ("mariia", set()),
        ("bohdan", set()),
        ("outsider", set()),
    ],
)
def test_each_person_reaches_only_the_own_steps(run: PaymentRun, cast: Cast, name: str, allowed: set[str]) -> None:
    for step, data in STEPS.items():
        expected = 302 if step in allowed else 403
        assert browser(cast[name]).post(url(step, run.pk), data).status_code == expected, (name, step)
    proposing = browser(cast[name]).post(url("payment_run_propose"), {"period": "2025-11"}).status_code
    assert proposing == (302 if name == "halyna" else 403)


def test_giving_up_asks_why(run: PaymentRun, cast: Cast) -> None:
    maker, cancel = browser(cast["halyna"], "en"), url("payment_run_cancel", run.pk)
    assert "Say why, then try again." in maker.post(cancel, {"reason": " "}, follow=True).content.decode()
    assert state(run) == "proposed"
    assert "Say why" not in maker.post(cancel, {"reason": "помилка"}, follow=True).content.decode()
    assert state(run) == "cancelled"


def test_a_person_with_both_roles_does_not_approve_or_release_the_own_proposal(
    run: PaymentRun, office: Organisation, cast: Cast, at: datetime
) -> None:
    halyna = cast["halyna"]
    Membership.objects.create(user=halyna, role=FINANCE_CHECKER, organisation=office)
    own = browser(halyna)
    page = own.get(url("payment_run", run.pk))
    assert not page.context["may_approve"] and not page.context["may_release"]
    own.post(url("payment_run_approve", run.pk), {"seen": run.content_sha256})
    assert (state(run), run.approvals.count()) == ("proposed", 0)
    approve_payment_run(
        organisation=office, run_id=run.pk, content_sha256=run.content_sha256, actor=cast["ivan"].as_actor(), at=at
    )
    assert not own.get(url("payment_run", run.pk)).context["may_release"]
    own.post(url("payment_run_release", run.pk), {"execution_date": "2025-12-12"})
    assert state(run) == "approved"
    browser(cast["ivan"]).post(url("payment_run_release", run.pk), {"execution_date": "2025-12-12"})
    assert state(run) == "released"


def test_a_checker_who_also_prepares_proposes_and_another_approves(
    office: Organisation, cast: Cast, at: datetime
) -> None:
    Membership.objects.create(user=cast["ivan"], role=FINANCE_MAKER, organisation=office)
    both = browser(cast["ivan"])
    both.post(url("payment_run_propose"), {"period": "2025-11"})
    run = PaymentRun.objects.get()
    both.post(url("payment_run_approve", run.pk), {"seen": run.content_sha256})
    assert state(run) == "proposed"


def test_the_database_refuses_a_release_by_the_proposer(run: PaymentRun) -> None:
    with pytest.raises(IntegrityError, match="payment_run_release_four_eyes"), transaction.atomic():
        PaymentRun.objects.filter(pk=run.pk).update(released_by=run.proposed_by)


def test_the_page_warns_of_an_account_that_money_came_back_from(office: Organisation, cast: Cast, at: datetime) -> None:
    paid = released_run(office, cast, at)
    content = answer_payment_file(bank_file(paid, at))
    import_statement(organisation=office, name="st.xml", content=content, actor=cast["halyna"].as_actor(), at=at)
    browser(cast["halyna"]).post(url("payment_run_propose"), {"period": "2025-11"})
    run = PaymentRun.objects.get(status="proposed")
    checker = browser(cast["ivan"])
    shown = checker.get(url("payment_run", run.pk)).content.decode()
    assert "AC04" in shown and "PAY-2025-00002" in shown and 'name="reason"' in shown
    checker.post(url("payment_run_approve", run.pk), {"seen": run.content_sha256, "reason": " "})
    assert state(run) == "proposed"
    checker.post(url("payment_run_approve", run.pk), {"seen": run.content_sha256, "reason": "лист банку"})
    assert state(run) == "approved"
    assert "лист банку" in checker.get(url("payment_run", run.pk)).content.decode()
    assert "AC04" in checker.get(url("payment", paid.payments.get(provider__code="P2").pk)).content.decode()


@pytest.mark.parametrize(("currencies", "shown"), [({"UAH"}, True), (set(), False)])
def test_approvers_see_the_account_that_they_sign(
    run: PaymentRun, cast: Cast, settings: Any, currencies: set[str], shown: bool
) -> None:
    settings.STRIPE_TRANSFER_CURRENCIES = frozenset(currencies)
    Provider.objects.filter(code="P2").update(stripe_account="acct_2Two")
    page = text(browser(cast["ivan"], "en").get(url("payment_run", run.pk)))
    assert ("acct_2Two" in page) == shown
    assert ("An account changed or a hold began since this run was proposed" in page) == shown
