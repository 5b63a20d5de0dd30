"""Reads of holds: what of the money that is owed is not paid on a day."""

from __future__ import annotations

from datetime import date

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from config.accounts.models import Organisation
from settlement.models import Advance, Payment, PaymentAdvance, PaymentHold, PaymentRemittance, Remittance


def holds(organisation: Organisation, search: str = "") -> QuerySet[PaymentHold]:
    """All holds, those in force first, then newest first."""
    parts = ("provider", "contract__provider", "claim__provider", "payment__provider", "placed_by", "lifted_by")
    rows = PaymentHold.objects.filter(organisation=organisation).select_related(*parts)
    if search:
        rows = rows.filter(
            Q(reason__icontains=search)
            | Q(provider__name__icontains=search)
            | Q(contract__number__icontains=search)
            | Q(claim__number__icontains=search)
            | Q(payment__reference__icontains=search)
        )
    return rows.order_by(F("lifted_at").desc(nulls_first=True), "-id")


def standing_holds(organisation: Organisation, on: date) -> QuerySet[PaymentHold]:
    """Holds that are not over on a day: those in force, and those that begin later."""
    rows = PaymentHold.objects.filter(organisation=organisation, lifted_at=None)
    return rows.filter(Q(to_date=None) | Q(to_date__gt=on))


def live_holds(organisation: Organisation, on: date) -> QuerySet[PaymentHold]:
    """Holds in force on a day."""
    return standing_holds(organisation, on).filter(from_date__lte=on)


def held_remittances(rows: QuerySet[Remittance], organisation: Organisation, on: date) -> QuerySet[Remittance]:
    """Of remittances, those whose provider, contract or claim is held on a day.

    A hold of a claim ends with the claim: what is taken back and what takes it back stay one sum.
    """
    of_contract = Q(contract=OuterRef("claim__contract")) | Q(
        contract__organisation=OuterRef("claim__organisation"), contract__number=OuterRef("claim__contract_number")
    )
    found = live_holds(organisation, on).filter(
        Q(provider=OuterRef("provider")) | (Q(claim=OuterRef("claim")) & ~Q(claim__status="reversed")) | of_contract
    )
    return rows.filter(Exists(found))


def held_advances(rows: QuerySet[Advance], organisation: Organisation, on: date) -> QuerySet[Advance]:
    """Of advances, those whose provider or contract is held on a day."""
    found = live_holds(organisation, on).filter(Q(provider=OuterRef("provider")) | Q(contract=OuterRef("contract")))
    return rows.filter(Exists(found))


def held_payments(rows: QuerySet[Payment], organisation: Organisation, on: date) -> QuerySet[Payment]:
    """Of payments, those that are held on a day, themselves or with something that they pay."""
    remittances = held_remittances(Remittance.objects.all(), organisation, on)
    paying = PaymentRemittance.objects.filter(payment=OuterRef("pk"), remittance__in=remittances)
    advances = held_advances(Advance.objects.all(), organisation, on)
    advancing = PaymentAdvance.objects.filter(payment=OuterRef("pk"), advance__in=advances)
    own = live_holds(organisation, on).filter(payment=OuterRef("pk"))
    return rows.filter(Exists(own) | Exists(paying) | Exists(advancing))
