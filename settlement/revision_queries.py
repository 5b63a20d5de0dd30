"""Reads of fees decided anew: what is shown to whom, and which settled months such a decision touches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, Q, QuerySet, Sum

from config.accounts.access import Access
from config.accounts.models import User
from config.periods import month_of
from settlement.models import Adjudication, ClosedMonth, Correction
from vouchers.models import Certificate, FeeObjection, FeeRevision

# States of a claim whose decisions stand.
_DECIDED = ("adjudicated", "disputed", "scheduled", "paid", "rejected")


@dataclass(frozen=True)
class SettledMonth:
    """A month of the span in which lines of the recipient are decided. ``fee_minor``: what they take as fee now.

    ``corrections``: those of the month prepared since the fee was decided anew.
    """

    month: date
    lines: int
    fee_minor: int
    closed: bool
    corrections: tuple[Correction, ...]

    @property
    def waits(self) -> bool:
        """Whether a correction is still to be prepared."""
        return self.closed and not self.corrections


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
    """Months of the span with decided lines of the recipient, oldest first. Four queries."""
    rows = _decided(revision).order_by().values("claim__period")
    found = rows.annotate(lines=Count("claim_line", distinct=True), taken=Sum("fee")).order_by("claim__period")
    in_span = {"organisation": revision.organisation_id, "month__gte": revision.valid_from}
    closed = set(ClosedMonth.objects.filter(**in_span).values_list("month", flat=True))
    made = list(
        Correction.objects.filter(**in_span, proposed_at__gte=revision.status_at or revision.proposed_at)
        .exclude(status="cancelled")
        .order_by("pk")
    )
    return [
        SettledMonth(
            row["claim__period"],
            row["lines"],
            int(row["taken"]),
            row["claim__period"] in closed,
            tuple(each for each in made if each.month == row["claim__period"]),
        )
        for row in found
    ]


def _decided(revision: FeeRevision) -> QuerySet[Adjudication]:
    numbers = list(Certificate.objects.filter(recipient=revision.recipient_id).values_list("number", flat=True))
    line = Q(claim_line__certificate__recipient=revision.recipient_id)
    line |= Q(claim_line__certificate=None, claim_line__certificate_number__in=numbers)
    rows = Adjudication.objects.filter(
        line,
        claim__organisation=revision.organisation_id,
        claim__period__gte=revision.valid_from,
        claim__status__in=_DECIDED,
        claim__reverses=None,
        reverses=None,
    )
    last = revision.valid_to and month_of(revision.valid_to - timedelta(days=1))
    return rows.filter(claim__period__lte=last) if last else rows
