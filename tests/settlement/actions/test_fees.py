"""Notices of fees: what adjudication says is asked for once, and follows it when it changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.utils import InternalError, ProgrammingError
from stdnum import iso11649

from config.accounts.models import Organisation, User
from config.money import from_minor
from contracts.models import Provider
from settlement.actions.bank_lines import LineNotOpen
from settlement.actions.fee_lines import NotHeld, explain_as_cards, explain_as_passed_on
from settlement.actions.fees import NothingToCharge, issue_fee_notices
from settlement.actions.line_parts import NoticeUnknown, NotToDivide, pay_notice_with_line
from settlement.actions.reconciliation import import_statement
from settlement.books import verify_books
from settlement.fee_queries import fee_notices, months_to_charge
from settlement.models import FeeCharge, FeeNotice, FeeReceipt, FeeRefund, StatementLine
from tests.settlement.actions.fee_statements import OPENING, credit, debit, statement
from tests.settlement.actions.fee_town import AT, NOVEMBER, OWED, balanced, fee_town, noticed, sums
from tests.settlement.actions.payables import balances

pytestmark = pytest.mark.django_db(transaction=True)
Town = tuple[Organisation, dict[str, User]]


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return fee_town(tmp_path)


def bring(town: Town, content: bytes) -> int:
    organisation, users = town
    (found,) = import_statement(
        organisation=organisation, name="s.xml", content=content, actor=users["halyna"].as_actor(), at=AT
    )
    return found.open_lines


def test_a_month_is_noticed_once(town: Town) -> None:
    assert months_to_charge(town[0]) == [(NOVEMBER, OWED, False)]
    notice = noticed(*town)
    assert iso11649.is_valid(notice.rf_reference) and notice.number == "FN-2025-000001"
    assert sums(notice) == (OWED, 0, 0, OWED)
    with pytest.raises(NothingToCharge):
        noticed(*town)
    assert FeeCharge.objects.count() == 1 and months_to_charge(town[0]) == []
    assert balances(town[0])["receivable:fees"] == OWED and balances(town[0])["held:P1"] == -OWED
    assert balanced()


def test_a_later_judgement_lowers_the_notice(town: Town) -> None:
    notice = noticed(*town)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE settlement_adjudication SET fee = fee - 100, payable = payable + 100 "
            "WHERE id = (SELECT min(id) FROM settlement_adjudication)"
        )
        cursor.execute("SET session_replication_role = DEFAULT")
    issue_fee_notices(organisation=town[0], month=NOVEMBER, actor=town[1]["halyna"].as_actor(), at=AT)
    assert FeeNotice.objects.count() == 1 and sums(notice) == (OWED - 100, 0, 0, OWED - 100)
    assert balances(town[0])["receivable:fees"] == OWED - 100


def test_another_office_has_nothing_to_charge(town: Town, other_organisation: Organisation) -> None:
    with pytest.raises(NothingToCharge):
        issue_fee_notices(organisation=other_organisation, month=NOVEMBER, actor=town[1]["halyna"].as_actor(), at=AT)


def test_a_bank_transfer_is_known_by_its_reference_in_parts_and_too_much(town: Town) -> None:
    notice = noticed(*town)
    left = bring(town, statement(town[0], 1, credit(10_000, f"Оплата {notice.rf_reference}"), credit(500, "Дарунок")))
    assert left == 1 and sums(notice) == (OWED, 10_000, 0, OWED - 10_000)
    spaced = " ".join([notice.rf_reference[i : i + 4] for i in range(0, len(notice.rf_reference), 4)])
    after = OPENING + from_minor(10_500)
    bring(town, statement(town[0], 2, credit(20_000, f"решта {spaced}"), opening=after))
    assert sums(notice)[3] == OWED - 30_000
    assert list(fee_notices(town[0], state="overpaid")) == [notice]
    assert balances(town[0])["receivable:fees"] == OWED - 30_000
    assert balanced()


def test_the_same_statement_twice_is_one_receipt(town: Town) -> None:
    notice = noticed(*town)
    content = statement(town[0], 1, credit(10_000, notice.rf_reference))
    bring(town, content)
    bring(town, content)
    assert FeeReceipt.objects.count() == 1 and balanced()


def test_a_line_that_quotes_two_notices_or_none_waits_for_a_person(town: Town) -> None:
    notice = noticed(*town)
    other = FeeNotice.objects.create(
        organisation=town[0], recipient=notice.recipient, month=NOVEMBER.replace(month=10), number="FN-2025-000009",
        rf_reference="RF18539007547034", issued_at=AT,
    )  # fmt: skip
    text = f"{notice.rf_reference} {other.rf_reference}"
    assert bring(town, statement(town[0], 1, credit(100, text), credit(200, "RF00"), debit(300, "x"))) == 3
    assert FeeReceipt.objects.count() == 0


def test_books_name_the_notice_that_was_changed_behind_the_triggers(town: Town) -> None:
    notice = noticed(*town)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE settlement_feecharge SET amount_minor = amount_minor + 1")
        cursor.execute("SET session_replication_role = DEFAULT")
    (fault,) = [fault for fault in verify_books() if fault.check == "fee notices equal the ledger"]
    assert fault.row == f"fee notice {notice.number}" and (fault.expected, fault.found) == ("28501", "28500")


def test_the_database_refuses_edited_history_and_refunds_above_the_receipt(town: Town) -> None:
    notice = noticed(*town)
    bring(town, statement(town[0], 1, credit(10_000, notice.rf_reference)))
    receipt = FeeReceipt.objects.get()
    for change in (FeeReceipt, FeeNotice, FeeCharge):
        with pytest.raises((InternalError, ProgrammingError)), transaction.atomic():
            change.objects.update(id=1)
    FeeRefund.objects.create(receipt=receipt, amount_minor=9_000, requested_at=AT, status="requested")
    with pytest.raises(IntegrityError, match="exceed"), transaction.atomic():
        FeeRefund.objects.create(receipt=receipt, amount_minor=1_001, requested_at=AT, status="requested")
    FeeRefund.objects.create(receipt=receipt, amount_minor=1_000, requested_at=AT, status="requested")


def test_lines_that_a_person_books(town: Town) -> None:
    notice = noticed(*town)
    organisation, users = town
    bring(
        town,
        statement(
            organisation, 1, credit(20_000, "за послуги"), credit(9_000, "STRIPE"), debit(4_000, "Турботі"),
            debit(16_001, "забагато"), debit(16_000, "решта"),
        ),
    )  # fmt: skip
    fee, cards, passed, large, rest = StatementLine.objects.order_by("position")
    shared: dict[str, Any] = {"organisation": organisation, "actor": users["halyna"].as_actor(), "at": AT}
    provider = Provider.objects.get(code="P1")
    with pytest.raises(NoticeUnknown):
        pay_notice_with_line(line_id=fee.pk, notice="FN-2025-9", **shared)
    with pytest.raises(NotToDivide):
        pay_notice_with_line(line_id=passed.pk, notice=notice.number, **shared)
    pay_notice_with_line(line_id=fee.pk, notice=notice.number, **shared)
    with pytest.raises(LineNotOpen):
        pay_notice_with_line(line_id=fee.pk, notice=notice.number, **shared)
    explain_as_cards(line_id=cards.pk, **shared)
    explain_as_passed_on(line_id=passed.pk, provider_id=provider.pk, **shared)
    # 285.00 were asked for, 200.00 came, 40.00 went on: not more than 160.00 can.
    with pytest.raises(NotHeld, match=r"160[.,]00"):
        explain_as_passed_on(line_id=large.pk, provider_id=provider.pk, **shared)
    assert sums(notice)[3] == OWED - 20_000 and balances(organisation)["card:stripe"] == -9_000
    assert balances(organisation)["held:P1"] == 4_000 - OWED and balanced()
    explain_as_passed_on(line_id=rest.pk, provider_id=provider.pk, **shared)
    assert balances(organisation)["held:P1"] == 20_000 - OWED and balanced()
