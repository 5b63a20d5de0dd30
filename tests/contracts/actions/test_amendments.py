"""Contracts after their conclusion: amendments as new rows, an early end, what a grant gives back."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.apps import apps
from django.db import transaction

from config.audit.models import AuditEvent
from config.errors import DomainError
from contracts.actions import amendments
from contracts.actions.agreements import AgreedLine
from contracts.actions.budgets import commit_budget
from contracts.models import Contract
from contracts.queries import contract_line_on, set_aside_minor
from tests.road import Road

pytestmark = pytest.mark.django_db
JULY = date(2025, 7, 1)


@pytest.fixture
def contract(road: Road) -> Contract:
    """In force from 1 April to 31 December 2025 at 95.00."""
    return road.register_contract(road.provider("B"))


def amend(road: Road, contract: Contract, rate: str = "90.00", day: date = JULY) -> None:
    amendments.amend_contract_line(
        contract=contract,
        line=AgreedLine(road.service, Decimal(rate)),
        valid_from=day,
        basis="додаткова угода 1",
        actor=road.actor("bohdan"),
        at=road.at,
    )


def end(road: Road, contract: Contract, day: date = JULY) -> Contract:
    return amendments.terminate_contract(
        contract=contract, valid_to=day, reason="згода сторін", actor=road.actor("bohdan"), at=road.at
    )


def rate_on(road: Road, contract: Contract, day: date) -> Decimal:
    line = contract_line_on(contract=contract, service=road.service, on=day)
    assert line is not None
    return line.unit_rate


def close_month(road: Road, month: date) -> None:
    rows = apps.get_model("settlement", "ClosedMonth")._default_manager
    rows.create(organisation=road.organisation, month=month, closed_by=road.cast["ivan"], closed_at=road.at)


def test_amendment_is_a_new_row_and_the_old_price_stays_in_its_days(road: Road, contract: Contract) -> None:
    amend(road, contract)
    assert rate_on(road, contract, date(2025, 6, 30)) == 95
    assert rate_on(road, contract, JULY) == rate_on(road, contract, date(2025, 12, 31)) == 90


def test_an_amendment_holds_until_terms_agreed_for_later(road: Road, contract: Contract) -> None:
    amend(road, contract, "92.00", date(2025, 10, 1))
    amend(road, contract, "90.00", JULY)
    days = (date(2025, 6, 30), date(2025, 9, 30), date(2025, 10, 1))
    assert [rate_on(road, contract, day) for day in days] == [95, 90, 92]


@pytest.mark.parametrize(
    ("day", "rate", "code"),
    [
        (date(2025, 3, 31), "90.00", "OUTSIDE_CONTRACT"),
        (date(2026, 1, 1), "90.00", "OUTSIDE_CONTRACT"),
        (date(2025, 4, 1), "90.00", "AMENDED_ALREADY"),
        (date(2025, 4, 30), "90.00", "CONTRACT_MONTH_CLOSED"),
        (JULY, "96.5401", "PRICE_ABOVE_NORM"),
    ],
)
def test_an_amendment_keeps_to_the_contract_the_books_and_the_norm(
    road: Road, contract: Contract, day: date, rate: str, code: str
) -> None:
    if code == "CONTRACT_MONTH_CLOSED":
        close_month(road, date(2025, 4, 1))
    with pytest.raises(DomainError) as refused:
        amend(road, contract, rate, day)
    assert refused.value.code == code
    assert contract.lines.count() == 1


def test_a_terminated_contract_is_neither_amended_nor_ended_again(road: Road, contract: Contract) -> None:
    ended = end(road, contract)
    assert (ended.status, ended.valid_to) == ("terminated", JULY)
    for call in (amend, end):
        with pytest.raises(amendments.ContractClosed):
            call(road, contract)


@pytest.mark.parametrize("day", [date(2025, 4, 1), date(2026, 1, 1), date(2025, 5, 1)])
def test_an_end_lies_inside_the_contract_and_after_the_closed_months(road: Road, contract: Contract, day: date) -> None:
    close_month(road, date(2025, 5, 1))
    with pytest.raises(DomainError):
        end(road, contract, day)
    assert end(road, contract, date(2025, 6, 1)).status == "terminated"


def test_a_grant_that_ends_early_gives_back_what_it_has_not_used(road: Road, contract: Contract) -> None:
    Contract.objects.filter(pk=contract.pk).update(basis="grant")
    contract.refresh_from_db()
    who = {"actor": road.actor("halyna"), "at": road.at}
    with transaction.atomic():
        commit_budget(line=road.line, amount=Decimal("700.00"), cause=contract, on=date(2025, 4, 1), **who)
    assert set_aside_minor(road.line) == 70_000
    end(road, contract)
    assert set_aside_minor(road.line) == 0
    assert AuditEvent.objects.get(action="contract.terminated").data["returned_minor"] == 70_000
