"""Before the year: the agreement of the pilot of December 2024, a claim for it that comes after its last day, and the
closing of that year by two people.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal as D

from config.demo.chapters.claims import claim, claim_row, judge
from config.demo.chapters.ground import HOME
from config.demo.chapters.visits import Reported, certificate_numbers, report
from config.demo.stage import Stage, ensure, moment
from config.demo.visits import Visit
from contracts.actions.agreements import AgreedLine, conclude_register_contract, sign_contract
from contracts.models import BudgetLine, Contract, Provider, Service
from settlement.actions.year_close import approve_year_closing, propose_year_closing
from settlement.models import YearClosing

NUMBER = "C-2024-OPORA"
MONTH, TOO_LATE = date(2024, 12, 1), moment(2025, 1, 20, 11)
PRICE = D("90.00")


def agree_on_pilot(stage: Stage) -> None:
    """A contract of one month with one provider."""
    contract = ensure(
        Contract.objects.filter(organisation=stage.organisation, number=NUMBER),
        lambda: conclude_register_contract(
            organisation=stage.organisation,
            provider=Provider.objects.get(code="OPORA"),
            budget_line=BudgetLine.objects.get(organisation=stage.organisation, code="SOC-CARE", year=2024),
            lines=[AgreedLine(Service.objects.get(organisation=stage.organisation, code=HOME), PRICE, None)],
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


def claim_too_late(stage: Stage) -> None:
    """CLM-32: two visits of December, claimed after the last day for that month."""
    sundays = (moment(2024, 12, 8), moment(2024, 12, 15))
    found = [Visit("R-0441", "OPORA-W01", HOME, day, day + timedelta(hours=1), D(1)) for day in sundays]
    known = [Reported(f"OPO-LATE-{number}", visit) for number, visit in enumerate(found, 1)]
    certificates = certificate_numbers(stage, MONTH)
    report(stage, "OPORA", "taras", MONTH, known, certificates, at=TOO_LATE - timedelta(days=1))
    lines = [replace(claim_row("OPORA", item, certificates), unit_rate=PRICE) for item in known]
    claim(stage, "OPORA", MONTH, lines, at=TOO_LATE)
    judge(stage, MONTH, at=TOO_LATE + timedelta(days=1))


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
