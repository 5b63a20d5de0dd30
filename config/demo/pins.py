"""PINs of the demo's certificates. In real life a PIN is told once and not kept; a visitor of the demo and its
replay need them, so here they lie in the outbox as the notice to the fictional recipient.
"""

from __future__ import annotations

from datetime import datetime

from config.audit.actors import Actor
from config.audit.recording import action, label_of, record
from config.office.models import OutboxMessage
from vouchers.models import Certificate

CODE = "demo.pin"


@action
def keep_pin(*, certificate: Certificate, pin: str, actor: Actor, at: datetime) -> None:
    """Keep the PIN of a demo certificate. Audit: demo.pin_kept, without the PIN."""
    OutboxMessage.objects.create(
        organisation=certificate.organisation,
        code=CODE,
        params={"pin": pin},
        label=label_of(certificate),
        created_at=at,
    )
    record("demo.pin_kept", certificate, actor=actor, at=at, number=certificate.number)


def pin_of(certificate: Certificate) -> str:
    """The PIN of a demo certificate."""
    message = OutboxMessage.objects.filter(code=CODE, label=label_of(certificate)).latest("id")
    return str(message.params["pin"])
