"""Russian settlement forms as tables to sign: columns as the acts number them, totals, check sums."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.clock import local_date
from config.errors import DomainError
from contracts.models import Provider
from settlement.printed_tables import Cell, CheckSum, Column, PrintedTable, Section
from settlement.ru_form_inputs import Row
from settlement.rules import ru_forms

LANGUAGE = "ru"
# Profiles whose law has these forms; the general one may use any.
PROFILES = ("RU", "GENERIC")


class FormOfOtherLaw(DomainError):
    """A form of another country's law."""

    code = "FORM_OF_OTHER_LAW"
    message = _(
        "This form belongs to another law than that of the municipality. Take the act of services of the claim."
    )


@dataclass(frozen=True)
class Worked:
    """A row worked out: its cells after the number, and the parts that the check sums need."""

    cells: tuple[Cell, ...]
    parts: dict[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True)
class Check:
    """``terms``, numbers of columns and names of parts to be added or (first sign -) taken away, give ``result``."""

    title: Any
    terms: tuple[str, ...]
    result: str


@dataclass(frozen=True)
class RuForm:
    """A form: its name, the act that it is of, the formula, its columns and how rows are worked out."""

    title: Any
    basis: Any
    formula: str
    columns: tuple[Column, ...]
    work: Callable[[Sequence[Row]], list[Worked]]
    checks: tuple[Check, ...]
    notes: tuple[Any, ...] = ()


def _compensation(rows: Sequence[Row]) -> list[Worked]:
    return [_compensated(row) for row in rows]


def _compensated(row: Row) -> Worked:
    made = ru_forms.compensation_row(
        tariff=row["tariff"],
        volume_programme=row["programme_volume"],
        volume_actual=row["actual_volume"],
        fee_received=row["fee_received"],
        fee_due=row["fee_due"],
        limit=row["limit"],
    )
    cells = (
        *(row["service"], made.tariff, made.volume_programme, made.value_programme, made.volume_actual),
        *(made.value_actual, made.fee_received, made.fee_due, made.computed, made.to_pay),
    )
    cut = {"programme": made.computed - made.within_programme, "limit": made.within_programme - made.to_pay}
    return Worked(cells, {"fee": made.fee, **_uncovered(made.fee, made.value_actual), **cut})


def _uncovered(fee: Decimal, value: Decimal) -> dict[str, Decimal]:
    """The part of a fee above the value of its row: nothing is paid for the row, and nothing is taken back."""
    return {"uncovered": max(fee - value, ru_forms.ZERO)}


def _advance(rows: Sequence[Row]) -> list[Worked]:
    found = []
    for row in rows:
        tariff, volume, fee = row["tariff"], row["planned_volume"], row["recipient_payment"]
        made = ru_forms.advance_row(tariff=tariff, planned_volume=volume, planned_fee=fee)
        cells = (row["service"], tariff, volume, made.cost, fee, made.subsidy)
        found.append(Worked(cells, _uncovered(fee, made.cost)))
    return found


def _true_up(rows: Sequence[Row]) -> list[Worked]:
    found = []
    for row in rows:
        tariff, volume, fee, paid = row["tariff"], row["actual_volume"], row["recipient_payment"], row["paid"]
        made = ru_forms.true_up_row(paid=paid, tariff=tariff, actual_volume=volume, fee=fee)
        cells = (row["service"], tariff, volume, made.cost, fee, made.subsidy, paid, made.due)
        found.append(Worked(cells, _uncovered(fee, made.cost)))
    return found


def _order(rows: Sequence[Row]) -> list[Worked]:
    found = []
    for row in rows:
        tariff, coefficient, volume, fee = row["tariff"], row["coefficient"], row["volume"], row["fee"]
        made = ru_forms.order_row(tariff=tariff, coefficient=coefficient, volume=volume, fee=fee)
        cells = (row["service"], tariff, coefficient, made.tariff_corrected, volume, made.value, fee, made.payable)
        found.append(Worked(cells, _uncovered(fee, made.value)))
    return found


def _time(rows: Sequence[Row]) -> list[Worked]:
    """Rows of one recipient and service use up one yearly ceiling, in their order."""
    left: dict[tuple[str, str], Decimal | None] = {}
    found = []
    for row in rows:
        key = (row["recipient"], row["service"])
        ceiling = left.setdefault(key, row["year_ceiling_left"])
        made = ru_forms.time_row(
            cost=row["cost"],
            norm_minutes=row["norm_minutes"],
            actual_minutes=row["actual_minutes"],
            fee=row["fee"],
            year_ceiling_left=ceiling,
        )
        left[key] = None if ceiling is None else ceiling - made.payable
        times = (row["service"], row["cost"], row["norm_minutes"], row["actual_minutes"])
        parts = {**_uncovered(row["fee"], made.value), "ceiling": made.after_fee - made.payable}
        found.append(Worked((*times, made.value, row["fee"], ceiling, made.payable), parts))
    return found


_NUMBER, _SERVICE = Column(_("No."), "count", "1"), Column(_("Service"), number="2")


def _sum(title: Any, number: str) -> Column:
    return Column(title, "amount", number, summed=True)


FORMS: dict[str, RuForm] = {
    "compensation": RuForm(
        _("Compensation to a provider outside the state task"),
        _("Federal law 442-FZ of 28.12.2013, art. 30(8)"),
        ru_forms.COMPENSATION_FORMULA_ID,
        (
            *(_NUMBER, _SERVICE, Column(_("Tariff"), "rate", "3")),
            *(Column(_("Volume by the programme"), "units", "4"), _sum(_("Value by the programme (3 × 4)"), "5")),
            *(Column(_("Volume provided"), "units", "6"), _sum(_("Value of the provided (3 × 6)"), "7")),
            *(_sum(_("Fee received"), "8"), _sum(_("Fee due"), "8а")),
            *(_sum(_("Compensation computed (7 − fee)"), "9"), _sum(_("Compensation to pay"), "10")),
        ),
        _compensation,
        (
            Check(
                _("Column 7, less fees (the higher of 8 and 8а), plus fees above the value of a row = column 9"),
                ("7", "-fee", "uncovered"),
                "9",
            ),
            Check(
                _("Column 9, less what is above the programme, less what is above the limit = column 10"),
                ("9", "-programme", "-limit"),
                "10",
            ),
        ),
        (_("Where less was received than is due, the fee due is deducted: the budget does not pay for it."),),
    ),
    "advance": RuForm(
        _("Advance of a subsidy to a provider"),
        _("Government of Samara region, decree 463 of 18.07.2017"),
        ru_forms.ADVANCE_FORMULA_ID,
        (
            *(_NUMBER, _SERVICE, Column(_("Tariff"), "rate", "3"), Column(_("Planned volume"), "units", "4")),
            *(_sum(_("Cost (3 × 4)"), "5"), _sum(_("Planned payment of recipients"), "6")),
            _sum(_("Subsidy (5 − 6)"), "7"),
        ),
        _advance,
        (
            Check(
                _("Column 5, less column 6, plus payments above the cost of a row = column 7"),
                ("5", "-6", "uncovered"),
                "7",
            ),
        ),
    ),
    "true-up": RuForm(
        _("Subsidy trued up to the actual volume"),
        _("Government of Samara region, decree 463 of 18.07.2017"),
        ru_forms.ADVANCE_FORMULA_ID,
        (
            *(_NUMBER, _SERVICE, Column(_("Tariff"), "rate", "3"), Column(_("Volume provided"), "units", "4")),
            *(_sum(_("Cost (3 × 4)"), "5"), _sum(_("Payment of recipients"), "6"), _sum(_("Subsidy (5 − 6)"), "7")),
            *(_sum(_("Paid in advance"), "8"), _sum(_("Still due, or to be returned (−): 7 − 8"), "9")),
        ),
        _true_up,
        (
            Check(
                _("Column 5, less column 6, plus payments above the cost of a row = column 7"),
                ("5", "-6", "uncovered"),
                "7",
            ),
            Check(_("Column 7, less column 8 = column 9"), ("7", "-8"), "9"),
        ),
    ),
    "order": RuForm(
        _("Report on a social order"),
        _("Government of Adygea, decree 131/1 of 16.05.2023"),
        ru_forms.ORDER_FORMULA_ID,
        (
            *(_NUMBER, _SERVICE, Column(_("Tariff"), "rate", "3"), Column(_("Correcting coefficient"), "factor", "4")),
            *(Column(_("Corrected tariff (3 × 4)"), "rate", "5"), Column(_("Volume provided"), "units", "6")),
            *(_sum(_("Value (5 × 6)"), "7"), _sum(_("Fee of recipients"), "8"), _sum(_("To pay (7 − 8)"), "9")),
        ),
        _order,
        (
            Check(
                _("Column 7, less column 8, plus fees above the value of a row = column 9"),
                ("7", "-8", "uncovered"),
                "9",
            ),
        ),
    ),
    "time": RuForm(
        _("Settlement by the time of services"),
        _("Moscow region, docs.cntd.ru/603776418"),
        ru_forms.TIME_FORMULA_ID,
        (
            *(
                _NUMBER,
                _SERVICE,
                Column(_("Cost by the norm"), "rate", "3"),
                Column(_("Minutes of the norm"), "units", "4"),
            ),
            *(
                Column(_("Minutes spent"), "units", "5"),
                _sum(_("Value (3 ÷ 4 × 5)"), "6"),
                _sum(_("Fee of recipients"), "7"),
            ),
            *(Column(_("Left of the yearly ceiling"), "amount", "8"), _sum(_("To pay (6 − 7, not above 8)"), "9")),
        ),
        _time,
        (
            Check(
                _("Column 6, less column 7, plus fees above the value of a row, less the part above the ceiling = 9"),
                ("6", "-7", "uncovered", "-ceiling"),
                "9",
            ),
        ),
    ),
}


def ru_paper(
    form: str,
    *,
    organisation: Organisation,
    provider: Provider,
    period: date,
    rows: Sequence[Row],
    made_at: datetime,
    decided: Decimal | None = None,
    advanced: Decimal | None = None,
) -> PrintedTable:
    """A form over rows, those of one recipient together. ``decided``: what the decisions on the visits allow to pay;
    ``advanced``: what is paid in advance by the books, if anything.

    Money: RUB or the organisation's currency, 2 places. Raises: FormOfOtherLaw.
    """
    if organisation.jurisdiction not in PROFILES:
        raise FormOfOtherLaw()
    kind = FORMS[form]
    worked = kind.work(rows)
    with override(LANGUAGE):
        return PrintedTable(
            title=str(kind.title),
            author=_named(provider),
            facts=_facts(kind, organisation, provider, period, made_at),
            caption=_("Calculation"),
            columns=kind.columns,
            sections=_sections(rows, worked),
            checks=[*_checks(kind, worked, decided), *_advanced(form, kind, worked, advanced)],
            notes=kind.notes,
            signers=[_("Head of the provider"), _("Chief accountant of the provider"), _("Buyer")],
            language=LANGUAGE,
            currency=organisation.currency,
        )


def total_of(table: PrintedTable) -> Decimal:
    """What the form comes to: the total of its last column."""
    return sum((row[-1] for row in table.rows if isinstance(row[-1], Decimal)), ru_forms.ZERO)


def _facts(
    kind: RuForm, organisation: Organisation, provider: Provider, period: date, made_at: datetime
) -> list[tuple[Any, str]]:
    return [
        (_("Provider"), _named(provider)),
        (_("Buyer"), _named(organisation)),
        (_("Month of the services"), f"{period:%m.%Y}"),
        (_("Form"), str(kind.basis)),
        (_("Formula"), kind.formula),
        (_("Date"), f"{local_date(made_at, organisation.zone):%d.%m.%Y}"),
    ]


def _named(party: Any) -> str:
    return ", ".join(filter(None, (party.name, party.registration_code)))


def _sections(rows: Sequence[Row], worked: Iterable[Worked]) -> list[Section]:
    """Rows by recipient in the order of their first row, numbered through."""
    found: dict[str, list[tuple[Cell, ...]]] = {}
    for row, made in zip(rows, worked, strict=True):
        found.setdefault(row["recipient"], []).append(made.cells)
    number = count(1)
    return [
        Section(
            [(next(number), *cells) for cells in group], gettext("Recipient %(code)s") % {"code": code} if code else ""
        )
        for code, group in found.items()
    ]


def _checks(kind: RuForm, worked: Sequence[Worked], decided: Decimal | None) -> list[CheckSum]:
    sums: dict[str, Decimal] = {}
    for place, column in enumerate(kind.columns[1:]):
        cells = (made.cells[place] for made in worked)
        sums[column.number] = sum((cell for cell in cells if isinstance(cell, Decimal)), ru_forms.ZERO)
    for made in worked:
        for name, part in made.parts.items():
            sums[name] = sums.get(name, ru_forms.ZERO) + part
    found = [CheckSum(check.title, _added(check.terms, sums), sums[check.result]) for check in kind.checks]
    last = kind.columns[-1].number
    return found if decided is None else [*found, CheckSum(_DECIDED, decided, sums[last])]


# The column of a form that says what was paid in advance.
ADVANCED = {"advance": "7", "true-up": "8"}


def _advanced(form: str, kind: RuForm, worked: Sequence[Worked], advanced: Decimal | None) -> list[CheckSum]:
    column = ADVANCED.get(form)
    if advanced is None or column is None:
        return []
    place = [each.number for each in kind.columns[1:]].index(column)
    cells = (made.cells[place] for made in worked)
    told = sum((cell for cell in cells if isinstance(cell, Decimal)), ru_forms.ZERO)
    return [CheckSum(gettext("Paid in advance by the books = column %(column)s") % {"column": column}, advanced, told)]


_DECIDED = _("What the decisions on the visits allow to pay = column 10")


def _added(terms: Iterable[str], sums: dict[str, Decimal]) -> Decimal:
    signed = ((-1, term[1:]) if term.startswith("-") else (1, term) for term in terms)
    return sum((sign * sums.get(name, ru_forms.ZERO) for sign, name in signed), ru_forms.ZERO)
