"""A small municipality for tests of certificates: real parameters, one service, one provider, one recipient."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from config.accounts.models import Organisation, User
from config.audit.actors import Actor
from contracts.actions.reference import load_reference
from contracts.models import (
    BudgetLine,
    Contract,
    ContractLine,
    NormCost,
    Provider,
    ProviderUser,
    Service,
    Territory,
    Worker,
    WorkerQualification,
)
from vouchers.actions.assessments import FeeInputs, assess_needs, decide_fee
from vouchers.actions.certificates import IssuedCertificate, issue_certificate
from vouchers.actions.plans import PlannedVolume, approve_plan
from vouchers.actions.recipients import register_recipient
from vouchers.models import Recipient
from vouchers.rules.income import FamilyMember, IncomeRecord

KYIV = ZoneInfo("Europe/Kyiv")
OCTOBER = datetime(2025, 10, 20, 10, 0, tzinfo=KYIV)
NOVEMBER_1 = date(2025, 11, 1)
VISIT = datetime(2025, 11, 12, 9, 0, tzinfo=KYIV)


@dataclass
class Town:
    """What the tests need at hand."""

    organisation: Organisation
    case_worker: Actor
    provider_actor: Actor
    territory: Territory
    service: Service
    budget_line: BudgetLine
    provider: Provider
    worker: Worker
    contract: Contract

    def recipient(self, **changes: object) -> Recipient:
        """A registered pensioner."""
        fields = {"full_name": "Вигадана Олена", "birth_date": date(1950, 5, 4), "territory": self.territory}
        return register_recipient(
            organisation=self.organisation, actor=self.case_worker, at=OCTOBER, **{**fields, **changes}
        )

    def ready(self, *, income: str = "4000.00", units: str = "20", **changes: object) -> Recipient:
        """A recipient with assessment, fee decision and plan from November 2025."""
        recipient = self.recipient(**changes)
        assess_needs(
            recipient=recipient, assessed_on=date(2025, 10, 15), dependency_level="III", findings="слабкий зір",
            recommended=[], actor=self.case_worker, at=OCTOBER,
        )  # fmt: skip
        decide_fee(
            recipient=recipient, inputs=pensioner(income), valid_from=NOVEMBER_1, actor=self.case_worker, at=OCTOBER
        )
        approve_plan(
            recipient=recipient, volumes=[PlannedVolume(self.service, Decimal(units), NOVEMBER_1)],
            actor=self.case_worker, at=OCTOBER,
        )  # fmt: skip
        return recipient

    def issue(self, recipient: Recipient | None = None, **changes: object) -> IssuedCertificate:
        """A certificate from 1 November 2025."""
        return issue_certificate(
            recipient=recipient or self.ready(**changes),
            budget_line=self.budget_line,
            first_day=NOVEMBER_1,
            actor=self.case_worker,
            at=OCTOBER,
        )


def pensioner(income: str | None, application: date = date(2025, 10, 20)) -> FeeInputs:
    """A pensioner alone with the same income every month; None: the statement is missing."""
    records = () if income is None else (IncomeRecord(Decimal(income), date(2025, 1, 1), months=1),)
    if income is not None:
        records = (IncomeRecord(Decimal(income) * 24, date(2025, 1, 1), months=24),)
    member = FamilyMember(code="recipient", is_recipient=True, statement_missing=income is None, incomes=records)
    return FeeInputs(application_date=application, lost_ability=True, members=(member,))


def build_town(organisation: Organisation, cast: dict[str, User]) -> Town:
    """Make the town."""
    load_reference(at=OCTOBER)
    territory = Territory.objects.create(organisation=organisation, code="CENTRE", name="Центр", kind="urban")
    service = Service.objects.create(
        organisation=organisation, code="015.1", name_uk="Догляд вдома", name_ru="Уход на дому", name_en="Home care",
        form="home", level="complex", unit="hour", granularity=Decimal("0.25"), units_per_day_max=Decimal(8),
        units_per_month_max=Decimal(80),
    )  # fmt: skip
    NormCost.objects.create(
        organisation=organisation, service=service, unit_rate=Decimal("96.54"), valid_from=date(2025, 1, 1),
        status="approved", recorded_at=OCTOBER,
    )  # fmt: skip
    line = BudgetLine.objects.create(
        organisation=organisation, code="0813104-2240", year=2025, name="Соціальні послуги", amount="100000.00"
    )
    provider = Provider.objects.create(code="TURBOTA", name="Турбота", sector="nonprofit")
    ProviderUser.objects.create(provider=provider, user=cast["nadiia"])
    worker = Worker.objects.create(code="W-1", provider=provider)
    WorkerQualification.objects.create(worker=worker, service=service, valid_from=date(2025, 1, 1), recorded_at=OCTOBER)
    contract = Contract.objects.create(
        organisation=organisation, number="C-1", provider=provider, budget_line=line, basis="award",
        valid_from=date(2025, 1, 1), status="active",
    )  # fmt: skip
    ContractLine.objects.create(contract=contract, service=service, unit_rate=Decimal("85.00"), recorded_at=OCTOBER)
    return Town(
        organisation, cast["sofiia"].as_actor(), cast["nadiia"].as_actor(), territory, service, line, provider,
        worker, contract,
    )  # fmt: skip
