"""How a person comes: register, assessment of needs, fee decision, plan, certificate; on the days of an intake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal as D

from config.accounts.models import User
from config.demo.people import DemoRecipient, tax_id_for
from config.demo.pins import keep_pin
from config.demo.stage import KYIV, Stage
from contracts.models import BudgetLine, Service, Territory
from contracts.parameters import ParameterBook
from vouchers.actions.assessments import FeeInputs, assess_needs, decide_fee, fee_parameters
from vouchers.actions.certificates import issue_certificate
from vouchers.actions.plans import PlannedVolume, approve_plan
from vouchers.actions.recipients import register_recipient
from vouchers.models import Recipient
from vouchers.rules.co_payment import PlannedService
from vouchers.rules.income import FamilyMember, IncomeRecord


@dataclass(frozen=True)
class Intake:
    """People who applied together. ``window``: first of the three months whose income counts; ``last``: of the plan."""

    applied: date
    window: date
    starts: date
    last: date

    def at(self, days: int, hour: int = 10) -> datetime:
        """A moment so many days after the application."""
        return datetime.combine(self.applied + timedelta(days=days), time(hour), KYIV)


@dataclass(frozen=True)
class Need:
    """A service a person needs: price used for the fee, units a month; ``granted`` when a certificate has less."""

    service: str
    tariff: D
    monthly: D
    granted: D | None = None


@dataclass(frozen=True)
class Register:
    """What decisions about many people look up, read once."""

    services: dict[str, Service]
    places: dict[str, Territory]
    line: BudgetLine
    book: ParameterBook

    @classmethod
    def of(cls, stage: Stage, year: int = 2025) -> Register:
        """The catalogue, the territories, the care line of a year and the law."""
        mine = {"organisation": stage.organisation}
        return cls(
            services={row.code: row for row in Service.objects.filter(**mine)},
            places={row.code: row for row in Territory.objects.filter(**mine)},
            line=BudgetLine.objects.get(code="SOC-CARE", year=year, **mine),
            book=fee_parameters(stage.organisation),
        )


def pensioner(income: D, window: date) -> FamilyMember:
    """A pensioner living alone with the same income in each month of the window."""
    return FamilyMember("recipient", is_recipient=True, incomes=(IncomeRecord(income * 3, window, 3),))


def settle(
    stage: Stage,
    intake: Intake,
    person: DemoRecipient,
    needs: Sequence[Need],
    register: Register,
    user: User | None = None,
) -> None:
    """A pensioner from the application to the certificate."""
    recipient = registered(
        stage,
        intake,
        code=person.code,
        full_name=person.name,
        birth_date=person.birth_date,
        place=register.places[person.territory],
        user=user,
        tax_id=tax_id_for(person.birth_date, person.number),
        phone=person.phone,
        address=person.address,
    )
    inputs = FeeInputs(
        application_date=intake.applied,
        lost_ability=True,
        members=(pensioner(person.income, intake.window),),
        services=tuple(PlannedService(need.service, need.tariff, need.monthly) for need in needs),
    )
    decide(stage, intake, recipient, inputs, needs, register)


def registered(
    stage: Stage,
    intake: Intake,
    *,
    code: str,
    full_name: str,
    birth_date: date,
    place: Territory,
    user: User | None = None,
    tax_id: str = "",
    phone: str = "",
    address: str = "",
    free_category: str = "",
) -> Recipient:
    """The person on the register."""
    found = Recipient.objects.filter(organisation=stage.organisation, code=code).first()
    return found or register_recipient(
        organisation=stage.organisation,
        code=code,
        full_name=full_name,
        birth_date=birth_date,
        territory=place,
        tax_id=tax_id,
        phone=phone,
        address=address,
        free_category=free_category,
        user=user,
        resident_from=date(2020, 1, 1),
        actor=stage.actor("sofiia"),
        at=intake.at(0),
    )


def decide(
    stage: Stage,
    intake: Intake,
    recipient: Recipient,
    inputs: FeeInputs,
    needs: Sequence[Need],
    register: Register,
) -> None:
    """Needs, fee, plan, certificate; steps that were taken stay."""
    worker = stage.actor("sofiia")
    if not recipient.assessments.exists():
        assess_needs(
            recipient=recipient,
            assessed_on=intake.at(3).date(),
            dependency_level="III",
            findings="Потребує допомоги в побуті (вигадані дані).",
            recommended=[{"service": need.service, "units_per_month": str(need.monthly)} for need in needs],
            actor=worker,
            at=intake.at(3, 15),
        )
    if not recipient.fee_assessments.exists():
        decide_fee(
            recipient=recipient,
            inputs=inputs,
            valid_from=intake.starts,
            book=register.book,
            actor=worker,
            at=intake.at(8),
        )
    if not recipient.plans.exists():
        volumes = [
            PlannedVolume(register.services[need.service], need.monthly, intake.starts, intake.last) for need in needs
        ]
        approve_plan(recipient=recipient, volumes=volumes, actor=worker, at=intake.at(9))
    if any(need.granted == 0 for need in needs):
        return  # counselling is given at once, without a certificate
    issued = issue_certificate(
        recipient=recipient,
        budget_line=register.line,
        first_day=intake.starts,
        units_granted={need.service: need.granted for need in needs if need.granted is not None},
        actor=worker,
        at=intake.at(21),
    )
    keep_pin(certificate=issued.certificate, pin=issued.pin, actor=worker, at=intake.at(21))
