from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from settlement.gateways.base import GatewayError
from settlement.gateways.camt import read_camt
from settlement.gateways.pain001 import build_pain001
from settlement.gateways.simulated_bank import Movement, answer_payment_file, write_statement
from tests.settlement.gateways.conftest import Validate
from tests.settlement.gateways.orders import instruction, order

PAIN = build_pain001(order("242.00", "1520.00", "380.50"))


def test_statement_is_valid_against_the_schema(schema_errors: Validate) -> None:
    assert schema_errors("camt.053.001.08", answer_payment_file(PAIN)) == []


def test_one_payment_comes_back_and_one_credit_is_unknown() -> None:
    (statement,) = read_camt(answer_payment_file(PAIN))
    assert statement.findings == ()
    assert [entry.amount for entry in statement.entries] == [
        Decimal("-242.00"),
        Decimal("-1520.00"),
        Decimal("-380.50"),
        Decimal("380.50"),
        Decimal("1234.56"),
    ]
    returned, unknown = statement.entries[3], statement.entries[4]
    assert returned.is_return and returned.details[0].return_reason == "AC04"
    assert returned.details[0].end_to_end_id == "PAY-2025-0003"
    assert not unknown.is_return and unknown.details[0].end_to_end_id == ""


def test_a_single_payment_is_not_returned() -> None:
    (statement,) = read_camt(answer_payment_file(build_pain001(order("5.00"))))
    assert [entry.amount for entry in statement.entries] == [Decimal("-5.00"), Decimal("1234.56")]


def test_the_bank_is_deterministic_and_continues() -> None:
    assert answer_payment_file(PAIN) == answer_payment_file(PAIN)
    (later,) = read_camt(answer_payment_file(PAIN, sequence=7, opening=Decimal("10.00")))
    assert later.sequence == 7
    closing = later.balance("CLBD")
    assert closing is not None and closing.amount == Decimal("10.00") - Decimal("1762.00") + Decimal("1234.56")


def test_two_accounts_in_one_file_are_refused() -> None:
    content = build_pain001(replace(order("1.00"), instructions=(instruction(1), instruction(2, debtor=2))))
    with pytest.raises(GatewayError, match="ONE_ACCOUNT_EXPECTED"):
        answer_payment_file(content)


def test_a_statement_of_some_days_is_valid_and_tells_who_paid_what_for_what(schema_errors: Validate) -> None:
    paid = Movement(date(2025, 11, 20), Decimal("12.50"), "Примірна Ганна", "Плата RF20FN2025000002")
    sent = Movement(date(2025, 11, 24), Decimal("-3.00"), "", "Комісія", "UA123052990000035400000000003", "PAY-1")
    content = write_statement(
        [paid, sent],
        account="UA663052990000035400000000001",
        owner="Громада",
        currency="UAH",
        sequence=7,
        opening=Decimal("100.00"),
    )
    assert schema_errors("camt.053.001.08", content) == []
    (statement,) = read_camt(content)
    closing = statement.balance("CLBD")
    assert closing is not None and closing.amount == Decimal("109.50")
    assert statement.findings == ()
    first, second = statement.entries
    assert (first.booked_on, first.details[0].counterparty, first.details[0].remittance) == (
        paid.on,
        paid.name,
        paid.text,
    )
    assert (second.details[0].counterparty_account, second.details[0].end_to_end_id) == (sent.iban, sent.end_to_end)
