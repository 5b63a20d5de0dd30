"""Contracts: price within the norm, both signatures, budget commitments."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from config.states import InvalidMove
from contracts.actions import agreements, budgets, register
from contracts.actions.agreements import AgreedLine
from contracts.queries import contract_line_on, set_aside_minor
from tests.road import Road

pytestmark = pytest.mark.django_db


def test_register_contract_at_95(road: Road) -> None:
    contract = road.register_contract(road.provider("B"))
    line = contract_line_on(contract=contract, service=road.service, on=date(2025, 4, 1))
    assert contract.status == "active" and contract.number == "C-2025-0001"
    assert line is not None and line.unit_rate == Decimal("95.0000")
    assert set_aside_minor(road.line) == 0


def test_price_equal_to_the_norm_passes_and_above_is_refused(road: Road) -> None:
    assert road.register_contract(road.provider("B"), "96.54").status == "active"
    with pytest.raises(agreements.PriceAboveNorm):
        road.register_contract(road.provider("C"), "96.5401")


def test_no_norm_no_contract(road: Road) -> None:
    with pytest.raises(agreements.NormMissing):
        agreements.conclude_register_contract(
            organisation=road.organisation,
            provider=road.provider("B"),
            budget_line=road.line,
            lines=[AgreedLine(road.service, Decimal("95.00"))],
            valid_from=date(2025, 4, 1),
            valid_to=None,
            actor=road.actor("bohdan"),
            at=road.at,
        )


def test_suspended_provider_gets_no_contract(road: Road) -> None:
    provider = road.provider("B")
    register.suspend_provider(
        organisation=road.organisation,
        provider=provider,
        from_date=date(2025, 3, 1),
        reason="перевірка",
        actor=road.actor("bohdan"),
        at=road.at,
    )
    with pytest.raises(agreements.ProviderNotActive):
        road.register_contract(provider)


def test_second_signature_is_refused(road: Road) -> None:
    contract = road.register_contract(road.provider("B"))
    with pytest.raises(InvalidMove):
        agreements.sign_contract(
            contract=contract, provider_user_id=road.cast["nadiia"].pk, actor=road.actor("bohdan"), at=road.at
        )


def test_budget_line_is_not_cut_below_what_is_set_aside(road: Road) -> None:
    line = budgets.amend_budget_line(
        line=road.line, amount=Decimal("10.00"), basis="рішення 5", actor=road.actor("halyna"), at=road.at
    )
    assert line.amount.amount == Decimal("10.00")
    with pytest.raises(budgets.BudgetBelowCommitments):
        budgets.amend_budget_line(
            line=road.line, amount=Decimal("-1.00"), basis="x", actor=road.actor("halyna"), at=road.at
        )
