"""What a payment run would pay: which remittances or advances, to whom, on which account, and its fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby

from django.conf import settings
from django.db.models import Q, QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.clock import local_date
from config.errors import DomainError
from config.money import from_minor, to_minor
from config.periods import add_working_days
from contracts.actions.budgets import BudgetExceeded
from contracts.models import BudgetEntry, BudgetLine, Provider
from contracts.parameters import ParameterBook
from contracts.queries import working_calendar
from settlement.finance_queries import ReturnedAccount, returned_accounts
from settlement.gateways.base import MAX_AMOUNT
from settlement.gateways.identifiers import is_iban
from settlement.hold_queries import held_advances, held_remittances
from settlement.models import (
    AdjudicationRun,
    Advance,
    Payment,
    PaymentAdvance,
    PaymentRemittance,
    PaymentRun,
    Remittance,
)

# How a payment goes: with the bank file, or as a transfer of Stripe.
BY_FILE, BY_TRANSFER = "bank_file", "stripe"
# payment.approvals_from.<amount>: persons that a run of that amount or more needs, up to the next such row.
# What a run pays: remittances of a month, or advances.
Item = Remittance | Advance
APPROVALS_MIN, APPROVALS_FROM = "payment.approvals_min", "payment.approvals_from."
RELEASE_APART, GRACE_DAYS = "payment.release_apart", "payment.grace_days"


class AccountReturned(DomainError):
    """The bank has returned money from an account that would be paid again."""

    code = "ACCOUNT_RETURNED"
    message = _(
        "The bank returned the last payment to the account %(account)s of %(provider)s (%(reason)s). Ask for another "
        "account, cancel the run and propose it again; or approve it and write why this account can be paid again."
    )


class Held(DomainError):
    """Somebody holds what would be paid."""

    code = "PAYMENT_HELD"
    message = _(
        "Payment of the claim %(claim)s of %(provider)s is held. Take it out of the run, or have the hold lifted by "
        "another person."
    )


class AdvanceHeld(DomainError):
    """Somebody holds an advance."""

    code = "PAYMENT_HELD"
    message = _(
        "Payment of the advance %(advance)s of %(provider)s is held. Take it out of the run, or have the hold lifted "
        "by another person."
    )


class FileTooLarge(DomainError):
    """More money than the standard of payment files can write in one sum."""

    code = "PAYMENT_FILE_TOO_LARGE"
    message = _(
        "The payments by bank file come to %(total)s together, and one file can hold %(limit)s at most. Cancel the "
        "run and propose it in parts."
    )


@dataclass(frozen=True)
class LeftOut:
    """A provider that a proposal leaves out, wholly or in part. ``reason``: NO_ACCOUNT, NOT_POSITIVE, HELD, GRACE
    (judged too recently) or OWES (what it owes of an earlier month is not taken off now); minor units.
    """

    provider: Provider
    reason: str
    amount_minor: int


def said_left_out(rows: Iterable[LeftOut]) -> list[dict[str, str]]:
    """The same for the trail: each provider and reason once."""
    pairs = dict.fromkeys((row.provider.code, row.reason) for row in rows)
    return [{"provider": provider, "reason": reason} for provider, reason in pairs]


@dataclass(frozen=True)
class Terms:
    """What the parameters ask of a run of an amount: approvals besides the proposal, and who may release."""

    approvals: int
    release_apart: bool


def terms_of(organisation: Organisation, total_minor: int, on: date) -> Terms:
    """The terms on a day. Of the rows by amount the highest that the total reaches decides; the proposer is one of the
    persons they count. Raises: ParameterMissing.
    """
    book = ParameterBook.load(organisation, "payment.")
    steps = {
        Decimal(key.removeprefix(APPROVALS_FROM)): value.whole
        for key in book.rows
        if key.startswith(APPROVALS_FROM) and (value := book.get(key, on))
    }
    reached = [amount for amount in steps if to_minor(amount) <= total_minor]
    persons = steps[max(reached)] if reached else book.value(APPROVALS_MIN, on).whole
    apart = book.get(RELEASE_APART, on)
    return Terms(max(persons - 1, 1), apart is not None and apart.flag)


def choose(
    rows: QuerySet[Remittance] | QuerySet[Advance], organisation: Organisation, period: date, on: date
) -> tuple[list[Item], list[LeftOut]]:
    """Which of payable remittances or advances a run of a month takes on a day, and whom it leaves out and why."""
    if rows.model is Advance:
        return choose_advances(rows, organisation, on)  # type: ignore[arg-type]  # of that model
    return choose_remittances(rows, organisation, period, on)  # type: ignore[arg-type]


def choose_advances(rows: QuerySet[Advance], organisation: Organisation, on: date) -> tuple[list[Item], list[LeftOut]]:
    """Advances whose provider and contract are not held."""
    held = set(held_advances(rows, organisation, on).values_list("pk", flat=True))
    chosen, refused = _payable_together(row for row in rows if row.pk not in held)
    return chosen, [LeftOut(row.provider, "HELD", row.payable) for row in rows if row.pk in held] + refused


def choose_remittances(
    rows: QuerySet[Remittance], organisation: Organisation, period: date, on: date
) -> tuple[list[Item], list[LeftOut]]:
    """Which of payable remittances a run of a month takes on a day, and whom it leaves out and why.

    Money: a provider's remittances are netted; one whose sum is not positive is left out whole. From what is left
    whole earlier months that the provider owes are taken off, the oldest first, as long as something remains to pay.
    """
    held = set(held_remittances(rows, organisation, on).values_list("pk", flat=True))
    recent = _judged_recently(rows, organisation, on)
    free, left_out = [], []
    debts: dict[tuple[date, int], list[Remittance]] = {}
    for row in rows:
        if row.run.period < period:
            debts.setdefault((row.run.period, row.provider_id), []).append(row)
        elif row.pk in held:
            left_out.append(LeftOut(row.provider, "HELD", row.payable))
        elif row.run_id in recent:
            left_out.append(LeftOut(row.provider, "GRACE", row.payable))
        else:
            free.append(row)
    chosen, refused = _payable_together(free)
    waiting = {month for month, parts in debts.items() if any(p.pk in held or p.run_id in recent for p in parts)}
    taken, waits = _less_debts(chosen, debts, waiting)
    return chosen + taken, left_out + refused + waits


def _less_debts(
    chosen: Sequence[Item], debts: Mapping[tuple[date, int], list[Remittance]], waiting: set[tuple[date, int]]
) -> tuple[list[Item], list[LeftOut]]:
    left: dict[int, int] = {}
    for row in chosen:
        left[row.provider_id] = left.get(row.provider_id, 0) + row.payable
    taken: list[Item] = []
    waits: list[LeftOut] = []
    for month, rows in sorted(debts.items()):
        provider, owed = rows[0].provider, sum(row.payable for row in rows)
        if month not in waiting and left.get(provider.pk, 0) + owed > 0:
            left[provider.pk] += owed
            taken.extend(rows)
        elif owed and provider.pk in left:
            waits.append(LeftOut(provider, "OWES", owed))
    return taken, waits


def waiting_remittances(rows: QuerySet[Remittance], organisation: Organisation, on: date) -> QuerySet[Remittance]:
    """Of remittances, those that no payment may take on a day: held, or judged too recently."""
    held = held_remittances(rows, organisation, on).order_by().values("pk")
    found = rows.filter(Q(pk__in=held) | Q(run__in=_judged_recently(rows, organisation, on)))
    return found.select_related("claim").order_by("pk")


def _judged_recently(rows: QuerySet[Remittance], organisation: Organisation, on: date) -> set[int]:
    """Runs whose days of grace (working days after judging) are not over."""
    grace = ParameterBook.load(organisation, GRACE_DAYS).get(GRACE_DAYS, on)
    if grace is None or not grace.whole:
        return set()
    calendar = working_calendar(organisation)
    runs = AdjudicationRun.objects.filter(pk__in=rows.order_by().values("run"))
    return {
        run.pk
        for run in runs
        if add_working_days(local_date(run.recorded_at, organisation.zone), grace.whole, calendar) > on
    }


def _payable_together(items: Iterable[Item]) -> tuple[list[Item], list[LeftOut]]:
    chosen: list[Item] = []
    left_out: list[LeftOut] = []
    for provider, rows in by_provider(items):
        total = sum(row.payable for row in rows)
        if total <= 0:
            left_out.append(LeftOut(provider, "NOT_POSITIVE", total))
        elif payee(provider, _office(rows[0]))[0] == BY_FILE and not is_iban(provider.iban):
            left_out.append(LeftOut(provider, "NO_ACCOUNT", total))
        else:
            chosen.extend(rows)
    return chosen, left_out


def refuse_overspent(items: Iterable[Item]) -> None:
    """Money leaves only within the appropriation; what is owed beyond it waits for an amended line."""
    labels = {f"settlement.claim:{row.claim_id}" for row in items if isinstance(row, Remittance)}
    charged = BudgetEntry.objects.filter(kind="spending", label__in=labels).values("budget_line")
    lines = BudgetLine.objects.filter(pk__in=charged).annotate(taken=Sum("entries__amount_minor")).order_by("pk")
    for line in lines:
        free = to_minor(line.amount.amount) - line.taken
        if free < 0:
            raise BudgetExceeded(line=line, free=from_minor(0), needed=from_minor(-free))


def by_provider(items: Iterable[Item]) -> list[tuple[Provider, list[Item]]]:
    """What is paid grouped by provider, in the order of provider codes and ids."""
    ordered = sorted(items, key=lambda row: (row.provider.code, row.pk))
    return [(rows[0].provider, rows) for _code, rows in _groups(ordered)]


def _groups(ordered: list[Item]) -> list[tuple[str, list[Item]]]:
    return [(code, list(rows)) for code, rows in groupby(ordered, key=lambda row: row.provider.code)]


def content_digest(items: Iterable[Item]) -> str:
    """sha256 of who is paid what to which account; what approvers sign."""
    rows = [
        [provider.code, _account(provider, rows), sum(row.payable for row in rows), [row.pk for row in rows]]
        for provider, rows in by_provider(items)
    ]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def payee(provider: Provider, office: Organisation) -> tuple[str, str]:
    """How a provider is paid and on which account: by transfer where the settings and an account at Stripe allow it."""
    if office.currency in settings.STRIPE_TRANSFER_CURRENCIES and provider.stripe_account:
        return BY_TRANSFER, provider.stripe_account
    return BY_FILE, provider.iban


def _account(provider: Provider, rows: Sequence[Item]) -> str:
    return payee(provider, _office(rows[0]))[1]


def _office(item: Item) -> Organisation:
    return item.organisation if isinstance(item, Advance) else item.run.organisation


def total_minor(items: Sequence[Item]) -> int:
    """Sum of what is paid, minor units."""
    return sum(row.payable for row in items)


def remittances_of(run: PaymentRun) -> QuerySet[Remittance]:
    """Remittances that the run still pays, with provider and claim."""
    items = PaymentRemittance.objects.filter(payment_run=run, live=True).values("remittance")
    rows = Remittance.objects.filter(pk__in=items)
    return rows.select_related("provider", "claim", "run__organisation").order_by("id")


def advances_of(run: PaymentRun) -> QuerySet[Advance]:
    """Advances that the run still pays."""
    items = PaymentAdvance.objects.filter(payment_run=run, live=True).values("advance")
    rows = Advance.objects.filter(pk__in=items)
    return rows.select_related("provider", "contract", "organisation").order_by("id")


def items_of(run: PaymentRun) -> QuerySet[Remittance] | QuerySet[Advance]:
    """What the run still pays: a run is of one kind."""
    return advances_of(run) if run.advance_items.exists() else remittances_of(run)


def live_items(run: PaymentRun) -> list[Item]:
    """The same as a list."""
    return list(items_of(run))


def has_changed(run: PaymentRun, on: date) -> bool:
    """Whether an open run would pay something else than was proposed: an account changed, or a hold began."""
    return content_digest(choose(items_of(run), run.organisation, run.period, on)[0]) != run.content_sha256


def accounts_returned(run: PaymentRun) -> list[ReturnedAccount]:
    """Accounts that the run would pay again after the bank returned money from them and said why."""
    accounts = {row.provider_id: payee(row.provider, run.organisation)[1] for row in live_items(run)}
    return returned_accounts(run.organisation, accounts)


def refuse_returned(run: PaymentRun, said_at: datetime | None) -> None:
    """``said_at``: when an approver last wrote why such accounts can be paid again. Raises: AccountReturned."""
    for row in accounts_returned(run):
        if said_at is None or row.known_at > said_at:
            raise AccountReturned(account=row.payment.iban, provider=row.payment.provider.name, reason=row.reason)


def refuse_too_large(payments: Iterable[Payment]) -> None:
    """Refuse before anything is made what no payment file can hold. Raises: FileTooLarge."""
    total = sum((row.amount.amount for row in payments if row.gateway == BY_FILE), Decimal(0))
    if total > MAX_AMOUNT:
        raise FileTooLarge(total=total, limit=MAX_AMOUNT)


def refuse_held(run: PaymentRun, on: date) -> None:
    """Refuse what came under a hold after it was proposed. Raises: Held."""
    row = held_remittances(remittances_of(run), run.organisation, on).first()
    if row is not None:
        raise Held(claim=row.claim.number, provider=row.provider.name)
    advance = held_advances(advances_of(run), run.organisation, on).first()
    if advance is not None:
        raise AdvanceHeld(advance=advance.number, provider=advance.provider.name)
