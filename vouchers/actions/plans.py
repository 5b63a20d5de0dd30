"""Individual plans: which services a recipient gets, and how much a month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from config.audit.actors import Actor
from config.audit.recording import action, record
from config.errors import DomainError
from config.fields import broken_constraint
from config.office.numbering import document_number
from contracts.models import Service
from vouchers.actions.guests import refuse_guest_recipient
from vouchers.actions.guests_told import tell_hosts
from vouchers.models import IndividualPlan, NeedsAssessment, PlanLine, Recipient
from vouchers.rules.redemption_limits import is_multiple


class PlanEmpty(DomainError):
    """A plan grants something."""

    code = "PLAN_EMPTY"
    message = _("The plan has no services. Add at least one.")


class PlanWithoutAssessment(DomainError):
    """Needs come first."""

    code = "PLAN_WITHOUT_ASSESSMENT"
    message = _("The needs of this person were not assessed. Record the assessment first.")


class PlanUnits(DomainError):
    """The volume does not fit the service."""

    code = "PLAN_UNITS"
    message = _(
        "The monthly volume %(units)s of «%(service)s» is not possible: it must be a multiple of %(granularity)s "
        "and not above %(limit)s."
    )


class PlanOverlap(DomainError):
    """Two volumes of one service on one day."""

    code = "PLAN_OVERLAP"
    message = _("The person has another plan with the same service on these days. Close it first.")


class PlanDatesReversed(DomainError):
    """No day would belong to the plan."""

    code = "PLAN_DATES_REVERSED"
    message = _("The last day of the plan lies before its first one. Correct the dates.")


@dataclass(frozen=True)
class PlannedVolume:
    """Units of a service a month; ``last_day`` counts, None is open."""

    service: Service
    units_per_month: Decimal
    valid_from: date
    last_day: date | None = None


@action
def approve_plan(
    *,
    recipient: Recipient,
    volumes: Sequence[PlannedVolume],
    actor: Actor,
    at: datetime,
    assessment: NeedsAssessment | None = None,
) -> IndividualPlan:
    """Approve an individual plan on the newest assessment of needs (or the given one).

    Raises: GuestRecipient, PlanEmpty, PlanWithoutAssessment, PlanUnits, PlanDatesReversed, PlanOverlap.
    Audit: individual_plan.approved.
    """
    refuse_guest_recipient(recipient)
    if not volumes:
        raise PlanEmpty()
    assessment = assessment or recipient.assessments.order_by("-assessed_on", "-id").first()
    if assessment is None:
        raise PlanWithoutAssessment()
    for volume in volumes:
        _check_volume(recipient, volume)
    plan = IndividualPlan.objects.create(
        recipient=recipient,
        assessment=assessment,
        number=document_number(
            organisation=recipient.organisation, kind="individual_plan", prefix="IP", year=volumes[0].valid_from.year
        ),
        status="approved",
        status_at=at,
        approved_by_id=actor.user_id,
        recorded_at=at,
    )
    _write_lines(plan, volumes, at)
    tell_hosts(recipient, *_span(volumes), at=at)
    record("individual_plan.approved", plan, recipient, actor=actor, at=at, organisation=recipient.organisation.code,
           services={volume.service.code: volume.units_per_month for volume in volumes})  # fmt: skip
    return plan


def _span(volumes: Sequence[PlannedVolume]) -> tuple[date, date | None]:
    """From the first day of any to the day after the last of all; an open one has none."""
    last_days = [volume.last_day for volume in volumes]
    last = None if None in last_days else max(day for day in last_days if day)
    return min(volume.valid_from for volume in volumes), last and last + timedelta(days=1)


def _check_volume(recipient: Recipient, volume: PlannedVolume) -> None:
    if volume.last_day is not None and volume.last_day < volume.valid_from:
        raise PlanDatesReversed()
    service = volume.service
    foreign = service.organisation_id != recipient.organisation_id
    limit = service.units_per_month_max
    too_much = limit is not None and volume.units_per_month > limit
    if foreign or too_much or not is_multiple(volume.units_per_month, service.granularity):
        raise PlanUnits(
            units=volume.units_per_month, service=service.name, granularity=service.granularity, limit=limit or "—"
        )


def _write_lines(plan: IndividualPlan, volumes: Sequence[PlannedVolume], at: datetime) -> None:
    try:
        with transaction.atomic():
            PlanLine.objects.bulk_create(
                PlanLine(
                    recipient_id=plan.recipient_id,
                    plan=plan,
                    service=volume.service,
                    units_per_month=volume.units_per_month,
                    valid_from=volume.valid_from,
                    valid_to=volume.last_day and volume.last_day + timedelta(days=1),
                    recorded_at=at,
                )
                for volume in volumes
            )
    except IntegrityError as error:
        if broken_constraint(error) != "plan_line_no_overlap":
            raise
        raise PlanOverlap() from error


@action
def close_plan(*, plan: IndividualPlan, last_day: date, actor: Actor, at: datetime) -> IndividualPlan:
    """End a plan with ``last_day``, its lines that run longer with it; a line that starts later never holds.

    Audit: individual_plan.closed.
    """
    end = last_day + timedelta(days=1)
    for line in plan.lines.select_for_update().order_by("pk"):
        if line.valid_from >= end:
            line.withdraw(at=at)
        elif line.valid_to is None or line.valid_to > end:
            line.change(at=at, valid_to=end)
    plan.move_to("closed", at=at)
    tell_hosts(plan.recipient, end, None, at=at)
    record(
        "individual_plan.closed", plan, actor=actor, at=at, organisation=plan.recipient.organisation.code, on=last_day
    )
    return plan
