"""Reads of the procurement app. Bids are unreadable before opening, for officers too."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet

from config.accounts.models import Organisation, User
from contracts.models import Provider
from contracts.parameters import ParameterBook
from contracts.queries import working_calendar
from contracts.rules.deadlines import DeadlineRule
from procurement.models import Award, Bid, PlanItem, ProcurementPlan, Score, Tender
from procurement.rules.deadlines import OrderDecisionDeadlines, OrderDecisionParameters, order_decision_deadlines


def plans(organisation: Organisation, search: str = "") -> QuerySet[ProcurementPlan]:
    """Plans of an organisation, the newest first; ``search``: a year or words of a need."""
    rows = ProcurementPlan.objects.filter(organisation=organisation)
    if search:
        needs = PlanItem.objects.filter(plan=OuterRef("pk"), title__icontains=search)
        rows = rows.filter(Q(year__icontains=search) | Exists(needs))
    return rows.order_by("-year")


def plan_items(plan: ProcurementPlan) -> QuerySet[PlanItem]:
    """Needs of a plan with what they lead to."""
    rows = plan.items.select_related("service", "budget_line").prefetch_related("tender_set")
    return rows.order_by("number")


def tenders_of_office(organisation: Organisation) -> QuerySet[Tender]:
    """All competitions of an organisation, the newest first."""
    rows = Tender.objects.filter(organisation=organisation).select_related("service")
    return rows.annotate(bids_count=Count("bids", filter=~Q(bids__status="draft"))).order_by("-id")


def tenders_of_member(user: User) -> QuerySet[Tender]:
    """Competitions in whose commission a person sits."""
    rows = Tender.objects.filter(commission__user=user).select_related("service")
    return rows.order_by("-id")


def tenders_published() -> QuerySet[Tender]:
    """Competitions that any provider may see."""
    rows = Tender.objects.filter(published_at__isnull=False).select_related("service", "organisation")
    return rows.order_by("-published_at", "-id")


def bids_of_tender(tender: Tender) -> QuerySet[Bid]:
    """Bids in order of submission with their results; drafts belong to their authors alone."""
    rows = tender.bids.exclude(status="draft").select_related("provider", "result")
    return rows.order_by("number", "id")


def readable(bid: Bid) -> bool:
    """Whether the content of a bid may be read by others than its author."""
    return bid.tender.opened_at is not None and bid.status not in {"draft", "submitted", "withdrawn"}


def bids_of_provider(provider: Provider | None, search: str = "") -> QuerySet[Bid]:
    """A provider's own bids and applications; ``search``: words of the competition, its number or its buyer."""
    rows = Bid.objects.filter(provider=provider) if provider else Bid.objects.none()
    if search:
        tender = Q(tender__title__icontains=search) | Q(tender__number__icontains=search)
        rows = rows.filter(tender | Q(tender__organisation__name__icontains=search))
    return rows.select_related("tender", "tender__organisation").order_by("-id")


def bid_with_parts(pk: int) -> Bid | None:
    """A bid with everything its page shows, in a constant number of queries."""
    rows = Bid.objects.select_related("tender", "tender__organisation", "provider", "result")
    parts = ("documents", "findings", "sources", "items", "kpis", "work_plan")
    return rows.prefetch_related(*parts).filter(pk=pk).first()


def scores_in_force(tender: Tender) -> QuerySet[Score]:
    """Latest locked score of every member, bid and criterion with all that is shown of it."""
    rows = Score.objects.filter(bid__tender=tender, locked_at__isnull=False).order_by(
        "bid", "criterion__position", "criterion", "member", "-version"
    )
    return rows.distinct("bid", "criterion__position", "criterion", "member").select_related(
        "bid__provider", "criterion", "member__user"
    )


def protocol_of(bid: Bid) -> QuerySet[Score]:
    """Every locked mark of a bid with its versions and reasons, by criterion and member."""
    rows = bid.scores.filter(locked_at__isnull=False).select_related("criterion", "member__user")
    return rows.order_by("criterion__position", "member__user__display_name", "member", "version")


def marks_in_force(tender: Tender) -> dict[int, dict[str, dict[str, Decimal]]]:
    """Latest locked mark by bid, criterion and seat: one query."""
    marks: dict[int, dict[str, dict[str, Decimal]]] = {}
    rows = Score.objects.filter(bid__tender=tender, locked_at__isnull=False).order_by("version")
    for bid, criterion, member, value in rows.values_list("bid", "criterion__code", "member", "value"):
        marks.setdefault(bid, {}).setdefault(criterion, {})[str(member)] = value
    return marks


def scores_of_member(tender: Tender, user: User) -> dict[tuple[int, str], Score]:
    """A member's latest marks by bid and criterion."""
    rows = Score.objects.filter(bid__tender=tender, member__user=user).select_related("criterion").order_by("version")
    return {(row.bid_id, row.criterion.code): row for row in rows}


def awards_of(tender: Tender) -> QuerySet[Award]:
    """Awards with their bids and contracts."""
    rows = tender.awards.select_related("bid__provider", "contract", "decided_by")
    return rows.order_by("id")


def with_commission(rows: QuerySet[Tender]) -> QuerySet[Tender]:
    """Prefetch seats and people."""
    return rows.prefetch_related(Prefetch("commission"), "commission__user", "criteria")


def decision_deadlines(organisation: Organisation, year: int) -> OrderDecisionDeadlines | None:
    """Last day to decide on social orders of a budget year; None where the jurisdiction names no such day."""
    on = date(year, 1, 1)
    book = ParameterBook.load(organisation, "so.decision_deadline")
    day, days = book.get("so.decision_deadline", on), book.get("so.decision_deadline_days", on)
    if day is None or days is None:
        return None
    shift = book.value("so.decision_deadline_shift", on).flag
    month, number = map(int, day.text.split("-"))
    after = DeadlineRule("so.decision_deadline_days", days.whole, shifts=shift)
    parameters = OrderDecisionParameters(month, number, after, shift)
    calendar = working_calendar(organisation)
    return order_decision_deadlines(budget_year=year, amended_on=None, parameters=parameters, calendar=calendar)
