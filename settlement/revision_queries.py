"""Reads of fees decided anew: what is shown to whom, and which settled months such a decision touches."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from config.accounts.access import Access
from config.accounts.models import Organisation, User
from config.periods import month_of
from settlement.models import Adjudication, Claim, ClosedMonth, Correction
from vouchers.models import Certificate, FeeObjection, FeeRevision


@dataclass(frozen=True)
class SettledMonth:
    """A month of the span in which lines of the recipient are decided. ``fee_minor``: what they take as fee now.

    ``corrections``: those of the month prepared since the fee was decided anew. ``host``: the other municipality that
    settled the month, where the recipient's certificate was used.
    """

    month: date
    lines: int
    fee_minor: int
    closed: bool
    corrections: tuple[Correction, ...]
    host: Organisation | None


def revisions(access: Access, search: str = "") -> QuerySet[FeeRevision]:
    """Fees decided anew by the office, the newest first."""
    rows = FeeRevision.objects.filter(organisation=access.office())
    rows = rows.select_related("organisation", "recipient", "proposed_by", "approved_by")
    if search:
        rows = rows.filter(
            Q(number__icontains=search) | Q(recipient__code__icontains=search) | Q(reason__icontains=search)
        )
    return rows.order_by("-proposed_at", "-id")


def revisions_to_approve(access: Access) -> QuerySet[FeeRevision]:
    """Those that wait for another person than who proposed them, or pays by them."""
    rows = FeeRevision.objects.filter(organisation=access.office(), status="proposed")
    return rows.exclude(proposed_by=access.user).exclude(recipient__user=access.user)


def fee_objections_to_answer(access: Access) -> QuerySet[FeeObjection]:
    """Objections without an answer that the reader may answer: who had no part in the decision."""
    rows = FeeObjection.objects.filter(revision__organisation=access.office(), answer=None)
    part = Q(revision__proposed_by=access.user) | Q(revision__approved_by=access.user) | Q(submitted_by=access.user)
    return rows.exclude(part).select_related("revision__recipient")


def own_revisions(user: User) -> QuerySet[FeeRevision]:
    """Approved ones of the recipient who is signed in."""
    rows = FeeRevision.objects.filter(status="approved", recipient__user=user)
    return rows.select_related("organisation", "recipient").order_by("-status_at", "-id")


def settled_months(revision: FeeRevision) -> list[SettledMonth]:
    """Months of the span with decided lines of the recipient, oldest first; then those that other municipalities
    settled. A constant number of queries.
    """
    rows = [*_by_month(revision, _own_lines(revision)), *_by_month(revision, _lines_of_hosts(revision))]
    offices = Organisation.objects.in_bulk({row["claim__organisation"] for row in rows})
    in_span = {"organisation__in": offices, "month__gte": revision.valid_from}
    closed = set(ClosedMonth.objects.filter(**in_span).values_list("organisation", "month"))
    made = list(
        Correction.objects.filter(**in_span, proposed_at__gte=revision.status_at or revision.proposed_at)
        .exclude(status="cancelled")
        .order_by("pk")
    )
    return [_settled(revision, row, offices[row["claim__organisation"]], closed, made) for row in rows]


def _settled(
    revision: FeeRevision,
    row: dict[str, Any],
    office: Organisation,
    closed: set[tuple[int, date]],
    made: Iterable[Correction],
) -> SettledMonth:
    month = row["claim__period"]
    return SettledMonth(
        month,
        row["lines"],
        int(row["taken"]),
        (office.pk, month) in closed,
        tuple(each for each in made if (each.organisation_id, each.month) == (office.pk, month)),
        None if office.pk == revision.organisation_id else office,
    )


def _by_month(revision: FeeRevision, lines: Q) -> QuerySet[Adjudication, dict[str, Any]]:
    rows = Adjudication.objects.filter(
        lines,
        claim__period__gte=revision.valid_from,
        claim__status__in=Claim.JUDGED,
        claim__reverses=None,
        reverses=None,
    )
    if revision.valid_to:
        rows = rows.filter(claim__period__lte=month_of(revision.valid_to - timedelta(days=1)))
    sums = rows.order_by().values("claim__organisation", "claim__period")
    found = sums.annotate(lines=Count("claim_line", distinct=True), taken=Sum("fee"))
    return found.order_by("claim__organisation__name", "claim__period")


def _own_lines(revision: FeeRevision) -> Q:
    numbers = list(Certificate.objects.filter(recipient=revision.recipient_id).values_list("number", flat=True))
    line = Q(claim_line__certificate__recipient=revision.recipient_id)
    line |= Q(claim_line__certificate=None, claim_line__certificate_number__in=numbers)
    return line & Q(claim__organisation=revision.organisation_id)


def _lines_of_hosts(revision: FeeRevision) -> Q:
    guests = Certificate.objects.filter(home__recipient=revision.recipient_id)
    return Q(claim_line__certificate__in=list(guests.values_list("pk", flat=True)))
