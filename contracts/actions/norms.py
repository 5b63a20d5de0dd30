"""Norm costs: drafted by one person from components, approved by another."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, mask, record
from config.clock import local_date
from config.errors import DomainError, FourEyes
from config.explanations import steps_as_rows
from config.locks import lock_rows
from config.transactions import step
from contracts.actions.past_days import check_past_day
from contracts.models import NormCost, Service, Territory
from contracts.parameters import ParameterBook, ParameterValue
from contracts.queries import closed_until, norm_ended_by, norm_leaves_days, norms_of_key
from contracts.rules.norm_cost import (
    AdministrativeCosts,
    CostItem,
    NormCostFacts,
    NormCostOutcome,
    NormCostParameters,
    StaffPay,
    compute_norm_cost,
)
from contracts.settled_queries import refunded_by_norm, settled_lines

PARAMETER_KEYS = ("esv_rate", "admin_cap_pct", "admin_cap_base", "vat_rate")


class NormIncomplete(DomainError):
    """The components do not give a cost."""

    code = "NORM_INCOMPLETE"
    message = _("A norm cost needs pay of main staff, hours and the base of administrative costs above zero.")


class NormHoursMissing(DomainError):
    """The formula divides by hours; the service is counted in something else."""

    code = "NORM_HOURS_MISSING"
    message = _("The service is not counted in hours. Say how many working hours one unit takes.")


class NormOverlap(DomainError):
    """Another approved norm of the same key holds in these days."""

    code = "NORM_OVERLAP"
    message = _("Another approved norm cost of «%(service)s» holds in these days. Withdraw or end it first.")


class NormInUse(DomainError):
    """Decisions may already rely on the norm."""

    code = "NORM_IN_USE"
    message = _(
        "The norm cost %(norm)s is already in force and stays as it is. Approve a new one from a later day. If it was "
        "wrong on days already served, draft the right one from the first of them and give the reason."
    )


class NormEndsEarlier(DomainError):
    """An end comes earlier, never later: what holds after it is a norm of its own."""

    code = "NORM_ENDS_EARLIER"
    message = _(
        "This norm cost holds until %(last_day)s already and is not prolonged. Approve another norm cost for the days "
        "after it, or give an earlier last day."
    )


class NormOfPastDays(DomainError):
    """Two persons put past days right; the ordinary approval does not."""

    code = "NORM_OF_PAST_DAYS"
    message = _(
        "This norm cost reaches into days already settled. Draft it with the reason why it is known only now. Then it "
        "is approved as a correction of past days."
    )


class NormLeavesDays(DomainError):
    """Days that have a norm would have none."""

    code = "NORM_LEAVES_DAYS"
    message = _(
        "This norm cost would end before the one that it puts right: from %(day)s on no norm cost would hold. Draft it "
        "without an end. What holds again from %(day)s is a second draft."
    )


@action
def draft_norm_cost(
    *,
    organisation: Organisation,
    service: Service,
    facts: NormCostFacts,
    valid_from: date,
    act: str,
    actor: Actor,
    at: datetime,
    valid_to: date | None = None,
    territory: Territory | None = None,
    recipient_class: str = "",
    reason: str = "",
) -> NormCost:
    """Compute a norm cost and keep its inputs, parameters with versions and rows.

    ``reason``: why it is known only now, of a norm that puts days already served right.
    Formula: NORM-UA-1186. Time: parameters as of ``valid_from``; ``valid_to`` is exclusive.
    Raises: NormHoursMissing, NormIncomplete, ParameterMissing, DayToCome, NormLeavesDays. Audit: norm_cost.drafted.
    """
    if reason:
        check_past_day(organisation, valid_from, reason, at)
    if service.unit != "hour" and facts.hours_per_unit is None:
        raise NormHoursMissing()
    book = ParameterBook.load(organisation, PARAMETER_KEYS)
    values = {key: book.value(key, valid_from) for key in PARAMETER_KEYS}
    outcome = _compute(facts, values)
    norm = NormCost.objects.create(
        organisation=organisation,
        service=service,
        territory=territory,
        recipient_class=recipient_class,
        unit_rate=outcome.unit_cost_with_vat,
        valid_from=valid_from,
        valid_to=valid_to,
        act=act,
        reason=reason.strip(),
        formula_id=outcome.formula_id,
        inputs={"facts": mask(asdict(facts)), "parameters": {key: value.as_version() for key, value in values.items()}},
        steps=steps_as_rows(outcome.steps),
        author_id=actor.user_id,
        recorded_at=at,
        status="draft",
        status_at=at,
    )
    if reason:
        refuse_days_left(norm)
    said: dict[str, Any] = {"unit_rate": norm.unit_rate, "valid_from": valid_from, "reason": norm.reason}
    record("norm_cost.drafted", norm, service, actor=actor, at=at, **said)
    return norm


def refuse_days_left(norm: NormCost) -> None:
    """Raises: NormLeavesDays for a draft of past days that ends before what it replaces would."""
    day = norm_leaves_days(norm)
    if day is not None:
        raise NormLeavesDays(day=f"{day:%d.%m.%Y}")


def _compute(facts: NormCostFacts, values: dict[str, ParameterValue]) -> NormCostOutcome:
    parameters = NormCostParameters(
        contribution_percent=values["esv_rate"].decimal,
        admin_cap_percent=values["admin_cap_pct"].decimal,
        admin_cap_base=values["admin_cap_base"].text,
        vat_percent=values["vat_rate"].decimal,
    )
    try:
        return compute_norm_cost(facts=facts, parameters=parameters)
    except (ValueError, ArithmeticError) as error:
        raise NormIncomplete() from error


def facts_of(norm: NormCost) -> NormCostFacts:
    """The stored inputs of a norm cost, so that it can be computed again."""
    stored = norm.inputs["facts"]
    return NormCostFacts(
        staff=tuple(
            StaffPay(row["label"], Decimal(row["pay_month"]), Decimal(row["positions"]), row["auxiliary"])
            for row in stored["staff"]
        ),
        hours_month=Decimal(stored["hours_month"]),
        utilisation=Decimal(stored["utilisation"]),
        purchases=_items(stored["purchases"]),
        other_direct=_items(stored["other_direct"]),
        administrative=AdministrativeCosts(
            Decimal(stored["administrative"]["amount_month"]), Decimal(stored["administrative"]["pay_base_month"])
        ),
        vat_exempt=stored["vat_exempt"],
        hours_per_unit=Decimal(hours) if (hours := stored.get("hours_per_unit")) else None,
    )


def _items(rows: list[dict[str, str]]) -> tuple[CostItem, ...]:
    return tuple(CostItem(row["label"], Decimal(row["amount_per_unit"])) for row in rows)


def recomputed(norm: NormCost) -> Decimal | None:
    """The price that the stored inputs give now; None where there are none, as of a norm that came with a package."""
    if "facts" not in norm.inputs:
        return None
    stored = norm.inputs["parameters"]
    parameters = NormCostParameters(
        contribution_percent=Decimal(stored["esv_rate"]["value"]),
        admin_cap_percent=Decimal(stored["admin_cap_pct"]["value"]),
        admin_cap_base=stored["admin_cap_base"]["value"],
        vat_percent=Decimal(stored["vat_rate"]["value"]),
    )
    return compute_norm_cost(facts=facts_of(norm), parameters=parameters).unit_cost


@action
def approve_norm_cost(*, norm: NormCost, actor: Actor, at: datetime) -> NormCost:
    """Approve a draft; the norm of the same key that holds on its first day ends the day before.

    Raises: FourEyes for its author, NormOverlap, NormInUse for a first day not after today while another norm holds,
    NormOfPastDays for one with a reason, of days that are settled in a closed month, or of visits that are refunded by
    it elsewhere, InvalidMove.
    Audit: norm_cost.approved, with the norm that it ends.
    """
    norm = lock_rows(NormCost.objects.filter(pk=norm.pk).select_related("organisation", "service"))[0]
    if norm.reason or _reaches_closed_lines(norm) or _reaches_refunds(norm):
        raise NormOfPastDays()
    if norm.author_id == actor.user_id:
        raise FourEyes()
    lock_rows(norms_of_key(norm))
    earlier = norm_ended_by(norm) if norm.status == "draft" else None
    if earlier is not None:
        earlier = _end(earlier, norm.valid_from, at)
    try:
        with transaction.atomic():
            norm.move_to("approved", at=at, approver_id=actor.user_id)
    except IntegrityError as error:
        raise NormOverlap(service=norm.service) from error
    ended: dict[str, Any] = {"ended": earlier.unit_rate, "valid_to": earlier.valid_to} if earlier else {}
    touched = [earlier] if earlier else []
    record("norm_cost.approved", norm, *touched, actor=actor, at=at, unit_rate=norm.unit_rate, **ended)
    return norm


def _reaches_closed_lines(norm: NormCost) -> bool:
    """Whether lines of closed months were decided for days of a draft; the first norm of a new service has none."""
    since, until = norm.valid_from, norm.valid_to
    if norm.status != "draft" or since >= (closed_until(norm.organisation) or since):
        return False
    return settled_lines(norm.organisation, since=since, until=until, service=norm.service).closed != ()


def _reaches_refunds(norm: NormCost) -> bool:
    """Whether another municipality has decided visits of a draft's days that it is refunded by the norm cost."""
    return norm.status == "draft" and refunded_by_norm(norm, norm.valid_to) != []


@action
def withdraw_norm_cost(*, norm: NormCost, reason: str, actor: Actor, at: datetime) -> NormCost:
    """Withdraw a draft, or an approved norm before its first day. Raises: InvalidMove, NormInUse.

    Source: NRM-1 (immutable once used). Audit: norm_cost.withdrawn.
    """
    norm = lock_rows(NormCost.objects.filter(pk=norm.pk))[0]
    if norm.status == "approved" and norm.valid_from <= local_date(at, norm.organisation.zone):
        raise NormInUse(norm=norm.unit_rate)
    norm.move_to("withdrawn", at=at)
    record("norm_cost.withdrawn", norm, actor=actor, at=at, reason=reason)
    return norm


@action
def end_norm_cost(*, norm: NormCost, valid_to: date, basis: str, actor: Actor, at: datetime) -> NormCost:
    """Let an approved norm hold until the day before ``valid_to``.

    Raises: NormInUse for a day already past, NormEndsEarlier for one after its end. Audit: norm_cost.ended.
    """
    norm = _end(norm, valid_to, at)
    record("norm_cost.ended", norm, actor=actor, at=at, valid_to=valid_to, basis=basis)
    return norm


@step
def _end(norm: NormCost, valid_to: date, at: datetime) -> NormCost:
    norm = lock_rows(NormCost.objects.filter(pk=norm.pk))[0]
    if norm.status != "approved" or valid_to <= norm.valid_from or valid_to <= local_date(at, norm.organisation.zone):
        raise NormInUse(norm=norm.unit_rate)
    if norm.valid_to and valid_to > norm.valid_to:
        raise NormEndsEarlier(last_day=norm.valid_to - timedelta(days=1))
    norm.change(at=at, valid_to=valid_to)
    return norm
