from __future__ import annotations

import threading
from contextlib import suppress
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.accounts.models import Organisation, User
from contracts.actions.agreements import AgreedLine
from contracts.actions.past_terms import approve_past_terms, propose_past_terms
from contracts.models import Service
from settlement.actions import corrections
from settlement.actions.clawbacks import NoDebt, ask_debt_back, decide_clawback, notify_clawback
from settlement.actions.holds import place_hold
from settlement.actions.runs import NothingToPay, Proposal, cancel_payment_run, propose_payment_run
from settlement.book_checks import RUN_TOTALS
from settlement.books import verify_books
from settlement.debt_queries import provider_debts
from settlement.documents import act_rows, paid_claims, remittance_advice
from settlement.finance_queries import month_figures
from settlement.models import AdjudicationRun, Claim, ClosedMonth, Correction, PaymentRemittance
from settlement.replay import replay_run
from tests.settlement.actions.advance_town import AdvanceTown, advance_town
from tests.settlement.actions.clawback_town import DECEMBER, DECIDED, LATER
from tests.settlement.actions.paid import answered, released_run
from tests.settlement.actions.payables import NOVEMBER, adjudicated, balances, owe, provider, ready
from tests.settlement.test_documents import text

pytestmark = pytest.mark.django_db(transaction=True)
Cast = dict[str, User]
JANUARY = date(2026, 1, 1)
MINUTE = timedelta(minutes=1)


def lower_price(town: AdvanceTown, rate: str = "80.00") -> Correction:
    """The price of a paid and closed November is put right downwards."""
    ClosedMonth.objects.create(organisation=town.office, month=NOVEMBER, closed_by=town.cast["ivan"], closed_at=DECIDED)
    line = AgreedLine(Service.objects.get(organisation=town.office), Decimal(rate))
    maker, checker = town.cast["bohdan"].as_actor(), town.cast["oksana"].as_actor()
    terms = propose_past_terms(
        contract=town.contract, line=line, valid_from=NOVEMBER, basis="b", reason="r", actor=maker, at=DECIDED
    )
    approve_past_terms(terms=terms, actor=checker, at=DECIDED)
    made = corrections.propose_correction(
        month=NOVEMBER, ground="norm", reason="x", **town.who("halyna", DECIDED + MINUTE)
    )
    return corrections.approve_correction(
        correction_id=made.pk, content_sha256=made.content_sha256, **town.who("ivan", DECIDED + 2 * MINUTE)
    )


def propose(office: Organisation, cast: Cast, at: datetime, period: date, **more: Any) -> Proposal:
    return propose_payment_run(organisation=office, period=period, actor=cast["halyna"].as_actor(), at=at, **more)


def taken_of(proposal: Proposal) -> list[int]:
    return sorted(proposal.run.items.filter(live=True).values_list("remittance__payable", flat=True))


def test_a_correction_of_a_paid_month_is_taken_off_the_next_payment(tmp_path: Path) -> None:
    town = advance_town(tmp_path)
    made = lower_price(town)
    assert made.payable_minor == -4500
    assert [row["owed_minor"] for row in provider_debts(town.office)] == [4500]
    town.december()
    run = town.release()
    [payment] = run.payments.all()
    due = 24000 - 4500
    assert payment.amount.amount == Decimal(due) / 100
    assert {row.claim.period for row in paid_claims(payment)} == {NOVEMBER, DECEMBER}
    advice = text(remittance_advice(payment))
    assert "11.2025" in advice and "цей місяць виправлено вже після оплати" in advice
    answered(run, town.cast["halyna"], LATER)
    assert balances(town.office)["payable:P1"] == 0
    assert not list(provider_debts(town.office))
    assert set(Claim.objects.filter(number__startswith="CL-").values_list("status", flat=True)) == {"paid"}
    assert not verify_books() and all(replay_run(row).equal for row in AdjudicationRun.objects.all())
    for month in (NOVEMBER, DECEMBER):
        rows = act_rows(town.office, payment.provider, month)
        assert sum(row.owed for row in rows) == sum(row.paid for row in rows)
        figures = month_figures(town.office, month)
        assert figures["paid"] == figures["payable"]


def test_what_does_not_fit_waits(organisation: Organisation, cast: Cast, at: datetime) -> None:
    ready(at)
    adjudicated(organisation, at, (1, -12000), (1, 7500))
    adjudicated(organisation, at, (1, 4500), (2, 100), period=DECEMBER)
    december = propose(organisation, cast, at, DECEMBER)
    # A payment is more than nothing: 45.00 less 45.00 would be none.
    assert taken_of(december) == [100, 4500]
    assert [(row.provider.code, row.reason, row.amount_minor) for row in december.left_out] == [("P1", "OWES", -4500)]
    adjudicated(organisation, at, (1, 4501), period=JANUARY)
    assert taken_of(propose(organisation, cast, at, JANUARY)) == [-12000, 4501, 7500]
    with pytest.raises(NothingToPay):
        propose(organisation, cast, at, NOVEMBER)


def test_what_comes_to_nothing_goes_with_the_next_payment(organisation: Organisation, cast: Cast, at: datetime) -> None:
    """No payment of its own month could take it, and its claims would wait for ever."""
    ready(at)
    adjudicated(organisation, at, (1, -300), (1, 300), (2, -200), (2, 200))
    adjudicated(organisation, at, (1, 400), period=DECEMBER)
    made = propose(organisation, cast, at, DECEMBER)
    assert taken_of(made) == [-300, 300, 400] and made.run.total.amount == Decimal("4.00")
    # Of a provider that is paid nothing, nothing is said either.
    assert not made.left_out and not list(provider_debts(organisation))


def test_the_oldest_month_is_taken_off_first(organisation: Organisation, cast: Cast, at: datetime) -> None:
    ready(at)
    adjudicated(organisation, at, (1, -300))
    adjudicated(organisation, at, (1, -200), period=DECEMBER)
    adjudicated(organisation, at, (1, 400), (2, 50), period=JANUARY)
    assert taken_of(propose(organisation, cast, at, JANUARY)) == [-300, 50, 400]
    assert [(row["run__period"], row["owed_minor"]) for row in provider_debts(organisation)] == [(DECEMBER, 200)]


def test_what_is_unpaid_of_the_month_itself_counts_first(organisation: Organisation, cast: Cast, at: datetime) -> None:
    """Nothing is owed of a month of which more is to be paid than was taken back."""
    ready(at)
    adjudicated(organisation, at, (1, -300), (1, 500))
    adjudicated(organisation, at, (1, 400), period=DECEMBER)
    assert taken_of(propose(organisation, cast, at, DECEMBER)) == [400]
    assert not list(provider_debts(organisation))
    assert taken_of(propose(organisation, cast, at, NOVEMBER)) == [-300, 500]


def test_a_month_with_something_held_waits_whole(organisation: Organisation, cast: Cast, at: datetime) -> None:
    ready(at)
    _back, stands = adjudicated(organisation, at, (1, -12000), (1, 7500))
    adjudicated(organisation, at, (1, 24000), period=DECEMBER)
    run = propose(organisation, cast, at, DECEMBER).run
    assert run.total.amount == Decimal("195.00")
    who: dict[str, Any] = {"organisation": organisation, "actor": cast["halyna"].as_actor(), "at": at}
    place_hold(target=stands.claim, reason="Перевірка", from_date=at.date(), to_date=None, **who)
    run.refresh_from_db()
    assert run.total.amount == Decimal("240.00") and not _wrong_totals()
    assert [row["owed_minor"] for row in provider_debts(organisation)] == [4500]


def test_a_cancelled_run_gives_the_debt_back(organisation: Organisation, cast: Cast, at: datetime) -> None:
    ready(at)
    adjudicated(organisation, at, (1, -12000), (1, 7500))
    adjudicated(organisation, at, (1, 24000), period=DECEMBER)
    run = propose(organisation, cast, at, DECEMBER).run
    assert not list(provider_debts(organisation))
    halyna = cast["halyna"].as_actor()
    cancel_payment_run(organisation=organisation, run_id=run.pk, reason="x", actor=halyna, at=at)
    assert [row["owed_minor"] for row in provider_debts(organisation)] == [4500]
    assert propose(organisation, cast, at, DECEMBER).run.total.amount == Decimal("195.00")


def test_two_months_proposed_at_once_take_a_debt_once(organisation: Organisation, cast: Cast, at: datetime) -> None:
    ready(at)
    adjudicated(organisation, at, (1, -12000), (1, 7500))
    adjudicated(organisation, at, (1, 24000), period=DECEMBER)
    adjudicated(organisation, at, (1, 24000), period=JANUARY)
    totals, start = [], threading.Barrier(2)

    def play(period: date) -> None:
        start.wait()
        totals.append(propose(organisation, cast, at, period).run.total.amount)
        connection.close()

    threads = [threading.Thread(target=play, args=(period,)) for period in (DECEMBER, JANUARY)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(totals) == [Decimal("195.00"), Decimal("240.00")]


def _wrong_totals() -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(RUN_TOTALS)
        return cursor.fetchall()


PROVIDERS = count(1)
MONTHS = [date(2025, 11, 1), DECEMBER, JANUARY]
PAYS, ASKS = "pays", "asks"
THEN = st.sampled_from(["", PAYS, ASKS])
STEPS = st.lists(st.tuples(st.sampled_from(MONTHS), st.integers(-9000, 9000).filter(bool), THEN), max_size=10)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_what_was_paid_in_all_is_what_was_owed_in_all(
    organisation: Organisation, cast: Cast, at: datetime, steps: list[tuple[date, int, str]]
) -> None:
    """Whatever is judged, taken back, asked back and paid in which order: later months that suffice settle it, and who
    is asked gives back what was paid too much.
    """
    ready(at)
    who = next(PROVIDERS)
    asked = 0
    for month, amount, then in steps:
        adjudicated(organisation, at, (who, amount), number=next(PROVIDERS), period=month)
        if then == PAYS:
            _pay(organisation, cast, at, month)
        if then == ASKS:
            asked += _ask(organisation, cast, at, provider(who).pk, month)
    last = date(2026, 2, 1)
    adjudicated(organisation, at, (who, 100_000), number=next(PROVIDERS), period=last)
    for month in (*MONTHS, last):
        _pay(organisation, cast, at, month)
    paid = PaymentRemittance.objects.filter(live=True, remittance__provider=provider(who))
    sums = paid.values_list("payment_run").annotate(paid=Sum("remittance__payable")).values_list("paid", flat=True)
    assert all(amount > 0 for amount in sums)
    assert sum(sums) - asked == sum(amount for _month, amount, _then in steps) + 100_000
    assert not list(provider_debts(organisation))


def _pay(organisation: Organisation, cast: Cast, at: datetime, month: date) -> None:
    with suppress(NothingToPay):
        propose(organisation, cast, at, month)


def _ask(organisation: Organisation, cast: Cast, at: datetime, who: int, month: date) -> int:
    """Ask a provider's debt of a month back and uphold it; what it is, minor units."""
    office: dict[str, Any] = {"organisation": organisation, "at": at}
    maker, checker = ({"actor": cast[name].as_actor(), **office} for name in ("halyna", "ivan"))
    try:
        case = ask_debt_back(provider_id=who, period=month, finding="x", ground="x", **maker)
    except NoDebt:
        return 0
    notify_clawback(case_id=case.pk, **maker)
    return decide_clawback(case_id=case.pk, reason="x", **checker).debt_minor


def test_a_payment_that_comes_back_gives_the_debt_back(organisation: Organisation, cast: Cast, at: datetime) -> None:
    ready(at)
    adjudicated(organisation, at, (2, -12000), (2, 7500))
    owe(organisation, adjudicated(organisation, at, (1, 100), (2, 24000), period=DECEMBER), at)
    run = released_run(organisation, cast, at, period=DECEMBER)
    # The bank sends the last payment back.
    answered(run, cast["halyna"], at)
    assert run.payments.get(status="returned").amount.amount == Decimal("195.00")
    assert balances(organisation)["payable:P2"] == -24000
    assert [row["owed_minor"] for row in provider_debts(organisation)] == [4500]
    again = propose(organisation, cast, at, DECEMBER, follows_id=run.pk)
    assert taken_of(again) == [-12000, 7500, 24000] and again.run.total.amount == Decimal("195.00")
    assert not _wrong_totals()
