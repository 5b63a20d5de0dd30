"""Facts of a random package that become known after a run: each changes, ends, begins or is taken back at a moment."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction

from contracts.models import (
    Contract,
    ContractLine,
    NormCost,
    Parameter,
    Provider,
    ProviderSuspension,
    WorkerQualification,
)
from vouchers.models import (
    Absence,
    Certificate,
    CertificateSuspension,
    FeeAssessment,
    PlanLine,
    Recipient,
    RecipientResidence,
    Redemption,
)

Learn = Callable[[random.Random, datetime], object]


def _day(chance: random.Random) -> date:
    return date(2025, 10, 1) + timedelta(days=chance.randrange(120))


def _end(model: Any, column: str = "valid_to", first: str = "valid_from") -> Learn:
    """One row ends on another day, or is known to have no end."""

    def learn(chance: random.Random, at: datetime) -> None:
        rows = list(model.objects.order_by("pk"))
        if rows:
            row = chance.choice(rows)
            start = getattr(row, first) or date(2025, 1, 1)
            row.change(at=at, **{column: max(_day(chance), start + timedelta(days=1))})

    return learn


def _death(chance: random.Random, at: datetime) -> None:
    living = list(Recipient.objects.filter(death_date=None).order_by("pk"))
    if living:
        Recipient.objects.filter(pk=chance.choice(living).pk).update(death_date=_day(chance), death_recorded_at=at)


def _stay(chance: random.Random, at: datetime) -> None:
    recipient = chance.choice(list(Recipient.objects.order_by("pk")))
    kind, first = chance.choice(["hospital", "residential", "away"]), _day(chance)
    last = first + timedelta(days=chance.randrange(2, 30))
    Absence.objects.get_or_create(
        recipient=recipient, kind=kind, from_date=first, defaults={"to_date": last, "recorded_at": at}
    )


def _forgotten_stay(chance: random.Random, at: datetime) -> None:
    """It never was."""
    rows = list(Absence.objects.order_by("pk"))
    if rows:
        chance.choice(rows).withdraw(at=at)


def _undone_visit(chance: random.Random, at: datetime) -> None:
    rows = list(Redemption.objects.filter(status="confirmed").order_by("pk"))
    for row in chance.sample(rows, k=min(3, len(rows))):
        row.move_to("reversed", at=at)


def _lower(model: Any, column: str) -> Learn:
    def learn(chance: random.Random, at: datetime) -> None:
        rows = list(model.objects.exclude(**{column: None}).order_by("pk"))
        if rows:
            row = chance.choice(rows)
            value = getattr(row, column)
            changed = getattr(value, "amount", value) * Decimal(chance.choice(["0.5", "0.75", "1.5"]))
            row.change(at=at, **{column: max(changed.quantize(Decimal("0.01")), Decimal("0.01"))})

    return learn


def _norm(chance: random.Random, at: datetime) -> None:
    row = chance.choice(list(NormCost.objects.order_by("pk")))
    row.change(at=at, unit_rate=(row.unit_rate * Decimal("0.9")).quantize(Decimal("0.0001")))


def _withdrawn_norm(chance: random.Random, at: datetime) -> None:
    rows = list(NormCost.objects.filter(status="approved").order_by("pk"))
    if len(rows) > 1:
        chance.choice(rows).move_to("withdrawn", at=at)


def _terminated(chance: random.Random, at: datetime) -> None:
    rows = list(Contract.objects.filter(status="active").order_by("pk"))
    if len(rows) > 1:
        chance.choice(rows).move_to("terminated", at=at)


def _cancelled(chance: random.Random, at: datetime) -> None:
    rows = list(Certificate.objects.filter(status="active").order_by("pk"))
    if rows:
        chance.choice(rows).move_to("cancelled", at=at, status_from=_day(chance))


def _suspended(chance: random.Random, at: datetime) -> None:
    provider, first = chance.choice(list(Provider.objects.order_by("pk"))), _day(chance)
    ProviderSuspension.objects.get_or_create(
        provider=provider, from_date=first, defaults={"to_date": first + timedelta(days=9), "recorded_at": at}
    )


def _rest(chance: random.Random, at: datetime) -> None:
    certificate, first = chance.choice(list(Certificate.objects.order_by("pk"))), _day(chance)
    CertificateSuspension.objects.get_or_create(
        certificate=certificate, from_date=first, defaults={"to_date": first + timedelta(days=9), "recorded_at": at}
    )


def _amendment(chance: random.Random, at: datetime) -> None:
    line = chance.choice(list(ContractLine.objects.select_related("contract").order_by("pk")))
    first = max(_day(chance), line.contract.valid_from)
    ContractLine.objects.get_or_create(
        contract=line.contract, service=line.service, valid_from=first,
        defaults={"unit_rate": line.unit_rate * Decimal("0.8"), "recorded_at": at},
    )  # fmt: skip


def _hours(chance: random.Random, at: datetime) -> None:
    row = Parameter.objects.filter(key="worker.hours_per_day_max", organisation__isnull=False).order_by("pk").first()
    if row is not None:
        row.change(at=at, value=str(chance.choice([3, 5, 8])))


def _mode(chance: random.Random, at: datetime) -> None:
    rows = list(FeeAssessment.objects.order_by("pk"))
    if rows:
        chance.choice(rows).change(at=at, mode=chance.choice("FC"), monthly_limit=None)


def _class(chance: random.Random, at: datetime) -> None:
    chance.choice(list(RecipientResidence.objects.order_by("pk"))).change(at=at, recipient_class=chance.choice("AB"))


LEARNING: tuple[Learn, ...] = (
    _death, _stay, _forgotten_stay, _undone_visit, _norm, _withdrawn_norm, _terminated, _cancelled, _suspended, _rest,
    _amendment, _hours, _mode, _class,
    _lower(FeeAssessment, "monthly_limit"), _lower(PlanLine, "units_per_month"), _lower(ContractLine, "unit_rate"),
    _lower(Contract, "ceiling"),
    _end(WorkerQualification), _end(PlanLine), _end(Certificate), _end(Contract), _end(NormCost),
    _end(Provider, "active_to", "active_from"), _end(ProviderSuspension, "to_date", "from_date"),
    _end(CertificateSuspension, "to_date", "from_date"), _end(Absence, "to_date", "from_date"),
)  # fmt: skip


def learn_something(chance: random.Random, at: datetime, *, times: int = 8) -> None:
    """Some facts become known, one after another; what the database refuses is not learnt."""
    for place, learn in enumerate(chance.sample(LEARNING, k=times)):
        try:
            with transaction.atomic():
                learn(chance, at + timedelta(seconds=place))
        except IntegrityError:
            continue
