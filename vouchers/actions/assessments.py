"""Assessing needs, and deciding how a recipient pays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import MASKED, action, mask, record
from config.clock import local_date
from config.errors import DomainError
from config.explanations import Step, steps_as_rows
from config.locks import lock_rows
from config.office.numbering import document_number
from config.periods import month_of
from config.transactions import step
from contracts.parameters import ParameterBook, ParameterValue
from vouchers.actions.guests import refuse_guest_recipient
from vouchers.actions.guests_told import tell_hosts
from vouchers.models import FeeAssessment, NeedsAssessment, Recipient
from vouchers.rules.co_payment import (
    CoPaymentFacts,
    CoPaymentOutcome,
    CoPaymentParameters,
    FreeCategory,
    PlannedService,
    assess_co_payment,
    payment_mode,
)
from vouchers.rules.income import (
    FamilyMember,
    IncomeOutcome,
    IncomeParameters,
    average_income,
    income_window,
)

GROUPS = ("under_6", "age_6_18", "able_bodied", "lost_ability")


class FeeUndetermined(DomainError):
    """Income unknown: never taken for none."""

    code = "FEE_UNDETERMINED"
    message = _("The fee cannot be decided: income statements are missing (%(missing)s). Enter them, then decide.")


class FeeStartNotFirst(DomainError):
    """Decisions begin with a month."""

    code = "FEE_START_NOT_FIRST"
    message = _("A fee decision starts on the first day of a month. Choose %(first)s or a later first day.")


class LaterFeeDecision(DomainError):
    """A decision from this day or later exists."""

    code = "LATER_FEE_DECISION"
    message = _(
        "A decision that starts on %(valid_from)s is already recorded. Start the new one after it, or decide the fee "
        "of past months anew on the recipient's page."
    )


class RetroactiveIncrease(DomainError):
    """A fee never rises backwards."""

    code = "RETROACTIVE_INCREASE"
    message = _("A higher fee may not start in the past. Start it on the first day of the next month.")


class BirthDateMissing(DomainError):
    """The subsistence minimum goes by age."""

    code = "BIRTH_DATE_MISSING"
    message = _("The date of birth is not on the register. The subsistence minimum depends on age: enter it first.")


class JurisdictionUnsupported(DomainError):
    """The decision by this rule is made for Ukraine only."""

    code = "FEE_RULE_MISSING"
    message = _("There is no rule of fee decisions for the jurisdiction «%(jurisdiction)s» yet.")


class AssessmentInFuture(DomainError):
    """An assessment is dated when it was made."""

    code = "ASSESSMENT_IN_FUTURE"
    message = _("The date of the assessment lies in the future. Correct it.")


class DependencyLevelMissing(DomainError):
    """An assessment says how much help is needed."""

    code = "DEPENDENCY_LEVEL_MISSING"
    message = _("The assessment says nothing: enter the level of dependency.")


@dataclass(frozen=True)
class FeeInputs:
    """What the case worker entered. Without ``members`` the income is not known.

    ``member_categories``: proven free categories of each listed member; for a person alone, of that person.
    """

    application_date: date
    lost_ability: bool = False
    crisis: bool = False
    members: tuple[FamilyMember, ...] = ()
    services: tuple[PlannedService, ...] = ()
    member_categories: tuple[tuple[FreeCategory, ...], ...] = field(default=((),))


@action
def assess_needs(
    *,
    recipient: Recipient,
    assessed_on: date,
    dependency_level: str,
    findings: str,
    recommended: Sequence[dict[str, Any]],
    actor: Actor,
    at: datetime,
) -> NeedsAssessment:
    """Keep the outcome of an assessment of needs; ``recommended`` rows are {service, units_per_month}.

    Raises: GuestRecipient, AssessmentInFuture, DependencyLevelMissing. Audit: needs.assessed, without the findings.
    """
    refuse_guest_recipient(recipient)
    if assessed_on > local_date(at, recipient.organisation.zone):
        raise AssessmentInFuture()
    if not dependency_level.strip():
        raise DependencyLevelMissing()
    assessment = NeedsAssessment.objects.create(
        recipient=recipient,
        number=document_number(
            organisation=recipient.organisation, kind="needs_assessment", prefix="NA", year=assessed_on.year
        ),
        assessed_on=assessed_on,
        dependency_level=dependency_level,
        findings=findings,
        recommended=mask(list(recommended)),
        assessed_by_id=actor.user_id,
        recorded_at=at,
    )
    record("needs.assessed", recipient, assessment, actor=actor, at=at, number=assessment.number)
    return assessment


@dataclass(frozen=True)
class FeeCalculation:
    """The outcome with everything that the decision stores of it."""

    outcome: CoPaymentOutcome
    income: IncomeOutcome | None
    parameters: list[dict[str, Any]]
    steps: list[dict[str, Any]]

    @property
    def monthly_limit(self) -> Decimal | None:
        """Ceiling of the monthly fee in mode D.

        By the default method it is what exceeds the free bound; by the others what they give for the plan.
        """
        if self.outcome.mode != "D":
            return None
        return self.outcome.limit if self.outcome.method == "EXCESS_CAP" else self.outcome.fee_in_standard


class _UsedParameters:
    """Parameters as of a date, remembering which were used."""

    def __init__(self, book: ParameterBook) -> None:
        self.book = book
        self.used: dict[int, ParameterValue] = {}

    def value(self, key: str, on: date) -> ParameterValue:
        found = self.book.value(key, on)
        self.used[found.id] = found
        return found

    def versions(self) -> list[dict[str, Any]]:
        return [found.as_version() for found in self.used.values()]


def calculate_fee(*, recipient: Recipient, inputs: FeeInputs, book: ParameterBook | None = None) -> FeeCalculation:
    """Mode, monthly limit and fee of a recipient with every step; writes nothing, so that a form can show it first.

    ``book``: parameters read beforehand by a caller who decides for many.
    Raises: BirthDateMissing, JurisdictionUnsupported, ParameterMissing. Source: FEE-UA-1, INC-UA-1..8.
    """
    organisation = recipient.organisation
    if organisation.jurisdiction != "UA":
        raise JurisdictionUnsupported(jurisdiction=organisation.jurisdiction)
    if recipient.birth_date is None:
        raise BirthDateMissing()
    parameters = _UsedParameters(book or fee_parameters(organisation))
    facts = CoPaymentFacts(
        age=age_on(recipient.birth_date, inputs.application_date),
        lost_ability=inputs.lost_ability,
        income=None,
        services=inputs.services,
        member_categories=inputs.member_categories,
        crisis=inputs.crisis,
    )
    law = _co_payment_parameters(parameters, inputs.application_date)
    income = None
    if payment_mode(facts=facts, parameters=law).mode == "U" and inputs.members:
        income = _income(parameters, inputs)
        facts = replace(facts, income=income.per_member)
    outcome = assess_co_payment(facts=facts, parameters=law)
    return FeeCalculation(outcome, income, parameters.versions(), steps_as_rows(_steps(facts, law, income, outcome)))


def _steps(
    facts: CoPaymentFacts, law: CoPaymentParameters, income: IncomeOutcome | None, outcome: CoPaymentOutcome
) -> tuple[Step, ...]:
    """Rows in the order they are read: income, mode and ceiling, then cost and fee when services are planned."""
    decided = outcome.steps if facts.services else payment_mode(facts=facts, parameters=law).steps
    if income is None:
        return decided
    return (*income.steps, *(row for row in decided if row.code != "income"))  # it is the last row of the income


def fee_parameters(organisation: Organisation) -> ParameterBook:
    """Every parameter a fee decision may need, in one query."""
    return ParameterBook.load(organisation, ("sm.", "pay.", "inc.", "min_wage"))


def age_on(birth_date: date, day: date) -> int:
    """Whole years of age on a day."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


def _co_payment_parameters(parameters: _UsedParameters, on: date) -> CoPaymentParameters:
    free = parameters.value("pay.free_multiple_sm", on)
    return CoPaymentParameters(
        minimums={group: parameters.value(f"sm.{group}", on).decimal for group in GROUPS},
        free_multiple=free.decimal,
        full_multiple=parameters.value("pay.full_multiple_sm", on).decimal,
        age_child=parameters.value("pay.age_child", on).whole,
        age_adult=parameters.value("pay.age_adult", on).whole,
        act=", ".join(filter(None, [free.act, free.article])),
        method=parameters.value("pay.fee_method", on).text,
    )


def _income(parameters: _UsedParameters, inputs: FeeInputs) -> IncomeOutcome:
    rule = parameters.value("inc.window", inputs.application_date).text
    window = income_window(application_date=inputs.application_date, rule=rule)
    assert window.end is not None
    last = window.end - timedelta(days=1)
    return average_income(
        application_date=inputs.application_date,
        members=inputs.members,
        parameters=IncomeParameters(
            window_rule=rule,
            unable_floor=_floor(parameters, "inc.impute_recipient", "sm.lost_ability", inputs.application_date, last),
            able_floor=_floor(parameters, "inc.impute_able_member", "min_wage", inputs.application_date, last),
        ),
    )


def _floor(parameters: _UsedParameters, multiple: str, base: str, on: date, window_end: date) -> Decimal | None:
    # An act that imputes nothing has no row on its days; the base counts as of the end of the window (INC-UA-5).
    if parameters.book.get(multiple, on) is None:
        return None
    return parameters.value(multiple, on).decimal * parameters.value(base, window_end).decimal


@action
def decide_fee(
    *,
    recipient: Recipient,
    inputs: FeeInputs,
    actor: Actor,
    at: datetime,
    valid_from: date | None = None,
    decision: str = "",
    book: ParameterBook | None = None,
) -> FeeAssessment:
    """Decide how a recipient pays, from the first day of a month (of the application when not given).

    Stores inputs, parameters with their versions, steps and the formula. Closes the decision before it.
    Raises: GuestRecipient, FeeUndetermined, FeeStartNotFirst, LaterFeeDecision, RetroactiveIncrease and those of
    ``calculate_fee``.
    Audit: fee.decided.
    """
    refuse_guest_recipient(recipient)
    start = valid_from or month_of(inputs.application_date)
    if start.day != 1:
        raise FeeStartNotFirst(first=f"{month_of(start):%d.%m.%Y}")
    calculation = calculate_fee(recipient=recipient, inputs=inputs, book=book)
    if calculation.outcome.mode == "U":
        raise FeeUndetermined(missing=missing_incomes(calculation))
    recipient = lock_rows(Recipient.objects.select_related("organisation").filter(pk=recipient.pk))[0]
    _close_previous(recipient, calculation, start, at)
    assessment = FeeAssessment.objects.create(
        recipient=recipient,
        mode=calculation.outcome.mode,
        monthly_limit=calculation.monthly_limit,
        valid_from=start,
        decision=decision or fee_number(recipient, start),
        formula_id=calculation.outcome.formula_id,
        income_member=calculation.income.per_member if calculation.income else None,
        inputs=inputs_as_json(inputs),
        parameters=calculation.parameters,
        steps=calculation.steps,
        decided_by_id=actor.user_id,
        recorded_at=at,
    )
    tell_hosts(recipient, start, None, at=at)
    record(
        "fee.decided",
        recipient,
        assessment,
        actor=actor,
        at=at,
        mode=assessment.mode,
        valid_from=start,
        formula=assessment.formula_id,
        parameters=[row["id"] for row in calculation.parameters],
    )
    return assessment


def missing_incomes(calculation: FeeCalculation) -> str:
    """Whose incomes are not known, in words."""
    return ", ".join(calculation.income.missing) if calculation.income else str(_("of every family member"))


def fee_number(recipient: Recipient, start: date) -> str:
    """The next number of a decision on fees."""
    return document_number(organisation=recipient.organisation, kind="fee", prefix="FD", year=start.year)


@step
def _close_previous(recipient: Recipient, calculation: FeeCalculation, start: date, at: datetime) -> None:
    last = recipient.fee_assessments.order_by("-valid_from").first()
    if last is None:
        return
    if last.valid_from >= start:
        raise LaterFeeDecision(valid_from=f"{last.valid_from:%d.%m.%Y}")
    in_force = last.valid_to is None or last.valid_to > start
    past = start < month_of(local_date(at, recipient.organisation.zone))
    new = burden(calculation.outcome.mode, calculation.monthly_limit)
    if in_force and past and new > burden(last.mode, last.monthly_limit):
        raise RetroactiveIncrease()
    if in_force:
        last.change(at=at, valid_to=start)


def burden(mode: str, limit: Decimal | None) -> tuple[int, Decimal]:
    """Orders decisions by what they may cost the recipient."""
    return ("F", "D", "C").index(mode), limit or Decimal(0)


def inputs_as_json(inputs: FeeInputs) -> dict[str, Any]:
    """Inputs as plain JSON. Which free category it was is of a special category of data and stays on the register,
    encrypted; the calculation needs only that one was proven."""
    hidden = tuple(
        tuple(FreeCategory(MASKED, MASKED if category.proven else "") for category in categories)
        for categories in inputs.member_categories
    )
    answer = mask(asdict(replace(inputs, member_categories=hidden)))
    assert isinstance(answer, dict)
    return answer
