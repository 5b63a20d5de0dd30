"""Representatives of recipients: who may act for a person, on what ground and until when."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.utils.translation import gettext_lazy as _

from config.audit.actors import Actor
from config.audit.recording import action, record
from config.errors import DomainError
from config.locks import lock_rows
from vouchers.models import Mandate, Recipient


class MandateDates(DomainError):
    """It would end before it begins."""

    code = "MANDATE_DATES"
    message = _("The mandate would end before it begins, or later than is on record. Correct the last day.")


@action
def record_mandate(
    *,
    recipient: Recipient,
    representative: str,
    basis: str,
    valid_from: date,
    last_day: date | None,
    actor: Actor,
    at: datetime,
) -> Mandate:
    """Put on record who may act for a recipient; ``last_day`` counts, None is open.

    Source: CRT-10. Raises: MandateDates. Audit: mandate.recorded, without the name.
    """
    if last_day is not None and last_day < valid_from:
        raise MandateDates()
    mandate = Mandate.objects.create(
        recipient=recipient,
        name=representative.strip(),
        basis=basis,
        valid_from=valid_from,
        valid_to=last_day and last_day + timedelta(days=1),
    )
    record("mandate.recorded", recipient, mandate, actor=actor, at=at, basis=basis, valid_from=valid_from)
    return mandate


@action
def end_mandate(*, mandate: Mandate, last_day: date, actor: Actor, at: datetime) -> Mandate:
    """Let a mandate end, earlier than it said. Raises: MandateDates. Locks: the mandate. Audit: mandate.ended."""
    mandate = lock_rows(Mandate.objects.filter(pk=mandate.pk).select_related("recipient"))[0]
    valid_to = last_day + timedelta(days=1)
    if valid_to <= mandate.valid_from or (mandate.valid_to is not None and valid_to > mandate.valid_to):
        raise MandateDates()
    mandate.valid_to = valid_to
    mandate.save(update_fields=["valid_to"])
    record("mandate.ended", mandate.recipient, mandate, actor=actor, at=at, last_day=last_day)
    return mandate
