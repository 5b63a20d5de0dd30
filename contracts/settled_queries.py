"""What was already decided for days of which something becomes known later; the decisions belong to an app above."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Least

from config.accounts.models import Organisation
from contracts.models import ClearingAgreement, Contract, NormCost, Service


@dataclass(frozen=True)
class SettledMonth:
    """Decided lines of a month. Minor units; ``difference_minor`` is the most that another rate would change."""

    month: date
    lines: int
    gross_minor: int
    difference_minor: int | None
    closed: bool


@dataclass(frozen=True)
class Settled:
    """Decided lines of some days, month by month, and the providers (ids) who were paid for them."""

    months: tuple[SettledMonth, ...] = ()
    providers: frozenset[int] = frozenset()

    @property
    def lines(self) -> int:
        """How many lines."""
        return sum(row.lines for row in self.months)

    @property
    def closed(self) -> tuple[SettledMonth, ...]:
        """Months that are frozen: only a correction changes them."""
        return tuple(row for row in self.months if row.closed)

    @property
    def rated(self) -> bool:
        """Whether the most that would change is known."""
        return any(row.difference_minor is not None for row in self.months)


def settled_lines(
    organisation: Organisation,
    *,
    since: date,
    until: date | None = None,
    service: Service | None = None,
    contract: Contract | None = None,
    rate: Decimal | None = None,
) -> Settled:
    """Lines decided for days of a service or a contract; ``until`` is exclusive. Three queries.

    Formula: with ``rate``, units allowed times what the claimed rate, not above it, differs from the allowed one. Other
    limits may leave less of it.
    """
    rows = _decided(organisation, since, until)
    if service is not None:
        line = Q(claim_line__service=service) | Q(claim_line__service=None, claim_line__service_code=service.code)
        rows = rows.filter(line)
    if contract is not None:
        number = Q(claim__contract=None, claim__contract_number=contract.number)
        rows = rows.filter(Q(claim__contract=contract) | number)
    closed = set(_model("ClosedMonth").filter(organisation=organisation).values_list("month", flat=True))
    months = tuple(
        SettledMonth(row["period"], row["lines"], int(row["gross"]), _minor(row["e8"], rate), row["period"] in closed)
        for row in _by_month(rows, rate)
    )
    return Settled(months, frozenset(rows.order_by().values_list("claim__provider", flat=True).distinct()))


@dataclass(frozen=True)
class RefundedElsewhere:
    """Visits that another municipality bought under an agreement and that the issuer refunds by its own norm cost."""

    agreement: ClearingAgreement
    months: tuple[date, ...]
    lines: int


def refunded_by_norm(norm: NormCost, until: date | None) -> list[RefundedElsewhere]:
    """What was decided elsewhere for days of a norm cost of past days (``until`` is exclusive), by agreement."""
    agreements = ClearingAgreement.objects.filter(home=norm.organisation, norm="home").select_related("host")
    found = []
    for agreement in agreements.order_by("pk"):
        months = dict(_refunded(agreement, norm, until))
        if months:
            found.append(RefundedElsewhere(agreement, tuple(sorted(months)), sum(months.values())))
    return found


def _refunded(agreement: ClearingAgreement, norm: NormCost, until: date | None) -> QuerySet[Any]:
    since = max(norm.valid_from, agreement.valid_from)
    taken_back = _model("Adjudication").filter(reverses=OuterRef("adjudication"))
    rows: QuerySet[Any] = _model("ClearingItem").filter(
        ~Exists(taken_back),
        organisation=agreement.host_id,
        home=agreement.home_id,
        service__code=norm.service.code,
        adjudication__reverses=None,
        period__gte=since.replace(day=1),
        claim_line__service_date__gte=since,
    )
    for end in (until, agreement.valid_to):
        rows = rows if end is None else rows.filter(claim_line__service_date__lt=end)
    counted = rows.exclude(adjudication=None).order_by().values("period").annotate(lines=Count("claim_line"))
    return counted.values_list("period", "lines")


def corrections_since(organisation: Organisation, months: Iterable[date], known_at: datetime) -> dict[date, list[Any]]:
    """Corrections of months that were prepared with what is known since a moment, given up ones left out."""
    rows = _model("Correction").filter(organisation=organisation, month__in=list(months), known_at__gte=known_at)
    found: dict[date, list[Any]] = {}
    for row in rows.exclude(status="cancelled").order_by("pk"):
        found.setdefault(row.month, []).append(row)
    return found


def _model(name: str) -> Any:
    return apps.get_model("settlement", name)._default_manager


def _decided(organisation: Organisation, since: date, until: date | None) -> QuerySet[Any]:
    rows: QuerySet[Any] = _model("Adjudication").filter(
        claim__organisation=organisation,
        # Lines stand in the claim of their month; its index finds them.
        claim__period__gte=since.replace(day=1),
        claim__status__in=_model("Claim").model.JUDGED,
        claim__reverses=None,
        reverses=None,
        claim_line__service_date__gte=since,
    )
    return rows if until is None else rows.filter(claim_line__service_date__lt=until)


def _by_month(rows: QuerySet[Any], rate: Decimal | None) -> QuerySet[Any]:
    limit = int((rate or Decimal(0)) * 10_000)
    change = F("units_allowed") * (Least(F("rate_claimed"), limit) - F("rate_allowed"))
    sums = rows.order_by().values(period=F("claim__period"))
    return sums.annotate(lines=Count("claim_line", distinct=True), gross=Sum("gross"), e8=Sum(change)).order_by(
        "period"
    )


def _minor(change: int | None, rate: Decimal | None) -> int | None:
    """Thousandths of units times ten-thousandths of the currency, as minor units; an estimate, cut towards zero."""
    return None if rate is None else int(Decimal(change or 0) / 100_000)
