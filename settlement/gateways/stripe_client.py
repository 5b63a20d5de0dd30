"""Talking to Stripe: one client, one reading of its errors. The library is loaded when the first request is made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings

from settlement.gateways.base import GatewayError, OutcomeUnknown

if TYPE_CHECKING:
    from stripe import StripeClient

# Answers after which nobody knows whether the request was carried out, or which ask to come again.
_OPEN_STATUSES = frozenset({409, 429})


class NotSigned(GatewayError):
    """A delivery that does not prove to come from Stripe."""


@dataclass(frozen=True)
class CheckoutSession:
    """A page of Stripe on which one sum is paid. ``address`` is where the payer goes."""

    session: str
    address: str


@dataclass(frozen=True)
class SignedEvent:
    """An event whose signature holds. ``subject`` is the object it speaks of, as Stripe describes it."""

    event_id: str
    kind: str
    created_at: datetime
    subject: dict[str, Any]


def is_configured() -> bool:
    """Whether card payments can be offered: both the key and the secret of the webhook are set."""
    return bool(settings.STRIPE_API_KEY and settings.STRIPE_WEBHOOK_SECRET)


def client() -> StripeClient:
    """A client with the key and address of the settings. It never repeats a request by itself: jobs do."""
    import stripe

    return stripe.StripeClient(
        settings.STRIPE_API_KEY,
        base_addresses={"api": settings.STRIPE_API_BASE} if settings.STRIPE_API_BASE else {},
        max_network_retries=0,
        http_client=stripe.RequestsClient(timeout=settings.STRIPE_TIMEOUT_SECONDS),
    )


@contextmanager
def reading_errors() -> Iterator[None]:
    """Errors of the library as ours. Raises: OutcomeUnknown, GatewayError."""
    import stripe

    try:
        yield
    except stripe.APIConnectionError as error:
        raise OutcomeUnknown("no answer") from error
    except stripe.IdempotencyError as error:
        raise GatewayError("ORDER_REPEATED", reason=str(error.user_message)) from error
    except stripe.StripeError as error:
        status = error.http_status
        if status is None or status >= 500 or status in _OPEN_STATUSES:
            raise OutcomeUnknown(f"status {status}") from error
        raise GatewayError("REFUSED", status=status, reason=error.code or str(error.user_message)) from error


def open_checkout(*, key: str, amount_minor: int, currency: str, title: str, back: str, facts: dict[str, str],
                  expires_at: datetime) -> CheckoutSession:  # fmt: skip
    """Make the page on which ``amount_minor`` is paid. The same key is the same page.

    ``facts`` go with the payment and come back with every event about it. Raises: OutcomeUnknown, GatewayError.
    """
    item = {
        "price_data": {"currency": currency.lower(), "unit_amount": amount_minor, "product_data": {"name": title}},
        "quantity": 1,
    }
    wanted: Any = {
        "mode": "payment",
        "line_items": [item],
        "metadata": facts,
        "payment_intent_data": {"metadata": facts},
        "success_url": back,
        "cancel_url": back,
        "expires_at": int(expires_at.timestamp()),
    }
    with reading_errors():
        made = client().v1.checkout.sessions.create(wanted, {"idempotency_key": key})
    return CheckoutSession(made.id, made.url or "")


def refund(*, key: str, payment: str, amount_minor: int, facts: dict[str, str]) -> tuple[str, str]:
    """Give a part of a payment intent back: (id of the refund, Stripe's status of it). The same key is one refund.

    ``facts`` names the refund: keys are forgotten after some days, so refunds that are there are looked at first.
    Raises: OutcomeUnknown, GatewayError.
    """
    with reading_errors():
        refunds = client().v1.refunds
        rows = refunds.list({"payment_intent": payment, "limit": 100}).auto_paging_iter()
        made = next((row for row in rows if _names(row.to_dict(), facts["refund"])), None)
        if made is None:
            made = refunds.create(
                {"payment_intent": payment, "amount": amount_minor, "metadata": facts}, {"idempotency_key": key}
            )
    return made.id, made.status or ""


def _names(row: dict[str, Any], refund: str) -> bool:
    return bool((row.get("metadata") or {}).get("refund") == refund)


def read_signed(content: bytes, header: str) -> SignedEvent:
    """The event of a delivery, once its signature and age are right. Raises: NotSigned, GatewayError."""
    import stripe

    try:
        stripe.WebhookSignature.verify_header(
            content, header, settings.STRIPE_WEBHOOK_SECRET, settings.STRIPE_WEBHOOK_TOLERANCE
        )
    except (stripe.SignatureVerificationError, UnicodeDecodeError) as error:
        raise NotSigned("NOT_SIGNED") from error
    try:
        event = json.loads(content)
        created = datetime.fromtimestamp(event["created"], UTC)
        return SignedEvent(event["id"], event["type"], created, event["data"]["object"])
    except (ValueError, KeyError, TypeError, OverflowError, OSError) as error:
        raise GatewayError("UNREADABLE_EVENT") from error
