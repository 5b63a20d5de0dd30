"""The yearly plan of needs: staffing by the norms, and what is needed of each service."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, record
from config.errors import DomainError
from config.explanations import steps_as_rows
from config.locks import lock_rows
from contracts.currency import money
from contracts.models import BudgetLine, Service
from contracts.parameters import ParameterBook
from procurement.models import PlanItem, ProcurementPlan
from procurement.rules.staffing import StaffingParameters, managers, specialists


class PlanExists(DomainError):
    """One plan a year."""

    code = "PLAN_EXISTS"
    message = _("There is already a plan for %(year)s. Open it and add to it.")


class PlanApproved(DomainError):
    """An approved plan is not changed."""

    code = "PLAN_APPROVED"
    message = _("The plan for %(year)s is approved and can no longer be changed.")


class PlanEmpty(DomainError):
    """Nothing to approve."""

    code = "PLAN_EMPTY"
    message = _("The plan for %(year)s names no needs yet. Add them before it is approved.")


class PlanOverBudget(DomainError):
    """The plan needs more than a budget line has."""

    code = "PLAN_OVER_BUDGET"
    message = _("The needs planned on «%(line)s» come to %(planned)s, the line has %(amount)s.")


@action
def create_plan(
    *,
    organisation: Organisation,
    year: int,
    population_urban: int,
    population_rural: int,
    rationale: str,
    actor: Actor,
    at: datetime,
) -> ProcurementPlan:
    """Open the plan of a year with the staff that the norms ask for. Formula: STAFF-003.

    Time: parameters as of 1 January of the year. Raises: PlanExists, ParameterMissing. Audit: plan.created.
    """
    staffing = _staffing(organisation, year, population_urban, population_rural)
    try:
        with transaction.atomic():
            plan = ProcurementPlan.objects.create(
                organisation=organisation,
                year=year,
                population_urban=population_urban,
                population_rural=population_rural,
                staffing=staffing,
                rationale=rationale,
            )
    except IntegrityError as error:
        raise PlanExists(year=year) from error
    record("plan.created", plan, actor=actor, at=at, year=year)
    return plan


def _staffing(organisation: Organisation, year: int, urban: int, rural: int) -> dict[str, object]:
    book = ParameterBook.load(organisation, "staff.")

    def whole(key: str) -> int:
        return book.value(f"staff.{key}", date(year, 1, 1)).whole

    parameters = StaffingParameters(
        (whole("specialist_1"), whole("specialist_2"), whole("specialist_3")),
        (whole("bound_1"), whole("bound_2")),
        whole("manager_urban"),
        whole("manager_rural"),
    )
    mode = book.value("staff.manager_mode", date(year, 1, 1)).text.lower()
    need = specialists(residents=urban + rural, parameters=parameters)
    lead = managers(urban=urban, rural=rural, parameters=parameters, mode=mode)
    return {
        "specialists": need.required,
        "cliff": need.cliff,
        "managers": lead.required,
        "steps": steps_as_rows((*need.steps, *lead.steps)),
    }


@action
def add_plan_item(
    *,
    plan: ProcurementPlan,
    title: str,
    way: str,
    budget_line: BudgetLine,
    value: Decimal,
    actor: Actor,
    at: datetime,
    service: Service | None = None,
    recipients_planned: int = 0,
    units_planned: Decimal = Decimal(0),
) -> PlanItem:
    """Add a need. Raises: PlanApproved. Audit: plan_item.added."""
    plan = _open(plan)
    item = PlanItem.objects.create(
        plan=plan,
        number=plan.items.count() + 1,
        service=service,
        title=title,
        way=way,
        recipients_planned=recipients_planned,
        units_planned=units_planned,
        budget_line=budget_line,
        value=money(value, plan.organisation.currency),
    )
    record("plan_item.added", plan, item, actor=actor, at=at, number=item.number, value=value, way=way)
    return item


@action
def approve_plan(*, plan: ProcurementPlan, actor: Actor, at: datetime) -> ProcurementPlan:
    """Approve a plan whose needs fit their budget lines. Raises: PlanApproved, PlanEmpty, PlanOverBudget.

    Audit: plan.approved.
    """
    plan = _open(plan)
    items = list(plan.items.select_related("budget_line"))
    if not items:
        raise PlanEmpty(year=plan.year)
    for line in {item.budget_line for item in items}:
        planned = sum((item.value.amount for item in items if item.budget_line == line), Decimal(0))
        if planned > line.amount.amount:
            raise PlanOverBudget(line=line, planned=planned, amount=line.amount.amount)
    plan.approved_by_id, plan.approved_at = actor.user_id, at
    plan.save(update_fields=["approved_by", "approved_at"])
    record("plan.approved", plan, actor=actor, at=at, year=plan.year, items=len(items))
    return plan


def _open(plan: ProcurementPlan) -> ProcurementPlan:
    plan = lock_rows(ProcurementPlan.objects.filter(pk=plan.pk))[0]
    if plan.approved_at is not None:
        raise PlanApproved(year=plan.year)
    return plan
