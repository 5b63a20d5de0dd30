"""Reads of advances: what stands on them, which month's claims may use them, what of a year comes back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from config.accounts.access import Access
from config.accounts.models import Organisation
from config.money import from_minor
from config.periods import add_months
from contracts.models import BudgetLine, Contract, Provider
from contracts.queries import provider_of
from settlement.models import Advance, AdvanceReturn, AdvanceUse, PaymentAdvance, Remittance
from settlement.models.statements import LIVE

PERCENT_MAX = "advance.percent_max"
# States in which an advance takes of what its budget line has for advances.
GRANTED = ("approved", "paid", "due", "settled")


def _sum(rows: QuerySet[Any]) -> Coalesce:
    sums = rows.filter(advance=OuterRef("pk")).order_by().values("advance").annotate(found=Sum("amount_minor"))
    return Coalesce(Subquery(sums.values("found"), output_field=IntegerField()), 0)


def with_sums(rows: QuerySet[Advance]) -> QuerySet[Advance]:
    """Advances with ``used``, ``returned`` and ``outstanding``, minor units."""
    rows = rows.annotate(used=_sum(AdvanceUse.objects.all()), returned=_sum(AdvanceReturn.objects.all()))
    return rows.annotate(outstanding=F("amount_minor") - F("used") - F("returned"))


def advances(access: Access, search: str = "", status: str = "") -> QuerySet[Advance]:
    """The office sees its own, a provider those that were approved for it; newest first."""
    rows = with_sums(_in_scope(access)).select_related(
        "provider", "contract", "budget_line", "organisation", "proposed_by", "approved_by"
    )
    if search:
        words = Q(number__icontains=search) | Q(provider__name__icontains=search)
        rows = rows.filter(words | Q(contract__number__icontains=search) | Q(purpose__icontains=search))
    if status:
        rows = rows.filter(status=status)
    return rows.order_by("-id")


def _in_scope(access: Access) -> QuerySet[Advance]:
    if access.may("claims.submit"):
        provider = provider_of(access.user)
        own = Advance.objects.filter(provider=provider) if provider else Advance.objects.none()
        return own.exclude(approved_at=None)
    return Advance.objects.filter(organisation=access.office())


def uses_of(advance: Advance) -> QuerySet[AdvanceUse]:
    """What claims used and gave back, earliest first."""
    return advance.uses.select_related("remittance__claim", "remittance__run").order_by("id")


def returns_of(advance: Advance) -> QuerySet[AdvanceReturn]:
    """Money that came back, undone rows and what undoes them too."""
    return advance.returns.select_related("statement_line__statement", "undone_by", "undoes").order_by("id")


def payments_of(advance: Advance) -> QuerySet[PaymentAdvance]:
    """Payment runs and payments of an advance, earliest first."""
    return advance.payment_items.select_related("payment_run", "payment").order_by("id")


def used_by(remittances: Iterable[Remittance]) -> QuerySet[AdvanceUse]:
    """What remittances used of advances."""
    rows = AdvanceUse.objects.filter(remittance__in=[row.pk for row in remittances])
    return rows.select_related("advance", "remittance__claim").order_by("advance__number", "id")


def live_returns(organisation: Organisation) -> QuerySet[AdvanceReturn]:
    """Money of bank lines for advances that nobody has undone."""
    rows = AdvanceReturn.objects.filter(advance__organisation=organisation, **LIVE)
    return rows.select_related("advance", "statement_line__statement")


def returnable(organisation: Organisation) -> QuerySet[Advance]:
    """Advances of which money can come back, those whose day comes first before the others."""
    rows = Advance.objects.filter(organisation=organisation, status__in=("paid", "due"))
    rows = with_sums(rows).select_related("provider", "organisation")
    return rows.order_by(F("return_until").asc(nulls_last=True), "id")


def payable_advances(organisation: Organisation) -> QuerySet[Advance]:
    """Approved advances that no payment run pays now."""
    taken = PaymentAdvance.objects.filter(live=True).values("advance")
    rows = Advance.objects.filter(organisation=organisation, status="approved").exclude(pk__in=taken)
    return rows.select_related("provider", "contract", "organisation").order_by("provider__code", "id")


def advanced_for(organisation: Organisation, provider: Provider, period: date) -> Decimal | None:
    """What was paid to a provider in advance for a month, 2 places; None without any such advance."""
    rows = Advance.objects.filter(organisation=organisation, provider=provider, status__in=("paid", "due", "settled"))
    rows = rows.filter(use_until__gte=period, proposed_at__date__lt=add_months(period, 1))
    total = rows.aggregate(total=Sum("amount_minor"))["total"]
    return None if total is None else from_minor(total)


def advanced_minor(line: BudgetLine) -> int:
    """What stands on the granted advances of a budget line, minor units."""
    rows = with_sums(Advance.objects.filter(budget_line=line, status__in=GRANTED))
    return rows.aggregate(total=Sum("outstanding"))["total"] or 0


def advanced_of_contract(contract: Contract) -> int:
    """The same of a contract, minor units."""
    rows = with_sums(Advance.objects.filter(contract=contract, status__in=GRANTED))
    return rows.aggregate(total=Sum("outstanding"))["total"] or 0
