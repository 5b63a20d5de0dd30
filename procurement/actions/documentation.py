"""What the documentation of a competition must agree with: its service, its money and its own dates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from config.errors import DomainError
from config.money import from_minor
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


class ContractDatesReversed(DomainError):
    """No day would belong to the contract."""

    code = "CONTRACT_DATES_REVERSED"
    message = _("The contract would end before it starts. Correct the dates.")


def contradictions(
    *,
    kind: str,
    service: Service | None,
    norm_cost: NormCost | None,
    budget_line: BudgetLine,
    value: Decimal,
    contract_from: date | None,
    contract_to: date | None,
) -> Iterator[tuple[str, DomainError]]:
    """Every contradiction with the field to correct. Time: ``contract_to`` is exclusive."""
    if kind == "social_order":
        if norm_cost is None or norm_cost.status != "approved":
            yield "norm_cost", NormNotApproved()
        elif norm_cost.service != service:
            yield "norm_cost", NormOfOtherService()
    free = budget_line.amount.amount - from_minor(set_aside_minor(budget_line))
    if value > free:
        yield "value", BudgetExceeded(line=budget_line, free=free, needed=value)
    if contract_from and contract_to and contract_to <= contract_from:
        yield "contract_to", ContractDatesReversed()


def check_documentation(tender: Tender) -> None:
    """Raises: the first of the ``contradictions`` of a competition."""
    found = contradictions(
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
