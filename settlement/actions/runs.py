"""Payment runs: proposed by one person, approved and released by others; what was approved is what is paid."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from django.conf import settings
from django.db.models import Max, QuerySet, Sum
from django.utils.translation import gettext_lazy as _
from djmoney.money import Money

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, record
from config.errors import DomainError, FourEyes, NotFound, NotPermitted
from config.locks import lock_rows
from config.money import from_minor, to_minor
from config.office.jobs import enqueue
from config.office.numbering import document_number, next_number
from contracts.actions.budgets import BudgetExceeded
from contracts.models import BudgetEntry, BudgetLine, Provider
from contracts.parameters import parameter_value
from settlement.actions.claim_states import settle_claims
from settlement.finance_queries import ReturnedAccount, payable_remittances, returned_accounts
from settlement.gateways.identifiers import creditor_reference, is_iban
from settlement.models import (
    Claim,
    ConnectedAccount,
    Payment,
    PaymentRemittance,
    PaymentRun,
    PaymentRunApproval,
    Remittance,
)

WRITE_FILE = "settlement.write_payment_file"
WRITE_ADVICES = "settlement.write_remittance_advices"
SEND_TRANSFERS = "settlement.send_transfers"

# How a payment goes: with the bank file, or as a transfer of Stripe.
BY_FILE, BY_TRANSFER = "bank_file", "stripe"


class NothingToPay(DomainError):
    """No provider has a positive sum that can be paid."""

    code = "NOTHING_TO_PAY"
    message = _("Nothing of %(period)s can be paid now: every remittance is paid, empty or waits for a bank account.")


class RunChanged(DomainError):
    """What would be paid is not what was seen."""

    code = "PAYMENT_RUN_CHANGED"
    message = _("The payment run «%(number)s» is not what you saw. Reload it, or cancel it and propose a new one.")


class NotApproved(DomainError):
    """Signatures are missing."""

    code = "PAYMENT_RUN_NOT_APPROVED"
    message = _("The payment run «%(number)s» has %(given)s of %(needed)s approvals. Ask another person to approve it.")


class DateInPast(DomainError):
    """Banks do not pay yesterday."""

    code = "EXECUTION_DATE_PAST"
    message = _("The payment date %(date)s has passed. Choose a working day from today on.")


class AccountReturned(DomainError):
    """The bank has returned money from an account that would be paid again."""

    code = "ACCOUNT_RETURNED"
    message = _(
        "The bank returned the last payment to the account %(account)s of %(provider)s (%(reason)s). Ask for another "
        "account, cancel the run and propose it again; or approve it and write why this account can be paid again."
    )


@dataclass(frozen=True)
class LeftOut:
    """A provider that a proposal could not include. ``reason``: NO_ACCOUNT or NOT_POSITIVE; minor units."""

    provider: Provider
    reason: str
    amount_minor: int


@dataclass(frozen=True)
class Proposal:
    """A proposed run and whom it leaves out."""

    run: PaymentRun
    left_out: tuple[LeftOut, ...]


@action
def propose_payment_run(*, organisation: Organisation, period: date, actor: Actor, at: datetime) -> Proposal:
    """Put every unpaid remittance of the month's done runs into one payment run.

    Money: reversals are netted against the provider's other remittances; a provider whose sum is not positive, or who
    has no valid account, is left out and may be paid by a later run.
    Raises: NothingToPay, BudgetExceeded when a line that the claims are charged to is overspent.
    Locks: claims, then remittances' new rows. Audit: payment_run.proposed.
    """
    lock_rows(Claim.objects.filter(organisation=organisation, period=period, status__in=("adjudicated", "scheduled")))
    remittances = list(payable_remittances(organisation, period))
    chosen, left_out = _choose(remittances)
    if not chosen:
        raise NothingToPay(period=f"{period:%Y-%m}")
    _refuse_overspent(chosen)
    run = _create_run(organisation, period, chosen, actor, at)
    PaymentRemittance.objects.bulk_create([PaymentRemittance(payment_run=run, remittance=row) for row in chosen])
    settle_claims((row.claim_id for row in chosen), at=at)
    record(
        "payment_run.proposed",
        run,
        actor=actor,
        at=at,
        total=run.total.amount,
        content_sha256=run.content_sha256,
        remittances=len(chosen),
        left_out=[{"provider": item.provider.code, "reason": item.reason} for item in left_out],
    )
    return Proposal(run, tuple(left_out))


def _choose(remittances: Iterable[Remittance]) -> tuple[list[Remittance], list[LeftOut]]:
    chosen: list[Remittance] = []
    left_out: list[LeftOut] = []
    for provider, rows in by_provider(remittances):
        total = sum(row.payable for row in rows)
        if total <= 0:
            left_out.append(LeftOut(provider, "NOT_POSITIVE", total))
        elif payee(provider, rows[0])[0] == BY_FILE and not is_iban(provider.iban):
            left_out.append(LeftOut(provider, "NO_ACCOUNT", total))
        else:
            chosen.extend(rows)
    return chosen, left_out


def _refuse_overspent(remittances: Iterable[Remittance]) -> None:
    """Money leaves only within the appropriation; what is owed beyond it waits for an amended line."""
    labels = {f"settlement.claim:{row.claim_id}" for row in remittances}
    charged = BudgetEntry.objects.filter(kind="spending", label__in=labels).values("budget_line")
    lines = BudgetLine.objects.filter(pk__in=charged).annotate(taken=Sum("entries__amount_minor")).order_by("pk")
    for line in lines:
        free = to_minor(line.amount.amount) - line.taken
        if free < 0:
            raise BudgetExceeded(line=line, free=from_minor(0), needed=from_minor(-free))


def by_provider(remittances: Iterable[Remittance]) -> list[tuple[Provider, list[Remittance]]]:
    """Remittances grouped by provider, in the order of provider codes and remittance ids."""
    ordered = sorted(remittances, key=lambda row: (row.provider.code, row.pk))
    return [(rows[0].provider, rows) for _code, rows in _groups(ordered)]


def _groups(ordered: list[Remittance]) -> list[tuple[str, list[Remittance]]]:
    return [(code, list(rows)) for code, rows in groupby(ordered, key=lambda row: row.provider.code)]


def _create_run(
    organisation: Organisation, period: date, chosen: Sequence[Remittance], actor: Actor, at: datetime
) -> PaymentRun:
    needed = parameter_value(organisation, "payment.approvals_min", at.date()).whole
    return PaymentRun.objects.create(
        organisation=organisation,
        number=document_number(organisation=organisation, kind="payment_run", prefix="PR", year=at.year),
        period=period,
        status="proposed",
        status_at=at,
        proposed_by_id=person(actor),
        proposed_at=at,
        # The proposer is one of the persons the parameter asks for.
        approvals_needed=max(needed - 1, 1),
        total=Money(from_minor(sum(row.payable for row in chosen)), organisation.currency),  # type: ignore[misc]
        content_sha256=content_digest(chosen),
    )


def person(actor: Actor) -> int:
    """The id of the acting person: signatures are never the system's. Raises: NotPermitted."""
    if actor.user_id is None:
        raise NotPermitted()
    return actor.user_id


def content_digest(remittances: Iterable[Remittance]) -> str:
    """sha256 of who is paid what to which account; what approvers sign."""
    rows = [
        [provider.code, payee(provider, rows[0])[1], sum(row.payable for row in rows), [row.pk for row in rows]]
        for provider, rows in by_provider(remittances)
    ]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def payee(provider: Provider, remittance: Remittance) -> tuple[str, str]:
    """How a provider is paid and on which account: by transfer where the settings allow it and Stripe knows it."""
    allowed = settings.STRIPE_TRANSFER_CURRENCIES
    if allowed and remittance.run.organisation.currency in allowed:
        account = ConnectedAccount.objects.filter(provider=provider).first()
        if account is not None:
            return BY_TRANSFER, account.account
    return BY_FILE, provider.iban


def live_remittances(run: PaymentRun) -> list[Remittance]:
    """Remittances that the run still pays, with provider and claim."""
    parts = ("remittance__provider", "remittance__claim", "remittance__run__organisation")
    items = run.items.filter(live=True).select_related(*parts)
    return [item.remittance for item in items.order_by("remittance_id")]


def _claims_of(run_id: int) -> QuerySet[PaymentRemittance, int]:
    return PaymentRemittance.objects.filter(payment_run=run_id).values_list("remittance__claim_id", flat=True)


def lock_run(organisation: Organisation, run_id: int) -> PaymentRun:
    """The run, locked. Raises: NotFound, also for a run of another organisation."""
    rows = lock_rows(PaymentRun.objects.filter(pk=run_id, organisation=organisation))
    if not rows:
        raise NotFound()
    return rows[0]


def accounts_returned(run: PaymentRun) -> list[ReturnedAccount]:
    """Accounts that the run would pay again after the bank returned money from them and said why."""
    accounts = {row.provider_id: row.provider.iban for row in live_remittances(run)}
    return returned_accounts(run.organisation, accounts)


def _refuse_returned(run: PaymentRun, said_at: datetime | None) -> None:
    """``said_at``: when an approver last wrote why such accounts can be paid again."""
    for row in accounts_returned(run):
        if said_at is None or row.known_at > said_at:
            raise AccountReturned(account=row.payment.iban, provider=row.payment.provider.name, reason=row.reason)


@action
def approve_payment_run(
    *, organisation: Organisation, run_id: int, content_sha256: str, reason: str = "", actor: Actor, at: datetime
) -> PaymentRun:
    """Sign what was seen; the last signature needed makes the run approved.

    ``reason``: why accounts that the bank returned money from can be paid again; every approver writes it.
    Raises: FourEyes for the proposer and for a second signature of one person, RunChanged, AccountReturned,
    InvalidMove. Locks: run. Audit: payment_run.approved.
    """
    run = lock_run(organisation, run_id)
    signed = run.approvals.filter(approved_by_id=actor.user_id).exists()
    if actor.user_id == run.proposed_by_id or signed:
        raise FourEyes()
    if content_sha256 != run.content_sha256 or content_digest(live_remittances(run)) != content_sha256:
        raise RunChanged(number=run.number)
    said = reason.strip()[:300]
    _refuse_returned(run, at if said else None)
    PaymentRunApproval.objects.create(
        payment_run=run, approved_by_id=person(actor), approved_at=at, content_sha256=content_sha256, reason=said
    )
    given = run.approvals.count()
    if given >= run.approvals_needed or run.status != "proposed":
        run.move_to("approved", at=at)
    record("payment_run.approved", run, actor=actor, at=at, given=given, content_sha256=content_sha256, reason=said)
    return run


@action
def cancel_payment_run(
    *, organisation: Organisation, run_id: int, reason: str, actor: Actor, at: datetime
) -> PaymentRun:
    """Give the remittances of an unreleased run back. Raises: InvalidMove. Locks: claims, run.
    Audit: payment_run.cancelled.
    """
    lock_rows(Claim.objects.filter(pk__in=_claims_of(run_id)))
    run = lock_run(organisation, run_id)
    run.move_to("cancelled", at=at)
    run.items.update(live=False)
    settle_claims(_claims_of(run_id), at=at)
    record("payment_run.cancelled", run, actor=actor, at=at, reason=reason)
    return run


@action
def release_payment_run(
    *, organisation: Organisation, run_id: int, execution_date: date, actor: Actor, at: datetime
) -> PaymentRun:
    """Make one payment for each provider of an approved run and have the bank file and the advices written.

    Raises: FourEyes for the proposer, NotApproved, RunChanged when accounts or sums changed since, AccountReturned when
    money came back from one of them since, DateInPast.
    Locks: run. Audit: payment_run.released.
    """
    run = lock_run(organisation, run_id)
    if actor.user_id == run.proposed_by_id:
        raise FourEyes()
    given = run.approvals.filter(content_sha256=run.content_sha256).count()
    if run.status == "proposed" or given < run.approvals_needed:
        raise NotApproved(number=run.number, given=given, needed=run.approvals_needed)
    if execution_date < at.date():
        raise DateInPast(date=execution_date.isoformat())
    remittances = live_remittances(run)
    if content_digest(remittances) != run.content_sha256:
        raise RunChanged(number=run.number)
    _refuse_returned(run, run.approvals.exclude(reason="").aggregate(last=Max("approved_at"))["last"])
    run.released_by_id, run.execution_date, run.message_id = actor.user_id, execution_date, run.number
    run.save(update_fields=["released_by", "execution_date", "message_id"])
    payments = _make_payments(run, remittances, at)
    run.move_to("released", at=at)
    for gateway, kind in ((BY_FILE, WRITE_FILE), (BY_TRANSFER, SEND_TRANSFERS)):
        if any(payment.gateway == gateway for payment in payments):
            enqueue(kind, key=str(run.pk), run_id=run.pk)
    enqueue(WRITE_ADVICES, key=str(run.pk), run_id=run.pk)
    record(
        "payment_run.released",
        run,
        *payments,
        actor=actor,
        at=at,
        execution_date=execution_date,
        payments=[payment.reference for payment in payments],
    )
    return run


def _make_payments(run: PaymentRun, remittances: list[Remittance], at: datetime) -> list[Payment]:
    groups = by_provider(remittances)
    first = next_number(organisation=run.organisation, kind="payment", year=at.year, count=len(groups))
    payments = Payment.objects.bulk_create(
        [
            _payment(run, provider, rows, f"PAY-{at.year}-{number:05d}", at)
            for number, (provider, rows) in enumerate(groups, first)
        ]
    )
    for payment in payments:
        run.items.filter(live=True, remittance__provider_id=payment.provider_id).update(payment=payment)
    return payments


def _payment(run: PaymentRun, provider: Provider, rows: list[Remittance], reference: str, at: datetime) -> Payment:
    gateway, account = payee(provider, rows[0])
    return Payment(
        gateway=gateway,
        organisation=run.organisation,
        payment_run=run,
        provider=provider,
        reference=reference,
        rf_reference=creditor_reference(reference),
        iban=account,
        amount=Money(from_minor(sum(row.payable for row in rows)), run.organisation.currency),  # type: ignore[misc]
        status="prepared",
        status_at=at,
    )
