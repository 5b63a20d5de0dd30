"""A bank line for several documents is divided by a person, to the last kopiyka, and every part can be undone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.errors import DomainError, NotFound
from config.money import to_minor
from settlement.actions import line_parts
from settlement.actions.bank_lines import (
    LineNotOpen,
    ReasonMissing,
    RestExplained,
    WholeReturnsOnly,
    explain_line,
    match_line,
    undo_explanation,
    undo_match,
)
from settlement.actions.fee_lines import explain_as_cards
from settlement.actions.ledger import IntoClosedMonth
from settlement.actions.line_parts import (
    AdvanceUnknown,
    CaseUnknown,
    MoreThanOwed,
    NothingDivided,
    NoticeUnknown,
    NotToDivide,
    Part,
    PartsDiffer,
    PartTaken,
    PaymentUnknown,
    RestTwice,
    SamePartTwice,
    divide_line,
    pay_notice_with_line,
    repay_with_line,
)
from settlement.actions.reconciliation import match_again
from settlement.actions.undone_lines import undo_advance_return, undo_fee_receipt, undo_repayment
from settlement.age_queries import unmatched_ages
from settlement.bank_queries import bank_figures, open_lines, quoted_parts, takings_of
from settlement.books import verify_books
from settlement.finance_queries import taken_of
from settlement.models import (
    AdvanceReturn,
    ClawbackCase,
    ClawbackRecovery,
    ClosedMonth,
    FeeNotice,
    FeeReceipt,
    Match,
    Payment,
    StatementLine,
)
from settlement.month_checks import month_checks
from tests.settlement.actions.advance_town import AdvanceTown, advance_town
from tests.settlement.actions.clawback_town import DECIDED, LATER
from tests.settlement.actions.payables import balances
from tests.trail import trail_for
from vouchers.models import Recipient

pytestmark = pytest.mark.django_db(transaction=True)
REFERENCES = ("RF18539007547034", "RF712348231")
JANUARY = date(2026, 1, 1)
OWED = 14_250


@pytest.fixture
def town(tmp_path: Path) -> AdvanceTown:
    return advance_town(tmp_path)


@pytest.fixture
def case(town: AdvanceTown) -> ClawbackCase:
    return town.decided()


def notice_of(town: AdvanceTown, place: int = 0) -> FeeNotice:
    made, _new = FeeNotice.objects.get_or_create(
        organisation=town.office, recipient=Recipient.objects.earliest("pk"), month=date(2025, 10 + place, 1),
        defaults={"number": f"FN-2025-00000{8 + place}", "rf_reference": REFERENCES[place], "issued_at": DECIDED},
    )  # fmt: skip
    return made


def credit(town: AdvanceTown, amount: int = 20_000, text: str = "за все разом") -> StatementLine:
    return town.receive((amount, text)).lines.get()


def divide(town: AdvanceTown, line: StatementLine, *parts: Part, reason: str = "Лист платника") -> StatementLine:
    return divide_line(line_id=line.pk, parts=parts, reason=reason, **town.who("halyna", DECIDED))


def standing(town: AdvanceTown) -> dict[str, int]:
    return {key: sum_ for key, sum_ in balances(town.office).items() if sum_}


def agrees(town: AdvanceTown) -> bool:
    """The books hold, and the month's check of the bank finds the lines in the ledger."""
    differs = [row for row in month_checks(town.office, JANUARY) if row.code == "BANK_DIFFERS" and row.count]
    return verify_books() == [] and not differs


def test_documents_are_locked_in_the_order_of_their_keys_however_they_are_written(
    town: AdvanceTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = notice_of(town), notice_of(town, 1)
    locked: list[int] = []
    monkeypatch.setattr(line_parts, "lock_notice", lambda notice: locked.append(notice.pk))
    # As text the number of the second comes before the reference of the first.
    assert second.number < first.rf_reference
    parts = (Part("fee", first.rf_reference, 12_000), Part("fee", second.number, 8_000))
    divide(town, credit(town), *parts)
    assert locked[:2] == [first.pk, second.pk]
    assert sorted(FeeReceipt.objects.values_list("notice", "amount_minor")) == [
        (first.pk, 12_000), (second.pk, 8_000)
    ]  # fmt: skip


def test_one_line_for_a_notice_and_a_case_and_the_rest_waits(town: AdvanceTown, case: ClawbackCase) -> None:
    others = sum(row.total for row in unmatched_ages(town.office, DECIDED.date()))
    notice, line = notice_of(town), credit(town)
    before = standing(town)
    halyna = town.who("halyna", DECIDED)
    line = divide(
        town, line, Part("open", "", 1_750), Part("clawback", case.number, OWED), Part("fee", notice.number, 4_000)
    )
    case.refresh_from_db()
    assert (line.status, case.status, FeeReceipt.objects.get().amount_minor) == ("partial", "recovered", 4_000)
    assert {row.number: row.amount for row in takings_of(line.statement)[line.pk]} == {
        notice.number: 4_000, case.number: OWED
    }  # fmt: skip
    waiting = open_lines(town.office, DECIDED.date()).get(pk=line.pk)
    [aged] = unmatched_ages(town.office, DECIDED.date())
    figures = bank_figures(town.office, town.office.iban, JANUARY)
    assert (waiting.open_minor, aged.total - others, figures["open"]) == (1_750, 1_750, 1_750)
    assert (figures["received"], figures["explained"], figures["matched"], figures["difference"]) == (
        20_000, 18_250, 0, 0
    )  # fmt: skip
    assert agrees(town) and trail_for(case)[0].action == "statement_line.divided"
    # What stays open is explained like any open line, and nothing of the others moves.
    assert match_again(**halyna) == 0
    explain_line(line_id=line.pk, explanation="Пожертва", **halyna)
    line.refresh_from_db()
    assert line.status == "explained" and balances(town.office)["suspense:bank"] == -1_750 and agrees(town)
    receipt, recovery = FeeReceipt.objects.get(), ClawbackRecovery.objects.get()
    with pytest.raises(RestExplained):
        undo_fee_receipt(receipt_id=receipt.pk, reason="помилка", **halyna)
    undo_explanation(line_id=line.pk, reason="помилка", **halyna)
    undo_fee_receipt(receipt_id=receipt.pk, reason="помилка", **halyna)
    line.refresh_from_db()
    assert line.status == "partial" and taken_of([line.pk]) == {line.pk: OWED} and agrees(town)
    undo_repayment(recovery_id=recovery.pk, reason="помилка", **halyna)
    line.refresh_from_db()
    case.refresh_from_db()
    assert (line.status, case.status, standing(town)) == ("unmatched", "decided", before) and agrees(town)
    # The same parts may be taken once more, by the same documents.
    repay = divide(town, line, Part("fee", REFERENCES[0], 5_750), Part("clawback", case.rf_reference, OWED))
    assert repay.status == "matched" and agrees(town)


def test_two_notices_in_one_line(town: AdvanceTown) -> None:
    first, second = notice_of(town), notice_of(town, 1)
    line = credit(town, 9_000, f"{first.rf_reference} {second.rf_reference}")
    assert line.status == "unmatched"
    assert [part[:2] for part in quoted_parts(line, 9_000)] == [
        ("fee", first.number), ("fee", second.number), ("open", "")
    ]  # fmt: skip
    line = divide(town, line, Part("fee", second.number, 8_999), Part("fee", first.number, 1))
    assert line.status == "matched" and line.statement.status == "reconciled" and agrees(town)


def test_an_advance_a_returned_payment_and_money_of_cards(town: AdvanceTown) -> None:
    advance, halyna = town.paid(), town.who("halyna", DECIDED)
    payment = Payment.objects.filter(provider__code="P1", status="confirmed").earliest("pk")
    back = to_minor(payment.amount.amount)
    line = credit(town, back + 6_000)
    before = standing(town)
    parts = [Part("advance", advance.number, 5_000), Part("cards", "", 1_000)]
    with pytest.raises(WholeReturnsOnly):
        divide(town, line, *parts[:1], Part("returned", payment.reference, back - 1), Part("open", "", 1_001))
    line = divide(town, line, *parts, Part("returned", payment.reference, back))
    payment.refresh_from_db()
    assert (line.status, payment.status, balances(town.office)["card:stripe"]) == ("explained", "returned", -1_000)
    assert agrees(town)
    returned = AdvanceReturn.objects.get()
    with pytest.raises(RestExplained):
        undo_advance_return(return_id=returned.pk, reason="помилка", **halyna)
    undo_explanation(line_id=line.pk, reason="помилка", **halyna)
    undo_match(match_id=Match.objects.get(statement_line=line).pk, reason="помилка", **halyna)
    undo_advance_return(return_id=returned.pk, reason="помилка", **halyna)
    line.refresh_from_db()
    assert (line.status, standing(town)) == ("unmatched", before) and agrees(town)
    # Money of cards can be said again after it was undone.
    for _time in range(2):
        explain_as_cards(line_id=line.pk, **halyna)
        assert balances(town.office)["card:stripe"] == -back - 6_000 and agrees(town)
        undo_explanation(line_id=line.pk, reason="помилка", **halyna)
    assert standing(town) == before


def test_what_is_left_of_a_divided_line_is_taken_by_one_document(town: AdvanceTown, case: ClawbackCase) -> None:
    notice, halyna = notice_of(town), town.who("halyna", DECIDED)
    line = credit(town)
    divide(town, line, Part("fee", notice.number, 20_000 - OWED), Part("open", "", OWED))
    with pytest.raises(PartTaken):
        pay_notice_with_line(line_id=line.pk, notice=notice.number, **halyna)
    with pytest.raises(PartTaken):
        divide(town, line, Part("fee", notice.number, OWED))
    repay_with_line(line_id=line.pk, case=case.number, **halyna)
    line.refresh_from_db()
    assert line.status == "matched" and agrees(town)
    with pytest.raises(LineNotOpen):
        divide(town, line, Part("fee", notice.number, 1))


Refused = tuple[type[DomainError], Callable[[FeeNotice, ClawbackCase], list[Part]]]
REFUSED: dict[str, Refused] = {
    "a kopiyka too few": (PartsDiffer, lambda n, c: [Part("fee", n.number, 5_749), Part("clawback", c.number, OWED)]),
    "a kopiyka too many": (PartsDiffer, lambda n, c: [Part("fee", n.number, 20_001)]),
    "a part below zero": (PartsDiffer, lambda n, c: [Part("fee", n.number, 20_001), Part("open", "", -1)]),
    "an empty part": (PartsDiffer, lambda n, c: [Part("fee", n.number, 20_000), Part("clawback", c.number, 0)]),
    "no document": (NothingDivided, lambda n, c: [Part("open", "", 20_000)]),
    "no part": (NothingDivided, lambda n, c: []),
    "two rests": (
        RestTwice,
        lambda n, c: [Part("fee", n.number, 19_000), Part("open", "", 500), Part("words", "відсотки", 500)],
    ),
    "a notice twice": (
        SamePartTwice,
        lambda n, c: [Part("fee", n.number, 10_000), Part("fee", n.rf_reference, 10_000)],
    ),
    "more than the case is owed": (
        MoreThanOwed,
        lambda n, c: [Part("clawback", c.number, OWED + 1), Part("fee", n.number, 20_000 - OWED - 1)],
    ),
    "no such notice": (NoticeUnknown, lambda n, c: [Part("fee", "FN-0", 20_000)]),
    "no such case": (CaseUnknown, lambda n, c: [Part("clawback", n.number, 20_000)]),
    "no such advance": (AdvanceUnknown, lambda n, c: [Part("advance", "ADV-0", 20_000)]),
    "no such payment": (PaymentUnknown, lambda n, c: [Part("returned", "PAY-0", 20_000)]),
    "words without words": (ReasonMissing, lambda n, c: [Part("fee", n.number, 19_999), Part("words", " ", 1)]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_division_is_refused_and_nothing_moves(town: AdvanceTown, case: ClawbackCase, name: str) -> None:
    notice, line = notice_of(town), credit(town)
    before = standing(town)
    error, parts = REFUSED[name]
    with pytest.raises(error):
        divide(town, line, *parts(notice, case))
    line.refresh_from_db()
    assert (line.status, standing(town), taken_of([line.pk])[line.pk]) == ("unmatched", before, 0)


def test_it_takes_a_reason_an_incoming_line_of_ours_and_an_open_month(town: AdvanceTown, case: ClawbackCase) -> None:
    notice, line = notice_of(town), credit(town)
    parts = [Part("fee", notice.number, 20_000 - OWED), Part("clawback", case.number, OWED)]
    with pytest.raises(ReasonMissing):
        divide(town, line, *parts, reason=" ")
    with pytest.raises(NotFound):
        divide_line(line_id=0, parts=parts, reason="x", **town.who("halyna", DECIDED))
    ClosedMonth.objects.create(
        organisation=town.office, month=line.booked_on.replace(day=1), closed_at=LATER, closed_by=town.cast["ivan"]
    )
    with pytest.raises(IntoClosedMonth):
        divide(town, line, *parts)
    assert taken_of([line.pk])[line.pk] == 0


def test_money_that_went_out_is_not_divided(town: AdvanceTown) -> None:
    notice = notice_of(town)
    line = StatementLine.objects.create(
        statement=credit(town).statement, position=2, booked_on=DECIDED.date(), amount_minor=-5_000, currency="UAH",
        status="unmatched",
    )  # fmt: skip
    with pytest.raises(NotToDivide):
        divide(town, line, Part("fee", notice.number, -5_000))


def test_the_database_refuses_more_than_the_line_and_a_second_taking(town: AdvanceTown, case: ClawbackCase) -> None:
    notice, other = notice_of(town), notice_of(town, 1)
    line = credit(town)
    divide(town, line, Part("fee", notice.number, 5_000), Part("open", "", 15_000))

    def receipt(of: FeeNotice, amount: int) -> FeeReceipt:
        return FeeReceipt(
            notice=of, method="bank", statement_line=line, amount_minor=amount, received_on=line.booked_on,
            recorded_at=DECIDED,
        )  # fmt: skip

    payment = Payment.objects.filter(status="confirmed").earliest("pk")
    back = Match(
        statement_line=line, payment=payment, kind="return", amount_minor=to_minor(payment.amount.amount),
        rule="by_hand", confidence=100, matched_at=DECIDED,
    )  # fmt: skip
    assert back.amount_minor > 15_000
    wrong: list[Any] = [receipt(other, 15_001), receipt(notice, 1), receipt(notice, 15_000), back]
    wrong.append(
        ClawbackRecovery(
            case=case, statement_line=line, amount_minor=15_001, recovered_on=line.booked_on, recorded_at=DECIDED
        )
    )
    for row in wrong:
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save()
    receipt(other, 15_000).save()
    assert taken_of([line.pk]) == {line.pk: 20_000}


def test_a_part_comes_back_by_hand_beside_a_fee(town: AdvanceTown) -> None:
    """The rest of a divided line is one of our payments that came back: matched as ever."""
    notice, payment = notice_of(town), Payment.objects.filter(status="confirmed").earliest("pk")
    back = to_minor(payment.amount.amount)
    line = credit(town, back + 100)
    divide(town, line, Part("fee", notice.number, 100), Part("open", "", back))
    match_line(line_id=line.pk, payment_ids=[payment.pk], reason="Повернення", **town.who("ivan", DECIDED))
    line.refresh_from_db()
    payment.refresh_from_db()
    assert (line.status, payment.status) == ("matched", "returned") and agrees(town)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(amount=st.integers(3, 40_000), cuts=st.tuples(st.floats(0, 1), st.floats(0, 1)), rest=st.sampled_from(
    ["open", "words", "cards", ""]), order=st.permutations([0, 1]))  # fmt: skip
def test_however_a_line_is_cut_its_parts_are_the_line(
    town: AdvanceTown, amount: int, cuts: tuple[float, float], rest: str, order: list[int]
) -> None:
    line, halyna = credit(town, amount), town.who("halyna", DECIDED)
    before = standing(town)
    first, second = sorted(1 + round(cut * (amount - 2)) for cut in cuts)
    sums = [first, second - first, amount - second]
    named = [Part("fee", notice_of(town, place).number, sums[place]) for place in (0, 1) if sums[place]]
    if not rest:
        named = [Part("fee", notice_of(town).number, amount)]
    parts = [*named, *([Part(rest, "відсотки", sums[2])] if rest else [])]
    divided = divide(town, line, *parts)
    assert sum(part.amount_minor for part in parts) == amount
    assert divided.status == {"open": "partial", "": "matched"}.get(rest, "explained")
    assert taken_of([line.pk])[line.pk] == sum(part.amount_minor for part in named)
    moved = balances(town.office)[f"bank:{town.office.iban}"] - before[f"bank:{town.office.iban}"]
    assert moved == amount - (sums[2] if rest == "open" else 0) and verify_books() == []
    if divided.status == "explained":
        undo_explanation(line_id=line.pk, reason="помилка", **halyna)
    receipts = list(FeeReceipt.objects.filter(statement_line=line, undoes=None).order_by("pk"))
    for place in order:
        if place < len(receipts):
            undo_fee_receipt(receipt_id=receipts[place].pk, reason="помилка", **halyna)
    line.refresh_from_db()
    assert (line.status, standing(town)) == ("unmatched", before)


def test_a_line_of_a_later_day_is_divided_on_its_own_day(town: AdvanceTown) -> None:
    notice, line = notice_of(town), credit(town)
    divided = divide_line(
        line_id=line.pk, parts=[Part("fee", notice.number, 20_000)], reason="x",
        **town.who("halyna", DECIDED + timedelta(days=9)),
    )  # fmt: skip
    assert divided.status == "matched" and FeeReceipt.objects.get().received_on == line.booked_on
