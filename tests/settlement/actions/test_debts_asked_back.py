"""What a provider owes of a paid month that was corrected, asked back by a case: by bank, by later runs, or dropped."""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from config.errors import FourEyes, NotFound
from contracts.actions.agreements import AgreedLine
from contracts.actions.check_facts import RelatedPerson
from contracts.actions.past_terms import approve_past_terms, propose_past_terms
from contracts.models import BudgetEntry, Service
from settlement.actions import clawbacks, corrections
from settlement.actions.clawbacks import DebtWaits, LineSum, MixedLines, NoDebt
from settlement.actions.holds import place_hold
from settlement.actions.line_parts import repay_with_line
from settlement.actions.runs import propose_payment_run
from settlement.age_queries import payable_ages, recovery_ages
from settlement.books import verify_books
from settlement.clawback_queries import cases_of_claim, with_sums
from settlement.deadline_queries import deadlines
from settlement.debt_queries import provider_debts
from settlement.documents import act_rows
from settlement.finance_queries import month_figures
from settlement.models import (
    AdjudicationRun,
    Claim,
    ClawbackCase,
    ClawbackDebt,
    ClawbackRecovery,
    PaymentRemittance,
    PaymentRun,
    Remittance,
)
from settlement.money_trail import money_trail
from settlement.month_checks import month_checks
from settlement.replay import replay_run
from tests.settlement.actions.advance_town import AdvanceTown, advance_town
from tests.settlement.actions.clawback_town import DECEMBER, DECIDED, LATER
from tests.settlement.actions.month import AT
from tests.settlement.actions.payables import NOVEMBER, adjudicated, balances, provider
from tests.settlement.actions.test_provider_debts import lower_price
from tests.settlement.actions.test_run_terms import parameter

pytestmark = pytest.mark.django_db(transaction=True)
OWED = 4500
ASKED = DECIDED + timedelta(minutes=5)


@pytest.fixture
def town(tmp_path: Path) -> AdvanceTown:
    """November was paid, then its price was put right downwards: P1 got 45.00 too much."""
    made = advance_town(tmp_path)
    lower_price(made)
    return made


def ask(town: AdvanceTown, by: str = "halyna", at: datetime = ASKED) -> ClawbackCase:
    words: dict[str, Any] = {"finding": "Ціну виправлено після оплати", "ground": "п. 5.4 договору"}
    provider = Remittance.objects.earliest("pk").provider_id
    return clawbacks.ask_debt_back(provider_id=provider, period=NOVEMBER, **words, **town.who(by, at))


def notified(town: AdvanceTown) -> ClawbackCase:
    return clawbacks.notify_clawback(case_id=ask(town).pk, **town.who("halyna", ASKED))


def decide(town: AdvanceTown, case: ClawbackCase, by: str = "ivan", **more: Any) -> ClawbackCase:
    return clawbacks.decide_clawback(case_id=case.pk, reason="Рішення виправлено", **more, **town.who(by, ASKED))


def decided(town: AdvanceTown) -> ClawbackCase:
    return decide(town, notified(town))


def sums(case: ClawbackCase) -> tuple[int, int, int]:
    row = with_sums(ClawbackCase.objects.filter(pk=case.pk)).get()
    return row.asked, row.upheld, row.outstanding  # type: ignore[attr-defined]  # annotated


def proposed(town: AdvanceTown) -> PaymentRun:
    return propose_payment_run(period=DECEMBER, **town.who("halyna", LATER)).run


def test_the_debt_moves_to_the_case_and_comes_back_by_bank(town: AdvanceTown) -> None:
    spent = list(BudgetEntry.objects.order_by("pk").values_list("amount_minor", flat=True))
    assert balances(town.office)["payable:P1"] == OWED
    case = decided(town)
    # What was too much left the cost with the correction: the case moves a debt and no cost.
    assert list(BudgetEntry.objects.order_by("pk").values_list("amount_minor", flat=True)) == spent
    assert sums(case) == (OWED, OWED, OWED)
    assert balances(town.office)["payable:P1"] == 0 and balances(town.office)["recovery:P1"] == OWED
    assert not list(provider_debts(town.office))
    [owes] = recovery_ages(town.office, ASKED.date())
    assert owes.total == OWED and not payable_ages(town.office, ASKED.date())
    assert set(Claim.objects.filter(period=NOVEMBER, number__startswith="CL-").values_list("status", flat=True)) == {
        "paid"
    }
    assert verify_books() == []
    line = town.receive((OWED, f"Повернення {case.rf_reference}"), at=LATER).lines.get()
    assert line.status == "matched" and sums(case) == (OWED, OWED, 0)
    case.refresh_from_db()
    assert case.status == "recovered" and balances(town.office)["recovery:P1"] == 0
    town.december()
    # December is paid whole: nobody takes the money a second time.
    assert sorted(proposed(town).items.values_list("remittance__payable", flat=True)) == [
        row.payable for row in Remittance.objects.filter(run__period=DECEMBER).order_by("payable")
    ]
    assert verify_books() == [] and all(replay_run(row).equal for row in AdjudicationRun.objects.all())


def test_a_person_books_a_bank_line_without_the_reference_in_parts(town: AdvanceTown) -> None:
    case = decided(town)
    line = town.receive((OWED - 500, "Повертаємо зайве")).lines.get()
    repay_with_line(line_id=line.pk, case=case.number, **town.who("halyna", LATER))
    assert sums(case) == (OWED, OWED, 500) and verify_books() == []


def test_what_is_left_after_the_term_is_kept_back_in_parts(town: AdvanceTown) -> None:
    """A payment takes whole months only; a case is served with what there is."""
    case = decided(town)
    before = sums(case)
    run = town.december()
    kept = sum(Remittance.objects.filter(run=run).values_list("offsets", flat=True))
    assert kept == OWED == before[2] and sums(case)[2] == 0
    assert ClawbackRecovery.objects.filter(case=case, remittance__run=run).count() == 1
    assert verify_books() == [] and replay_run(run).equal


def test_act_month_and_road_agree(town: AdvanceTown) -> None:
    case = decided(town)
    figures = month_figures(town.office, NOVEMBER)
    assert figures["paid"] == figures["payable"]
    rows = act_rows(town.office, case.provider, NOVEMBER)
    assert sum(row.owed for row in rows) == sum(row.paid for row in rows)
    assert [row.paid for row in rows if case.number in row.text] == [-OWED]
    claim = case.debts.earliest("pk").remittance.claim_id
    trail = money_trail(organisation=town.office, start="claim", pk=claim)
    assert not any(node.gap or node.off for level in trail.levels for node in level.nodes)
    [entry] = next(level.nodes for level in trail.levels if level.key == "posting")
    assert [(str(rest.name), rest.amount) for rest in entry.stays] == [
        ("у боргу за місяць, який вимагає назад справа", entry.amount)
    ]
    assert not [row for row in month_checks(town.office, NOVEMBER) if row.code == "PAYABLE_DIFFERS" and row.count]


def test_no_payment_takes_what_a_case_asks_for(town: AdvanceTown) -> None:
    case = ask(town)
    assert not list(provider_debts(town.office)) and balances(town.office)["payable:P1"] == OWED
    run = proposed_after_december(town)
    assert run.items.filter(remittance__run__period=NOVEMBER).count() == 0
    assert verify_books() == []
    debt = case.debts.earliest("pk")
    with pytest.raises(IntegrityError, match="asked back by a case"), transaction.atomic():
        PaymentRemittance.objects.create(payment_run=run, remittance=debt.remittance)


def proposed_after_december(town: AdvanceTown) -> PaymentRun:
    town.december()
    return proposed(town)


def test_what_a_payment_takes_no_case_asks_for(town: AdvanceTown) -> None:
    run = proposed_after_december(town)
    taken = run.items.filter(remittance__run__period=NOVEMBER)
    assert taken.count() == 2
    with pytest.raises(NoDebt):
        ask(town, at=LATER)


def hold(town: AdvanceTown, claim: Claim) -> None:
    place_hold(target=claim, reason="Перевірка", from_date=ASKED.date(), to_date=None, **town.who("halyna", ASKED))


def test_what_is_held_is_set_off_by_nobody(town: AdvanceTown) -> None:
    """A case settles what it takes: it asks as a payment run does, when it is opened and when it is decided."""
    [copy] = Claim.objects.filter(remittances__payable__gt=0, number__startswith="CL-", period=NOVEMBER)
    case = notified(town)
    hold(town, copy)
    with pytest.raises(DebtWaits):
        decide(town, case)
    # Dropping settles nothing.
    assert decide(town, case, upheld_minor={}).status == "closed" and verify_books() == []
    with pytest.raises(DebtWaits):
        ask(town)


def test_days_of_grace_are_waited_for(town: AdvanceTown) -> None:
    parameter(town.office, "payment.grace_days", "3", ASKED)
    with pytest.raises(DebtWaits):
        ask(town)
    assert ask(town, at=LATER).debt_minor == OWED


def test_a_provider_of_others_is_not_known(town: AdvanceTown) -> None:
    stranger = provider(77)
    words: dict[str, Any] = {"finding": "x", "ground": "x", **town.who("halyna", ASKED)}
    with pytest.raises(NotFound):
        clawbacks.ask_debt_back(provider_id=stranger.pk, period=NOVEMBER, **words)


def test_what_is_set_off_was_waited_for_until_the_decision(town: AdvanceTown) -> None:
    """A claim of its own that nobody paid in time stays in the report of late payments."""
    [claim] = adjudicated(town.office, AT, (1, 100), number=9)
    rows = deadlines(town.office, 2025)
    assert rows.get(pk=claim.pk).paid is None
    decided(town)
    assert rows.get(pk=claim.pk).paid == ASKED.date()


def test_a_dropped_case_gives_the_debt_back(town: AdvanceTown) -> None:
    case = notified(town)
    assert decide(town, case, upheld_minor={}).status == "closed"
    assert sums(case) == (OWED, 0, 0) and balances(town.office)["payable:P1"] == OWED
    assert [row["owed_minor"] for row in provider_debts(town.office)] == [OWED]
    assert proposed_after_december(town).items.filter(remittance__run__period=NOVEMBER).count() == 2
    assert verify_books() == []


def test_it_can_be_asked_for_again_after_it_was_dropped(town: AdvanceTown) -> None:
    decide(town, notified(town), upheld_minor={})
    again = ask(town)
    assert again.debt_minor == OWED and ClawbackDebt.objects.count() == 4
    assert decide(town, clawbacks.notify_clawback(case_id=again.pk, **town.who("halyna", ASKED))).outcome == "whole"
    assert verify_books() == []


def test_one_person_never_asks_and_decides(town: AdvanceTown) -> None:
    case = notified(town)
    with pytest.raises(FourEyes):
        decide(town, case, by="halyna")


def test_a_related_person_does_not_ask(town: AdvanceTown, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> None:
        raise RelatedPerson()

    monkeypatch.setattr(clawbacks, "refuse_related", refuse)
    with pytest.raises(RelatedPerson):
        ask(town)
    assert not ClawbackCase.objects.exists()


def test_a_case_about_a_month_takes_no_lines(town: AdvanceTown) -> None:
    case = ask(town)
    line = town.line()
    with pytest.raises(MixedLines):
        clawbacks.add_clawback_lines(case_id=case.pk, lines=[LineSum(line.pk)], **town.who("halyna", ASKED))
    with pytest.raises(IntegrityError), transaction.atomic():
        case.lines.create(claim_line=line, amount_minor=1)


def test_the_database_refuses_a_case_that_does_not_rest_on_what_it_asks(town: AdvanceTown) -> None:
    case = ask(town)
    row = case.debts.earliest("pk")
    with pytest.raises(IntegrityError, match="cannot be asked back"), transaction.atomic():
        ClawbackDebt.objects.create(case=case, remittance=row.remittance, amount_minor=row.amount_minor)
    with pytest.raises(DatabaseError), transaction.atomic():
        ClawbackCase.objects.filter(pk=case.pk).update(debt_minor=1)
    for name, change in (
        ("taken twice", "UPDATE settlement_paymentremittance SET remittance_id = %s WHERE live"),
        (
            "not what is owed",
            "UPDATE settlement_remittance SET payable = payable - 1, offsets = offsets + 1 WHERE id = %s",
        ),
        (
            "another month",
            "UPDATE settlement_clawbackcase SET debt_period = '2025-12-01' WHERE id = (SELECT case_id "
            "FROM settlement_clawbackdebt WHERE remittance_id = %s)",
        ),
    ):
        assert name in _fault_after(change, row.remittance_id)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        ClawbackDebt.objects.filter(pk=row.pk).delete()
        cursor.execute("SET session_replication_role = DEFAULT")
    with pytest.raises(IntegrityError, match="does not rest"), transaction.atomic():
        ClawbackCase.objects.filter(pk=case.pk).update(status="notified", notified_at=ASKED, reply_until=ASKED.date())


def _fault_after(change: str, remittance: int) -> str:
    """What the proof says of cases about months after a row was changed with the triggers off; then undone."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(change, [remittance])
        [found] = [fault.found for fault in verify_books() if fault.check.startswith("debts asked back")]
        transaction.set_rollback(True)
    return found


def test_a_second_correction_that_gives_back_is_paid_beside_the_case(town: AdvanceTown) -> None:
    """What is judged later stands for itself: the case asks what it asked."""
    case = decided(town)
    lower_price_again = lower_price_to(town, "90.00")
    assert lower_price_again > 0
    assert sums(case) == (OWED, OWED, OWED)
    owed = Remittance.objects.filter(run__period=NOVEMBER, debts=None, payment_items=None).exclude(payable=0)
    assert sum(owed.values_list("payable", flat=True)) == lower_price_again
    assert verify_books() == []


def lower_price_to(town: AdvanceTown, rate: str) -> int:
    """A month whose case is decided is corrected once more; what it gives, minor units."""
    later = ASKED + timedelta(minutes=10)
    line = AgreedLine(Service.objects.get(organisation=town.office), Decimal(rate))
    maker, checker = town.cast["bohdan"].as_actor(), town.cast["oksana"].as_actor()
    terms = propose_past_terms(
        contract=town.contract, line=line, valid_from=NOVEMBER, basis="b", reason="r", actor=maker, at=later
    )
    approve_past_terms(terms=terms, actor=checker, at=later)
    made = corrections.propose_correction(
        month=NOVEMBER, ground="norm", reason="x", **town.who("halyna", later + timedelta(minutes=1))
    )
    return corrections.approve_correction(
        correction_id=made.pk, content_sha256=made.content_sha256, **town.who("ivan", later + timedelta(minutes=2))
    ).payable_minor


def test_asked_twice_at_once_it_is_one_case(town: AdvanceTown) -> None:
    made: list[str] = []
    start = threading.Barrier(2)

    def play() -> None:
        start.wait()
        try:
            made.append(ask(town).number)
        except NoDebt as refusal:
            made.append(refusal.code)
        connection.close()

    threads = [threading.Thread(target=play) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    case = ClawbackCase.objects.get()
    assert sorted(made) == sorted([case.number, "CLAWBACK_NO_DEBT"]) and case.debts.count() == 2


def test_without_the_lock_the_database_refuses_the_second_case(
    town: AdvanceTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clawbacks, "lock_rows", list)
    refused: list[str] = []
    both_have_read = threading.Barrier(2)
    opened = clawbacks._open

    def late(*args: Any, **told: Any) -> ClawbackCase:
        both_have_read.wait()
        return opened(*args, **told)

    monkeypatch.setattr(clawbacks, "_open", late)

    def play() -> None:
        try:
            ask(town)
        except IntegrityError as problem:
            refused.append(str(problem))
        connection.close()

    threads = [threading.Thread(target=play) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1 and "cannot be asked back in this case" in refused[0]
    assert ClawbackCase.objects.count() == 1


def test_asked_and_paid_at_once_only_one_takes_it(town: AdvanceTown) -> None:
    town.december()
    start = threading.Barrier(2)

    def play(call: Any) -> None:
        start.wait()
        with suppress(NoDebt):
            call()
        connection.close()

    calls = (lambda: ask(town, at=LATER), lambda: proposed(town))
    threads = [threading.Thread(target=play, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = PaymentRemittance.objects.filter(live=True, remittance__run__period=NOVEMBER, payment=None).count()
    assert (taken, ClawbackDebt.objects.count()) in {(2, 0), (0, 2)}
    assert verify_books() == []


def test_a_claim_names_the_case(town: AdvanceTown) -> None:
    case = ask(town)
    claim = case.debts.earliest("pk").remittance.claim

    class Reader:
        user = town.cast["halyna"]

        def may(self, permission: str) -> bool:
            return permission != "claims.submit"

        def office(self) -> Any:
            return town.office

    assert list(cases_of_claim(Reader(), claim)) == [case]  # type: ignore[arg-type]  # the two it asks for
