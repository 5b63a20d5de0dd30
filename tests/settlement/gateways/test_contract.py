"""What every gateway promises. The fake stands in for the real one only because both pass this."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from settlement.gateways.bank_file import BankFileGateway
from settlement.gateways.base import Gateway, GatewayError, Submission
from settlement.gateways.fake import FakeGateway
from settlement.gateways.simulated_bank import answer_payment_file
from tests.settlement.gateways.orders import instruction, order

Reply = Callable[[Submission], bytes]


def bank(submission: Submission) -> bytes:
    return answer_payment_file(submission.content)


@pytest.fixture(params=["bank_file", "fake"])
def pair(request: pytest.FixtureRequest) -> tuple[Gateway, Reply]:
    return (BankFileGateway(), bank) if request.param == "bank_file" else (FakeGateway(), FakeGateway.report)


def test_submitting_twice_is_one_submission(pair: tuple[Gateway, Reply]) -> None:
    gateway, _ = pair
    assert gateway.submit(order("1.00", "2.00")) == gateway.submit(order("1.00", "2.00"))


def test_submission_names_the_order(pair: tuple[Gateway, Reply]) -> None:
    submission = pair[0].submit(order("1.00"))
    assert submission.reference == "PR-2025-0001"
    assert submission.file_name and submission.content_type and submission.content


def test_every_payment_comes_back_in_the_report(pair: tuple[Gateway, Reply]) -> None:
    gateway, reply = pair
    (statement,) = gateway.read_report(reply(gateway.submit(order("1.00", "2.50"))))
    paid = {d.end_to_end_id: -(d.amount or 0) for e in statement.entries for d in e.details if e.amount < 0}
    assert {reference: str(amount) for reference, amount in paid.items()} == {
        "PAY-2025-0001": "1.00",
        "PAY-2025-0002": "2.50",
    }


def test_an_empty_order_is_refused(pair: tuple[Gateway, Reply]) -> None:
    with pytest.raises(GatewayError, match="ORDER_EMPTY"):
        pair[0].submit(order())


def test_bad_amounts_and_references_are_refused(pair: tuple[Gateway, Reply]) -> None:
    with pytest.raises(GatewayError, match="AMOUNT_INVALID"):
        pair[0].submit(order("0.001"))
    with pytest.raises(GatewayError, match="REFERENCE_REPEATED"):
        pair[0].submit(replace(order("1.00"), instructions=(instruction(1), instruction(1))))


def test_an_unreadable_report_is_refused(pair: tuple[Gateway, Reply]) -> None:
    with pytest.raises(GatewayError):
        pair[0].read_report(b"not a report")
