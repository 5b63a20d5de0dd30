"""Payments after release: the file for the bank, handing it over, and what becomes of each payment."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from config.accounts.models import Organisation
from config.audit.actors import SYSTEM, Actor
from config.audit.recording import action, nothing_to_record, record
from config.clock import local_date
from config.errors import DomainError, NotFound
from config.locks import lock_rows
from config.office.jobs import enqueue
from config.office.models import Attachment
from config.office.storage import attach, attachments_of
from config.transactions import step
from contracts.actions.check_facts import refuse_related
from settlement.actions.advance_money import advances_of_payments, settle_advances
from settlement.actions.claim_states import settle_claims
from settlement.actions.payment_postings import post_payments
from settlement.actions.runs import BY_FILE, WRITE_FILE, lock_run
from settlement.documents import remittance_advice
from settlement.finance_queries import PAYMENT_FILE, payment_file
from settlement.gateways.bank_file import BankFileGateway
from settlement.gateways.base import Party, PaymentInstruction, PaymentOrder
from settlement.hold_queries import held_payments
from settlement.models import Advance, Claim, Match, Payment, PaymentRemittance, PaymentRun
from settlement.models.statements import LIVE

ADVICE = "remittance_advice"
FINAL_STATES = ("confirmed", "failed", "returned")


class FileNotWritten(DomainError):
    """The bank file does not exist yet."""

    code = "PAYMENT_FILE_MISSING"
    message = _("The bank file of «%(number)s» is not written yet. Wait a moment and reload the page.")


class PaymentHeld(DomainError):
    """A hold came after the release and before the bank."""

    code = "PAYMENT_HELD"
    message = _(
        "The payment %(reference)s to %(provider)s is held. Have the hold lifted by another person, or mark the "
        "payment as failed: the file is then written without it."
    )


class PartlyPaid(DomainError):
    """The bank carried out a part of it, so it did not refuse it."""

    code = "PAYMENT_PARTLY_PAID"
    message = _(
        "A bank line says that a part of the payment «%(reference)s» was carried out, so the bank has not refused it. "
        "If the line belongs to something else, undo the match on its page first."
    )


class StripeDecides(DomainError):
    """Nobody may guess what became of a transfer."""

    code = "PAYMENT_BY_TRANSFER"
    message = _("The payment «%(reference)s» goes by Stripe, which alone says what became of it. Ask there.")


def payment_order(run: PaymentRun, gateway: str = BY_FILE) -> PaymentOrder:
    """What of a released run goes by a gateway, as an order: the same run gives the same order."""
    office = run.organisation
    debtor = Party(office.name, office.registration_code)
    rows = run.payments.filter(gateway=gateway).exclude(status="failed").select_related("provider")
    assert run.status_at is not None  # set by the release
    return PaymentOrder(
        reference=run.message_id,
        initiator=debtor,
        created_at=run.status_at,
        instructions=tuple(_instruction(run, payment, debtor) for payment in rows.order_by("reference")),
    )


def _instruction(run: PaymentRun, payment: Payment, debtor: Party) -> PaymentInstruction:
    assert run.execution_date is not None  # set by the release
    return PaymentInstruction(
        reference=payment.reference,
        debtor=debtor,
        debtor_account=run.organisation.iban,
        creditor=Party(payment.provider.name, payment.provider.registration_code),
        creditor_account=payment.iban,
        amount=payment.amount.amount,
        currency=str(payment.amount.currency),
        execution_date=run.execution_date,
        remittance=_remittance_text(run, payment),
        creditor_reference=payment.rf_reference,
    )


def _remittance_text(run: PaymentRun, payment: Payment) -> str:
    # A bank document is in the state language of the organisation, whoever makes it.
    with override("ru" if run.organisation.jurisdiction == "RU" else "uk"):
        advances = [item.advance for item in payment.advance_items.select_related("advance__contract")]
        if advances:
            contracts = ", ".join(sorted({row.contract.number for row in advances}))
            told = {"contract": contracts[:60], "reference": payment.rf_reference}
            return str(_("Advance for social services, contract %(contract)s, %(reference)s") % told)
        params = {"month": f"{run.period:%m.%Y}", "reference": payment.rf_reference}
        return str(_("Social services for %(month)s, %(reference)s") % params)


@action
def write_payment_file(*, organisation: Organisation, run_id: int, actor: Actor = SYSTEM, at: datetime) -> Attachment:
    """Write the bank file of a released run and keep it as an attachment of the run.

    Idempotent: a run has one file, until a payment is dropped before anything of it was sent; then one without it.
    Raises: FileNotWritten when the run is not released; GatewayError for data no bank takes. Locks: run.
    Audit: payment_run.file_written.
    """
    run = lock_run(organisation, run_id)
    if run.status not in {"released", "closed"}:
        raise FileNotWritten(number=run.number)
    existing = payment_file(run)
    if existing is not None and not _outdated(existing, run):
        nothing_to_record()
        return existing
    submission = BankFileGateway().submit(payment_order(run))
    attachment = attach(
        organisation=organisation,
        to=run,
        kind=PAYMENT_FILE,
        name=submission.file_name,
        content=submission.content,
        content_type=submission.content_type,
        uploaded_by_id=actor.user_id,
        at=at,
    )
    run.payments.filter(gateway=BY_FILE).update(gateway_reference=submission.reference)
    record("payment_run.file_written", run, actor=actor, at=at, sha256=attachment.sha256)
    return attachment


def _outdated(file: Attachment, run: PaymentRun) -> bool:
    """Whether the file asks for a payment that was dropped, and nothing of it was sent yet."""
    states = set(run.payments.filter(gateway=BY_FILE).values_list("status", flat=True))
    if states != {"prepared", "failed"}:
        return False
    return hashlib.sha256(BankFileGateway().submit(payment_order(run)).content).hexdigest() != file.sha256


@action
def mark_payments_sent(*, organisation: Organisation, run_id: int, actor: Actor, at: datetime) -> list[Payment]:
    """Say that the file was handed to the bank: prepared payments become sent.

    Raises: FileNotWritten, PaymentHeld. Locks: run, payments. Posts: payment.sent. Audit: payment_run.sent.
    Idempotent: sent payments stay as they are.
    """
    run = lock_run(organisation, run_id)
    file = payment_file(run)
    if file is None or _outdated(file, run):
        raise FileNotWritten(number=run.number)
    payments = lock_rows(run.payments.filter(status="prepared", gateway=BY_FILE))
    if not payments:
        nothing_to_record()
        return []
    today = local_date(at, organisation.zone)
    _refuse_held(run, today)
    send_payments(payments, on=today, actor=actor, at=at)
    record("payment_run.sent", run, *payments, actor=actor, at=at, total=run.total.amount)
    return payments


def _refuse_held(run: PaymentRun, on: date) -> None:
    waiting = run.payments.filter(status="prepared", gateway=BY_FILE)
    held = held_payments(waiting, run.organisation, on).select_related("provider").first()
    if held is not None:
        raise PaymentHeld(reference=held.reference, provider=held.provider.name)


@step
def send_payments(payments: Sequence[Payment], *, on: date, actor: Actor, at: datetime) -> None:
    """Prepared payments become sent. Posts: payment.sent."""
    for payment in payments:
        payment.sent_at = at
        payment.save(update_fields=["sent_at"])
        payment.move_to("sent", at=at)
    post_payments("payment.sent", payments, on=on, actor=actor, at=at)


@step
def confirm_payments(
    payments: Sequence[Payment],
    *,
    on: dict[int, date],
    event: str = "payment.confirmed",
    actor: Actor,
    at: datetime,
) -> None:
    """Payments were carried out; ``on`` gives each payment's booking day. Posts: payment.sent, ``event``."""
    days = sorted(set(on.values()))
    for day in days:
        send_unsent([payment for payment in payments if on[payment.pk] == day], on=day, actor=actor, at=at)
    move_payments(payments, "confirmed", at=at)
    for day in days:
        post_payments(event, [payment for payment in payments if on[payment.pk] == day], on=day, actor=actor, at=at)


@step
def return_payments(
    payments: Sequence[Payment],
    *,
    on: dict[int, date],
    event: str = "payment.returned",
    actor: Actor,
    at: datetime,
) -> None:
    """Confirmed payments came back: their remittances may be paid again. Posts: ``event``."""
    move_payments(payments, "returned", at=at)
    for day in sorted(set(on.values())):
        group = [payment for payment in payments if on[payment.pk] == day]
        post_payments(event, group, on=day, actor=actor, at=at)


@step
def send_unsent(payments: Sequence[Payment], *, on: date, actor: Actor, at: datetime) -> None:
    """A payment that nobody marked as sent and that the bank has answered for was sent all the same."""
    send_payments([payment for payment in payments if payment.status == "prepared"], on=on, actor=actor, at=at)


@step
def move_payments(payments: Sequence[Payment], status: str, *, at: datetime) -> None:
    """Payments end, or are waited for again, with their remittances, claims and runs in step.

    Of payments that came back the remittances may be paid again. Raises: InvalidMove; IntegrityError when a return is
    undone and the money has been paid again.
    """
    for payment in payments:
        if (payment.status, status) == ("sent", "confirmed"):
            payment.confirmed_at = at
        elif status == "sent":
            payment.confirmed_at = None
        if "returned" in (payment.status, status):
            payment.items.update(live=status != "returned")
            payment.advance_items.update(live=status != "returned")
        payment.save(update_fields=["confirmed_at"])
        payment.move_to(status, at=at)
    _settle_paid(payments, at=at)
    close_finished_runs(payments, at=at)


@step
def _settle_paid(payments: Iterable[Payment], *, at: datetime) -> None:
    """What payments pay, in step with them."""
    settle_claims(_claims_of(payments), at=at)
    settle_advances(advances_of_payments(payment.pk for payment in payments).values_list("pk", flat=True), at=at)


@step
def lock_payments(payments: QuerySet[Payment]) -> list[Payment]:
    """Payments with what they pay and their runs, locked in the fixed order: advances, claims, runs, payments."""
    ids = list(payments.values_list("pk", flat=True))
    lock_rows(Advance.objects.filter(pk__in=advances_of_payments(ids).values("pk")))
    lock_rows(Claim.objects.filter(pk__in=Claim.objects.filter(remittances__payment_items__payment__in=ids)))
    lock_rows(PaymentRun.objects.filter(payments__in=ids))
    return lock_rows(Payment.objects.filter(pk__in=ids))


@action
def fail_payment(*, organisation: Organisation, payment_id: int, reason: str, actor: Actor, at: datetime) -> Payment:
    """The bank refused a payment before carrying it out; its remittances may be paid again. So may those of a transfer
    of which Stripe has not been asked yet.

    Raises: NotFound, RelatedPerson, StripeDecides, PartlyPaid, InvalidMove. Locks: claims, runs, payment.
    Posts: payment.failed when it had been sent. Audit: payment.failed.
    """
    rows = lock_payments(Payment.objects.filter(pk=payment_id, organisation=organisation))
    if not rows:
        raise NotFound()
    refuse_related(organisation=organisation, actor=actor, providers=[rows[0].provider_id], at=at)
    if rows[0].gateway != BY_FILE and rows[0].status != "prepared":
        raise StripeDecides(reference=rows[0].reference)
    drop_payment(rows, actor=actor, at=at)
    file = payment_file(rows[0].payment_run)
    if file is not None and _outdated(file, rows[0].payment_run):
        enqueue(WRITE_FILE, key=f"{rows[0].payment_run_id}:{payment_id}", run_id=rows[0].payment_run_id)
    record("payment.failed", rows[0], rows[0].payment_run, actor=actor, at=at, reason=reason)
    return rows[0]


@step
def drop_payment(rows: list[Payment], *, actor: Actor, at: datetime) -> None:
    """One refused payment. Posts: payment.failed when it had been sent. Raises: PartlyPaid, InvalidMove."""
    payment, was_sent = rows[0], rows[0].status == "sent"
    if partly_paid(rows):
        raise PartlyPaid(reference=payment.reference)
    payment.move_to("failed", at=at)
    payment.items.update(live=False)
    payment.advance_items.update(live=False)
    if was_sent:
        on = local_date(at, payment.organisation.zone)
        post_payments("payment.failed", rows, on=on, actor=actor, at=at)
    _settle_paid(rows, at=at)
    close_finished_runs(rows, at=at)


def partly_paid(payments: Iterable[Payment]) -> set[int]:
    """Keys of the payments, sent and not confirmed, of which a bank line says that a part was carried out."""
    sent = [payment.pk for payment in payments if payment.status == "sent"]
    return set(Match.objects.filter(payment__in=sent, **LIVE).values_list("payment_id", flat=True))


def _claims_of(payments: Iterable[Payment]) -> list[int]:
    ids = [payment.pk for payment in payments]
    items = PaymentRemittance.objects.filter(payment__in=ids)
    return list(items.values_list("remittance__claim_id", flat=True))


@step
def close_finished_runs(payments: Iterable[Payment], *, at: datetime) -> None:
    """A released run whose payments have all come to an end is closed."""
    runs = PaymentRun.objects.filter(pk__in={payment.payment_run_id for payment in payments}, status="released")
    for run in lock_rows(runs):
        if not run.payments.exclude(status__in=FINAL_STATES).exists():
            run.move_to("closed", at=at)


@step
def reopen_runs(payments: Iterable[Payment], *, at: datetime) -> None:
    """A closed run with a payment that is waited for again is released again."""
    runs = PaymentRun.objects.filter(pk__in={payment.payment_run_id for payment in payments}, status="closed")
    for run in lock_rows(runs.filter(payments__status="sent")):
        run.move_to("released", at=at)


def write_remittance_advices(
    *, organisation: Organisation, run_id: int, actor: Actor = SYSTEM, at: datetime
) -> list[Attachment]:
    """Make the PDF of every payment of a released run that has none yet, then keep them.

    The pages are made before the transaction: they take seconds. Idempotent. Audit: payment_run.advices_written.
    """
    run = PaymentRun.objects.select_related("organisation").get(pk=run_id, organisation=organisation)
    payments = [row for row in run.payments.select_related("provider", "payment_run") if advice_of(row) is None]
    letters = [(payment, remittance_advice(payment)) for payment in payments]
    return keep_remittance_advices(run=run, letters=letters, actor=actor, at=at)


def advice_of(payment: Payment) -> Attachment | None:
    """The remittance advice of a payment, if written."""
    return attachments_of(payment).filter(kind=ADVICE).first()


@action
def keep_remittance_advices(
    *, run: PaymentRun, letters: Sequence[tuple[Payment, bytes]], actor: Actor, at: datetime
) -> list[Attachment]:
    """Attach advices to their payments; a payment that got one meanwhile keeps it. Audit as said above."""
    lock_run(run.organisation, run.pk)
    kept = [_keep(payment, pdf, actor, at) for payment, pdf in letters if advice_of(payment) is None]
    if kept:
        record("payment_run.advices_written", run, actor=actor, at=at, count=len(kept))
    else:
        nothing_to_record()
    return kept


def _keep(payment: Payment, pdf: bytes, actor: Actor, at: datetime) -> Attachment:
    return attach(
        organisation=payment.organisation,
        to=payment,
        kind=ADVICE,
        name=f"{payment.reference}.pdf",
        content=pdf,
        content_type="application/pdf",
        uploaded_by_id=actor.user_id,
        at=at,
    )
