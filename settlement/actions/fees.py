"""Notices of recipients' fees, and the money that comes for them and goes back.

The office collects for the providers: what it receives it holds for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, label_of, record
from config.clock import local_date
from config.errors import DomainError
from config.locks import wait_turn
from config.office.numbering import next_number
from config.transactions import step
from contracts.models import Provider
from settlement.actions.ledger import Amounts, EntryDraft, post_entries
from settlement.actions.payment_postings import settle_lines
from settlement.fee_queries import uncharged
from settlement.gateways.identifiers import creditor_reference
from settlement.models import (
    ClosedMonth,
    FeeCharge,
    FeeNotice,
    FeeReceipt,
    FeeRefund,
    FeeRefundTransfer,
    StatementLine,
)
from settlement.models.fees import NOTICE_LOCK

ISSUE_LOCK = NOTICE_LOCK + 1


class NothingToCharge(DomainError):
    """Every adjudicated fee of the month stands in a notice."""

    code = "NO_FEES_TO_NOTICE"
    message = _("Every adjudicated fee of %(month)s stands in a notice already.")


@action
def issue_fee_notices(*, organisation: Organisation, month: date, actor: Actor, at: datetime) -> int:
    """Bring the notices of a month up to what adjudication says; returns how many recipients they concern.

    A recipient has one notice a month; a later run or a reversal adds a charge to it, which may be negative.
    Idempotent. Raises: NothingToCharge. Locks: notices of the organisation. Posts: fee.noticed, fee.lowered.
    Audit: fee_notices.issued.
    """
    wait_turn(ISSUE_LOCK, organisation.pk)
    rows = uncharged(organisation, month)
    if not rows:
        raise NothingToCharge(month=f"{month:%m.%Y}")
    notices = _notices(organisation, month, sorted({recipient for recipient, *_ in rows}), actor, at)
    charges = _charge(organisation, notices, rows, actor, at)
    total = sum(charge.amount_minor for charge in charges)
    record(
        "fee_notices.issued",
        organisation,
        actor=actor,
        at=at,
        month=f"{month:%Y-%m}",
        notices=len(notices),
        amount_minor=total,
    )
    return len(notices)


@step
def charge_difference(
    organisation: Organisation, month: date, rows: Sequence[tuple[int, int, int]], *, actor: Actor, at: datetime
) -> list[FeeCharge]:
    """Add (recipient, provider, amount) to the notices that a month has; who was sent none gets none.

    Locks: notices of the organisation. Posts: fee.noticed, fee.lowered.
    """
    wait_turn(ISSUE_LOCK, organisation.pk)
    found = FeeNotice.objects.filter(organisation=organisation, month=month, recipient__in={row[0] for row in rows})
    notices = {notice.recipient_id: notice for notice in found}
    return _charge(organisation, notices, [row for row in rows if row[0] in notices and row[2]], actor, at)


@step
def _charge(
    organisation: Organisation,
    notices: Mapping[int, FeeNotice],
    rows: Sequence[tuple[int, int, int]],
    actor: Actor,
    at: datetime,
) -> list[FeeCharge]:
    charges = FeeCharge.objects.bulk_create(
        [
            FeeCharge(notice=notices[recipient], provider_id=provider, amount_minor=amount, charged_at=at)
            for recipient, provider, amount in rows
        ]
    )
    _post_charges(organisation, charges, actor, at)
    return charges


def _notices(
    organisation: Organisation, month: date, recipients: list[int], actor: Actor, at: datetime
) -> dict[int, FeeNotice]:
    """The notices of recipients by their id; missing ones are made."""
    found = FeeNotice.objects.filter(organisation=organisation, month=month, recipient__in=recipients)
    notices = {notice.recipient_id: notice for notice in found}
    missing = [recipient for recipient in recipients if recipient not in notices]
    if missing:
        year = month.year
        first = next_number(organisation=organisation, kind="fee_notice", year=year, count=len(missing))
        made = [
            FeeNotice(
                organisation=organisation,
                recipient_id=recipient,
                month=month,
                number=f"FN-{year}-{number:06d}",
                rf_reference=creditor_reference(f"FN{year}{number:06d}"),
                issued_by_id=actor.user_id,
                issued_at=at,
            )
            for number, recipient in enumerate(missing, first)
        ]
        notices |= {notice.recipient_id: notice for notice in FeeNotice.objects.bulk_create(made)}
    return notices


def _post_charges(organisation: Organisation, charges: list[FeeCharge], actor: Actor, at: datetime) -> None:
    providers = Provider.objects.in_bulk({charge.provider_id for charge in charges})
    drafts = [
        EntryDraft(
            event=event,
            key=f"{event}:{charge.pk}",
            label=label_of(charge.notice),
            parts=[Amounts({"amount": abs(charge.amount_minor)}, provider=providers[charge.provider_id])],
        )
        for charge in charges
        for event in ["fee.noticed" if charge.amount_minor > 0 else "fee.lowered"]
    ]
    on = local_date(at, organisation.zone)
    post_entries(organisation=organisation, drafts=drafts, on=on, actor=actor, at=at)


@step
def lock_notice(notice: FeeNotice) -> None:
    """Writers of receipts and refunds of one notice wait for each other."""
    wait_turn(NOTICE_LOCK, notice.pk)


@step
def receive_by_card(
    *, notice: FeeNotice, payment: str, amount_minor: int, on: date, actor: Actor, at: datetime
) -> FeeReceipt | None:
    """Money that a card payment brought; None when it is known. Posts: fee.paid_by_card, in the open month."""
    lock_notice(notice)
    if FeeReceipt.objects.filter(payment=payment).exists():
        return None
    receipt = FeeReceipt.objects.create(
        notice=notice, method="card", payment=payment, amount_minor=amount_minor, received_on=on, recorded_at=at
    )
    day = open_day(notice.organisation, on, at)
    _post("fee.paid_by_card", receipt, notice, amount_minor, on=day, actor=actor, at=at)
    return receipt


@step
def receive_by_bank(
    notice: FeeNotice, line: StatementLine, amount_minor: int, *, actor: Actor, at: datetime
) -> FeeReceipt:
    """Money that a line of a statement, or a part of it, brought. Posts: fee.paid_by_bank."""
    lock_notice(notice)
    receipt = FeeReceipt.objects.create(
        notice=notice,
        method="bank",
        statement_line=line,
        amount_minor=amount_minor,
        received_on=line.booked_on,
        recorded_at=at,
    )
    _post_line("fee.paid_by_bank", receipt, notice, line, actor=actor, at=at)
    settle_lines([line], at=at)
    return receipt


@step
def unreceive_by_bank(receipt: FeeReceipt, *, reason: str, actor: Actor, at: datetime) -> FeeReceipt:
    """A line was no money for the notice, which the caller has locked. Posts: fee.unpaid_by_bank."""
    line = receipt.statement_line
    assert line is not None  # the database demands it of a receipt by bank
    undone = FeeReceipt.objects.create(
        notice=receipt.notice,
        method="bank",
        statement_line=line,
        amount_minor=-receipt.amount_minor,
        received_on=receipt.received_on,
        recorded_at=at,
        reason=reason.strip()[:300],
        undoes=receipt,
    )
    _post_line("fee.unpaid_by_bank", undone, receipt.notice, line, actor=actor, at=at)
    return undone


@step
def settle_refund(refund: FeeRefund, *, on: date, reference: str, actor: Actor, at: datetime) -> None:
    """Stripe has given the money back. Posts: fee.refunded_card. Raises: InvalidMove."""
    notice = refund.receipt.notice
    refund.gateway_reference = reference
    _move_refund(refund, "refunded", on, at)
    day = open_day(notice.organisation, on, at)
    _post("fee.refunded_card", refund, notice, refund.amount_minor, on=day, actor=actor, at=at)


@step
def transfer_refund(refund: FeeRefund, line: StatementLine, *, actor: Actor, at: datetime) -> FeeRefundTransfer:
    """A bank line took the money back to its payer. Posts: fee.refunded_bank. Raises: InvalidMove."""
    sent = FeeRefundTransfer.objects.create(
        refund=refund, statement_line=line, amount_minor=line.amount_minor, recorded_at=at
    )
    _move_refund(refund, "refunded", line.booked_on, at)
    _post_line("fee.refunded_bank", sent, refund.receipt.notice, line, actor=actor, at=at)
    settle_lines([line], at=at)
    return sent


@step
def untransfer_refund(sent: FeeRefundTransfer, *, reason: str, actor: Actor, at: datetime) -> FeeRefundTransfer:
    """A line was not the refund, which waits again. Posts: fee.unrefunded_bank. Raises: InvalidMove."""
    line, refund = sent.statement_line, sent.refund
    undone = FeeRefundTransfer.objects.create(
        refund=refund,
        statement_line=line,
        amount_minor=-sent.amount_minor,
        recorded_at=at,
        reason=reason.strip()[:300],
        undoes=sent,
    )
    _move_refund(refund, "approved", None, at)
    _post_line("fee.unrefunded_bank", undone, refund.receipt.notice, line, actor=actor, at=at)
    return undone


@step
def _move_refund(refund: FeeRefund, status: str, on: date | None, at: datetime) -> None:
    refund.check_move(status)
    refund.status, refund.status_at, refund.refunded_on = status, at, on
    refund.save(update_fields=["status", "status_at", "refunded_on", "gateway_reference"])


@step
def lose_refund(refund: FeeRefund, *, on: date, actor: Actor, at: datetime) -> None:
    """A refund did not reach its receiver; what had left came back. Posts: fee.refund_failed when it had left."""
    notice, had_left = refund.receipt.notice, refund.status == "refunded"
    refund.move_to("failed", at=at)
    if had_left:
        day = open_day(notice.organisation, on, at)
        _post("fee.refund_failed", refund, notice, refund.amount_minor, on=day, actor=actor, at=at)


def open_day(organisation: Organisation, on: date, at: datetime) -> date:
    """The day on which something of ``on`` is posted: its own, or today when its month is closed."""
    closed = ClosedMonth.objects.filter(organisation=organisation, month=on.replace(day=1)).exists()
    return local_date(at, organisation.zone) if closed else on


def _post_line(
    event: str, cause: FeeReceipt | FeeRefundTransfer, notice: FeeNotice, line: StatementLine, *, actor: Actor,
    at: datetime,
) -> None:  # fmt: skip
    amount, bank = abs(cause.amount_minor), line.statement.iban
    _post(event, cause, notice, amount, on=line.booked_on, actor=actor, at=at, bank=bank)


def _post(
    event: str, cause: FeeReceipt | FeeRefund | FeeRefundTransfer, notice: FeeNotice, amount: int, *, on: date,
    actor: Actor, at: datetime, bank: str = "",
) -> None:  # fmt: skip
    draft = EntryDraft(event, f"{event}:{cause.pk}", label_of(notice), [Amounts({"amount": amount}, bank=bank)])
    post_entries(organisation=notice.organisation, drafts=[draft], on=on, actor=actor, at=at)


def notices_named(organisation: Organisation, references: Iterable[str]) -> dict[str, FeeNotice]:
    """Notices by their RF reference."""
    rows = FeeNotice.objects.filter(organisation=organisation, rf_reference__in=list(references))
    return {notice.rf_reference: notice for notice in rows.select_related("organisation")}
