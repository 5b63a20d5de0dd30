"""What the bank says of a payment file before it pays: taken, or refused and why. Only a statement confirms."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, nothing_to_record, record
from config.clock import local_date
from config.errors import DomainError
from config.office.storage import attach, attachments_of
from config.transactions import step
from settlement.actions.payments import drop_payment, lock_payments, partly_paid, send_payments
from settlement.actions.runs import BY_FILE
from settlement.gateways.base import GatewayError
from settlement.gateways.pain002 import REFUSED, TAKEN, PaymentStatus, StatusReport, read_status_report
from settlement.models import Payment, PaymentRun
from settlement.statement_words import unreadable_words

REPORT_FILE = "status_report"


class ReportUnreadable(DomainError):
    """Not a status report."""

    code = "STATUS_REPORT_UNREADABLE"
    message = _("This file cannot be read as a bank's answer to a payment file (%(reason)s).")
    http_status = 400


class OrderUnknown(DomainError):
    """A report about somebody else's file."""

    code = "STATUS_REPORT_UNKNOWN"
    message = _("The bank answers to the payment file «%(order)s», which is none of ours.")


@dataclass(frozen=True)
class Answered:
    """What a report changed: payments taken and refused; ``contradicted``: refused although money has moved."""

    run: PaymentRun
    repeated: bool
    taken: int = 0
    refused: int = 0
    contradicted: int = 0


@action
def import_status_report(
    *, organisation: Organisation, name: str, content: bytes, actor: Actor, at: datetime
) -> Answered:
    """Keep a pain.002 report: taken payments count as sent, refused ones fail and may be paid again.

    A payment of which a statement has shown money is left as it is. Idempotent by content.
    Raises: ReportUnreadable, OrderUnknown. Locks: claims, run, payments. Posts: payment.sent, payment.failed.
    Audit: payment_run.answered.
    """
    report = _read(content)
    run = PaymentRun.objects.filter(organisation=organisation, message_id=report.order).exclude(message_id="").first()
    if run is None:
        raise OrderUnknown(order=report.order or "—")
    payments = lock_payments(Payment.objects.filter(payment_run=run, gateway=BY_FILE))
    digest = hashlib.sha256(content).hexdigest()
    if attachments_of(run).filter(kind=REPORT_FILE, sha256=digest).exists():
        nothing_to_record()
        return Answered(run, True)
    attach(
        organisation=organisation,
        to=run,
        kind=REPORT_FILE,
        name=name[:200],
        content=content,
        content_type="application/xml",
        uploaded_by_id=actor.user_id,
        at=at,
    )
    answered = _apply(run, payments, _by_payment(report, payments), actor, at)
    record(
        "payment_run.answered",
        run,
        *payments,
        actor=actor,
        at=at,
        taken=answered.taken,
        refused=answered.refused,
        contradicted=answered.contradicted,
        reasons=sorted({item.reason for item in report.statuses if item.status == REFUSED and item.reason}),
    )
    return answered


def _read(content: bytes) -> StatusReport:
    try:
        return read_status_report(content)
    except GatewayError as error:
        raise ReportUnreadable(reason=unreadable_words(error.code, error.params), reason_code=error.code) from error


def _by_payment(report: StatusReport, payments: Sequence[Payment]) -> dict[int, PaymentStatus]:
    """The narrowest status of each payment: its own, else that of the file."""
    found: dict[str, PaymentStatus] = {item.reference: item for item in report.statuses}
    whole = found.get("")
    known = {payment.pk: found.get(payment.reference, whole) for payment in payments}
    return {key: item for key, item in known.items() if item is not None}


@step
def _apply(
    run: PaymentRun, payments: Sequence[Payment], said: Mapping[int, PaymentStatus], actor: Actor, at: datetime
) -> Answered:
    moved = partly_paid(payments)
    taken = [row for row in payments if row.status == "prepared" and row.pk in said and said[row.pk].status == TAKEN]
    refused = [row for row in payments if row.pk in said and said[row.pk].status == REFUSED]
    failing = [row for row in refused if row.status in ("prepared", "sent") and row.pk not in moved]
    against = [row for row in refused if row.status in ("confirmed", "returned") or row.pk in moved]
    send_payments(taken, on=local_date(at, run.organisation.zone), actor=actor, at=at)
    for payment in failing:
        drop_payment([payment], actor=actor, at=at)
    return Answered(run, False, len(taken), len(failing), len(against))
