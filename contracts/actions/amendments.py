"""Contracts after their conclusion: prices and volumes amended from a day, the contract ended early."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, record
from config.clock import local_date
from config.errors import DomainError
from config.locks import lock_rows
from config.transactions import step
from contracts.actions.agreements import AgreedLine, check_price
from contracts.actions.budgets import release_commitment
from contracts.models import BudgetLine, Contract, ContractLine
from contracts.queries import closed_until, contract_line_on, next_contract_line


class ContractClosed(DomainError):
    """The contract can no longer be changed."""

    code = "CONTRACT_CLOSED"
    message = _("Contract %(contract)s is not in force and cannot be changed.")


class OutsideContract(DomainError):
    """The day is none on which the contract holds."""

    code = "OUTSIDE_CONTRACT"
    message = _("Contract %(contract)s does not hold on %(day)s. Choose a day after its first one and before its end.")


class ContractMonthClosed(DomainError):
    """A month that the change would touch is closed."""

    code = "CONTRACT_MONTH_CLOSED"
    message = _(
        "Months until %(until)s are closed and stay as they were paid. Choose that day or a later one. If other terms "
        "were agreed for days already served, put them right with the reason; another person approves it."
    )


class AmendedAlready(DomainError):
    """The terms of the service begin on this very day."""

    code = "AMENDED_ALREADY"
    message = _("The terms of «%(service)s» on record begin on %(day)s. Choose a later first day.")


@action
def amend_contract_line(
    *,
    contract: Contract,
    line: AgreedLine,
    valid_from: date,
    basis: str,
    actor: Actor,
    at: datetime,
) -> ContractLine:
    """New price or volume of a service from a day: a new row, the earlier one ends the day before.

    It holds until terms that were agreed for a later day. Raises: ContractClosed, OutsideContract,
    ContractMonthClosed, AmendedAlready, PriceAboveNorm, NormMissing. Locks: the contract. Audit: contract.amended.
    """
    contract = open_contract(contract, frozenset({"pending", "active"}))
    check_inside(contract, valid_from)
    _check_month(contract.organisation, valid_from)
    check_price(organisation=contract.organisation, line=line, on=valid_from)
    row = place_terms(contract, line, valid_from, basis, at)
    record(
        "contract.amended",
        contract,
        actor=actor,
        at=at,
        service=line.service.code,
        unit_rate=line.unit_rate,
        valid_from=valid_from,
        basis=basis,
    )
    return row


@step
def open_contract(contract: Contract, statuses: frozenset[str]) -> Contract:
    """The contract, locked. Raises: ContractClosed."""
    contract = lock_rows(Contract.objects.filter(pk=contract.pk).select_related("organisation"))[0]
    if contract.status not in statuses:
        raise ContractClosed(contract=contract)
    return contract


def check_inside(contract: Contract, day: date) -> None:
    """Raises: OutsideContract for a day on which the contract does not hold."""
    if day < contract.valid_from or (contract.valid_to is not None and day >= contract.valid_to):
        raise OutsideContract(contract=contract, day=day)


def _check_month(organisation: Organisation, day: date) -> None:
    until = closed_until(organisation)
    if until is not None and day < until:
        raise ContractMonthClosed(until=until)


@step
def place_terms(contract: Contract, line: AgreedLine, valid_from: date, basis: str, at: datetime) -> ContractLine:
    """A new row of a locked contract; the earlier one ends the day before. Raises: AmendedAlready."""
    earlier, later = _around(contract, line, valid_from)
    if earlier is not None:
        earlier.change(at=at, valid_to=valid_from)
    return ContractLine.objects.create(
        contract=contract,
        service=line.service,
        valid_from=valid_from,
        valid_to=later,
        unit_rate=line.unit_rate,
        units_ceiling=line.units_ceiling,
        amendment=basis,
        recorded_at=at,
    )


def _around(contract: Contract, line: AgreedLine, day: date) -> tuple[ContractLine | None, date | None]:
    """The row that ends the day before, and the first day of what was agreed for later."""
    earlier = contract_line_on(contract=contract, service=line.service, on=day)
    if earlier is None:
        return None, next_contract_line(contract=contract, service=line.service, after=day)
    if (earlier.valid_from or contract.valid_from) == day:
        raise AmendedAlready(service=line.service, day=day)
    return earlier, earlier.valid_to


@action
def terminate_contract(*, contract: Contract, valid_to: date, reason: str, actor: Actor, at: datetime) -> Contract:
    """End a contract early; ``valid_to`` is the first day without it.

    What a grant agreement has committed and not yet used goes back to its budget line; claims for days before the
    end are then paid from what the line has left. Raises: ContractClosed, OutsideContract, ContractMonthClosed.
    Locks: budget line, contract. Audit: contract.terminated.
    """
    if contract.basis == "grant":
        lock_rows(BudgetLine.objects.filter(pk=contract.budget_line_id))
    contract = open_contract(contract, frozenset({"active"}))
    if valid_to <= contract.valid_from or (contract.valid_to is not None and valid_to >= contract.valid_to):
        raise OutsideContract(contract=contract, day=valid_to)
    _check_month(contract.organisation, valid_to)
    contract.move_to("terminated", at=at, valid_to=valid_to)
    returned: dict[str, Any] = {}
    if contract.basis == "grant":
        on = local_date(at, contract.organisation.zone)
        minor = release_commitment(line=contract.budget_line, cause=contract, on=on, actor=actor, at=at)
        returned = {"returned_minor": minor}
    record("contract.terminated", contract, actor=actor, at=at, valid_to=valid_to, reason=reason, **returned)
    return contract
