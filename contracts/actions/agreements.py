"""Contracts: concluded from the register or an award, signed; milestones of grants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, record
from config.clock import local_date
from config.errors import DomainError
from config.locks import lock_rows
from config.office.numbering import document_number
from config.transactions import step
from contracts.actions.budgets import commit_budget
from contracts.actions.register import is_active
from contracts.currency import money_or_none
from contracts.models import BudgetLine, Contract, ContractLine, Milestone, Provider, Service
from contracts.queries import norm_cost_on


class ProviderNotActive(DomainError):
    """Only a provider on the register, not suspended, may get a contract."""

    code = "PROVIDER_NOT_ACTIVE"
    message = _("«%(provider)s» is not active in the register on %(day)s. Admit it or end the suspension first.")


class PriceAboveNorm(DomainError):
    """NRM-2."""

    code = "PRICE_ABOVE_NORM"
    message = _(
        "The price %(price)s of «%(service)s» is above its norm cost %(norm)s. Agree on a price within the norm."
    )


class NormMissing(DomainError):
    """No approved norm cost on the day."""

    code = "NORM_MISSING"
    message = _("There is no approved norm cost of «%(service)s» on %(day)s. Approve one first.")


@dataclass(frozen=True)
class AgreedLine:
    """Price and volume of a service; ``units_ceiling`` None: no limit by units."""

    service: Service
    unit_rate: Decimal
    units_ceiling: Decimal | None = None


@dataclass(frozen=True)
class AgreedMilestone:
    """A dated event; ``tranche`` is the money it releases."""

    code: str
    title: str
    due_date: date
    tranche: Decimal | None = None


@action
def conclude_register_contract(
    *,
    organisation: Organisation,
    provider: Provider,
    budget_line: BudgetLine,
    lines: Sequence[AgreedLine],
    valid_from: date,
    valid_to: date | None,
    actor: Actor,
    at: datetime,
    ceiling: Decimal | None = None,
    title: str = "",
    number: str = "",
) -> Contract:
    """Draw up a contract with a provider of the register; it is in force once both have signed.

    Money: price per unit not above the norm cost on the first day (NRM-2). Time: ``valid_to`` is exclusive.
    Raises: ProviderNotActive, PriceAboveNorm, NormMissing. Audit: contract.drafted.
    """
    contract = draw_up_contract(
        organisation=organisation,
        provider=provider,
        budget_line=budget_line,
        basis="register",
        lines=lines,
        valid_from=valid_from,
        valid_to=valid_to,
        ceiling=ceiling,
        title=title,
        number=number,
        at=at,
    )
    record("contract.drafted", contract, provider, actor=actor, at=at, number=contract.number, basis="register")
    return contract


@step
def draw_up_contract(
    *,
    organisation: Organisation,
    provider: Provider,
    budget_line: BudgetLine,
    basis: str,
    lines: Sequence[AgreedLine],
    valid_from: date,
    valid_to: date | None,
    ceiling: Decimal | None,
    title: str,
    number: str,
    at: datetime,
) -> Contract:
    """A pending contract with its lines. Raises: ProviderNotActive, PriceAboveNorm, NormMissing."""
    if not is_active(provider, valid_from):
        raise ProviderNotActive(provider=provider, day=valid_from)
    for line in lines:
        check_price(organisation=organisation, line=line, on=valid_from)
    contract = Contract.objects.create(
        organisation=organisation,
        number=number or document_number(organisation=organisation, kind="contract", prefix="C", year=valid_from.year),
        provider=provider,
        budget_line=budget_line,
        basis=basis,
        title=title,
        valid_from=valid_from,
        valid_to=valid_to,
        ceiling=money_or_none(ceiling, organisation.currency),
        status="pending",
        status_at=at,
    )
    ContractLine.objects.bulk_create(
        ContractLine(
            contract=contract,
            service=line.service,
            unit_rate=line.unit_rate,
            units_ceiling=line.units_ceiling,
            recorded_at=at,
        )
        for line in lines
    )
    return contract


def check_price(*, organisation: Organisation, line: AgreedLine, on: date) -> None:
    """Raises: NormMissing, PriceAboveNorm."""
    norm = norm_cost_on(organisation=organisation, service=line.service, on=on)
    if norm is None:
        raise NormMissing(service=line.service, day=on)
    if line.unit_rate > norm.unit_rate:
        raise PriceAboveNorm(service=line.service, price=line.unit_rate, norm=norm.unit_rate)


@action
def sign_contract(*, contract: Contract, provider_user_id: int, actor: Actor, at: datetime) -> Contract:
    """Both sides have signed: the contract is in force. A grant agreement commits its ceiling on the budget line.

    Raises: InvalidMove, BudgetExceeded. Locks: budget line, contract. Audit: contract.signed.
    """
    contract = activate_contract(contract=contract, provider_user_id=provider_user_id, actor=actor, at=at)
    record("contract.signed", contract, contract.provider, actor=actor, at=at, number=contract.number)
    return contract


@step
def activate_contract(*, contract: Contract, provider_user_id: int, actor: Actor, at: datetime) -> Contract:
    """Put a pending contract in force. Raises: InvalidMove, BudgetExceeded."""
    if contract.basis == "grant" and contract.ceiling is not None:
        commit_budget(
            line=contract.budget_line,
            amount=contract.ceiling.amount,
            cause=contract,
            on=local_date(at, contract.organisation.zone),
            actor=actor,
            at=at,
        )
    contract = lock_rows(Contract.objects.filter(pk=contract.pk))[0]
    contract.signed_at, contract.signed_by_id = at, actor.user_id
    contract.signed_by_provider_id = provider_user_id
    contract.save(update_fields=["signed_at", "signed_by", "signed_by_provider"])
    contract.move_to("active", at=at)
    return contract


@step
def plan_milestones(*, contract: Contract, milestones: Sequence[AgreedMilestone], at: datetime) -> None:
    """Dated events of a grant agreement."""
    currency = contract.organisation.currency
    Milestone.objects.bulk_create(
        Milestone(
            contract=contract,
            code=row.code,
            title=row.title,
            due_date=row.due_date,
            tranche=money_or_none(row.tranche, currency),
            status="scheduled",
            status_at=at,
        )
        for row in milestones
    )
