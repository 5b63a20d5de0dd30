"""Where Stripe delivers its messages: open to everybody, believed only with a fresh signature."""

from __future__ import annotations

import hashlib

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from config.clock import business_now
from settlement.actions.stripe_events import count_refusal, keep_event
from settlement.gateways.base import GatewayError
from settlement.gateways.stripe_client import read_signed

# Events of ours are of a few kilobytes.
MAX_BYTES = 256 * 1024


@csrf_exempt
@require_POST
def webhook(request: HttpRequest) -> HttpResponse:
    """Keep a signed event and answer at once; a worker deals with it. What is not signed is counted and refused."""
    if not settings.STRIPE_WEBHOOK_SECRET:
        raise Http404
    content = request.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        return _refused("TOO_LARGE", content, 413)
    try:
        event = read_signed(content, request.headers.get("Stripe-Signature", ""))
    except GatewayError as error:
        return _refused(error.code, content, 400)
    keep_event(event=event, at=business_now())
    return HttpResponse(status=200)


def _refused(reason: str, content: bytes, status: int) -> HttpResponse:
    count_refusal(reason=reason, sha256=hashlib.sha256(content).hexdigest(), at=business_now())
    return HttpResponse(status=status)
