"""Territories, services of the organisation and published prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, nothing_to_record, record
from config.errors import DomainError
from config.locks import lock_rows
from contracts.currency import money
from contracts.models import Provider, Service, Tariff, TariffSet, TariffSetItem, Territory
from contracts.queries import service_in_use
from contracts.rules.tariffs import TariffRounding, price_by_time


class CodeTaken(DomainError):
    """A code is used once per organisation."""

    code = "CODE_TAKEN"
    message = _("The code «%(key)s» is already used. Choose another one.")


class ServiceInUse(DomainError):
    """Decisions rest on how the service is counted."""

    code = "SERVICE_IN_USE"
    message = _(
        "«%(service)s» is used already, so its unit and limits stay: months that were judged would come out otherwise. "
        "Names may change. For other limits enter a new service."
    )


class TariffOverlap(DomainError):
    """Two prices of one provider, service and payer kind would hold on the same day."""

    code = "TARIFF_OVERLAP"
    message = _("Another price of this service is on record for these days. Choose other days.")


@dataclass(frozen=True)
class PricedAction:
    """One row of a tariff decision as published; ``minutes`` when the price goes by time."""

    title: str
    published: Decimal
    minutes: int | None = None


@action
def add_territory(
    *,
    organisation: Organisation,
    code: str,
    title: str,
    kind: str,
    actor: Actor,
    at: datetime,
    parent: Territory | None = None,
) -> Territory:
    """Add a part of the municipality. Raises: CodeTaken. Audit: territory.added."""
    with _once(code):
        territory = Territory.objects.create(organisation=organisation, code=code, name=title, kind=kind, parent=parent)
    record("territory.added", territory, actor=actor, at=at, code=code, kind=kind)
    return territory


@action
def add_service(
    *, organisation: Organisation, code: str, values: Mapping[str, Any], actor: Actor, at: datetime
) -> Service:
    """Add a service to the catalogue; ``values`` are its columns. Raises: CodeTaken. Audit: service.added."""
    with _once(code):
        service = Service.objects.create(organisation=organisation, code=code, **values)
    record("service.added", service, actor=actor, at=at, code=code)
    return service


# Words for people; everything else of a service decides what is owed and has no second time.
NAMES = frozenset({"name_uk", "name_ru", "name_en"})


@action
def change_service(*, service: Service, values: Mapping[str, Any], actor: Actor, at: datetime) -> Service:
    """Change columns of a service: names always, what counts only while nothing rests on the service.

    Raises: ServiceInUse. Locks: the service, against rows that begin to refer to it. Audit: service.changed.
    """
    service = lock_rows(Service.objects.filter(pk=service.pk).select_related("organisation"))[0]
    changed = {name: value for name, value in values.items() if getattr(service, name) != value}
    if not changed:
        nothing_to_record()
        return service
    if changed.keys() - NAMES and service_in_use(service):
        raise ServiceInUse(service=service)
    for name, value in changed.items():
        setattr(service, name, value)
    service.save(update_fields=list(changed))
    record("service.changed", service, actor=actor, at=at, code=service.code, changed=sorted(changed))
    return service


@action
def approve_tariff_set(
    *,
    organisation: Organisation,
    provider: Provider,
    code: str,
    title: str,
    basis: str,
    basis_date: date,
    rows: Sequence[PricedAction],
    valid_from: date,
    actor: Actor,
    at: datetime,
    hour_rate: Decimal | None = None,
    rounding: TariffRounding | None = None,
    evidence: str = "",
    currency: str = "UAH",
) -> TariffSet:
    """Put an approved price list on record, with the recomputed price beside every published one.

    Money: published prices are data; a difference is shown and never corrected. Formula: TARIFF-TIME/1.
    Source: TAR-1 to TAR-3. Raises: CodeTaken. Audit: tariff_set.approved.
    """
    rounding = rounding or TariffRounding()
    with _once(code):
        tariff_set = TariffSet.objects.create(
            organisation=organisation,
            provider=provider,
            code=code,
            name=title,
            basis=basis,
            basis_date=basis_date,
            hour_rate=hour_rate,
            rounding_step=rounding.step,
            valid_from=valid_from,
            evidence=evidence,
        )
    items = [
        TariffSetItem(
            tariff_set=tariff_set,
            position=position,
            name=row.title,
            minutes=row.minutes,
            published=money(row.published, currency),
            computed=_computed(row, hour_rate, rounding, currency),
        )
        for position, row in enumerate(rows, 1)
    ]
    TariffSetItem.objects.bulk_create(items)
    differing = sum(item.computed is not None and item.computed != item.published for item in items)
    record(
        "tariff_set.approved",
        tariff_set,
        provider,
        actor=actor,
        at=at,
        code=code,
        rows=len(items),
        differing=differing,
    )
    return tariff_set


def _computed(row: PricedAction, hour_rate: Decimal | None, rounding: TariffRounding, currency: str) -> Any:
    if hour_rate is None or row.minutes is None:
        return None
    price = price_by_time(hour_rate=hour_rate, minutes=Decimal(row.minutes), rounding=rounding)
    return money(price, currency)


@action
def publish_tariff(
    *,
    organisation: Organisation,
    provider: Provider,
    service: Service,
    unit_rate: Decimal,
    valid_from: date,
    basis: str,
    actor: Actor,
    at: datetime,
    payer_kind: str = "person",
    valid_to: date | None = None,
) -> Tariff:
    """Publish a provider's price of a unit. Time: ``valid_to`` is the first day on which it no longer holds.

    A price without an end that began earlier holds until the day before. Source: NRM-UA-8. Raises: TariffOverlap.
    Audit: tariff.published.
    """
    earlier = Tariff.objects.filter(
        provider=provider, service=service, payer_kind=payer_kind, valid_from__lt=valid_from, valid_to=None
    )
    try:
        with transaction.atomic():
            earlier.update(valid_to=valid_from)
            tariff = Tariff.objects.create(
                provider=provider,
                service=service,
                payer_kind=payer_kind,
                unit_rate=money(unit_rate, organisation.currency),
                valid_from=valid_from,
                valid_to=valid_to,
                basis=basis,
            )
    except IntegrityError as error:
        raise TariffOverlap() from error
    record(
        "tariff.published",
        tariff,
        provider,
        service,
        actor=actor,
        at=at,
        organisation=organisation.code,
        unit_rate=unit_rate,
        valid_from=valid_from,
    )
    return tariff


class _once:
    """A savepoint in which a repeated code becomes a coded refusal."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.savepoint = transaction.atomic()

    def __enter__(self) -> None:
        self.savepoint.__enter__()

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        self.savepoint.__exit__(kind, error, traceback)
        if isinstance(error, IntegrityError):
            raise CodeTaken(key=self.key) from error
