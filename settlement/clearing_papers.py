"""The clearing statement as a paper that both municipalities sign."""

from __future__ import annotations

from django.utils.formats import date_format
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.money import from_minor, from_units
from config.templatetags.show import amount
from settlement.clearing_queries import statement_lines
from settlement.documents import document_language
from settlement.models import ClearingLine, ClearingStatement
from settlement.printed_tables import Cell, Column, PrintedTable, Section

_COLUMNS = (
    Column(_("Claim and line")),
    Column(_("Provider")),
    Column(_("Certificate")),
    Column(_("Day")),
    Column(_("Units"), "units"),
    Column(_("To refund"), "amount", summed=True),
)


def statement_table(statement: ClearingStatement, office: Organisation) -> PrintedTable:
    """Undisputed lines by who owes them, their sums and the net sum. Money: two decimals."""
    language = document_language(office)
    with override(language):
        lines = list(statement_lines(statement))
        owed = [line for line in lines if line.disputed_at is None]
        disputed = sum(line.item.due_minor for line in lines if line.disputed_at is not None)
        sections = [
            Section([_row(line) for line in owed if line.item.home_id == home.pk], _owes(home, statement.other(home)))
            for home in (statement.first, statement.second)
        ]
        facts = [
            (_("Month"), date_format(statement.period, "YEAR_MONTH_FORMAT")),
            (_("Municipalities"), f"{statement.first.name}; {statement.second.name}"),
            (_("After setting off"), _net(statement)),
        ]
        if disputed:
            facts.append((_("Disputed, not in these sums"), amount(from_minor(disputed), office.currency)))
        return PrintedTable(
            title=gettext("Clearing statement %(number)s") % {"number": statement.number},
            author=office.name,
            facts=facts,
            caption=_("Visits of certificates used in the other municipality"),
            columns=_COLUMNS,
            sections=[section for section in sections if section.rows],
            signers=[statement.first.name, statement.second.name],
            language=language,
            currency=office.currency,
            opposed=True,
        )


def _net(statement: ClearingStatement) -> str:
    payer, payee = (statement.first, statement.second)[:: 1 if statement.net_minor >= 0 else -1]
    sum_ = amount(from_minor(abs(statement.net_minor)), payer.currency)
    names = {"payer": payer.name, "payee": payee.name, "sum": sum_}
    return gettext("%(payer)s pays %(payee)s %(sum)s") % names


def _owes(home: Organisation, host: Organisation) -> str:
    return gettext("%(home)s owes %(host)s") % {"home": home.name, "host": host.name}


def _row(line: ClearingLine) -> tuple[Cell, ...]:
    item = line.item
    day = date_format(item.claim_line.service_date, "SHORT_DATE_FORMAT")
    visit = f"{item.claim.number}, № {item.claim_line.line}"
    if item.revision:
        visit = f"{visit} ({gettext('worked out anew:')} {item.revision.number})"
    return (
        visit, item.claim.provider.name, item.certificate.number, day,
        from_units(item.units_milli), from_minor(item.due_minor),
    )  # fmt: skip
