"""A bank line that was no fee, no refund or no money of a case is taken back, and everything is as it was before."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Model
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.accounts.models import Organisation, User
from config.errors import NotFound
from config.money import from_minor
from settlement.actions.bank_lines import ReasonMissing, explain_line
from settlement.actions.clawbacks import LineSum, close_clawback
from settlement.actions.fee_refunds import RefundTooLarge, approve_refund, refuse_refund, request_refund
from settlement.actions.ledger import IntoClosedMonth
from settlement.actions.line_parts import pay_notice_with_line, repay_with_line
from settlement.actions.reconciliation import import_statement, match_again
from settlement.actions.undone_lines import (
    CaseClosed,
    RefundFirst,
    undo_fee_receipt,
    undo_refund_transfer,
    undo_repayment,
)
from settlement.age_queries import receivable_ages, recovery_ages, unmatched_ages
from settlement.books import verify_books
from settlement.models import (
    ClawbackCase,
    ClawbackRecovery,
    ClosedMonth,
    FeeNotice,
    FeeReceipt,
    FeeRefund,
    FeeRefundTransfer,
    Match,
    Payment,
    Statement,
    StatementLine,
)
from settlement.month_checks import month_checks
from tests.settlement.actions.clawback_town import DECEMBER, DECIDED, LATER, ClawbackTown, clawback_town
from tests.settlement.actions.fee_statements import OPENING, credit, debit, statement
from tests.settlement.actions.fee_town import AT, NOVEMBER, OWED, balanced, fee_town, noticed, sums
from tests.settlement.actions.payables import balances
from tests.trail import trail_for

pytestmark = pytest.mark.django_db(transaction=True)
Town = tuple[Organisation, dict[str, User]]
JANUARY = date(2026, 1, 1)


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return fee_town(tmp_path)


@pytest.fixture
def notice(town: Town) -> FeeNotice:
    return noticed(*town)


def who(town: Town, name: str = "halyna") -> dict[str, Any]:
    return {"organisation": town[0], "actor": town[1][name].as_actor(), "at": AT}


def bring(town: Town, content: bytes) -> Statement:
    (found,) = import_statement(name="s.xml", content=content, **who(town))
    return found.statement


def close(office: Organisation, month: date, by: User) -> ClosedMonth:
    return ClosedMonth.objects.create(organisation=office, month=month, closed_at=AT, closed_by=by)


def row_of(model: type[Model], row: Any, names: tuple[str, ...], **changed: Any) -> Any:
    """A copy of a row as the one that undoes it, changed."""
    said = {name: getattr(row, name) for name in names}
    return model(**said | {"amount_minor": -row.amount_minor, "undoes": row, "reason": "x"} | changed)


# --- Fees ------------------------------------------------------------------------------------------------------------


def test_a_receipt_is_undone_by_a_row_and_the_line_goes_to_its_notice(town: Town, notice: FeeNotice) -> None:
    other = FeeNotice.objects.create(
        organisation=town[0], recipient=notice.recipient, month=NOVEMBER.replace(month=10), number="FN-2025-000009",
        rf_reference="RF18539007547034", issued_at=AT,
    )  # fmt: skip
    before = balances(town[0]) | {f"bank:{town[0].iban}": 100_000_000, "funding:opening": -100_000_000}
    taken = bring(town, statement(town[0], 1, credit(10_000, notice.rf_reference)))
    receipt, line = FeeReceipt.objects.get(), StatementLine.objects.get()
    assert (taken.status, line.status, sums(notice)[3]) == ("reconciled", "matched", OWED - 10_000)
    with pytest.raises(ReasonMissing):
        undo_fee_receipt(receipt_id=receipt.pk, reason=" ", **who(town))
    undone = undo_fee_receipt(receipt_id=receipt.pk, reason="Чужі кошти", **who(town))
    line.refresh_from_db()
    taken.refresh_from_db()
    assert (line.status, taken.status, undone.amount_minor) == ("unmatched", "imported", -10_000)
    assert sums(notice) == (OWED, 0, 0, OWED)
    assert {key: sum_ for key, sum_ in balances(town[0]).items() if sum_} == before
    assert balanced() and trail_for(notice)[0].action == "fee_receipt.undone"
    for again in (receipt, undone):
        with pytest.raises(NotFound):
            undo_fee_receipt(receipt_id=again.pk, reason="ще раз", **who(town))
    # It quotes the wrong notice still: a machine does not take it for that one again, a person says which is right.
    assert match_again(**who(town)) == 0 and FeeReceipt.objects.count() == 2
    pay_notice_with_line(line_id=line.pk, notice=other.number, **who(town))
    assert sums(other)[1] == 10_000 and balanced()
    [row] = [row for row in receivable_ages(town[0], AT.date()) if row.name == "11.2025"]
    assert row.total == OWED and unmatched_ages(town[0], AT.date()) == []


def test_an_undone_line_waits_and_may_be_the_same_notice_by_hand(town: Town, notice: FeeNotice) -> None:
    bring(town, statement(town[0], 1, credit(10_000, notice.rf_reference)))
    line = StatementLine.objects.get()
    for _time in range(2):
        receipt = FeeReceipt.objects.get(undoes=None, undone_by=None)
        undo_fee_receipt(receipt_id=receipt.pk, reason="помилка", **who(town))
        [row] = unmatched_ages(town[0], AT.date())
        assert row.total == 10_000 and balances(town[0])["receivable:fees"] == OWED
        pay_notice_with_line(line_id=line.pk, notice=notice.number, **who(town))
        assert balances(town[0])["receivable:fees"] == OWED - 10_000 and balanced()
    assert FeeReceipt.objects.count() == 5


def test_a_receipt_whose_money_goes_back_stays_until_the_refund_is_refused(town: Town, notice: FeeNotice) -> None:
    bring(town, statement(town[0], 1, credit(10_000, notice.rf_reference)))
    receipt = FeeReceipt.objects.get()
    refund = request_refund(receipt_id=receipt.pk, amount_minor=4_000, reason="Зайве", **who(town))
    with pytest.raises(RefundFirst):
        undo_fee_receipt(receipt_id=receipt.pk, reason="помилка", **who(town))
    with pytest.raises(IntegrityError, match="goes back"), transaction.atomic():
        copy_of_receipt(receipt).save()
    refuse_refund(refund_id=refund.pk, reason="Ні", **who(town, "ivan"))
    undo_fee_receipt(receipt_id=receipt.pk, reason="помилка", **who(town))
    with pytest.raises(RefundTooLarge):
        request_refund(receipt_id=receipt.pk, amount_minor=1, reason="Зайве", **who(town))
    with pytest.raises(IntegrityError, match="exceed"), transaction.atomic():
        FeeRefund.objects.create(receipt=receipt, amount_minor=1, requested_at=AT, status="requested")
    assert balanced()


def copy_of_receipt(receipt: FeeReceipt, **changed: Any) -> FeeReceipt:
    names = ("notice", "method", "statement_line", "received_on", "recorded_at")
    return row_of(FeeReceipt, receipt, names, **changed)  # type: ignore[no-any-return]


def test_the_database_keeps_a_line_for_one_and_undoes_the_opposite(town: Town, notice: FeeNotice) -> None:
    bring(town, statement(town[0], 1, credit(10_000, notice.rf_reference), credit(500, "дарунок")))
    receipt, line = FeeReceipt.objects.get(), StatementLine.objects.get(position=2)
    other = FeeNotice.objects.create(
        organisation=town[0], recipient=notice.recipient, month=NOVEMBER.replace(month=10), number="FN-2025-000009",
        rf_reference="RF18539007547034", issued_at=AT,
    )  # fmt: skip
    refused: list[tuple[str, dict[str, Any]]] = [
        ("taken already", {"undoes": None, "amount_minor": 10_000}),
        ("not undone by", {"amount_minor": -9_999}),
        ("not undone by", {"statement_line": line}),
        ("not undone by", {"notice": other}),
        ("with_reason", {"reason": ""}),
        ("less of it is left", {"undoes": None, "statement_line": line}),
    ]
    for words, changed in refused:
        with pytest.raises(IntegrityError, match=words), transaction.atomic():
            copy_of_receipt(receipt, **changed).save()
    undone = undo_fee_receipt(receipt_id=receipt.pk, reason="помилка", **who(town))
    with pytest.raises(IntegrityError, match="not undone by"), transaction.atomic():
        copy_of_receipt(receipt, undoes=undone, amount_minor=10_000).save()
    with pytest.raises(IntegrityError), transaction.atomic():
        copy_of_receipt(receipt).save()
    assert FeeReceipt.objects.count() == 2 and balanced()


def test_a_line_is_undone_into_no_closed_month(town: Town, notice: FeeNotice) -> None:
    bring(town, statement(town[0], 1, credit(10_000, notice.rf_reference)))
    close(town[0], date(2025, 12, 1), town[1]["ivan"])
    with pytest.raises(IntoClosedMonth):
        undo_fee_receipt(receipt_id=FeeReceipt.objects.get().pk, reason="помилка", **who(town))
    assert FeeReceipt.objects.count() == 1 and StatementLine.objects.get().status == "matched" and balanced()


def test_another_office_undoes_nothing(town: Town, notice: FeeNotice, other_organisation: Organisation) -> None:
    bring(town, statement(town[0], 1, credit(10_000, notice.rf_reference)))
    with pytest.raises(NotFound):
        undo_fee_receipt(
            receipt_id=FeeReceipt.objects.get().pk, reason="x", **who(town) | {"organisation": other_organisation}
        )


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.integers(0, 2), max_size=8))
def test_whatever_is_taken_and_undone_the_sums_are_those_of_what_holds(town: Town, steps: list[int]) -> None:
    notice = FeeNotice.objects.first() or noticed(*town)
    if not StatementLine.objects.exists():
        bring(town, statement(town[0], 1, *[credit(amount, "без призначення") for amount in (10_000, 700, 30_001)]))
    lines = list(StatementLine.objects.order_by("position"))
    before = {key: sum_ for key, sum_ in balances(town[0]).items() if sum_}
    held: dict[int, int] = {}
    for place in [*steps, *[place for place in range(3) if steps.count(place) % 2]]:
        if place in held:
            undo_fee_receipt(receipt_id=held.pop(place), reason="помилка", **who(town))
        else:
            pay_notice_with_line(line_id=lines[place].pk, notice=notice.number, **who(town))
            held[place] = FeeReceipt.objects.get(statement_line=lines[place], undoes=None, undone_by=None).pk
        taken = sum(lines[place].amount_minor for place in held)
        assert sums(notice)[1:] == (taken, 0, OWED - taken)
        assert balances(town[0])["receivable:fees"] == OWED - taken
    assert {key: sum_ for key, sum_ in balances(town[0]).items() if sum_} == before


# --- Refunds ---------------------------------------------------------------------------------------------------------


def refunded(town: Town, notice: FeeNotice) -> FeeRefundTransfer:
    """100.00 came, and a line took 40.00 out again."""
    bring(town, statement(town[0], 1, credit(10_000, notice.rf_reference)))
    receipt = FeeReceipt.objects.get()
    refund = request_refund(receipt_id=receipt.pk, amount_minor=4_000, reason="Зайве", **who(town))
    approve_refund(refund_id=refund.pk, **who(town, "ivan"))
    bring(town, statement(town[0], 2, debit(4_000, notice.rf_reference), opening=OPENING + from_minor(10_000)))
    return FeeRefundTransfer.objects.get()


def test_a_refund_waits_again_when_its_line_was_something_else(town: Town, notice: FeeNotice) -> None:
    sent = refunded(town, notice)
    assert (sent.refund.status, sums(notice)) == ("refunded", (OWED, 10_000, 4_000, OWED - 6_000))
    with pytest.raises(ReasonMissing):
        undo_refund_transfer(transfer_id=sent.pk, reason="", **who(town))
    undone = undo_refund_transfer(transfer_id=sent.pk, reason="Це комісія", **who(town))
    refund, line = FeeRefund.objects.get(), sent.statement_line
    line.refresh_from_db()
    assert (refund.status, refund.refunded_on, line.status) == ("approved", None, "unmatched")
    assert sums(notice) == (OWED, 10_000, 0, OWED - 10_000) and undone.amount_minor == 4_000
    assert balances(town[0])["receivable:fees"] == OWED - 10_000 and balanced()
    assert trail_for(notice)[0].action == "fee_refund.undone"
    for again in (sent, undone):
        with pytest.raises(NotFound):
            undo_refund_transfer(transfer_id=again.pk, reason="ще раз", **who(town))
    assert match_again(**who(town)) == 0 and FeeRefund.objects.get().status == "approved"
    with pytest.raises(RefundFirst):
        undo_fee_receipt(receipt_id=refund.receipt_id, reason="помилка", **who(town))
    explain_line(line_id=line.pk, explanation="Комісія банку", **who(town))
    after = OPENING + from_minor(6_000)
    bring(town, statement(town[0], 3, debit(4_000, notice.rf_reference), opening=after))
    assert FeeRefund.objects.get().status == "refunded" and sums(notice)[2] == 4_000 and balanced()


def test_the_database_lets_a_refund_leave_once(town: Town, notice: FeeNotice) -> None:
    sent = refunded(town, notice)
    bring(town, statement(town[0], 3, debit(4_000, "?"), debit(3_999, "?"), opening=OPENING + from_minor(6_000)))
    same, less = StatementLine.objects.filter(status="unmatched").order_by("position")
    rows: list[tuple[str, dict[str, Any]]] = [
        ("left already", {"statement_line": same, "amount_minor": -4_000, "undoes": None}),
        ("left already", {"statement_line": less, "amount_minor": -3_999, "undoes": None}),
        ("not undone by", {"amount_minor": 3_999}),
        ("not undone by", {"statement_line": same}),
        ("with_reason", {"reason": ""}),
    ]
    for words, changed in rows:
        with pytest.raises(IntegrityError, match=words), transaction.atomic():
            row_of(FeeRefundTransfer, sent, ("refund", "statement_line", "recorded_at"), **changed).save()
    with pytest.raises(IntegrityError, match="fee_refund_gone"), transaction.atomic():
        FeeRefund.objects.filter(pk=sent.refund_id).update(status="approved", gateway_reference="re_1")
    assert FeeRefundTransfer.objects.count() == 1 and balanced()


# --- Money of clawbacks ----------------------------------------------------------------------------------------------


@pytest.fixture
def case_town(tmp_path: Path) -> ClawbackTown:
    return clawback_town(tmp_path)


def test_a_repayment_is_undone_and_the_case_is_owed_again(case_town: ClawbackTown) -> None:
    case = case_town.decided()
    halyna = case_town.who("halyna", DECIDED)
    before = balances(case_town.office)
    taken = case_town.receive((14_250, f"Повернення {case.rf_reference}"))
    case.refresh_from_db()
    row, line = ClawbackRecovery.objects.get(), taken.lines.get()
    assert (case.status, taken.status) == ("recovered", "reconciled")
    with pytest.raises(ReasonMissing):
        undo_repayment(recovery_id=row.pk, reason="", **halyna)
    undone = undo_repayment(recovery_id=row.pk, reason="Чужі кошти", **halyna)
    for changed in (case, taken, line):
        changed.refresh_from_db()
    assert (case.status, taken.status, line.status) == ("decided", "imported", "unmatched")
    assert (undone.amount_minor, undone.recorded_by) == (-14_250, case_town.cast["halyna"])
    assert balances(case_town.office) == before and verify_books() == []
    assert trail_for(case)[0].action == "clawback.unrepaid"
    [aged] = recovery_ages(case_town.office, DECIDED.date())
    assert aged.total == 14_250
    for again in (row, undone):
        with pytest.raises(NotFound):
            undo_repayment(recovery_id=again.pk, reason="ще раз", **halyna)
    assert match_again(**halyna) == 0 and ClawbackRecovery.objects.count() == 2
    repay_with_line(line_id=line.pk, case=case.number, **case_town.who("ivan", DECIDED))
    case.refresh_from_db()
    assert case.status == "recovered" and verify_books() == []
    assert not [
        check for check in month_checks(case_town.office, JANUARY) if check.code == "BANK_DIFFERS" and check.count
    ]


def test_what_is_owed_again_is_kept_back_by_the_next_run_and_stays(case_town: ClawbackTown) -> None:
    case = case_town.decided()
    case_town.receive((14_250, case.rf_reference))
    row = ClawbackRecovery.objects.get()
    undo_repayment(recovery_id=row.pk, reason="Чужі кошти", **case_town.who("halyna", DECIDED))
    case_town.december()
    case.refresh_from_db()
    offset = ClawbackRecovery.objects.get(remittance__isnull=False)
    assert (case.status, offset.amount_minor) == ("recovered", 14_250) and verify_books() == []
    with pytest.raises(NotFound):
        undo_repayment(recovery_id=offset.pk, reason="помилка", **case_town.who("halyna", LATER))
    with pytest.raises(IntegrityError), transaction.atomic():
        ClawbackRecovery.objects.create(
            case=case, remittance=offset.remittance, amount_minor=-14_250, recovered_on=DECEMBER, recorded_at=LATER,
            undoes=offset, reason="x",
        )  # fmt: skip


def test_a_line_that_a_case_took_is_no_return_until_that_is_undone(case_town: ClawbackTown) -> None:
    case = case_town.decided(LineSum(case_town.line().pk), LineSum(case_town.line(line=2).pk))
    line = case_town.receive((28_500, case.rf_reference)).lines.get()
    back = Match(
        statement_line=line, payment=Payment.objects.get(), kind="return", amount_minor=28_500, rule="by_hand",
        confidence=100, matched_at=DECIDED,
    )  # fmt: skip
    with pytest.raises(IntegrityError, match="beyond its amount"), transaction.atomic():
        back.save()
    row = ClawbackRecovery.objects.get()
    undo_repayment(recovery_id=row.pk, reason="Чужі кошти", **case_town.who("halyna", DECIDED))
    with transaction.atomic():
        back.save()
        with pytest.raises(IntegrityError, match="taken already"), transaction.atomic():
            copy_of_repayment(row, undoes=None, amount_minor=28_500).save()
        transaction.set_rollback(True)


def test_a_part_that_was_undone_leaves_the_rest(case_town: ClawbackTown) -> None:
    case = case_town.decided()
    case_town.receive((4_250, case.rf_reference), (10_000, case.rf_reference))
    row = ClawbackRecovery.objects.get(amount_minor=4_250)
    undo_repayment(recovery_id=row.pk, reason="Чужі кошти", **case_town.who("halyna", DECIDED))
    assert ClawbackCase.objects.get().status == "decided" and verify_books() == []
    second = ClawbackRecovery.objects.get(amount_minor=10_000)
    undo_repayment(recovery_id=second.pk, reason="Теж", **case_town.who("halyna", DECIDED))
    assert balances(case_town.office)["recovery:P1"] == 14_250 and verify_books() == []


def test_a_closed_case_and_a_closed_month_keep_their_money(case_town: ClawbackTown) -> None:
    case = case_town.decided()
    case_town.receive((14_250, case.rf_reference))
    row, halyna = ClawbackRecovery.objects.get(), case_town.who("halyna", LATER)
    month = close(case_town.office, JANUARY, case_town.cast["ivan"])
    with pytest.raises(IntoClosedMonth):
        undo_repayment(recovery_id=row.pk, reason="помилка", **halyna)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("DELETE FROM settlement_closedmonth WHERE id = %s", [month.pk])
        cursor.execute("DELETE FROM office_rowseal WHERE table_name = 'settlement_closedmonth'")
        cursor.execute("SET session_replication_role = DEFAULT")
    close_clawback(case_id=case.pk, reason="Повернено", **halyna)
    with pytest.raises(CaseClosed):
        undo_repayment(recovery_id=row.pk, reason="помилка", **halyna)
    with pytest.raises(IntegrityError, match="more is recovered"), transaction.atomic():
        copy_of_repayment(row).save()
    assert ClawbackCase.objects.get().status == "closed" and verify_books() == []


def copy_of_repayment(row: ClawbackRecovery, **changed: Any) -> ClawbackRecovery:
    names = ("case", "statement_line", "recovered_on", "recorded_at")
    return row_of(ClawbackRecovery, row, names, **changed)  # type: ignore[no-any-return]


def test_the_database_undoes_a_repayment_by_its_opposite(case_town: ClawbackTown) -> None:
    case = case_town.decided()
    taken = case_town.receive((4_250, case.rf_reference), (5, "?"))
    row = ClawbackRecovery.objects.get()
    refused: list[tuple[str, dict[str, Any]]] = [
        ("taken already", {"undoes": None, "amount_minor": 4_250}),
        ("not undone by", {"amount_minor": -4_249}),
        ("not undone by", {"statement_line": taken.lines.get(position=2)}),
        ("with_reason", {"reason": ""}),
        ("less of it is left", {"undoes": None, "statement_line": taken.lines.get(position=2)}),
    ]
    for words, changed in refused:
        with pytest.raises(IntegrityError, match=words), transaction.atomic():
            copy_of_repayment(row, **changed).save()
    late = case_town.who("halyna", DECIDED + timedelta(days=1))
    undone = undo_repayment(recovery_id=row.pk, reason="помилка", **late)
    with pytest.raises(IntegrityError, match="not undone by"), transaction.atomic():
        copy_of_repayment(row, undoes=undone, amount_minor=4_250).save()
    assert ClawbackRecovery.objects.count() == 2 and verify_books() == []
