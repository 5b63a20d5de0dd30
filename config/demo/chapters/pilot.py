"""Before the year: the agreement of the pilot of December 2024, and the closing of that year by two people."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D

from config.demo.chapters.ground import HOME
from config.demo.stage import Stage, ensure, moment
from contracts.actions.agreements import AgreedLine, conclude_register_contract, sign_contract
from contracts.models import BudgetLine, Contract, Provider, Service
from settlement.actions.year_close import approve_year_closing, propose_year_closing
from settlement.models import YearClosing

NUMBER = "C-2024-OPORA"


def agree_on_pilot(stage: Stage) -> None:
    """A contract of one month with one provider."""
    contract = ensure(
        Contract.objects.filter(organisation=stage.organisation, number=NUMBER),
        lambda: conclude_register_contract(
            organisation=stage.organisation,
            provider=Provider.objects.get(code="OPORA"),
            budget_line=BudgetLine.objects.get(organisation=stage.organisation, code="SOC-CARE", year=2024),
            lines=[AgreedLine(Service.objects.get(organisation=stage.organisation, code=HOME), D("90.00"), None)],
            valid_from=date(2024, 12, 1),
            valid_to=date(2025, 1, 1),
            number=NUMBER,
            actor=stage.actor("bohdan"),
            at=moment(2024, 11, 18),
        ),
    )
    if contract.status == "pending":
        sign_contract(
            contract=contract,
            provider_user_id=stage.people["taras"].pk,
            actor=stage.actor("bohdan"),
            at=moment(2024, 11, 20),
        )


def close_year(stage: Stage, year: int) -> None:
    """What the year's budget line did not spend lapses; its costs end on the result."""
    closing = ensure(
        YearClosing.objects.filter(organisation=stage.organisation, year=year),
        lambda: propose_year_closing(
            organisation=stage.organisation, year=year, actor=stage.actor("halyna"), at=moment(year + 1, 1, 22, 11)
        ),
    )
    if closing.status == "proposed":
        approve_year_closing(
            organisation=stage.organisation,
            closing_id=closing.pk,
            content_sha256=closing.content_sha256,
            actor=stage.actor("ivan"),
            at=moment(year + 1, 1, 23, 15),
        )
