"""What providers got too much for a month that is paid: money that a correction or a reversal took back.

It stands for a month of a provider as a whole: what takes a claim back and the claim that stands for it are one sum,
and what is still unpaid of that month counts against it. What a case asks back stands in the case.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import F, Min, Q, QuerySet, Sum, Window

from config.accounts.models import Organisation
from settlement.finance_queries import month_written, unpaid_remittances
from settlement.models import Remittance


def owed_before(organisation: Organisation, period: date) -> QuerySet[Remittance]:
    """Unpaid remittances of every provider and earlier month that are together negative, or nothing: those move no
    money, but no payment of their own month can take them.
    """
    rows = unpaid_remittances(organisation).filter(run__period__lt=period).exclude(payable=0)
    net = Window(Sum("payable"), partition_by=[F("provider"), F("run__period")])
    return rows.annotate(net=net).filter(net__lte=0)


def provider_debts(organisation: Organisation, search: str = "") -> QuerySet[Remittance, dict[str, Any]]:
    """What providers owe of a month and no payment has taken off yet, oldest month first: ``owed_minor`` above zero,
    ``since`` when money was first taken back.
    """
    rows = unpaid_remittances(organisation).exclude(payable=0)
    if search:
        rows = rows.annotate(written=month_written("run__period")).filter(
            Q(provider__name__icontains=search) | Q(provider__code=search) | Q(written__icontains=search)
        )
    months = rows.values("run__period", "provider", "provider__name", "provider__code")
    since = Min("run__recorded_at", filter=Q(payable__lt=0))
    debts = months.annotate(owed_minor=-Sum("payable"), since=since).filter(owed_minor__gt=0)
    return debts.order_by("run__period", "provider__name", "provider")


def debt_of(organisation: Organisation, provider: int, period: date) -> QuerySet[Remittance]:
    """Unpaid remittances of a provider's month that move money: together the debt, when they are negative."""
    rows = unpaid_remittances(organisation).filter(provider=provider, run__period=period).exclude(payable=0)
    return rows.select_related("claim").order_by("pk")


def owed_in_all(organisation: Organisation) -> dict[str, int] | None:
    """How many providers owe and how much, minor units; None when nobody does. One query."""
    owed: dict[int, int] = {}
    for row in provider_debts(organisation):
        owed[row["provider"]] = owed.get(row["provider"], 0) + row["owed_minor"]
    return {"providers": len(owed), "minor": sum(owed.values())} if owed else None
