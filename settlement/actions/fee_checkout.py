"""Paying a notice by card: the intention is written first, then the page at Stripe is opened under its key."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _

from config.audit.actors import Actor
from config.audit.recording import action, nothing_to_record, record
from config.errors import DomainError
from settlement.actions.fees import lock_notice
from settlement.actions.runs import person
from settlement.documents import document_language
from settlement.fee_queries import with_sums
from settlement.gateways import stripe_client
from settlement.gateways.base import GatewayError, OutcomeUnknown
from settlement.models import FeeCheckout, FeeNotice

# Stripe takes pages that live from half an hour to a day. One is opened anew when it may not be asked for again.
LIFE, LEAST_LIFE = timedelta(hours=3), timedelta(minutes=31)


class NothingLeftToPay(DomainError):
    """The notice is paid."""

    code = "FEE_PAID"
    message = _("The notice «%(number)s» is paid. There is nothing left to pay.")


class CardsUnavailable(DomainError):
    """Stripe refused, or the office has no account there."""

    code = "CARDS_UNAVAILABLE"
    message = _("Paying by card is not possible now. Pay by bank transfer and quote the reference %(reference)s.")


class CardPageUnknown(DomainError):
    """No answer; asking again is safe."""

    code = "CARD_PAGE_UNKNOWN"
    message = _("The payment service did not answer. Nothing was charged. Press the button again in a minute.")
    http_status = 503


@dataclass(frozen=True)
class Start:
    """Where and when a person starts to pay. ``clock`` is the real time: Stripe knows no other."""

    back: str
    clock: datetime


def pay_by_card(*, notice: FeeNotice, start: Start, actor: Actor, at: datetime) -> FeeCheckout:
    """The page at Stripe for what is left of a notice; pressing again leads to the same page.

    Raises: NothingLeftToPay, CardsUnavailable, CardPageUnknown.
    """
    if not stripe_client.is_configured():
        raise CardsUnavailable(reference=notice.rf_reference)
    checkout = begin_checkout(notice=notice, start=start, actor=actor, at=at)
    if checkout.address:
        return checkout
    try:
        session = _open(checkout)
    except OutcomeUnknown as error:
        raise CardPageUnknown() from error
    except GatewayError as error:
        raise CardsUnavailable(reference=notice.rf_reference) from error
    return keep_page(checkout=checkout, session=session, actor=actor, at=at)


@action
def begin_checkout(*, notice: FeeNotice, start: Start, actor: Actor, at: datetime) -> FeeCheckout:
    """Write the intention to pay what is left. An open one of the same sum is taken again.

    Raises: NothingLeftToPay. Locks: the notice. Audit: fee_checkout.started.
    """
    lock_notice(notice)
    left = with_sums(FeeNotice.objects.filter(pk=notice.pk)).get().left_minor
    if left <= 0:
        raise NothingLeftToPay(number=notice.number)
    before = FeeCheckout.objects.filter(notice=notice, status="open").select_related("notice__organisation").first()
    if before is not None and before.amount_minor == left and before.expires_at - start.clock > LEAST_LIFE:
        nothing_to_record()
        return before
    if before is not None:
        before.move_to("expired", at=at)
    checkout = FeeCheckout.objects.create(
        notice=notice,
        amount_minor=left,
        key=f"checkout:{uuid.uuid4()}",
        back=start.back,
        expires_at=start.clock + LIFE,
        started_by_id=person(actor),
        started_at=at,
        status="open",
        status_at=at,
    )
    record("fee_checkout.started", notice, checkout, actor=actor, at=at, amount_minor=left)
    return checkout


@action
def keep_page(
    *, checkout: FeeCheckout, session: stripe_client.CheckoutSession, actor: Actor, at: datetime
) -> FeeCheckout:
    """Write down where the page is. Audit: fee_checkout.opened."""
    checkout.session, checkout.address = session.session, session.address
    checkout.save(update_fields=["session", "address"])
    record("fee_checkout.opened", checkout.notice, checkout, actor=actor, at=at, session=session.session)
    return checkout


def _open(checkout: FeeCheckout) -> stripe_client.CheckoutSession:
    notice = checkout.notice
    with override(document_language(notice.organisation)):
        # Nothing personal: the payer knows who they are, the number tells us the rest.
        title = gettext("Fee for social services, %(month)s, notice %(number)s") % {
            "month": f"{notice.month:%m.%Y}",
            "number": notice.number,
        }
    return stripe_client.open_checkout(
        key=checkout.key,
        amount_minor=checkout.amount_minor,
        currency=notice.organisation.currency,
        title=title,
        back=checkout.back,
        facts=notice_facts(notice),
        expires_at=checkout.expires_at,
    )


def notice_facts(notice: FeeNotice) -> dict[str, str]:
    """What an event needs to find the notice again."""
    return {"office": notice.organisation.code, "notice": notice.rf_reference}
