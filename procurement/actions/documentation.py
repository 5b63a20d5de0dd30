"""What the documentation of a competition must agree with: its service, its money and its own dates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from config.errors import DomainError
from config.money import from_minor
from config.periods import Period
from contracts.actions.budgets import BudgetExceeded
from contracts.models import BudgetLine, NormCost, Service
from contracts.queries import set_aside_minor
from procurement.models import Tender


class NormNotApproved(DomainError):
    """A social order is limited by an approved norm cost."""

    code = "NORM_NOT_APPROVED"
    message = _("A social order needs an approved norm cost of its service. Approve it first.")


class NormOfOtherService(DomainError):
    """The highest price would be that of something else."""

    code = "NORM_OF_OTHER_SERVICE"
    message = _("The norm cost belongs to another service. Choose one of the service of this competition.")


class NormNotInForce(DomainError):
    """The highest price would be one of another time."""

    code = "NORM_NOT_IN_FORCE"
    message = _(
        "The norm cost holds neither on %(on)s nor when the contract starts. The officer drafts a norm cost for the "
        "time of the contract and the manager approves it; then choose that one."
    )


class BudgetOfOtherYear(DomainError):
    """An appropriation pays in its own year."""

    code = "BUDGET_OF_OTHER_YEAR"
    message = _(
        "The budget line «%(line)s» is of a year in which the contract does not run. The finance officer enters the "
        "line of the year of the contract; then choose that one."
    )


class ContractDatesReversed(DomainError):
    """No day would belong to the contract."""

    code = "CONTRACT_DATES_REVERSED"
    message = _("The contract would end before it starts. Correct the dates.")


def norm_to_follow(tender: Tender) -> bool:
    """Whether the norm cost ends before the contract starts: no contract is signed until a later one is approved."""
    norm, start = tender.norm_cost, tender.contract_from
    return norm is not None and start is not None and norm.valid_to is not None and norm.valid_to <= start


def contradictions(
    *,
    on: date,
    kind: str,
    service: Service | None,
    norm_cost: NormCost | None,
    budget_line: BudgetLine,
    value: Decimal,
    contract_from: date | None,
    contract_to: date | None,
) -> Iterator[tuple[str, DomainError]]:
    """Every contradiction on a day with the field to correct. Time: ``contract_to`` is exclusive."""
    if kind == "social_order":
        if norm_cost is None or norm_cost.status != "approved":
            yield "norm_cost", NormNotApproved()
        elif norm_cost.service != service:
            yield "norm_cost", NormOfOtherService()
        elif not any(day in Period(norm_cost.valid_from, norm_cost.valid_to) for day in (on, contract_from or on)):
            yield "norm_cost", NormNotInForce(on=on)
    free = budget_line.amount.amount - from_minor(set_aside_minor(budget_line))
    if value > free:
        yield "value", BudgetExceeded(line=budget_line, free=free, needed=value)
    if contract_from and contract_to and contract_to <= contract_from:
        yield "contract_to", ContractDatesReversed()
    elif contract_from and not _pays_in(budget_line.year, contract_from, contract_to):
        yield "budget_line", BudgetOfOtherYear(line=budget_line)


def _pays_in(year: int, contract_from: date, contract_to: date | None) -> bool:
    last = contract_to - timedelta(days=1) if contract_to else date.max
    return contract_from.year <= year <= last.year


def check_documentation(tender: Tender, on: date) -> None:
    """Raises: the first of the ``contradictions`` of a competition on a day."""
    found = contradictions(
        on=on,
        kind=tender.kind,
        service=tender.service,
        norm_cost=tender.norm_cost,
        budget_line=tender.budget_line,
        value=tender.value.amount,
        contract_from=tender.contract_from,
        contract_to=tender.contract_to,
    )
    for _field, error in found:
        raise error
