"""A price list from a spreadsheet: taken whole, or refused with every wrong cell."""

from __future__ import annotations

import io
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from openpyxl import Workbook

from config.accounts.models import Organisation, User
from config.pages.price_lists import PriceListRefused, read_price_list
from contracts.models import TariffSet
from tests.road import Road, sign_in

GOOD = "Назва;Ціна;Хвилини\nПриготування їжі;151,16;84\nПокупка ліків;1 020,5;\n"
BAD = "name,price,minutes\n,10.00,5\nЧитання,десять,5\nПрання,10.001,0\nПрасування,-1,2.5\n"


def test_columns_are_known_in_three_languages_and_numbers_as_people_write_them() -> None:
    rows = read_price_list(name="ціни.csv", content=GOOD.encode("cp1251"))
    assert [(row.title, row.published, row.minutes) for row in rows] == [
        ("Приготування їжі", Decimal("151.16"), 84),
        ("Покупка ліків", Decimal("1020.50"), None),
    ]


def test_a_workbook_is_read_like_a_table() -> None:
    book, stream = Workbook(), io.BytesIO()
    for row in (["Услуга", "Тариф", "Минут"], ["Уборка", 99.5, 30]):
        book.active.append(row)  # type: ignore[union-attr]
    book.save(stream)
    (row,) = read_price_list(name="x.xlsx", content=stream.getvalue())
    assert (row.title, row.published, row.minutes) == ("Уборка", Decimal("99.5"), 30)


@pytest.mark.parametrize(
    ("content", "cells"),
    [
        (BAD.encode(), [(2, "name"), (3, "price"), (4, "price"), (4, "minutes"), (5, "price"), (5, "minutes")]),
        ("Назва\nЧитання\n".encode(), [(1, "price")]),
        (b"name;price\n", [(0, "")]),
        (b"PK\x03\x04broken", [(0, "")]),
    ],
)
def test_every_wrong_cell_is_told(content: bytes, cells: list[tuple[int, str]]) -> None:
    with pytest.raises(PriceListRefused) as refused:
        read_price_list(name="x.csv", content=content)
    assert [(cell.row, cell.column) for cell in refused.value.bad] == cells
    assert all(str(cell.reason) for cell in refused.value.bad)


@pytest.mark.django_db
def test_the_office_takes_a_price_list_over(client: Client, organisation: Organisation, cast: dict[str, User]) -> None:
    road = Road(organisation, cast)
    url = reverse("price_list_new")
    values = {
        "provider": road.provider("A").pk, "code": "A-2025", "title": "Ціни 2025", "basis": "рішення 5",
        "basis_date": "2025-01-15", "valid_from": "2025-02-01", "hour_rate": "107,97",
    }  # fmt: skip

    def send(username: str, text: str) -> object:
        file = SimpleUploadedFile("ціни.csv", text.encode())
        return sign_in(client, cast[username]).post(url, values | {"file": file})

    assert send("halyna", GOOD).status_code == 403  # type: ignore[attr-defined]
    refused = send("bohdan", BAD)
    assert refused.status_code == 409 and "десять" in refused.content.decode()  # type: ignore[attr-defined]
    assert not TariffSet.objects.exists()
    send("bohdan", GOOD)
    items = TariffSet.objects.get().items.order_by("position")
    assert [(item.published.amount, item.computed and item.computed.amount) for item in items] == [
        (Decimal("151.16"), Decimal("151.16")),
        (Decimal("1020.50"), None),
    ]
    assert send("bohdan", GOOD).status_code == 409  # type: ignore[attr-defined]
    assert url in client.get(reverse("contracts:tariff_sets")).content.decode()
