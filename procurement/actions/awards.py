"""Awards: the winner is named, the stand-still passes, the contract or grant agreement follows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from config.audit.actors import Actor
from config.audit.recording import action, record
from config.clock import local_date
from config.errors import DomainError
from config.locks import lock_rows
from config.office.numbering import document_number
from config.transactions import step
from contracts.actions.agreements import (
    AgreedLine,
    AgreedMilestone,
    activate_contract,
    draw_up_contract,
    plan_milestones,
)
from contracts.models import Contract
from contracts.queries import working_calendar
from contracts.rules.deadlines import DeadlineRule, deadline
from procurement.actions.competitions import end_of_day, locked, setting
from procurement.actions.evaluation import check_quorum
from procurement.actions.people import person_id
from procurement.models import Award, Bid, Tender
from procurement.rules.awards import GrantRequest, award_fund
from procurement.rules.grants import final_report_due, first_tranche_ceiling
from procurement.rules.rejection import competition_fate


class NotEvaluated(DomainError):
    """There is no result to decide on."""

    code = "NOT_EVALUATED"
    message = _("Competition %(tender)s is not evaluated yet.")


class NoWinner(DomainError):
    """Nobody may be awarded."""

    code = "NO_WINNER"
    message = _("Competition %(tender)s has no bid that may win (%(reason)s). Declare it unsuccessful.")


class AlreadyAwarded(DomainError):
    """A decision stands."""

    code = "ALREADY_AWARDED"
    message = _("Competition %(tender)s already has an award.")


class StandstillRuns(DomainError):
    """Complaints may still come."""

    code = "STANDSTILL_RUNS"
    message = _("The contract can be signed after %(until)s, when the time for complaints has passed.")


class ComplaintOpen(DomainError):
    """A complaint waits for an answer."""

    code = "COMPLAINT_OPEN"
    message = _("A complaint about this competition is open. Answer it before the contract is signed.")


class TrancheTooLarge(DomainError):
    """The first tranche is limited."""

    code = "TRANCHE_TOO_LARGE"
    message = _("The first tranche may not be above %(max)s.")


class TranchesNeGrant(DomainError):
    """The schedule does not pay the grant."""

    code = "TRANCHES_NE_GRANT"
    message = _("The tranches come to %(tranches)s, the grant is %(grant)s. Correct the schedule.")


class MilestoneTooLate(DomainError):
    """The schedule goes on after the final report."""

    code = "MILESTONE_TOO_LATE"
    message = _(
        "«%(milestone)s» is due after %(until)s, the last day of the final report under the terms of the contest. "
        "Choose an earlier day."
    )


@action
def award_tender(*, tender: Tender, reason: str, actor: Actor, at: datetime) -> list[Award]:
    """Name the winner of a social order, or the winners of a contest in rank order until its fund is used up.

    Time: the stand-still is counted in working days from this decision. Source: SCO-2, TAR-9.
    Raises: NotEvaluated, AlreadyAwarded, NoQuorum, NoWinner. Audit: tender.awarded.
    """
    tender = locked(tender)
    if tender.evaluated_at is None or tender.status != "active":
        raise NotEvaluated(tender=tender.number)
    if tender.awards.exclude(status="cancelled").exists():
        raise AlreadyAwarded(tender=tender.number)
    check_quorum(tender)
    winners = winners_of(tender)
    until = _standstill(tender, at)
    awards = [_award(tender, bid, until, reason, actor, at) for bid in winners]
    record(
        "tender.awarded",
        tender,
        *awards,
        *winners,
        actor=actor,
        at=at,
        awards=[award.number for award in awards],
        standstill_until=until,
    )
    return awards


def winners_of(tender: Tender) -> list[Bid]:
    """Bids to award in rank order. Raises: NoWinner."""
    valid = list(tender.bids.filter(status="valid").select_related("result").order_by("result__rank"))
    passing = [bid for bid in valid if not bid.result.parts.get("fails")]
    fate = competition_fate(
        valid_bids=len(valid),
        # Only the first in rank may win a social order; a contest has as many winners as its fund pays.
        winner_passes=bool(passing) and (tender.kind != "social_order" or passing[0] == valid[0]),
        single_bid_allowed=setting(tender, "so.single_bid_allowed").lower() == "true",
    )
    if not fate.may_award:
        raise NoWinner(tender=tender.number, reason=fate.reason)
    if tender.kind == "social_order":
        return passing[:1]
    requests = [GrantRequest(str(bid.pk), _grant(bid)) for bid in passing]
    paid = award_fund(requests=requests, fund=tender.value.amount, partial_allowed=False)
    chosen = {row.code for row in paid.allocations}
    if not chosen:
        raise NoWinner(tender=tender.number, reason="FUND_TOO_SMALL")
    return [bid for bid in passing if str(bid.pk) in chosen]


def _grant(bid: Bid) -> Decimal:
    return bid.grant_requested.amount if bid.grant_requested else Decimal(0)


def _standstill(tender: Tender, at: datetime) -> datetime:
    days = int(Decimal(setting(tender, "so.standstill_days")))
    rule = DeadlineRule("so.standstill_days", days, "working")
    zone = tender.organisation.zone
    due = deadline(start=local_date(at, zone), rule=rule, calendar=working_calendar(tender.organisation)).due
    return end_of_day(due, zone)


def _award(tender: Tender, bid: Bid, until: datetime, reason: str, actor: Actor, at: datetime) -> Award:
    year = local_date(at, tender.organisation.zone).year
    return Award.objects.create(
        tender=tender,
        bid=bid,
        number=document_number(organisation=tender.organisation, kind="award", prefix="A", year=year),
        decided_by_id=person_id(actor),
        decided_at=at,
        standstill_until=until,
        reason=reason,
        status="pending",
        status_at=at,
    )


@action
def conclude_social_order(*, award: Award, provider_user_id: int, actor: Actor, at: datetime) -> Contract:
    """Sign the contract at the winner's own price once the stand-still has passed; the competition is complete.

    Money: unit price of the bid, not above the norm cost (NRM-2); ceiling = the value of the competition.
    Raises: StandstillRuns, ComplaintOpen, PriceAboveNorm, ProviderNotActive, InvalidMove. Audit: award.concluded.
    """
    award, tender = _ready(award, at)
    bid = award.bid
    assert tender.service and tender.contract_from and bid.unit_price
    contract = draw_up_contract(
        organisation=tender.organisation,
        provider=bid.provider,
        budget_line=tender.budget_line,
        basis="award",
        lines=[AgreedLine(tender.service, bid.unit_price, tender.units_planned)],
        valid_from=tender.contract_from,
        valid_to=tender.contract_to,
        ceiling=tender.value.amount,
        title=tender.title,
        number="",
        at=at,
    )
    contract = activate_contract(contract=contract, provider_user_id=provider_user_id, actor=actor, at=at)
    _concluded(award, contract, at)
    tender.move_to("complete", at=at)
    _record_conclusion(award, tender, contract, actor, at)
    return contract


@action
def conclude_grant(
    *, award: Award, milestones: Sequence[AgreedMilestone], provider_user_id: int, actor: Actor, at: datetime
) -> Contract:
    """Sign the grant agreement: the grant is committed on the budget line, its milestones release the tranches.

    Money: ceiling = the grant; tranches add up to it; the first is limited (GRL-1), rounded down.
    Raises: StandstillRuns, ComplaintOpen, TrancheTooLarge, TranchesNeGrant, MilestoneTooLate, BudgetExceeded.
    Audit: award.concluded.
    """
    award, tender = _ready(award, at)
    bid = award.bid
    assert tender.contract_from
    grant = _grant(bid)
    _check_tranches(tender, grant, [row.tranche for row in milestones if row.tranche is not None])
    _check_days(tender, milestones)
    contract = draw_up_contract(
        organisation=tender.organisation,
        provider=bid.provider,
        budget_line=tender.budget_line,
        basis="grant",
        lines=[],
        valid_from=tender.contract_from,
        valid_to=tender.contract_to,
        ceiling=grant,
        title=bid.project_title,
        number="",
        at=at,
    )
    plan_milestones(contract=contract, milestones=milestones, at=at)
    contract = activate_contract(contract=contract, provider_user_id=provider_user_id, actor=actor, at=at)
    _concluded(award, contract, at)
    if not tender.awards.filter(status="pending").exists():
        tender.move_to("complete", at=at)
    _record_conclusion(award, tender, contract, actor, at)
    return contract


def _check_tranches(tender: Tender, grant: Decimal, tranches: Sequence[Decimal]) -> None:
    most = first_tranche_ceiling(grant=grant, percent=Decimal(setting(tender, "grant.first_tranche_max_pct")))
    if tranches and tranches[0] > most:
        raise TrancheTooLarge(max=most)
    if sum(tranches, Decimal(0)) != grant:
        raise TranchesNeGrant(tranches=sum(tranches, Decimal(0)), grant=grant)


def _check_days(tender: Tender, milestones: Sequence[AgreedMilestone]) -> None:
    """The final report ends the schedule."""
    if tender.contract_to is None:
        return
    days = int(Decimal(setting(tender, "grant.final_report_days")))
    until = final_report_due(project_end=tender.contract_to - timedelta(days=1), days=days)
    for row in milestones:
        if row.due_date > until:
            raise MilestoneTooLate(milestone=row.title, until=until)


@step
def _ready(award: Award, at: datetime) -> tuple[Award, Tender]:
    tender = locked(award.tender)
    award = lock_rows(Award.objects.filter(pk=award.pk))[0]
    if at <= award.standstill_until:
        raise StandstillRuns(until=award.standstill_until)
    if tender.complaints.filter(status="submitted").exists():
        raise ComplaintOpen()
    return award, tender


@step
def _concluded(award: Award, contract: Contract, at: datetime) -> None:
    award.contract = contract
    award.save(update_fields=["contract"])
    award.move_to("active", at=at)


def _record_conclusion(award: Award, tender: Tender, contract: Contract, actor: Actor, at: datetime) -> None:
    record(
        "award.concluded",
        award,
        tender,
        contract,
        actor=actor,
        at=at,
        organisation=tender.organisation.code,
        number=contract.number,
    )
