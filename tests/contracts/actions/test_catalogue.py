"""Catalogue and price lists."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from contracts.actions import catalogue
from contracts.actions.catalogue import PricedAction
from tests.golden_rows import case_file, checked
from tests.road import Road

pytestmark = pytest.mark.django_db


def approve(road: Road, rows: list[PricedAction]) -> object:
    return catalogue.approve_tariff_set(
        organisation=road.organisation,
        provider=road.provider("A"),
        code="home-2025",
        title="Тарифи догляду вдома",
        basis="рішення виконкому",
        basis_date=date(2025, 3, 20),
        rows=rows,
        valid_from=date(2025, 4, 1),
        hour_rate=Decimal("107.97"),
        actor=road.actor("bohdan"),
        at=road.at,
    )


def test_published_price_stays_beside_the_computed_one(road: Road) -> None:
    rows = [PricedAction("Прибирання", Decimal("40.00"), 22), PricedAction("Разова", Decimal("5.00"))]
    items = list(approve(road, rows).items.order_by("position"))  # type: ignore[attr-defined]
    assert [item.published.amount for item in items] == [40, 5]
    assert [item.computed and item.computed.amount for item in items] == [Decimal("39.59"), None]


def test_published_tariffs_of_vinnytsia(road: Road) -> None:
    rows = [
        PricedAction(item["service"], Decimal(item["published"]), item["minutes_derived"])
        for item in checked(case_file("ua-vinnytsia-2025-home-tariffs")["items"])
    ]
    items = approve(road, rows).items.all()  # type: ignore[attr-defined]
    assert all(item.published == item.computed for item in items)


def test_repeated_code_is_refused(road: Road) -> None:
    approve(road, [])
    with pytest.raises(catalogue.CodeTaken):
        approve(road, [])


def test_prices_of_one_service_never_overlap(road: Road) -> None:
    def publish(valid_from: date, valid_to: date | None) -> object:
        return catalogue.publish_tariff(
            organisation=road.organisation,
            provider=road.provider("A"),
            service=road.service,
            unit_rate=Decimal("85.00"),
            valid_from=valid_from,
            valid_to=valid_to,
            basis="рішення",
            actor=road.actor("bohdan"),
            at=road.at,
        )

    publish(date(2025, 1, 1), date(2025, 4, 1))
    publish(date(2025, 4, 1), None)
    for valid_from, valid_to in ((date(2025, 3, 31), date(2025, 4, 1)), (date(2025, 1, 1), None)):
        with pytest.raises(catalogue.TariffOverlap):
            publish(valid_from, valid_to)


def test_a_later_price_ends_the_open_one_the_day_before(road: Road) -> None:
    common = {"organisation": road.organisation, "provider": road.provider("A"), "service": road.service}
    who = {"actor": road.actor("bohdan"), "at": road.at}
    for rate, start in (("85.00", date(2025, 4, 1)), ("90.00", date(2025, 12, 1))):
        catalogue.publish_tariff(**common, unit_rate=Decimal(rate), valid_from=start, basis="рішення", **who)
    rows = road.provider("A").tariffs.order_by("valid_from").values_list("unit_rate", "valid_to")
    assert list(rows) == [(Decimal(85), date(2025, 12, 1)), (Decimal(90), None)]


def test_territory_code_is_used_once(road: Road) -> None:
    def add() -> object:
        return catalogue.add_territory(
            organisation=road.organisation,
            code="center",
            title="Центр",
            kind="urban",
            actor=road.actor("bohdan"),
            at=road.at,
        )

    add()
    with pytest.raises(catalogue.CodeTaken):
        add()
