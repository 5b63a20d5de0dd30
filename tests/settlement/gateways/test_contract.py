"""What every gateway promises. The fake stands in for the real ones only because all pass this."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from settlement.gateways.bank_file import BankFileGateway
from settlement.gateways.base import STATUSES, UNKNOWN, Gateway, GatewayError, PaymentOrder, Submission
from settlement.gateways.fake import FakeGateway
from settlement.gateways.simulated_bank import answer_payment_file
from settlement.gateways.stripe import StripeGateway
from tests.settlement.gateways.orders import order
from tests.settlement.gateways.stripe_stand_in import stripe_on_loopback
from tests.settlement.gateways.test_stripe import transfers


@dataclass(frozen=True)
class Side:
    """A gateway, how orders for it look, and what the other side reports of a submission."""

    gateway: Gateway
    order: Callable[..., PaymentOrder]
    reply: Callable[[Submission], bytes]


@pytest.fixture(params=["bank_file", "stripe", "fake"])
def side(request: pytest.FixtureRequest) -> Iterator[Side]:
    if request.param == "bank_file":
        yield Side(BankFileGateway(), order, lambda submission: answer_payment_file(submission.content))
    elif request.param == "fake":
        yield Side(FakeGateway(), order, FakeGateway.report)
    else:
        with stripe_on_loopback() as stripe:
            yield Side(
                StripeGateway(), transfers, lambda _submission: json.dumps({"data": stripe.of("transfer")}).encode()
            )


def test_submitting_twice_is_one_submission(side: Side) -> None:
    first = side.gateway.submit(side.order("1.00", "2.00"))
    assert side.gateway.submit(side.order("1.00", "2.00")) == first


def test_submission_names_the_order(side: Side) -> None:
    submission = side.gateway.submit(side.order("1.00"))
    assert submission.reference == "PR-2025-0001"
    assert submission.file_name and submission.content_type and submission.content


def test_every_payment_comes_back_in_the_report_once(side: Side) -> None:
    asked = side.order("1.00", "2.50")
    side.gateway.submit(asked)
    (statement,) = side.gateway.read_report(side.reply(side.gateway.submit(asked)))
    paid = [(d.end_to_end_id, str(-(d.amount or 0))) for e in statement.entries for d in e.details if e.amount < 0]
    assert sorted(paid) == [("PAY-2025-0001", "1.00"), ("PAY-2025-0002", "2.50")]


def test_the_status_of_every_payment_is_told_and_never_failed_by_doubt(side: Side) -> None:
    asked = side.order("1.00", "2.00")
    before = side.gateway.status(asked)
    assert before == {"PAY-2025-0001": UNKNOWN, "PAY-2025-0002": UNKNOWN}
    side.gateway.submit(asked)
    after = side.gateway.status(asked)
    assert after.keys() == before.keys() and set(after.values()) <= STATUSES and "failed" not in STATUSES


def test_an_empty_order_is_refused(side: Side) -> None:
    with pytest.raises(GatewayError, match="ORDER_EMPTY"):
        side.gateway.submit(side.order())


def test_bad_amounts_and_references_are_refused(side: Side) -> None:
    with pytest.raises(GatewayError, match="AMOUNT_INVALID"):
        side.gateway.submit(side.order("0.001"))
    one = side.order("1.00")
    with pytest.raises(GatewayError, match="REFERENCE_REPEATED"):
        side.gateway.submit(replace(one, instructions=one.instructions * 2))


def test_an_unreadable_report_is_refused(side: Side) -> None:
    with pytest.raises(GatewayError):
        side.gateway.read_report(b"not a report")
