"""Reads of clearing between municipalities. Every list takes the reader's organisation: one of the two sides."""

from __future__ import annotations

from datetime import date
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery, Sum

from config.accounts.models import Organisation
from contracts.queries import clearing_agreements
from settlement.models import ClearingItem, ClearingLine, ClearingRevision, ClearingStatement, StatementLine
from settlement.models.clearing import DROPPED, OWED
from settlement.refund_queries import differing_refunds


def clearing_statements(organisation: Organisation, q: str = "") -> QuerySet[ClearingStatement]:
    """Statements with other municipalities, the newest first."""
    rows = ClearingStatement.objects.filter(Q(first=organisation) | Q(second=organisation))
    if q:
        rows = rows.filter(Q(number__icontains=q) | Q(first__name__icontains=q) | Q(second__name__icontains=q))
    people = ("first_signed_by", "second_signed_by", "drawn_by")
    return rows.select_related("first", "second", *people).order_by("-period", "-id")


def neighbours_of(organisation: Organisation) -> QuerySet[Organisation]:
    """Municipalities with which there is or was an agreement, by name."""
    rows = clearing_agreements(organisation)
    return (
        Organisation.objects.filter(Q(pk__in=rows.values("home")) | Q(pk__in=rows.values("host")))
        .exclude(pk=organisation.pk)
        .order_by("name")
    )


def open_items(first: Organisation, second: Organisation, until: date) -> QuerySet[ClearingItem]:
    """What the two owe each other for months up to one (its first day) that no statement has, in order."""
    pair = Q(organisation=first, home=second) | Q(organisation=second, home=first)
    taken = ClearingLine.objects.filter(item=OuterRef("pk")).exclude(answer=OWED)
    return ClearingItem.objects.filter(pair, ~Exists(taken), period__lte=until).order_by("pk")


def followed(item: ClearingItem) -> bool:
    """Whether the refund of the same decision changed after the item by another that was not given up."""
    decision = item.corrects_id or item.pk
    later = ClearingItem.objects.filter(
        Q(corrects=decision) | Q(clawback_line__isnull=False) | Q(adjudication__reverses__clearingitem=decision),
        claim_line=item.claim_line_id,
        pk__gt=item.pk,
    )
    return later.exclude(lines__answer=DROPPED).exists()


def statement_lines(statement: ClearingStatement) -> QuerySet[ClearingLine]:
    """Lines with all that is shown of them."""
    item = ("organisation", "home", "service", "certificate", "claim__provider", "claim_line", "run", "revision")
    rows = statement.lines.select_related(*(f"item__{name}" for name in item), "disputed_by", "answered_by")
    return rows.order_by("item__home", "item__claim__number", "item__claim_line__line", "pk")


def revisions_of(organisation: Organisation) -> QuerySet[ClearingRevision]:
    """Documents of refunds worked out anew, of either side, the newest first."""
    sides = Q(agreement__host=organisation) | Q(agreement__home=organisation)
    rows = ClearingRevision.objects.filter(sides).select_related("agreement__host", "agreement__home", "recorded_by")
    return rows.order_by("-pk")


def items_anew(revision: ClearingRevision) -> QuerySet[ClearingItem]:
    """Differences of a document with all that is shown of them, and the number of the statement that has each."""
    line = ClearingLine.objects.filter(item=OuterRef("pk")).exclude(answer=OWED)
    rows = revision.items.select_related("claim__provider", "claim_line", "certificate", "corrects")
    return rows.annotate(
        statement_id=Subquery(line.values("statement")[:1]), statement=Subquery(line.values("statement__number")[:1])
    ).order_by("claim_line__service_date", "pk")


def waiting_anew(organisation: Organisation) -> list[dict[str, Any]]:
    """Agreements under which refunds to the organisation differ from what the norm costs known now leave: how many,
    and the sum of the differences (minor units).
    """
    found = []
    for agreement in clearing_agreements(organisation).filter(host=organisation, norm="home"):
        rows = differing_refunds(agreement)
        if rows:
            sum_ = sum(row.difference_minor for row in rows)
            found.append({"agreement": agreement, "visits": len(rows), "difference": sum_})
    return found


# Start of follow-the-money to the items that it leads to.
_ON_THE_ROAD = {
    "budget_line": ("certificate__home__budget_line",),
    "contract": ("claim__contract",),
    "certificate": ("certificate", "certificate__home"),
    "redemption": ("claim_line__redemption",),
    "claim": ("claim", "claim_line__claim"),
    "claim_line": ("claim_line",),
    "payment": ("claim__remittances__payment_items__payment",),
    "statement_line": (
        "lines__statement__payments__statement_line",
        "claim__remittances__payment_items__payment__matches__statement_line",
    ),
    "advance": ("claim__remittances__advance_uses__advance",),
}


def cleared_on_the_road(organisation: Organisation, start: str, pk: int) -> list[dict[str, Any]]:
    """Where money of a road crosses to another municipality: who refunds whom, how much of it (minor units), by which
    statement; without one it waits.
    """
    leads = reduce(or_, (Q(**{name: pk}) for name in _ON_THE_ROAD[start]))
    side = Q(organisation=organisation) | Q(home=organisation)
    items = ClearingItem.objects.filter(pk__in=ClearingItem.objects.filter(leads, side).values("pk"))
    line = ClearingLine.objects.filter(item=OuterRef("pk")).exclude(answer=OWED)
    rows = items.annotate(
        statement=Subquery(line.values("statement")[:1]),
        answer=Subquery(line.values("answer")[:1]),
        disputed=Exists(line.filter(disputed_at__isnull=False, answer="")),
    )
    columns = ("home__name", "organisation__name", "statement", "answer", "disputed")
    sums = list(
        rows.values(*columns)
        .annotate(due=Sum("due_minor"), visits=Count("claim_line", distinct=True))
        .order_by("statement", "home")
    )
    statements = ClearingStatement.objects.in_bulk([row["statement"] for row in sums if row["statement"]])
    return [
        {
            "home": row["home__name"],
            "host": row["organisation__name"],
            "due": int(row["due"]),
            "visits": row["visits"],
            "given_up": row["answer"] == DROPPED,
            "disputed": row["disputed"],
            "statement": statements[row["statement"]].number if row["statement"] else "",
            "statement_id": row["statement"],
            "status": statements[row["statement"]].status if row["statement"] else "",
        }
        for row in sums
    ]


def bank_lines_of(statement: ClearingStatement, organisation: Organisation) -> QuerySet[StatementLine]:
    """Open bank lines of a side that may be its payment of the statement, the latest first."""
    rows = StatementLine.objects.filter(
        statement__organisation=organisation,
        statement__status="imported",
        status="unmatched",
        currency=organisation.currency,
        amount_minor=-statement.paid_by(organisation),
    )
    return rows.select_related("statement").order_by("-booked_on", "-id")
