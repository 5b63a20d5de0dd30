"""Advances to providers: proposed by one person, approved by another, asked back when they are not used."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, record
from config.clock import local_date
from config.errors import DomainError, FourEyes, NotFound
from config.locks import lock_rows
from config.money import from_minor, round_down, round_half_up, to_minor, to_rate, to_units
from config.office.numbering import document_number
from config.transactions import step
from contracts.actions.budgets import BudgetExceeded, refuse_closed_year
from contracts.actions.check_facts import refuse_related
from contracts.models import BudgetEntry, BudgetLine, Contract
from contracts.parameters import ParameterBook
from settlement.actions.advance_postings import post_granted, post_withdrawn
from settlement.actions.claim_notices import tell_provider
from settlement.actions.runs import person
from settlement.advance_queries import PERCENT_MAX, advanced_minor, advanced_of_contract, with_sums
from settlement.gateways.identifiers import creditor_reference
from settlement.models import Advance, Remittance
from settlement.year_queries import return_day


class AdvanceTooLarge(DomainError):
    """More than the rules or the contract allow."""

    code = "ADVANCE_TOO_LARGE"
    message = _(
        "Under the contract «%(contract)s» at most %(limit)s can be advanced now: %(percent)s percent of what it may "
        "pay, less what is advanced already, and no more than it has left."
    )


class AboveThePlan(DomainError):
    """More than the planned services cost."""

    code = "ADVANCE_ABOVE_PLAN"
    message = _("The planned volume costs %(plan)s by the tariff. The advance cannot be larger.")
    http_status = 400


class AdvanceDayWrong(DomainError):
    """A day on which nothing could use it."""

    code = "ADVANCE_DAY_WRONG"
    message = _("The advance has to be used between today and %(last)s: it does not go over to another year.")
    http_status = 400


class ReturnDayPast(DomainError):
    """A day that is over."""

    code = "ADVANCE_RETURN_DAY_PAST"
    message = _("Money cannot come back by %(day)s: that day has passed. Write a later one.")
    http_status = 400


class ContractNotInForce(DomainError):
    """No services come under it."""

    code = "ADVANCE_CONTRACT"
    message = _("The contract «%(contract)s» is not in force, so nothing can be advanced under it.")


class NoBasis(DomainError):
    """Nothing says how much an advance may be."""

    code = "ADVANCE_NO_BASIS"
    message = _("The contract «%(contract)s» has no ceiling. Write the planned volume and the tariff.")
    http_status = 400


class AdvanceInUse(DomainError):
    """Part of it was used, or it is on its way."""

    code = "ADVANCE_IN_USE"
    message = _("The advance «%(number)s» is in a payment run, or claims have used it. It cannot be cancelled.")


class NothingToReturn(DomainError):
    """All of it is used or back."""

    code = "ADVANCE_NOTHING_LEFT"
    message = _("Nothing is left of the advance «%(number)s».")


@dataclass(frozen=True)
class Plan:
    """What an advance rests on: planned units (thousandths) and the tariff of one (ten-thousandths)."""

    units: Decimal
    tariff: Decimal

    @property
    def minor(self) -> int:
        """The planned cost, rounded half up to 0.01."""
        return to_minor(round_half_up(self.units * self.tariff))


@action
def propose_advance(
    *,
    organisation: Organisation,
    contract_id: int,
    amount_minor: int,
    purpose: str,
    use_until: date,
    plan: Plan | None = None,
    actor: Actor,
    at: datetime,
) -> Advance:
    """Ask for an advance under a contract in force.

    Money: at most ``advance.percent_max`` percent of the contract's ceiling, or of the plan where it has none; no more
    than the contract and its budget line have left, other advances taken off; no more than the plan.
    Time: it is used up to ``use_until``, a day of this year.
    Raises: NotFound, ContractNotInForce, AdvanceDayWrong, AboveThePlan, NoBasis, AdvanceTooLarge, BudgetExceeded,
    BudgetYearClosed, RelatedPerson, ParameterMissing. Locks: budget line, contract. Audit: advance.proposed.
    """
    contract, line = _locked(organisation, contract_id, at)
    refuse_related(organisation=organisation, actor=actor, providers=[contract.provider_id], at=at)
    on = local_date(at, organisation.zone)
    _check_days(contract, use_until, on)
    if plan and amount_minor > plan.minor:
        raise AboveThePlan(plan=from_minor(plan.minor))
    rule = _check_sums(contract, line, amount_minor, plan.minor if plan else None, on)
    number = document_number(organisation=organisation, kind="advance", prefix="ADV", year=on.year)
    advance = Advance.objects.create(
        organisation=organisation,
        number=number,
        provider=contract.provider,
        contract=contract,
        budget_line=line,
        amount_minor=amount_minor,
        planned_units_milli=to_units(plan.units) if plan else None,
        tariff_e4=to_rate(plan.tariff) if plan else None,
        purpose=purpose.strip()[:300],
        use_until=use_until,
        rule=rule,
        rf_reference=creditor_reference(number.replace("-", "")),
        proposed_by_id=person(actor),
        proposed_at=at,
        status="proposed",
        status_at=at,
    )
    record(
        "advance.proposed", advance, contract, actor=actor, at=at, number=number, amount_minor=amount_minor,
        use_until=use_until, reason=advance.purpose,
    )  # fmt: skip
    return advance


def _locked(organisation: Organisation, contract_id: int, at: datetime) -> tuple[Contract, BudgetLine]:
    """The contract and the line of its code in this year, both locked. Raises: NotFound, BudgetYearClosed."""
    contract = Contract.objects.filter(pk=contract_id, organisation=organisation).first()
    if contract is None:
        raise NotFound()
    year = local_date(at, organisation.zone).year
    lines = BudgetLine.objects.filter(organisation=organisation, code=contract.budget_line.code, year=year)
    [line] = lock_rows(lines) or [contract.budget_line]
    refuse_closed_year(line)
    [contract] = lock_rows(Contract.objects.filter(pk=contract_id).select_related("provider", "organisation"))
    return contract, line


def _check_days(contract: Contract, use_until: date, on: date) -> None:
    ended = contract.valid_to is not None and contract.valid_to <= on
    if contract.status != "active" or ended:
        raise ContractNotInForce(contract=contract.number)
    last = date(on.year, 12, 31)
    if not on <= use_until <= last:
        raise AdvanceDayWrong(last=f"{last:%d.%m.%Y}")


def _check_sums(contract: Contract, line: BudgetLine, amount: int, plan: int | None, on: date) -> dict[str, Any]:
    """The rule by which an amount is allowed. Raises: NoBasis, AdvanceTooLarge, BudgetExceeded, ParameterMissing."""
    percent = ParameterBook.load(contract.organisation, PERCENT_MAX).value(PERCENT_MAX, on)
    ceiling = to_minor(contract.ceiling.amount) if contract.ceiling is not None else None
    base = ceiling if ceiling is not None else plan
    if base is None:
        raise NoBasis(contract=contract.number)
    share = to_minor(round_down(from_minor(base) * percent.decimal / 100))
    limit = share - advanced_of_contract(contract)
    if ceiling is not None:
        limit = min(limit, ceiling - _paid_of(contract) - advanced_of_contract(contract))
    if amount > limit:
        raise AdvanceTooLarge(contract=contract.number, limit=from_minor(max(limit, 0)), percent=percent.text)
    free = _free_of(line)
    if amount > free:
        raise BudgetExceeded(line=line, free=from_minor(max(free, 0)), needed=from_minor(amount))
    return percent.as_version()


def _paid_of(contract: Contract) -> int:
    """What claims of a contract were allowed, minor units; used advances are in it."""
    rows = Remittance.objects.filter(claim__contract=contract).values_list("payable", "offsets")
    return sum(payable + offsets for payable, offsets in rows)


def _free_of(line: BudgetLine) -> int:
    """What of an appropriation is neither spent nor advanced. Promises are not taken off: an advance is used up by
    claims that turn those very promises into spending.
    """
    spent = sum(BudgetEntry.objects.filter(budget_line=line, kind="spending").values_list("amount_minor", flat=True))
    return to_minor(line.amount.amount) - spent - advanced_minor(line)


def locked_advance(organisation: Organisation, advance_id: int) -> Advance:
    """An advance, locked. Raises: NotFound."""
    rows = lock_rows(
        Advance.objects.filter(pk=advance_id, organisation=organisation).select_related(
            "provider", "contract", "organisation", "budget_line"
        )
    )
    if not rows:
        raise NotFound()
    return rows[0]


@action
def approve_advance(*, organisation: Organisation, advance_id: int, actor: Actor, at: datetime) -> Advance:
    """Another person grants what was proposed; what has changed since is looked at again.

    Raises: NotFound, FourEyes, InvalidMove and what proposing raises. Locks: advance, budget line, contract.
    Posts: advance.granted. Audit: advance.approved.
    """
    advance = locked_advance(organisation, advance_id)
    advance.check_move("approved")
    if advance.status != "proposed":
        raise AdvanceInUse(number=advance.number)
    if person(actor) == advance.proposed_by_id:
        raise FourEyes()
    refuse_related(organisation=organisation, actor=actor, providers=[advance.provider_id], at=at)
    contract, line = _locked(organisation, advance.contract_id, at)
    on = local_date(at, organisation.zone)
    _check_days(contract, advance.use_until, on)
    _check_sums(contract, line, advance.amount_minor, _plan_of(advance), on)
    advance.approved_by_id, advance.approved_at = actor.user_id, at
    advance.status, advance.status_at = "approved", at
    advance.save(update_fields=["approved_by", "approved_at", "status", "status_at"])
    post_granted(advance, actor=actor, at=at)
    told: dict[str, Any] = {
        "number": advance.number,
        "amount_minor": advance.amount_minor,
        "use_until": advance.use_until.isoformat(),
    }
    tell_provider(advance, "advance.approved", told, at=at)
    record("advance.approved", advance, advance.contract, actor=actor, at=at, **told)
    return advance


def _plan_of(advance: Advance) -> int | None:
    if advance.planned_units_milli is None or advance.tariff_e4 is None:
        return None
    return Plan(Decimal(advance.planned_units_milli) / 1000, Decimal(advance.tariff_e4) / 10000).minor


@action
def cancel_advance(*, organisation: Organisation, advance_id: int, reason: str, actor: Actor, at: datetime) -> Advance:
    """Give up an advance that is not paid. Raises: NotFound, InvalidMove, AdvanceInUse. Locks: advance.
    Posts: advance.withdrawn when it was granted. Audit: advance.cancelled.
    """
    advance = locked_advance(organisation, advance_id)
    was = advance.status
    advance.check_move("cancelled")
    if advance.payment_items.filter(live=True).exists() or advance.uses.exists() or advance.returns.exists():
        raise AdvanceInUse(number=advance.number)
    advance.move_to("cancelled", at=at)
    if was == "approved":
        post_withdrawn(advance, actor=actor, at=at)
    record("advance.cancelled", advance, actor=actor, at=at, number=advance.number, reason=reason)
    return advance


@action
def ask_advance_back(
    *, organisation: Organisation, advance_id: int, reason: str, until: date | None = None, actor: Actor, at: datetime
) -> Advance:
    """Ask for what is unused of a paid advance before the year is closed; from now on no claim uses it.

    ``until``: the last day for the money; without it the one on which the year's unused money comes back.
    Raises: NotFound, InvalidMove, NothingToReturn, ReturnDayPast, ParameterMissing. Locks: advance.
    Audit: advance.asked_back.
    """
    advance = locked_advance(organisation, advance_id)
    until = until or return_day(organisation, advance.budget_line.year)
    today = local_date(at, organisation.zone)
    if until < today:
        raise ReturnDayPast(day=f"{until:%d.%m.%Y}")
    told = make_due(advance, until=until, reason=reason, at=at)
    record("advance.asked_back", advance, actor=actor, at=at, **told)
    return advance


@step
def make_due(advance: Advance, *, until: date, reason: str, at: datetime) -> dict[str, Any]:
    """What stands on a locked, paid advance has to come back by a day; the provider is told.

    Raises: InvalidMove, NothingToReturn.
    """
    advance.check_move("due")
    left = with_sums(Advance.objects.filter(pk=advance.pk)).get().outstanding  # type: ignore[attr-defined]  # annotated
    if left <= 0:
        raise NothingToReturn(number=advance.number)
    advance.return_until, advance.return_reason = until, reason.strip()[:300]
    advance.status, advance.status_at = "due", at
    advance.save(update_fields=["return_until", "return_reason", "status", "status_at"])
    told = {"number": advance.number, "amount_minor": left, "return_until": until.isoformat(), "reason": reason}
    tell_provider(advance, "advance.asked_back", told, at=at)
    return told


@step
def make_year_due(organisation: Organisation, year: int, until: date, reason: str, at: datetime) -> list[Advance]:
    """Every paid advance of a year's lines of which something stands; returns them. Locks: advances.

    Time: ``until``, or today when that day has passed before the year could be closed.
    """
    until = max(until, local_date(at, organisation.zone))
    rows = Advance.objects.filter(organisation=organisation, budget_line__year=year, status="paid")
    found = lock_rows(rows.select_related("provider", "organisation", "contract"))
    left: Iterable[Advance] = with_sums(Advance.objects.filter(pk__in=[row.pk for row in found]))
    open_ones = {row.pk for row in left if row.outstanding > 0}  # type: ignore[attr-defined]  # annotated
    due = [row for row in found if row.pk in open_ones]
    for row in due:
        make_due(row, until=until, reason=reason, at=at)
    return due
