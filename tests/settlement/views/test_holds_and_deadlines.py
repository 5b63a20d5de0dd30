"""Pages of holds and of payment deadlines: who reaches them, what they say, how many queries they cost."""

from __future__ import annotations

import io
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from config.accounts.models import Organisation, User
from config.audit.recording import action, nothing_to_record
from contracts.models import Parameter
from settlement.actions.payments import confirm_payments, lock_payments
from settlement.actions.runs import approve_payment_run, propose_payment_run
from settlement.deadline_queries import as_deadlines, deadlines, late_only
from settlement.hold_queries import holds
from settlement.models import PaymentHold, PaymentRun
from tests.settlement.actions.paid import released_run
from tests.settlement.actions.payables import NOVEMBER, adjudicated, owe, provider, ready
from tests.settlement.views.test_payment_runs import browser, url

pytestmark = pytest.mark.django_db
Cast = dict[str, User]
HOLD = {"kind": "provider", "number": "P2", "from_date": "2025-12-01", "last_day": "", "reason": "перевірка"}


@pytest.fixture
def office(organisation: Organisation, cast: Cast, at: datetime) -> Organisation:
    organisation.clock_offset = at - timezone.now() + timedelta(minutes=1)
    organisation.save()
    ready(at)
    owe(organisation, adjudicated(organisation, at, (1, 24_200), (2, 152_000)), at)
    return organisation


def shown(client: Client, name: str, *args: Any, **query: str) -> str:
    answer = client.get(reverse(f"settlement:{name}", args=args), query)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize(
    ("name", "reads", "places"),
    [("halyna", True, True), ("ivan", True, True), ("mariia", True, False), ("bohdan", False, False)],
)
def test_who_reaches_holds(office: Organisation, cast: Cast, name: str, reads: bool, places: bool) -> None:
    client = browser(cast[name])
    for page in ("holds", "deadlines"):
        assert client.get(url(page)).status_code == (200 if reads else 403)
    assert client.post(url("hold_new"), HOLD).status_code == (302 if places else 403)
    assert PaymentHold.objects.count() == int(places)


def test_one_holds_and_another_lifts(office: Organisation, cast: Cast) -> None:
    maker, checker = browser(cast["halyna"]), browser(cast["ivan"])
    assert "Тут порожньо" not in shown(maker, "hold_new")
    maker.post(url("hold_new"), HOLD | {"last_day": "2025-12-31"})
    row = PaymentHold.objects.get()
    assert (row.target, row.to_date) == (provider(2), date(2026, 1, 1))
    lifting = url("hold_lift", row.pk)
    assert lifting not in shown(maker, "holds") and lifting in shown(checker, "holds")
    assert "Надавач 2: перевірка" in shown(checker, "hold_lift", row.pk)
    assert maker.post(lifting, {"reason": "так"}).status_code == 409
    assert checker.post(lifting, {"reason": "з'ясовано"}).status_code == 302
    row.refresh_from_db()
    assert row.lifted_by == cast["ivan"]
    assert checker.get(lifting).status_code == 302


def test_a_held_claim_is_named_with_its_provider(office: Organisation, cast: Cast) -> None:
    maker = browser(cast["halyna"])
    maker.post(url("hold_new"), HOLD | {"kind": "claim", "number": "C-2511-1-1"})
    row = PaymentHold.objects.get()
    for page in (shown(maker, "holds"), shown(browser(cast["ivan"]), "hold_lift", row.pk)):
        assert "Вимога C-2511-1-1, Надавач 1" in page


def test_holds_in_force_come_before_those_that_are_lifted(office: Organisation, cast: Cast) -> None:
    maker, checker = browser(cast["halyna"]), browser(cast["ivan"])
    for number in ("P1", "P2"):
        maker.post(url("hold_new"), HOLD | {"number": number})
    first, second = PaymentHold.objects.order_by("pk")
    assert list(holds(office)) == [second, first]
    checker.post(url("hold_lift", second.pk), {"reason": "з'ясовано"})
    assert list(holds(office)) == [first, second]


@pytest.mark.parametrize(
    "wrong",
    [{"number": "P77"}, {"kind": "payment", "number": "P2"}, {"reason": " "}, {"from_date": "x"}, {"kind": "x"}],
)
def test_wrong_input_comes_back(office: Organisation, cast: Cast, wrong: dict[str, str]) -> None:
    answer = browser(cast["halyna"]).post(url("hold_new"), HOLD | wrong)
    assert answer.status_code == 200 and not PaymentHold.objects.exists()


def test_an_end_before_the_beginning_is_refused(office: Organisation, cast: Cast) -> None:
    assert browser(cast["halyna"]).post(url("hold_new"), HOLD | {"last_day": "2025-11-01"}).status_code == 409


def test_the_run_shows_what_changed_and_takes_it_up(office: Organisation, cast: Cast, at: datetime) -> None:
    run = propose_payment_run(organisation=office, period=NOVEMBER, actor=cast["halyna"].as_actor(), at=at).run
    approve_payment_run(
        organisation=office, run_id=run.pk, content_sha256=run.content_sha256, actor=cast["ivan"].as_actor(), at=at
    )
    renewing = url("payment_run_renew", run.pk)
    assert renewing not in shown(browser(cast["halyna"]), "payment_run", run.pk)
    changed = provider(1)
    changed.iban = provider(9).iban
    changed.save()
    assert renewing in shown(browser(cast["halyna"]), "payment_run", run.pk)
    assert renewing not in shown(browser(cast["ivan"]), "payment_run", run.pk)
    assert browser(cast["ivan"]).post(renewing).status_code == 403
    browser(cast["halyna"]).post(renewing)
    run.refresh_from_db()
    assert run.status == "proposed"
    assert "0 з 1" in shown(browser(cast["ivan"]), "payment_run", run.pk)


def test_a_follow_up_is_offered_for_what_a_run_gave_back(office: Organisation, cast: Cast, at: datetime) -> None:
    maker = browser(cast["halyna"])
    run = propose_payment_run(organisation=office, period=NOVEMBER, actor=cast["halyna"].as_actor(), at=at).run
    following = url("payment_run_follow_up", run.pk)
    assert following not in shown(maker, "payment_run", run.pk)
    maker.post(url("payment_run_cancel", run.pk), {"reason": "помилка"})
    assert following in shown(maker, "payment_run", run.pk)
    assert browser(cast["ivan"]).post(following).status_code == 403
    maker.post(following)
    assert PaymentRun.objects.get(follows=run).total == run.total


def test_lists_cost_the_same_however_long(
    office: Organisation, cast: Cast, at: datetime, django_assert_max_num_queries: Any
) -> None:
    adjudicated(office, at, *((number, 100) for number in range(3, 20)), number=2)
    for number in range(3, 20):
        PaymentHold.objects.create(
            organisation=office, provider=provider(number), reason="x", from_date=date(2025, 12, 1),
            placed_by=cast["halyna"], recorded_at=at,
        )  # fmt: skip
    client = browser(cast["ivan"])
    for page in ("holds", "deadlines"):
        client.get(url(page))
        with django_assert_max_num_queries(20):
            client.get(url(page))


# --- Deadlines -----------------------------------------------------------------------------------------


def test_a_claim_is_due_after_working_days_or_days_of_receipt(office: Organisation, at: datetime) -> None:
    # Judged on Wednesday 3 December: ten working days end on the 17th; thirty days of receipt on 2 January.
    rows = as_deadlines(list(deadlines(office, 2025)), office, date(2025, 12, 17))
    assert [(row.due, row.paid, row.days_late, row.interest) for row in rows] == [
        (date(2025, 12, 17), None, 0, None)
    ] * 2
    claim = rows[0].remittance.claim
    claim.submitted_at = at - timedelta(days=20)
    claim.save()
    first = as_deadlines(list(deadlines(office, 2025)), office, date(2025, 12, 17))[0]
    assert (first.remittance.claim, first.due, first.days_late) == (claim, date(2025, 12, 13), 4)


def test_what_was_paid_in_time_is_not_late(office: Organisation, cast: Cast, at: datetime) -> None:
    run = released_run(office, cast, at)
    first, second = run.payments.order_by("reference")
    days = {first.pk: date(2025, 12, 17), second.pk: date(2025, 12, 20)}

    @action
    def confirm(*, actor: Any, at: datetime) -> None:
        nothing_to_record()
        confirm_payments(lock_payments(run.payments.all()), on=days, actor=actor, at=at)

    confirm(actor=cast["ivan"].as_actor(), at=at)
    rows = as_deadlines(list(deadlines(office, 2025)), office, date(2026, 2, 1))
    assert {(row.remittance.provider.code, row.paid, row.days_late) for row in rows} == {
        ("P1", date(2025, 12, 17), 0),
        ("P2", date(2025, 12, 20), 3),
    }
    late = late_only(deadlines(office, 2025), date(2026, 2, 1))
    assert [row.provider.code for row in late] == ["P2"]


def test_interest_only_where_a_rate_is_in_force(office: Organisation, at: datetime) -> None:
    for key, value in (("payment.late_interest_percent", "10"), ("payment.interest_year_days", "365")):
        Parameter.objects.create(
            organisation=office, jurisdiction=office.jurisdiction, key=key, value=value,
            valid_from=date(2025, 1, 1), act="Договір", evidence="DESIGN", recorded_at=at, changed_at=at,
        )  # fmt: skip
    rows = as_deadlines(list(deadlines(office, 2025)), office, date(2026, 12, 17))
    # 365 days: a tenth.
    assert sorted((row.days_late, str(row.interest)) for row in rows) == [(365, "152.00"), (365, "24.20")]


def test_the_report_as_a_spreadsheet(office: Organisation, cast: Cast) -> None:
    client = browser(cast["mariia"])
    answer = client.get(url("deadlines"), {"sheet": "xlsx", "year": "2025"})
    page = load_workbook(io.BytesIO(answer.content)).active
    assert page is not None and page.title == "Строки оплати 2025"
    rows = list(page.iter_rows(values_only=True))
    assert len(rows) == 3
    assert rows[1][0] == "C-2511-1-1" and float(rows[1][3]) == 242.0 and rows[1][4] == datetime(2025, 12, 17)
    assert "C-2511-1-1" not in shown(client, "deadlines", late="1")
    assert "C-2511-1-1" in shown(client, "deadlines", q="C-2511-1-1", year="x")


def test_deadlines_of_another_office_stay_unseen(office: Organisation, other_organisation: Organisation) -> None:
    assert deadlines(office, 2025).count() == 2
    assert deadlines(office, 2024).count() == 0 and deadlines(other_organisation, 2025).count() == 0
