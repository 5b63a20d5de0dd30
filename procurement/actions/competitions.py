"""Competitions: drafted, approved by another person, published, opened; their commission."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation, User
from config.audit.actors import Actor
from config.audit.recording import action, record
from config.clock import local_date
from config.errors import DomainError, FourEyes
from config.locks import lock_rows
from config.office.numbering import document_number
from config.transactions import step
from contracts.currency import money
from contracts.models import BudgetLine, NormCost, Service
from contracts.parameters import ParameterBook, parameter_value
from contracts.queries import working_calendar
from contracts.rules.deadlines import DeadlineRule, deadline
from procurement.actions.documentation import check_documentation
from procurement.actions.people import person_id
from procurement.models import BidResult, CommissionMember, Criterion, PlanItem, Tender
from procurement.rules.conflict import MemberFacts, commission_problems

SOCIAL_ORDER_KEYS = (
    "so.announce_to_close_days",
    "so.commission_min_members",
    "so.quorum",
    "so.standstill_days",
    "so.threshold",
    "so.score_max",
    "so.single_bid_allowed",
    "coi.look_back_months",
    "coi.outlier_pct",
)
CONTEST_KEYS = (
    "grant.announce_to_close_days",
    "so.commission_min_members",
    "so.quorum",
    "so.standstill_days",
    "grant.pass_threshold_pct",
    "grant.min_cofinance_pct",
    "grant.min_cofinance_basis",
    "grant.share_tolerance",
    "grant.first_tranche_max_pct",
    "grant.final_report_days",
    "so.score_max",
    "so.single_bid_allowed",
    "coi.look_back_months",
    "coi.outlier_pct",
)
KEYS = {"social_order": SOCIAL_ORDER_KEYS, "project_contest": CONTEST_KEYS}


class TenderNotDraft(DomainError):
    """The documentation is approved or published."""

    code = "TENDER_NOT_DRAFT"
    message = _("The documentation of competition %(tender)s is fixed and can no longer be changed.")


class CriteriaInvalid(DomainError):
    """Weights do not make a hundred."""

    code = "CRITERIA_INVALID"
    message = _("The weights of the criteria come to %(total)s instead of 100. Correct them.")


class CloseTooEarly(DomainError):
    """Bidders get less time than the parameter says."""

    code = "CLOSE_TOO_EARLY"
    message = _("Bids may close on %(earliest)s at the earliest: bidders have %(days)s days.")


class CommissionInvalid(DomainError):
    """Size, oddness or the author's seat."""

    code = "COMMISSION_INVALID"
    message = _(
        "The commission cannot work like this: %(problems)s. "
        "It needs an odd number of at least %(min)s voting members, without the author."
    )


COMMISSION_PROBLEMS = {
    "COMMISSION_TOO_SMALL": _("it has %(members)s voting members, fewer than %(min)s"),
    "COMMISSION_EVEN": _("%(members)s voting members are an even number"),
    "COI-5": _("%(person)s wrote the documentation"),
}


class CompetitionDecided(DomainError):
    """An award rests on the marks, or the competition has ended."""

    code = "COMPETITION_DECIDED"
    message = _(
        "Competition %(tender)s is decided: its marks and results stay as they are. If a mark is wrong, "
        "tell the officer: until the contract is signed the competition can be cancelled."
    )


class TenderNotActive(DomainError):
    """The competition is not running."""

    code = "TENDER_NOT_ACTIVE"
    message = _("Competition %(tender)s is not running. Look at its state.")


class DeclarationTooEarly(DomainError):
    """Declarations follow the list of bidders."""

    code = "DECLARATION_TOO_EARLY"
    message = _("Declare your interests after bids have closed: the bidders of %(tender)s are not known yet.")


class NotAMember(DomainError):
    """Only a member of this commission may do this."""

    code = "NOT_A_MEMBER"
    message = _("You are not a member of the commission of %(tender)s.")
    http_status = 403


@dataclass(frozen=True)
class CriterionDraft:
    """A criterion of the documentation; weights of all criteria make 100."""

    code: str
    title: str
    weight: Decimal
    kind: str = "scored"
    must: bool = False
    scale_max: int = 5


@action
def draft_tender(
    *,
    organisation: Organisation,
    kind: str,
    title: str,
    budget_line: BudgetLine,
    value: Decimal,
    criteria: Sequence[CriterionDraft],
    actor: Actor,
    at: datetime,
    plan_item: PlanItem | None = None,
    service: Service | None = None,
    norm_cost: NormCost | None = None,
    description: str = "",
    units_planned: Decimal | None = None,
    contract_from: date | None = None,
    contract_to: date | None = None,
    required_documents: Sequence[Mapping[str, str]] = (),
) -> Tender:
    """Write the documentation of a competition. Time: ``contract_to`` is exclusive.

    Raises: CriteriaInvalid, NormNotApproved, NormOfOtherService, NormNotInForce, BudgetExceeded,
    ContractDatesReversed, BudgetOfOtherYear.
    Audit: tender.drafted.
    """
    total = sum((row.weight for row in criteria), Decimal(0))
    if total != 100:
        raise CriteriaInvalid(total=total)
    on = local_date(at, organisation.zone)
    number = document_number(organisation=organisation, kind="tender", prefix="T", year=on.year)
    tender = Tender(
        organisation=organisation,
        number=number,
        ocid=f"ocds-{organisation.code}-{number}",
        kind=kind,
        title=title,
        description=description,
        plan_item=plan_item,
        service=service,
        norm_cost=norm_cost,
        budget_line=budget_line,
        value=money(value, organisation.currency),
        units_planned=units_planned,
        contract_from=contract_from,
        contract_to=contract_to,
        required_documents=list(required_documents),
        author_id=person_id(actor),
        status="planning",
        status_at=at,
    )
    check_documentation(tender, on)
    tender.save()
    Criterion.objects.bulk_create(
        Criterion(
            tender=tender,
            code=row.code,
            title=row.title,
            kind=row.kind,
            weight=row.weight,
            scale_max=row.scale_max,
            must=row.must,
            position=position,
        )
        for position, row in enumerate(criteria, 1)
    )
    record("tender.drafted", tender, actor=actor, at=at, number=number, kind=kind, value=value)
    return tender


@action
def approve_tender(*, tender: Tender, actor: Actor, at: datetime) -> Tender:
    """Approve the documentation.

    Raises: FourEyes for its author (COI-5), InvalidMove, and what ``draft_tender`` raises about norm, money and
    dates. Audit: tender.approved.
    """
    tender = locked(tender)
    if tender.author_id == actor.user_id:
        raise FourEyes()
    check_documentation(tender, local_date(at, tender.organisation.zone))
    tender.approver_id = actor.user_id
    tender.save(update_fields=["approver"])
    tender.move_to("planned", at=at)
    record("tender.approved", tender, actor=actor, at=at)
    return tender


@action
def appoint_commission(
    *, tender: Tender, chair: User, members: Sequence[User], actor: Actor, at: datetime, secretary: User | None = None
) -> list[CommissionMember]:
    """Appoint the commission before bids close. The secretary never votes.

    Source: so.commission_min_members, COI-3, COI-5. Raises: CommissionInvalid, TenderNotDraft.
    Audit: commission.appointed.
    """
    tender = locked(tender)
    if tender.status not in {"planning", "planned"}:
        raise TenderNotDraft(tender=tender.number)
    people = [(chair, "chair"), *((user, "member") for user in members)]
    if secretary is not None:
        people.append((secretary, "secretary"))
    _check_commission(tender, people, at)
    tender.commission.all().delete()
    seats = CommissionMember.objects.bulk_create(
        CommissionMember(tender=tender, user=user, role=role) for user, role in people
    )
    record(
        "commission.appointed",
        tender,
        actor=actor,
        at=at,
        members={user.username: role for user, role in people},
    )
    return seats


def _check_commission(tender: Tender, people: Sequence[tuple[User, str]], at: datetime) -> None:
    on = local_date(at, tender.organisation.zone)
    least = parameter_value(tender.organisation, "so.commission_min_members", on).whole
    problems = commission_problems(
        members=[MemberFacts(user.username, votes=role != "secretary") for user, role in people],
        min_members=least,
        odd=True,
        author=tender.author.username,
    )
    if problems:
        told = [str(COMMISSION_PROBLEMS[row.code] % {**row.params, "person": tender.author}) for row in problems]
        raise CommissionInvalid(problems="; ".join(told), min=least)


@action
def publish_tender(*, tender: Tender, bids_close_at: datetime, actor: Actor, at: datetime) -> Tender:
    """Announce an approved competition and fix its rules: parameters are copied with their versions.

    Time: parameters as of the day of publication. Raises: CloseTooEarly, CommissionInvalid, InvalidMove,
    ParameterMissing, and what ``draft_tender`` raises about norm, money and dates. Audit: tender.published.
    """
    tender = locked(tender)
    on = local_date(at, tender.organisation.zone)
    check_documentation(tender, on)
    settings = _settings(tender.organisation, KEYS[tender.kind], on)
    seats = list(tender.commission.select_related("user"))
    _check_commission(tender, [(seat.user, seat.role) for seat in seats], at)
    _check_close(tender, settings, on, bids_close_at)
    tender.settings, tender.published_at, tender.bids_close_at = settings, at, bids_close_at
    tender.threshold = Decimal(settings[_threshold_key(tender)]["value"])
    tender.save(update_fields=["settings", "published_at", "bids_close_at", "threshold"])
    tender.move_to("active", at=at)
    record("tender.published", tender, actor=actor, at=at, number=tender.number, bids_close_at=bids_close_at)
    return tender


def _threshold_key(tender: Tender) -> str:
    return "so.threshold" if tender.kind == "social_order" else "grant.pass_threshold_pct"


def _settings(organisation: Organisation, keys: Sequence[str], on: date) -> dict[str, dict[str, Any]]:
    book = ParameterBook.load(organisation, keys)
    return {key: book.value(key, on).as_version() for key in keys}


def setting(tender: Tender, key: str) -> str:
    """A rule of the competition as fixed at its publication."""
    return str(tender.settings[key]["value"])


def _check_close(tender: Tender, settings: Mapping[str, Any], on: date, bids_close_at: datetime) -> None:
    days = int(Decimal(settings[_closing_key(tender)]["value"]))
    earliest = _earliest_close(tender, on, days)
    if local_date(bids_close_at, tender.organisation.zone) < earliest:
        raise CloseTooEarly(earliest=earliest, days=days)


def _closing_key(tender: Tender) -> str:
    return "so.announce_to_close_days" if tender.kind == "social_order" else "grant.announce_to_close_days"


def _earliest_close(tender: Tender, on: date, days: int) -> date:
    rule = DeadlineRule(_closing_key(tender), days, shifts=True)
    return deadline(start=on, rule=rule, calendar=working_calendar(tender.organisation)).due


def earliest_close(tender: Tender, on: date) -> date:
    """The first day on which bids of a competition announced on a day may close. Raises: ParameterMissing."""
    return _earliest_close(tender, on, parameter_value(tender.organisation, _closing_key(tender), on).whole)


@action
def declare_interest(*, tender: Tender, conflict: bool, statement: str, actor: Actor, at: datetime) -> CommissionMember:
    """A member's declaration, after the bidders are known and before contents are seen; a later one replaces it.

    A conflict removes the member's scores from the result; a result that is computed already is dropped unless an
    award rests on it. Source: COI-2. Raises: NotAMember, DeclarationTooEarly. Audit: interest.declared.
    """
    tender = locked(tender)
    if tender.bids_close_at is None or at < tender.bids_close_at:
        raise DeclarationTooEarly(tender=tender.number)
    seat = seat_of(tender, actor)
    if seat.conflict != conflict and not is_decided(tender):
        drop_result(tender)
    seat.conflict, seat.declared_at, seat.statement = conflict, at, statement
    seat.save(update_fields=["conflict", "declared_at", "statement"])
    record("interest.declared", tender, seat, actor=actor, at=at, conflict=conflict)
    return seat


def seat_of(tender: Tender, actor: Actor) -> CommissionMember:
    """The actor's seat. Raises: NotAMember."""
    seat = tender.commission.filter(user_id=person_id(actor)).first()
    if seat is None:
        raise NotAMember(tender=tender.number)
    return seat


def is_decided(tender: Tender) -> bool:
    """Whether an award stands or the competition has ended."""
    return tender.status != "active" or tender.awards.exclude(status="cancelled").exists()


def refuse_decided(tender: Tender) -> None:
    """Raises: CompetitionDecided."""
    if is_decided(tender):
        raise CompetitionDecided(tender=tender.number)


@step
def drop_result(tender: Tender) -> None:
    """The computed result no longer follows from the marks: it must be computed anew before an award."""
    if tender.evaluated_at is None:
        return
    BidResult.objects.filter(bid__tender=tender).delete()
    tender.evaluated_at = None
    tender.save(update_fields=["evaluated_at"])


def locked(tender: Tender) -> Tender:
    """The competition, locked until the transaction ends."""
    return lock_rows(Tender.objects.filter(pk=tender.pk))[0]


def end_of_day(day: date, zone: str) -> datetime:
    """Last moment of a day in the organisation's zone."""
    return datetime.combine(day, time(23, 59, 59), tzinfo=ZoneInfo(zone))
