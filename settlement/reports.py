"""Finance reports: each a table, shown on a page, as a spreadsheet and as a PDF, with charts of the same figures.

Money: hryvnias (or the organisation's currency) with two places; a price of a unit is the allowed cost divided by the
allowed units, rounded once, half up, to four places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from config.accounts.models import Organisation
from config.money import from_minor, from_units, percent_shares, round_half_up
from config.templatetags.charts import BARS, LINES, STACKED, Chart, Series
from config.templatetags.show import minor
from config.templatetags.show import units as written_units
from contracts.models import Service
from settlement.book_queries import event_title
from settlement.printed_tables import Cell, Column, PrintedTable, Section
from settlement.report_queries import Allowed, BudgetMonth, allowed, budget_months, in_ledger, services_of

# The norm of a sum: units in thousandths x rate in ten-thousandths, here in minor units.
_NORM_SCALE = Decimal(100_000)
_RATE_PLACES = 4


@dataclass(frozen=True)
class Kind:
    """A report that can be asked for: what it is called, what it says, how it is made."""

    title: Any
    lead: Any
    make: Callable[[Organisation, list[date]], PrintedTable]


def _report(
    organisation: Organisation,
    kind: str,
    months: list[date],
    columns: Sequence[Column],
    sections: Sequence[Section],
    charts: list[Chart],
    notes: Sequence[str] = (),
) -> PrintedTable:
    title = KINDS[kind].title
    return PrintedTable(
        title=title,
        author=organisation.name,
        facts=[(_("Municipality"), organisation.name), (_("Months"), f"{months[0]:%m.%Y} – {months[-1]:%m.%Y}")],
        caption=title,
        columns=columns,
        sections=[section for section in sections if section.rows],
        signers=(),
        language=get_language() or "uk",
        currency=organisation.currency,
        notes=notes,
        charts=[chart for chart in charts if chart.series],
    )


def _to_the_ledger(organisation: Organisation, months: list[date], rows: Iterable[Allowed]) -> list[str]:
    """What a report of allowed cost counts, and each figure between its total and the cost in the ledger."""
    total, ledger = sum(row.gross for row in rows), in_ledger(organisation, months[0], months[-1])
    beside = [(event_title(event), cost) for event, cost in ledger.beside]
    parts = [(_("refunded by other municipalities"), -ledger.refunded), *beside]
    parts.append((_("not explained"), ledger.claims + ledger.refunded - total))
    counts = _("Cost is what runs of these months allowed, with the fees of recipients and what other municipalities "
               "refund. Decisions on money asked back and clearing are in no run.")  # fmt: skip
    told = {
        "cost": _money(total, organisation),
        "parts": "".join(f"; {name}: {_signed(sum_, organisation)}" for name, sum_ in parts if sum_),
        "ledger": _money(ledger.total, organisation),
    }
    way = _("From this report to the ledger: cost %(cost)s%(parts)s; cost in the ledger for the same months: "
            "%(ledger)s. Runs count for their month, other entries for their day.")  # fmt: skip
    return [counts, way % told] if total or ledger.total else []


def _money(amount_minor: int, organisation: Organisation) -> str:
    return str(minor(amount_minor, organisation.currency))


def _signed(amount_minor: int, organisation: Organisation) -> str:
    return f"{'+' if amount_minor > 0 else '−'}{_money(abs(amount_minor), organisation)}"


def _named(month: date) -> str:
    return f"{month:%m.%Y}"


# --- Execution of the budget ---------------------------------------------------------------------


def _execution(organisation: Organisation, months: list[date]) -> PrintedTable:
    rows = budget_months(organisation, months)
    by_line: dict[int, list[BudgetMonth]] = {}
    for row in rows:
        by_line.setdefault(row.line.pk, []).append(row)
    columns = [
        Column(_("Month")),
        Column(_("Appropriation"), "amount"),
        Column(_("Spent in the month"), "amount"),
        Column(_("Spent since the year began"), "amount"),
        Column(_("Reserved for certificates"), "amount"),
        Column(_("Committed to grants"), "amount"),
        Column(_("Free"), "amount"),
    ]
    sections = [Section([_execution_row(row) for row in found], _line_name(found[0])) for found in by_line.values()]
    charts = [_execution_chart(found) for found in by_line.values()]
    notes = [_("Figures stand at the end of each month; costs count on the day on which they were judged.")]
    return _report(organisation, "execution", months, columns, sections, charts, notes)


def _line_name(row: BudgetMonth) -> str:
    return f"{row.line.code} {row.line.year}: {row.line.name}" if row.line.name else f"{row.line.code} {row.line.year}"


def _execution_row(row: BudgetMonth) -> tuple[Cell, ...]:
    sums = (row.appropriation, row.month_spent, row.spending, row.reservation, row.commitment, row.free)
    return (_named(row.month), *map(from_minor, sums))


def _execution_chart(rows: list[BudgetMonth]) -> Chart:
    parts = (
        (_("Spent"), "spending"),
        (_("Reserved for certificates"), "reservation"),
        (_("Committed to grants"), "commitment"),
    )
    series = [Series(name, [from_minor(getattr(row, field)) for row in rows]) for name, field in parts]
    used = [found for found in series if any(found.values)]
    limit = Series(_("Appropriation"), [from_minor(row.appropriation) for row in rows])
    return Chart(STACKED, _line_name(rows[0]), [_named(row.month) for row in rows], used, [limit])


# --- Cost against norm ---------------------------------------------------------------------------


def _against_norm(organisation: Organisation, months: list[date]) -> PrintedTable:
    rows = allowed(organisation, months[0], months[-1])
    services = services_of(organisation, rows)
    pairs: dict[tuple[str, int], list[Allowed]] = {}
    for row in rows:
        pairs.setdefault((row.provider, row.service), []).append(row)
    columns = [
        Column(_("Provider")),
        Column(_("Service")),
        Column(_("Units"), "units"),
        Column(_("Cost"), "amount", summed=True),
        Column(_("Price of a unit"), "rate"),
        Column(_("Norm of a unit"), "rate"),
        Column(_("Cost by the norm"), "amount", summed=True),
        Column(_("Below the norm (above: minus)"), "amount", summed=True),
    ]
    order = list(services)
    keys = sorted(pairs, key=lambda key: (key[0], order.index(key[1])))
    table = [_norm_row(provider, services[service], pairs[provider, service]) for provider, service in keys]
    notes = [
        _("The norm is that of the day and place of each service; without an approved norm nothing is compared."),
        *_to_the_ledger(organisation, months, rows),
    ]
    return _report(organisation, "norms", months, columns, [Section(table)], [_norm_chart(rows)], notes)


def _norm_row(provider: str, service: Service, rows: list[Allowed]) -> tuple[Cell, ...]:
    units, gross = sum(row.units for row in rows), sum(row.gross for row in rows)
    normed, norm = sum(row.normed for row in rows), _norm_of(rows)
    saved = norm - from_minor(sum(row.normed_gross for row in rows))
    compared = (_rate(norm, normed), norm, saved) if normed else (None, None, None)
    return (provider, service.name, from_units(units), from_minor(gross), _rate(from_minor(gross), units), *compared)


def _norm_of(rows: Iterable[Allowed]) -> Decimal:
    """What the norms give, rounded once."""
    return from_minor(int(round_half_up(Decimal(sum(row.norm for row in rows)) / _NORM_SCALE, 0)))


def _rate(cost: Decimal, units_milli: int) -> Decimal | None:
    return round_half_up(cost / from_units(units_milli), _RATE_PLACES) if units_milli else None


def _norm_chart(rows: list[Allowed]) -> Chart:
    normed = [row for row in rows if row.normed]
    names = list(dict.fromkeys(sorted(row.provider for row in normed)))
    of = {name: [row for row in normed if row.provider == name] for name in names}
    cost = [from_minor(sum(row.normed_gross for row in of[name])) for name in names]
    series = [Series(_("Cost"), cost), Series(_("Cost by the norm"), [_norm_of(of[name]) for name in names])]
    return Chart(BARS, _("Cost against norm per provider"), names, series if names else [])


# --- Prices of units -----------------------------------------------------------------------------


def _unit_costs(organisation: Organisation, months: list[date]) -> PrintedTable:
    rows = allowed(organisation, months[0], months[-1])
    services = services_of(organisation, rows)
    cells = {
        (service, month): [row for row in rows if (row.service, row.month) == (service, month)]
        for service in services
        for month in months
    }
    columns = [
        Column(_("Month")),
        Column(_("Units"), "units"),
        Column(_("Cost"), "amount", summed=True),
        Column(_("Price of a unit"), "rate"),
        Column(_("Norm of a unit"), "rate"),
    ]
    sections, charts = [], []
    for key, service in services.items():
        found = {month: cells[key, month] for month in months if cells[key, month]}
        sections.append(Section([_price_row(month, of) for month, of in found.items()], _with_unit(service)))
        charts.append(_price_chart(service, months, found))
    notes = _to_the_ledger(organisation, months, rows)
    return _report(organisation, "prices", months, columns, sections, charts, notes)


def _with_unit(service: Service) -> str:
    return f"{service.name} ({service.get_unit_display()})"


def _prices(rows: list[Allowed]) -> tuple[Decimal | None, Decimal | None]:
    """Price and norm of a unit."""
    price = _rate(from_minor(sum(row.gross for row in rows)), sum(row.units for row in rows))
    return price, _rate(_norm_of(rows), sum(row.normed for row in rows))


def _price_row(month: date, rows: list[Allowed]) -> tuple[Cell, ...]:
    sums = from_units(sum(row.units for row in rows)), from_minor(sum(row.gross for row in rows))
    return (_named(month), *sums, *_prices(rows))


def _price_chart(service: Service, months: list[date], found: dict[date, list[Allowed]]) -> Chart:
    points = [_prices(found[month]) if month in found else (None, None) for month in months]
    norm = [Series(_("Norm of a unit"), [norm for _price, norm in points])]
    price = Series(_("Price of a unit"), [price for price, _norm in points])
    limits = norm if any(norm[0].values) else []
    return Chart(LINES, _with_unit(service), [_named(month) for month in months], [price], limits)


# --- Home and community care against institutions ------------------------------------------------

HOME, COMMUNITY, INSTITUTIONS, OTHER = "home", "semi_residential", "residential", "other"
FORMS = {
    HOME: gettext_lazy("At home"),
    COMMUNITY: gettext_lazy("In the community"),
    INSTITUTIONS: gettext_lazy("In institutions"),
    OTHER: gettext_lazy("Remote and other"),
}


def _places(organisation: Organisation, months: list[date]) -> PrintedTable:
    rows = allowed(organisation, months[0], months[-1])
    sums = {month: [_of_form(rows, month, form) for form in FORMS] for month in months}
    settled = {month: parts for month, parts in sums.items() if any(parts)}
    columns = [Column(_("Month"))]
    for name in FORMS.values():
        columns += [Column(name, "amount", summed=True), Column(_("%(name)s, %%") % {"name": name}, "units")]
    table = [_share_row(_named(month), parts) for month, parts in settled.items()]
    total = [sum(column) for column in zip(*settled.values(), strict=True)]
    notes = [_shares_in_words(total)] if any(total) else []
    notes += _to_the_ledger(organisation, months, rows)
    labels = [_named(month) for month in settled]
    series = [
        Series(str(name), [_shares(parts)[place] for parts in settled.values()])
        for place, name in enumerate(FORMS.values())
    ]
    used = [found for found in series if any(found.values)]
    chart = Chart(STACKED, _("Shares of the cost by place of care"), labels, used, unit="%")
    return _report(organisation, "places", months, columns, [Section(table)], [chart], notes)


def _of_form(rows: list[Allowed], month: date, form: str) -> int:
    named = (HOME, COMMUNITY, INSTITUTIONS)
    return sum(r.gross for r in rows if r.month == month and (r.form if r.form in named else OTHER) == form)


def _share_row(name: str, parts: Sequence[int]) -> tuple[Cell, ...]:
    shares = _shares(parts)
    return (name, *(cell for part, share in zip(parts, shares, strict=True) for cell in (from_minor(part), share)))


def _shares(parts: Sequence[int]) -> list[Decimal]:
    """Percent with two places, 100.00 together; sums that came out negative have no share."""
    positive = [Decimal(max(part, 0)) for part in parts]
    return percent_shares(positive) if any(positive) else [Decimal(0) for _part in parts]


def _shares_in_words(total: Sequence[int]) -> str:
    home, community, institutions, _other = _shares(total)
    told = {"open": written_units(home + community), "closed": written_units(institutions)}
    return _("In all months together %(open)s %% went to care at home and in the community, %(closed)s %% to "
             "institutions.") % told  # fmt: skip


KINDS: dict[str, Kind] = {
    "execution": Kind(
        gettext_lazy("Execution of the budget by months"),
        gettext_lazy("What each budget line had at the end of each month: spent, reserved, committed and free."),
        _execution,
    ),
    "norms": Kind(
        gettext_lazy("Cost against norm"),
        gettext_lazy("What providers were allowed, beside what the approved norm costs give for the same services."),
        _against_norm,
    ),
    "prices": Kind(
        gettext_lazy("Price of a unit by months"),
        gettext_lazy("What an hour, a day or a trip of each service has cost, beside its norm."),
        _unit_costs,
    ),
    "places": Kind(
        gettext_lazy("Care at home and in institutions"),
        gettext_lazy("How the money is shared between care at home, care in the community and institutions."),
        _places,
    ),
}
