"""A provider's approved price list from a spreadsheet: read whole or not at all, every wrong cell with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _

from config.accounts.access import requires
from config.errors import DomainError
from config.form_fields import RowField, SizedFileField, day_field, rate_field
from config.money import read_number
from contracts.actions.catalogue import PricedAction, approve_tariff_set
from contracts.models import Provider
from contracts.views.pages import access_of, submitted
from vouchers.gateways.spreadsheet import SheetRow, UnreadableSheet, read_sheet

# What people write above the columns, in three languages.
COLUMNS = {
    "name": ("name", "назва", "послуга", "наименование", "услуга"),
    "price": ("price", "ціна", "цена", "тариф"),
    "minutes": ("minutes", "хвилин", "хвилини", "минут", "минуты"),
}
ROWS_MAX, MINUTES_MAX, PRICE_MAX, NAME_MAX = 2000, 32_767, Decimal("999999999.99"), 255
SHOWN_CELLS = 100
HUNDREDTHS = 100


@dataclass(frozen=True)
class BadCell:
    """A cell that cannot be taken; ``row`` counts as the spreadsheet does."""

    row: int
    column: str
    value: str
    reason: Any


class PriceListRefused(DomainError):
    """Nothing of the file was taken."""

    code = "PRICE_LIST_REFUSED"
    message = _("The price list was not taken: %(count)s cells are wrong. Correct them and send the file again.")

    def __init__(self, bad: list[BadCell]) -> None:
        self.bad = bad
        super().__init__(count=len(bad))


class PriceListForm(forms.Form):
    """Whose prices, by which decision, from which day, and the file."""

    provider = RowField(label=_("Provider"), queryset=Provider.objects.none())
    code = forms.CharField(label=_("Short code of the price list"), max_length=64)
    title = forms.CharField(label=_("Name of the price list"), max_length=255)
    basis = forms.CharField(label=_("Decision that approves it"), max_length=300)
    basis_date = day_field(_("Date of the decision"))
    valid_from = day_field(_("In force from"))
    hour_rate = rate_field(_("Price of an hour, if prices go by time"), required=False)
    file = SizedFileField(
        label=_("File (XLSX or CSV)"), help_text=_("Columns: name, price; minutes where the price goes by time.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        providers = Provider.objects.filter(admitted_at__isnull=False).order_by("name")
        self.fields["provider"].queryset = providers  # type: ignore[attr-defined]


@requires("catalogue.edit")
def price_list_new(request: HttpRequest) -> HttpResponse:
    """Take an approved price list over; the recomputed price stands beside each one that goes by time."""
    access = access_of(request)
    form = PriceListForm(request.POST or None, request.FILES or None)

    def call() -> Any:
        data = dict(form.cleaned_data)
        file = data.pop("file")
        return approve_tariff_set(
            organisation=access.office(),
            rows=read_price_list(name=file.name, content=file.read()),
            currency=access.office().currency,
            actor=access.actor,
            at=access.now(),
            **data,
        )

    made, refusal = submitted(request, form, call)
    if made is not None:
        return redirect("contracts:tariff_set", made.pk)
    bad = refusal.bad if isinstance(refusal, PriceListRefused) else []
    context = {"form": form, "refusal": refusal, "bad": bad[:SHOWN_CELLS], "bad_count": len(bad)}
    return render(request, "contracts/price_list_new.html", context, status=409 if refusal else 200)


def read_price_list(*, name: str, content: bytes) -> list[PricedAction]:
    """Rows of a price list. Raises: PriceListRefused with every wrong cell."""
    try:
        header, rows = read_sheet(name=name, content=content)
        columns = _columns(header)
        missing = [column for column in ("name", "price") if column not in columns]
        read = [] if missing else [_row(row, columns) for row in rows]
    except UnreadableSheet as error:
        raise PriceListRefused(
            [BadCell(0, "", "", _("The file is neither a workbook nor a table of text."))]
        ) from error
    if missing:
        raise PriceListRefused([BadCell(1, column, "", _("The header lacks this column.")) for column in missing])
    bad = [cell for _priced, cells in read for cell in cells]
    if not 0 < len(read) <= ROWS_MAX:
        bad.append(BadCell(0, "", str(len(read)), _("A price list has at least one row and at most 2000.")))
    if bad:
        raise PriceListRefused(bad)
    return [priced for priced, _cells in read if priced is not None]


def _columns(header: list[str]) -> dict[str, str]:
    """Our name of each column that the file has -> its own heading."""
    return {ours: name for ours, names in COLUMNS.items() for name in header if name in names}


def _row(row: SheetRow, columns: dict[str, str]) -> tuple[PricedAction | None, list[BadCell]]:
    cells = {ours: row.values.get(name, "") for ours, name in columns.items()}
    bad = list(_wrong(row.number, cells))
    if bad:
        return None, bad
    minutes = int(read_number(cells["minutes"])) if cells.get("minutes") else None
    return PricedAction(cells["name"], read_number(cells["price"]), minutes), []


def _wrong(number: int, cells: dict[str, str]) -> Iterator[BadCell]:
    if not cells["name"] or len(cells["name"]) > NAME_MAX:
        yield BadCell(number, "name", cells["name"][:60], _("A name has 1 to 255 characters."))
    price = _number(cells["price"])
    if price is None or not 0 <= price <= PRICE_MAX or price * HUNDREDTHS != int(price * HUNDREDTHS):
        yield BadCell(number, "price", cells["price"], _("This is no price with at most two places."))
    minutes = _number(cells["minutes"]) if cells.get("minutes") else Decimal(1)
    if minutes is None or not 0 < minutes <= MINUTES_MAX or minutes != int(minutes):
        yield BadCell(number, "minutes", cells["minutes"], _("This is no whole number of minutes."))


def _number(text: str) -> Decimal | None:
    try:
        return read_number(text)
    except (ValueError, ArithmeticError):
        return None
