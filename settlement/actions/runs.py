"""Payment runs: proposed by one person, approved and released by others; what was approved is what is paid."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Max, Q, QuerySet
from django.utils.translation import gettext_lazy as _
from djmoney.money import Money

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, nothing_to_record, record
from config.clock import local_date
from config.errors import DomainError, FourEyes, NotFound, NotPermitted
from config.locks import lock_rows
from config.money import from_minor
from config.office.jobs import enqueue
from config.office.numbering import document_number, next_number
from config.periods import next_working_day
from config.transactions import step
from contracts.actions.check_facts import refuse_related
from contracts.models import Provider
from contracts.queries import working_calendar
from settlement.actions.claim_states import settle_claims
from settlement.actions.run_content import (
    BY_FILE,
    BY_TRANSFER,
    Item,
    LeftOut,
    by_provider,
    choose,
    content_digest,
    items_of,
    live_items,
    payee,
    refuse_held,
    refuse_overspent,
    refuse_returned,
    refuse_too_large,
    said_left_out,
    terms_of,
    total_minor,
)
from settlement.advance_queries import payable_advances
from settlement.debt_queries import owed_before
from settlement.finance_queries import given_back, payable_remittances
from settlement.gateways.identifiers import creditor_reference
from settlement.models import (
    Advance,
    Claim,
    Payment,
    PaymentAdvance,
    PaymentRemittance,
    PaymentRun,
    PaymentRunApproval,
    Remittance,
)

OPEN_STATES = ("proposed", "approved")
WRITE_FILE = "settlement.write_payment_file"
WRITE_ADVICES = "settlement.write_remittance_advices"
SEND_TRANSFERS = "settlement.send_transfers"


class NothingToPay(DomainError):
    """No provider has a positive sum that can be paid."""

    code = "NOTHING_TO_PAY"
    message = _(
        "Nothing of %(period)s can be paid now: every remittance is paid, held, empty or waits for a bank account."
    )


class RunChanged(DomainError):
    """What would be paid is not what was seen."""

    code = "PAYMENT_RUN_CHANGED"
    message = _(
        "The payment run «%(number)s» is not what was seen. Reload it; if an account or a hold changed, renew the run."
    )


class NotApproved(DomainError):
    """Signatures are missing."""

    code = "PAYMENT_RUN_NOT_APPROVED"
    message = _("The payment run «%(number)s» has %(given)s of %(needed)s approvals. Ask another person to approve it.")


class DateInPast(DomainError):
    """Banks do not pay yesterday."""

    code = "EXECUTION_DATE_PAST"
    message = _("The payment date %(date)s has passed. Choose a working day from today on.")


class DateNotWorking(DomainError):
    """Banks do not pay on days off."""

    code = "EXECUTION_DATE_NOT_WORKING"
    message = _("The payment date %(date)s is a day off. Choose a working day: the next one is %(next)s.")


@dataclass(frozen=True)
class Proposal:
    """A proposed run and whom it leaves out."""

    run: PaymentRun
    left_out: tuple[LeftOut, ...]


@action
def propose_payment_run(
    *, organisation: Organisation, period: date, follows_id: int | None = None, actor: Actor, at: datetime
) -> Proposal:
    """Put every unpaid remittance of the month's done runs into one payment run.

    ``follows_id``: only those that this earlier run of the month no longer pays (held, returned, failed).
    Money: reversals are netted against the provider's other remittances; a provider whose sum is not positive, who has
    no valid account or is held, and what was judged within the days of grace, is left out for a later run. What the
    provider owes of earlier months is taken off, as long as something remains to pay.
    Raises: NothingToPay, NotFound, BudgetExceeded when a line that the claims are charged to is overspent.
    Locks: claims, then remittances' new rows. Audit: payment_run.proposed.
    """
    of_month = Q(period=period, status__in=("adjudicated", "scheduled"))
    owing = set(owed_before(organisation, period).values_list("claim", flat=True))
    locked = lock_rows(Claim.objects.filter(of_month | Q(pk__in=owing), organisation=organisation))
    debts = _debts(organisation, period, {claim.pk for claim in locked})
    rows = payable_remittances(organisation, period, debts)
    if follows_id is not None:
        back = given_back(_followed(organisation, period, follows_id)).order_by().values("pk")
        rows = rows.filter(Q(pk__in=back) | Q(pk__in=debts))
    chosen, left_out = choose(rows, organisation, period, local_date(at, organisation.zone))
    if not chosen:
        raise NothingToPay(period=f"{period:%m.%Y}")
    refuse_overspent(row for row in chosen if row.pk not in debts)
    run = _create_run(organisation, period, follows_id, chosen, actor, at)
    remittances = [row for row in chosen if isinstance(row, Remittance)]
    PaymentRemittance.objects.bulk_create([PaymentRemittance(payment_run=run, remittance=row) for row in remittances])
    settle_claims((row.claim_id for row in remittances), at=at)
    record(
        "payment_run.proposed",
        run,
        actor=actor,
        at=at,
        total=run.total.amount,
        content_sha256=run.content_sha256,
        remittances=len(chosen),
        needed=run.approvals_needed,
        left_out=said_left_out(left_out),
    )
    return Proposal(run, tuple(left_out))


def _debts(organisation: Organisation, period: date, locked: set[int]) -> set[int]:
    """Remittances of whole earlier months that providers owe. A month that changed while the run waited for its locks
    waits for the next one.
    """
    rows = list(owed_before(organisation, period).select_related("run"))
    changed = {(row.provider_id, row.run.period) for row in rows if row.claim_id not in locked}
    return {row.pk for row in rows if (row.provider_id, row.run.period) not in changed}


def _followed(organisation: Organisation, period: date, run_id: int) -> PaymentRun:
    found = PaymentRun.objects.filter(pk=run_id, organisation=organisation, period=period).first()
    if found is None:
        raise NotFound()
    return found


@action
def propose_advance_run(*, organisation: Organisation, actor: Actor, at: datetime) -> Proposal:
    """Put every approved advance that no run pays into one payment run of its own; its month is the present one.

    Raises: NothingToPay. Locks: advances. Audit: payment_run.proposed.
    """
    on = local_date(at, organisation.zone)
    # Whoever waited for the lock sees what the other one took.
    lock_rows(Advance.objects.filter(organisation=organisation, status="approved"))
    chosen, left_out = choose(payable_advances(organisation), organisation, on.replace(day=1), on)
    if not chosen:
        raise NothingToPay(period=f"{on:%m.%Y}")
    run = _create_run(organisation, on.replace(day=1), None, chosen, actor, at)
    advances = [row for row in chosen if isinstance(row, Advance)]
    PaymentAdvance.objects.bulk_create([PaymentAdvance(payment_run=run, advance=row) for row in advances])
    record(
        "payment_run.proposed",
        run,
        *advances,
        actor=actor,
        at=at,
        total=run.total.amount,
        content_sha256=run.content_sha256,
        advances=len(advances),
        needed=run.approvals_needed,
        left_out=said_left_out(left_out),
    )
    return Proposal(run, tuple(left_out))


def _create_run(
    organisation: Organisation,
    period: date,
    follows_id: int | None,
    chosen: Sequence[Item],
    actor: Actor,
    at: datetime,
) -> PaymentRun:
    total, today = total_minor(chosen), local_date(at, organisation.zone)
    terms = terms_of(organisation, total, today)
    return PaymentRun.objects.create(
        organisation=organisation,
        number=document_number(organisation=organisation, kind="payment_run", prefix="PR", year=today.year),
        period=period,
        follows_id=follows_id,
        status="proposed",
        status_at=at,
        proposed_by_id=person(actor),
        proposed_at=at,
        approvals_needed=terms.approvals,
        release_apart=terms.release_apart,
        total=Money(from_minor(total), organisation.currency),  # type: ignore[misc]
        content_sha256=content_digest(chosen),
    )


def person(actor: Actor) -> int:
    """The id of the acting person: signatures are never the system's. Raises: NotPermitted."""
    if actor.user_id is None:
        raise NotPermitted()
    return actor.user_id


def _claims_of(run_id: int) -> QuerySet[PaymentRemittance, int]:
    return PaymentRemittance.objects.filter(payment_run=run_id).values_list("remittance__claim_id", flat=True)


def lock_run(organisation: Organisation, run_id: int) -> PaymentRun:
    """The run, locked. Raises: NotFound, also for a run of another organisation."""
    rows = lock_rows(PaymentRun.objects.filter(pk=run_id, organisation=organisation))
    if not rows:
        raise NotFound()
    return rows[0]


@action
def approve_payment_run(
    *, organisation: Organisation, run_id: int, content_sha256: str, reason: str = "", actor: Actor, at: datetime
) -> PaymentRun:
    """Sign what was seen; the last signature needed makes the run approved.

    ``reason``: why accounts that the bank returned money from can be paid again; every approver writes it.
    Raises: FourEyes for the proposer and for a second signature of one person, RelatedPerson, RunChanged, Held,
    AccountReturned, InvalidMove. Locks: run. Audit: payment_run.approved.
    """
    run = lock_run(organisation, run_id)
    signatures = signatures_of(run)
    if actor.user_id == run.proposed_by_id or signatures.filter(approved_by_id=actor.user_id).exists():
        raise FourEyes()
    items = live_items(run)
    if content_sha256 != run.content_sha256 or content_digest(items) != content_sha256:
        raise RunChanged(number=run.number)
    _refuse_related(run, items, actor, at)
    refuse_held(run, local_date(at, organisation.zone))
    said = reason.strip()[:300]
    refuse_returned(run, at if said else None)
    PaymentRunApproval.objects.create(
        payment_run=run, approved_by_id=person(actor), approved_at=at, content_sha256=content_sha256, reason=said
    )
    given = signatures.count()
    if given >= run.approvals_needed or run.status != "proposed":
        run.move_to("approved", at=at)
    record("payment_run.approved", run, actor=actor, at=at, given=given, content_sha256=content_sha256, reason=said)
    return run


def _refuse_related(run: PaymentRun, items: Iterable[Item], actor: Actor, at: datetime) -> None:
    providers = {row.provider_id for row in items}
    refuse_related(organisation=run.organisation, actor=actor, providers=providers, at=at)


def signatures_of(run: PaymentRun) -> QuerySet[PaymentRunApproval]:
    """Signatures under what the run pays now; those under something else no longer count."""
    return run.approvals.filter(content_sha256=run.content_sha256)


@action
def renew_payment_run(*, organisation: Organisation, run_id: int, actor: Actor, at: datetime) -> PaymentRun:
    """Take up what changed since an unreleased run was proposed: accounts, holds. Signatures under the old content no
    longer count; what can no longer be paid leaves the run, and a run without anything left is cancelled.

    Idempotent. Raises: FourEyes for who signed it, InvalidMove. Locks: claims, run. Audit: payment_run.renewed.
    """
    lock_rows(Claim.objects.filter(pk__in=_claims_of(run_id)))
    run = lock_run(organisation, run_id)
    if signatures_of(run).filter(approved_by_id=person(actor)).exists():
        raise FourEyes()
    if run.status not in OPEN_STATES:
        run.check_move("proposed")
    left_out = take_up_changes(run, at=at)
    if left_out is None:
        nothing_to_record()
        return run
    record(
        "payment_run.renewed",
        run,
        actor=actor,
        at=at,
        total=run.total.amount,
        content_sha256=run.content_sha256,
        needed=run.approvals_needed,
        left_out=said_left_out(left_out),
    )
    return run


@step
def take_up_changes(run: PaymentRun, *, at: datetime) -> list[LeftOut] | None:
    """Bring an open, locked run into step with holds and accounts; whom that leaves out, or None without any change."""
    on = local_date(at, run.organisation.zone)
    chosen, left_out = choose(items_of(run), run.organisation, run.period, on)
    digest = content_digest(chosen)
    if digest == run.content_sha256:
        return None
    keys = [row.pk for row in chosen]
    run.items.filter(live=True).exclude(remittance__in=keys).update(live=False)
    run.advance_items.filter(live=True).exclude(advance__in=keys).update(live=False)
    if chosen:
        _rewrite(run, chosen, digest, on)
    target = "proposed" if chosen else "cancelled"
    if run.status != target:
        run.move_to(target, at=at)
    settle_claims(_claims_of(run.pk), at=at)
    return left_out


@step
def _rewrite(run: PaymentRun, chosen: Sequence[Item], digest: str, on: date) -> None:
    total = total_minor(chosen)
    terms = terms_of(run.organisation, total, on)
    run.approvals_needed, run.release_apart = terms.approvals, terms.release_apart
    run.total = Money(from_minor(total), run.organisation.currency)  # type: ignore[misc]
    run.content_sha256 = digest
    run.save(update_fields=["approvals_needed", "release_apart", "total", "total_currency", "content_sha256"])


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
    run.advance_items.update(live=False)
    settle_claims(_claims_of(run_id), at=at)
    record("payment_run.cancelled", run, actor=actor, at=at, reason=reason)
    return run


@action
def release_payment_run(
    *, organisation: Organisation, run_id: int, execution_date: date, actor: Actor, at: datetime
) -> PaymentRun:
    """Make one payment for each provider of an approved run and have the bank file and the advices written.

    Raises: FourEyes for the proposer, and for who approved it where the office wants that apart, RelatedPerson,
    NotApproved, Held, RunChanged when accounts or sums changed since, AccountReturned when money came back from one of
    them, DateInPast, DateNotWorking, FileTooLarge.
    Locks: run. Audit: payment_run.released.
    """
    run = lock_run(organisation, run_id)
    signatures = signatures_of(run)
    signed = run.release_apart and signatures.filter(approved_by_id=actor.user_id).exists()
    if actor.user_id == run.proposed_by_id or signed:
        raise FourEyes()
    given = signatures.count()
    if run.status == "proposed" or given < run.approvals_needed:
        raise NotApproved(number=run.number, given=given, needed=run.approvals_needed)
    today = local_date(at, organisation.zone)
    if execution_date < today:
        raise DateInPast(date=execution_date)
    _refuse_day_off(organisation, execution_date)
    items = live_items(run)
    if content_digest(items) != run.content_sha256:
        raise RunChanged(number=run.number)
    _refuse_related(run, items, actor, at)
    refuse_held(run, today)
    refuse_returned(run, signatures.exclude(reason="").aggregate(last=Max("approved_at"))["last"])
    run.released_by_id, run.execution_date, run.message_id = actor.user_id, execution_date, run.number
    run.save(update_fields=["released_by", "execution_date", "message_id"])
    payments = _make_payments(run, items, at)
    refuse_too_large(payments)
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


def _refuse_day_off(organisation: Organisation, day: date) -> None:
    """Raises: DateNotWorking."""
    following = next_working_day(day, working_calendar(organisation))
    if following != day:
        raise DateNotWorking(date=day, next=following)


def _make_payments(run: PaymentRun, items: list[Item], at: datetime) -> list[Payment]:
    groups = by_provider(items)
    year = local_date(at, run.organisation.zone).year
    first = next_number(organisation=run.organisation, kind="payment", year=year, count=len(groups))
    payments = Payment.objects.bulk_create(
        [
            _payment(run, provider, rows, f"PAY-{year}-{number:05d}", at)
            for number, (provider, rows) in enumerate(groups, first)
        ]
    )
    for payment in payments:
        run.items.filter(live=True, remittance__provider_id=payment.provider_id).update(payment=payment)
        run.advance_items.filter(live=True, advance__provider_id=payment.provider_id).update(payment=payment)
    return payments


def _payment(run: PaymentRun, provider: Provider, rows: list[Item], reference: str, at: datetime) -> Payment:
    gateway, account = payee(provider, run.organisation)
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
