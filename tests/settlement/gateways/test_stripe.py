"""Transfers over real HTTP: what was taken is never sent again, what is unknown is never called failed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from settlement.gateways.base import PAID, RETURNED, UNKNOWN, GatewayError, OutcomeUnknown, PaymentOrder
from settlement.gateways.stripe import StripeGateway
from settlement.gateways.stripe_client import NotSigned, read_signed
from tests.settlement.gateways.orders import order
from tests.settlement.gateways.stripe_stand_in import SECRET, StripeStandIn, event, signature, stripe_on_loopback


@pytest.fixture
def stripe() -> Iterator[StripeStandIn]:
    with stripe_on_loopback() as server:
        yield server


def transfers(*amounts: str) -> PaymentOrder:
    """An order to connected accounts."""
    made = order(*amounts)
    items = tuple(replace(item, creditor_account=f"acct_{n}") for n, item in enumerate(made.instructions, 1))
    return replace(made, instructions=items)


@pytest.mark.parametrize("fault", ["lost_answer", "slow_answer", "lost_request", "broken"])
def test_an_answer_that_does_not_come_is_unknown_and_the_repetition_pays_once(
    stripe: StripeStandIn, fault: str
) -> None:
    gateway, asked = StripeGateway(), transfers("10.00", "20.00")
    stripe.faults = [fault]
    with pytest.raises(OutcomeUnknown):
        gateway.submit(asked)
    taken = fault in ("lost_answer", "slow_answer")
    assert gateway.status(asked)["PAY-2025-0001"] == (PAID if taken else UNKNOWN)
    gateway.submit(asked)
    assert sorted(row["amount"] for row in stripe.of("transfer")) == [1000, 2000]


def test_what_is_there_is_not_sent_again_even_when_its_key_is_forgotten(stripe: StripeStandIn) -> None:
    gateway = StripeGateway()
    first = gateway.submit(transfers("10.00"))
    stripe.answers.clear()
    assert gateway.submit(transfers("10.00")) == first
    assert len(stripe.of("transfer")) == 1


def test_another_sum_under_a_known_reference_is_refused(stripe: StripeStandIn) -> None:
    StripeGateway().submit(transfers("10.00"))
    with pytest.raises(GatewayError, match="ORDER_REPEATED"):
        StripeGateway().submit(transfers("11.00"))
    assert [row["amount"] for row in stripe.of("transfer")] == [1000]


def test_a_long_order_is_read_in_pages(stripe: StripeStandIn) -> None:
    asked = transfers(*["1.00"] * 120)
    StripeGateway().submit(asked)
    assert set(StripeGateway().status(asked).values()) == {PAID}
    StripeGateway().submit(asked)
    assert len(stripe.of("transfer")) == 120


def test_a_refusal_is_no_doubt(stripe: StripeStandIn) -> None:
    stripe.faults = ["refused"]
    with pytest.raises(GatewayError, match="REFUSED") as refused:
        StripeGateway().submit(transfers("10.00"))
    assert not isinstance(refused.value, OutcomeUnknown) and stripe.of("transfer") == []


def test_only_connected_accounts_are_paid(stripe: StripeStandIn) -> None:
    with pytest.raises(GatewayError, match="ACCOUNT_INVALID"):
        StripeGateway().submit(order("10.00"))
    assert stripe.requests == []


def test_a_reversed_transfer_came_back(stripe: StripeStandIn) -> None:
    asked = transfers("10.00")
    StripeGateway().submit(asked)
    stripe.of("transfer")[0]["reversed"] = True
    assert StripeGateway().status(asked) == {"PAY-2025-0001": RETURNED}


def test_a_signature_must_be_right_and_fresh() -> None:
    content = event("payment_intent.succeeded", {"id": "pi_1"}, created=1_760_000_000)
    with stripe_on_loopback():
        read = read_signed(content, signature(content))
        assert (read.kind, read.subject, read.created_at.year) == ("payment_intent.succeeded", {"id": "pi_1"}, 2025)
        for header in ("", "t=1,v1=00", signature(content, secret=SECRET + "x"), signature(content, moment=1)):
            with pytest.raises(NotSigned):
                read_signed(content, header)
        with pytest.raises(NotSigned):
            read_signed(content + b" ", signature(content))
        with pytest.raises(NotSigned):
            read_signed(b"\xff\xfe", signature(b"\xff\xfe"))
        for odd in (b"[]", b"{}", b'{"id": 1', b'{"id":"e","type":"t","created":1e99,"data":{"object":{}}}'):
            with pytest.raises(GatewayError, match="UNREADABLE_EVENT"):
                read_signed(odd, signature(odd))
